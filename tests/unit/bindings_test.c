/* Bindings: bytes, list, and the copies under the unlock key. */
#include "core_test.h"

#include "common/bindings.h"
#include "core_sample.h"
#include "stack_probe.h"

#define HEAD BINDINGS_HEAD_BYTES
#define ENTRY BINDING_BYTES

static const struct unlock_key uk = { "the unlock key of 32 random byte" };
static const struct unlock_key next_uk = { "another unlock key: 32 more byte" };
static const uint8_t anna[16] = "anna's record", bert[16] = "bert's record";
static const uint8_t lockout[TPM_AUTH_BYTES] = "the TPM's lockoutAuth: 32 bytes.";

#define BINDINGS __attribute__((cleanup(bindings_drop))) struct bindings

/* Two of anna's, one of bert's, and a lockoutAuth. */
static void make(struct bindings *ret)
{
	bindings_default(ret);
	sample_bind(ret, anna, BINDING_SECRET, &uk);
	sample_bind(ret, anna, BINDING_SHARES, &uk);
	sample_bind(ret, bert, BINDING_SECRET, &uk);
	bindings_close_lockout(ret, lockout, &uk);
}

static void encode(uint8_t *ret, size_t *ret_len, const struct bindings *b)
{
	expect("encode", OK, bindings_encode(ret, ret_len, b));
}

static void round_trip(void **state)
{
	BINDINGS b = { 0 }, again = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX], more[BINDINGS_BYTES_MAX];
	size_t len, more_len;

	(void)state;
	make(&b);
	encode(bytes, &len, &b);
	assert_int_equal(len, HEAD + 3 * ENTRY);
	expect("decode", OK, bindings_decode(&again, bytes, len));
	assert_int_equal(again.head.count, 3);
	encode(more, &more_len, &again);
	assert_int_equal(more_len, len);
	assert_memory_equal(more, bytes, len);
}

static void empty(void **state)
{
	BINDINGS b = { 0 }, again = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX], auth[TPM_AUTH_BYTES];
	size_t len;

	(void)state;
	bindings_default(&b);
	encode(bytes, &len, &b);
	assert_int_equal(len, HEAD);
	expect("decode", OK, bindings_decode(&again, bytes, len));
	assert_null(again.entries);
	expect("no lockoutAuth", ERR_NOT_FOUND, bindings_open_lockout(auth, &again, &uk));
	expect("nothing to seal anew", OK, bindings_rekey(&again, &uk, &next_uk));
	assert_int_equal(again.head.count, 0);
	bindings_remove(&again, anna);
}

/* Places, by docs/formats.md. */
static void places(void **state)
{
	BINDINGS b = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX];
	size_t len;

	(void)state;
	make(&b);
	encode(bytes, &len, &b);
	assert_memory_equal(bytes, "HFBIND01\1\0\3\0\1\0\0\x81\1\2\0", 19);
	assert_memory_equal(bytes + 48, "\3\4\0", 3);
	assert_int_equal(bytes[80], 0x77);
	assert_memory_equal(bytes + HEAD, anna, 16);
	assert_memory_equal(bytes + HEAD + 16, "\1\0\x4e\0\xa0\0\0\0\x11", 9);
	assert_int_equal(bytes[HEAD + 152], 0x22);
	assert_memory_equal(bytes + HEAD + 408, b.entries[0].nonce, 24);
	assert_memory_equal(bytes + HEAD + 432, b.entries[0].copy, 80);
	assert_int_equal(bytes[HEAD + ENTRY + 16], 2);
}

static void lengths(void **state)
{
	BINDINGS b = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX], *exact;
	struct bindings ret = { 0 };
	size_t len;

	(void)state;
	make(&b);
	encode(bytes, &len, &b);
	for (size_t n = 0; n <= len + 1; n++) {
		exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, bytes, n);
		if (n != len)
			expect("another length", ERR_FORMAT, bindings_decode(&ret, exact, n));
		assert_null(ret.entries);
		free(exact);
	}
}

