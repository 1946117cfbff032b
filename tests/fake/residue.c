/* Stands for preboot/residue.c: without the look at the processor's page tables. */
#include "preboot/residue.h"

#include "common/secret.h"
#include "preboot/firmware.h"
#include "preboot/scrub.h"

static void scrub(void *context, uint8_t *range, uint64_t size)
{
	const struct secret *typed = context;

	scrub_range(range, size, typed->bytes, typed->len);
}

void residue_wipe(const struct line *typed)
{
	SECRET struct secret copy = { 0 };

	if (secret_new(&copy, typed->len + 1))
		return;
	for (size_t i = 0; i < typed->len; i++)
		copy.bytes[i] = (uint8_t)typed->bytes[i];
	copy.bytes[typed->len] = '\r';
	firmware_memory(EfiBootServicesData, scrub, &copy);
}
