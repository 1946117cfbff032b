/* A helpdesk tool of somebody else's: uses nothing but the public header and library, as library.py builds it.
 * helpdesk RECORD ATTESTATION-JWK ESCROW-KEY-HEX RECEIPT SERVER-JWK CERT ROOT-JWK: each step's result, a line each. */
#include <holdfast.h>
#include <stdio.h>
#include <string.h>

static void key_read(uint8_t ret[HOLDFAST_KEY_BYTES], const char *hex)
{
	unsigned byte;

	for (int i = 0; i < HOLDFAST_KEY_BYTES && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		ret[i] = (uint8_t)byte;
}

static void say(const char *what, int error)
{
	printf("%s: %s\n", what, holdfast_error_text(error));
}

static void open_record(char **argv)
{
	struct holdfast_record record = { 0 };
	char code[HOLDFAST_CODE_TEXT] = "untouched";
	uint8_t key[HOLDFAST_KEY_BYTES], other[HOLDFAST_KEY_BYTES] = { 1 };

	key_read(key, argv[3]);
	say("verify", holdfast_escrow_verify(&record, argv[1], argv[2]));
	printf("number: %u\n", record.number);
	say("another key", holdfast_escrow_open(code, NULL, argv[1], argv[2], other));
	printf("code: %s\n", code);
	say("open", holdfast_escrow_open(code, &record, argv[1], argv[2], key));
	printf("code: %s\n", code);
	say("receipt", holdfast_receipt_verify(argv[4], record.device, record.enrolment, record.id,
					       argv[1], argv[5]));
	say("another message", holdfast_receipt_verify(argv[4], record.device, record.enrolment,
						       record.id, "x", argv[5]));
	holdfast_wipe(code, sizeof code);
	holdfast_wipe(key, sizeof key);
	printf("wiped: %s\n", code[0] || key[0] ? "no" : "yes");
}

static void check_codes(void)
{
	char code[HOLDFAST_CODE_TEXT] = "untouched", tag[9] = "";
	uint32_t number = 0;
	size_t group = 99;

	say("code", holdfast_code_canonical(code, &group, HOLDFAST_CODE_ONE_TIME, "BCDEF"));
	printf("group: %zu, code: %s\n", group, code);
	say("unknown kind", holdfast_code_canonical(code, NULL, 77, "BCDEF"));
	say("challenge", holdfast_challenge_read(tag, &number, NULL, "?"));
	printf("typed so far: %zu\n", holdfast_code_check(HOLDFAST_CODE_RECOVERY, "BCD"));
}

int main(int argc, char **argv)
{
	char *jwk = NULL, *payload = NULL;

	if (argc != 8)
		return 2;
	printf("version: %s\n", strcmp(holdfast_version(), HOLDFAST_VERSION) ? "differs" : "agrees");
	open_record(argv);
	check_codes();
	say("certificate", holdfast_cert_verify(&jwk, argv[6], "server", argv[7], 1700000000));
	printf("certified: %s\n", jwk ? jwk : "nothing");
	say("ended", holdfast_cert_verify(&payload, argv[6], "server", argv[7], 1900000000));
	say("role", holdfast_cert_verify(&payload, argv[6], "officer", argv[7], 1700000000));
	say("message", holdfast_message_verify(&payload, "holdfast-receipt", argv[4], argv[5]));
	say("no key", holdfast_message_verify(&payload, "holdfast-receipt", argv[4], "{}"));
	holdfast_free(jwk);
	holdfast_free(payload);
	holdfast_free(NULL);
	return 0;
}
