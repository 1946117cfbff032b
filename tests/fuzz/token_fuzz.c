/* Enrolment tokens: what parses has a server address, a pin and ids of the right form, and nothing else gets
 * through. The input is the JSON inside; the text around it is made here, so that the fuzzer gets past it,
 * and every other input is also tried as the whole text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "agent/holdfastd/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void parse(const char *text)
{
	struct enrol_token t;
	const char *why = NULL;

	if (enrol_token_parse(&t, &why, text)) {
		require(why != NULL);
		return;
	}
	require(enrol_url_is_valid(t.url) && enrol_pin_is_valid(t.pin));
	require(strlen(t.root) == KID_BYTES - 1 && strlen(t.enterprise) == 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char prefix[] = "holdfast-enrol:";
	char *body = NULL, *text;

	if (sodium_init() < 0 || len > 4096)
		return 0;
	text = malloc(sizeof(prefix) + 2 * len + 8);
	require(text != NULL);
	memcpy(text, data, len);
	text[len] = '\0';
	parse(text);
	if (!b64_encode(&body, data, len)) {
		memcpy(text, prefix, sizeof(prefix) - 1);
		memcpy(text + sizeof(prefix) - 1, body, strlen(body) + 1);
		parse(text);
	}
	free(body);
	free(text);
	return 0;
}
