/* Sound: short beeps of the PC speaker, for who cannot see the screen well. Machines without one stay
 * silent. */
#ifndef HOLDFAST_SOUND_H
#define HOLDFAST_SOUND_H

enum sound {
	SOUND_READY,   /* high: something is asked for */
	SOUND_REFUSED, /* low, long */
	SOUND_OPENED,  /* rising */
};

void sound_play(enum sound sound);

#endif
