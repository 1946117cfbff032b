#include "events.h"

#include "clock.h"
#include "variable.h"

#define VERSION 1
#define COUNTED 5
#define KEPT_MAX 10
#define KEPT_BYTES 4

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct tally {
#include "events_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "preboot/events_v1.inc"
#define FORMAT_NOUN tally
#define FORMAT_PREFIX TALLY
#include "common/format_codec.h"

_Static_assert(sizeof(((struct tally *)0)->kept) == KEPT_MAX * KEPT_BYTES, "kept holds another number");

/* at_ms is of the last one, 0 for those of earlier starts. */
struct event {
	enum preboot_event kind;
	uint16_t value;
	uint64_t at_ms;
};

/* The first are the counted kinds. */
static struct event events[HANDOFF_EVENTS_MAX];
static unsigned count;

static int is_kept(enum preboot_event kind)
{
	static const enum preboot_event kept[] = {
		PREBOOT_LOCKED,	     PREBOOT_CODE_USED,	     PREBOOT_PASSWORD_CHANGED, PREBOOT_TARGET_REFUSED,
		PREBOOT_TPM_CHANGED, PREBOOT_TPM_LOCKED_OUT, PREBOOT_TPM_GONE,	       PREBOOT_TPM_FAILED,
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kind == kept[i])
			return 1;
	return 0;
}

static void begin(void)
{
	static const enum preboot_event counted[COUNTED] = {
		PREBOOT_WRONG_PASSWORD,
		PREBOOT_WRONG_CODE,
		PREBOOT_ROLLBACK_SEEN,
		PREBOOT_TAMPERED,
		PREBOOT_WRONG_SELF_HELP,
	};

	for (count = 0; count < COUNTED; count++)
		events[count] = (struct event){ .kind = counted[count] };
}

static void kept_load(const struct tally *t)
{
	struct cursor c = cursor_over(t->kept, sizeof(t->kept));

	for (unsigned i = 0; i < KEPT_MAX; i++) {
		enum preboot_event kind = (enum preboot_event)cursor_u16(&c);
		uint16_t value = cursor_u16(&c);

		if (is_kept(kind))
			events[count++] = (struct event){ kind, value, 0 };
	}
}

void events_start(void)
{
	uint8_t bytes[TALLY_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	struct tally t;
	enum err e = variable_read(bytes, sizeof(bytes), VARIABLE_TALLY);

	begin();
	if (e == ERR_FORMAT)
		events_add(PREBOOT_TAMPERED, 0);
	if (e)
		return;
	tally_read(&c, &t);
	if (t.version != VERSION)
		return;
	events[0].value = t.wrong_password;
	events[1].value = t.wrong_code;
	events[2].value = t.rollback_seen;
	events[3].value = t.tampered;
	events[4].value = t.wrong_self_help;
	kept_load(&t);
}

static void kept_store(struct tally *t)
{
	struct writer w = writer_over(t->kept, sizeof(t->kept));

	for (unsigned i = COUNTED; i < count; i++) {
		if (!is_kept(events[i].kind) || w.left < KEPT_BYTES)
			continue;
		writer_u16(&w, (uint16_t)events[i].kind);
		writer_u16(&w, events[i].value);
	}
}

/* A variable that cannot be written costs the memory over restarts, nothing else. */
static void tally_save(void)
{
	uint8_t bytes[TALLY_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	struct tally t = {
		.version = VERSION,
		.wrong_password = events[0].value,
		.wrong_code = events[1].value,
		.rollback_seen = events[2].value,
		.tampered = events[3].value,
		.wrong_self_help = events[4].value,
	};

	kept_store(&t);
	tally_write(&w, &t);
	if (variable_write(VARIABLE_TALLY, bytes, sizeof(bytes), 0))
		return;
}

/* The event that is there already; NULL: it is new. */
static struct event *find(enum preboot_event kind, uint16_t value)
{
	for (unsigned i = 0; i < count; i++)
		if (events[i].kind == kind && (i < COUNTED || events[i].value == value))
			return &events[i];
	return NULL;
}

void events_add(enum preboot_event kind, uint16_t value)
{
	struct event *e = find(kind, value);
	int is_new = !e;

	if (is_new) {
		if (count == HANDOFF_EVENTS_MAX)
			return;
		e = &events[count++];
		*e = (struct event){ .kind = kind, .value = value };
	}
	e->at_ms = clock_ms();
	if (e < events + COUNTED && e->value < UINT16_MAX)
		e->value++;
	if (e < events + COUNTED || (is_new && is_kept(kind)))
		tally_save();
}

void events_deliver(struct handoff *h)
{
	uint64_t now_ms = clock_ms();

	h->head.event_count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (i < COUNTED && !events[i].value)
			continue;
		h->events[h->head.event_count++] = (struct handoff_event){
			.kind = (uint16_t)events[i].kind,
			.value = events[i].value,
			.age_s = (uint32_t)((now_ms - events[i].at_ms) / 1000),
		};
	}
}

void events_forget(void)
{
	int any = 0;

	for (unsigned i = 0; i < count; i++)
		any |= i < COUNTED ? events[i].value : is_kept(events[i].kind);
	begin();
	if (any)
		tally_save();
}
