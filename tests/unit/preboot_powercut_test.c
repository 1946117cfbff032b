/* Power cuts: a thousand of them, at random writes and moments of whole starts of pre-boot:
 * changes of passwords, with and without a TPM, one-time codes, locking and erasing, over stores that a cut has damaged before.
 * What is unflushed is lost in part, sectors are torn. After each cut the laptop opens by what
 * should open it, or its erasure goes on until it is finished; no used code opens again; no counter
 * goes back. A failure names the seed of its laptop:
 *
 *     build/out/host/tests/preboot_powercut_test SEED
 *
 * runs that one alone. With the cheap KDF of tests/fake/cheap_kdf.h: thousands of unlocks. */
#include "core_test.h"

#include <stdlib.h>

#include "common/tombstone.h"
#include "tests/fake/cheap_kdf.h"
#include "tests/fake/cheap_tpm.h"

#define CUTS_WANTED 1000
#define LIFE_STEPS 12
#define MOMENTS_MS 4000 /* a password takes half a second */
#define FINISH_TRIES 40
#define DURESS "open now please"

/* Offsets in the variable HoldfastGuard. */
enum {
#define FIELD(kind, name, at, len) GUARD_##name = at,
#include "preboot/guard_v1.inc"
#undef FIELD
};

enum kind { LIFE_LOCKS, LIFE_KILLS, LIFE_DURESS, LIFE_KINDS };

/* What must be so, as far as the one before the screen can know. */
struct life {
	uint64_t seed;
	struct laptop *l;
	enum kind kind;
	int bound;                /* the user's record is bound to the TPM */
	char password[2][24]; /* what opens: the first, and after a cut change perhaps the second */
	int password_count;
	unsigned changes;
	int used[LAPTOP_CODES + 1]; /* the kernel was started with that code */
	int lock_seen;            /* it has said that it is locked */
	uint64_t generation;      /* least that the variable may say */
	unsigned failures;
	long *span;               /* writes that a start of the present kind makes */
};

/* What has happened: a test in which no laptop erased itself would show nothing. */
static struct {
	long cuts, starts, kernels, changes, codes, locks, erasures;
} total;
static struct life *now;

/* A failure tells the seed, and what the last start has said. */
#define MUST(life, what, ...)                                                                      \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s\nseed %llu: ", fake_serial((life)->l->f),              \
				(unsigned long long)(life)->seed);                                 \
			fail_msg(__VA_ARGS__);                                                     \
		}                                                                                  \
	} while (0)

static void set_duress_bound(struct store *s, struct record *r, const struct secret *duress)
{
	SEALED sealed = { 0 };
	struct binding *b;

	laptop_must(bindings_find(&b, &s->bindings, r->id, BINDING_SECRET));
	laptop_must(binding_open(&sealed, b, laptop_key));
	laptop_must(credential_set_duress_bound(r, duress, sealed.secret));
}

static void edit_rules(struct store *s)
{
	static const struct rules_head heads[LIFE_KINDS] = {
		[LIFE_LOCKS] = { .failure_limit = 3, .failure_action = RULES_LOCK },
		[LIFE_KILLS] = { .failure_limit = RULES_KILL_LIMIT_MIN,
				 .failure_action = RULES_KILL },
		[LIFE_DURESS] = { .flags = RULES_DURESS },
	};
	SECRET struct secret duress = { 0 };
	struct record *r;

	s->rules.head.failure_limit = heads[now->kind].failure_limit;
	s->rules.head.failure_action = heads[now->kind].failure_action;
	s->rules.head.flags = heads[now->kind].flags;
	laptop_must(secret_copy(&duress, DURESS, strlen(DURESS)));
	if (now->bound)
		cheap_user(s, CREDENTIAL_TPM_PASSWORD, LAPTOP_USER, LAPTOP_PASSWORD);
	laptop_must(store_find_user(&r, s, LAPTOP_USER));
	if (now->bound)
		set_duress_bound(s, r, &duress);
	else
		laptop_must(credential_set_duress(r, &duress));
}

