#include "agent/volumed/bootentry.h"

#include <blkid/blkid.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/efivar.h"
#include "common/cursor.h"
#include "common/json_host.h"

#define ENTRIES_MAX 256
#define ORDER_MAX 1024
#define HOME "\\EFI\\holdfast\\"
#define FAT_MAGIC 0x4d44
#define SECTOR 512

struct entry {
	uint16_t number;
	int sound; /* decoded: text, attributes are known */
	int has_file, has_data;
	uint32_t attributes;
	char text[LOADOPTION_TEXT_MAX];
	struct loadoption_file file;
};

struct entries {
	size_t count, order_count;
	struct entry list[ENTRIES_MAX];
	uint16_t order[ORDER_MAX];
};

/* ---- where the partition is ---- */

static uint32_t block_size(dev_t device)
{
	char path[96];
	uint32_t size = SECTOR;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../queue/logical_block_size", major(device),
		       minor(device));
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%u", &size) != 1 || size < SECTOR)
			size = SECTOR;
		fclose(f);
	}
	return size;
}

static int device_open(dev_t device)
{
	char path[96], line[128], name[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(device), minor(device));
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "DEVNAME=%63s", name) == 1)
			break;
	fclose(f);
	if (!*name || snprintf(path, sizeof(path), "/dev/%s", name) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* As text in mixed order of bytes: the first three parts are little-endian numbers. */
static const uint8_t places[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static void guid_text(char ret[static 37], const uint8_t guid[static 16])
{
	size_t n = 0;

	for (size_t i = 0; i < 16; i++)
		n += (size_t)snprintf(ret + n, 37 - n, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				      guid[places[i]]);
}

static enum err guid_parse(uint8_t ret[static 16], const char *text)
{
	uint8_t bytes[16];
	size_t len;

	if (sodium_hex2bin(bytes, sizeof(bytes), text, strlen(text), "-", &len, NULL) || len != 16)
		return ERR_FORMAT;
	for (size_t i = 0; i < 16; i++)
		ret[places[i]] = bytes[i];
	return OK;
}

static const char *probe_value(blkid_probe p, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(p, name, &value, NULL) ? "" : value;
}

static enum err probe_read(struct loadoption_file *ret, blkid_probe p, uint32_t block)
{
	struct loadoption_file f = { 0 };

	if (blkid_probe_enable_superblocks(p, 0) || blkid_probe_enable_partitions(p, 1) ||
	    blkid_probe_set_partitions_flags(p, BLKID_PARTS_ENTRY_DETAILS) || blkid_do_safeprobe(p) < 0 ||
	    strcmp(probe_value(p, "PART_ENTRY_SCHEME"), "gpt") ||
	    guid_parse(f.guid, probe_value(p, "PART_ENTRY_UUID")))
		return ERR_NOT_FOUND;
	f.partition = (uint32_t)strtoul(probe_value(p, "PART_ENTRY_NUMBER"), NULL, 10);
	f.start = strtoull(probe_value(p, "PART_ENTRY_OFFSET"), NULL, 10) * SECTOR / block;
	f.blocks = strtoull(probe_value(p, "PART_ENTRY_SIZE"), NULL, 10) * SECTOR / block;
	if (!f.partition || !f.start || !f.blocks)
		return ERR_NOT_FOUND;
	*ret = f;
	return OK;
}

static enum err partition_find(struct loadoption_file *ret, dev_t device)
{
	int fd = device_open(device);
	blkid_probe p = fd < 0 ? NULL : blkid_new_probe();
	enum err e = ERR_NOT_FOUND;

	if (p && !blkid_probe_set_device(p, fd, 0, 0))
		e = probe_read(ret, p, block_size(device));
	blkid_free_probe(p);
	if (fd >= 0)
		close(fd);
	return e;
}

enum err bootentry_place(struct bootentry_place *ret, const char *efivars, const char *folder)
{
	struct bootentry_place p = { .efivars = efivars, .folder = folder, .partitions = "/dev/disk/by-partuuid" };
	struct statfs fs;
	struct stat st;
	enum err e;

	if (!*efivars || access(efivars, X_OK) || stat(folder, &st) || statfs(folder, &fs) ||
	    fs.f_type != FAT_MAGIC)
		return ERR_NOT_FOUND;
	e = partition_find(&p.esp, st.st_dev);
	if (!e)
		*ret = p;
	return e;
}

/* ---- what there is ---- */

static void name_of(char ret[static 64], uint16_t number)
{
	(void)snprintf(ret, 64, "Boot%04X-" EFIVAR_GLOBAL, number);
}

/* Boot#### and nothing else: four capital hexadecimal digits. */
static int number_of(uint16_t *ret, const char *name)
{
	char again[64];

	if (strncmp(name, "Boot", 4) || !isxdigit((unsigned char)name[4]))
		return 0;
	*ret = (uint16_t)strtoul(name + 4, NULL, 16);
	name_of(again, *ret);
	return !strcmp(again, name);
}

static void entry_read(struct entry *ret, const char *efivars, uint16_t number)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	struct loadoption o;
	char name[64];
	size_t len;

	*ret = (struct entry){ .number = number };
	name_of(name, number);
	if (efivar_read(bytes, &len, sizeof(bytes), efivars, name) || loadoption_decode(&o, bytes, len))
		return;
	ret->sound = 1;
	ret->attributes = o.attributes;
	ret->has_data = o.data_len != 0;
	loadoption_text(ret->text, &o);
	ret->has_file = !loadoption_file(&ret->file, &o);
}

static int by_number(const void *a, const void *b)
{
	return (int)((const struct entry *)a)->number - (int)((const struct entry *)b)->number;
}

static enum err order_read(struct entries *ret, const char *efivars)
{
	uint8_t bytes[2 * ORDER_MAX];
	struct cursor c;
	size_t len = 0;
	enum err e = efivar_read(bytes, &len, sizeof(bytes), efivars, "BootOrder-" EFIVAR_GLOBAL);

	if (e == ERR_IO)
		return e;
	c = cursor_over(bytes, e ? 0 : len & ~(size_t)1);
	while (c.left)
		ret->order[ret->order_count++] = cursor_u16(&c);
	return OK;
}

/* malloc'ed. */
static enum err entries_read(struct entries **ret, const char *efivars)
{
	struct entries *all = calloc(1, sizeof(*all));
	DIR *folder = opendir(efivars);
	struct dirent *d;
	uint16_t number;
	enum err e = !all ? ERR_MEMORY : folder ? OK : ERR_NOT_FOUND;

	while (!e && (d = readdir(folder)) && all->count < ENTRIES_MAX)
		if (number_of(&number, d->d_name))
			entry_read(&all->list[all->count++], efivars, number);
	if (folder)
		closedir(folder);
	if (!e)
		e = order_read(all, efivars);
	if (e) {
		free(all);
		return e;
	}
	qsort(all->list, all->count, sizeof(all->list[0]), by_number);
	*ret = all;
	return OK;
}

static void entries_drop(struct entries **all)
{
	free(*all);
	*all = NULL;
}
#define ENTRIES __attribute__((cleanup(entries_drop))) struct entries

static struct loadoption_file file_of(const struct bootentry_place *p, const char *file)
{
	struct loadoption_file f = p->esp;

	(void)snprintf(f.path, sizeof(f.path), HOME "%s", file);
	return f;
}

static size_t order_at(const struct entries *all, uint16_t number)
{
	size_t at = 0;

	while (at < all->order_count && all->order[at] != number)
		at++;
	return at;
}

static int is_ours(const struct entry *e, const char *text, const struct loadoption_file *f)
{
	return e->sound && (!text || !strcmp(e->text, text)) && e->has_file && loadoption_same(&e->file, f);
}

/* Has the partition gone, with the disk that was exchanged? Where that cannot be known, it has not. */
static int is_gone(const struct bootentry_place *p, const uint8_t guid[static 16])
{
	char path[DURABLE_PATH_MAX], text[37];

	guid_text(text, guid);
	return p->partitions && *p->partitions && !access(p->partitions, X_OK) &&
	       !durable_path(path, p->partitions, text) && access(path, F_OK) && errno == ENOENT;
}

/* One of our own that leads elsewhere: to another of our files, or to a disk that was exchanged. Another disk's, and
 * one that leads to shim, are somebody's: to have our text is not enough. */
static int is_stray(const struct bootentry_place *p, const struct entry *e, const char *text)
{
	static const char *const names[] = { "holdfast.efi", "previous.efi", "next.efi", "selftest.efi" };

	if (!e->sound || !e->has_file || strcmp(e->text, text))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct loadoption_file f = file_of(p, names[i]);
		int here = !memcmp(f.guid, e->file.guid, sizeof(f.guid));

		memcpy(f.guid, e->file.guid, sizeof(f.guid));
		if (loadoption_same(&e->file, &f))
			return here || is_gone(p, e->file.guid);
	}
	return 0;
}

