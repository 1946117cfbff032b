/* Boot entries over a folder that stands for efivarfs: decoder, repair, order, the next start. */
#include "core_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/volumed/bootentry.h"
#include "agent/volumed/efivar.h"

static char efivars[64], folder[80], partitions[100];
static struct bootentry_place place;

static int setup(void **state)
{
	char command[200];

	(void)state;
	strcpy(efivars, "/tmp/holdfast-efi-XXXXXX");
	if (!mkdtemp(efivars))
		return -1;
	snprintf(folder, sizeof(folder), "%s/esp", efivars);
	snprintf(partitions, sizeof(partitions), "%s/by-partuuid", efivars);
	snprintf(command, sizeof(command), "mkdir %s %s", folder, partitions);
	place = (struct bootentry_place){ .efivars = efivars, .folder = folder,
					  .esp = { 1, 2048, 262144, { 0x11, 0x22, 0x33 }, "" },
					  .partitions = partitions };
	return system(command);
}

static int teardown(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", efivars);
	return system(command);
}

static void previous_put(void)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/previous.efi", folder);
	f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
}

static void variable_put(const char *name, const void *bytes, size_t len)
{
	char file[100];

	snprintf(file, sizeof(file), "%s-" EFIVAR_GLOBAL, name);
	expect(name, OK, efivar_write(efivars, file, bytes, len));
}

static void entry_put(uint16_t number, const char *text, const char *path)
{
	struct loadoption_file f = place.esp;
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	char name[16];
	size_t len;

	strcpy(f.path, path);
	expect(text, OK, loadoption_make(bytes, &len, text, &f, NULL));
	snprintf(name, sizeof(name), "Boot%04X", number);
	variable_put(name, bytes, len);
}

static void order_put(const uint16_t *order, size_t count)
{
	variable_put("BootOrder", order, 2 * count);
}

/* "0 5 3" */
static void order_is(const char *why, const char *want)
{
	uint16_t order[64];
	char text[400] = "";
	size_t len = 0;

	if (!efivar_read((uint8_t *)order, &len, sizeof(order), efivars, "BootOrder-" EFIVAR_GLOBAL))
		for (size_t i = 0; i < len / 2; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%x", i ? " " : "", order[i]);
	if (strcmp(text, want))
		fail_msg("%s: the order is '%s', not '%s'", why, text, want);
}

static enum err entry_get(struct loadoption_file *ret, char text[LOADOPTION_TEXT_MAX], uint16_t number)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption o;
	char name[100];
	size_t len;
	enum err e;

	snprintf(name, sizeof(name), "Boot%04X-" EFIVAR_GLOBAL, number);
	e = efivar_read(bytes, &len, sizeof(bytes), efivars, name);
	if (e)
		return e;
	expect("decode", OK, loadoption_decode(&o, bytes, len));
	loadoption_text(text, &o);
	return loadoption_file(ret, &o);
}

static void entry_is(uint16_t number, const char *text, const char *path)
{
	char have[LOADOPTION_TEXT_MAX];
	struct loadoption_file f;

	expect(text, OK, entry_get(&f, have, number));
	assert_string_equal(have, text);
	assert_string_equal(f.path, path);
	assert_memory_equal(f.guid, place.esp.guid, 16);
}

#define CURRENT_PATH "\\EFI\\holdfast\\holdfast.efi"
#define PREVIOUS_PATH "\\EFI\\holdfast\\previous.efi"

static struct bootentry_repair repair(const char *yield)
{
	struct bootentry_repair r;

	expect("repair", OK, bootentry_repair(&r, &place, yield));
	return r;
}

