/* Hostile TPMs and hostile buses. The first byte chooses what is asked (unseal, change, PCR, lockout), and by
 * whom it is answered:
 *   made up  the rest is the answers, each with its length before it
 *   damaged  a good TPM's answers, with the bytes changed that the rest tells
 *   hostile  a TPM that has the right key, and changes what it says before it authenticates it
 * Nobody on the bus brings about success, let alone another secret. */
#include "core_fuzz.h"

#include "common/tpm.h"
#include "tests/fake/model_tpm.h"

enum who { MADE_UP, DAMAGED, HOSTILE, WHO_COUNT };
enum asked { UNSEAL, UNSEAL_OPEN, CHANGE, PCR, LOCKOUT, ASKED_COUNT };

struct hostile {
	struct cursor rest; /* of the input */
	enum who who;
	unsigned answers;
	int is_damaged;
};

static struct model_tpm *model;
static struct tpm_parent parent;
static struct tpm_object object, open_object;
static uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
static uint64_t dice;

/* The same input does the same thing: sessions, too. */
static const char *dice_name(void)
{
	return "dice";
}

static uint32_t dice_roll(void)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 32);
}

static void dice_fill(void *const ret, const size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)ret)[i] = (uint8_t)dice_roll();
}

static enum err make_up(struct hostile *h, uint8_t *ret, size_t *ret_len)
{
	size_t len = cursor_u16(&h->rest);
	const uint8_t *at;

	if (len > h->rest.left)
		len = h->rest.left;
	if (h->rest.e || len > *ret_len)
		return ERR_IO;
	at = cursor_take(&h->rest, len);
	if (len)
		memcpy(ret, at, len);
	*ret_len = len;
	return OK;
}

/* Three bytes are one damage: which answer, where, what. */
static void damage(struct hostile *h, uint8_t *bytes, size_t len)
{
	struct cursor c = h->rest;
	unsigned n = h->answers++;

	while (len && c.left >= 3) {
		uint8_t which = cursor_u8(&c), at = cursor_u8(&c), bits = cursor_u8(&c);

		if (which % 16 != n || !bits)
			continue;
		bytes[(at + 256u * (which / 16)) % len] ^= bits;
		h->is_damaged = 1;
	}
}

static enum err submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	struct hostile *h = context;
	enum err e;

	if (h->who == MADE_UP)
		return make_up(h, ret, ret_len);
	e = model_tpm_submit(model, ret, ret_len, command, len);
	if (!e && h->who == DAMAGED)
		damage(h, ret, *ret_len);
	return e;
}

static void wait_ms(void *context, unsigned ms)
{
	(void)context;
	(void)ms;
}

/* Lengths as well: the first byte of a damage above 0xf0 cuts. */
static void tamper(void *context, uint32_t code, uint8_t *parameters, size_t *len)
{
	struct hostile *h = context;
	struct cursor c = h->rest;

	(void)code;
	if (c.left && *c.at > 0xf0)
		*len = *len > *c.at - 0xf0u ? *len - (*c.at - 0xf0u) : 0;
	damage(h, parameters, *len);
}

static enum err ask_unseal(const struct tpm *t, const struct hostile *h, const struct tpm_object *o, const uint8_t *a)
{
	uint8_t got[TPM_SECRET_BYTES], before[TPM_SECRET_BYTES];
	enum err e;

	memset(got, 0xa5, sizeof(got));
	memcpy(before, got, sizeof(got));
	e = tpm_unseal(got, t, &parent, o, a);
	if (e ? memcmp(got, before, sizeof(got)) != 0 :
		h->who == MADE_UP || (h->who == DAMAGED && memcmp(got, secret, sizeof(got)) != 0))
		abort();
	return e;
}

static enum err ask_change(const struct tpm *t, const struct hostile *h)
{
	uint8_t new_auth[TPM_AUTH_BYTES] = { 9 };
	struct tpm_object changed = object;
	enum err e = tpm_change_auth(&changed, t, &parent, auth, new_auth);

