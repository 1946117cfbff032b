/* Ruleset: whatever policy_read lets through, the store's rules can hold and give back. */
#include "core_test.h"

#include <stdlib.h>

#include "agent/keyboard_conf.h"
#include "agent/volumed/ruleset.h"

static uint8_t bytes[RULES_BYTES_MAX];

static json_t *longest_text(const struct setting *known)
{
	char text[RULES_BANNER_MAX + 1] = { 0 };

	memset(text, 'x', known->max);
	return json_string(text);
}

/* The largest value of each kind. */
static json_t *extreme(const struct setting *known, int largest)
{
	switch (known->kind) {
	case SETTING_NUMBER:
		return json_integer(largest ? known->max : known->min);
	case SETTING_FLAG:
		return json_boolean(largest);
	case SETTING_CHOICE:
		return json_string(known->choices[largest ? known->max : 0]);
	case SETTING_LAYOUT:
		return json_string(largest ? "us" : "");
	case SETTING_LOGO:
		return json_string(largest ? "SEZMT0dPMDEBAAEAAQAAAAECA_8A" : "");
	default:
		return largest ? longest_text(known) : json_string("");
	}
}

static json_t *extremes(int largest)
{
	json_t *o = json_object();
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(json_object_set_new(o, table[i].name, extreme(&table[i], largest)), 0);
	/* by itself it would contradict contact_lock_days */
	json_object_set_new(o, "contact_warn_days", json_integer(largest ? 3649 : 0));
	return o;
}

static void make(struct rules *ret, const char *what, int largest)
{
	POLICY_SETTINGS s = { 0 };
	char why[SETTING_WHY_BYTES] = "";
	JSON *o = extremes(largest);

	expect(what, OK, policy_read(&s, why, o));
	expect(what, OK, ruleset_make(ret, &s, "de", RULES_CONTACT_MAX));
}

static void test_extremes(void **state)
{
	(void)state;
	for (int largest = 0; largest < 2; largest++) {
		RULES r = { 0 }, again = { 0 };
		size_t len = 0;

		make(&r, largest ? "largest" : "smallest", largest);
		expect("encode", OK, rules_encode(bytes, &len, &r));
		expect("decode", OK, rules_decode(&again, bytes, len));
		assert_int_equal(again.head.flags, largest ? RULES_FLAGS : 0);
		assert_int_equal(again.head.failure_limit, largest ? 1000 : 0);
		assert_int_equal(again.head.failure_action, largest ? RULES_KILL : RULES_DELAY);
		assert_int_equal(again.head.password_min, largest ? 64 : 1);
		assert_int_equal(again.head.contact_lock_days, largest ? 3650 : 0);
		assert_int_equal(strlen((char *)again.banner), largest ? RULES_BANNER_MAX : 0);
		assert_int_equal(strlen((char *)again.head.organisation),
				 largest ? RULES_ORGANISATION_MAX : 0);
		assert_string_equal(again.head.layout, largest ? "us" : "de");
		assert_int_equal(again.head.logo_bytes, largest ? 21 : 0);
	}
}

static void test_preset(void **state)
{
	RULES r = { 0 };
	size_t len = 0;

	(void)state;
	expect("presets", OK, ruleset_preset(&r, KEYBOARD_CONF_ETC));
	expect("encode", OK, rules_encode(bytes, &len, &r));
	assert_int_equal(r.head.password_min, 8);
	assert_int_equal(r.head.flags | r.head.failure_limit | r.head.contact_lock_days, 0);
	assert_int_not_equal(r.head.layout[0], 0);
}

static void keyboard_is(const char *folder, const char *layout)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/vconsole.conf", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "XKBLAYOUT=%s\n", layout);
	fclose(f);
}

static void test_keyboard_changed(void **state)
{
	char folder[] = "/tmp/ruleset-XXXXXX", command[64];
	struct volumed v = { .options = { .etc = folder } };

	(void)state;
	assert_non_null(mkdtemp(folder));
	keyboard_is(folder, "de");
	keyboard_conf_read(&v.keyboard, folder);
	assert_string_equal(v.keyboard.layout, "de");
	assert_false(ruleset_keyboard_changed(&v));
	keyboard_is(folder, "fr");
	assert_true(ruleset_keyboard_changed(&v));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extremes), cmocka_unit_test(test_preset),
		cmocka_unit_test(test_keyboard_changed),
	};

	return RUN(tests);
}
