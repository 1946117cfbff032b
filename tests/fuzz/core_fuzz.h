/* For the fuzzers of the formats. Each builds its seed when it starts, fails unless that one decodes,
 * and puts it into the corpus folder that it was started with: so each provably reaches success, and
 * no binary file has to follow a change of the format. */
#ifndef HOLDFAST_CORE_FUZZ_H
#define HOLDFAST_CORE_FUZZ_H

#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/core_sample.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void fuzz_begin(void)
{
	if (sodium_init() < 0)
		abort();
}

/* The corpus folder is the first argument that is a folder; without one there is nothing to keep. */
static inline void fuzz_seed(char **argv, const char *name, const uint8_t *bytes, size_t len)
{
	struct stat st;
	char path[4096];
	FILE *f;

	for (argv++; *argv && (stat(*argv, &st) || !S_ISDIR(st.st_mode)); argv++)
		;
	if (!*argv)
		return;
	snprintf(path, sizeof(path), "%s/seed-%s", *argv, name);
	f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		abort();
}

/* An input that may be changed, in a block of exactly its size, so that a read past it is noticed. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t len)
{
	uint8_t *bytes = malloc(len ? len : 1);

	if (!bytes)
		abort();
	if (len > 0)
		memcpy(bytes, data, len);
	return bytes;
}

#endif
