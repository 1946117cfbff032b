/* Does a function leave a secret behind on its stack? Runs it on a stack of our own, then looks. */
#ifndef HOLDFAST_STACK_PROBE_H
#define HOLDFAST_STACK_PROBE_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PROBE_STACK_BYTES ((size_t)1 << 20)

struct stack_probe {
	void (*run)(void *);
	void *argument;
	uint8_t *stack;
};

static inline void *stack_probe_thread(void *p)
{
	struct stack_probe *probe = p;

	probe->run(probe->argument);
	return NULL;
}

/* run must keep its own secrets off its stack: reach them through argument. */
static inline void stack_probe_run(struct stack_probe *p, void (*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	p->run = run;
	p->argument = argument;
	p->stack = mmap(NULL, PROBE_STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->stack == MAP_FAILED || pthread_attr_init(&attributes) ||
	    pthread_attr_setstack(&attributes, p->stack, PROBE_STACK_BYTES) ||
	    pthread_create(&thread, &attributes, stack_probe_thread, p) ||
	    pthread_join(thread, NULL))
		abort();
	pthread_attr_destroy(&attributes);
}

/* Half of a key is as bad as a whole one. */
static inline int stack_probe_holds(const struct stack_probe *p, const void *secret)
{
	return memmem(p->stack, PROBE_STACK_BYTES, secret, 16) ||
	       memmem(p->stack, PROBE_STACK_BYTES, (const uint8_t *)secret + 16, 16);
}

static inline void stack_probe_drop(struct stack_probe *p)
{
	munmap(p->stack, PROBE_STACK_BYTES);
}

#endif
