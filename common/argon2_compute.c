/* Argon2id, RFC 9106 section 3: first hash, first blocks, segments by lane and slice, last hash. The
 * names in brackets are the RFC's. */
#include <sodium.h>
#include <string.h>

#include "argon2.h"
#include "argon2_block.h"
#include "secret.h"

#define VERSION 0x13
#define TYPE_ID 2
#define PREHASH_BYTES 64
#define ADDRESSES 128 /* in a block */
#define RESULT_BYTES_MIN 4

struct argon2 {
	const struct workplace *place;
	const struct argon2_blocks *blocks;
	uint32_t passes, lanes;
	uint32_t lane_blocks, segment_blocks; /* [q], and what a slice has of them */
};

/* Where a lane is. */
struct place {
	uint32_t pass, slice, lane;
	uint32_t index; /* in the segment */
};

struct addresses {
	_Alignas(ARGON2_BLOCK_ALIGN) uint64_t words[ADDRESSES];
};

static uint8_t *block_at(const struct argon2 *a, uint32_t lane, uint32_t column)
{
	const uint32_t in_piece = WORKPLACE_PIECE_BYTES / ARGON2_BLOCK_BYTES;
	uint32_t i = lane * a->lane_blocks + column;

	return a->place->pieces[i / in_piece] + (size_t)(i % in_piece) * ARGON2_BLOCK_BYTES;
}

static void store_u32(uint8_t ret[static 4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		ret[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t load_u64(const uint8_t *bytes)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof(v)); /* little-endian, as all that this runs on */
	return v;
}

static void hash_u32(crypto_generichash_state *h, uint32_t v)
{
	uint8_t bytes[4];

	store_u32(bytes, v);
	crypto_generichash_update(h, bytes, sizeof(bytes));
}

static void hash_part(crypto_generichash_state *h, const struct argon2_part *part)
{
	hash_u32(h, (uint32_t)part->len);
	if (part->len)
		crypto_generichash_update(h, part->bytes, part->len);
}

/* [H_0] */
static void hash_first(uint8_t ret[static PREHASH_BYTES], size_t len, const struct argon2_input *in,
		       const struct argon2_cost *cost)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, PREHASH_BYTES);
	hash_u32(&h, cost->lanes);
	hash_u32(&h, (uint32_t)len);
	hash_u32(&h, cost->memory_kib);
	hash_u32(&h, cost->passes);
	hash_u32(&h, VERSION);
	hash_u32(&h, TYPE_ID);
	hash_part(&h, &in->password);
	hash_part(&h, &in->salt);
	hash_part(&h, &in->secret);
	hash_part(&h, &in->data);
	crypto_generichash_final(&h, ret, PREHASH_BYTES);
	secret_wipe(&h, sizeof(h));
}

/* BLAKE2b's digest of a length and bytes. */
static void hash_sized(uint8_t *ret, size_t ret_len, uint32_t size, const uint8_t *bytes, size_t len)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, ret_len);
	hash_u32(&h, size);
	crypto_generichash_update(&h, bytes, len);
	crypto_generichash_final(&h, ret, ret_len);
	secret_wipe(&h, sizeof(h));
}

/* [H'], the hash of any length: digests of digests, of which each gives its first half. */
static void hash_long(uint8_t *ret, size_t ret_len, const uint8_t *bytes, size_t len)
{
	uint8_t v[2][crypto_generichash_BYTES_MAX];
	size_t left = ret_len;
	int at = 0;

	if (ret_len <= sizeof(v[0])) {
		hash_sized(ret, ret_len, (uint32_t)ret_len, bytes, len);
		return;
	}
	hash_sized(v[at], sizeof(v[0]), (uint32_t)ret_len, bytes, len);
	while (left > sizeof(v[0])) {
		size_t next;

		memcpy(ret, v[at], sizeof(v[0]) / 2);
		ret += sizeof(v[0]) / 2;
		left -= sizeof(v[0]) / 2;
		next = left > sizeof(v[0]) ? sizeof(v[0]) : left;
		crypto_generichash(v[!at], next, v[at], sizeof(v[0]), NULL, 0);
		at = !at;
	}
	memcpy(ret, v[at], left);
	secret_wipe(v, sizeof(v));
}

/* The first two blocks of each lane. */
static void blocks_begin(const struct argon2 *a, const uint8_t first[static PREHASH_BYTES])
{
	uint8_t seed[PREHASH_BYTES + 8];

	memcpy(seed, first, PREHASH_BYTES);
	for (uint32_t lane = 0; lane < a->lanes; lane++) {
		store_u32(seed + PREHASH_BYTES + 4, lane);
		for (uint32_t column = 0; column < 2; column++) {
			store_u32(seed + PREHASH_BYTES, column);
			hash_long(block_at(a, lane, column), ARGON2_BLOCK_BYTES, seed, sizeof(seed));
		}
	}
	secret_wipe(seed, sizeof(seed));
}

/* The blocks that may be referred to, of one lane [W]: all that are finished, of the last four slices,
 * but for the one just before. */
static uint32_t area_size(const struct argon2 *a, const struct place *p, int same_lane)
{
	uint32_t finished = p->pass ? a->lane_blocks - a->segment_blocks : p->slice * a->segment_blocks;

	if (same_lane)
		return finished + p->index - 1;
	return finished - (p->index == 0);
}

