/* Stands for preboot/clock.c: the simulated time. Every run begins with fake_clock_start, which
 * also brings the linker to take this one. */
#include "preboot/clock.h"

#include "inside.h"

static uint64_t start_100ns;

void fake_clock_start(void)
{
	start_100ns = 0;
}

void clock_start(void)
{
	start_100ns = fake_time_100ns();
}

uint64_t clock_ms(void)
{
	return (fake_time_100ns() - start_100ns) / 10000;
}
