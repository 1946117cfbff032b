#include "processors.h"

#include <stddef.h>

#include "common/secret.h"
#include "common/shift.h"
#include "common/stack.h"
#include "events.h"
#include "firmware.h"
#include "processor.h"
#include "variable.h"

#define STEP_US 1000
#define STEPS 500 /* EDK2 looks ten times a second whether the others are done */

static const EFI_GUID services_guid = { 0x3FDDA605, 0xA76E, 0x4F46,
					{ 0xAD, 0x29, 0x12, 0xF4, 0x53, 0x1B, 0x3D, 0x08 } };

/* The protocol, as far as it is used. */
struct services {
	EFI_STATUS(EFIAPI *GetNumberOfProcessors)(struct services *, UINTN *all, UINTN *enabled);
	void *GetProcessorInfo;
	EFI_STATUS(EFIAPI *StartupAllAPs)(struct services *, void(EFIAPI *procedure)(void *),
					  BOOLEAN one_by_one, EFI_EVENT finished, UINTN timeout_us,
					  void *argument, UINTN **failed);
};

/* Static: one that comes late finds a shift that is over. That holds only together with away: as long as
 * firmware has not said that all are done, nothing begins anew in here, and another shift is done alone. */
static struct shift shift;
static EFI_EVENT away;
static unsigned inside; /* atomic */

/* A processor that takes a ticket and stops is waited for without end, until the power is switched off. So
 * that the next start does not do the same, VARIABLE_HELPERS says that others are at work; who finds it so
 * works alone, at this start and some more. */
#define AT_WORK 255
#define STARTS_ALONE 10
static int looked;
static uint8_t alone; /* starts without help that are left, with this one */

/* As stack_wipe, in what a processor surely has: firmware gives it 32 KiB and less, a lane takes 8. */
static __attribute__((noinline)) void little_stack_wipe(void)
{
	uint8_t frame[12 * 1024];

	secret_wipe(frame, sizeof(frame));
}

static void EFIAPI help(void *argument)
{
	(void)argument;
	if (!processor_is_ready())
		return;
	__atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL);
	shift_help(&shift, processor_pause, processor_refresh);
	little_stack_wipe();
	processor_wipe();
	__atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
}

static struct services *services_find(void)
{
	EFI_GUID guid = services_guid;
	struct services *s = NULL;
	UINTN all = 0, enabled = 0;

	if (EFI_ERROR(BOOT->LocateProtocol(&guid, NULL, (void **)&s)) ||
	    EFI_ERROR(s->GetNumberOfProcessors(s, &all, &enabled)) || enabled < 2)
		return NULL;
	return s;
}

/* What cannot be written is not remembered: then a laptop whose processors stop is no better off. */
static void remember(uint8_t starts)
{
	if (starts)
		(void)!variable_write(VARIABLE_HELPERS, &starts, sizeof(starts), 0);
	else
		variable_delete(VARIABLE_HELPERS);
}

static void recall(void)
{
	if (looked)
		return;
	looked = 1;
	if (variable_read(&alone, sizeof(alone), VARIABLE_HELPERS) || !alone)
		return;
	if (alone > STARTS_ALONE)
		alone = STARTS_ALONE;
	events_add(PREBOOT_PROCESSORS_HUNG, alone);
}

/* The work is done: this start is a good one. */
static void count_start(void)
{
	static int counted;

	if (alone && !counted++)
		remember((uint8_t)(alone - 1));
}

/* Has everybody left that was asked to come last time? */
static int all_left(void)
{
	for (int i = 0; away && EFI_ERROR(BOOT->CheckEvent(away)); i++) {
		if (i == STEPS)
			return 0;
		BOOT->Stall(STEP_US);
	}
	if (away)
		BOOT->CloseEvent(away);
	away = NULL;
	return 1;
}

/* Those who worked have their stacks wiped. */
static void see_out(void)
{
	for (int i = 0; i < STEPS && __atomic_load_n(&inside, __ATOMIC_ACQUIRE); i++)
		BOOT->Stall(STEP_US);
}

/* Ask the others to come; they begin while this returns. */
static void call_others(void)
{
	struct services *s = alone ? NULL : services_find();

	if (!s || EFI_ERROR(BOOT->CreateEvent(0, 0, NULL, NULL, &away))) {
		away = NULL;
		return;
	}
	remember(AT_WORK);
	if (EFI_ERROR(s->StartupAllAPs(s, help, FALSE, away, 0, NULL, NULL))) {
		BOOT->CloseEvent(away);
		away = NULL;
		remember(0);
	}
}

static void work(struct shift *s)
{
	shift_work(s, processor_pause, processor_refresh);
	shift_finish(s, processor_pause);
	processor_wipe(); /* the firmware is called */
}

/* With the others, if they come. */
static void work_together(const struct workplace_job *job)
{
	shift_begin(&shift, job);
	if (shift.seats > 1) {
		recall();
		call_others();
	}
	work(&shift);
	see_out();
	if (away)
		remember(0);
	else
		count_start();
}

static void work_alone(const struct workplace_job *job)
{
	struct shift s;

	shift_begin(&s, job);
	work(&s);
}

void processors_run(const struct workplace_job *job)
{
	processor_wipe();
	if (all_left())
		work_together(job);
	else
		work_alone(job);
	stack_wipe();
	processor_wipe();
}
