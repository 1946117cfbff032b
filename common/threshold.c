/* Threshold: the field, a polynomial a byte, and Lagrange's interpolation at 0. */
#include "threshold.h"

#include <sodium.h>
#include <string.h>

#include "secret.h"

#define AES_POLYNOMIAL 0x1b /* without x^8 */

static uint8_t field_multiply(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (int i = 0; i < 8; i++) {
		product ^= (uint8_t)(a & -(b & 1));
		a = (uint8_t)(a << 1 ^ (AES_POLYNOMIAL & -(a >> 7)));
		b >>= 1;
	}
	return product;
}

/* a^254: of 255 elements each is the 255th root of 1. */
static uint8_t field_invert(uint8_t a)
{
	uint8_t power = a, product = 1;

	for (int i = 0; i < 7; i++) {
		power = field_multiply(power, power);
		product = field_multiply(product, power);
	}
	return product;
}

static void coefficients_wipe(uint8_t (*bytes)[THRESHOLD_SHARES_MAX][THRESHOLD_BYTES])
{
	secret_wipe(*bytes, sizeof(*bytes));
}
#define COEFFICIENTS __attribute__((cleanup(coefficients_wipe))) uint8_t

enum err threshold_split(uint8_t (*ret)[THRESHOLD_BYTES], unsigned count, unsigned need,
			 const uint8_t secret[static THRESHOLD_BYTES])
{
	COEFFICIENTS of[THRESHOLD_SHARES_MAX][THRESHOLD_BYTES];

	if (count > THRESHOLD_SHARES_MAX || need < THRESHOLD_NEED_MIN || need > count)
		return ERR_RANGE;
	randombytes_buf(of, sizeof(of));
	memcpy(of[0], secret, THRESHOLD_BYTES);
	for (unsigned i = 0; i < count; i++)
		for (size_t b = 0; b < THRESHOLD_BYTES; b++) {
			uint8_t value = 0;

			for (unsigned degree = need; degree-- > 0;)
				value = field_multiply(value, (uint8_t)(i + 1)) ^ of[degree][b];
			ret[i][b] = value;
		}
	return OK;
}

static int numbers_valid(const unsigned *numbers, unsigned need)
{
	if (need < THRESHOLD_NEED_MIN || need > THRESHOLD_SHARES_MAX)
		return 0;
	for (unsigned j = 0; j < need; j++) {
		if (numbers[j] >= THRESHOLD_SHARES_MAX)
			return 0;
		for (unsigned other = 0; other < j; other++)
			if (numbers[other] == numbers[j])
				return 0;
	}
	return 1;
}

/* What share j counts for at 0: the product of x / (x - x_j) over the others. */
static uint8_t weight(const unsigned *numbers, unsigned need, unsigned j)
{
	uint8_t product = 1;

	for (unsigned other = 0; other < need; other++) {
		uint8_t x = (uint8_t)(numbers[other] + 1), own = (uint8_t)(numbers[j] + 1);

		if (other != j)
			product = field_multiply(product, field_multiply(x, field_invert(x ^ own)));
	}
	return product;
}

enum err threshold_join(uint8_t ret[static THRESHOLD_BYTES], const unsigned *numbers,
			const uint8_t (*shares)[THRESHOLD_BYTES], unsigned need)
{
	if (!numbers_valid(numbers, need))
		return ERR_RANGE;
	memset(ret, 0, THRESHOLD_BYTES);
	for (unsigned j = 0; j < need; j++) {
		uint8_t counts = weight(numbers, need, j);

		for (size_t b = 0; b < THRESHOLD_BYTES; b++)
			ret[b] ^= field_multiply(shares[j][b], counts);
	}
	return OK;
}
