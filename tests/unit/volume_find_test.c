/* Volume find: which of several devices with the same UUID. Folders play /dev and /sys/class/block.
 * */
#include "volume_image.h"

#include <sys/stat.h>

#include "driver/volume_find.h"

static const uint8_t uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				  0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
#define UUID_TEXT "01234567-89ab-cdef-fedc-ba9876543210"
#define DISK "nvme0n1p2"
static char dev[80], sys_block[80], found[256];

static char *at(const char *folder, const char *name)
{
	static char path[2][256];
	static int next;

	next = !next;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void file_put(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A device with this UUID in its header; sysfs knows it. */
static void disk_put(const char *name, const char *id)
{
	uint8_t head[4096] = "LUKS\xba\xbe\0\x02";

	memcpy(head + 168, id, 36);
	file_put(at(dev, name), head, sizeof(head));
	file_put(at(sys_block, name), "", 0);
}

/* A mapping with this id of its own, made from DISK. */
static void mapping_put(const char *id)
{
	mkdir(at(sys_block, "dm-0"), 0700);
	mkdir(at(sys_block, "dm-0/dm"), 0700);
	mkdir(at(sys_block, "dm-0/slaves"), 0700);
	file_put(at(sys_block, "dm-0/dm/uuid"), id, strlen(id));
	file_put(at(sys_block, "dm-0/slaves/" DISK), "", 0);
}

static void link_put(const char *name)
{
	mkdir(at(dev, "disk"), 0700);
	mkdir(at(dev, "disk/by-uuid"), 0700);
	assert_int_equal(symlink(at(dev, name), at(dev, "disk/by-uuid/" UUID_TEXT)), 0);
}

static enum err find(size_t size)
{
	memset(found, 0, sizeof(found));
	return volume_find_under(found, size, uuid, &(struct find_roots){ dev, sys_block });
}

static int laptop_new(void **state)
{
	if (image_setup(state))
		return -1;
	snprintf(dev, sizeof(dev), "%s/dev", image_dir);
	snprintf(sys_block, sizeof(sys_block), "%s/block", image_dir);
	return mkdir(dev, 0700) || mkdir(sys_block, 0700);
}

static int laptop_gone(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", image_dir);
	return system(command);
}

static void nothing_is_found(void **state)
{
	(void)state;
	disk_put("sda", "99999999-89ab-cdef-fedc-ba9876543210");
	assert_int_equal(find(sizeof(found)), ERR_NOT_FOUND);
}

static void found_by_scan(void **state)
{
	(void)state;
	disk_put("sda", "99999999-89ab-cdef-fedc-ba9876543210");
	disk_put("sdb", UUID_TEXT);
	assert_int_equal(find(sizeof(found)), OK);
	assert_string_equal(found, at(dev, "sdb"));
	assert_int_equal(find(8), ERR_SPACE);
}

static void found_by_link(void **state)
{
	(void)state;
	disk_put("sda", UUID_TEXT);
	disk_put("sdb", UUID_TEXT);
	link_put("sdb");
	assert_int_equal(find(sizeof(found)), OK);
	assert_string_equal(found, at(dev, "sdb"));
}

/* Bug: a stick with a copy of the laptop's header took over /dev/disk/by-uuid, and a kill erased
 * the stick and proved it, while the laptop's own keyslots went on opening. */
static void open_disk_goes_before_a_copy(void **state)
{
	(void)state;
	disk_put(DISK, UUID_TEXT);
	disk_put("stick", UUID_TEXT);
	link_put("stick");
	mapping_put("CRYPT-LUKS2-0123456789abcdeffedcba9876543210-root\n");
	assert_int_equal(find(sizeof(found)), OK);
	assert_string_equal(found, at(dev, "nvme0n1p2"));
}

static void mappings_of_others_do_not_count(void **state)
{
	static const char *const others[] = {
		"CRYPT-LUKS2-99999999999999999999999999999999-root\n",
		"CRYPT-LUKS2-0123456789abcdeffedcba98765432\n",
		"LVM-0123456789abcdeffedcba9876543210\n",
		"",
	};
	size_t i;

	(void)state;
	disk_put(DISK, UUID_TEXT);
	disk_put("stick", UUID_TEXT);
	link_put("stick");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		mapping_put(others[i]);
		assert_int_equal(find(sizeof(found)), OK);
		assert_string_equal(found, at(dev, "stick"));
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, laptop_new, laptop_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_found),
		CASE(found_by_scan),
		CASE(found_by_link),
		CASE(open_disk_goes_before_a_copy),
		CASE(mappings_of_others_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
