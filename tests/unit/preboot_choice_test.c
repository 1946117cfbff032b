/* Choice: what was chosen at the prompt is there at the next start; what is senseless is as if nothing was chosen. */
#include "core_test.h"

#include <stdlib.h>

#include "preboot/choice.h"
#include "preboot_variables.h"

static struct rules sample(const char *layout, uint16_t flags)
{
	struct rules r = { .head.flags = flags };

	memcpy(r.head.layout, layout, strlen(layout));
	return r;
}

static void expect_choice(const char *why, const struct rules *r, const char *layout, int high_contrast, int large_type)
{
	struct choice c;

	memset(&c, 0xa5, sizeof(c));
	choice_load(&c, r);
	if (strcmp(c.layout, layout) || c.high_contrast != high_contrast || c.large_type != large_type)
		fail_msg("%s: layout '%s', contrast %d, size %d", why, c.layout, c.high_contrast, c.large_type);
}

static void rules_count_until_something_is_chosen(void **state)
{
	static const struct {
		const char *why, *layout;
		uint16_t flags;
		int high_contrast, large_type;
	} rows[] = {
		{ "nothing", "", 0, 0, 0 },
		{ "a layout", "de", 0, 0, 0 },
		{ "the longest", "us(altgr-intl)x", 0, 0, 0 },
		{ "contrast", "fr", RULES_HIGH_CONTRAST | RULES_BEEP, 1, 0 },
		{ "size", "fr", RULES_LARGE_TYPE, 0, 1 },
	};
	const struct choice chosen = { .layout = "cz(qwerty)", .high_contrast = 0, .large_type = 1 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct rules r = sample(rows[i].layout, rows[i].flags);

		variables_forget(state);
		expect_choice(rows[i].why, &r, rows[i].layout, rows[i].high_contrast, rows[i].large_type);
		choice_save(&chosen);
		expect_choice(rows[i].why, &r, "cz(qwerty)", 0, 1);
	}
}

static void choice_without_layout_leaves_the_rules_layout(void **state)
{
	const struct choice chosen = { .high_contrast = 1 };
	const struct rules r = sample("de", RULES_LARGE_TYPE);

	(void)state;
	choice_save(&chosen);
	expect_choice("contrast only", &r, "de", 1, 0);
}

static void saved_only_when_it_differs(void **state)
{
	struct choice c = { .layout = "de" };

	(void)state;
	for (int i = 0; i < 3; i++)
		choice_save(&c);
	assert_int_equal(writes, 1);
	c.high_contrast = 7; /* true is true */
	choice_save(&c);
	c.high_contrast = 1;
	choice_save(&c);
	assert_int_equal(writes, 2);
	write_fault = ERR_MEMORY;
	c.large_type = 1;
	choice_save(&c);
	write_fault = OK;
	choice_save(&c);
	assert_int_equal(writes, 3);
}

static void senseless_choice_is_not_kept(void **state)
{
	static const char *const layouts[] = { "de\n", "DE", "../x", "d e", "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < COUNT(layouts); i++) {
		const struct rules r = sample(layouts[i], 0);
		struct choice c = { 0 };

		strcpy(c.layout, layouts[i]);
		choice_save(&c);
		assert_int_equal(writes, 0);
		expect_choice(layouts[i], &r, "", 0, 0);
	}
}

static void variable_that_is_not_ours(void **state)
{
	static const struct damage rows[] = {
		{ "as it was", 0, "\1", 1, OK },
		{ "version 0", 0, "\0", 1, ERR_FORMAT },
		{ "version 2", 0, "\2", 1, ERR_FORMAT },
		{ "more contrast than there is", 2, "\2", 1, ERR_FORMAT },
		{ "larger than large", 3, "\2", 1, ERR_FORMAT },
		{ "a control character", 5, "\a", 1, ERR_FORMAT },
		{ "something behind the name", 12, "x", 1, ERR_FORMAT },
		{ "no end", 4, "aaaaaaaaaaaaaaaa", 16, ERR_FORMAT },
		{ "another name", 4, "fr", 2, OK },
	};
	const struct choice chosen = { .layout = "cz", .large_type = 1 };
	const struct rules r = sample("de", 0);
	uint8_t ours[VARIABLE_BYTES_MAX];

	(void)state;
	choice_save(&chosen);
	assert_int_equal(kept_find(VARIABLE_CHOICE)->len, 20);
	memcpy(ours, kept_find(VARIABLE_CHOICE)->bytes, sizeof(ours));
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[20];

		memcpy(bytes, ours, sizeof(bytes));
		damage_apply(bytes, &rows[i]);
		kept_put(VARIABLE_CHOICE, bytes, sizeof(bytes));
		if (rows[i].want)
			expect_choice(rows[i].why, &r, "de", 0, 0);
		else
			expect_choice(rows[i].why, &r, rows[i].at == 4 ? "fr" : "cz", 0, 1);
	}
	for (size_t len = 0; len <= sizeof(ours); len++) {
		kept_put(VARIABLE_CHOICE, ours, len);
		expect_choice("another length", &r, len == 20 ? "cz" : "de", 0, len == 20);
	}
	srand(1);
	for (int i = 0; i < 100000; i++) {
		uint8_t bytes[20] = { 1 };
		struct choice c;

		for (size_t at = 2; at < sizeof(bytes); at++)
			bytes[at] = (uint8_t)(at < 4 ? rand() % 3 : rand() % 3 ? rand() % 26 + 'a' : rand() % 2 ? 0 : rand());
		kept_put(VARIABLE_CHOICE, bytes, sizeof(bytes));
		choice_load(&c, &r);
		assert_true(strnlen(c.layout, sizeof(c.layout)) < sizeof(c.layout));
	}
}

#define TEST(function) cmocka_unit_test_setup(function, variables_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rules_count_until_something_is_chosen),
		TEST(choice_without_layout_leaves_the_rules_layout),
		TEST(saved_only_when_it_differs),
		TEST(senseless_choice_is_not_kept),
		TEST(variable_that_is_not_ours),
	};

	return RUN(tests);
}