static void test_empty(void **state)
{
	struct bootentry_repair r = repair(NULL);

	(void)state;
	assert_int_equal(r.current, BOOTENTRY_LOST);
	assert_int_equal(r.previous, 0);
	entry_is(0, BOOTENTRY_CURRENT, CURRENT_PATH);
	order_is("a firmware without any entry", "0");
	r = repair(NULL);
	assert_int_equal(r.current | r.previous, 0);
	previous_put();
	r = repair(NULL);
	assert_int_equal(r.previous, BOOTENTRY_LOST);
	order_is("a previous copy came", "0 1");
	entry_is(1, BOOTENTRY_PREVIOUS, PREVIOUS_PATH);
}

static void test_order(void **state)
{
	static const uint16_t before[] = { 4, 0x2001, 0 }, behind[] = { 4, 2, 0, 3 };
	struct bootentry_repair r;

	(void)state;
	previous_put();
	entry_put(0, "debian", "\\EFI\\debian\\shimx64.efi");
	entry_put(4, "Windows Boot Manager", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi");
	order_put(before, 3);
	r = repair(NULL);
	assert_int_equal(r.current, BOOTENTRY_LOST);
	order_is("lowest free numbers, others and gaps keep their order", "1 2 4 2001 0");
	assert_int_equal(repair(NULL).current, 0);

	entry_put(3, "grub", "\\EFI\\debian\\grubx64.efi");
	order_put(behind, 4); /* 1 is not even in it */
	r = repair(NULL);
	assert_int_equal(r.current, BOOTENTRY_LOST);
	order_is("put back in front", "1 2 4 0 3");
}

static void test_not_first(void **state)
{
	static const uint16_t others[] = { 5, 0, 1 };
	struct bootentry_repair r;
	char front[33];

	(void)state;
	previous_put();
	repair(NULL);
	entry_put(5, "debian", "\\EFI\\debian\\shimx64.efi");
	order_put(others, 3);
	r = repair(NULL);
	assert_int_equal(r.current, BOOTENTRY_NOT_FIRST);
	assert_false(r.yielded);
	order_is("put in front", "0 1 5");
	strcpy(front, r.front);
	order_put(others, 3);
	r = repair(front);
	assert_true(r.yielded);
	assert_int_equal(r.current | r.previous, 0);
	order_is("the administrator insists", "5 0 1");
	assert_string_equal(r.front, front);

	/* Yielding is for these only. */
	entry_put(6, "another", "\\EFI\\other\\other.efi");
	order_put((const uint16_t[]){ 6, 0, 1, 5 }, 4);
	r = repair(front);
	assert_false(r.yielded);
	order_is("others in front", "0 1 6 5");

	/* Even then ours stay together. */
	order_put((const uint16_t[]){ 5, 0, 6 }, 3);
	r = repair(front);
	assert_true(r.yielded);
	assert_int_equal(r.previous, BOOTENTRY_LOST);
	order_is("previous right behind current", "5 0 1 6");
}

static void test_what_does_not_count(void **state)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption_file f = place.esp;
	size_t len;

	(void)state;
	repair(NULL);
	strcpy(f.path, "\\EFI\\old\\old.efi");
	expect("make", OK, loadoption_make(bytes, &len, "switched off", &f, NULL));
	bytes[0] = 0;
	variable_put("Boot0007", bytes, len);
	variable_put("Boot0008", "\1\0\0\0", 4);
	order_put((const uint16_t[]){ 7, 8, 9, 0 }, 4);
	assert_int_equal(repair(NULL).current, 0);
	order_is("inactive, malformed and missing entries are none", "7 8 9 0");
}

static void test_altered(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t value;
	} rows[] = {
		{ "switched off", 0, 0 },
		{ "hidden", 0, 9 },
		{ "a partition that is gone", 6 + 18 + 4 + 20, 0x77 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[LOADOPTION_BYTES_MAX];
		size_t len;

		repair(NULL);
		expect("read", OK, efivar_read(bytes, &len, sizeof(bytes), efivars, "Boot0000-" EFIVAR_GLOBAL));
		bytes[rows[i].at] = rows[i].value;
		variable_put("Boot0000", bytes, len);
		if (repair(NULL).current != BOOTENTRY_ALTERED)
			fail_msg("%s: not noticed", rows[i].why);
		entry_is(0, BOOTENTRY_CURRENT, CURRENT_PATH);
		order_is(rows[i].why, "0");
	}
}

