/* P-256: RFC 5903's numbers, points that are none, scalars out of range. */
#include "core_test.h"

#include <stdlib.h>

#include "common/p256.h"

/* RFC 5903, 8.1: 256-bit random ECP group. */
#define SCALAR_I "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433"
#define X_I "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
#define Y_I "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"
#define SCALAR_R "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53"
#define X_R "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
#define Y_R "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
#define X_SHARED "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"
/* FIPS 186-4, D.1.2.3: order of the group, prime of the field; and y of the base point. */
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define PRIME "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define BASE_X "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define BASE_Y "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"

static void from_hex(uint8_t ret[static 32], const char *hex)
{
	size_t len;

	assert_int_equal(sodium_hex2bin(ret, 32, hex, strlen(hex), NULL, &len, NULL), 0);
	assert_int_equal(len, 32);
}

static struct p256_point point(const char *x, const char *y)
{
	struct p256_point p;

	from_hex(p.x, x);
	from_hex(p.y, y);
	return p;
}

static struct p256_scalar scalar(const char *hex)
{
	struct p256_scalar s;

	from_hex(s.bytes, hex);
	return s;
}

static void agrees_with_rfc_5903(void **state)
{
	static const struct {
		const char *why, *scalar, *x, *y, *other_x, *other_y;
	} rows[] = {
		{ "initiator", SCALAR_I, X_I, Y_I, X_R, Y_R },
		{ "responder", SCALAR_R, X_R, Y_R, X_I, Y_I },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct p256_scalar s = scalar(rows[i].scalar);
		const struct p256_point want = point(rows[i].x, rows[i].y),
					other = point(rows[i].other_x, rows[i].other_y);
		struct p256_point got;
		uint8_t shared[P256_BYTES], want_shared[P256_BYTES];

		from_hex(want_shared, X_SHARED);
		expect(rows[i].why, OK, p256_public(&got, &s));
		assert_memory_equal(&got, &want, sizeof(want));
		expect(rows[i].why, OK, p256_check(&got));
		expect(rows[i].why, OK, p256_shared(shared, &s, &other));
		assert_memory_equal(shared, want_shared, sizeof(shared));
	}
}

static void points_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *why, *x, *y;
		enum err want;
	} rows[] = {
		{ "the base point", BASE_X, BASE_Y, OK },
		{ "zeros", ZERO, ZERO, ERR_FORMAT },
		{ "another point's y", X_I, Y_R, ERR_FORMAT },
		{ "y off by one", BASE_X, "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
		  ERR_FORMAT },
		{ "x is the prime", PRIME, BASE_Y, ERR_FORMAT },
		{ "y is the prime", BASE_X, PRIME, ERR_FORMAT },
		{ "as large as can be", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		  BASE_Y, ERR_FORMAT },
	};
	const struct p256_scalar s = scalar(SCALAR_I);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct p256_point p = point(rows[i].x, rows[i].y);
		uint8_t shared[P256_BYTES];

		memset(shared, 0xa5, sizeof(shared));
		expect(rows[i].why, rows[i].want, p256_check(&p));
		expect(rows[i].why, rows[i].want, p256_shared(shared, &s, &p));
		if (rows[i].want)
			assert_true(untouched(shared, sizeof(shared)));
	}
}

static void scalars_have_a_range(void **state)
{
	static const struct {
		const char *why, *scalar;
		enum err want;
	} rows[] = {
		{ "0", ZERO, ERR_RANGE },
		{ "1", ONE, OK },
		{ "the order less 1", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", OK },
		{ "the order", ORDER, ERR_RANGE },
		{ "the prime", PRIME, ERR_RANGE },
	};
	const struct p256_point p = point(X_R, Y_R);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct p256_scalar s = scalar(rows[i].scalar);
		struct p256_point made;
		uint8_t shared[P256_BYTES];

		memset(&made, 0xa5, sizeof(made));
		memset(shared, 0xa5, sizeof(shared));
		expect(rows[i].why, rows[i].want, p256_public(&made, &s));
		expect(rows[i].why, rows[i].want, p256_shared(shared, &s, &p));
		if (rows[i].want) {
			assert_true(untouched(&made, sizeof(made)));
			assert_true(untouched(shared, sizeof(shared)));
		} else {
			/* 1 and -1 times a point: the same x */
			assert_memory_equal(shared, p.x, sizeof(shared));
		}
	}
}

static void pairs_are_fresh_and_agree(void **state)
{
	struct p256_scalar a = { { 0 } }, b = { { 0 } };
	struct p256_point pa, pb;
	uint8_t ab[P256_BYTES], ba[P256_BYTES];

	(void)state;
	expect("one", OK, p256_generate(&a, &pa));
	expect("another", OK, p256_generate(&b, &pb));
	assert_memory_not_equal(&a, &b, sizeof(a));
	expect("on the curve", OK, p256_check(&pa));
	expect("their secret", OK, p256_shared(ab, &a, &pb));
	expect("the same", OK, p256_shared(ba, &b, &pa));
	assert_memory_equal(ab, ba, sizeof(ab));
	p256_scalar_wipe(&a);
	for (size_t i = 0; i < sizeof(a.bytes); i++)
		assert_int_equal(a.bytes[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_rfc_5903),
		cmocka_unit_test(points_that_are_none_are_refused),
		cmocka_unit_test(scalars_have_a_range),
		cmocka_unit_test(pairs_are_fresh_and_agree),
	};

	return RUN(tests);
}
