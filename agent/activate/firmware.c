#include "agent/activate/firmware.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/activate/bootfiles.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/efivar.h"
#include "agent/volumed/loader.h"
#include "agent/volumed/selftest.h"

static enum err complain(enum err e, const char *what)
{
	if (e)
		fprintf(stderr, "holdfast-activate: %s: %s\n", what, err_text(e));
	return e;
}

void firmware_enter(const struct espstore *esp)
{
	struct bootentry_place place;
	struct bootentry_repair r;
	LOADER_LOCK lock = -1;

	if (bootentry_place(&place, esp->efivars, esp->folder))
		return; /* an image of a disk, or a machine without such firmware */
	if (loader_lock(&lock, esp->folder) || bootentry_repair(&r, &place, NULL))
		fprintf(stderr, "holdfast-activate: the firmware takes no boot entry now; it starts "
				"EFI/BOOT/BOOTX64.EFI, and the agent makes the entry later\n");
}

/* Why a file cannot be the next holdfast.efi, for people. */
static const char *reason(enum err e)
{
	switch (e) {
	case ERR_FORMAT: return "this is no EFI program, or a damaged one";
	case ERR_UNSUPPORTED: return "this is no EFI program for x86-64";
	case ERR_NOT_FOUND: return "there is no such file, or it is none of Holdfast's";
	case ERR_DENIED: return "it is not signed, and this laptop's firmware starts only what is (Secure Boot)";
	case ERR_EXISTS: return "it is the one that this laptop uses already";
	default: return err_text(e);
	}
}

/* *esp has to live as long as *ret. */
static enum err place_find(struct bootentry_place *ret, struct espstore *esp, const struct plan *p)
{
	enum err e = espstore_at(esp, p->esp, p->efivars);

	return e ? e : bootentry_place(ret, esp->efivars, esp->folder);
}

enum err firmware_update(const struct plan *p)
{
	char boot[LOADER_BOOT_ID_BYTES];
	struct bootentry_place place;
	const struct loader_home home = { .place = &place, .installed = LOADER_INSTALLED, .boot = boot };
	struct loader_copy copy;
	struct espstore esp;
	LOADER_LOCK lock = -1;
	enum err e = place_find(&place, &esp, p);

	if (e) {
		fprintf(stderr, "holdfast-activate: %s: this is no EFI system partition of the running machine, or "
				"its firmware keeps no variables: nothing could be tried once\n", p->esp);
		return e;
	}
	loader_boot_id(boot);
	e = loader_lock(&lock, esp.folder);
	if (!e)
		e = loader_stage(&copy, &home, p->loader);
	if (e) {
		fprintf(stderr, "holdfast-activate: %s: %s\n", p->loader, reason(e));
		return e;
	}
	printf("holdfast.efi %s is tried once at the next start. If the system comes up with it, it stays; else the "
	       "present one goes on.\nsha256 %s\n", copy.image.version, copy.digest);
	return OK;
}

/* ---- self-test ---- */

/* A laptop with a store is under management: the request alone would not be heard there, and need not. */
static enum err request_write(const char *folder)
{
	static const char text[] = "holdfast-activate --self-test\n";

	return durable_write(folder, SELFTEST_REQUEST, text, strlen(text), 0700);
}

static enum err entry_make(const struct bootentry_place *place)
{
	uint16_t number;
	enum err e = bootentry_put(&number, place, BOOTENTRY_SELFTEST, SELFTEST_PROGRAM, BOOTENTRY_SELFTEST_DATA);

	return e ? e : bootentry_next_set(place, number);
}

static void warn_unsigned(const struct plan *p, const char *efi)
{
	struct bootentry_place place = { .efivars = p->efivars, .folder = "" };
	const struct loader_home home = { .place = &place, .installed = LOADER_INSTALLED };
	struct loader_copy copy;

	if (loader_check(&copy, &home, efi) == ERR_DENIED)
		fprintf(stderr, "holdfast-activate: %s is not signed: with Secure Boot on, the firmware will refuse it\n",
			efi);
}

enum err firmware_test(const struct plan *p)
{
	const char *efi = p->efi ? p->efi : LOADER_INSTALLED;
	struct bootentry_place place;
	struct espstore esp;
	char folder[DURABLE_PATH_MAX];
	LOADER_LOCK lock = -1;
	enum err e = bootfiles_folder(folder, sizeof(folder), p->esp, "EFI/holdfast");

	if (!e)
		e = espstore_at(&esp, p->esp, p->efivars);
	if (!e)
		e = loader_lock(&lock, esp.folder);
	if (e)
		return complain(e, p->esp);
	warn_unsigned(p, efi);
	e = complain(bootfiles_copy_file(efi, folder, SELFTEST_PROGRAM), efi);
	/* Else an older one would be shown while this one has not run. */
	if (!e)
		e = complain(durable_remove(folder, SELFTEST_REPORT), SELFTEST_REPORT);
	if (!e)
		e = complain(durable_remove(folder, SELFTEST_SENT), SELFTEST_SENT);
	if (!e)
		e = complain(request_write(folder), SELFTEST_REQUEST);
	if (e)
		return e;
	if (!bootentry_place(&place, esp.efivars, esp.folder) && !entry_make(&place))
		puts("Restart this laptop: the self-test runs once, then it starts as usual.");
	else
		puts("The firmware takes no boot entry from here: restart, and choose the file "
		     "EFI/holdfast/selftest.efi in its boot menu.");
	puts("Then: holdfast-activate --self-test --show");
	return OK;
}

static void test_print(const struct selftest_test *t)
{
	const char *words = selftest_words(t->kind);
	char text[SELFTEST_TEXT_MAX];

	selftest_text(text, t);
	printf("%-24s %s\n", words ? words : "(a newer test)", text);
}

static void report_print(const struct selftest *s)
{
	time_t when = (time_t)s->head.time;
	char text[40] = "the firmware has no clock";
	struct tm tm;

	if (when && gmtime_r(&when, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	printf("%-24s %s\n%-24s %s, revision 0x%08x, UEFI %u.%u\n%-24s %s\n", "Self-test of", text, "Firmware",
	       (const char *)s->head.vendor, s->head.firmware, s->head.uefi >> 16,
	       (s->head.uefi & 0xffff) / 10, "holdfast.efi", (const char *)s->head.program);
	for (unsigned i = 0; i < s->head.test_count; i++)
		test_print(&s->tests[i]);
	if (*s->head.layout)
		printf("%-24s %s\n", "Keyboard layout", (const char *)s->head.layout);
	puts(selftest_verdict(s));
}

enum err firmware_show(const struct plan *p)
{
	struct espstore esp;
	struct selftest s;
	LOADER_LOCK lock = -1;
	enum err e = espstore_at(&esp, p->esp, p->efivars);

	if (!e)
		e = loader_lock(&lock, esp.folder);
	if (!e)
		e = selftest_load(&s, esp.folder, 1);
	if (e == ERR_NOT_FOUND) {
		fprintf(stderr, "holdfast-activate: there is no report of a self-test on %s\n", p->esp);
		return e;
	}
	if (e)
		return complain(e, "the report of the self-test");
	report_print(&s);
	e = selftest_tidy(esp.efivars, esp.folder);
	return complain(e, "removing what the self-test needed");
}
