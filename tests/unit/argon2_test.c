/* Argon2id against RFC 9106, libargon2 and libsodium: lanes, memory that lies in pieces, processors. */
#include "core_test.h"

#include <argon2.h>
#include <stdlib.h>

#include "common/argon2.h"
#include "common/argon2_block.h"
#include "stack_probe.h"

static const uint8_t salt[ARGON2_SALT_BYTES] = "sixteen of salt";

/* RFC 9106 section 5.3. */
static void vector_of_the_rfc(void **state)
{
	static const uint8_t want[32] = { 0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
					  0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
					  0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59 };
	const struct argon2_cost cost = { .memory_kib = 32, .passes = 3, .lanes = 4 };
	uint8_t password[32], own_salt[16], secret[8], data[12], got[32];
	const struct argon2_input input = { { password, sizeof(password) },
					    { own_salt, sizeof(own_salt) },
					    { secret, sizeof(secret) },
					    { data, sizeof(data) } };
	WORKPLACE place = { 0 };

	(void)state;
	memset(password, 1, sizeof(password));
	memset(own_salt, 2, sizeof(own_salt));
	memset(secret, 3, sizeof(secret));
	memset(data, 4, sizeof(data));
	expect("workplace", OK, workplace_open(&place, 32 << 10));
	expect("compute", OK, argon2_compute(got, sizeof(got), &input, &cost, &place));
	assert_memory_equal(got, want, sizeof(want));
}

/* Pieces in any order, as fragments are. */
static void scatter(struct workplace *w)
{
	for (size_t i = w->count; i > 1; i--) {
		size_t other = randombytes_uniform((uint32_t)i);
		uint8_t *piece = w->pieces[i - 1];

		w->pieces[i - 1] = w->pieces[other];
		w->pieces[other] = piece;
	}
}

static void same_as_libargon2(const struct argon2_cost *c, size_t len)
{
	static const char password[] = "a password, its bytes";
	const struct argon2_input input = { .password = { password, sizeof(password) },
					    .salt = { salt, sizeof(salt) } };
	uint8_t want[256], got[256];
	WORKPLACE place = { 0 };

	assert_int_equal(argon2id_hash_raw(c->passes, c->memory_kib, c->lanes, password, sizeof(password), salt,
					   sizeof(salt), want, len), ARGON2_OK);
	expect("workplace", OK, workplace_open(&place, (uint64_t)c->memory_kib << 10));
	scatter(&place);
	memset(got, 0xa5, sizeof(got));
	expect("compute", OK, argon2_compute(got, len, &input, c, &place));
	if (memcmp(got, want, len) || !untouched(got + len, sizeof(got) - len))
		fail_msg("%u KiB, %u passes, %u lanes, %zu bytes: not what libargon2 has", c->memory_kib,
			 c->passes, c->lanes, len);
}

/* Sizes: the least, what is left over of them, more addresses than one block has, several pieces. */
static void other_library(void **state)
{
	static const uint32_t sizes[] = { 8, 9, 15, 16, 33, 100, 64 * 4 + 3, 4096, 5003 };

	(void)state;
	for (unsigned processors = 0; processors <= 2; processors++) {
		workplace_limit(processors);
		for (uint32_t lanes = 1; lanes <= ARGON2_LANES_MAX; lanes++)
			for (size_t i = 0; i < COUNT(sizes); i++)
				for (uint32_t passes = 1; passes <= 3; passes++)
					same_as_libargon2(&(struct argon2_cost){ sizes[i] < 100 ? sizes[i] * lanes
												: sizes[i],
										 passes, lanes },
							  32);
		assert_true(workplace_processors() >= 1 && workplace_processors() <= 8);
		if (processors)
			assert_true(workplace_processors() <= processors);
		assert_int_equal(workplace_progress(), 100);
	}
	workplace_limit(0);
}

static void any_length(void **state)
{
	(void)state;
	for (size_t len = 4; len <= 256; len++)
		same_as_libargon2(&(struct argon2_cost){ 16, 1, 2 }, len);
}

/* What records of one lane were made with. */
static void as_libsodium_has_it(void **state)
{
	static const size_t lengths[] = { 0, 1, 8, 64, 127, 128, 129, 256 };
	const struct argon2_cost cost = { 8192, 2, 1 };
	char password[256];

	(void)state;
	randombytes_buf(password, sizeof(password));
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint8_t want[32], got[32];

		assert_int_equal(crypto_pwhash_argon2id(want, sizeof(want), password, lengths[i], salt, 2, 8192 << 10,
							crypto_pwhash_argon2id_ALG_ARGON2ID13), 0);
		expect("argon2id", OK, argon2id(got, password, lengths[i], salt, &cost));
		assert_memory_equal(got, want, sizeof(want));
	}
}

