#include "entropy.h"

#include <sodium.h>
#include <string.h>

#include "firmware.h"

#define RETRIES 32
#define FEATURE_RDRAND (1u << 30) /* CPUID 1, ECX */
#define FEATURE_RDSEED (1u << 18) /* CPUID 7, EBX */

static const EFI_GUID rng_guid = { 0x3152BCA5, 0xEADE, 0x433D,
				   { 0x86, 0x2E, 0xC0, 0x1C, 0xDC, 0x29, 0x1F, 0x44 } };

struct rng {
	void *get_info;
	EFI_STATUS (EFIAPI *get)(struct rng *self, EFI_GUID *algorithm, UINTN len, UINT8 *ret);
};

static int has_feature(uint32_t leaf, int in_ebx, uint32_t bit)
{
	uint32_t a = 0, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) : "2"(0));
	if (a < leaf)
		return 0;
	a = leaf;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) : "2"(0));
	return ((in_ebx ? b : c) & bit) != 0;
}

static int rdrand(uint64_t *ret)
{
	uint8_t ok;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*ret), "=q"(ok) : : "cc");
	return ok;
}

static int rdseed(uint64_t *ret)
{
	uint8_t ok;

	__asm__ volatile("rdseed %0; setc %1" : "=r"(*ret), "=q"(ok) : : "cc");
	return ok;
}

/* Fill with one instruction; 0 when it fails, or when it repeats itself as broken processors did
 * after a suspend. */
static int fill(uint64_t ret[4], int (*next)(uint64_t *))
{
	for (int i = 0; i < 4; i++) {
		int left = RETRIES;

		while (!next(&ret[i]))
			if (!--left)
				return 0;
		if (i && ret[i] == ret[i - 1])
			return 0;
	}
	return 1;
}

static int from_processor(crypto_generichash_state *mix)
{
	uint64_t words[4];
	int found = 0;

	if (has_feature(7, 1, FEATURE_RDSEED) && fill(words, rdseed)) {
		crypto_generichash_update(mix, (const uint8_t *)words, sizeof(words));
		found = 1;
	}
	if (has_feature(1, 0, FEATURE_RDRAND) && fill(words, rdrand)) {
		crypto_generichash_update(mix, (const uint8_t *)words, sizeof(words));
		found = 1;
	}
	sodium_memzero(words, sizeof(words));
	return found;
}

static int from_firmware(crypto_generichash_state *mix)
{
	EFI_GUID guid = rng_guid;
	struct rng *rng = NULL;
	uint8_t bytes[32];

	if (EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, (void **)&rng)) ||
	    EFI_ERROR(rng->get(rng, NULL, sizeof(bytes), bytes)))
		return 0;
	crypto_generichash_update(mix, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return 1;
}

/* What seeds go on from when a source is silent for a moment; from it none of those before can be computed. */
static uint8_t kept[32];
static int is_seeded;

enum err entropy_seed(uint8_t ret[static 32])
{
	crypto_generichash_state mix;
	uint32_t time[2];
	uint8_t seed[32 + sizeof(kept)];
	int sources;

	crypto_generichash_init(&mix, NULL, 0, sizeof(seed));
	crypto_generichash_update(&mix, kept, sizeof(kept));
	__asm__ volatile("rdtsc" : "=a"(time[0]), "=d"(time[1]));
	crypto_generichash_update(&mix, (const uint8_t *)time, sizeof(time));
	sources = from_processor(&mix);
	sources += from_firmware(&mix);
	crypto_generichash_final(&mix, seed, sizeof(seed));
	sodium_memzero(&mix, sizeof(mix));
	is_seeded |= sources > 0;
	if (is_seeded) {
		memcpy(ret, seed, 32);
		memcpy(kept, seed + 32, sizeof(kept));
	}
	sodium_memzero(seed, sizeof(seed));
	return is_seeded ? OK : ERR_UNSUPPORTED;
}
