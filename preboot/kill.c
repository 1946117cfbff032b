#include "kill.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "common/tombstone.h"
#include "console.h"
#include "files.h"
#include "firmware.h"
#include "storefile.h"
#include "variable.h"

#define TOMBSTONE_PATH FILES_HOME "tombstone"
#define TOMBSTONE_FILE_MAX ((size_t)64 << 10)
#define READ_S 10

static enum err tombstone_read(struct tombstone *ret)
{
	uint8_t *bytes;
	size_t len;
	enum err e = files_read(&bytes, &len, TOMBSTONE_PATH, TOMBSTONE_FILE_MAX);

	if (e)
		return e;
	e = tombstone_decode(ret, bytes, len);
	free(bytes);
	return e;
}

static enum err tombstone_write(const struct tombstone *t)
{
	uint8_t *bytes = malloc(TOMBSTONE_BYTES_MAX);
	size_t len;
	enum err e;

	if (!bytes)
		return ERR_MEMORY;
	e = tombstone_encode(bytes, &len, t);
	if (!e)
		e = files_write(TOMBSTONE_PATH, bytes, len);
	free(bytes);
	return e;
}

/* Every partition with that GUID; a copied disk has it too. Errors: ERR_NOT_FOUND when there is none. */
static enum err erase_area(const struct tombstone_area *area)
{
	struct block b;
	unsigned n = 0;
	enum err e = OK, found;

	for (; !(found = block_find(&b, area->partition, n)); n++) {
		enum err one = block_erase(&b, area->bytes);

		e = e ? e : one;
	}
	return n ? e : found;
}

static unsigned erase_areas(const struct tombstone *t)
{
	unsigned left = 0;

	for (unsigned i = 0; i < t->area_count; i++) {
		enum err e = erase_area(&t->areas[i]);

		console_say("  volume %u of %u: %s\n", i + 1, (unsigned)t->area_count,
			    e ? err_text(e) : "erased");
		left += e != OK;
	}
	return left;
}

static enum err erase_files(void)
{
	enum err e = storefile_destroy(), boot = files_delete_below(FILES_HOME "boot");

	return e ? e : boot;
}

/* The variables hold no key, but the store of a new installation begins at generation 1. */
static void complete(void)
{
	variable_delete(VARIABLE_GENERATION);
	variable_delete(VARIABLE_TALLY);
	console_say("\nThis laptop has been erased by its organisation.\n");
}

/* Store and boot files go even when a volume cannot be reached: what is left is the escrow's. */
static void finish(struct tombstone *t)
{
	unsigned left;
	enum err e;

	console_say("\nFinishing the erasure of this laptop. Do not switch it off.\n");
	left = erase_areas(t);
	e = erase_files();
	if (e)
		console_say("\nThe store and boot files could not all be cleared: %s.\n", err_text(e));
	if (!e && !left) {
		t->erased = 1;
		e = tombstone_write(t);
	}
	if (left || e)
		console_say("\nThe erasure is not finished. It is tried again at the next start.\n");
	else
		complete();
}

int kill_seen(void)
{
	EFI_FILE_HANDLE file;
	uint64_t size;

	if (files_open(&file, &size, TOMBSTONE_PATH))
		return 0;
	file->Close(file);
	return 1;
}

void kill_finish(void)
{
	static struct tombstone t;

	if (tombstone_read(&t))
		return;
	/* The agent says ERASED before it takes the files away: the power may have been cut between. */
	if (t.erased && !erase_files())
		complete();
	else
		finish(&t);
	console_say("It switches off in %u seconds, or at a key.\n", READ_S);
	console_pause(READ_S);
	firmware_power_off();
}
