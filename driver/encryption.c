/* Encryption: what a header says of its ciphers. */
#include "encryption.h"

#include <string.h>

#include "../common/json_host.h"
#include "volume_impl.h"

enum err header_json(json_t **ret, struct crypt_device *cd)
{
	const char *text;

	if (crypt_dump_json(cd, &text, 0) < 0)
		return ERR_FORMAT;
	/* libcryptsetup allows 4 MiB; ours and the distributions' headers have 12 KiB of JSON. */
	return json_parse(ret, text, strlen(text));
}

static int text_is(const json_t *o, const char *name, const char *want)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text && !strcmp(text, want);
}

static int segments_encrypted(const json_t *header)
{
	json_t *segments = json_object_get(header, "segments"), *each;
	const char *name;

	json_object_foreach (segments, name, each)
		if (!text_is(each, "type", "crypt") ||
		    !text_is(each, "encryption", VOLUME_ENCRYPTION))
			return 0;
	return json_object_size(segments) > 0;
}

/* Keyslots of another type hold no key but the state of a re-encryption, under its own digest. */
static int keyslots_encrypted(const json_t *header)
{
	const char *name;
	json_t *each;

	json_object_foreach (json_object_get(header, "keyslots"), name, each)
		if (text_is(each, "type", "luks2") &&
		    !text_is(json_object_get(each, "area"), "encryption", VOLUME_ENCRYPTION))
			return 0;
	return 1;
}

int header_encrypts(const json_t *header)
{
	return segments_encrypted(header) && keyslots_encrypted(header);
}

enum err encryption_check(const char **ret_what, struct crypt_device *cd)
{
	JSON *header = NULL;
	enum err e = header_json(&header, cd);

	if (e)
		return e;
	if (header_encrypts(header))
		return OK;
	*ret_what = "cipher";
	return ERR_CHANGED;
}