/* What the agent does after a lock or a used code: a new unlock key, sealed to everybody, and the
 * locks are off. */
static void edit_rekey(struct store *s)
{
	UNLOCK_KEY fresh;

	randombytes_buf(fresh.bytes, sizeof(fresh.bytes));
	laptop_must(store_rekey(s, &now->l->unlock_key, &fresh, 0));
	now->l->unlock_key = fresh;
	/* Of the used codes it makes new ones; here they are just taken away. */
	for (uint16_t n = 1; n <= LAPTOP_CODES; n++) {
		struct record *r;

		if (now->used[n] && !store_find_code(&r, s, CREDENTIAL_ONE_TIME_CODE, n))
			laptop_must(store_remove(s, r->id));
	}
}

static uint64_t variable_generation(const struct life *x)
{
	uint8_t b[8] = { 0 };
	uint64_t n = 0;

	if (fake_variable(x->l->f, "HoldfastGeneration", b, sizeof(b), NULL) != sizeof(b))
		return 0;
	for (int i = 8; i--;)
		n = n << 8 | b[i];
	return n;
}

static unsigned variable_failures(const struct life *x)
{
	uint8_t b[64] = { 0 };

	if (fake_variable(x->l->f, "HoldfastGuard", b, sizeof(b), NULL) < 0)
		return 0;
	return b[GUARD_failures] | (unsigned)b[GUARD_failures + 1] << 8;
}

/* Has an erasure left its mark? */
static int kill_marked(const struct life *x)
{
	static struct tombstone t;
	size_t len;
	const uint8_t *bytes = fake_file(x->l->f, LAPTOP_TOMBSTONE, &len);
	uint8_t b[1024];

	return fake_variable(x->l->f, "HoldfastKill", b, sizeof(b), NULL) > 0 ||
	       (bytes && tombstone_decode(&t, bytes, len) == OK);
}

static int has_seal(const struct store *s, enum credential_kind kind, uint16_t number)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (s->records[i].kind == kind && s->records[i].number == number &&
		    s->records[i].has_seal)
			return 1;
	return 0;
}

/* Of every copy that decodes: what was taken away is not there again. */
static void check_seals(const struct life *x)
{
	for (int copy = 0; copy < 2; copy++) {
		STORE s = { 0 };

		if (laptop_copy(&s, x->l, copy))
			continue;
		for (uint16_t n = 1; n <= LAPTOP_CODES; n++)
			MUST(x, !x->used[n] || !has_seal(&s, CREDENTIAL_ONE_TIME_CODE, n),
			     "used code %u has a seal in copy %d", n, copy);
		MUST(x, !x->lock_seen || !(has_seal(&s, CREDENTIAL_PASSWORD, 0) ||
					   has_seal(&s, CREDENTIAL_TPM_PASSWORD, 0)),
		     "a user's seal is in copy %d of a locked store", copy);
	}
}

/* After any run that did not erase. answered: it was given a right answer, which forgives. */
static void check_standing(struct life *x, int answered)
{
	uint64_t generation = variable_generation(x);
	unsigned failures = variable_failures(x);
	STORE s = { 0 };

	if (kill_marked(x))
		return;
	MUST(x, generation >= x->generation, "the generation went back from %llu to %llu",
	     (unsigned long long)x->generation, (unsigned long long)generation);
	MUST(x, answered || failures >= x->failures, "the failures went back from %u to %u",
	     x->failures, failures);
	x->generation = generation;
	x->failures = failures;
	MUST(x, laptop_store(&s, x->l) == OK, "no copy of the store decodes");
	MUST(x, s.head.generation >= generation, "the store is older than the variable");
	check_seals(x);
}

/* When is the power to be cut? Mostly at one of the writes that such a start makes, sometimes at
 * any moment. */