/* The bug: any entry with our text was taken for ours, be it another disk's, or the one that leads to shim. */
static void test_namesakes(void **state)
{
	static const struct {
		const char *why, *path;
		uint8_t first; /* of the partition's GUID; ours has 0x11 */
		int is_there, ours;
	} rows[] = {
		{ "shim beside ours", "\\EFI\\holdfast\\shimx64.efi", 0x11, 1, 0 },
		{ "another folder", "\\EFI\\debian\\holdfast.efi", 0x11, 1, 0 },
		{ "another disk's", CURRENT_PATH, 0x77, 1, 0 },
		{ "one of a disk that is gone", CURRENT_PATH, 0x77, 0, 1 },
		{ "shim on a disk that is gone", "\\EFI\\holdfast\\shimx64.efi", 0x77, 0, 0 },
		{ "our other file", PREVIOUS_PATH, 0x11, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char command[400];
		struct bootentry_repair r;

		snprintf(command, sizeof(command), "rm -rf %s/Boot* %s/*-*-*", efivars, place.partitions);
		assert_int_equal(system(command), 0);
		place.esp.guid[0] = rows[i].first;
		entry_put(7, BOOTENTRY_CURRENT, rows[i].path);
		place.esp.guid[0] = 0x11;
		snprintf(command, sizeof(command), "touch %s/00332277-0000-0000-0000-000000000000", place.partitions);
		if (rows[i].is_there)
			assert_int_equal(system(command), 0);
		order_put((const uint16_t[]){ 7 }, 1);
		r = repair(NULL);
		if (!(r.current & (rows[i].ours ? BOOTENTRY_ALTERED : BOOTENTRY_LOST)))
			fail_msg("%s: %u", rows[i].why, r.current);
		order_is(rows[i].why, rows[i].ours ? "7" : "0 7");
		entry_is(rows[i].ours ? 7 : 0, BOOTENTRY_CURRENT, CURRENT_PATH);
	}
}

/* What a firmware writes for the same file is as good as ours. */
static void test_firmwares_words(void **state)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX], longer[LOADOPTION_BYTES_MAX];
	static const uint8_t pci[6] = { 1, 1, 6, 0, 0, 2 };
	struct loadoption_file f = place.esp;
	struct loadoption o;
	size_t len;

	(void)state;
	strcpy(f.path, "\\efi\\HOLDFAST\\holdfast.EFI");
	expect("make", OK, loadoption_make(bytes, &len, "UEFI OS", &f, NULL));
	expect("decode", OK, loadoption_decode(&o, bytes, len));
	memcpy(longer, pci, sizeof(pci));
	memcpy(longer + sizeof(pci), o.path, o.path_len);
	o.path = longer;
	o.path_len += sizeof(pci);
	uint8_t whole[LOADOPTION_BYTES_MAX];
	expect("encode", OK, loadoption_encode(whole, &len, &o));
	variable_put("Boot0003", whole, len);
	order_put((const uint16_t[]){ 3 }, 1);
	assert_int_equal(repair(NULL).current, 0);
	order_is("its own full path, in capitals", "3");
}

