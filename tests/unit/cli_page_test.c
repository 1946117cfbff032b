/* What people read in `holdfast status`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/cli/page.h"
#include "common/json_host.h"

#define NOW 1000000

static json_t *parse(const char *text)
{
	json_t *o = NULL;

	if (json_parse(&o, text, strlen(text)))
		fail_msg("not JSON: %s", text);
	return o;
}

static char *page_of(const char *text)
{
	char *page = NULL;
	size_t len;
	FILE *to = open_memstream(&page, &len);
	JSON *o = parse(text);

	page_print(to, o, NOW);
	fclose(to);
	return page;
}

static void test_headlines(void **state)
{
	static const struct {
		const char *json, *want;
		int enforced;
	} rows[] = {
		{ "{}", "UNKNOWN", 0 },
		{ "{\"problem\":\"holdfast-volumed is busy\"}", "UNKNOWN: holdfast-volumed is busy", 0 },
		{ "{\"enrolled\":false,\"policy\":{\"version\":0,\"state\":\"none\"}}", "NOT MANAGED", 0 },
		{ "{\"enrolled\":true,\"policy\":{\"version\":3,\"state\":\"enforced\"}}",
		  "PROTECTED: policy version 3 is enforced", 1 },
		{ "{\"enrolled\":true,\"policy\":{\"version\":3,\"state\":\"waiting for a receipt\"}}",
		  "NOT YET ENFORCED: policy version 3, waiting for a receipt", 0 },
		{ "{\"enrolled\":true,\"locked\":true,\"policy\":{\"version\":3,\"state\":\"enforced\"}}",
		  "LOCKED", 0 },
		{ "{\"enrolled\":true,\"locked\":true,\"locked_by\":\"organisation\",\"policy\":{\"version\":3}}",
		  "LOCKED by the organisation: the next start", 0 },
		{ "{\"enrolled\":true,\"locked\":true,\"locked_by\":\"pre-boot\",\"policy\":{\"version\":3}}",
		  "LOCKED by pre-boot (wrong answers, or too long without the server): the next start", 0 },
		{ "{\"enrolled\":true,\"killed\":true,\"policy\":{\"version\":3,\"state\":\"enforced\"}}",
		  "ERASED", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		JSON *o = parse(rows[i].json);
		char line[384];

		page_headline(line, sizeof(line), o);
		if (strncmp(line, rows[i].want, strlen(rows[i].want)))
			fail_msg("%s\ngave: %s", rows[i].json, line);
		assert_int_equal(page_is_enforced(o), rows[i].enforced);
	}
}

static void assert_says(const char *page, const char *words)
{
	if (!strstr(page, words))
		fail_msg("the page does not say \"%s\":\n%s", words, page);
}

static void test_page_says_what_is_waited_for(void **state)
{
	char *page = page_of("{\"enrolled\":true,\"device\":\"00\",\"name\":\"laptop\",\"tag\":\"aabbccdd\","
			     "\"policy\":{\"version\":1,\"state\":\"waiting for the receipt\"},"
			     "\"waiting\":[{\"for\":\"the receipt\",\"since\":999400,\"do\":\"nothing\"}],"
			     "\"volumes\":[{\"name\":\"root\",\"unlock\":true,\"header\":\"as vouched\","
			     "\"foreign_keyslots\":1}],"
			     "\"network\":{\"server\":\"https://s\",\"session\":\"user\",\"channel\":\"long-poll\","
			     "\"last_contact\":999995,\"problem\":\"cannot be reached\",\"problem_since\":990000,"
			     "\"next_try\":1000030,\"queue\":{\"escrow\":1,\"events\":2,\"kept_back\":0}}}");

	(void)state;
	assert_true(page == strstr(page, "NOT YET ENFORCED"));
	assert_says(page, "the receipt (for 10 min)");
	assert_says(page, "to do: nothing");
	assert_says(page, "Problem: cannot be reached");
	assert_says(page, "next try in 30 s");
	assert_says(page, "1 keyslot(s) that are not Holdfast's");
	assert_says(page, "last contact 5 s ago");
	assert_says(page, "1 escrow records and 2 events wait");
	free(page);
}

static void test_page_of_pre_boot(void **state)
{
	static const struct {
		const char *json, *says;
	} rows[] = {
		{ "{\"booted_by\":{\"user\":\"anna\",\"method\":\"password\",\"password_expires\":1864000}}",
		  "Password   of anna has to be changed in 10 days" },
		{ "{\"booted_by\":{\"user\":\"anna\",\"method\":\"password\",\"password_expires\":999999}}",
		  "Password   of anna has to be changed at the next start" },
		{ "{\"keyboard_layout\":\"de\"}", "Keyboard   de, before the start" },
		{ "{\"contact\":{\"last\":740800,\"days\":3,\"warn_days\":2,\"lock_days\":30},"
		  "\"network\":{\"server\":\"https://s\"}}",
		  "Contact    server's signed time: 3 days ago; without the server it locks after 30 days" },
		{ "{\"loader\":{\"started_by\":\"previous\",\"update\":\"none\",\"entries\":\"looked after\"}}",
		  "Loader     started by: previous, update: none, boot entries: looked after" },
		{ "{\"contact\":{\"last\":null,\"lock_days\":30}}", "server's signed time: none yet; without" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *page = page_of(rows[i].json);

		assert_says(page, rows[i].says);
		free(page);
	}
}

static void test_no_control_characters(void **state)
{
	char *page = page_of("{\"problem\":\"a\\u001b[2Jb\",\"network\":{\"problem\":\"c\\u0007d\"},"
			     "\"waiting\":[{\"for\":\"x\\u001by\",\"do\":\"z\"}]}");

	(void)state;
	for (const char *p = page; *p; p++)
		if ((unsigned char)*p < ' ' && *p != '\n')
			fail_msg("control character %d", *p);
	free(page);
}

static void test_wrong_types_do_no_harm(void **state)
{
	static const char *const rows[] = {
		"[]", "{}", "{\"policy\":1,\"network\":2,\"waiting\":3,\"volumes\":4}",
		"{\"policy\":{},\"network\":{\"queue\":[]},\"waiting\":[1,{}],\"volumes\":[null]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		free(page_of(rows[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headlines),
		cmocka_unit_test(test_page_says_what_is_waited_for),
		cmocka_unit_test(test_page_of_pre_boot),
		cmocka_unit_test(test_no_control_characters),
		cmocka_unit_test(test_wrong_types_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