static void cut_choose(struct life *x)
{
	struct fake *f = x->l->f;
	uint32_t luck = fake_roll(f, 16);

	if (luck < 11)
		f->cut_after = 1 + fake_roll(f, (uint32_t)*x->span);
	else if (luck < 14)
		f->cut_at_ms = 1 + fake_roll(f, MOMENTS_MS);
}

/* One start. cut: mostly with a power cut. */
static enum fake_end run(struct life *x, int cut)
{
	struct fake *f = x->l->f;
	enum fake_end end;

	if (cut)
		cut_choose(x);
	cheap_tpm_restart();
	cheap_tpm->tries = 0; /* its own lockout is not what this is about */
	end = fake_run(f);
	total.starts++;
	total.cuts += end == FAKE_CUT;
	total.kernels += end == FAKE_KERNEL;
	f->cut_after = 0;
	f->cut_at_ms = 0;
	if (cut && *x->span <= f->writes)
		*x->span = f->writes + 1;
	fake_script_clear(f);
	MUST(x, end != FAKE_DIED, "pre-boot died");
	if (fake_said(f, "has locked itself")) {
		total.locks += !x->lock_seen;
		x->lock_seen = 1;
	}
	return end;
}

static void kernel_got(struct life *x)
{
	HANDOFF h = { 0 };

	MUST(x, laptop_handoff(&h, x->l) == OK, "no hand-off");
	MUST(x, !memcmp(h.head.unlock_key, x->l->unlock_key.bytes, KEY_BYTES),
	     "another unlock key");
	if (h.head.kind == CREDENTIAL_ONE_TIME_CODE) {
		MUST(x, !x->used[h.head.number], "code %u opened twice", h.head.number);
		x->used[h.head.number] = 1;
		total.codes++;
	}
}

/* The unused code with the lowest number; 0 for none. */
static uint16_t next_code(const struct life *x)
{
	STORE s = { 0 };
	struct record *r;

	if (laptop_store(&s, x->l) || store_next_code(&r, &s))
		return 0;
	return r->number;
}

/* A locked laptop shows the page for codes first, and nobody types a password there. */
static int is_locked(const struct life *x)
{
	STORE s = { 0 };

	return !laptop_store(&s, x->l) && store_is_locked(&s);
}

static enum fake_end try_password(struct life *x, const char *password, int cut)
{
	if (!is_locked(x))
		laptop_type_password(x->l, LAPTOP_USER, password);
	fake_script_quiet(x->l->f); /* it may lock itself meanwhile */
	return run(x, cut);
}

static void code_used(struct life *x, int cut)
{
	uint16_t n = next_code(x);
	enum fake_end end;

	if (!n)
		return;
	laptop_type_code(x->l, x->l->codes[n]);
	end = run(x, cut);
	if (end == FAKE_KERNEL)
		kernel_got(x);
	check_standing(x, 1);
	if (end != FAKE_KERNEL)
		return;
	/* Its seal is gone, so the challenge asks for another one; the old answer is wrong. */
	MUST(x, next_code(x) != n, "code %u is asked for again", n);
	if (cut)
		return;
	laptop_change(x->l, edit_rekey);
	x->lock_seen = 0;
	x->generation = 0; /* the agent raises it as well; the store's own is compared above */
}

/* The password opens, or a code does after a lock. */
static void opens(struct life *x)
{
	enum fake_end end = FAKE_WAITING;
	int locked = is_locked(x);

	for (int i = 0; i < x->password_count && end != FAKE_KERNEL && !locked; i++) {
		end = try_password(x, x->password[i], 0);
		locked = is_locked(x);
		if (kill_marked(x))
			return;
		if (end == FAKE_KERNEL && i)
			memcpy(x->password[0], x->password[i], sizeof(x->password[0]));
	}
	if (end == FAKE_KERNEL) {
		x->password_count = 1;
		kernel_got(x);
		check_standing(x, 1);
		return;
	}
	MUST(x, locked, "no password opens, and it is not locked");
	if (next_code(x)) {
		code_used(x, 0);
	} else {
		laptop_type_recovery(x->l, x->l->recovery);
		MUST(x, run(x, 0) == FAKE_KERNEL, "the recovery key does not open a locked laptop");
	}
	MUST(x, !kill_marked(x), "an erasure out of nothing");
	check_standing(x, 1);
}

