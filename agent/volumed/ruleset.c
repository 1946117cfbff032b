#include "agent/volumed/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "agent/volumed/enforce.h"
#include "agent/volumed/servertime.h"
#include "common/text.h"

#define HOUR_S 3600
#define CONTACT_STEP_S (6 * HOUR_S)

static uint16_t flags_of(const struct policy_settings *s)
{
	const struct {
		uint32_t set;
		uint16_t flag;
	} all[] = {
		{ s->single_user, RULES_SINGLE_USER }, { s->duress, RULES_DURESS },
		{ s->beep, RULES_BEEP }, { s->high_contrast, RULES_HIGH_CONTRAST },
		{ s->large_type, RULES_LARGE_TYPE },
	};
	uint16_t flags = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].set)
			flags |= all[i].flag;
	return flags;
}

/* Texts and figures fit: policy_read has held them against the same bounds. */
enum err ruleset_make(struct rules *ret, const struct policy_settings *s, const char *own_layout,
		      uint64_t last_contact)
{
	const char *layout = *s->keyboard_layout ? s->keyboard_layout : own_layout;
	RULES r = { 0 };

	rules_default(&r);
	r.head.flags = flags_of(s);
	r.head.failure_limit = (uint16_t)s->failure_limit;
	r.head.failure_action = (uint8_t)s->failure_action;
	r.head.password_min = (uint8_t)s->password_min_length;
	r.head.contact_warn_days = (uint16_t)s->contact_warn_days;
	r.head.contact_lock_days = (uint16_t)s->contact_lock_days;
	r.head.password_days = (uint16_t)s->password_days;
	r.head.last_contact = last_contact;
	if (!text_set(r.head.layout, sizeof(r.head.layout), layout) ||
	    !text_set(r.head.organisation, sizeof(r.head.organisation), s->organisation) ||
	    !text_set(r.banner, sizeof(r.banner), s->banner))
		return ERR_RANGE;
	if (s->logo_bytes) {
		r.logo = malloc(s->logo_bytes);
		if (!r.logo)
			return ERR_MEMORY;
		memcpy(r.logo, s->logo, s->logo_bytes);
		r.head.logo_bytes = s->logo_bytes;
	}
	*ret = r;
	memset(&r, 0, sizeof(r));
	return OK;
}

enum err ruleset_preset(struct rules *ret, const char *etc)
{
	struct keyboard_conf keyboard;
	char why[SETTING_WHY_BYTES];
	POLICY_SETTINGS presets = { 0 };
	JSON *none = json_object();
	enum err e = none ? policy_read(&presets, why, none) : ERR_MEMORY;

	keyboard_conf_read(&keyboard, etc);
	return e ? e : ruleset_make(ret, &presets, keyboard.layout, 0);
}

static enum err wanted(struct rules *ret, const struct volumed *v, const struct rules *present)
{
	uint64_t contact = servertime_known(v);
	struct keyboard_conf keyboard;
	POLICY_SETTINGS settings = { 0 };

	if (contact < present->head.last_contact)
		contact = present->head.last_contact;
	enforce_settings(&settings, v);
	keyboard_conf_read(&keyboard, v->options.etc);
	return ruleset_make(ret, &settings, keyboard.layout, contact);
}

/* A twenty-fourth of the shortest rule that counts days, so that a rule of one day is not misled by hours. */
static uint64_t contact_step(const struct rules_head *h)
{
	uint64_t step = CONTACT_STEP_S;

	if (h->contact_lock_days && h->contact_lock_days * HOUR_S < step)
		step = h->contact_lock_days * HOUR_S;
	if (h->contact_warn_days && h->contact_warn_days * HOUR_S < step)
		step = h->contact_warn_days * HOUR_S;
	return step;
}

/* The same to pre-boot, but for the time of the last contact? Errors: ERR_RANGE, ERR_MEMORY. */
static enum err same(int *ret, const struct rules *have, const struct rules *want)
{
	struct rules timeless = *want; /* borrows the logo */
	BLOB *a = malloc(RULES_BYTES_MAX), *b = malloc(RULES_BYTES_MAX);
	size_t a_len = 0, b_len = 0;
	enum err e = a && b ? OK : ERR_MEMORY;

	timeless.head.last_contact = have->head.last_contact;
	if (!e)
		e = rules_encode(a, &a_len, have);
	if (!e)
		e = rules_encode(b, &b_len, &timeless);
	if (!e)
		*ret = a_len == b_len && !memcmp(a, b, a_len);
	return e;
}

static int contact_is_due(const struct rules *have, const struct rules *want)
{
	uint64_t newer = want->head.last_contact - have->head.last_contact;

	return newer >= contact_step(&want->head) || (newer && !have->head.last_contact);
}

static enum err compare(struct rules *ret_wanted, int *ret_same, int *ret_due,
			const struct volumed *v, const struct rules *have)
{
	RULES want = { 0 };
	enum err e = wanted(&want, v, have);

	if (!e)
		e = same(ret_same, have, &want);
	if (e)
		return e;
	*ret_due = contact_is_due(have, &want);
	*ret_wanted = want;
	memset(&want, 0, sizeof(want));
	return OK;
}

enum err ruleset_settle(struct volumed *v, struct unlocked *u)
{
	int is_same = 0, is_due = 0;
	RULES want = { 0 };
	enum err e = compare(&want, &is_same, &is_due, v, &u->store.rules);

	keyboard_conf_read(&v->keyboard, v->options.etc);
	if (e)
		return volumed_about(v, e, "the settings for pre-boot");
	if (is_same && !is_due)
		return OK;
	rules_drop(&u->store.rules);
	u->store.rules = want;
	memset(&want, 0, sizeof(want));
	return unlocked_save(u, v, 0);
}

int ruleset_is_due(const struct volumed *v)
{
	struct espstore_found found;
	int is_same = 0, is_due = 0;
	RULES want = { 0 };
	STORE s = { 0 };

	return !espstore_load(&s, &found, &v->esp) &&
	       !compare(&want, &is_same, &is_due, v, &s.rules) && (!is_same || is_due);
}

int ruleset_keyboard_changed(const struct volumed *v)
{
	struct keyboard_conf now;

	keyboard_conf_read(&now, v->options.etc);
	return strcmp(now.layout, v->keyboard.layout) != 0;
}

int ruleset_holds(const struct volumed *v, const struct store *s)
{
	int is_same = 0, is_due = 0;
	RULES want = { 0 };

	return !compare(&want, &is_same, &is_due, v, &s->rules) && is_same;
}