static void damaged(void **state)
{
	static const struct damage rows[] = {
		{ "another magic", 0, "X", 1, ERR_FORMAT },
		{ "version 0", 8, "\0", 1, ERR_FORMAT },
		{ "version 2", 8, "\2", 1, ERR_VERSION },
		{ "version 256", 8, "\0\1", 2, ERR_VERSION },
		{ "two entries", 10, "\2", 1, ERR_FORMAT },
		{ "four entries", 10, "\4", 1, ERR_FORMAT },
		{ "65 entries", 10, "\x41", 1, ERR_RANGE },
		{ "65535 entries", 10, "\xff\xff", 2, ERR_RANGE },
		{ "no persistent parent", 12, "\0\0\0\0", 4, OK },
		{ "the first persistent handle", 12, "\0\0\0\x81", 4, OK },
		{ "the last of the owner's", 12, "\xff\xff\x7f\x81", 4, OK },
		{ "a handle of the platform's", 12, "\0\0\x80\x81", 4, ERR_RANGE },
		{ "a transient handle", 12, "\0\0\0\x80", 4, ERR_RANGE },
		{ "a PCR", 12, "\7\0\0\0", 4, ERR_RANGE },
		{ "half of no point", 16, "\0\0", 2, OK },
		{ "kind 0", HEAD + 16, "\0", 1, ERR_FORMAT },
		{ "kind 3", HEAD + 16, "\3", 1, ERR_FORMAT },
		{ "a reserved byte in use", HEAD + 17, "\1", 1, ERR_FORMAT },
		{ "no public area", HEAD + 18, "\0", 1, ERR_RANGE },
		{ "the largest public area", HEAD + 18, "\x80", 1, OK },
		{ "a public area too large", HEAD + 18, "\x81", 1, ERR_RANGE },
		{ "a public area of 64 KiB", HEAD + 18, "\xff\xff", 2, ERR_RANGE },
		{ "a shorter public area, and bytes behind it", HEAD + 18, "\x4d", 1, ERR_FORMAT },
		{ "no private area", HEAD + 20, "\0", 1, ERR_RANGE },
		{ "the largest private area", HEAD + 20, "\0\1", 2, OK },
		{ "a private area too large", HEAD + 20, "\1\1", 2, ERR_RANGE },
		{ "a shorter private area, and bytes behind it", HEAD + 20, "\x9f", 1, ERR_FORMAT },
		{ "reserved bytes in use", HEAD + 23, "\1", 1, ERR_FORMAT },
		{ "bytes behind the public area", HEAD + 24 + 127, "x", 1, ERR_FORMAT },
		{ "bytes behind the private area", HEAD + 152 + 255, "x", 1, ERR_FORMAT },
		{ "the same kind twice of one credential", HEAD + ENTRY + 16, "\1", 1, ERR_FORMAT },
		{ "damage in the last entry", HEAD + 2 * ENTRY + 16, "\x9", 1, ERR_FORMAT },
	};
	BINDINGS b = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX], again[BINDINGS_BYTES_MAX];
	size_t len, again_len;

	(void)state;
	make(&b);
	for (size_t i = 0; i < COUNT(rows); i++) {
		BINDINGS got = { 0 };

		encode(bytes, &len, &b);
		damage_apply(bytes, &rows[i]);
		expect(rows[i].why, rows[i].want, bindings_decode(&got, bytes, len));
		if (rows[i].want) {
			assert_null(got.entries);
			continue;
		}
		encode(again, &again_len, &got);
		assert_int_equal(len, again_len);
		assert_memory_equal(bytes, again, len);
	}
}

static void no_point(void **state)
{
	BINDINGS b = { 0 }, got = { 0 };
	const struct tpm_parent none = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX];
	size_t len;

	(void)state;
	make(&b);
	encode(bytes, &len, &b);
	memset(bytes + 16, 0, 64);
	expect("entries without a parent", ERR_RANGE, bindings_decode(&got, bytes, len));
	bindings_set_parent(&b, &none);
	expect("entries without a parent", ERR_RANGE, bindings_encode(bytes, &len, &b));
}

