/* Whole starts of pre-boot, each in a process of its own, with hostile bytes where it reads: store,
 * tombstone, boot files, variables. It never crashes; it erases only by a tombstone that decodes;
 * and it starts a kernel only with a store that is signed as the agent signed it. The password is
 * typed. With the cheap KDF of tests/fake/cheap_kdf.h. An input is the number of the place, and its
 * bytes; checksums are mended. */
#include "core_fuzz.h"

#include "tests/fake/cheap_kdf.h"
#include "tests/fake/laptop.h"

#define FILES 8

enum place {
	PLACE_BOTH_STORES,
	PLACE_ONE_STORE,
	PLACE_TOMBSTONE,
	PLACE_KILL,
	PLACE_TALLY,
	PLACE_GUARD,
	PLACE_CLOCK,
	PLACE_CHOICE,
	PLACE_GENERATION,
	PLACE_KERNEL,
	PLACE_CMDLINE,
	PLACES
};

static const char *const paths[FILES] = {
	LAPTOP_STORE_0, LAPTOP_STORE_1, LAPTOP_KERNEL, LAPTOP_INITRD,
	"\\EFI\\holdfast\\boot\\current\\cmdline", "\\EFI\\holdfast\\boot\\previous\\vmlinuz",
	"\\EFI\\holdfast\\boot\\previous\\initrd.img", "\\EFI\\holdfast\\boot\\previous\\cmdline",
};
static const char *const variables[PLACES] = {
	[PLACE_KILL] = "HoldfastKill",	   [PLACE_TALLY] = "HoldfastTally",
	[PLACE_GUARD] = "HoldfastGuard",   [PLACE_CLOCK] = "HoldfastClock",
	[PLACE_CHOICE] = "HoldfastChoice", [PLACE_GENERATION] = "HoldfastGeneration",
};

static struct laptop *l;
static struct {
	uint8_t *bytes;
	size_t len;
} whole[FILES];
static uint8_t disk[LAPTOP_DISK_BYTES];

/* As it was before the last run. */
static void restore(void)
{
	for (int i = 0; i < FILES; i++)
		fake_file_put(l->f, paths[i], whole[i].bytes, whole[i].len);
	fake_file_remove(l->f, LAPTOP_TOMBSTONE);
	fake_variables_clear(l->f);
	fake_partition_put(l->f, l->disk, disk, sizeof(disk));
	fake_script_clear(l->f);
	fake_script_quiet(l->f);
}

static void put(enum place place, const uint8_t *bytes, size_t len)
{
	if (place == PLACE_BOTH_STORES || place == PLACE_ONE_STORE)
		fake_file_put(l->f, LAPTOP_STORE_0, bytes, len);
	if (place == PLACE_BOTH_STORES)
		fake_file_put(l->f, LAPTOP_STORE_1, bytes, len);
	if (place == PLACE_TOMBSTONE)
		fake_file_put(l->f, LAPTOP_TOMBSTONE, bytes, len);
	if (place == PLACE_KERNEL)
		fake_file_put(l->f, LAPTOP_KERNEL, bytes, len);
	if (place == PLACE_CMDLINE)
		fake_file_put(l->f, paths[4], bytes, len);
	if (variables[place] && len && len <= 1024)
		fake_variable_put(l->f, variables[place], 3 | (place == PLACE_GENERATION ? 4u : 0),
				  bytes, len);
}

/* Is it a store as its agent has signed it, but for seals that are missing? An earlier run's has
 * another key. */
static int is_genuine(const uint8_t *bytes, size_t len)
{
	STORE s = { 0 };
	struct store_vk vk;

	if (store_decode(&s, bytes, len))
		return 0;
	memcpy(vk.bytes, s.head.store_vk, sizeof(vk.bytes));
	return !store_verify(&s, &vk);
}

static int is_tombstone(const uint8_t *bytes, size_t len)
{
	static struct tombstone t;

	return !tombstone_decode(&t, bytes, len);
}

static enum fake_end run(enum place place, const uint8_t *bytes, size_t len)
{
	enum fake_end end;

	restore();
	put(place, bytes, len);
	laptop_type_password(l, LAPTOP_USER, LAPTOP_PASSWORD);
	end = fake_run(l->f);
	if (end == FAKE_DIED)
		abort();
	if (end == FAKE_KERNEL && place == PLACE_BOTH_STORES && !is_genuine(bytes, len))
		abort();
	if (!laptop_disk_whole(l) && !is_tombstone(bytes, len))
		abort();
	return end;
}

static void seed(char **argv, enum place place, const uint8_t *bytes, size_t len)
{
	uint8_t *input = malloc(len + 1);
	char name[20];

	if (!input)
		abort();
	input[0] = (uint8_t)place;
	memcpy(input + 1, bytes, len);
	snprintf(name, sizeof(name), "place-%d", place);
	fuzz_seed(argv, name, input, len + 1);
	free(input);
}

static void keep_files(void)
{
	for (int i = 0; i < FILES; i++) {
		const uint8_t *bytes = fake_file(l->f, paths[i], &whole[i].len);

		whole[i].bytes = fuzz_copy(bytes, whole[i].len);
	}
	memcpy(disk, fake_partition_bytes(l->f, l->disk), sizeof(disk));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t stone[TOMBSTONE_BYTES_MAX], variable[1024];
	struct tombstone t = { .area_count = 1, .areas[0].bytes = LAPTOP_HEADER_BYTES };
	STORE s = { 0 };
	size_t len;

	(void)argc;
	fuzz_begin();
	l = laptop_new(1, NULL);
	l->f->panel_width = 0;
	l->f->patience_s = 15; /* a page that is read for 10 s */
	sample_must(laptop_store(&s, l));
	keep_files();
	memcpy(t.areas[0].partition, l->partition, 16);
	memcpy(t.device, s.head.device, sizeof(t.device));
	sample_must(tombstone_encode(stone, &len, &t));
	if (run(PLACE_BOTH_STORES, whole[0].bytes, whole[0].len) != FAKE_KERNEL ||
	    run(PLACE_TOMBSTONE, stone, len) != FAKE_POWER_OFF || laptop_disk_whole(l))
		abort();
	seed(*argv, PLACE_BOTH_STORES, whole[0].bytes, s.head.total_bytes);
	seed(*argv, PLACE_ONE_STORE, whole[0].bytes, s.head.total_bytes);
	seed(*argv, PLACE_TOMBSTONE, stone, len);
	seed(*argv, PLACE_KILL, stone, len);
	/* The variables as a start leaves them. */
	run(PLACE_BOTH_STORES, whole[0].bytes, whole[0].len);
	for (enum place p = 0; p < PLACES; p++) {
		int n = variables[p] ? fake_variable(l->f, variables[p], variable, sizeof(variable),
						     NULL)
				     : -1;

		if (n > 0)
			seed(*argv, p, variable, (size_t)n);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum place place = len ? (enum place)(data[0] % PLACES) : PLACE_BOTH_STORES;
	uint8_t *bytes = fuzz_copy(data + (len > 0), len ? len - 1 : 0);

	len -= len > 0;
	if (place == PLACE_BOTH_STORES || place == PLACE_ONE_STORE)
		sample_repair_store(bytes, len);
	if (place == PLACE_TOMBSTONE || place == PLACE_KILL)
		sample_repair(bytes, len);
	run(place, bytes, len);
	free(bytes);
	return 0;
}
