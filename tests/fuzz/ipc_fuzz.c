/* Local socket: what decodes encodes to the same bytes, as a request, and as the answer to each request. */
#include "core_fuzz.h"

#include "agent/ipc.h"

static const struct {
	uint16_t type;
	const char *shape, *answer;
} rows[] = {
#define REQUEST(name, number, who, request, answer) { number, request, answer },
#include "agent/ipc_v1.inc"
#undef REQUEST
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int try(const uint8_t *bytes, size_t len, uint16_t request)
{
	IPC_MESSAGE m = { 0 };
	uint8_t *again = NULL;
	size_t again_len = 0;

	if (ipc_decode(&m, bytes, len, request))
		return 0;
	if (ipc_encode(&again, &again_len, &m, request) || again_len != len ||
	    memcmp(bytes, again, len))
		abort();
	free(again);
	return 1;
}

static void seed(char **argv, uint16_t type, uint16_t request, const char *shape)
{
	static const uint8_t key[KEY_BYTES] = { 1 };
	IPC_MESSAGE m = { 0 };
	uint8_t *bytes = NULL;
	size_t len = 0;
	char name[32];

	ipc_start(&m, type);
	for (; *shape; shape++) {
		if (*shape == 's')
			ipc_add_text(&m, "text");
		else if (*shape == 'k')
			ipc_add_key(&m, key);
		else
			ipc_add_number(&m, 7);
	}
	if (ipc_encode(&bytes, &len, &m, request) || !try(bytes, len, request))
		abort();
	snprintf(name, sizeof(name), "ipc-%u-%u", (unsigned)type, (unsigned)request);
	fuzz_seed(argv, name, bytes, len);
	free(bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	fuzz_begin();
	for (size_t i = 0; i < ROWS; i++) {
		seed(*argv, rows[i].type, 0, rows[i].shape);
		seed(*argv, IPC_OK, rows[i].type, rows[i].answer);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes = fuzz_copy(data, len);

	try(bytes, len, 0);
	for (size_t i = 0; i < ROWS; i++)
		try(bytes, len, rows[i].type);
	free(bytes);
	return 0;
}
