/* Officer's keys: what opens them, and above all what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json_host.h"
#include "server/ctl/file.h"
#include "server/ctl/officer.h"
#include "server/ctl/profile.h"
#include "server/ctl/root.h"

static char dir[] = "/tmp/holdfast-ctl-XXXXXX";

static const struct officer_kdf cheap = { .memory_kib = 32768, .passes = 1 };

static struct secret secret_of(const char *text)
{
	struct secret s = { 0 };

	assert_int_equal(secret_copy(&s, text, strlen(text)), OK);
	return s;
}

static void derive(struct officer_branches *ret, const char *passphrase, const char *name)
{
	SECRET struct secret p = secret_of(passphrase), key = { 0 };

	assert_int_equal(officer_key_file_read(&key, dir, name), OK);
	assert_int_equal(officer_derive(ret, &p, &key, &cheap), OK);
}

static void keys_need_passphrase_and_key_file(void **state)
{
	BRANCHES right = { 0 }, wrong_passphrase = { 0 }, wrong_file = { 0 };
	OFFICER_KEYS keys = { 0 }, opened = { 0 };
	TEXT *jwe = NULL;

	(void)state;
	assert_int_equal(officer_key_file_new(dir, "ann"), OK);
	assert_int_equal(officer_key_file_new(dir, "bob"), OK);
	derive(&right, "correct horse", "ann");
	derive(&wrong_passphrase, "correct hors", "ann");
	derive(&wrong_file, "correct horse", "bob");
	officer_keys_new(&keys);
	assert_int_equal(officer_keys_wrap(&jwe, &keys, &right), OK);
	assert_int_equal(officer_keys_unwrap(&opened, jwe, &wrong_passphrase), ERR_AUTH);
	assert_int_equal(officer_keys_unwrap(&opened, jwe, &wrong_file), ERR_AUTH);
	assert_true(sodium_is_zero((const uint8_t *)&opened, sizeof opened));
	assert_int_equal(officer_keys_unwrap(&opened, jwe, &right), OK);
	assert_memory_equal(&opened, &keys, sizeof keys);
}

static void branches_are_independent(void **state)
{
	BRANCHES b = { 0 };

	(void)state;
	derive(&b, "correct horse", "ann");
	assert_memory_not_equal(b.sign_in.seed, b.wrapping, KEY_BYTES);
	assert_memory_not_equal(b.wrapping, b.root_wrapping, KEY_BYTES);
	assert_memory_not_equal(b.sign_in.seed, b.root_wrapping, KEY_BYTES);
}

static void server_cannot_ask_for_a_cheap_kdf(void **state)
{
	static const struct officer_kdf bad[] = {
		{ .memory_kib = 8, .passes = 1 },
		{ .memory_kib = 32767, .passes = 1 },
		{ .memory_kib = 32768, .passes = 0 },
		{ .memory_kib = 32768, .passes = 17 },
		{ .memory_kib = UINT32_MAX, .passes = 1 },
	};
	SECRET struct secret p = secret_of("correct horse"), key = { 0 };
	BRANCHES b = { 0 };

	(void)state;
	assert_int_equal(officer_key_file_read(&key, dir, "ann"), OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(officer_derive(&b, &p, &key, &bad[i]), ERR_RANGE);
	assert_true(sodium_is_zero((const uint8_t *)&b, sizeof b));
}

static void key_file_is_never_overwritten(void **state)
{
	char name[OFFICER_NAME_MAX + 1];

	(void)state;
	assert_int_equal(officer_key_file_new(dir, "ann"), ERR_EXISTS);
	assert_int_equal(officer_key_file_find(name, dir), ERR_RANGE);
	assert_int_equal(officer_key_file_find(name, "/nowhere"), ERR_NOT_FOUND);
}

static void key_file_damage_is_told(void **state)
{
	SECRET struct secret key = { 0 };

	(void)state;
	assert_int_equal(file_write(dir, "eve.officer-key", "not a key\n", 10, 0), OK);
	assert_int_equal(officer_key_file_read(&key, dir, "eve"), ERR_FORMAT);
	assert_int_equal(officer_key_file_read(&key, dir, "zoe"), ERR_NOT_FOUND);
	assert_null(key.bytes);
}

static void officer_names(void **state)
{
	char longest[OFFICER_NAME_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof longest);
	longest[OFFICER_NAME_MAX + 1] = '\0';
	assert_true(officer_name_valid("ann-2.b_c"));
	assert_false(officer_name_valid(""));
	assert_false(officer_name_valid(".."));
	assert_false(officer_name_valid("a/b"));
	assert_false(officer_name_valid("Ann"));
	assert_false(officer_name_valid(longest));
	assert_true(officer_name_valid(longest + 1));
}

static void root_comes_back_from_folder_and_sheet(void **state)
{
	BRANCHES right = { 0 }, wrong = { 0 };
	SIGN_SK root = { 0 }, read = { 0 }, from_sheet = { 0 };
	char sheet[64];
	size_t group = 0;

	(void)state;
	snprintf(sheet, sizeof sheet, "%s/sheet.txt", dir);
	sign_sk_new(&root);
	derive(&right, "correct horse", "ann");
	derive(&wrong, "correct horse", "bob");
	assert_int_equal(root_read(&read, dir, &right), ERR_NOT_FOUND);
	assert_int_equal(root_write(&root, dir, &right), OK);
	assert_int_equal(root_write(&root, dir, &right), ERR_EXISTS);
	assert_int_equal(root_read(&read, dir, &wrong), ERR_AUTH);
	assert_int_equal(root_read(&read, dir, &right), OK);
	assert_memory_equal(&read, &root, sizeof root);
	assert_int_equal(root_sheet_write(&root, sheet, "00112233445566778899aabbccddeeff"), OK);
	assert_int_equal(root_sheet_read(&from_sheet, &group, sheet), OK);
	assert_memory_equal(&from_sheet, &root, sizeof root);
}

static void mistyped_sheet_names_its_group(void **state)
{
	SIGN_SK root = { 0 }, read = { 0 };
	char sheet[64];
	SECRET struct secret text = { 0 };
	char *code;
	size_t group = 0;

	(void)state;
	snprintf(sheet, sizeof sheet, "%s/mistyped.txt", dir);
	sign_sk_new(&root);
	assert_int_equal(root_sheet_write(&root, sheet, "00112233445566778899aabbccddeeff"), OK);
	assert_int_equal(file_read(&text, NULL, sheet), OK);
	code = strstr((char *)text.bytes, "Code: ") + 6;
	code[2 * 6] = code[2 * 6] == 'B' ? 'C' : 'B'; /* a letter of the third group */
	assert_int_equal(file_write(NULL, sheet, text.bytes, text.len - 1, 1), OK);
	assert_int_equal(root_sheet_read(&read, &group, sheet), ERR_FORMAT);
	assert_int_equal(group, 3);
}

