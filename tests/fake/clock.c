/* Stands for preboot/clock.c: the simulated time. */
#include "preboot/clock.h"

#include "inside.h"

static uint64_t start_100ns;

void clock_start(void)
{
	start_100ns = fake_time_100ns();
}

uint64_t clock_ms(void)
{
	return (fake_time_100ns() - start_100ns) / 10000;
}
