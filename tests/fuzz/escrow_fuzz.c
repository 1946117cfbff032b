/* Escrow records and receipts: cover, inside and receipt are mutated, then signed and sealed. */
#include "jose_fuzz.h"

#include "common/escrow_host.h"

#define RECORD(sealed) \
	"{\"id\":\"" ID "\",\"purpose\":\"help\",\"kind\":\"one-time-code\",\"device\":\"" DEVICE "\"," \
	"\"enrolment\":\"" ENROLMENT "\",\"number\":7,\"keyslots\":{},\"created\":1,\"sealed\":\"" sealed "\"}"
#define INSIDE \
	"{\"id\":\"" ID "\",\"device\":\"" DEVICE "\",\"enrolment\":\"" ENROLMENT "\"," \
	"\"kind\":\"one-time-code\",\"number\":7,\"secret\":\"BCDEF-GHJKL\"}"

enum { MODE_COVER, MODE_INSIDE, MODE_RECEIPT, MODES };

static struct agree_sk sk;
static struct agree_pk pk;

static void shape_check(const struct escrow *e)
{
	if (strlen(e->id) != 32 || strlen(e->device) != 32 || strlen(e->enrolment) != 32)
		abort();
}

static int try_cover(const char *payload)
{
	TEXT *jws = jws_of("holdfast-escrow", payload, 1);
	struct sign_pk laptop = signer_pk(1);
	SECRET struct secret code = { 0 };
	struct escrow e = { 0 }, opened = { 0 };

	if (escrow_verify(&e, jws, &laptop))
		return 0;
	shape_check(&e);
	if (!escrow_open(&code, &opened, jws, &laptop, &sk))
		escrow_drop(&opened);
	escrow_drop(&e);
	return 1;
}

static int try_inside(const char *inside)
{
	TEXT *sealed = NULL, *payload = NULL, *jws = NULL;
	struct sign_pk laptop = signer_pk(1);
	SECRET struct secret code = { 0 };
	struct escrow e = { 0 };

	if (!*inside)
		return 0;
	sample_must(jwe_seal(&sealed, &pk, (const uint8_t *)inside, strlen(inside)));
	if (asprintf(&payload, RECORD("%s"), sealed) < 0)
		abort();
	jws = jws_of("holdfast-escrow", payload, 1);
	if (escrow_open(&code, &e, jws, &laptop, &sk))
		return 0;
	for (size_t i = 0; i < code.len; i++)
		if (code.bytes[i] != '-' && (code.bytes[i] < 'A' || code.bytes[i] > 'Z'))
			abort();
	shape_check(&e);
	escrow_drop(&e);
	return 1;
}

static int try_receipt(const char *payload)
{
	TEXT *receipt = jws_of("holdfast-receipt", payload, 2);
	struct sign_pk server = signer_pk(2);

	return receipt_verify(receipt, DEVICE, ENROLMENT, ID, "message", &server) == OK;
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_COVER:
		return try_cover(text);
	case MODE_INSIDE:
		return try_inside(text);
	default:
		return try_receipt(text);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	memset(sk.bytes, 3, sizeof sk.bytes);
	agree_pk_of(&pk, &sk);
	jose_seed(*argv, "cover", MODE_COVER, RECORD("x"), try);
	jose_seed(*argv, "inside", MODE_INSIDE, INSIDE, try);
	jose_seed(*argv, "receipt", MODE_RECEIPT,
		  "{\"items\":[{\"id\":\"" ID "\",\"digest\":"
		  "\"q1MKE-RZFJgrefm34_uplM_R8_si9xzqGvvwK0YMbR0\"}],\"device\":\"" DEVICE "\","
		  "\"enrolment\":\"" ENROLMENT "\",\"time\":1}", try);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