static void do_start(struct life *x)
{
	enum fake_end end = try_password(x, x->password[0], 1);

	if (end == FAKE_KERNEL)
		kernel_got(x);
	check_standing(x, 1);
}

static void do_change(struct life *x)
{
	char fresh[24];
	enum fake_end end;

	if (is_locked(x))
		return;
	snprintf(fresh, sizeof(fresh), "new password %u", ++x->changes);
	fake_await(x->l->f, "User name: ");
	fake_type(x->l->f, "\x10"); /* Ctrl-P */
	laptop_type_password(x->l, LAPTOP_USER, x->password[0]);
	fake_await(x->l->f, "New password: ");
	fake_type(x->l->f, fresh);
	fake_type(x->l->f, "\r");
	fake_await(x->l->f, "The same again: ");
	fake_type(x->l->f, fresh);
	fake_type(x->l->f, "\r");
	end = run(x, 1);
	memcpy(x->password[1], fresh, sizeof(fresh));
	x->password_count = 2;
	if (end == FAKE_KERNEL) {
		kernel_got(x);
		MUST(x, fake_said(x->l->f, "changed"), "a change that says nothing");
		total.changes++;
		memcpy(x->password[0], fresh, sizeof(fresh));
		x->password_count = 1;
	}
	check_standing(x, 1);
}

static void do_code(struct life *x)
{
	code_used(x, 1);
}

