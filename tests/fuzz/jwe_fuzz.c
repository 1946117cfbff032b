/* Sealed messages: headers are mutated, then sealed under the right key, so that only the parsers decide. */
#include "jose_fuzz.h"

#include "common/jwe_host.h"
#include "common/kdf_host.h"

#define PLAIN "hello"

enum { MODE_DIR_TEXT, MODE_SEALED_TEXT, MODE_DIR_HEADER, MODE_SEALED_HEADER, MODES };

static const uint8_t key[KEY_BYTES] = { 1 };
static const uint8_t iv[12] = { 2 };
static struct agree_sk sk;
static struct agree_pk epk;
static uint8_t agreed[KEY_BYTES];

static void plain_check(const struct secret *plain)
{
	if (plain->len != strlen(PLAIN) || memcmp(plain->bytes, PLAIN, plain->len))
		abort();
}

static int try_dir(const char *jwe)
{
	SECRET struct secret plain = { 0 };
	JSON *header = NULL, *peeked = NULL;
	enum err e = jwe_peek(&peeked, jwe);

	if (jwe_dir_decrypt(&plain, &header, jwe, key, iv))
		return 0;
	if (e || !json_equal(header, peeked))
		abort();
	plain_check(&plain);
	compact_check(jwe);
	return 1;
}

static int try_sealed(const char *jwe)
{
	SECRET struct secret plain = { 0 };

	if (jwe_unseal(&plain, jwe, &sk))
		return 0;
	plain_check(&plain);
	compact_check(jwe);
	return 1;
}

static char *under_header(const char *text, const uint8_t with[static KEY_BYTES])
{
	TEXT *header = NULL;
	char *jwe = NULL;

	sample_must(b64_encode(&header, text, strlen(text)));
	sample_must(jwe_compact(&jwe, header, with, iv, PLAIN, strlen(PLAIN)));
	return jwe;
}

static int try(const uint8_t *data, size_t len)
{
	TEXT *text = NULL, *jwe = NULL;

	if (!len)
		return 0;
	text = text_copy(data + 1, len - 1);
	switch (data[0] % MODES) {
	case MODE_DIR_TEXT:
		return try_dir(text);
	case MODE_SEALED_TEXT:
		return try_sealed(text);
	case MODE_DIR_HEADER:
		return try_dir(jwe = under_header(text, key));
	default:
		return try_sealed(jwe = under_header(text, agreed));
	}
}

static void keys_new(void)
{
	const struct concat_info info = { .algorithm = "A256GCM" };
	struct agree_sk esk;
	struct agree_pk pk;
	uint8_t z[32];

	memset(sk.bytes, 3, sizeof sk.bytes);
	memset(esk.bytes, 4, sizeof esk.bytes);
	agree_pk_of(&pk, &sk);
	agree_pk_of(&epk, &esk);
	if (crypto_scalarmult(z, esk.bytes, pk.bytes))
		abort();
	sample_must(concat_kdf(agreed, sizeof agreed, z, sizeof z, &info));
}

static char *sealed_header(void)
{
	struct agree_pk pk;
	char kid[KID_BYTES], *text = NULL;
	JSON *header = NULL;

	agree_pk_of(&pk, &sk);
	kid_of_agree(kid, &pk);
	header = json_pack("{s:s, s:s, s:o, s:s, s:s}", "alg", "ECDH-ES", "enc", "A256GCM", "epk",
			   jwk_of_agree(&epk), "kid", kid, "typ", "holdfast-sealed");
	sample_must(json_print(&text, header));
	return text;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char dir[] = "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"ctr\":1}";
	TEXT *dir_text = NULL, *sealed_text = NULL, *header = NULL;

	(void)argc;
	fuzz_begin();
	keys_new();
	header = sealed_header();
	dir_text = under_header(dir, key);
	sealed_text = under_header(header, agreed);
	jose_seed(*argv, "dir", MODE_DIR_TEXT, dir_text, try);
	jose_seed(*argv, "sealed", MODE_SEALED_TEXT, sealed_text, try);
	jose_seed(*argv, "dir-header", MODE_DIR_HEADER, dir, try);
	jose_seed(*argv, "sealed-header", MODE_SEALED_HEADER, header, try);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
