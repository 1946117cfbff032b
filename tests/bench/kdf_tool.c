/* Argon2id as a Linux program gets it from libsodium, to be set beside the same work in holdfast.efi.
 *   bench_tool kdf MEMORY_KIB PASSES RUNS   print the time of each run, in ms, a line each
 * Exit status: 0 done, 1 failed, 2 wrong use. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/credential.h"

struct cost {
	unsigned long memory_kib, passes, runs;
};

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

static int kdf_run(const struct cost *c)
{
	static const char password[] = "correct horse 7";
	const unsigned char salt[crypto_pwhash_SALTBYTES] = "of the bench";
	unsigned char key[32];
	double start = now_ms();

	if (crypto_pwhash(key, sizeof(key), password, strlen(password), salt, c->passes,
			  (size_t)c->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13)) {
		fprintf(stderr, "bench_tool: Argon2id failed: not enough memory?\n");
		return -1;
	}
	printf("%.3f\n", now_ms() - start);
	return fflush(stdout) ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct cost c;

	if (argc != 5 || strcmp(argv[1], "kdf") ||
	    number_read(&c.memory_kib, argv[2], KDF_MEMORY_KIB_MIN, KDF_MEMORY_KIB_MAX) ||
	    number_read(&c.passes, argv[3], KDF_PASSES_MIN, KDF_PASSES_MAX) ||
	    number_read(&c.runs, argv[4], 1, 1000)) {
		fprintf(stderr, "usage: bench_tool kdf MEMORY_KIB PASSES RUNS\n");
		return 2;
	}
	if (sodium_init() < 0)
		return 1;
	while (c.runs--)
		if (kdf_run(&c))
			return 1;
	return 0;
}