	if (e ? memcmp(&changed, &object, sizeof(changed)) != 0 :
		h->who == MADE_UP || changed.private_len > TPM_PRIVATE_MAX)
		abort();
	return e;
}

static enum err ask(const struct tpm *t, const struct hostile *h, enum asked asked)
{
	uint8_t pcr[TPM_PCR_BYTES];
	struct tpm_lockout lockout;

	switch (asked) {
	case UNSEAL:
		return ask_unseal(t, h, &object, auth);
	case UNSEAL_OPEN:
		return ask_unseal(t, h, &open_object, NULL);
	case CHANGE:
		return ask_change(t, h);
	case PCR:
		return tpm_pcr_read(pcr, t, 7);
	default:
		return tpm_lockout_read(&lockout, t);
	}
}

static int try(const uint8_t *bytes, size_t len)
{
	struct hostile h = { .rest = cursor_over(bytes, len) };
	const struct tpm t = { submit, wait_ms, &h };
	uint8_t first = cursor_u8(&h.rest);
	enum err e;

	h.who = first / ASKED_COUNT % WHO_COUNT;
	dice = 1;
	model->tries = 0;
	model->tamper = h.who == HOSTILE ? tamper : NULL;
	model->tamper_context = &h;
	memset(model->objects, 0, sizeof(model->objects));
	memset(model->sessions, 0, sizeof(model->sessions));
	e = ask(&t, &h, first % ASKED_COUNT);
	if (!h.is_damaged && h.who == DAMAGED && (e || model_tpm_loaded(model)))
		abort();
	return !e;
}

/* What a good TPM says, as answers that are made up. */
struct recorder { uint8_t bytes[8192]; size_t len; };

static enum err record(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	struct recorder *r = context;
	enum err e = model_tpm_submit(model, ret, ret_len, command, len);

	if (e || r->len + 2 + *ret_len > sizeof(r->bytes))
		abort();
	r->bytes[r->len++] = (uint8_t)*ret_len;
	r->bytes[r->len++] = (uint8_t)(*ret_len >> 8);
	memcpy(r->bytes + r->len, ret, *ret_len);
	r->len += *ret_len;
	return OK;
}

static void seed_recorded(char **argv, const char *name, enum asked asked)
{
	const struct hostile nobody = { .who = DAMAGED };
	struct recorder r = { .bytes = { (uint8_t)(MADE_UP * ASKED_COUNT + asked) }, .len = 1 };
	const struct tpm t = { record, wait_ms, &r };

	dice = 2; /* another session than the one that it will be played to */
	sample_must(ask(&t, &nobody, asked));
	fuzz_seed(argv, name, r.bytes, r.len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static randombytes_implementation implementation = { .implementation_name = dice_name, .random = dice_roll,
							     .buf = dice_fill };

	(void)argc;
	randombytes_set_implementation(&implementation);
	fuzz_begin();
	model = model_tpm_new(1);
	memset(secret, 0x5e, sizeof(secret));
	memset(auth, 0xa1, sizeof(auth));
	model_tpm_parent(&parent, model);
	model_tpm_seal(&object, model, secret, auth);
	model_tpm_seal(&open_object, model, secret, NULL);
	for (uint8_t asked = 0; asked < ASKED_COUNT; asked++) {
		const uint8_t good[] = { (uint8_t)(DAMAGED * ASKED_COUNT + asked) };
		const uint8_t hostile[] = { (uint8_t)(HOSTILE * ASKED_COUNT + asked), 5, 1, 1 };
		const char name[] = { (char)('a' + asked), 0 };

		if (!try(good, sizeof(good)))
			abort();
		fuzz_seed(*argv, name, hostile, sizeof(hostile));
		seed_recorded(*argv, (const char[]){ 'r', (char)('a' + asked), 0 }, asked);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
