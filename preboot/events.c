#include "events.h"

#include "clock.h"
#include "common/cursor.h"
#include "variable.h"

#define COUNTED 3
#define TALLY_BYTES (2 * COUNTED)

struct event {
	enum preboot_event kind;
	uint16_t value;
	uint64_t at_ms;
};

static struct event events[HANDOFF_EVENTS_MAX];
static unsigned count;

/* The counted kinds; at_ms is of the last one, 0 for those of earlier starts. */
static struct event tally[COUNTED] = {
	{ .kind = PREBOOT_WRONG_PASSWORD },
	{ .kind = PREBOOT_WRONG_CODE },
	{ .kind = PREBOOT_ROLLBACK_SEEN },
};

void events_start(void)
{
	uint8_t bytes[TALLY_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	if (variable_read(bytes, sizeof(bytes), VARIABLE_TALLY))
		return;
	for (unsigned i = 0; i < COUNTED; i++)
		tally[i].value = cursor_u16(&c);
}

/* A variable that cannot be written costs the memory over restarts, nothing else. */
static void tally_save(void)
{
	uint8_t bytes[TALLY_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));

	for (unsigned i = 0; i < COUNTED; i++)
		writer_u16(&w, tally[i].value);
	if (variable_write(VARIABLE_TALLY, bytes, sizeof(bytes), 0))
		return;
}

void events_add(enum preboot_event kind, uint16_t value)
{
	for (unsigned i = 0; i < COUNTED; i++) {
		if (tally[i].kind != kind)
			continue;
		if (tally[i].value < UINT16_MAX)
			tally[i].value++;
		tally[i].at_ms = clock_ms();
		tally_save();
		return;
	}
	/* The last three places are for the counted kinds. */
	if (count < HANDOFF_EVENTS_MAX - COUNTED)
		events[count++] = (struct event){ kind, value, clock_ms() };
}

unsigned events_failures(void)
{
	return (unsigned)tally[0].value + tally[1].value;
}

static void put(struct handoff *h, const struct event *e, uint64_t now_ms)
{
	h->events[h->head.event_count++] = (struct handoff_event){
		.kind = (uint16_t)e->kind,
		.value = e->value,
		.age_s = (uint32_t)((now_ms - e->at_ms) / 1000),
	};
}

void events_deliver(struct handoff *h)
{
	uint64_t now_ms = clock_ms();

	h->head.event_count = 0;
	for (unsigned i = 0; i < COUNTED; i++)
		if (tally[i].value)
			put(h, &tally[i], now_ms);
	for (unsigned i = 0; i < count; i++)
		put(h, &events[i], now_ms);
}

void events_forget(void)
{
	int any = 0;

	for (unsigned i = 0; i < COUNTED; i++) {
		any |= tally[i].value;
		tally[i].value = 0;
	}
	if (any)
		tally_save();
	count = 0;
}