static unsigned times_said(const struct life *x, const char *text)
{
	unsigned n = 0;

	for (const char *at = fake_serial(x->l->f); (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* Guesses, until it locks or erases itself, or the power goes. Each that has begun is counted,
 * before its answer can be known. */
static void do_guess(struct life *x)
{
	enum fake_end end;
	unsigned begun;

	if (x->kind == LIFE_DURESS || is_locked(x))
		return;
	for (int i = 0; i < 6; i++) {
		laptop_type_password(x->l, LAPTOP_USER, "a guess");
		fake_pause(x->l->f, 40);
	}
	fake_script_quiet(x->l->f);
	end = run(x, 1);
	begun = times_said(x, "Checking");
	MUST(x, kill_marked(x) || variable_failures(x) >= x->failures + begun,
	     "of %u failures and %u more tries %u are counted", x->failures, begun,
	     variable_failures(x));
	MUST(x, end == FAKE_CUT || kill_marked(x) || is_locked(x), "as many guesses as one likes");
	if (!kill_marked(x))
		check_standing(x, 0);
}

static void do_duress(struct life *x)
{
	if (x->kind != LIFE_DURESS)
		return;
	try_password(x, DURESS, 1);
	if (!kill_marked(x))
		check_standing(x, 0);
}

/* What an agent's write leaves when the power is cut: one copy torn. */
static void do_tear(struct life *x)
{
	const char *path = fake_roll(x->l->f, 2) ? LAPTOP_STORE_0 : LAPTOP_STORE_1;
	uint8_t bytes[70000];
	size_t len;
	STORE s = { 0 };
	const uint8_t *old = fake_file(x->l->f, path, &len);

	/* Only if the other one is good and not older. */
	if (!old || len > sizeof(bytes) || laptop_copy(&s, x->l, !strcmp(path, LAPTOP_STORE_0)) ||
	    s.head.generation < variable_generation(x) || next_code(x) == 0)
		return;
	check_seals(x);
	memcpy(bytes, old, len);
	memset(bytes + 512 * fake_roll(x->l->f, 4), 0xee, 512);
	if (is_locked(x))
		return;
	fake_file_put(x->l->f, path, bytes, len);
	try_password(x, x->password[0], 1);
	check_standing(x, 1);
}

/* From its first mark on the erasure finishes, whatever the power does. */
static void finish_kill(struct life *x)
{
	enum fake_end end = FAKE_CUT;
	size_t len;

	for (int i = 0; i < FINISH_TRIES && (end == FAKE_CUT || kill_marked(x)); i++) {
		STORE s = { 0 };

		if (laptop_copy(&s, x->l, 0) == OK || laptop_copy(&s, x->l, 1) == OK)
			laptop_type_password(x->l, LAPTOP_USER, x->password[0]);
		fake_script_quiet(x->l->f);
		end = run(x, i < FINISH_TRIES - 2);
		MUST(x, end != FAKE_KERNEL, "a kernel is started after an erasure has begun");
		if (end == FAKE_POWER_OFF)
			break;
	}
	MUST(x, end == FAKE_POWER_OFF, "the erasure ends with: %s", fake_end_text(end));
	MUST(x, laptop_disk_erased(x->l), "the volume is not erased");
	MUST(x,
	     !fake_file(x->l->f, LAPTOP_STORE_0, &len) && !fake_file(x->l->f, LAPTOP_STORE_1, &len),
	     "a copy of the store is left");
	MUST(x, !fake_file(x->l->f, LAPTOP_KERNEL, &len), "boot files are left");
	end = run(x, 0);
	MUST(x, end == FAKE_POWER_OFF, "an erased laptop: %s", fake_end_text(end));
	total.erasures++;
}

static void live(struct life *x)
{
	static void (*const steps[])(struct life *) = {
		do_start, do_change, do_change, do_code, do_guess, do_duress, do_tear,
	};

	static long spans[COUNT(steps) + 1] = { 4, 4, 4, 4, 4, 4, 4, 4 };

	for (int i = 0; i < LIFE_STEPS; i++) {
		uint32_t step = fake_roll(x->l->f, COUNT(steps));

		long cuts = total.cuts;

		x->span = &spans[step];
		steps[step](x);
		if (!kill_marked(x) && (total.cuts > cuts || !fake_roll(x->l->f, 4)))
			opens(x);
		if (!kill_marked(x))
			continue;
		x->span = &spans[COUNT(steps)];
		finish_kill(x);
		return;
	}
}

static void one_life(uint64_t seed)
{
	struct life x = { .seed = seed,
			  .kind = (enum kind)(seed % LIFE_KINDS),
			  .bound = seed / LIFE_KINDS % 2,
			  .password_count = 1 };

	now = &x;
	strcpy(x.password[0], LAPTOP_PASSWORD);
	cheap_tpm_new();
	x.l = laptop_new(seed, edit_rules);
	x.l->f->panel_width = 0; /* drawing is not what this is about */
	x.l->f->patience_s = 45;
	live(&x);
	laptop_free(x.l);
}

static uint64_t only_seed;

static void a_thousand_cuts(void **state)
{
	(void)state;
	if (only_seed)
		one_life(only_seed);
	for (uint64_t seed = 1; !only_seed && total.cuts < CUTS_WANTED; seed++)
		one_life(seed);
	print_message("%ld cuts in %ld starts; "
		      "%ld kernels, %ld changes, %ld codes, %ld locks, %ld erasures\n",
		      total.cuts, total.starts, total.kernels, total.changes, total.codes,
		      total.locks, total.erasures);
	if (!only_seed)
		assert_true(total.changes > 20 && total.codes > 20 && total.locks > 20 &&
			    total.erasures > 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_cuts),
	};

	if (argc > 1)
		only_seed = strtoull(argv[1], NULL, 10);
	return RUN(tests);
}
