#include "agent/volumed/bootcare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/event.h"
#include "agent/volumed/selftest.h"

#define TRIES 3 /* starts in which the firmware may leave BootNext untouched */
#define FAILED_MAX 8
#define DIGEST_HEX 64

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

/* Started through another loader (shim), in this start or in the last of which pre-boot has told: then entries are an
 * administrator's, and lead to that one. */
static int is_by_other(struct volumed *v)
{
	return noted(v, "by", "other");
}

static enum err by_note(struct volumed *v)
{
	return v->boot.known ? note(v, "by", started_by(v, HANDOFF_LOADER_UNKNOWN) ? "other" : NULL) : OK;
}

/* The copy that is known to start, once in a start: what comes into its place later has not started. */
static enum err good_note(struct volumed *v, const struct loader_home *h, const char *digest)
{
	enum err e = note(v, "current", digest);

	return e ? e : note(v, "current_boot", h->boot);
}

/* Digests of updates that did not come up, the latest ones; so that none is put in the place of anything. */
static enum err failed_note(struct volumed *v, const char *digest, int failed)
{
	const char *have = vstate_text(section(v), "failed");
	char list[FAILED_MAX * (DIGEST_HEX + 1) + 1] = "";
	size_t n = failed ? (size_t)snprintf(list, sizeof(list), "%s ", digest) : 0;

	for (; have && strlen(have) > DIGEST_HEX && n + DIGEST_HEX + 1 < sizeof(list); have += DIGEST_HEX + 1) {
		if (!strncmp(have, digest, DIGEST_HEX))
			continue;
		memcpy(list + n, have, DIGEST_HEX + 1);
		n += DIGEST_HEX + 1;
		list[n] = '\0';
	}
	return note(v, "failed", n ? list : NULL);
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
	enum err e;

	if (is_by_other(v))
		return OK;
	e = bootentry_repair(&r, h->place, yield);
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

/* ---- an update ---- */

static enum err update_done(struct volumed *v, const struct loader_home *h, const struct loader_copy *next)
{
	/* Before anything is moved: after a power cut the next start goes on, whichever copy it has. */
	enum err e = note(v, "confirming", next->digest);

	if (!e)
		e = loader_keep(h, vstate_text(section(v), "current"));
	/* With its entry: else nothing would lead to it when the new one does not start after all. */
	if (!e)
		e = entries_care(v, h);
	if (!e)
		e = loader_confirm(h);
	if (e)
		return volumed_about(v, e, "update of holdfast.efi");
	event_tell(v, "loader-updated", json_pack("{s:s, s:s}", "version", next->image.version, "digest",
						  next->digest));
	e = good_note(v, h, next->digest);
	if (!e)
		e = failed_note(v, next->digest, 0);
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
	e = failed_note(v, next->digest, 1);
	return e ? e : note(v, "waiting", NULL);
}

/* BootNext is still there. In the start in which it was set that is as it shall be. */
static enum err update_waits(struct volumed *v, const struct loader_home *h, const struct loader_copy *next)
{
	json_t *s = section(v), *waiting;
	uint64_t starts = 0;

	if (!s)
		return ERR_MEMORY;
	waiting = json_object_get(s, "waiting");
	if (waiting && !strcmp(next->digest, vstate_text(waiting, "digest") ? vstate_text(waiting, "digest") : "")) {
		starts = vstate_number(waiting, "starts");
		if (!strcmp(h->boot, vstate_text(waiting, "boot") ? vstate_text(waiting, "boot") : ""))
			return OK;
		starts++;
	}
	if (starts >= TRIES)
		return update_failed(v, h, next, "the firmware does not try it: it ignores BootNext");
	if (json_object_set_new(s, "waiting", json_pack("{s:s, s:s, s:I}", "digest", next->digest, "boot", h->boot,
							"starts", (json_int_t)starts)))
		return ERR_MEMORY;
	return vstate_save(&v->state);
}

/* Does holdfast.efi have these bytes already? Then there is nothing to try. */
static int is_current(const struct loader_home *h, const struct loader_copy *next)
{
	struct loader_copy current;

	return !loader_look(&current, h, LOADER_CURRENT) && !strcmp(current.digest, next->digest);
}

/* A confirmation that was cut short, with all files in their places. */
static enum err update_none(struct volumed *v, const struct loader_home *h)
{
	const char *confirming = vstate_text(section(v), "confirming");
	enum err e = confirming ? good_note(v, h, confirming) : OK;

	if (!e)
		e = note(v, "confirming", NULL);
	return e ? e : loader_abandon(h);
}

static enum err update_care(struct volumed *v, const struct loader_home *h)
{
	struct loader_copy next;
	enum err e = loader_look(&next, h, LOADER_NEXT);

