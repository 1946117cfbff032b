/* Time and events. Time is simulated: it passes while pre-boot waits, and a little at each look at
 * the clock. */
#include <stdlib.h>
#include <string.h>

#include "heap_parts.h"
#include "inside.h"

#define GLANCE_100NS 10 /* what looking at the clock takes: a loop that waits for it ends */

struct event {
	struct event *next;
	UINT32 type;
	EFI_EVENT_NOTIFY notify;
	void *context;
	int signalled;
	uint64_t due, period; /* due 0: no timer */
	int (*ready)(void *);
	void *ready_context;
};

static struct event *events;
static int notifying;

static struct event *event_new(UINT32 type)
{
	struct event *e = fake_libc_calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->type = type;
	e->next = events;
	events = e;
	return e;
}

EFI_EVENT fake_event_ready(int (*ready)(void *), void *context)
{
	struct event *e = event_new(0);

	e->ready = ready;
	e->ready_context = context;
	return e;
}

static void signal_event(struct event *e)
{
	e->signalled = 1;
	if (!(e->type & EVT_NOTIFY_SIGNAL) || !e->notify || notifying)
		return;
	e->signalled = 0;
	notifying = 1;
	e->notify(e, e->context);
	notifying = 0;
}

/* The timer that is due first, until a time. */
static struct event *next_due(uint64_t until)
{
	struct event *first = NULL;

	for (struct event *e = events; e; e = e->next)
		if (e->due && e->due <= until && (!first || e->due < first->due))
			first = e;
	return first;
}

void fake_time_pass(uint64_t d_100ns)
{
	uint64_t until = INSIDE->now_100ns + d_100ns;
	struct event *e;

	while (!notifying && (e = next_due(until)) != NULL) {
		if (e->due > INSIDE->now_100ns)
			INSIDE->now_100ns = e->due;
		e->due = e->period ? e->due + e->period : 0;
		signal_event(e);
	}
	if (INSIDE->now_100ns < until)
		INSIDE->now_100ns = until;
	if (fake_now->cut_at_ms && INSIDE->now_100ns >= fake_now->cut_at_ms * 10000)
		fake_leave(FAKE_CUT);
}

void fake_work(unsigned ms)
{
	if (fake_now)
		fake_time_pass(ms * 10000ull);
}

uint64_t fake_time_100ns(void)
{
	fake_time_pass(GLANCE_100NS);
	return INSIDE->now_100ns;
}

static EFI_STATUS EFIAPI stall(UINTN us)
{
	fake_time_pass(us * 10);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify,
				      void *context, EFI_EVENT *ret)
{
	EFI_STATUS s = fake_fault(FAKE_CREATE_EVENT);
	struct event *e;

	(void)tpl;
	if (s)
		return s;
	e = event_new(type);
	e->notify = notify;
	e->context = context;
	*ret = e;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY kind, UINT64 d_100ns)
{
	EFI_STATUS s = fake_fault(FAKE_SET_TIMER);
	struct event *e = event;

	if (s)
		return s;
	if (!(e->type & EVT_TIMER))
		return EFI_INVALID_PARAMETER;
	if (!d_100ns)
		d_100ns = 1;
	e->due = kind == TimerCancel ? 0 : INSIDE->now_100ns + d_100ns;
	e->period = kind == TimerPeriodic ? d_100ns : 0;
	return EFI_SUCCESS;
}

static int is_set(struct event *e)
{
	if (e->ready)
		return e->ready(e->ready_context);
	if (!e->signalled)
		return 0;
	e->signalled = 0;
	return 1;
}

static EFI_STATUS EFIAPI check_event(EFI_EVENT event)
{
	fake_time_pass(GLANCE_100NS);
	return is_set(event) ? EFI_SUCCESS : EFI_NOT_READY;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *set, UINTN *ret)
{
	for (;;) {
		for (UINTN i = 0; i < count; i++) {
			if (!is_set(set[i]))
				continue;
			*ret = i;
			return EFI_SUCCESS;
		}
		fake_bored();
		if (next_due(UINT64_MAX))
			fake_time_pass(next_due(UINT64_MAX)->due - INSIDE->now_100ns);
		else
			fake_time_pass(1000000); /* nothing but a key can end this */
	}
}

static EFI_STATUS EFIAPI event_signal(EFI_EVENT event)
{
	signal_event(event);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
	for (struct event **link = &events; *link; link = &(*link)->next) {
		struct event *e = *link;

		if (e != event)
			continue;
		*link = e->next;
		fake_libc_free(e);
		return EFI_SUCCESS;
	}
	abort(); /* closed twice, or never opened */
}

void fake_exit_events(void)
{
	struct event *next;

	for (struct event *e = events; e; e = next) {
		next = e->next;
		if (e->type == EVT_SIGNAL_EXIT_BOOT_SERVICES)
			signal_event(e);
	}
}

void fake_events_start(void)
{
	while (events) {
		struct event *e = events;

		events = e->next;
		fake_libc_free(e);
	}
	notifying = 0;
	fake_boot.Stall = stall;
	fake_boot.CreateEvent = create_event;
	fake_boot.SetTimer = set_timer;
	fake_boot.CheckEvent = check_event;
	fake_boot.WaitForEvent = wait_for_event;
	fake_boot.SignalEvent = event_signal;
	fake_boot.CloseEvent = close_event;
}
