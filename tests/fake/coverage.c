/* Fuzzing: what a run covers in its own process becomes the fuzzer's counters. Whether, not how
 * often: whole starts are slow, and a collection of all that differ in how often a loop went around
 * would never be through. Without libFuzzer's counters there is nothing to do. */
#include <string.h>
#include <sys/mman.h>

#include "inside.h"

extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));

static uint8_t *kept;

static size_t size(void)
{
	return (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
}

/* In the child. */
void fake_coverage_keep(void)
{
	for (size_t i = 0; kept && i < size(); i++)
		kept[i] = __start___sancov_cntrs[i] != 0;
}

/* In the parent. */
void fake_coverage_take(void)
{
	if (!__start___sancov_cntrs || !size())
		return;
	if (!kept)
		kept = mmap(NULL, size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			    0);
	else
		memcpy(__start___sancov_cntrs, kept, size());
}