/* The entry that leads to the file, the earliest in BootOrder if there are several; else a stray one. */
static struct entry *entry_find(const struct bootentry_place *p, struct entries *all, const char *text,
				const struct loadoption_file *f)
{
	struct entry *best = NULL, *namesake = NULL;

	for (size_t i = 0; i < all->count; i++) {
		struct entry *e = &all->list[i];

		if (is_ours(e, NULL, f) &&
		    (!best || order_at(all, e->number) < order_at(all, best->number)))
			best = e;
		else if (is_stray(p, e, text))
			namesake = e;
	}
	return best ? best : namesake;
}

/* ---- changes ---- */

/* Not one that BootOrder still names, either: somebody may count on it to stay a gap. */
static enum err number_new(uint16_t *ret, const struct entries *all)
{
	for (uint32_t n = 0; n <= UINT16_MAX; n++) {
		int taken = order_at(all, (uint16_t)n) < all->order_count;

		for (size_t i = 0; !taken && i < all->count; i++)
			taken = all->list[i].number == n;
		if (!taken && all->count < ENTRIES_MAX) {
			*ret = (uint16_t)n;
			return OK;
		}
	}
	return ERR_SPACE;
}

static enum err entry_write(const struct bootentry_place *p, uint16_t number, const char *text,
			    const struct loadoption_file *f, const char *data)
{
	uint8_t bytes[LOADOPTION_BYTES_MAX];
	char name[64];
	size_t len;
	enum err e = loadoption_make(bytes, &len, text, f, data);

	name_of(name, number);
	return e ? e : efivar_write(p->efivars, name, bytes, len);
}

