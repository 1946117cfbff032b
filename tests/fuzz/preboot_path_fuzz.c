/* Device paths of partitions, as firmware makes them of what a partition table says: any nodes in
 * any order. A partition is found if and only if the last node is the one of a hard drive with this
 * GUID. An input is a row of nodes: type, subtype, length, content. The lengths of nodes fit, for
 * nobody can tell where a path of firmware's ends but by its end node. */
#include "core_fuzz.h"

#include "tests/fake/laptop.h"
#include "tests/fake/probe.h"

#define PATH_MAX_BYTES 240

static const uint8_t guid[16] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8,
};
/* In the order of partition tables; the kind of signature behind it. */
static const uint8_t mixed[18] = {
	0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 2, 2,
};

static struct fake *f;

static int is_drive(const uint8_t *node)
{
	return (node[0] & 0x7f) == 4 && node[1] == 1 && node[2] == 42 && !node[3] &&
	       !memcmp(node + 24, mixed, 16) && node[41] == 2;
}

/* The path of an input; *ret_want is how many partitions are to be found. */
static size_t make_path(uint8_t path[PATH_MAX_BYTES], unsigned *ret_want, const uint8_t *data,
			size_t len)
{
	size_t at = 0, last = SIZE_MAX;

	*ret_want = 0;
	while (len >= 3 && data[2] <= len - 3 + 4 && at + data[2] + 4 + 4 <= PATH_MAX_BYTES) {
		size_t node = data[2], content = node > 4 ? node - 4 : 0;

		if (content > len - 3 || (data[0] & 0x7f) == 0x7f)
			break;
		path[at] = data[0];
		path[at + 1] = data[1];
		path[at + 2] = (uint8_t)node;
		path[at + 3] = 0;
		memcpy(path + at + 4, data + 3, content);
		data += 3 + content;
		len -= 3 + content;
		last = at;
		at += 4 + content;
		if (node < 4) { /* nothing can be behind it */
			last = SIZE_MAX;
			break;
		}
	}
	memcpy(path + at, "\x7f\xff\x04", 4);
	*ret_want = last != SIZE_MAX && is_drive(path + last);
	return at + 4;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t seed[3 + 3 + 2 + 38] = { 1, 1, 6, 0, 1, 4, 1, 42 };

	(void)argc;
	fuzz_begin();
	memcpy(seed + 8 + 20, mixed, 18);
	f = fake_new(1);
	f->panel_width = 0;
	f->no_serial = 1;
	fake_partition(f, guid, 8192, 512);
	fake_here(f);
	if (fake_probe_partitions(guid) != 1)
		abort();
	if (LLVMFuzzerTestOneInput(seed, sizeof(seed)))
		abort();
	fuzz_seed(*argv, "drive", seed, sizeof(seed));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t path[PATH_MAX_BYTES];
	unsigned want;
	size_t path_len = make_path(path, &want, data, len);

	fake_partition_path(f, 0, path, path_len);
	fake_here(f);
	if (fake_probe_partitions(guid) != want)
		abort();
	return 0;
}
