/* Workplace: memory and processors for a KDF that needs much of both. On Linux memory is mapped and
 * threads work (workplace_host.c); under UEFI memory is gathered from what fragments there are, and the
 * other processors are asked to help (preboot/workplace_efi.c). */
#ifndef HOLDFAST_WORKPLACE_H
#define HOLDFAST_WORKPLACE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Memory is a table of equal pieces, which lie anywhere. */
#define WORKPLACE_PIECE_BYTES 65536u

struct workplace {
	uint8_t **pieces; /* aligned to 64 */
	size_t count;
	void *memory;     /* the platform's own */
};

/* Memory of so many bytes at least; its content is undefined. Errors: ERR_MEMORY, and then nothing is
 * held. */
MUST_CHECK enum err workplace_open(struct workplace *ret, uint64_t bytes);
/* Wipe and give back; accepts zeroed and already closed ones. */
void workplace_close(struct workplace *w);
#define WORKPLACE __attribute__((cleanup(workplace_close))) struct workplace

/* Work in rounds. A round's lanes may be done at the same time; a round begins when all lanes of the one
 * before are done. */
struct workplace_job {
	uint32_t rounds, lanes;
	/* On any processor: nothing of the firmware or a C library that allocates, at most 12 KiB of
	 * stack, which is wiped afterwards. */
	void (*work)(void *context, uint32_t round, uint32_t lane);
	void *context;
};

/* Do all of it, with every processor that comes; by itself if none does. One job at a time, but for
 * Linux. */
void workplace_run(const struct workplace_job *job);

/* How much of the present or last job is done, per cent. May be called at any time, such as from a
 * timer's notification while the job runs. */
unsigned workplace_progress(void);
/* Processors that did at least one lane of the last job. */
unsigned workplace_processors(void);
/* From now on at most so many processors; 0: all, as at the start. The result is the same. */
void workplace_limit(unsigned processors);

#endif