/* What can't be read again is not written. */
static void encode_refused(void **state)
{
	BINDINGS b = { 0 };
	uint8_t bytes[BINDINGS_BYTES_MAX];
	size_t len;

	(void)state;
	make(&b);
	b.entries[1].kind = BINDING_SECRET;
	expect("the same twice", ERR_RANGE, bindings_encode(bytes, &len, &b));
	b.entries[1].kind = 0;
	expect("kind 0", ERR_RANGE, bindings_encode(bytes, &len, &b));
	b.entries[1].kind = BINDING_SHARES;
	b.entries[2].public_bytes = TPM_PUBLIC_MAX + 1;
	expect("a public area too large", ERR_RANGE, bindings_encode(bytes, &len, &b));
	b.entries[2].public_bytes = 78;
	b.head.parent = 0x80000000;
	expect("a transient parent", ERR_RANGE, bindings_encode(bytes, &len, &b));
	b.head.parent = 0;
	encode(bytes, &len, &b);
	b.head.count = BINDINGS_MAX + 1;
	expect("a count over the bound, before the entries", ERR_RANGE, bindings_encode(bytes, &len, &b));
	b.head.count = 3;
}

static void list(void **state)
{
	BINDINGS b = { 0 };
	struct binding entry, *found = NULL;

	(void)state;
	make(&b);
	expect("anna's shares", OK, bindings_find(&found, &b, anna, BINDING_SHARES));
	assert_ptr_equal(found, &b.entries[1]);
	expect("bert has none", ERR_NOT_FOUND, bindings_find(&found, &b, bert, BINDING_SHARES));
	entry = b.entries[0];
	memset(entry.private_area, 0x99, 200);
	entry.private_bytes = 200;
	expect("in the place of the old one", OK, bindings_put(&b, &entry));
	assert_int_equal(b.head.count, 3);
	assert_int_equal(b.entries[0].private_bytes, 200);
	entry.private_bytes = TPM_PRIVATE_MAX + 1;
	expect("what could not be read again", ERR_RANGE, bindings_put(&b, &entry));
	bindings_remove(&b, anna);
	assert_int_equal(b.head.count, 1);
	expect("bert's stays", OK, bindings_find(&found, &b, bert, BINDING_SECRET));
	expect("anna's is gone", ERR_NOT_FOUND, bindings_find(&found, &b, anna, BINDING_SECRET));
	bindings_remove(&b, anna);
	bindings_remove(&b, bert);
	assert_int_equal(b.head.count, 0);
	sample_bind(&b, bert, BINDING_SECRET, &uk);
	assert_int_equal(b.head.count, 1);
}

static void to_the_brim(void **state)
{
	BINDINGS b = { 0 };
	uint8_t id[16] = { 0 }, bytes[BINDINGS_BYTES_MAX];
	struct binding more;
	size_t len;

	(void)state;
	for (unsigned i = 0; i < BINDINGS_MAX; i++) {
		id[0] = (uint8_t)i;
		sample_bind(&b, id, BINDING_SECRET, &uk);
	}
	more = b.entries[0];
	more.credential[1] = 1;
	expect("one too many", ERR_SPACE, bindings_put(&b, &more));
	expect("but one in the place of another", OK, bindings_put(&b, &b.entries[5]));
	encode(bytes, &len, &b);
	assert_int_equal(len, BINDINGS_BYTES_MAX);
	expect("all under another key", OK, bindings_rekey(&b, &uk, &next_uk));
}

