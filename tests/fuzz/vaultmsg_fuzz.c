/* Messages on the socket pair, both ways: the first byte is the request that an answer would belong
 * to, the rest a frame whose length field is repaired. What decodes encodes to the same bytes, and
 * a request is put to a real vault, whatever a frontend that was taken over may ask. */
#include "core_fuzz.h"

#include "server/vault/vault.h"
#include "tests/unit/server_dir.h"

static struct vault vault;
static char dir[64];

static void clean(void)
{
	vault_close(&vault);
	server_dir_remove(dir);
}

static void check_same(const struct vaultmsg *m, const uint8_t *frame, size_t len, uint16_t request)
{
	uint8_t *again = NULL;
	size_t again_len;

	if (vaultmsg_encode(&again, &again_len, m, request) || again_len != len ||
	    memcmp(again, frame, len))
		abort();
	free(again);
}

static int try(const uint8_t *data, size_t len)
{
	VAULTMSG m = { 0 }, answer = { 0 };
	uint8_t *frame;
	uint16_t request;
	size_t body;

	if (len < 1 + VAULTMSG_HEAD_BYTES)
		return 0;
	request = data[0];
	frame = fuzz_copy(data + 1, len - 1);
	body = len - 1 - VAULTMSG_HEAD_BYTES;
	for (int i = 0; i < 4; i++)
		frame[4 + i] = (uint8_t)(body >> (8 * i));
	if (vaultmsg_decode(&m, frame, len - 1, request)) {
		free(frame);
		return 0;
	}
	check_same(&m, frame, len - 1, request);
	free(frame);
	if (m.type == VAULT_OK || m.type == VAULT_ERROR)
		return 1;
	vault_answer(&vault, &m, &answer);
	if (answer.e || (answer.type != VAULT_OK && answer.type != VAULT_ERROR))
		abort();
	return 1;
}

static void seed(char **argv, const char *name, const struct vaultmsg *m, uint16_t request)
{
	uint8_t *frame = NULL, *input;
	size_t len;

	if (vaultmsg_encode(&frame, &len, m, request))
		abort();
	input = malloc(len + 1);
	input[0] = (uint8_t)request;
	memcpy(input + 1, frame, len);
	if (!try(input, len + 1))
		abort();
	fuzz_seed(argv, name, input, len + 1);
	free(input);
	free(frame);
}

static void seed_texts(char **argv, const char *name, uint16_t type, const char *a, const char *b,
		       const char *c)
{
	VAULTMSG m = { 0 };

	vaultmsg_start(&m, type);
	if (a)
		vaultmsg_add_text(&m, a);
	if (b)
		vaultmsg_add_text(&m, b);
	if (c)
		vaultmsg_add_text(&m, c);
	seed(argv, name, &m, 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t key[KEY_BYTES] = { 1 };
	VAULTMSG m = { 0 };

	(void)argc;
	fuzz_begin();
	server_dir_make(dir);
	if (vault_open(&vault, dir))
		abort();
	atexit(clean);
	vaultmsg_start(&m, VAULT_CHECKPOINT);
	vaultmsg_add_number(&m, 1);
	vaultmsg_add_key(&m, key);
	seed(*argv, "checkpoint", &m, 0);
	vaultmsg_start(&m, VAULT_OK);
	vaultmsg_add_text(&m, "salt");
	vaultmsg_add_number(&m, 1);
	vaultmsg_add_number(&m, 2);
	seed(*argv, "answer", &m, VAULT_SIGN_IN);
	seed_texts(*argv, "hello", VAULT_HELLO, NULL, NULL, NULL);
	seed_texts(*argv, "sign-in", VAULT_SIGN_IN, "ada", NULL, NULL);
	seed_texts(*argv, "claim", VAULT_CLAIM, "a.b.c", "proof", NULL);
	seed_texts(*argv, "enrol", VAULT_ENROL, "a.b.c", NULL, NULL);
	seed_texts(*argv, "confirm", VAULT_SESSION_CONFIRM, "AAAAAAAAAAAAAAAAAAAAAA", "a.b.c", "");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try(data, len);
	return 0;
}