static void test_next(void **state)
{
	uint16_t number = 77, next;

	(void)state;
	repair(NULL);
	expect("none", ERR_NOT_FOUND, bootentry_next(&next, &place));
	expect("put", OK, bootentry_put(&number, &place, BOOTENTRY_UPDATE, "next.efi", NULL));
	assert_int_equal(number, 1);
	order_is("not in the order", "0");
	expect("set", OK, bootentry_next_set(&place, number));
	assert_true(bootentry_is_next(&place, BOOTENTRY_UPDATE, "next.efi"));
	assert_false(bootentry_is_next(&place, BOOTENTRY_SELFTEST, "selftest.efi"));
	expect("somebody else's", OK, bootentry_next_drop(&place, BOOTENTRY_SELFTEST, "selftest.efi"));
	expect("still there", OK, bootentry_next(&next, &place));
	assert_int_equal(next, 1);
	expect("again", OK, bootentry_put(&number, &place, BOOTENTRY_UPDATE, "next.efi", NULL));
	assert_int_equal(number, 1);
	expect("drop", OK, bootentry_next_drop(&place, BOOTENTRY_UPDATE, "next.efi"));
	expect("gone", ERR_NOT_FOUND, bootentry_next(&next, &place));
	order_put((const uint16_t[]){ 0, 1, 5 }, 3);
	expect("remove", OK, bootentry_remove(&place, BOOTENTRY_UPDATE, "next.efi"));
	order_is("out of the order, too", "0 5");
	expect("remove nothing", OK, bootentry_remove(&place, BOOTENTRY_UPDATE, "next.efi"));
}

static void test_selftest_data(void **state)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption o;
	uint16_t number;
	size_t len;

	(void)state;
	expect("put", OK, bootentry_put(&number, &place, BOOTENTRY_SELFTEST, "selftest.efi", BOOTENTRY_SELFTEST_DATA));
	expect("read", OK, efivar_read(bytes, &len, sizeof(bytes), efivars, "Boot0000-" EFIVAR_GLOBAL));
	expect("decode", OK, loadoption_decode(&o, bytes, len));
	assert_int_equal(o.data_len, 18);
	assert_memory_equal(o.data, "s\0e\0", 4);
}

static void test_lengths(void **state)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX + 1] = { 0 };
	struct loadoption_file f = place.esp, back;
	struct loadoption o;
	size_t len, decoded = 0;

	(void)state;
	strcpy(f.path, CURRENT_PATH);
	expect("make", OK, loadoption_make(bytes, &len, "Holdfast", &f, NULL));
	for (size_t n = 0; n <= len; n++)
		decoded += !loadoption_decode(&o, bytes, n);
	assert_int_equal(decoded, 1);
	expect("with data", OK, loadoption_decode(&o, bytes, len + 1));
	assert_int_equal(o.data_len, 1);
	expect("too long", ERR_RANGE, loadoption_decode(&o, bytes, LOADOPTION_BYTES_MAX + 1));
	expect("decode", OK, loadoption_decode(&o, bytes, len));
	expect("file", OK, loadoption_file(&back, &o));
	assert_true(loadoption_same(&f, &back));
	assert_int_equal(back.blocks, 262144);
	/* The first node of the path begins behind attributes, length and "Holdfast" with its end. */
	bytes[6 + 18 + 2] = 3;
	expect("a node shorter than its head", ERR_FORMAT, loadoption_decode(&o, bytes, len));
	bytes[6 + 18 + 2] = 41;
	expect("nodes that do not join", ERR_FORMAT, loadoption_decode(&o, bytes, len));
	bytes[6 + 18 + 2] = 42;
	bytes[6 + 18 + 41] = 1;
	expect("decode", OK, loadoption_decode(&o, bytes, len));
	expect("a partition of an MBR disk", ERR_NOT_FOUND, loadoption_file(&back, &o));
}

static void test_no_firmware(void **state)
{
	struct bootentry_place p;

	(void)state;
	expect("no variables", ERR_NOT_FOUND, bootentry_place(&p, "", folder));
	expect("not on FAT", ERR_NOT_FOUND, bootentry_place(&p, efivars, folder));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),   TEST(test_order),           TEST(test_not_first), TEST(test_what_does_not_count),
		TEST(test_altered), TEST(test_namesakes), TEST(test_firmwares_words), TEST(test_next),      TEST(test_selftest_data),
		TEST(test_lengths), TEST(test_no_firmware),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