static void claims(void **state)
{
	static const struct { const char *why, *text; } bad[] = {
		{ "empty", "" },
		{ "another prefix", "holdfast-enrol:e30" },
		{ "not base64url", "holdfast-claim:!!" },
		{ "not JSON", "holdfast-claim:AAAA" },
		{ "no members", "holdfast-claim:e30" },
	};
	struct claim claim;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		print_message("claim: %s\n", bad[i].why);
		assert_int_not_equal(claim_parse(&claim, bad[i].text), OK);
	}
}

static void profile_comes_back(void **state)
{
	struct profile p = { .url = "https://localhost:8443", .pin = "sha256//abc" }, read;
	SIGN_SK sk = { 0 };

	(void)state;
	strcpy(p.enterprise, "00112233445566778899aabbccddeeff");
	sign_sk_new(&sk);
	sign_pk_of(&p.server, &sk);
	sign_sk_new(&sk);
	sign_pk_of(&p.root, &sk);
	assert_int_equal(profile_read(&read, dir), ERR_NOT_FOUND);
	assert_int_equal(profile_write(&p, dir), OK);
	assert_int_equal(profile_read(&read, dir), OK);
	assert_string_equal(read.url, p.url);
	assert_string_equal(read.pin, p.pin);
	assert_memory_equal(&read.server, &p.server, sizeof p.server);
	assert_memory_equal(&read.root, &p.root, sizeof p.root);
}

static int make_dir(void **state)
{
	(void)state;
	return sodium_init() < 0 || !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	static const char *const files[] = { "ann.officer-key", "bob.officer-key", "eve.officer-key",
					     "root.jwe", "sheet.txt", "mistyped.txt", "profile.json" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_need_passphrase_and_key_file),
		cmocka_unit_test(branches_are_independent),
		cmocka_unit_test(server_cannot_ask_for_a_cheap_kdf),
		cmocka_unit_test(key_file_is_never_overwritten),
		cmocka_unit_test(key_file_damage_is_told),
		cmocka_unit_test(officer_names),
		cmocka_unit_test(root_comes_back_from_folder_and_sheet),
		cmocka_unit_test(mistyped_sheet_names_its_group),
		cmocka_unit_test(claims),
		cmocka_unit_test(profile_comes_back),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
