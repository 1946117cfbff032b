#include "agent/volumed/bootcare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/event.h"
#include "agent/volumed/selftest.h"

#define TRIES 3 /* starts in which the firmware may leave BootNext untouched */

static json_t *section(struct volumed *v)
{
	return vstate_make(&v->state, "firmware");
}

static int noted(struct volumed *v, const char *name, const char *value)
{
	const char *have = vstate_text(section(v), name);

	return have && !strcmp(have, value);
}

/* value NULL: forget. */
static enum err note(struct volumed *v, const char *name, const char *value)
{
	json_t *s = section(v);

	if (!s)
		return ERR_MEMORY;
	if (value ? noted(v, name, value) : !json_object_get(s, name))
		return OK;
	if (value ? json_object_set_new(s, name, json_string(value)) : json_object_del(s, name))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

static int started_by(const struct volumed *v, enum handoff_loader which)
{
	return v->boot.known && v->boot.loader == which;
}

/* ---- an update ---- */

static enum err update_done(struct volumed *v, const struct loader_home *h, const struct loader_copy *next)
{
	/* Before anything is moved: after a power cut the next start goes on, whichever copy it has. */
	enum err e = note(v, "confirming", next->digest);

	if (!e)
		e = loader_confirm(h);
	if (e)
		return volumed_about(v, e, "update of holdfast.efi");
	event_tell(v, "loader-updated", json_pack("{s:s, s:s}", "version", next->image.version, "digest",
						  next->digest));
	e = note(v, "current", next->digest);
	if (!e)
		e = note(v, "waiting", NULL);
	return e ? e : note(v, "confirming", NULL);
}

static enum err update_failed(struct volumed *v, const struct loader_home *h, const struct loader_copy *next,
			      const char *why)
{
	enum err e = loader_abandon(h);

	if (e)
		return volumed_about(v, e, "removing an update of holdfast.efi");
	event_tell(v, "loader-update-failed", json_pack("{s:s, s:s, s:s}", "version",
							next->sound ? next->image.version : "?", "digest",
							next->digest, "why", why));
	return note(v, "waiting", NULL);
}

/* BootNext is still there. In the start in which it was set that is as it shall be. */
static enum err update_waits(struct volumed *v, const struct loader_home *h, const struct loader_copy *next,
			     const char *boot)
{
	json_t *s = section(v), *waiting;
	uint64_t starts = 0;

	if (!s)
		return ERR_MEMORY;
	waiting = json_object_get(s, "waiting");
	if (waiting && !strcmp(next->digest, vstate_text(waiting, "digest") ? vstate_text(waiting, "digest") : "")) {
		starts = vstate_number(waiting, "starts");
		if (!strcmp(boot, vstate_text(waiting, "boot") ? vstate_text(waiting, "boot") : ""))
			return OK;
		starts++;
	}
	if (starts >= TRIES)
		return update_failed(v, h, next, "the firmware does not try it: it ignores BootNext");
	if (json_object_set_new(s, "waiting", json_pack("{s:s, s:s, s:I}", "digest", next->digest, "boot", boot,
							"starts", (json_int_t)starts)))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

/* Does holdfast.efi have these bytes already? Then a confirmation was cut short. */
static int is_current(const struct loader_home *h, const struct loader_copy *next)
{
	struct loader_copy current;

	return !loader_look(&current, h, LOADER_CURRENT) && !strcmp(current.digest, next->digest);
}

static enum err update_care(struct volumed *v, const struct loader_home *h, const char *boot)
{
	struct loader_copy next;
	enum err e = loader_look(&next, h, LOADER_NEXT);

	if (e == ERR_NOT_FOUND) {
		e = note(v, "confirming", NULL);
		return e ? e : loader_abandon(h);
	}
	if (e)
		return volumed_about(v, e, "next.efi");
	if (next.sound && (started_by(v, HANDOFF_LOADER_NEXT) || noted(v, "confirming", next.digest) ||
			   is_current(h, &next)))
		return update_done(v, h, &next);
	if (bootentry_is_next(h->place, BOOTENTRY_UPDATE, LOADER_NEXT))
		return update_waits(v, h, &next, boot);
	return update_failed(v, h, &next, "it was tried once, and the system did not come up with it");
}

/* ---- the current copy ---- */

static void mended_tell(struct volumed *v, enum loader_mended how)
{
	static const char *const from[] = {
		[LOADER_FROM_INSTALLED] = "the installed copy",
		[LOADER_FROM_PREVIOUS] = LOADER_PREVIOUS,
		[LOADER_FROM_REMOVABLE] = "BOOTX64.EFI",
		[LOADER_BEYOND_REPAIR] = "nothing: there is no good copy",
	};

	if (how != LOADER_WHOLE)
		event_tell(v, "loader-repaired", json_pack("{s:s}", "from", from[how]));
}

/* The one that started is good; one that did not start is looked at. */
static enum err current_care(struct volumed *v, const struct loader_home *h)
{
	enum loader_mended how = LOADER_WHOLE;
	struct loader_copy current;
	enum err e;

	if (started_by(v, HANDOFF_LOADER_CURRENT)) {
		e = loader_look(&current, h, LOADER_CURRENT);
		return e == ERR_NOT_FOUND ? OK : e ? e : note(v, "current", current.digest);
	}
	e = loader_mend(&how, h, vstate_text(section(v), "current"));
	if (e)
		return volumed_about(v, e, "repairing holdfast.efi");
	mended_tell(v, how);
	if (how == LOADER_WHOLE && started_by(v, HANDOFF_LOADER_PREVIOUS))
		event_tell(v, "loader-passed-over",
			   json_pack("{s:s}", "why", "holdfast.efi is unaltered, but the previous one was started: "
						     "chosen by somebody, or refused by the firmware"));
	return OK;
}

/* ---- boot entries ---- */

static void words_add(char *ret, size_t size, const char *entry, unsigned wrong)
{
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = {
		{ BOOTENTRY_LOST, "lost" },
		{ BOOTENTRY_ALTERED, "altered" },
		{ BOOTENTRY_NOT_FIRST, "not in its place" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(ret);

		if (wrong & words[i].flag)
			(void)snprintf(ret + n, size - n, "%s%s: %s", n ? ", " : "", entry, words[i].word);
	}
}

static void repair_tell(struct volumed *v, const struct bootentry_repair *r)
{
	char what[200] = "";

	words_add(what, sizeof(what), BOOTENTRY_CURRENT, r->current);
	words_add(what, sizeof(what), BOOTENTRY_PREVIOUS, r->previous);
	if (*what)
		event_tell(v, "boot-entry-repaired", json_pack("{s:s}", "what", what));
}

/* Nothing was wrong with them, and yet they were not used. */
static enum err ignored_tell(struct volumed *v, const struct bootentry_repair *r)
{
	if (!started_by(v, HANDOFF_LOADER_REMOVABLE) || r->current || noted(v, "ignored", "told"))
		return OK;
	event_tell(v, "boot-entries-ignored",
		   json_pack("{s:s}", "why", "the firmware starts BOOTX64.EFI although its entries are in order"));
	return note(v, "ignored", "told");
}

/* Somebody who started us by our own entry and has put others in front may do so again after we have said
 * once what we think of it. */
static enum err entries_care(struct volumed *v, const struct loader_home *h)
{
	int by_ours = started_by(v, HANDOFF_LOADER_CURRENT) || started_by(v, HANDOFF_LOADER_NEXT);
	const char *yield = by_ours ? vstate_text(section(v), "front") : NULL;
	struct bootentry_repair r;
	enum err e = bootentry_repair(&r, h->place, yield);

	if (e)
		return volumed_about(v, e, "boot entries of the firmware");
	repair_tell(v, &r);
	if (r.yielded && !noted(v, "yielded", r.front)) {
		event_tell(v, "boot-entry-not-first",
			   json_pack("{s:s}", "why", "others were put in front of it again, and are left there"));
		e = note(v, "yielded", r.front);
	}
	if (!e && *r.front && !r.yielded)
		e = note(v, "front", r.front);
	return e ? e : ignored_tell(v, &r);
}

/* ---- all of it ---- */

enum err bootcare_run(struct volumed *v, const struct loader_home *h, const char *boot)
{
	enum err e = section(v) ? OK : ERR_MEMORY;

	if (!e)
		e = update_care(v, h, boot);
	if (!e)
		e = current_care(v, h);
	return e ? e : entries_care(v, h);
}

static void boot_id(char ret[static 64])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fscanf(f, "%63s", ret) != 1)
		(void)snprintf(ret, 64, "?");
	if (f)
		fclose(f);
}

static void firmware_settle(struct volumed *v)
{
	struct bootentry_place place;
	const struct loader_home home = { .place = &place, .installed = LOADER_INSTALLED };
	char boot[64];

	if (v->boot_cared)
		return;
	boot_id(boot);
	if (!bootentry_place(&place, v->esp.efivars, v->esp.folder) && bootcare_run(v, &home, boot))
		volumed_log("boot entries and loader were left as they are", v->about);
	else
		v->boot_cared = 1;
}

void bootcare_settle(struct volumed *v)
{
	firmware_settle(v);
	selftest_settle(v);
}

json_t *bootcare_status(const struct volumed *v)
{
	static const char *const loaders[HANDOFF_LOADER_COUNT] = { "?", "current", "update", "previous",
								   "BOOTX64.EFI" };
	char path[DURABLE_PATH_MAX];
	int waits = !durable_path(path, v->esp.folder, LOADER_NEXT) && !access(path, F_OK);

	return json_pack("{s:s, s:s}", "started_by",
			 v->boot.known && v->boot.loader < HANDOFF_LOADER_COUNT ? loaders[v->boot.loader] : "?",
			 "update", waits ? "waiting for a restart" : "none");
}