/* Active, and not hidden from the person; where it leads is the caller's to compare. */
static int is_active(const struct entry *e)
{
	return e->sound && (e->attributes & (LOADOPTION_ACTIVE | LOADOPTION_HIDDEN)) == LOADOPTION_ACTIVE;
}

static int is_right(const struct entry *e, const struct loadoption_file *f, const char *data)
{
	return is_active(e) && e->has_file && loadoption_same(&e->file, f) && e->has_data == (data != NULL);
}

/* *ret_wrong: BOOTENTRY_LOST, BOOTENTRY_ALTERED, or 0. */
static enum err entry_ensure(uint16_t *ret, unsigned *ret_wrong, const struct bootentry_place *p,
			     struct entries *all, const char *text, const char *file, const char *data)
{
	const struct loadoption_file f = file_of(p, file);
	struct entry *have = entry_find(p, all, text, &f);
	uint16_t number;
	enum err e = OK;

	*ret_wrong = !have ? BOOTENTRY_LOST : is_right(have, &f, data) ? 0 : BOOTENTRY_ALTERED;
	if (have)
		number = have->number;
	else
		e = number_new(&number, all);
	if (!e && *ret_wrong)
		e = entry_write(p, number, text, &f, data);
	if (e)
		return e;
	if (!have)
		have = &all->list[all->count++];
	entry_read(have, p->efivars, number);
	*ret = number;
	return OK;
}