	if (e == ERR_NOT_FOUND)
		return update_none(v, h);
	if (e)
		return volumed_about(v, e, "next.efi");
	/* Started from next.efi is true for the whole start, and what lies there now may have come later. */
	if (next.sound && (noted(v, "confirming", next.digest) ||
			   (started_by(v, HANDOFF_LOADER_NEXT) && loader_is_of_before(h, &next))))
		return update_done(v, h, &next);
	if (is_current(h, &next))
		return loader_abandon(h);
	if (bootentry_is_next(h->place, BOOTENTRY_UPDATE, LOADER_NEXT))
		return update_waits(v, h, &next);
	if (loader_is_of_now(h))
		return OK;
	return update_failed(v, h, &next, "it was tried once, and the system did not come up with it");
}

/* ---- the current copy ---- */

static void mended_tell(struct volumed *v, enum loader_mended how)
{
	static const char *const from[] = {
		[LOADER_FROM_GOOD] = "a copy of the one that last started",
		[LOADER_FROM_PREVIOUS] = LOADER_PREVIOUS,
		[LOADER_FROM_REMOVABLE] = "BOOTX64.EFI",
		[LOADER_STAGED_INSTALLED] = "the installed copy, which is tried at the next start",
		[LOADER_BEYOND_REPAIR] = "nothing: there is no good copy",
	};

	if (how != LOADER_WHOLE && how != LOADER_WAITS)
		event_tell(v, "loader-repaired", json_pack("{s:s}", "from", from[how]));
}

/* The one that started is good, whatever was known before. 1: nothing is left to do. */
static int current_started(enum err *ret, struct volumed *v, const struct loader_home *h)
{
	struct loader_copy current;

	if (!started_by(v, HANDOFF_LOADER_CURRENT) || loader_look(&current, h, LOADER_CURRENT) || !current.sound)
		return 0;
	*ret = noted(v, "current_boot", h->boot) ? OK : good_note(v, h, current.digest);
	return 1;
}

/* One that did not start is looked at. What another loader starts, an administrator may have exchanged. */
static enum err current_care(struct volumed *v, const struct loader_home *h)
{
	const struct loader_known known = {
		.good = is_by_other(v) ? NULL : vstate_text(section(v), "current"),
		.failed = vstate_text(section(v), "failed"),
		.by = v->boot.known ? (enum handoff_loader)v->boot.loader : HANDOFF_LOADER_UNKNOWN,
	};
	enum loader_mended how = LOADER_WHOLE;
	enum err e = OK;

	if (current_started(&e, v, h))
		return e;
	e = loader_mend(&how, h, &known);
	if (e)
		return volumed_about(v, e, "repairing holdfast.efi");
	mended_tell(v, how);
	if (how == LOADER_WHOLE && started_by(v, HANDOFF_LOADER_PREVIOUS))
		event_tell(v, "loader-passed-over",
			   json_pack("{s:s}", "why", "holdfast.efi is unaltered, but the previous one was started: "
						     "chosen by somebody, or refused by the firmware"));
	return OK;
}

/* ---- all of it ---- */

enum err bootcare_run(struct volumed *v, const struct loader_home *h)
{
	LOADER_LOCK lock = -1;
	enum err e = section(v) ? OK : ERR_MEMORY, later;

	if (!e)
		e = volumed_about(v, loader_lock(&lock, h->place->folder), h->place->folder);
	if (!e)
		e = by_note(v);
	if (e)
		return e;
	/* None waits for another: a full partition is no reason to leave the entries lost. */
	e = update_care(v, h);
	later = current_care(v, h);
	e = e ? e : later;
	later = entries_care(v, h);
	return e ? e : later;
}

static void firmware_settle(struct volumed *v)
{
	char boot[LOADER_BOOT_ID_BYTES];
	struct bootentry_place place;
	const struct loader_home home = { .place = &place, .installed = LOADER_INSTALLED, .boot = boot };

	if (v->boot_cared)
		return;
	loader_boot_id(boot);
	if (!bootentry_place(&place, v->esp.efivars, v->esp.folder) && bootcare_run(v, &home))
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
	static const char *const loaders[HANDOFF_LOADER_COUNT] = { "another loader", "current", "update", "previous",
								   "BOOTX64.EFI" };
	char path[DURABLE_PATH_MAX];
	int waits = !durable_path(path, v->esp.folder, LOADER_NEXT) && !access(path, F_OK);

	const char *by = vstate_text(vstate_find(&v->state, "firmware"), "by");

	return json_pack("{s:s, s:s, s:s}", "started_by",
			 v->boot.known && v->boot.loader < HANDOFF_LOADER_COUNT ? loaders[v->boot.loader] : "?",
			 "update", waits ? "waiting for a restart" : "none",
			 "entries", by ? "left alone" : "looked after");
}
