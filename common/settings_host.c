/* Settings of a policy. The table is what there is; everything else here follows its kinds. */
#include "settings_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credential.h"
#include "layout.h"
#include "text.h"

static const char *const actions[] = {
	[RULES_DELAY] = "delay", [RULES_LOCK] = "lock", [RULES_KILL] = "kill", NULL,
};

static const char *const credentials[] = {
	[SETTING_PASSWORD] = "password", [SETTING_TPM_PASSWORD] = "tpm-password",
	[SETTING_TPM_PIN] = "tpm-pin", NULL,
};

#define AT(name) offsetof(struct policy_settings, name)
#define NUMBER(name, min, max, preset, pre_boot, about) \
	{ #name, SETTING_NUMBER, AT(name), min, max, preset, pre_boot, NULL, about }
#define FLAG(name, about) { #name, SETTING_FLAG, AT(name), 0, 1, 0, 1, NULL, about }
#define TEXT_OF(kind, name, about) \
	{ #name, kind, AT(name), 0, sizeof(((struct policy_settings *)0)->name) - 1, 0, 1, NULL, about }

static const struct setting table[] = {
	NUMBER(one_time_codes, 2, 16, 4, 0, "codes kept ready for remote help"),
	NUMBER(kdf_memory_kib, KDF_PASSWORD_MEMORY_KIB_MIN, KDF_MEMORY_KIB_MAX,
	       KDF_PASSWORD_MEMORY_KIB, 0, "memory that a try at a password costs"),
	NUMBER(kdf_passes, KDF_PASSES_MIN, KDF_PASSES_MAX, KDF_PASSWORD_PASSES, 0,
	       "passes over that memory"),
	NUMBER(sync_interval_s, 30, 86400, 3600, 0, "how often laptops ask for the policy"),
	TEXT_OF(SETTING_TEXT, organisation, "name on the pre-boot screen"),
	TEXT_OF(SETTING_LINES, banner, "text on the pre-boot screen"),
	{ "logo", SETTING_LOGO, AT(logo), 0, LOGO_BYTES_MAX, 0, 1, NULL,
	  "picture on the pre-boot screen" },
	TEXT_OF(SETTING_LAYOUT, keyboard_layout, "keyboard layout at pre-boot"),
	NUMBER(failure_limit, 0, RULES_FAILURES_MAX, 0, 1,
	       "wrong answers in a row until failure_action; 0: never"),
	{ "failure_action", SETTING_CHOICE, AT(failure_action), 0, RULES_KILL, RULES_DELAY, 1, actions,
	  "what happens then" },
	NUMBER(contact_warn_days, 0, RULES_DAYS_MAX, 0, 1,
	       "days without the server until a warning; 0: never"),
	NUMBER(contact_lock_days, 0, RULES_DAYS_MAX, 0, 1,
	       "days without the server until a lock; 0: never"),
	NUMBER(password_days, 0, RULES_DAYS_MAX, 0, 1,
	       "days until a password must be changed; 0: never"),
	NUMBER(password_min_length, 1, RULES_PASSWORD_MIN_MAX, 8, 1,
	       "least characters of a new password"),
	{ "credential", SETTING_CHOICE, AT(credential), 0, SETTING_TPM_PIN, SETTING_PASSWORD, 0, credentials,
	  "what users sign in with, where there is a TPM" },
	{ "self_help", SETTING_FLAG, AT(self_help), 0, 1, 0, 0, NULL,
	  "users may enrol questions of their own; needs a TPM" },
	FLAG(single_user, "ask for the password only, while there is one user"),
	FLAG(duress, "a user may have a duress password, which erases the laptop"),
	FLAG(beep, "sounds at the pre-boot prompt"),
	FLAG(high_contrast, "black and white pre-boot screen"),
	FLAG(large_type, "large letters on the pre-boot screen"),
};
#define COUNT (sizeof(table) / sizeof(*table))

const struct setting *settings_table(size_t *ret_count)
{
	*ret_count = COUNT;
	return table;
}

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

void policy_settings_drop(struct policy_settings *s)
{
	free(s->logo);
	*s = (struct policy_settings){ 0 };
}

static void *member(struct policy_settings *s, const struct setting *known)
{
	return (char *)s + known->at;
}

static const void *member_of(const struct policy_settings *s, const struct setting *known)
{
	return (const char *)s + known->at;
}

static void choices_list(char ret[static SETTING_BOUNDS_BYTES], const char *const *choices)
{
	size_t len = 0;

	for (size_t i = 0; choices[i] && len < SETTING_BOUNDS_BYTES; i++) {
		const char *before = !i ? "" : choices[i + 1] ? ", " : " or ";

		len += (size_t)snprintf(ret + len, SETTING_BOUNDS_BYTES - len, "%s%s", before, choices[i]);
	}
}

void setting_bounds(char ret[static SETTING_BOUNDS_BYTES], const struct setting *known)
{
	switch (known->kind) {
	case SETTING_NUMBER:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES, "%u to %u", known->min, known->max);
		break;
	case SETTING_FLAG:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES, "true or false");
		break;
	case SETTING_CHOICE:
		choices_list(ret, known->choices);
		break;
	case SETTING_TEXT:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES, "one line of printable text, at most %u bytes",
			       known->max);
		break;
	case SETTING_LINES:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES, "lines of printable text, at most %u bytes",
			       known->max);
		break;
	case SETTING_LAYOUT:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES,
			       "empty (the laptop's own), or a keyboard layout such as us, de, fr");
		break;
	case SETTING_LOGO:
		(void)snprintf(ret, SETTING_BOUNDS_BYTES, "empty, or a picture of at most %dx%d pixels",
			       LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX);
		break;
	}
}

