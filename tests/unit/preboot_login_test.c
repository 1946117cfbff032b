/* The prompt: nothing but a credential leads past it, whatever is typed; and it does not tell which
 * users there are. */
#include "core_test.h"

#include <stdlib.h>

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define MASHED 100000
#define MASHED_WITH_PANEL 1500

/* What hands, cats and broken keyboards produce: often what the prompt reacts to. */
static void mash(struct fake *f, unsigned keys)
{
	static const char often[] =
		"\b\b\t\x1b\x15\x12\x0b\x10\x0c\x14\x7f- abcANNAbcdefghjklnprstx1!'\"";
	static const uint16_t scans[] = {
		1, 2, 3, 4, 8, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x17,
	};

	for (unsigned i = 0; i < keys; i++) {
		uint16_t scan = 0, c = 0;
		uint32_t luck = fake_roll(f, 100),
			 shift = fake_roll(f, 4) ? 0 : fake_roll(f, 0x400);

		if (luck < 2)
			c = '\r';
		else if (luck < 60)
			c = (uint8_t)often[fake_roll(f, sizeof(often) - 1)];
		else if (luck < 75)
			scan = scans[fake_roll(f, COUNT(scans))];
		else if (luck < 80)
			scan = (uint16_t)fake_roll(f, 0x10000);
		else if (luck < 98)
			c = (uint16_t)fake_roll(f, fake_roll(f, 2) ? 0x10000 : 0x300);
		fake_press(f, (enum fake_device)fake_roll(f, FAKE_DEVICES), scan, c, shift,
			   (uint8_t)fake_roll(f, 8));
	}
}

static void edit_locked(struct store *s)
{
	store_lock(s);
}

static void edit_single(struct store *s)
{
	struct record *r;

	s->rules.head.flags = RULES_SINGLE_USER | RULES_BEEP;
	laptop_must(store_find_user(&r, s, LAPTOP_USER_2));
	laptop_must(store_remove(s, r->id));
}

static void mash_a_laptop(uint64_t seed, void (*edit)(struct store *), unsigned panel,
			  unsigned keys)
{
	struct laptop *l = laptop_new(seed, edit);

	l->f->panel_width = panel;
	l->f->panel_height = panel * 3 / 4;
	mash(l->f, keys);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_int_equal(fake_script_left(l->f), 0);
	assert_true(laptop_disk_whole(l));
	assert_true(l->f->kdfs > 0 || edit == edit_locked); /* nobody guesses a code */
	laptop_free(l);
}

static void mashed_keys_lead_nowhere(void **state)
{
	(void)state;
	mash_a_laptop(1, NULL, 0, MASHED / 2);
	mash_a_laptop(2, edit_locked, 0, MASHED / 4);
	mash_a_laptop(3, edit_single, 0, MASHED / 4);
	mash_a_laptop(4, NULL, 800, MASHED_WITH_PANEL);
}

/* What can be seen and timed of one try. */
struct sight {
	unsigned kdfs;
	size_t kdf_bytes;
	uint64_t ran_ms;
	char text[20000];
};

static void look(struct sight *ret, const char *user, const char *password)
{
	struct laptop *l = laptop_new(1, NULL);
	const char *text;

	l->f->panel_width = 0;
	laptop_type_password(l, user, password);
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	ret->kdfs = l->f->kdfs;
	ret->kdf_bytes = l->f->kdf_bytes;
	ret->ran_ms = l->f->ran_ms;
	text = strstr(fake_screen(l->f), "Password: ");
	assert_non_null(text);
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	laptop_free(l);
}

