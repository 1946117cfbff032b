#include "contact.h"

#include "calendar.h"
#include "events.h"
#include "guard.h"
#include "variable.h"

#define VERSION 1
#define DAY_S 86400u
/* A clock that is further ahead than that was set wrong, or the laptop lay in a drawer for long enough that
 * nobody should be locked out by it. */
#define JUMP_MAX_S ((uint64_t)3 * 365 * DAY_S)
/* Clocks are read as UTC when firmware does not tell its zone. */
#define BEHIND_MAX_S DAY_S
/* How much later a time must be than the kept one to be worth a write. */
#define KEEP_STEP_S (DAY_S / 4)
#define TIME_MIN 1767225600u /* 2026-01-01: this program is not older */
#define TIME_MAX ((uint64_t)UINT16_MAX * DAY_S)

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct contact_state {
#include "contact_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "preboot/contact_v1.inc"
#define FORMAT_NOUN contact_state
#define FORMAT_PREFIX CONTACT_STATE
#include "common/format_codec.h"

/* Contact that the store at hand tells. */
static uint64_t hinted;

/* What is believed, and why. */
struct belief {
	struct contact_state kept;
	uint64_t contact; /* the latest with the server; 0: never */
	uint64_t now;     /* 0: unknown */
	unsigned doubt;   /* enum contact_doubt; 0 */
	int by_clock;     /* now is what the clock says */
};

static int state_valid(const struct contact_state *s)
{
	return s->version == VERSION && !s->reserved && !s->reserved2 && s->latest <= TIME_MAX &&
	       s->contact <= TIME_MAX && s->verified <= TIME_MAX && s->helped <= TIME_MAX;
}

static void state_load(struct contact_state *ret)
{
	uint8_t bytes[CONTACT_STATE_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	struct contact_state s;

	*ret = (struct contact_state){ .version = VERSION };
	if (variable_read(bytes, sizeof(bytes), VARIABLE_CLOCK))
		return;
	contact_state_read(&c, &s);
	if (state_valid(&s))
		*ret = s;
}

/* Without the variable an older clock is believed; nothing else is lost. */
static void state_save(const struct contact_state *s)
{
	uint8_t bytes[CONTACT_STATE_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));

	contact_state_write(&w, s);
	if (variable_write(VARIABLE_CLOCK, bytes, sizeof(bytes), 0))
		return;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A contact that no clock could tell is none. */
static uint64_t plausible(uint64_t t)
{
	return t > TIME_MAX ? 0 : t;
}

/* The clock against the latest time that is known to have passed. */
static void clock_judge(struct belief *b, uint64_t known)
{
	uint64_t clock, least = known ? known : TIME_MIN;

	b->now = known;
	if (calendar_now(&clock) || clock + BEHIND_MAX_S < least) {
		b->doubt = CONTACT_CLOCK_BEHIND;
	} else if (clock > TIME_MAX || (known && clock > known + JUMP_MAX_S)) {
		b->doubt = CONTACT_CLOCK_AHEAD;
	} else if (clock >= least) {
		b->now = clock;
		b->by_clock = 1;
	}
}

static void believe(struct belief *ret)
{
	struct guard_contact verified;
	struct belief b = { 0 };
	uint64_t known;

	state_load(&b.kept);
	guard_contact(&verified);
	b.contact = later(plausible(verified.last_contact), hinted);
	/* A contact that is new puts right what was kept by a clock that ran ahead. */
	known = b.contact > b.kept.contact ? b.contact : later(b.contact, b.kept.latest);
	clock_judge(&b, known);
	*ret = b;
}

/* What was learnt. Only a verified contact takes a kept time away, unless it was kept under that contact. */
static void keep(const struct belief *b)
{
	struct contact_state next = b->kept;
	struct guard_contact verified;

	guard_contact(&verified);
	if (plausible(verified.last_contact) > next.verified) {
		next.verified = verified.last_contact;
		if (next.contact != next.verified)
			next.latest = 0;
		next.contact = next.verified;
	}
	if (b->by_clock && b->now >= next.latest + KEEP_STEP_S) {
		next.latest = b->now;
		next.contact = b->contact;
	}
	if (next.verified != b->kept.verified || next.latest != b->kept.latest)
		state_save(&next);
}

/* The stricter of two numbers of days, 0 being none. */
static uint32_t stricter(uint32_t a, uint32_t b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

static void count_days(struct contact *ret, const struct belief *b, const struct rules *r)
{
	struct guard_contact verified;
	uint64_t since = b->contact;
	uint32_t warn, lock;

	if (!b->contact)
		return;
	guard_contact(&verified);
	warn = stricter(r->head.contact_warn_days, verified.warn_days);
	lock = stricter(r->head.contact_lock_days, verified.lock_days);
	/* Help that lies ahead was noted by a clock that has been put right since. */
	if (b->kept.helped <= b->now)
		since = later(since, b->kept.helped);
	ret->days = (uint32_t)((b->now - since) / DAY_S);
	if (lock && ret->days < lock)
		ret->left_days = lock - ret->days;
	if (lock && ret->days >= lock)
		ret->verdict = CONTACT_LOCK;
	else if (warn && ret->days >= warn)
		ret->verdict = CONTACT_WARN;
}

void contact_check(struct contact *ret, const struct rules *r)
{
	struct contact c = { .verdict = CONTACT_FINE };
	struct belief b;

	hinted = plausible(r->head.last_contact);
	believe(&b);
	keep(&b);
	count_days(&c, &b, r);
	c.clock_doubted = b.doubt != 0;
	if (b.doubt)
		events_add(PREBOOT_CLOCK_DOUBTED, (uint16_t)b.doubt);
	if (c.verdict != CONTACT_FINE)
		events_add(PREBOOT_CONTACT_OVERDUE, (uint16_t)c.days);
	*ret = c;
}

void contact_now(void)
{
	struct belief b;

	believe(&b);
	if (!b.now)
		return;
	b.kept.helped = b.now;
	b.kept.latest = later(b.kept.latest, b.now);
	state_save(&b.kept);
}

uint16_t contact_today(const struct rules *r)
{
	struct belief b;

	hinted = plausible(r->head.last_contact);
	believe(&b);
	return (uint16_t)(b.now / DAY_S);
}
