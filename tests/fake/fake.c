#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"
#include "preboot/firmware.h"

/* Twice what firmware gives, so that one can see by how much it is too little; the sanitizers need
 * more. */
#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define STACK_BYTES ((size_t)1 << 20)
#else
#define STACK_BYTES ((size_t)256 << 10)
#endif
#define LIMIT_S 120

/* Of the address sanitizer: every page that is kept from use after free is copied by each fork; and
 * what is too large to be had is a test like others. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4:allocator_may_return_null=1";
}

struct fake *fake_now;
uint8_t *fake_stack;
size_t fake_stack_len;

static void *shared_new(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

struct fake *fake_new(uint64_t seed)
{
	struct fake *f = shared_new(sizeof(*f));

	f->inside = shared_new(sizeof(*f->inside));
	f->inside->dice = seed * 0x9e3779b97f4a7c15u + 1;
	f->rtc = 1767225600; /* 2026-01-01 */
	f->free_mib = 2048;
	f->panel_width = 1280;
	f->panel_height = 800;
	f->patience_s = 120;
	return f;
}

void fake_free(struct fake *f)
{
	if (fake_now == f)
		fake_now = NULL;
	munmap(f->inside, sizeof(*f->inside));
	munmap(f, sizeof(*f));
}

uint32_t fake_roll(struct fake *f, uint32_t bound)
{
	uint64_t x = f->inside->dice;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	f->inside->dice = x;
	return (uint32_t)(x >> 20) % bound;
}

const char *fake_end_text(enum fake_end end)
{
	static const char *const texts[] = {
		[FAKE_KERNEL] = "the kernel has taken over",
		[FAKE_RESTART] = "restart",
		[FAKE_POWER_OFF] = "power off",
		[FAKE_CUT] = "power cut",
		[FAKE_WAITING] = "waiting for keys",
		[FAKE_RETURNED] = "returned",
		[FAKE_DIED] = "crashed or hung",
	};

	return texts[end];
}

void fake_fail(struct fake *f, enum fake_service service, unsigned first, unsigned times,
	       uint64_t status)
{
	f->inside->faults[service].first = first;
	f->inside->faults[service].times = times;
	f->inside->faults[service].status = status;
}

void fake_fail_nothing(struct fake *f)
{
	memset(f->inside->faults, 0, sizeof(f->inside->faults));
}

EFI_STATUS fake_fault(enum fake_service service)
{
	unsigned n = ++fake_now->calls[service], first = INSIDE->faults[service].first;

	if (first && n >= first && n - first < INSIDE->faults[service].times)
		return INSIDE->faults[service].status;
	return EFI_SUCCESS;
}

int fake_cut_due(void)
{
	fake_now->writes++;
	return fake_now->cut_after && fake_now->writes >= fake_now->cut_after;
}

static void power_on(struct fake *f)
{
	struct fake_inside *in = f->inside;

	in->end = FAKE_DIED;
	in->now_100ns = in->last_key_100ns = 0;
	in->screen.len = in->serial.len = 0;
	in->screen.text[0] = in->serial.text[0] = 0;
	in->width = f->panel_width;
	in->height = f->panel_height;
	memset(f->calls, 0, sizeof(f->calls));
	f->writes = 0;
	f->peak_bytes = f->stack_bytes = f->initrd_len = 0;
	f->heap_wipes = f->sounds = f->kdfs = 0;
	f->leaks[0] = f->cmdline[0] = 0;
}

void fake_here(struct fake *f)
{
	fake_now = f;
	power_on(f);
	fake_tables_start();
	fake_memory_start();
	fake_events_start();
	fake_handles_start();
	fake_variables_start();
	fake_esp_start();
	fake_partitions_start();
	fake_output_start();
	fake_input_start();
	fake_graphics_start();
	fake_kernel_start();
	fake_clock_start();
	firmware_start(fake_image, &fake_table);
}

static void stack_measure(void)
{
	const uint64_t *words = (const uint64_t *)(const void *)fake_stack;
	size_t untouched = 0;

	while (untouched < fake_stack_len / 8 && !words[untouched])
		untouched++;
	fake_now->stack_bytes = fake_stack_len - 8 * untouched;
}

static int stack_is_due(void)
{
	return fake_stack && fake_now && fake_now->measure_stack && !fake_now->stack_bytes;
}

/* Stands for libsodium's: how deep the stack has been cannot be seen any more afterwards. */
void sodium_stackzero(const size_t len)
{
	uint8_t *below;

	if (stack_is_due())
		stack_measure();
	below = alloca(len);
	sodium_memzero(below, len);
}

void fake_leave(enum fake_end end)
{
	fake_heap_on(0);
	if (end == FAKE_RESTART || end == FAKE_POWER_OFF ||
	    (end == FAKE_WAITING && fake_now->search_waiting))
		fake_search(fake_end_text(end));
	if (stack_is_due())
		stack_measure();
	fake_disks_settle(fake_now, end == FAKE_CUT);
	fake_now->ran_ms = INSIDE->now_100ns / 10000;
	INSIDE->end = end;
	fake_coverage_keep();
	if (!fake_stack)
		abort(); /* fake_here: nothing may end the process of the test */
	_exit(0);
}

struct run {
	struct fake *f;
	void (*function)(void *);
	void *argument;
};

static void *run_begin(void *p)
{
	struct run *r = p;

	fake_here(r->f);
	fake_heap_on(1);
	r->function(r->argument);
	fake_leave(FAKE_RETURNED);
}

/* In the child: the test's handlers and its longjmp would go on with the other tests here. */
static void child_prepare(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	alarm(LIMIT_S);
}

/* On a stack of its own, which can be measured and searched. */
static _Noreturn void child(struct run *r)
{
	pthread_attr_t attributes;
	pthread_t thread;

	child_prepare();
	fake_stack_len = STACK_BYTES;
	fake_stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (fake_stack == MAP_FAILED || pthread_attr_init(&attributes) ||
	    pthread_attr_setstack(&attributes, fake_stack, STACK_BYTES) ||
	    pthread_create(&thread, &attributes, run_begin, r))
		abort();
	pthread_join(thread, NULL);
	abort();
}

static void tell_death(const struct fake *f, int status)
{
	size_t len = f->inside->screen.len, from = len > 600 ? len - 600 : 0;

	if (WIFSIGNALED(status))
		fprintf(stderr, "fake: the run ended by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "fake: the run ended with exit status %d\n", WEXITSTATUS(status));
	fprintf(stderr, "fake: the screen's end:\n%s\n", f->inside->screen.text + from);
}

enum fake_end fake_call(struct fake *f, void (*function)(void *), void *argument)
{
	struct run r = { f, function, argument };
	int status;
	pid_t pid;

	fake_coverage_take(); /* makes its room before the fork */
	f->inside->end = FAKE_DIED;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid)
		child(&r);
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			abort();
	fake_coverage_take();
	if (status || f->inside->end == FAKE_DIED) {
		tell_death(f, status);
		fake_disks_settle(f, 1);
		return FAKE_DIED;
	}
	return f->inside->end;
}