static void users_are_not_told_apart_from_nobody(void **state)
{
	static const char *const users[] = {
		LAPTOP_USER, LAPTOP_USER_2, "nobody", "ANNA", "annaanna", "ann", "\xc3\xa4", "",
	};
	static struct sight first, next;

	(void)state;
	look(&first, LAPTOP_USER, "wrong");
	assert_int_equal(first.kdfs, 1);
	for (size_t i = 1; i + 1 < COUNT(users); i++) {
		look(&next, users[i], "wrong");
		assert_int_equal(next.kdfs, first.kdfs);
		assert_int_equal(next.kdf_bytes, first.kdf_bytes);
		assert_string_equal(next.text, first.text);
		/* waiting at the end is in steps */
		assert_in_range(next.ran_ms, first.ran_ms - 60, first.ran_ms + 60);
	}
}

/* The most that fits, and one more: no password is cut and taken. */
static void lines_of_any_length(void **state)
{
	static const size_t lengths[] = { 62, 63, 64, 255, 256, 257, 1000 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct laptop *l = laptop_new(1, NULL);
		char *text = calloc(1, lengths[i] + 1);

		assert_non_null(text);
		memset(text, 'a', lengths[i]);
		laptop_type_password(l, text, text);
		assert_int_equal(fake_run(l->f), FAKE_WAITING);
		assert_true(fake_said(l->f, "[HF-201]"));
		assert_int_equal(fake_script_left(l->f), 0);
		free(text);
		laptop_free(l);
	}
}

static const char longest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
_Static_assert(sizeof(longest) - 1 == PASSWORD_BYTES_MAX, "the longest password");

static void edit_longest(struct store *s)
{
	SECRET struct secret password = { 0 };
	CREDENTIAL c = { 0 };
	SECRET struct secret old = { 0 };
	struct record *r;

	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	laptop_must(secret_copy(&old, LAPTOP_PASSWORD, strlen(LAPTOP_PASSWORD)));
	laptop_must(secret_copy(&password, longest, strlen(longest)));
	laptop_must(credential_open(&c, r, &old));
	laptop_must(credential_change(r, &c, &password, 1));
}

static void the_longest_password_opens(void **state)
{
	struct laptop *l = laptop_new(1, edit_longest);

	(void)state;
	laptop_type_password(l, LAPTOP_USER, longest);
	assert_int_equal(fake_run(l->f), FAKE_KERNEL);
	laptop_free(l);
}

/* Keys that are typed during the delay are thrown away: no guesses are saved up for its end. */
static void keys_typed_during_the_delay_are_lost(void **state)
{
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	laptop_type_password(l, LAPTOP_USER, "wrong");
	fake_await(l->f, "[HF-201]");
	fake_type(l->f, LAPTOP_USER "\r" LAPTOP_PASSWORD "\r");
	assert_int_equal(fake_run(l->f), FAKE_WAITING);
	assert_int_equal(fake_script_left(l->f), 0);
	assert_int_equal(l->f->kdfs, 1);
	laptop_free(l);
}

static void the_delay_grows_and_goes_on_over_restarts(void **state)
{
	static const unsigned delays_s[] = { 1, 2, 4, 8, 16, 30, 30 };
	struct laptop *l = laptop_new(1, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(delays_s); i++) {
		char text[40];

		fake_script_clear(l->f);
		laptop_type_password(l, LAPTOP_USER, "wrong");
		assert_int_equal(fake_run(l->f), FAKE_WAITING);
		snprintf(text, sizeof(text), "\rNext try in %u s.", delays_s[i]);
		assert_true(fake_said(l->f, text));
		snprintf(text, sizeof(text), "\rNext try in %u s.", delays_s[i] + 1);
		assert_false(fake_said(l->f, text));
	}
	laptop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mashed_keys_lead_nowhere),
		cmocka_unit_test(users_are_not_told_apart_from_nobody),
		cmocka_unit_test(lines_of_any_length),
		cmocka_unit_test(the_longest_password_opens),
		cmocka_unit_test(keys_typed_during_the_delay_are_lost),
		cmocka_unit_test(the_delay_grows_and_goes_on_over_restarts),
	};

	return RUN(tests);
}
