#include "sound.h"

#include <stdint.h>

#include "firmware.h"

/* The PC's timer (8254), channel 2, drives the speaker; port 0x61 connects them. */
#define TIMER_HZ 1193182u
#define PORT_TIMER_2 0x42
#define PORT_TIMER_CONTROL 0x43
#define TIMER_2_SQUARE_WAVE 0xb6
#define PORT_SPEAKER 0x61
#define SPEAKER_ON 0x03

struct tone {
	unsigned hz, ms;
};

static const struct tone tunes[][2] = {
	[SOUND_READY] = { { 880, 70 } },
	[SOUND_REFUSED] = { { 220, 250 } },
	[SOUND_OPENED] = { { 660, 70 }, { 990, 90 } },
};

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void play(const struct tone *t)
{
	unsigned divisor = TIMER_HZ / t->hz;

	out(PORT_TIMER_CONTROL, TIMER_2_SQUARE_WAVE);
	out(PORT_TIMER_2, (uint8_t)divisor);
	out(PORT_TIMER_2, (uint8_t)(divisor >> 8));
	out(PORT_SPEAKER, in(PORT_SPEAKER) | SPEAKER_ON);
	BOOT->Stall(t->ms * 1000);
	out(PORT_SPEAKER, (uint8_t)(in(PORT_SPEAKER) & ~SPEAKER_ON));
}

void sound_play(enum sound sound)
{
	for (unsigned i = 0; i < 2; i++)
		if (tunes[sound][i].hz)
			play(&tunes[sound][i]);
}