static void objects(void **state)
{
	struct tpm_object in = { .public_len = 3, .private_len = 5 }, out;
	struct tpm_parent parent = { 0x81000002, { 5 }, { 6 } }, got;
	struct binding b;
	BINDINGS s = { 0 };

	(void)state;
	memset(&b, 0xa5, sizeof(b));
	memset(in.public_area, 0x11, sizeof(in.public_area));
	memset(in.private_area, 0x22, sizeof(in.private_area));
	binding_set_object(&b, &in);
	assert_int_equal(b.public_area[2], 0x11);
	assert_true(sodium_is_zero(b.public_area + 3, sizeof(b.public_area) - 3));
	assert_true(sodium_is_zero(b.private_area + 5, sizeof(b.private_area) - 5));
	binding_object(&out, &b);
	assert_int_equal(out.public_len, 3);
	assert_int_equal(out.private_len, 5);
	assert_memory_equal(out.private_area, in.private_area, 5);
	bindings_set_parent(&s, &parent);
	bindings_parent(&got, &s);
	assert_memory_equal(&got, &parent, sizeof(got));
}

static void copies(void **state)
{
	BINDINGS b = { 0 };
	struct sealed s;
	struct binding damaged;

	(void)state;
	make(&b);
	expect("open", OK, binding_open(&s, &b.entries[0], &uk));
	assert_int_equal(s.secret[31], 0x33);
	assert_int_equal(s.auth[31], 0x44);
	memset(&s, 0xa5, sizeof(s));
	expect("another key", ERR_AUTH, binding_open(&s, &b.entries[0], &next_uk));
	for (size_t i = 0; i < sizeof(damaged.copy); i++) {
		damaged = b.entries[0];
		damaged.copy[i] ^= 1;
		expect("a copy changed", ERR_AUTH, binding_open(&s, &damaged, &uk));
	}
	damaged = b.entries[0];
	damaged.nonce[23] ^= 1;
	expect("another nonce", ERR_AUTH, binding_open(&s, &damaged, &uk));
	damaged = b.entries[0];
	memcpy(damaged.credential, bert, sizeof(bert));
	expect("moved to another credential", ERR_AUTH, binding_open(&s, &damaged, &uk));
	damaged = b.entries[0];
	damaged.kind = BINDING_SHARES;
	expect("moved to another kind", ERR_AUTH, binding_open(&s, &damaged, &uk));
	assert_true(untouched(&s, sizeof(s)));
}

/* The formulas of docs/formats.md, by themselves. */
static void copy_formats(void **state)
{
	BINDINGS b = { 0 };
	uint8_t aad[64], inside[64];

	(void)state;
	make(&b);
	memcpy(aad, "holdfast binding v1", 19);
	memcpy(aad + 19, anna, 16);
	aad[35] = BINDING_SECRET;
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(inside, NULL, NULL, b.entries[0].copy, 80,
								    aad, 36, b.entries[0].nonce, uk.bytes), 0);
	assert_int_equal(inside[0], 0x33);
	assert_int_equal(inside[32], 0x44);
	memcpy(aad, "holdfast lockout v1", 19);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(inside, NULL, NULL, b.head.lockout, 48, aad,
								    19, b.head.nonce, uk.bytes), 0);
	assert_memory_equal(inside, lockout, 32);
}

static void lockout_auth(void **state)
{
	BINDINGS b = { 0 };
	uint8_t auth[TPM_AUTH_BYTES];

	(void)state;
	make(&b);
	expect("open", OK, bindings_open_lockout(auth, &b, &uk));
	assert_memory_equal(auth, lockout, sizeof(auth));
	memset(auth, 0xa5, sizeof(auth));
	expect("another key", ERR_AUTH, bindings_open_lockout(auth, &b, &next_uk));
	b.head.lockout[0] ^= 1;
	expect("changed", ERR_AUTH, bindings_open_lockout(auth, &b, &uk));
	assert_true(untouched(auth, sizeof(auth)));
}

static void rekey(void **state)
{
	BINDINGS b = { 0 };
	SEALED s = { 0 };
	uint8_t auth[TPM_AUTH_BYTES];

	(void)state;
	make(&b);
	expect("rekey", OK, bindings_rekey(&b, &uk, &next_uk));
	for (size_t i = 0; i < 3; i++) {
		expect("the old key", ERR_AUTH, binding_open(&s, &b.entries[i], &uk));
		expect("the new key", OK, binding_open(&s, &b.entries[i], &next_uk));
		assert_int_equal(s.secret[0], 0x33);
		assert_int_equal(s.auth[0], b.entries[i].kind == BINDING_SECRET ? 0x44 : 0);
	}
	expect("the old key", ERR_AUTH, bindings_open_lockout(auth, &b, &uk));
	expect("the new key", OK, bindings_open_lockout(auth, &b, &next_uk));
	assert_memory_equal(auth, lockout, sizeof(auth));
}

