/* Makes what the integration tests of the volume layer need.
 *   make IMAGE HANDOFF NAME   format IMAGE, write a hand-off for it, print the recovery key
 *   rotate IMAGE HANDOFF      another unlock key on IMAGE and in HANDOFF, none left of the old one
 *   strip HANDOFF             remove its keys
 *   keyring                   print "present" or "absent" for the unlock key
 *   read IMAGE                what each reader of ours says of its header: "READER ERROR" */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/code.h"
#include "common/handoff.h"
#include "driver/handoff_file.h"
#include "driver/encryption.h"
#include "driver/keyring.h"
#include "driver/volume.h"
#include "driver/volume_impl.h"

static const uint8_t escrow_id[ESCROW_ID_BYTES] = "of the test";

static enum err handoff_write(const char *path, const struct handoff *h)
{
	uint8_t bytes[HANDOFF_BYTES_MAX];
	size_t len;
	FILE *f;
	enum err e = handoff_encode(bytes, &len, h);

	if (e)
		return e;
	unlink(path);
	f = fopen(path, "wx");
	if (!f)
		return ERR_IO;
	e = fwrite(bytes, 1, len, f) == len && !fchmod(fileno(f), 0400) ? OK : ERR_IO;
	return fclose(f) ? ERR_IO : e;
}

static enum err handoff_fill(struct handoff *h, const char *image, const struct unlock_key *uk)
{
	struct uk_id id;
	VOLUME *v = NULL;
	enum err e = volume_load(&v, image);

	unlock_key_id(&id, uk);
	memcpy(h->head.uk_id, id.bytes, sizeof(id.bytes));
	memcpy(h->head.unlock_key, uk->bytes, sizeof(uk->bytes));
	return e ? e : volume_describe(&h->manifest.volumes[0], v, uk);
}

static enum err make(const char *image, const char *path, const char *name)
{
	SECRET struct secret recovery = { 0 };
	UNLOCK_KEY uk = { 0 };
	HANDOFF h = { .manifest = { .volume_count = 1 } };
	enum err e = code_new(&recovery, CODE_RECOVERY);

	randombytes_buf(uk.bytes, sizeof(uk.bytes));
	h.head.kind = 1;
	strcpy((char *)h.head.user, "anna");
	strncpy((char *)h.manifest.volumes[0].name, name, sizeof(h.manifest.volumes[0].name) - 1);
	e = e ? e : volume_format(image, &uk, &recovery, escrow_id);
	e = e ? e : handoff_fill(&h, image, &uk);
	e = e ? e : handoff_write(path, &h);
	if (!e)
		printf("%.*s\n", (int)recovery.len, (const char *)recovery.bytes);
	return e;
}

static enum err rotate(const char *image, const char *path)
{
	UNLOCK_KEY present = { 0 }, fresh = { 0 };
	HANDOFF h = { 0 };
	VOLUME *v = NULL;
	enum err e = handoff_file_read(&h, path);

	e = e ? e : volume_load(&v, image);
	if (e)
		return e;
	memcpy(present.bytes, h.head.unlock_key, sizeof(present.bytes));
	randombytes_buf(fresh.bytes, sizeof(fresh.bytes));
	e = volume_unlock_add(v, &present, &fresh);
	e = e ? e : volume_unlock_keep(v, &fresh);
	e = e ? e : handoff_fill(&h, image, &fresh);
	return e ? e : handoff_write(path, &h);
}

static enum err strip(const char *path)
{
	HANDOFF h = { 0 };
	enum err e = handoff_file_read(&h, path);

	handoff_strip(&h);
	return e ? e : handoff_write(path, &h);
}

static enum err keyring(void)
{
	uint8_t key[KEY_BYTES];
	enum err e = keyring_get(key, KEYRING_UNLOCK);

	puts(e ? "absent" : "present");
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Some of these must fail, on a header that nobody vouched for: but none may crash. */
static enum err read_header(const char *image)
{
	const struct manifest_volume vouched = { .cipher = VOLUME_ENCRYPTION };
	struct manifest_volume described = { 0 };
	UNLOCK_KEY uk = { { 1 } };
	SECRET struct secret recovery = { 0 };
	uint8_t ids[TOKENS_MAX][ESCROW_ID_BYTES];
	size_t count = TOKENS_MAX;
	struct digest d;
	const char *what = "";
	unsigned foreign;
	VOLUME *v = NULL;
	enum err e = code_new(&recovery, CODE_RECOVERY);

	if (e)
		return e;
	e = volume_load(&v, image);
	printf("load %s\n", err_name(e));
	if (e)
		return OK;
	printf("idle %s\n", err_name(volume_idle(v)));
	printf("digest %s\n", err_name(volume_header_digest(&d, v)));
	printf("encryption %s\n", err_name(encryption_check(&what, v->cd)));
	printf("keyslots %s\n", err_name(volume_foreign_keyslots(&foreign, v)));
	printf("recovery-keys %s\n", err_name(volume_recovery_list(v, ids, &count)));
	printf("describe %s\n", err_name(volume_describe(&described, v, &uk)));
	printf("check %s\n", err_name(volume_check(v, &vouched, &uk, &what)));
	printf("unlock %s\n", err_name(volume_test_unlock(v, &uk)));
	printf("recovery %s\n", err_name(volume_test_recovery(v, &recovery)));
	return OK;
}

int main(int argc, char **argv)
{
	enum err e = ERR_RANGE;

	if (sodium_init() < 0)
		return 1;
	if (argc == 5 && !strcmp(argv[1], "make"))
		e = make(argv[2], argv[3], argv[4]);
	else if (argc == 4 && !strcmp(argv[1], "rotate"))
		e = rotate(argv[2], argv[3]);
	else if (argc == 3 && !strcmp(argv[1], "strip"))
		e = strip(argv[2]);
	else if (argc == 2 && !strcmp(argv[1], "keyring"))
		e = keyring();
	else if (argc == 3 && !strcmp(argv[1], "read"))
		e = read_header(argv[2]);
	if (e)
		fprintf(stderr, "driver_tool: %s\n", err_text(e));
	return e ? 1 : 0;
}
