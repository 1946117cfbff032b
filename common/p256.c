#include "p256.h"

#include <mbedtls/ecp.h>
#include <sodium.h>

/* What mbedTLS works with: the group, a point, a scalar. */
struct numbers {
	mbedtls_ecp_group group;
	mbedtls_ecp_point point, product;
	mbedtls_mpi scalar;
};

static void numbers_free(struct numbers *n)
{
	mbedtls_mpi_free(&n->scalar);
	mbedtls_ecp_point_free(&n->product);
	mbedtls_ecp_point_free(&n->point);
	mbedtls_ecp_group_free(&n->group);
}
#define NUMBERS __attribute__((cleanup(numbers_free))) struct numbers

void p256_scalar_wipe(struct p256_scalar *s)
{
	sodium_memzero(s, sizeof(*s));
}

static int random_bytes(void *context, unsigned char *ret, size_t len)
{
	(void)context;
	randombytes_buf(ret, len);
	return 0;
}

static enum err translate(int status)
{
	switch (status) {
	case 0:
		return OK;
	case MBEDTLS_ERR_ECP_INVALID_KEY:
		return ERR_FORMAT;
	case MBEDTLS_ERR_MPI_ALLOC_FAILED:
	case MBEDTLS_ERR_ECP_ALLOC_FAILED:
		return ERR_MEMORY;
	default:
		return ERR_INTERNAL;
	}
}

static enum err numbers_start(struct numbers *n)
{
	mbedtls_ecp_group_init(&n->group);
	mbedtls_ecp_point_init(&n->point);
	mbedtls_ecp_point_init(&n->product);
	mbedtls_mpi_init(&n->scalar);
	return translate(mbedtls_ecp_group_load(&n->group, MBEDTLS_ECP_DP_SECP256R1));
}

static enum err point_read(struct numbers *n, const struct p256_point *p)
{
	int status = mbedtls_mpi_read_binary(&n->point.X, p->x, P256_BYTES);

	if (!status)
		status = mbedtls_mpi_read_binary(&n->point.Y, p->y, P256_BYTES);
	if (!status)
		status = mbedtls_mpi_lset(&n->point.Z, 1);
	if (!status)
		status = mbedtls_ecp_check_pubkey(&n->group, &n->point);
	return translate(status);
}

static enum err scalar_read(struct numbers *n, const struct p256_scalar *s)
{
	enum err e = translate(mbedtls_mpi_read_binary(&n->scalar, s->bytes, P256_BYTES));

	if (!e && mbedtls_ecp_check_privkey(&n->group, &n->scalar))
		e = ERR_RANGE;
	return e;
}

static enum err multiply(struct numbers *n, const mbedtls_ecp_point *by)
{
	return translate(mbedtls_ecp_mul(&n->group, &n->product, &n->scalar, by, random_bytes, NULL));
}

static enum err coordinate_write(uint8_t ret[static P256_BYTES], const mbedtls_mpi *coordinate)
{
	return translate(mbedtls_mpi_write_binary(coordinate, ret, P256_BYTES));
}

enum err p256_check(const struct p256_point *p)
{
	NUMBERS n;
	enum err e = numbers_start(&n);

	return e ? e : point_read(&n, p);
}

enum err p256_public(struct p256_point *ret, const struct p256_scalar *s)
{
	struct p256_point p;
	NUMBERS n;
	enum err e = numbers_start(&n);

	if (!e)
		e = scalar_read(&n, s);
	if (!e)
		e = multiply(&n, &n.group.G);
	if (!e)
		e = coordinate_write(p.x, &n.product.X);
	if (!e)
		e = coordinate_write(p.y, &n.product.Y);
	if (!e)
		*ret = p;
	return e;
}

enum err p256_generate(struct p256_scalar *ret, struct p256_point *ret_public)
{
	P256_SCALAR s;
	enum err e;

	do { /* one in 2^32 is not below the order */
		randombytes_buf(s.bytes, sizeof(s.bytes));
		e = p256_public(ret_public, &s);
	} while (e == ERR_RANGE);
	if (!e)
		*ret = s;
	return e;
}

enum err p256_shared(uint8_t ret[static P256_BYTES], const struct p256_scalar *s,
		     const struct p256_point *p)
{
	NUMBERS n;
	enum err e = numbers_start(&n);

	if (!e)
		e = point_read(&n, p);
	if (!e)
		e = scalar_read(&n, s);
	if (!e)
		e = multiply(&n, &n.point);
	return e ? e : coordinate_write(ret, &n.product.X);
}
