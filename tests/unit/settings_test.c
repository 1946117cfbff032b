/* Settings of a policy: every kind, every bound, and what is said when one is out of bounds. */
#include "core_test.h"

#include <stdlib.h>

#include "common/settings_host.h"

static json_t *parse(const char *text)
{
	json_t *o = NULL;

	expect(text, OK, json_parse(&o, text, strlen(text)));
	return o;
}

static json_t *one(const char *name, json_t *value)
{
	json_t *o = json_object();

	assert_non_null(o);
	assert_int_equal(json_object_set_new(o, name, value), 0);
	return o;
}

/* Reads and, when it must fail, finds ret untouched and why saying both name and bound. */
static void reads(const char *what, const json_t *settings, const char *want_why)
{
	struct policy_settings s;
	char why[SETTING_WHY_BYTES] = "";

	memset(&s, 0xa5, sizeof(s));
	expect(what, want_why ? ERR_RANGE : OK, policy_read(&s, why, settings));
	if (!want_why) {
		policy_settings_drop(&s);
		return;
	}
	if (!untouched(&s, sizeof(s)))
		fail_msg("%s: something was written", what);
	if (!strstr(why, want_why))
		fail_msg("%s: \"%s\" does not say \"%s\"", what, why, want_why);
}

static void test_presets(void **state)
{
	POLICY_SETTINGS s = { 0 };
	char why[SETTING_WHY_BYTES];
	JSON *none = json_object();
	size_t count;
	const struct setting *table = settings_table(&count);

	(void)state;
	expect("nothing is said", OK, policy_read(&s, why, none));
	assert_int_equal(s.one_time_codes, 4);
	assert_int_equal(s.kdf_memory_kib, 65536);
	assert_int_equal(s.sync_interval_s, 3600);
	assert_int_equal(s.password_min_length, 8);
	assert_int_equal(s.failure_action, RULES_DELAY);
	assert_int_equal(s.failure_limit | s.contact_warn_days | s.contact_lock_days | s.password_days, 0);
	assert_int_equal(s.single_user | s.duress | s.beep | s.high_contrast | s.large_type, 0);
	assert_string_equal(s.organisation, "");
	assert_string_equal(s.banner, "");
	assert_string_equal(s.keyboard_layout, "");
	assert_null(s.logo);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(setting_find(table[i].name), &table[i]);
	assert_null(setting_find("unlock_everything"));
}

/* What a setting of this kind never is. */
static void wrong_kinds(const struct setting *known, const char *bounds)
{
	json_t *wrong[] = { json_null(), json_array(), json_object(), json_real(1.5),
			    known->kind == SETTING_FLAG ? json_integer(1) : json_true(),
			    known->kind == SETTING_NUMBER ? json_string("5") : json_integer(1) };

	for (size_t i = 0; i < COUNT(wrong); i++) {
		JSON *o = one(known->name, wrong[i]);

		reads(known->name, o, bounds);
	}
}

static void number_bounds(const struct setting *known, const char *bounds)
{
	const struct {
		json_int_t value;
		int fine;
	} rows[] = {
		{ (json_int_t)known->min - 1, 0 }, { known->min, 1 }, { known->preset, 1 },
		{ known->max, 1 }, { (json_int_t)known->max + 1, 0 }, { -1, 0 },
		{ (json_int_t)UINT32_MAX + 1 + known->min, 0 }, { INT64_MAX, 0 }, { INT64_MIN, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *o = one(known->name, json_integer(rows[i].value));

		reads(known->name, o, rows[i].fine ? NULL : bounds);
	}
}

static void test_every_bound(void **state)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char bounds[SETTING_BOUNDS_BYTES], want[SETTING_WHY_BYTES];

		setting_bounds(bounds, &table[i]);
		assert_true(strlen(bounds) > 3 && strlen(table[i].about) > 3);
		snprintf(want, sizeof(want), "%s: %s", table[i].name, bounds);
		wrong_kinds(&table[i], want);
		if (table[i].kind == SETTING_NUMBER)
			number_bounds(&table[i], want);
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "failure_limit", "0 to 1000" },
		{ "password_min_length", "1 to 64" },
		{ "failure_action", "delay, lock or kill" },
		{ "duress", "true or false" },
		{ "organisation", "one line of printable text, at most 63 bytes" },
		{ "banner", "lines of printable text, at most 1000 bytes" },
		{ "logo", "empty, or a picture of at most 320x96 pixels" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char bounds[SETTING_BOUNDS_BYTES];

		setting_bounds(bounds, setting_find(rows[i].name));
		assert_string_equal(bounds, rows[i].want);
	}
}