/* Which of them, more likely a later one [J_1, x, y, zz]. */
static uint32_t reference_column(const struct argon2 *a, const struct place *p, uint32_t pick, uint32_t area)
{
	uint64_t x = (uint64_t)pick * pick >> 32;
	uint32_t back = (uint32_t)(area * x >> 32), start = 0;

	if (p->pass && p->slice != ARGON2_SLICES - 1)
		start = (p->slice + 1) * a->segment_blocks;
	return (start + area - 1 - back) % a->lane_blocks;
}

static const uint8_t *reference(const struct argon2 *a, const struct place *p, uint64_t random)
{
	uint32_t lane = (uint32_t)(random >> 32) % a->lanes;

	if (!p->pass && !p->slice)
		lane = p->lane; /* others have nothing finished */
	return block_at(a, lane, reference_column(a, p, (uint32_t)random, area_size(a, p, lane == p->lane)));
}

/* The random numbers of the first half of the first pass: they do not depend on the password, so that
 * whoever sees which memory is used learns nothing [section 3.4.1.2]. */
static void addresses_make(struct addresses *ret, const struct argon2 *a, const struct place *p)
{
	struct addresses input = { { p->pass, p->lane, p->slice, a->lane_blocks * a->lanes, a->passes,
				     TYPE_ID, p->index / ADDRESSES + 1 } };
	struct addresses zero = { 0 }, middle;

	a->blocks->fill(&zero, (const uint8_t *)&input, (uint8_t *)&middle);
	memset(&zero, 0, sizeof(zero));
	a->blocks->fill(&zero, (const uint8_t *)&middle, (uint8_t *)ret);
}

/* One slice of one lane. */
static void segment_fill(void *context, uint32_t round, uint32_t lane)
{
	const struct argon2 *a = context;
	struct place p = { .pass = round / ARGON2_SLICES, .slice = round % ARGON2_SLICES, .lane = lane };
	int independent = !p.pass && p.slice < ARGON2_SLICES / 2;
	uint32_t first = p.slice * a->segment_blocks;
	_Alignas(ARGON2_BLOCK_ALIGN) uint8_t before[ARGON2_BLOCK_BYTES];
	struct addresses addresses;

	p.index = round ? 0 : 2;
	memcpy(before, block_at(a, lane, (first + p.index + a->lane_blocks - 1) % a->lane_blocks),
	       sizeof(before));
	for (int fresh = 1; p.index < a->segment_blocks; p.index++, fresh = 0) {
		uint8_t *next = block_at(a, lane, first + p.index);
		uint64_t random = load_u64(before);

		if (independent && (fresh || !(p.index % ADDRESSES)))
			addresses_make(&addresses, a, &p);
		if (independent)
			random = addresses.words[p.index % ADDRESSES];
		(p.pass ? a->blocks->mix : a->blocks->fill)(before, reference(a, &p, random), next);
	}
}

/* The last blocks of all lanes [C], then the result. */
static void finish(uint8_t *ret, size_t len, const struct argon2 *a)
{
	uint8_t last[ARGON2_BLOCK_BYTES] = { 0 };

	for (uint32_t lane = 0; lane < a->lanes; lane++) {
		const uint8_t *block = block_at(a, lane, a->lane_blocks - 1);

		for (size_t i = 0; i < sizeof(last); i++)
			last[i] ^= block[i];
	}
	hash_long(ret, len, last, sizeof(last));
	secret_wipe(last, sizeof(last));
}

static int cost_valid(const struct argon2_cost *cost, const struct workplace *place)
{
	return cost->lanes && cost->lanes <= ARGON2_LANES_MAX && cost->passes &&
	       cost->passes <= UINT32_MAX / ARGON2_SLICES / ARGON2_LANES_MAX &&
	       cost->memory_kib >= 2 * ARGON2_SLICES * cost->lanes &&
	       cost->memory_kib <= (uint64_t)place->count * (WORKPLACE_PIECE_BYTES / 1024);
}

static int input_valid(const struct argon2_input *in)
{
	const struct argon2_part *parts[] = { &in->password, &in->salt, &in->secret, &in->data };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i]->len > UINT32_MAX)
			return 0;
	return 1;
}

enum err argon2_compute(uint8_t *ret, size_t len, const struct argon2_input *input,
			const struct argon2_cost *cost, const struct workplace *place)
{
	struct argon2 a = { .place = place, .blocks = argon2_blocks_choose(), .passes = cost->passes,
			    .lanes = cost->lanes };
	uint8_t first[PREHASH_BYTES];

	if (!cost_valid(cost, place) || !input_valid(input) || len < RESULT_BYTES_MIN ||
	    len > ARGON2_BLOCK_BYTES)
		return ERR_RANGE;
	a.segment_blocks = cost->memory_kib / (ARGON2_SLICES * cost->lanes);
	a.lane_blocks = a.segment_blocks * ARGON2_SLICES;
	hash_first(first, len, input, cost);
	blocks_begin(&a, first);
	secret_wipe(first, sizeof(first));
	workplace_run(&(struct workplace_job){ .rounds = cost->passes * ARGON2_SLICES, .lanes = cost->lanes,
					       .work = segment_fill, .context = &a });
	finish(ret, len, &a);
	return OK;
}
