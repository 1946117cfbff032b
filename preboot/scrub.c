#include "scrub.h"

#include <emmintrin.h>

/* Distances between characters: bytes; UCS-2; EFI_INPUT_KEY; USB and PS/2 key structs. */
static const size_t strides[] = { 1, 2, 4, 8, 12, 16 };
#define STRIDE_MAX 16
#define BLOCK 64

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static int stands(const uint8_t *at, size_t stride, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (fold(at[i * stride]) != fold(text[i]))
			return 0;
	return 1;
}

static void scrub_at(uint8_t *at, size_t room, const uint8_t *text, size_t len)
{
	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		if ((len - 1) * strides[s] >= room || !stands(at, strides[s], text, len))
			continue;
		for (size_t i = 0; i < len; i++)
			*(volatile uint8_t *)&at[i * strides[s]] = 0;
	}
}

/* Which of sixteen places hold c, in either case? */
static __m128i holds(const uint8_t *at, uint8_t c)
{
	const __m128i bit = _mm_set1_epi8(0x20), want = _mm_set1_epi8((char)(c | 0x20));

	return _mm_cmpeq_epi8(_mm_or_si128(_mm_loadu_si128((const __m128i *)at), bit), want);
}

/* Of sixteen places those where the text may begin: by its first character, and its second at any
 * of the distances. */
static unsigned candidates(const uint8_t *at, const uint8_t *text)
{
	__m128i second = _mm_setzero_si128();

	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++)
		second = _mm_or_si128(second, holds(at + strides[s], text[1]));
	return (unsigned)_mm_movemask_epi8(_mm_and_si128(second, holds(at, text[0])));
}

static void scrub_candidates(uint8_t *at, size_t room, const uint8_t *text, size_t len)
{
	for (unsigned n = 0; n < BLOCK; n += 16) {
		unsigned hits = candidates(at + n, text);

		for (; hits; hits &= hits - 1) {
			size_t place = n + (unsigned)__builtin_ctz(hits);

			scrub_at(at + place, room - place, text, len);
		}
	}
}

static int block_holds(const uint8_t *at, uint8_t c)
{
	__m128i any = _mm_or_si128(_mm_or_si128(holds(at, c), holds(at + 16, c)),
				   _mm_or_si128(holds(at + 32, c), holds(at + 48, c)));

	return _mm_movemask_epi8(any) != 0;
}

/* Tens of megabytes, and somebody waits: blocks without the first character are passed over. */
static void scrub_run(uint8_t *range, size_t size, const uint8_t *text, size_t len)
{
	size_t at = 0;

	for (; at + BLOCK + STRIDE_MAX <= size; at += BLOCK)
		if (block_holds(range + at, text[0]))
			scrub_candidates(range + at, size - at, text, len);
	for (; at < size; at++)
		scrub_at(range + at, size - at, text, len);
}

void scrub_range(uint8_t *range, size_t size, const uint8_t *text, size_t len)
{
	size_t from = len;

	while (from && text[from - 1] < 0x80)
		from--;
	if (len - from >= SCRUB_SHORTEST && text[len - 1] == '\r')
		scrub_run(range, size, text + from, len - from);
}