json_t *setting_json(const struct setting *known, const struct policy_settings *s)
{
	const void *at = member_of(s, known);
	const uint32_t *number = at;

	switch (known->kind) {
	case SETTING_NUMBER:
		return json_integer(*number);
	case SETTING_FLAG:
		return json_boolean(*number);
	case SETTING_CHOICE:
		return json_string(known->choices[*number]);
	case SETTING_LOGO:
		return json_integer(s->logo_bytes);
	default:
		return json_string(at);
	}
}

static enum err number_read(uint32_t *ret, const struct setting *known, const json_t *value)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < (json_int_t)known->min || n > (json_int_t)known->max)
		return ERR_RANGE;
	*ret = (uint32_t)n;
	return OK;
}

static enum err flag_read(uint32_t *ret, const json_t *value)
{
	if (!json_is_boolean(value))
		return ERR_RANGE;
	*ret = json_is_true(value);
	return OK;
}

static enum err choice_read(uint32_t *ret, const struct setting *known, const json_t *value)
{
	const char *text = json_string_value(value);

	for (uint32_t i = 0; text && known->choices[i]; i++) {
		if (strcmp(known->choices[i], text))
			continue;
		*ret = i;
		return OK;
	}
	return ERR_RANGE;
}

static int layout_is_known(const char *name)
{
	struct layout ignored;

	return !*name || !layouts_find(&ignored, NULL, layouts_builtin(), name);
}

/* A text is a field of the rules: what pre-boot would refuse must not be signed. */
static int text_is_fine(const struct setting *known, const char *text, size_t len)
{
	uint8_t field[RULES_BANNER_MAX + 1] = { 0 };

	if (len > known->max || len >= sizeof(field))
		return 0;
	memcpy(field, text, len);
	switch (known->kind) {
	case SETTING_LINES:
		return text_lines_valid(field, sizeof(field));
	case SETTING_LAYOUT:
		return layout_is_known(text);
	default:
		return text_valid(field, sizeof(field));
	}
}

static enum err text_read(char *ret, const struct setting *known, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != json_string_length(value) ||
	    !text_is_fine(known, text, strlen(text)))
		return ERR_RANGE;
	strcpy(ret, text);
	return OK;
}

static enum err logo_read(struct policy_settings *s, const json_t *value)
{
	const char *text = json_string_value(value);
	BLOB *bytes = NULL;
	struct logo logo;
	size_t len = 0;
	enum err e;

	if (!text || json_string_length(value) > LOGO_BYTES_MAX / 3 * 4 + 4)
		return ERR_RANGE;
	if (!*text)
		return OK;
	e = b64_decode(&bytes, &len, text, strlen(text));
	if (!e)
		e = logo_decode(&logo, bytes, len);
	if (e)
		return e == ERR_MEMORY ? e : ERR_RANGE;
	s->logo = bytes;
	s->logo_bytes = (uint32_t)len;
	bytes = NULL;
	return OK;
}

static enum err value_read(struct policy_settings *s, const struct setting *known, const json_t *value)
{
	switch (known->kind) {
	case SETTING_NUMBER:
		return number_read(member(s, known), known, value);
	case SETTING_FLAG:
		return flag_read(member(s, known), value);
	case SETTING_CHOICE:
		return choice_read(member(s, known), known, value);
	case SETTING_LOGO:
		return logo_read(s, value);
	default:
		return text_read(member(s, known), known, value);
	}
}

static enum err setting_read(struct policy_settings *s, char ret_why[static SETTING_WHY_BYTES],
			     const char *name, const json_t *value)
{
	const struct setting *known = setting_find(name);
	char bounds[SETTING_BOUNDS_BYTES] = "";
	enum err e = known ? value_read(s, known, value) : ERR_RANGE;

	if (known)
		setting_bounds(bounds, known);
	(void)snprintf(ret_why, SETTING_WHY_BYTES, "%.64s: %s", name,
		       known ? bounds : "no such setting");
	return e;
}

/* What no setting can say alone. */
static enum err together_check(char ret_why[static SETTING_WHY_BYTES], const struct policy_settings *s)
{
	if (s->failure_action == RULES_KILL && s->failure_limit < RULES_KILL_LIMIT_MIN) {
		(void)snprintf(ret_why, SETTING_WHY_BYTES,
			       "failure_action: kill needs a failure_limit of %d to %d",
			       RULES_KILL_LIMIT_MIN, RULES_FAILURES_MAX);
		return ERR_RANGE;
	}
	if (s->contact_warn_days && s->contact_lock_days &&
	    s->contact_warn_days >= s->contact_lock_days) {
		(void)snprintf(ret_why, SETTING_WHY_BYTES,
			       "contact_warn_days: less than contact_lock_days, which is %u",
			       s->contact_lock_days);
		return ERR_RANGE;
	}
	return OK;
}

static void presets(struct policy_settings *s)
{
	for (size_t i = 0; i < COUNT; i++) {
		uint32_t *number = member(s, &table[i]);

		if (table[i].kind <= SETTING_CHOICE)
			*number = table[i].preset;
	}
}

enum err policy_read(struct policy_settings *ret, char ret_why[static SETTING_WHY_BYTES],
		     const json_t *settings)
{
	POLICY_SETTINGS s = { 0 };
	/* jansson's iterators want an object that is not const; nothing is changed. */
	json_t *o = (json_t *)(uintptr_t)settings;
	enum err e = OK;

	presets(&s);
	for (void *i = json_object_iter(o); !e && i; i = json_object_iter_next(o, i))
		e = setting_read(&s, ret_why, json_object_iter_key(i), json_object_iter_value(i));
	if (!e)
		e = together_check(ret_why, &s);
	if (e)
		return e;
	*ret = s;
	memset(&s, 0, sizeof(s));
	return OK;
}
