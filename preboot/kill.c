#include "kill.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "boot.h"
#include "common/tombstone.h"
#include "events.h"
#include "files.h"
#include "firmware.h"
#include "storefile.h"
#include "ui.h"
#include "variable.h"

#define TOMBSTONE_PATH FILES_HOME "tombstone"
#define TOMBSTONE_FILE_MAX ((size_t)64 << 10)
#define READ_S 10

/* Too large for the stack; there is one erasure at a time, and it must not fail for want of memory. */
static struct tombstone stone;
static uint8_t encoded[TOMBSTONE_BYTES_MAX];
static int recorded; /* the next start will find it */

/* Is the store on the ESP another device's? Then this one was set up anew since. */
static int set_up_anew(void)
{
	struct storefile *f = calloc(1, sizeof(*f));
	int anew;

	if (!f)
		return 0;
	storefile_read(f);
	anew = f->current && memcmp(f->current->head.device, stone.device, sizeof(stone.device));
	storefile_drop(f);
	free(f);
	return anew;
}

/* Of this device's bytes. */
static enum err stone_take(const uint8_t *bytes, size_t len)
{
	enum err e = tombstone_decode(&stone, bytes, len);

	return !e && set_up_anew() ? ERR_MISDIRECTED : e;
}

static enum err stone_read(void)
{
	uint8_t *bytes;
	size_t len;
	enum err e = files_read(&bytes, &len, TOMBSTONE_PATH, TOMBSTONE_FILE_MAX);

	if (e)
		return e;
	e = stone_take(bytes, len);
	free(bytes);
	return e;
}

static enum err stone_write(void)
{
	size_t len;
	enum err e = tombstone_encode(encoded, &len, &stone);

	if (e)
		return e;
	(void)!files_destroy_larger(TOMBSTONE_PATH, TOMBSTONE_FILE_MAX);
	return files_write(TOMBSTONE_PATH, encoded, len);
}

/* In the variable as well, so that who takes the tombstone away, with the power cut in between, saves
 * nothing. The command is too long for a variable. */
static enum err stone_remember(void)
{
	uint32_t command_bytes = stone.command_bytes;
	size_t len;
	enum err e;

	stone.command_bytes = 0;
	e = tombstone_encode(encoded, &len, &stone);
	stone.command_bytes = command_bytes;
	return e ? e : variable_write(VARIABLE_KILL, encoded, len, 0);
}

static enum err stone_recall(void)
{
	uint8_t *bytes;
	size_t len;
	enum err e = variable_read_all(&bytes, &len, TOMBSTONE_BYTES_MAX, VARIABLE_KILL);

	if (e == ERR_FORMAT) {
		/* None that pre-boot has written: it would be told at every start. */
		events_add(PREBOOT_TAMPERED, 0);
		variable_delete(VARIABLE_KILL);
	}
	if (e)
		return e;
	e = stone_take(bytes, len);
	free(bytes);
	return e;
}

/* In both places, where they take it: an ESP that takes no file must not save a stolen laptop, nor must
 * firmware that keeps no variable. The variable first: it is there or not, while a file can be torn. */
static void stone_put(void)
{
	if (!stone_remember())
		recorded = 1;
	if (!stone_write())
		recorded = 1;
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

static unsigned erase_areas(void)
{
	unsigned left = 0;

	for (unsigned i = 0; i < stone.area_count; i++) {
		enum err e = erase_area(&stone.areas[i]);

		ui_tell(MESSAGE_ERASED_VOLUME, i + 1, (unsigned)stone.area_count,
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

/* The variables hold no key, but a new installation begins with none of this one's counts. The one that
 * says that there is something to erase goes last. */
static void complete(void)
{
	static const CHAR16 *const variables[] = { VARIABLE_GENERATION, VARIABLE_TALLY,  VARIABLE_GUARD,
						   VARIABLE_CLOCK,      VARIABLE_CHOICE, VARIABLE_OWNER,
						   VARIABLE_HELPERS,    VARIABLE_SELFTEST,
						   VARIABLE_KILL };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		variable_delete(variables[i]);
	ui_tell(stone.command_bytes ? MESSAGE_ERASED : MESSAGE_ERASED_RULES);
}

/* A full ESP has room for the tombstone when the boot files are gone. */
static void make_room(void)
{
	if (files_delete_below(FILES_HOME "boot"))
		ui_tell(MESSAGE_ERASURE_FILES, err_text(ERR_IO));
	stone_put();
}

/* Store and boot files go even when a volume cannot be reached: what is left is the escrow's. But the store
 * is what a next start without any record would know the volumes from. */
static void finish(void)
{
	unsigned left;
	enum err e;

	ui_tell(MESSAGE_ERASING);
	left = erase_areas();
	if (left && !recorded)
		make_room();
	if (left && !recorded) {
		ui_tell(MESSAGE_ERASURE_NOT_NOTED);
		return;
	}
	e = erase_files();
	if (e)
		ui_tell(MESSAGE_ERASURE_FILES, err_text(e));
	if (!e && !left) {
		stone.erased = 1;
		e = stone_write();
	}
	if (left || e)
		ui_tell(recorded ? MESSAGE_ERASURE_UNFINISHED : MESSAGE_ERASURE_NOT_NOTED);
	else
		complete();
}

static noreturn void leave(void)
{
	ui_tick(MESSAGE_SWITCHES_OFF, READ_S);
	ui_pause(READ_S);
	ui_stop();
	firmware_power_off();
}

/* The agent says ERASED before it takes the files away: the power may have been cut between. What the
 * volumes hold by now is nobody's business. */
static void finish_files(void)
{
	enum err e = erase_files();

	if (!e) {
		complete();
		return;
	}
	ui_tell(MESSAGE_ERASURE_FILES, err_text(e));
	ui_tell(MESSAGE_ERASURE_UNFINISHED);
}

static noreturn void erase(void)
{
	ui_page("Erasure", "", "");
	if (stone.erased)
		finish_files();
	else
		finish();
	leave();
}

noreturn void kill_begin(const struct store *s)
{
	boot_forget(); /* its files are to be deleted */
	memset(&stone, 0, sizeof(stone));
	memcpy(stone.device, s->head.device, sizeof(stone.device));
	tombstone_areas(&stone, &s->manifest);
	recorded = 0;
	stone_put();
	erase();
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
	recorded = 1;
	if (!stone_read()) {
		/* Firmware that does not keep it has the file. */
		if (!stone.erased)
			(void)!stone_remember();
		erase();
	}
	if (!stone_recall()) {
		(void)!stone_write();
		erase();
	}
	recorded = 0;
}
