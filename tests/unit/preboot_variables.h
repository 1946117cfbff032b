/* Variables of the firmware for one test program: kept over "starts", failing and cut off on demand; and the
 * events that a module adds. Stands for variable.c and events.c. */
#ifndef HOLDFAST_PREBOOT_VARIABLES_H
#define HOLDFAST_PREBOOT_VARIABLES_H

#include <efi.h>
#include <setjmp.h>
#include <string.h>

#include "preboot/events.h"
#include "preboot/variable.h"

#define KEPT_MAX 5

static struct kept {
	const CHAR16 *name;
	size_t len; /* 0: none */
	uint8_t bytes[2 * VARIABLE_BYTES_MAX];
} kept[KEPT_MAX];

static unsigned read_faults; /* so many reads fail from now */
static enum err write_fault;
static unsigned writes;   /* that were done */
static long cut_in;       /* the power fails in this write from now; 0: never */
static int cut_after_all; /* ... when it was done already */
static jmp_buf power;

static struct kept *kept_find(const CHAR16 *name)
{
	for (size_t i = 0; i < KEPT_MAX; i++) {
		size_t n = 0;

		if (!kept[i].name)
			kept[i].name = name;
		while (name[n] && kept[i].name[n] == name[n])
			n++;
		if (kept[i].name[n] == name[n])
			return &kept[i];
	}
	fail_msg("more variables than KEPT_MAX");
	return NULL;
}

enum err variable_read(void *ret, size_t len, const CHAR16 *name)
{
	const struct kept *k = kept_find(name);

	assert_true(len <= VARIABLE_BYTES_MAX);
	if (read_faults && read_faults--)
		return ERR_IO;
	if (!k->len)
		return ERR_NOT_FOUND;
	if (k->len != len)
		return ERR_FORMAT;
	memcpy(ret, k->bytes, len);
	return OK;
}

static void kept_put(const CHAR16 *name, const void *bytes, size_t len)
{
	struct kept *k = kept_find(name);

	memcpy(k->bytes, bytes, len);
	k->len = len;
}

enum err variable_write(const CHAR16 *name, const void *bytes, size_t len, int at_run_time)
{
	int cut = cut_in && !--cut_in;

	assert_false(at_run_time);
	if (write_fault)
		return write_fault;
	if (!cut || cut_after_all) {
		kept_put(name, bytes, len);
		writes++;
	}
	if (cut)
		longjmp(power, 1);
	return OK;
}

static struct {
	unsigned count;
	uint16_t value; /* of the last one */
} told[32];

#ifndef PREBOOT_OWN_EVENTS
void events_add(enum preboot_event kind, uint16_t value)
{
	assert_true((unsigned)kind < 32);
	told[kind].count++;
	told[kind].value = value;
}
#endif

static int variables_forget(void **state)
{
	(void)state;
	memset(kept, 0, sizeof(kept));
	memset(told, 0, sizeof(told));
	write_fault = OK;
	read_faults = 0;
	writes = 0;
	cut_in = 0;
	cut_after_all = 0;
	return 0;
}

#endif
