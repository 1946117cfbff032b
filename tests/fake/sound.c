/* Stands for preboot/sound.c, which drives the speaker by its ports. */
#include "preboot/sound.h"

#include "inside.h"

void sound_play(enum sound sound)
{
	fake_now->sounds |= 1u << sound;
}
