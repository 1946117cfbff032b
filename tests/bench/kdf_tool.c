/* Argon2id in a Linux program, to be set beside the same work in holdfast.efi. Prints the time of each run, in
 * ms, a line each.
 *   bench_tool kdf MEMORY_KIB PASSES RUNS           libsodium's: one lane, one processor
 *   bench_tool lanes MEMORY_KIB PASSES RUNS LANES   the core's, on all processors
 * Exit status: 0 done, 1 failed, 2 wrong use. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/argon2.h"
#include "common/credential.h"

struct cost {
	unsigned long memory_kib, passes, runs, lanes; /* lanes 0: libsodium's */
};

static const char password[] = "correct horse 7";
static const uint8_t salt[ARGON2_SALT_BYTES] = "of the bench";
_Static_assert(sizeof(salt) == crypto_pwhash_SALTBYTES, "libsodium's salt is of another size");

static int number_read(unsigned long *ret, const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n < min || n > max)
		return -1;
	*ret = n;
	return 0;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int derive(const struct cost *c)
{
	const struct argon2_cost cost = { (uint32_t)c->memory_kib, (uint32_t)c->passes, (uint32_t)c->lanes };
	uint8_t key[ARGON2_KEY_BYTES];

	if (c->lanes)
		return argon2id(key, password, strlen(password), salt, &cost) != OK;
	return crypto_pwhash(key, sizeof(key), password, strlen(password), salt, c->passes,
			     (size_t)c->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
}

static int kdf_run(const struct cost *c)
{
	double start = now_ms();

	if (derive(c)) {
		fprintf(stderr, "bench_tool: Argon2id failed: not enough memory?\n");
		return -1;
	}
	printf("%.3f\n", now_ms() - start);
	return fflush(stdout) ? -1 : 0;
}

static int cost_read(struct cost *ret, int argc, char **argv)
{
	struct cost c = { 0 };
	int lanes = argc == 6 && !strcmp(argv[1], "lanes");

	if ((argc != 5 || strcmp(argv[1], "kdf")) && !lanes)
		return -1;
	if (number_read(&c.memory_kib, argv[2], KDF_MEMORY_KIB_MIN, KDF_MEMORY_KIB_MAX) ||
	    number_read(&c.passes, argv[3], KDF_PASSES_MIN, KDF_PASSES_MAX) ||
	    number_read(&c.runs, argv[4], 1, 1000) ||
	    (lanes && number_read(&c.lanes, argv[5], 1, KDF_LANES_MAX)))
		return -1;
	*ret = c;
	return 0;
}

int main(int argc, char **argv)
{
	struct cost c;

	if (cost_read(&c, argc, argv)) {
		fprintf(stderr, "usage: bench_tool kdf MEMORY_KIB PASSES RUNS\n"
				"       bench_tool lanes MEMORY_KIB PASSES RUNS LANES\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	while (c.runs--)
		if (kdf_run(&c))
			return 1;
	return 0;
}
