/* Settings of a policy: names, kinds and bounds in one table; read from the JSON object that an officer
 * signed. holdfast-ctl asks the table for its help and before it signs, the vault before it stores, volumed
 * before it enforces. What each does: docs/policy.md. */
#ifndef HOLDFAST_SETTINGS_HOST_H
#define HOLDFAST_SETTINGS_HOST_H

#include "json_host.h"
#include "rules.h"

enum setting_kind {
	SETTING_NUMBER, /* JSON integer, min to max */
	SETTING_FLAG,   /* true or false */
	SETTING_CHOICE, /* one of choices */
	SETTING_TEXT,   /* UTF-8 that is safe to show (text.h), at most max bytes */
	SETTING_LINES,  /* the same, lines ended by "\n" */
	SETTING_LAYOUT, /* a built-in keyboard layout (layout.h), or "": the laptop's own */
	SETTING_LOGO,   /* base64url of an encoded logo (logo.h), or "" */
};

/* Values of the setting `credential`: what a new password becomes where there is a TPM. */
enum setting_credential { SETTING_PASSWORD, SETTING_TPM_PASSWORD, SETTING_TPM_PIN };

struct policy_settings {
	uint32_t one_time_codes, kdf_memory_kib, kdf_passes, sync_interval_s;
	uint32_t failure_limit, failure_action; /* enum rules_action */
	uint32_t contact_warn_days, contact_lock_days;
	uint32_t password_days, password_min_length;
	uint32_t credential; /* enum setting_credential */
	uint32_t self_help;
	uint32_t single_user, duress, beep, high_contrast, large_type;
	char keyboard_layout[RULES_LAYOUT_MAX + 1];
	char organisation[RULES_ORGANISATION_MAX + 1];
	char banner[RULES_BANNER_MAX + 1];
	uint8_t *logo; /* malloc'ed, logo_bytes; or NULL */
	uint32_t logo_bytes;
};
void policy_settings_drop(struct policy_settings *s);
#define POLICY_SETTINGS __attribute__((cleanup(policy_settings_drop))) struct policy_settings

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t at;                  /* of its member in struct policy_settings */
	uint32_t min, max;          /* max: bytes, for texts */
	uint32_t preset;            /* texts: always "" */
	int is_pre_boot;            /* goes into the store's rules (rules.h) */
	const char *const *choices; /* NULL-ended; by number */
	const char *about;          /* a few words */
};

/* The table, *ret_count of them. */
const struct setting *settings_table(size_t *ret_count);
/* NULL when there is none of this name. */
const struct setting *setting_find(const char *name);

/* What it may be: "0 to 1000", "delay, lock or kill". */
#define SETTING_BOUNDS_BYTES 96
void setting_bounds(char ret[static SETTING_BOUNDS_BYTES], const struct setting *known);

/* Its value, as the policy has it; of a logo its size in bytes. NULL: no memory. */
json_t *setting_json(const struct setting *known, const struct policy_settings *s);

/* Read settings; what is not named is preset. On ERR_RANGE ret_why says which setting and what it may be.
 * Errors: ERR_RANGE (an unknown name, too), ERR_MEMORY. */
#define SETTING_WHY_BYTES 192
MUST_CHECK enum err policy_read(struct policy_settings *ret, char ret_why[static SETTING_WHY_BYTES],
				const json_t *settings);

#endif