static enum err order_write(const struct bootentry_place *p, const uint16_t *order, size_t count)
{
	uint8_t bytes[2 * ORDER_MAX];
	struct writer w = writer_over(bytes, sizeof(bytes));

	for (size_t i = 0; i < count; i++)
		writer_u16(&w, order[i]);
	if (w.e)
		return ERR_SPACE;
	return efivar_write(p->efivars, "BootOrder-" EFIVAR_GLOBAL, bytes, 2 * count);
}

enum err bootentry_put(uint16_t *ret, const struct bootentry_place *p, const char *text, const char *file,
		       const char *data)
{
	ENTRIES *all = NULL;
	unsigned wrong;
	enum err e = entries_read(&all, p->efivars);

	return e ? e : entry_ensure(ret, &wrong, p, all, text, file, data);
}

static enum err order_without(const struct bootentry_place *p, struct entries *all, uint16_t number)
{
	size_t kept = 0, before = all->order_count;

	for (size_t i = 0; i < before; i++)
		if (all->order[i] != number)
			all->order[kept++] = all->order[i];
	all->order_count = kept;
	if (kept == before)
		return OK;
	return kept ? order_write(p, all->order, kept)
		    : efivar_remove(p->efivars, "BootOrder-" EFIVAR_GLOBAL);
}

enum err bootentry_remove(const struct bootentry_place *p, const char *text, const char *file)
{
	const struct loadoption_file f = file_of(p, file);
	ENTRIES *all = NULL;
	char name[64];
	enum err e = entries_read(&all, p->efivars);

	for (size_t i = 0; !e && i < all->count; i++) {
		if (!is_ours(&all->list[i], text, &f))
			continue;
		name_of(name, all->list[i].number);
		e = order_without(p, all, all->list[i].number);
		if (!e)
			e = efivar_remove(p->efivars, name);
	}
	return e;
}

/* ---- the next start ---- */

#define NEXT "BootNext-" EFIVAR_GLOBAL

enum err bootentry_next_set(const struct bootentry_place *p, uint16_t number)
{
	const uint8_t bytes[2] = { (uint8_t)number, (uint8_t)(number >> 8) };

	return efivar_write(p->efivars, NEXT, bytes, sizeof(bytes));
}

enum err bootentry_next(uint16_t *ret, const struct bootentry_place *p)
{
	uint8_t bytes[2];
	size_t len;
	enum err e = efivar_read(bytes, &len, sizeof(bytes), p->efivars, NEXT);

	if (!e && len != sizeof(bytes))
		e = ERR_FORMAT;
	if (!e)
		*ret = (uint16_t)(bytes[0] | bytes[1] << 8);
	return e;
}

int bootentry_is_next(const struct bootentry_place *p, const char *text, const char *file)
{
	const struct loadoption_file f = file_of(p, file);
	struct entry e;
	uint16_t number;

	if (bootentry_next(&number, p))
		return 0;
	entry_read(&e, p->efivars, number);
	return is_ours(&e, text, &f);
}

enum err bootentry_next_drop(const struct bootentry_place *p, const char *text, const char *file)
{
	return bootentry_is_next(p, text, file) ? efivar_remove(p->efivars, NEXT) : OK;
}

/* ---- repair ---- */

static const struct entry *entry_at(const struct entries *all, uint16_t number)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].number == number)
			return &all->list[i];
	return NULL;
}

/* Would the firmware start it? */
static int counts(const struct entries *all, uint16_t number)
{
	const struct entry *e = entry_at(all, number);

	return e && is_active(e);
}

