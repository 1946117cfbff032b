/* Boot entries: the variables Boot####, BootOrder and BootNext of the firmware (UEFI 2.10, 3.1 and 3.3), as far
 * as they concern Holdfast: which file of the EFI system partition the firmware starts. Nothing of anybody
 * else's is changed but places in BootOrder. docs/updates.md. */
#ifndef HOLDFAST_BOOTENTRY_H
#define HOLDFAST_BOOTENTRY_H

#include "agent/volumed/loadoption.h"

#define BOOTENTRY_CURRENT "Holdfast"
#define BOOTENTRY_PREVIOUS "Holdfast (previous)"
#define BOOTENTRY_UPDATE "Holdfast (update)"
#define BOOTENTRY_SELFTEST "Holdfast self-test"
#define BOOTENTRY_SELFTEST_DATA "selftest"

/* Where entries are, and what they lead to. */
struct bootentry_place {
	const char *efivars;          /* "" for none */
	const char *folder;           /* …/EFI/holdfast */
	struct loadoption_file esp;   /* its partition; path is empty */
	const char *partitions;       /* folder of the partitions that there are, named by their GUIDs; "" for none */
};

/* Which partition a folder lies on. efivars and folder are borrowed. Errors: ERR_NOT_FOUND (no firmware
 * variables, or the folder is not on a FAT file system of a GPT partition: nothing that firmware would start from). */
MUST_CHECK enum err bootentry_place(struct bootentry_place *ret, const char *efivars, const char *folder);

/* Make the entry, or bring it to what it shall be, and leave BootOrder alone. file: in \EFI\holdfast.
 * *ret: its number. Errors: ERR_SPACE (no number is left), ERR_NOT_FOUND (variables cannot be written), ERR_IO. */
MUST_CHECK enum err bootentry_put(uint16_t *ret, const struct bootentry_place *p, const char *text,
				  const char *file, const char *data);
/* Remove every entry that has this text and leads to this file, from BootOrder, too. That there is none is no
 * error. Errors: ERR_IO. */
MUST_CHECK enum err bootentry_remove(const struct bootentry_place *p, const char *text, const char *file);

/* The next start only. Errors: those of efivar_write, efivar_read. */
MUST_CHECK enum err bootentry_next_set(const struct bootentry_place *p, uint16_t number);
MUST_CHECK enum err bootentry_next(uint16_t *ret, const struct bootentry_place *p);
/* Take BootNext away if it is this entry. */
MUST_CHECK enum err bootentry_next_drop(const struct bootentry_place *p, const char *text, const char *file);
/* Is BootNext this entry? */
int bootentry_is_next(const struct bootentry_place *p, const char *text, const char *file);

/* What was wrong with an entry, and has been repaired. */
#define BOOTENTRY_LOST 0x1       /* not there, or not in BootOrder */
#define BOOTENTRY_ALTERED 0x2    /* switched off, or led elsewhere */
#define BOOTENTRY_NOT_FIRST 0x4  /* others stood in front */

struct bootentry_repair {
	unsigned current, previous; /* BOOTENTRY_LOST and the like; 0: as it shall be */
	char front[33]; /* hex digest of the entries that stand (or stood) in front of ours; "" */
	int yielded;    /* they were left there */
};

/* "Holdfast" first, behind it "Holdfast (previous)" if there is a previous.efi.
 *   yield   digest of entries that may stay in front (an administrator has put them there again); NULL: none
 * Errors: those of bootentry_put. */
MUST_CHECK enum err bootentry_repair(struct bootentry_repair *ret, const struct bootentry_place *p,
				     const char *yield);

#endif
