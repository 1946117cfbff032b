/* LUKS2 headers: libcryptsetup reads them first; what it accepts, every reader of ours survives, and whoever
 * opens a volume that no manifest vouches for has looked at the ciphers that libcryptsetup would use. An input is
 * a whole header, or the JSON of one: then head and checksum are made for it. */
#include "core_fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "driver/encryption.h"
#include "driver/volume_find.h"
#include "driver/volume_impl.h"
#include "driver/volume_uuid.h"

#define IMAGE_BYTES ((off_t)18 << 20)
#define COPY_BYTES 16384
#define HEAD_BYTES 4096
#define CHECKSUM_AT 448

static uint8_t good[2 * COPY_BYTES];
static struct manifest_volume vouched;
static const struct unlock_key uk = { { 7 } };
static int image = -1;
static char path[40];

static void image_put(const uint8_t *bytes, size_t len)
{
	if (len > (size_t)IMAGE_BYTES)
		len = (size_t)IMAGE_BYTES;
	if (ftruncate(image, 0) || ftruncate(image, IMAGE_BYTES) ||
	    pwrite(image, bytes, len, 0) != (ssize_t)len)
		abort();
}

/* Both copies with this JSON. */
static void image_put_json(const uint8_t *json, size_t len)
{
	uint8_t both[2 * COPY_BYTES];

	memcpy(both, good, sizeof(both));
	if (len > COPY_BYTES - HEAD_BYTES)
		len = COPY_BYTES - HEAD_BYTES;
	for (uint8_t *copy = both; copy < both + sizeof(both); copy += COPY_BYTES) {
		memset(copy + HEAD_BYTES, 0, COPY_BYTES - HEAD_BYTES);
		memcpy(copy + HEAD_BYTES, json, len);
		memset(copy + CHECKSUM_AT, 0, 64);
		crypto_hash_sha256(copy + CHECKSUM_AT, copy, COPY_BYTES);
	}
	image_put(both, sizeof(both));
}

/* By the UUID that its first copy has, if it has one, among this process's own files. */
static void find(const uint8_t *bytes, size_t len)
{
	static const struct find_roots roots = { "/proc/self/fd", "/proc/self/fd" };
	uint8_t uuid[16];
	char text[UUID_TEXT_BYTES + 1] = { 0 }, found[100];

	if (len < 168 + UUID_TEXT_BYTES)
		return;
	memcpy(text, bytes + 168, UUID_TEXT_BYTES);
	if (!uuid_parse(uuid, text))
		(void)!volume_find_under(found, sizeof(found), uuid, &roots);
}

/* Keyslots of other types are opened by nobody. */
static int opens(struct volume *v, int keyslot)
{
	crypt_keyslot_info status = crypt_keyslot_status(v->cd, keyslot);
	const char *type;
	char number[12];
	json_t *header = NULL;
	int is;

	snprintf(number, sizeof(number), "%d", keyslot);
	if (header_json(&header, v->cd))
		abort();
	type = json_string_value(json_object_get(
		json_object_get(json_object_get(header, "keyslots"), number), "type"));
	is = type && !strcmp(type, "luks2") && status >= CRYPT_SLOT_ACTIVE && status != CRYPT_SLOT_UNBOUND;
	json_decref(header);
	return is;
}

/* What the recovery prompt relies on. */
static void ciphers(struct volume *v)
{
	const char *what, *cipher = crypt_get_cipher(v->cd), *mode = crypt_get_cipher_mode(v->cd);
	size_t bytes;

	if (encryption_check(&what, v->cd))
		return;
	if (!cipher || !mode || strcmp(cipher, VOLUME_CIPHER) || strcmp(mode, VOLUME_MODE))
		abort();
	for (int i = 0; i < 32; i++) {
		const char *slot = crypt_keyslot_get_encryption(v->cd, i, &bytes);

		if (slot && opens(v, i) && strcmp(slot, VOLUME_ENCRYPTION))
			abort();
	}
}

/* Returns 1 for a header that is as the manifest says. */
static int read_all(void)
{
	uint8_t ids[TOKENS_MAX][ESCROW_ID_BYTES];
	size_t count = TOKENS_MAX;
	struct manifest_volume described = { 0 };
	const char *what = NULL;
	struct digest d;
	unsigned foreign;
	VOLUME *v = NULL;
	enum err e = volume_load(&v, path);

	if (e)
		return 0;
	ciphers(v);
	(void)!volume_idle(v);
	(void)!volume_header_digest(&d, v);
	(void)!volume_foreign_keyslots(&foreign, v);
	(void)!volume_recovery_list(v, ids, &count);
	if (!volume_describe(&described, v, &uk) && volume_check(v, &described, &uk, &what))
		abort();
	e = volume_check(v, &vouched, &uk, &what);
	if (e == ERR_CHANGED && !what)
		abort();
	return !e;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t escrow_id[ESCROW_ID_BYTES] = { 1 };
	struct secret recovery = { 0 };
	VOLUME *v = NULL;
	char *end;

	(void)argc;
	fuzz_begin();
	image = memfd_create("luks2", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	if (image < 0 || ftruncate(image, IMAGE_BYTES) || secret_copy(&recovery, "recovery", 8) ||
	    volume_format(path, &uk, &recovery, escrow_id) || volume_load(&v, path) ||
	    volume_describe(&vouched, v, &uk) || pread(image, good, sizeof(good), 0) != sizeof(good))
		abort();
	secret_drop(&recovery);
	if (!read_all())
		abort();
	fuzz_seed(*argv, "whole", good, sizeof(good));
	fuzz_seed(*argv, "json", good + HEAD_BYTES, strlen((char *)good + HEAD_BYTES));
	end = strstr((char *)good + HEAD_BYTES, "aes-xts-plain64");
	if (!end)
		abort();
	memcpy(end, "cipher_null-ecb", 15);
	image_put_json(good + HEAD_BYTES, COPY_BYTES - HEAD_BYTES);
	if (read_all())
		abort();
	fuzz_seed(*argv, "null", good + HEAD_BYTES, strlen((char *)good + HEAD_BYTES));
	memcpy(end, "aes-xts-plain64", 15);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len && data[0] == '{')
		image_put_json(data, len);
	else
		image_put(data, len);
	read_all();
	find(data, len);
	return 0;
}