static void each_processors_block_function(void **state)
{
	const struct {
		const struct argon2_blocks *blocks;
		int is_here;
	} rows[] = {
		{ &argon2_ssse3, sodium_runtime_has_ssse3() },
		{ &argon2_avx2, sodium_runtime_has_avx2() },
		{ &argon2_avx512f, sodium_runtime_has_avx512f() },
	};
	_Alignas(ARGON2_BLOCK_ALIGN) uint8_t before[2][ARGON2_BLOCK_BYTES];
	uint8_t reference[ARGON2_BLOCK_BYTES], next[2][ARGON2_BLOCK_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].is_here)
			continue;
		for (int n = 0; n < 100; n++) {
			const struct argon2_blocks *b[] = { &argon2_ref, rows[i].blocks };

			randombytes_buf(before[0], sizeof(before[0]));
			randombytes_buf(reference, sizeof(reference));
			randombytes_buf(next[0], sizeof(next[0]));
			memcpy(before[1], before[0], sizeof(before[0]));
			memcpy(next[1], next[0], sizeof(next[0]));
			for (int k = 0; k < 2; k++)
				(n % 2 ? b[k]->mix : b[k]->fill)(before[k], reference, next[k]);
			if (memcmp(next[0], next[1], sizeof(next[0])) ||
			    memcmp(before[1], next[1], sizeof(before[1])))
				fail_msg("%s is not what plain C has", rows[i].blocks->name);
		}
	}
}

static void bounds(void **state)
{
	static const struct {
		const char *why;
		struct argon2_cost cost;
		size_t len;
	} rows[] = {
		{ "no lane", { 1024, 1, 0 }, 32 },
		{ "too many lanes", { 1024, 1, ARGON2_LANES_MAX + 1 }, 32 },
		{ "lanes that overflow", { 1024, 1, UINT32_MAX }, 32 },
		{ "no pass", { 1024, 0, 1 }, 32 },
		{ "passes whose rounds overflow", { 1024, UINT32_MAX, 1 }, 32 },
		{ "no memory", { 0, 1, 1 }, 32 },
		{ "too little memory for a lane", { 7, 1, 1 }, 32 },
		{ "too little memory for eight lanes", { 63, 1, 8 }, 32 },
		{ "more memory than the workplace has", { 1025, 1, 1 }, 32 },
		{ "too short a result", { 1024, 1, 1 }, 3 },
		{ "too long a result", { 1024, 1, 1 }, ARGON2_BLOCK_BYTES + 1 },
	};
	const struct argon2_input input = { .salt = { salt, sizeof(salt) } };
	uint8_t ret[ARGON2_BLOCK_BYTES + 1];
	WORKPLACE place = { 0 };

	(void)state;
	expect("workplace", OK, workplace_open(&place, 1 << 20));
	memset(ret, 0xa5, sizeof(ret));
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(rows[i].why, ERR_RANGE,
		       argon2_compute(ret, rows[i].len, &input, &rows[i].cost, &place));
	assert_true(untouched(ret, sizeof(ret)));
}

static void memory_that_is_not_there(void **state)
{
	struct workplace place = { 0 };

	(void)state;
	expect("nothing", ERR_MEMORY, workplace_open(&place, 0));
	expect("more than there is", ERR_MEMORY, workplace_open(&place, (uint64_t)1 << 60));
	assert_null(place.pieces);
	workplace_close(&place);
}

/* Rounds one after the other, lanes once each, whoever does them. */
static uint32_t done[64][8], finished;

static void note(void *context, uint32_t round, uint32_t lane)
{
	uint32_t lanes = *(uint32_t *)context;

	if (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < round * lanes)
		abort(); /* begun before the round before was over */
	__atomic_add_fetch(&done[round][lane], 1, __ATOMIC_ACQ_REL);
	__atomic_add_fetch(&finished, 1, __ATOMIC_ACQ_REL);
}

static void every_lane_of_every_round_once(void **state)
{
	(void)state;
	for (uint32_t lanes = 1; lanes <= 8; lanes++)
		for (unsigned processors = 0; processors < 10; processors++) {
			memset(done, 0, sizeof(done));
			finished = 0;
			workplace_limit(processors);
			workplace_run(&(struct workplace_job){ 64, lanes, note, &lanes });
			assert_int_equal(finished, 64 * lanes);
			for (size_t i = 0; i < 64 * 8; i++)
				assert_int_equal(done[i / 8][i % 8], i % 8 < lanes);
		}
	workplace_limit(0);
}

struct derivation {
	uint8_t key[32];
	enum err e;
};

static void derive(void *p)
{
	struct derivation *d = p;

	d->e = argon2id(d->key, "secret", 6, salt, &(struct argon2_cost){ 8192, 1, 1 });
}

static void leaves_no_key_on_the_stack(void **state)
{
	struct derivation d = { .e = ERR_INTERNAL };
	struct stack_probe probe;

	(void)state;
	stack_probe_run(&probe, derive, &d);
	expect("derive", OK, d.e);
	assert_false(stack_probe_holds(&probe, d.key));
	stack_probe_drop(&probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_of_the_rfc),
		cmocka_unit_test(other_library),
		cmocka_unit_test(any_length),
		cmocka_unit_test(as_libsodium_has_it),
		cmocka_unit_test(each_processors_block_function),
		cmocka_unit_test(bounds),
		cmocka_unit_test(memory_that_is_not_there),
		cmocka_unit_test(every_lane_of_every_round_once),
		cmocka_unit_test(leaves_no_key_on_the_stack),
	};

	return RUN(tests);
}
