/* What pre-boot keeps in variables of the firmware, and a store's rules and the clock beside it: nothing breaks, what
 * is ours is written again as it was read, and nobody is locked out or erased without a rule. */
#include "core_fuzz.h"

#include "preboot/choice.h"
#include "preboot/clock.h"
#include "preboot/contact.h"
#include "preboot/events.h"
#include "preboot/guard.h"

/* variable.h and calendar.h have the firmware's types. */
typedef uint16_t char16;
enum err variable_read(void *ret, size_t len, const char16 *name);
enum err variable_write(const char16 *name, const void *bytes, size_t len, int at_run_time);
enum err calendar_now(uint64_t *ret);

#define GUARD_BYTES 64
#define GUARD_STORE_VK 32

static struct variable {
	char at_8[3]; /* what follows "Holdfast" */
	size_t len;
	uint8_t bytes[GUARD_BYTES];
} variables[] = { { "Gu", GUARD_BYTES, { 0 } }, { "Cl", 40, { 0 } }, { "Ch", 20, { 0 } }, { "Ta", 52, { 0 } },
		  { "Ge", 8, { 0 } }, { "Ow", 32, { 0 } } };
#define VARIABLES (sizeof(variables) / sizeof(*variables))

static uint64_t clock_s;
static int kept; /* variables can be written */

static struct variable *find(const char16 *name)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (name[8] == variables[i].at_8[0] && name[9] == variables[i].at_8[1])
			return &variables[i];
	abort();
}

enum err variable_read(void *ret, size_t len, const char16 *name)
{
	const struct variable *v = find(name);

	if (len != v->len)
		return ERR_FORMAT;
	memcpy(ret, v->bytes, len);
	return OK;
}

enum err variable_write(const char16 *name, const void *bytes, size_t len, int at_run_time)
{
	struct variable *v = find(name);

	if (at_run_time || len != v->len)
		abort();
	if (!kept)
		return ERR_MEMORY;
	memcpy(v->bytes, bytes, len);
	return OK;
}

enum err calendar_now(uint64_t *ret)
{
	*ret = clock_s;
	return clock_s == 1 ? ERR_IO : OK;
}

uint64_t clock_ms(void)
{
	return 0;
}

static void must(int so)
{
	if (!so)
		abort();
}

/* Is the event in what would be handed over? */
static int told(enum preboot_event kind)
{
	static struct handoff h;

	events_deliver(&h);
	must(h.head.event_count <= HANDOFF_EVENTS_MAX);
	for (uint32_t i = 0; i < h.head.event_count; i++)
		if (h.events[i].kind == kind)
			return 1;
	return 0;
}

/* Returns whether the guard's variable was ours, and of this store. */
static int play(const struct store *s)
{
	const struct rules_head *r = &s->rules.head;
	uint8_t guard[GUARD_BYTES];
	struct choice chosen;
	struct contact c;
	int ours, foreign;

	events_start();
	events_forget();
	memcpy(guard, variables[0].bytes, sizeof(guard));
	guard_start(s);
	ours = !told(PREBOOT_TAMPERED) && !memcmp(guard + GUARD_STORE_VK, s->head.store_vk, 32);
	if (guard_begin())
		must(!kept);
	guard_take_back();
	if (ours && kept)
		must(!memcmp(guard, variables[0].bytes, sizeof(guard)));
	contact_check(&c, &s->rules);
	must(c.verdict != CONTACT_LOCK || !c.left_days);
	foreign = guard_verified(s) != OK;
	must(foreign || r->failure_limit || guard_left() == UINT32_MAX);
	must(foreign || r->failure_limit <= 1 || guard_check() == GUARD_GO_ON);
	contact_check(&c, &s->rules);
	must(foreign || c.verdict != CONTACT_LOCK || r->contact_lock_days);
	contact_now();
	contact_check(&c, &s->rules);
	must(!kept || c.verdict != CONTACT_LOCK);
	(void)contact_today(&s->rules);
	choice_load(&chosen, &s->rules);
	must(memchr(chosen.layout, 0, sizeof(chosen.layout)) != NULL);
	choice_save(&chosen);
	return ours;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t guard[16] = { 1, 0, 4, 0, 0, 0, RULES_KILL, 0, 5, 0 };
	struct store s = { 0 };
	uint8_t seed[16 + 8 + GUARD_BYTES + 40 + 20 + 52 + 8 + 32] = { 1 };

	(void)argc;
	fuzz_begin();
	kept = 1;
	memcpy(variables[0].bytes, guard, sizeof(guard));
	must(play(&s));
	memcpy(seed + 24, guard, sizeof(guard));
	seed[24 + GUARD_BYTES] = seed[24 + GUARD_BYTES + 40] = seed[24 + GUARD_BYTES + 60] = 1;
	fuzz_seed(*argv, "lockout", seed, sizeof(seed));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cursor c = cursor_over(data, len);
	struct store s = { 0 };
	struct rules_head *r = &s.rules.head;

	kept = cursor_u8(&c) & 1;
	r->failure_action = cursor_u8(&c) % 3;
	r->failure_limit = cursor_u16(&c);
	if (r->failure_action == RULES_KILL && r->failure_limit && r->failure_limit < RULES_KILL_LIMIT_MIN)
		r->failure_limit = RULES_KILL_LIMIT_MIN;
	r->contact_warn_days = cursor_u16(&c);
	r->contact_lock_days = cursor_u16(&c);
	r->last_contact = cursor_u64(&c);
	clock_s = cursor_u64(&c);
	for (size_t i = 0; i < VARIABLES; i++)
		cursor_bytes(&c, variables[i].bytes, variables[i].len);
	cursor_bytes(&c, r->layout, sizeof(r->layout));
	/* The store of the last unlock, mostly. */
	memcpy(s.head.store_vk, variables[0].bytes + GUARD_STORE_VK, sizeof(s.head.store_vk));
	cursor_bytes(&c, s.head.store_vk, 1);
	play(&s);
	return 0;
}
