/* Workplace on Linux: one mapping that core dumps leave out, and a thread for each processor. */
#include "workplace.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "secret.h"
#include "shift.h"
#include "stack.h"

enum err workplace_open(struct workplace *ret, uint64_t bytes)
{
	uint64_t count = (bytes + WORKPLACE_PIECE_BYTES - 1) / WORKPLACE_PIECE_BYTES;
	struct workplace w = { .count = count };

	if (!bytes || bytes > SIZE_MAX / 2)
		return ERR_MEMORY;
	w.memory = mmap(NULL, count * WORKPLACE_PIECE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w.memory == MAP_FAILED)
		return ERR_MEMORY;
	w.pieces = calloc(count, sizeof(*w.pieces));
	if (!w.pieces) {
		munmap(w.memory, count * WORKPLACE_PIECE_BYTES);
		return ERR_MEMORY;
	}
	(void)madvise(w.memory, count * WORKPLACE_PIECE_BYTES, MADV_DONTDUMP);
	for (size_t i = 0; i < count; i++)
		w.pieces[i] = (uint8_t *)w.memory + i * WORKPLACE_PIECE_BYTES;
	*ret = w;
	return OK;
}

void workplace_close(struct workplace *w)
{
	if (w->memory) {
		secret_wipe(w->memory, w->count * WORKPLACE_PIECE_BYTES);
		munmap(w->memory, w->count * WORKPLACE_PIECE_BYTES);
	}
	free(w->pieces);
	*w = (struct workplace){ 0 };
}

static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n > 1 ? (unsigned)n : 1;
}

static void rest(void)
{
	sched_yield();
}

static void *help(void *s)
{
	shift_help(s, rest, NULL);
	stack_wipe();
	return NULL;
}

#define HELPERS_MAX 63

void workplace_run(const struct workplace_job *job)
{
	struct shift s;
	pthread_t helpers[HELPERS_MAX];
	unsigned count = 0, wanted = processors() - 1;

	shift_begin(&s, job);
	if (wanted > s.seats - 1)
		wanted = s.seats - 1;
	if (wanted > HELPERS_MAX)
		wanted = HELPERS_MAX;
	while (count < wanted && !pthread_create(&helpers[count], NULL, help, &s))
		count++;
	shift_work(&s, rest, NULL);
	shift_finish(&s, rest);
	while (count)
		pthread_join(helpers[--count], NULL);
	stack_wipe();
}
