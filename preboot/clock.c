#include "clock.h"

#include "firmware.h"

#define CALIBRATE_MS 20

static uint64_t start, ticks_per_ms = 1;

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

void clock_start(void)
{
	start = ticks();
	BOOT->Stall(CALIBRATE_MS * 1000);
	ticks_per_ms = (ticks() - start) / CALIBRATE_MS;
	if (!ticks_per_ms)
		ticks_per_ms = 1;
}

uint64_t clock_ms(void)
{
	return (ticks() - start) / ticks_per_ms;
}
