/* Tombstone: encoder and decoder. */
#include "tombstone.h"

#include <sodium.h>
#include <string.h>

#define MAGIC "HFTOMB01"
#define VERSION 1

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct tombstone_head {
#include "tombstone_head_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "tombstone_head_v1.inc"
#define FORMAT_NOUN tombstone_head
#define FORMAT_PREFIX TOMBSTONE_HEAD
#include "format_codec.h"

#define FORMAT_TABLE "tombstone_area_v1.inc"
#define FORMAT_NOUN tombstone_area
#define FORMAT_PREFIX TOMBSTONE_AREA
#include "format_codec.h"

_Static_assert(TOMBSTONE_HEAD_BYTES + MANIFEST_VOLUMES_MAX * TOMBSTONE_AREA_BYTES +
			       TOMBSTONE_COMMAND_MAX + DIGEST_BYTES ==
		       TOMBSTONE_BYTES_MAX,
	       "TOMBSTONE_BYTES_MAX is not what the tables add up to");

/* Of one length, so that the state changes in place. */
static const uint8_t pending[8] = "PENDING", erased[8] = "ERASED";

static enum err head_check(const struct tombstone_head *h, size_t len)
{
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	if (h->area_count > MANIFEST_VOLUMES_MAX || h->command_bytes > TOMBSTONE_COMMAND_MAX)
		return ERR_RANGE;
	if (memcmp(h->state, pending, sizeof(pending)) && memcmp(h->state, erased, sizeof(erased)))
		return ERR_FORMAT;
	return len == TOMBSTONE_HEAD_BYTES + (size_t)h->area_count * TOMBSTONE_AREA_BYTES +
				      h->command_bytes + DIGEST_BYTES
		       ? OK
		       : ERR_FORMAT;
}

static int area_valid(const struct tombstone_area *a)
{
	return a->bytes > 0 && a->bytes % 4096 == 0 && a->bytes <= TOMBSTONE_AREA_MAX;
}

static void checksum(struct digest *ret, const uint8_t *bytes, size_t len)
{
	crypto_generichash(ret->bytes, sizeof(ret->bytes), bytes, len, NULL, 0);
}

enum err tombstone_decode(struct tombstone *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct tombstone_area areas[MANIFEST_VOLUMES_MAX] = { 0 };
	struct tombstone_head h;
	struct digest d;
	enum err e;

	tombstone_head_read(&c, &h);
	e = c.e ? ERR_FORMAT : head_check(&h, len);
	if (e)
		return e;
	checksum(&d, bytes, len - DIGEST_BYTES);
	if (memcmp(d.bytes, bytes + len - DIGEST_BYTES, DIGEST_BYTES))
		return ERR_CHECKSUM;
	for (size_t i = 0; i < h.area_count; i++) {
		tombstone_area_read(&c, &areas[i]);
		if (!area_valid(&areas[i]))
			return ERR_RANGE;
	}
	/* field by field: a whole struct tombstone would be too large for the stack */
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->device, h.device, sizeof(ret->device));
	ret->erased = memcmp(h.state, erased, sizeof(erased)) == 0;
	ret->area_count = h.area_count;
	memcpy(ret->areas, areas, sizeof(ret->areas));
	ret->command_bytes = h.command_bytes;
	cursor_bytes(&c, ret->command, h.command_bytes);
	return OK;
}

static enum err tombstone_bounds(const struct tombstone *t)
{
	if (t->area_count > MANIFEST_VOLUMES_MAX || t->command_bytes > TOMBSTONE_COMMAND_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < t->area_count; i++)
		if (!area_valid(&t->areas[i]))
			return ERR_RANGE;
	return OK;
}

enum err tombstone_encode(uint8_t *ret, size_t *ret_len, const struct tombstone *t)
{
	struct writer w = writer_over(ret, TOMBSTONE_BYTES_MAX);
	struct tombstone_head h = {
		.version = VERSION,
		.area_count = t->area_count,
		.command_bytes = t->command_bytes,
	};
	struct digest d;
	enum err e = tombstone_bounds(t);

	if (e)
		return e;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	memcpy(h.device, t->device, sizeof(h.device));
	memcpy(h.state, t->erased ? erased : pending, sizeof(h.state));
	tombstone_head_write(&w, &h);
	for (size_t i = 0; i < t->area_count; i++)
		tombstone_area_write(&w, &t->areas[i]);
	writer_bytes(&w, t->command, t->command_bytes);
	checksum(&d, ret, TOMBSTONE_BYTES_MAX - w.left);
	writer_bytes(&w, d.bytes, sizeof(d.bytes));
	*ret_len = TOMBSTONE_BYTES_MAX - w.left;
	return OK;
}

void tombstone_areas(struct tombstone *t, const struct manifest *m)
{
	memset(t->areas, 0, sizeof(t->areas));
	t->area_count = m->volume_count;
	for (size_t i = 0; i < m->volume_count; i++) {
		memcpy(t->areas[i].partition, m->volumes[i].partition,
		       sizeof(t->areas[i].partition));
		t->areas[i].bytes = m->volumes[i].header_bytes;
	}
}
