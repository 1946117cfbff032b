#include "processors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "preboot/processor.h"

#define THREADS_MAX 16
#define BUSY EFI_NOT_READY

static const EFI_GUID services_guid = { 0x3FDDA605, 0xA76E, 0x4F46,
					{ 0xAD, 0x29, 0x12, 0xF4, 0x53, 0x1B, 0x3D, 0x08 } };

static struct {
	unsigned count, started, threads;
	enum fake_processors_habit habit;
	int busy, open, refreshed, wiped; /* atomic but for busy */
	void(EFIAPI *procedure)(void *);
	void *argument;
	EFI_EVENT finished;
	pthread_t thread[THREADS_MAX];
} others;

static __thread int is_other;

static void *other(void *nothing)
{
	is_other = 1;
	while (!__atomic_load_n(&others.open, __ATOMIC_ACQUIRE))
		usleep(100);
	others.procedure(others.argument);
	return nothing;
}

static EFI_STATUS EFIAPI count(void *self, UINTN *all, UINTN *enabled)
{
	(void)self;
	if (others.habit == FAKE_MISCOUNT)
		return EFI_DEVICE_ERROR;
	*all = *enabled = others.count;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI start(void *self, void(EFIAPI *procedure)(void *), BOOLEAN one_by_one,
			       EFI_EVENT finished, UINTN timeout_us, void *argument, UINTN **failed)
{
	(void)self;
	others.started++;
	if (others.habit == FAKE_REFUSE)
		return EFI_UNSUPPORTED;
	if (others.busy)
		return BUSY;
	if (!finished || one_by_one || timeout_us || failed)
		abort(); /* would wait, one after the other, or end somebody in the midst of work */
	others.busy = 1;
	others.finished = finished;
	others.procedure = procedure;
	others.argument = argument;
	others.open = others.habit == FAKE_COME || others.habit == FAKE_NO_SSE;
	if (others.habit == FAKE_COME_NEVER)
		return EFI_SUCCESS;
	for (others.threads = 0; others.threads < others.count - 1; others.threads++)
		if (pthread_create(&others.thread[others.threads], NULL, other, NULL))
			abort();
	return EFI_SUCCESS;
}

static void join(void)
{
	while (others.threads)
		pthread_join(others.thread[--others.threads], NULL);
}

void fake_processors_end(void)
{
	__atomic_store_n(&others.open, 1, __ATOMIC_RELEASE);
	join();
	others.busy = 0;
}

/* Firmware notices that all are done when it is asked for the event, not before. */
static EFI_STATUS(EFIAPI *check_other_event)(EFI_EVENT);
static EFI_STATUS EFIAPI check_event(EFI_EVENT event)
{
	if (!others.finished || event != others.finished)
		return check_other_event(event);
	if (others.busy && others.open)
		fake_processors_end();
	return others.busy ? EFI_NOT_READY : EFI_SUCCESS;
}

/* Threads need real time. */
static EFI_STATUS EFIAPI stall(UINTN us)
{
	usleep((useconds_t)us / 10);
	return EFI_SUCCESS;
}

static struct {
	void *count, *info, *start;
} services = { count, NULL, start };

void fake_processors(unsigned n, enum fake_processors_habit habit)
{
	if (!n || n > THREADS_MAX)
		abort();
	memset(&others, 0, sizeof(others));
	others.count = n;
	others.habit = habit;
	check_other_event = fake_boot.CheckEvent;
	fake_boot.CheckEvent = check_event;
	fake_boot.Stall = stall;
	fake_protocol_add(fake_handle_new(), &services_guid, &services);
}

unsigned fake_processors_started(void)
{
	return others.started;
}

int fake_processors_wiped(void)
{
	return others.wiped == others.refreshed;
}

/* Stands for preboot/processor_efi.c. */

static __thread int has_worked;

int processor_is_ready(void)
{
	return others.habit != FAKE_NO_SSE;
}

void processor_refresh(void)
{
	if (is_other && !has_worked++)
		__atomic_add_fetch(&others.refreshed, 1, __ATOMIC_ACQ_REL);
}

void processor_pause(void)
{
	usleep(1);
}

void processor_wipe(void)
{
	if (is_other && has_worked)
		__atomic_add_fetch(&others.wiped, 1, __ATOMIC_ACQ_REL);
}