static void break_last(struct bindings *b)
{
	b->entries[2].copy[79] ^= 1;
}

static void break_lockout(struct bindings *b)
{
	b->head.lockout[47] ^= 1;
}

static void rekey_fails(void **state)
{
	void (*const breaks[])(struct bindings *) = { break_last, break_lockout };
	uint8_t before[BINDINGS_BYTES_MAX], after[BINDINGS_BYTES_MAX];
	size_t len, after_len;

	(void)state;
	for (size_t i = 0; i < COUNT(breaks); i++) {
		BINDINGS b = { 0 };

		make(&b);
		breaks[i](&b);
		encode(before, &len, &b);
		expect("a damaged copy", ERR_AUTH, bindings_rekey(&b, &uk, &next_uk));
		encode(after, &after_len, &b);
		assert_int_equal(len, after_len);
		assert_memory_equal(before, after, len);
	}
}

struct run {
	struct bindings b;
	struct sealed s;
	uint8_t auth[TPM_AUTH_BYTES];
	enum err e;
};

static void run_close(void *p)
{
	struct run *r = p;

	binding_close(&r->b.entries[0], &r->s, &uk);
	bindings_close_lockout(&r->b, r->auth, &uk);
	r->e = OK;
}

static void run_open(void *p)
{
	struct run *r = p;

	r->e = binding_open(&r->s, &r->b.entries[0], &uk);
}

static void run_open_lockout(void *p)
{
	struct run *r = p;

	r->e = bindings_open_lockout(r->auth, &r->b, &uk);
}

static void run_rekey(void *p)
{
	struct run *r = p;

	r->e = bindings_rekey(&r->b, &uk, &uk);
}

static void run_rekey_wrong(void *p)
{
	struct run *r = p;

	r->e = bindings_rekey(&r->b, &next_uk, &uk);
}

static void leaves_nothing(void **state)
{
	static const struct {
		const char *why;
		void (*run)(void *);
		enum err want;
	} rows[] = {
		{ "closing", run_close, OK },
		{ "opening", run_open, OK },
		{ "opening the lockoutAuth", run_open_lockout, OK },
		{ "another unlock key", run_rekey, OK },
		{ "another unlock key, refused", run_rekey_wrong, ERR_AUTH },
	};
	struct run r = { 0 };

	(void)state;
	make(&r.b);
	randombytes_buf(&r.s, sizeof(r.s));
	randombytes_buf(r.auth, sizeof(r.auth));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stack_probe probe;

		stack_probe_run(&probe, rows[i].run, &r);
		expect(rows[i].why, rows[i].want, r.e);
		if (stack_probe_holds(&probe, r.s.secret) || stack_probe_holds(&probe, r.s.auth) ||
		    stack_probe_holds(&probe, r.auth) || stack_probe_holds(&probe, uk.bytes) ||
		    stack_probe_holds(&probe, next_uk.bytes))
			fail_msg("%s leaves a secret on the stack", rows[i].why);
		stack_probe_drop(&probe);
	}
	bindings_drop(&r.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(empty),
		cmocka_unit_test(places),
		cmocka_unit_test(lengths),
		cmocka_unit_test(damaged),
		cmocka_unit_test(no_point),
		cmocka_unit_test(encode_refused),
		cmocka_unit_test(list),
		cmocka_unit_test(to_the_brim),
		cmocka_unit_test(objects),
		cmocka_unit_test(copies),
		cmocka_unit_test(copy_formats),
		cmocka_unit_test(lockout_auth),
		cmocka_unit_test(rekey),
		cmocka_unit_test(rekey_fails),
		cmocka_unit_test(leaves_nothing),
	};

	return RUN(tests);
}