static void test_rows(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: fine */
	} rows[] = {
		{ "{\"one_time_codes\":16,\"sync_interval_s\":30}", NULL },
		{ "{\"one_time_codes\":4,\"sync_intervall_s\":60}", "sync_intervall_s: no such setting" },
		{ "{\"\":1}", ": no such setting" },
		{ "{\"failure_action\":\"lock\"}", NULL },
		{ "{\"failure_action\":\"kill\"}", "kill needs a failure_limit of 5 to 1000" },
		{ "{\"failure_action\":\"kill\",\"failure_limit\":4}", "kill needs a failure_limit of 5" },
		{ "{\"failure_action\":\"kill\",\"failure_limit\":5}", NULL },
		{ "{\"failure_action\":\"erase\",\"failure_limit\":5}", "delay, lock or kill" },
		{ "{\"failure_action\":\"\"}", "delay, lock or kill" },
		{ "{\"contact_warn_days\":7,\"contact_lock_days\":8}", NULL },
		{ "{\"contact_warn_days\":8,\"contact_lock_days\":8}", "less than contact_lock_days, which is 8" },
		{ "{\"contact_warn_days\":9,\"contact_lock_days\":8}", "contact_warn_days: less than" },
		{ "{\"contact_warn_days\":9,\"contact_lock_days\":0}", NULL },
		{ "{\"contact_warn_days\":0,\"contact_lock_days\":1}", NULL },
		{ "{\"duress\":true,\"beep\":false}", NULL },
		{ "{\"organisation\":\"\"}", NULL },
		{ "{\"organisation\":\"Gr\\u00fc\\u00dfe & S\\u00f6hne\"}", NULL },
		{ "{\"organisation\":\"two\\nlines\"}", "organisation: one line" },
		{ "{\"organisation\":\"\\u001b[2J\"}", "organisation: one line" },
		{ "{\"organisation\":\"left\\u202eright\"}", "organisation: one line" },
		{ "{\"banner\":\"If found:\\n+49 30 1234\\n\"}", NULL },
		{ "{\"banner\":\"a\\tb\"}", "banner: lines" },
		{ "{\"banner\":\"a\\rb\"}", "banner: lines" },
		{ "{\"keyboard_layout\":\"\"}", NULL },
		{ "{\"keyboard_layout\":\"us\"}", NULL },
		{ "{\"keyboard_layout\":\"de\"}", NULL },
		{ "{\"keyboard_layout\":\"klingon\"}", "keyboard_layout: empty" },
		{ "{\"keyboard_layout\":\"a name that is far too long\"}", "keyboard_layout: empty" },
		{ "{\"logo\":\"\"}", NULL },
		{ "{\"logo\":\"SEZMT0dPMDEBAAEAAQAAAAECA_8A\"}", NULL },
		{ "{\"logo\":\"SEZMT0dPMDEBAAEAAQAAAAECA_8B\"}", "logo: empty, or" }, /* index */
		{ "{\"logo\":\"SEZMT0dPMDEBAAEAAQAAAAECA_8\"}", "logo: empty, or" }, /* short */
		{ "{\"logo\":\"SEZMT0dPMDEBAAEAAQAAAAECA/8A\"}", "logo: empty, or" }, /* base64, no base64url */
		{ "{\"logo\":\"picture.png\"}", "logo: empty, or" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *o = parse(rows[i].text);

		reads(rows[i].text, o, rows[i].why);
	}
}

/* Every length from 0 to one more than fits. */
static void test_lengths(void **state)
{
	static const char *const names[] = { "organisation", "banner" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct setting *known = setting_find(names[i]);
		char *text = calloc(1, known->max + 2u);

		for (size_t len = 0; len <= known->max + 1u; len++) {
			JSON *o = one(names[i], json_string(text));

			reads(names[i], o, len > known->max ? "at most" : NULL);
			text[len] = 'x';
		}
		free(text);
	}
}

static json_t *logo_of(uint16_t width, uint16_t height, int more)
{
	size_t len = LOGO_HEAD_BYTES + 4 + (size_t)width * height;
	uint8_t *bytes = calloc(1, len + 1);
	TEXT *text = NULL;

	memcpy(bytes, "HFLOGO01", 8);
	bytes[8] = (uint8_t)width;
	bytes[9] = (uint8_t)(width >> 8);
	bytes[10] = (uint8_t)height;
	bytes[12] = 1;
	expect("base64", OK, b64_encode(&text, bytes, len + (size_t)more));
	free(bytes);
	return json_string(text);
}

static void test_logo_sizes(void **state)
{
	static const struct {
		uint16_t width, height;
		int more;
		const char *why;
	} rows[] = {
		{ LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, 0, NULL },
		{ LOGO_WIDTH_MAX, LOGO_HEIGHT_MAX, 1, "logo: empty, or" },
		{ LOGO_WIDTH_MAX + 1, 1, 0, "logo: empty, or" },
		{ 1, LOGO_HEIGHT_MAX + 1, 0, "logo: empty, or" },
		{ 0, 1, 0, "logo: empty, or" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		JSON *o = one("logo", logo_of(rows[i].width, rows[i].height, rows[i].more));

		reads("logo", o, rows[i].why);
	}
}

static void test_values_come_back(void **state)
{
	static const char text[] =
		"{\"failure_limit\": 10, \"failure_action\": \"kill\", \"duress\": true, "
		"\"banner\": \"a\\nb\", \"keyboard_layout\": \"us\", \"organisation\": \"Example\"}";
	POLICY_SETTINGS s = { 0 };
	char why[SETTING_WHY_BYTES];
	JSON *o = parse(text), *logo = one("logo", logo_of(2, 3, 0));
	const char *name;
	json_t *value;

	(void)state;
	assert_int_equal(json_object_update(o, logo), 0);
	expect("settings", OK, policy_read(&s, why, o));
	assert_int_equal(s.failure_action, RULES_KILL);
	assert_int_equal(s.logo_bytes, LOGO_HEAD_BYTES + 4 + 6);
	json_object_foreach(o, name, value) {
		JSON *got = setting_json(setting_find(name), &s);

		if (!strcmp(name, "logo"))
			assert_int_equal(json_integer_value(got), s.logo_bytes);
		else if (!json_equal(got, value))
			fail_msg("%s comes back as another value", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets), cmocka_unit_test(test_every_bound),
		cmocka_unit_test(test_words), cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_logo_sizes),
		cmocka_unit_test(test_values_come_back),
	};

	return RUN(tests);
}