/* What stands in front of place `at`: numbers and texts. 0: nothing. */
static int front_digest(char ret[static 33], const struct entries *all, size_t at)
{
	crypto_generichash_state state;
	uint8_t digest[16];
	int any = 0;

	ret[0] = '\0';
	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	for (size_t i = 0; i < at; i++) {
		const struct entry *e = entry_at(all, all->order[i]);

		if (!counts(all, all->order[i]))
			continue;
		any = 1;
		crypto_generichash_update(&state, (const uint8_t *)e->text, sizeof(e->text));
		crypto_generichash_update(&state, (const uint8_t *)e->file.path, sizeof(e->file.path));
	}
	crypto_generichash_final(&state, digest, sizeof(digest));
	if (any)
		hex_encode(ret, digest, sizeof(digest));
	return any;
}

/* Does `second` come right behind `first`, but for what the firmware would not start? */
static int follows(const struct entries *all, uint16_t first, uint16_t second)
{
	size_t at = order_at(all, first) + 1;

	while (at < all->order_count && !counts(all, all->order[at]))
		at++;
	return at < all->order_count && all->order[at] == second;
}

/* The first `kept` of the order stay where they are, behind them come ours, then the others. */
static enum err order_lead(const struct bootentry_place *p, const struct entries *all, size_t kept,
			   const uint16_t *lead, size_t lead_count)
{
	uint16_t order[ORDER_MAX + 2];
	size_t n = 0;

	for (size_t i = 0; i <= all->order_count; i++) {
		if (i == kept)
			for (size_t l = 0; l < lead_count; l++)
				order[n++] = lead[l];
		if (i < all->order_count && all->order[i] != lead[0] && all->order[i] != lead[lead_count - 1])
			order[n++] = all->order[i];
	}
	return order_write(p, order, n < ORDER_MAX ? n : ORDER_MAX);
}

static int has_previous(const struct bootentry_place *p)
{
	char path[DURABLE_PATH_MAX];

	return !durable_path(path, p->folder, "previous.efi") && !access(path, R_OK);
}

/* What is wrong with the order? */
static void order_look(struct bootentry_repair *r, const struct entries *all, const uint16_t *lead,
		       size_t lead_count, const char *yield)
{
	size_t at = order_at(all, lead[0]);

	if (at == all->order_count) {
		r->current |= BOOTENTRY_LOST;
	} else if (front_digest(r->front, all, at)) {
		r->yielded = yield && !strcmp(yield, r->front);
		r->current |= r->yielded ? 0 : BOOTENTRY_NOT_FIRST;
	}
	if (lead_count > 1 && !follows(all, lead[0], lead[1]))
		r->previous |= order_at(all, lead[1]) == all->order_count ? BOOTENTRY_LOST : BOOTENTRY_NOT_FIRST;
}

enum err bootentry_repair(struct bootentry_repair *ret, const struct bootentry_place *p, const char *yield)
{
	struct bootentry_repair r = { 0 };
	ENTRIES *all = NULL;
	uint16_t lead[2] = { 0 };
	size_t count = 1;
	enum err e = entries_read(&all, p->efivars);

	if (!e)
		e = entry_ensure(&lead[0], &r.current, p, all, BOOTENTRY_CURRENT, "holdfast.efi", NULL);
	if (!e && has_previous(p)) {
		e = entry_ensure(&lead[1], &r.previous, p, all, BOOTENTRY_PREVIOUS, "previous.efi", NULL);
		count = 2;
	}
	if (e)
		return e;
	order_look(&r, all, lead, count, yield);
	if ((r.current | r.previous) & (BOOTENTRY_LOST | BOOTENTRY_NOT_FIRST))
		e = order_lead(p, all, r.yielded ? order_at(all, lead[0]) : 0, lead, count);
	if (!e)
		*ret = r;
	return e;
}
