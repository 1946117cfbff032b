/* What the files of the volume layer share: the handle, tokens, and the passage from
 * libcryptsetup's negative errno to enum err. Nobody outside driver/volume*.c reads it. */
#ifndef HOLDFAST_VOLUME_IMPL_H
#define HOLDFAST_VOLUME_IMPL_H

#include <jansson.h>
#include <libcryptsetup.h>
#include <limits.h>

#include "volume.h"

#define VOLUME_CIPHER "aes"
#define VOLUME_MODE "xts-plain64"
#define VOLUME_ENCRYPTION VOLUME_CIPHER "-" VOLUME_MODE
#define VOLUME_KEY_BYTES 64
#define VOLUME_ITERATIONS 1000

struct volume {
	struct crypt_device *cd;
	int fd; /* reads, and learns of write errors: an fsync reports those since its own open */
	char device[PATH_MAX];
	char problem[256];
};

/* A passphrase of a keyslot, borrowed. */
struct passphrase {
	const char *bytes;
	size_t len;
};
struct passphrase passphrase_unlock(const struct unlock_key *uk);
struct passphrase passphrase_secret(const struct secret *s);

/* What a call that returns a negative errno means here; r >= 0 is OK. */
enum err volume_err(int r);

/* New handle with a quiet log, nothing loaded. Errors: as volume_load but for ERR_FORMAT. */
MUST_CHECK enum err volume_begin(struct volume **ret, const char *device);

/* Everything written so far is on the disk when this returns; libcryptsetup itself passes over a
 * failing fsync. Errors: ERR_IO. */
MUST_CHECK enum err volume_sync(const struct volume *v);

/* The header's JSON. Errors: ERR_FORMAT. */
MUST_CHECK enum err header_json(json_t **ret, struct crypt_device *cd);
/* Every segment and every keyslot's area in the cipher of a managed volume (encryption.h)? */
int header_encrypts(const json_t *header);
MUST_CHECK enum err volume_json(json_t **ret, struct volume *v);
/* Is a re-encryption, or anything else that libcryptsetup calls a requirement, noted in the header?
 * Then tokens can't be written, and no half of a rotation may begin. Errors: ERR_BUSY, ERR_FORMAT.
 */
MUST_CHECK enum err volume_idle(struct volume *v);

/* Cheap key derivation for every keyslot that is added through v: both passphrases have at least
 * 128 bits. */
MUST_CHECK enum err volume_cheap_kdf(struct volume *v);

enum token_kind { TOKEN_UNLOCK, TOKEN_RECOVERY, TOKEN_KINDS };

/* One of our tokens. */
struct token {
	int number;
	enum token_kind kind;
	uint8_t id[ESCROW_ID_BYTES]; /* uk_id: the first eight */
	int keyslot;                 /* -1: none */
	int planned;                 /* announced keyslot; -1: none */
};

#define TOKENS_MAX 32
struct token_list {
	size_t count;
	struct token at[TOKENS_MAX];
};

size_t token_id_bytes(enum token_kind kind);
/* All of our tokens that are well formed; others are as good as absent. */
void token_list_read(struct token_list *ret, struct volume *v);
/* Does one of our tokens other than number `but` name this keyslot? */
int token_names(const struct token_list *l, int keyslot, int but);
/* Write: t->number -1 takes a free one and stores it there. Errors: ERR_SPACE, ERR_BUSY, ERR_IO. */
MUST_CHECK enum err token_write(struct volume *v, struct token *t);
MUST_CHECK enum err token_remove(struct volume *v, int number);

/* Open with the passphrase one of the keyslots that tokens of this kind name, with this id (NULL:
 * any), and activate as `name` (NULL: only test). *ret is the keyslot. Errors: ERR_AUTH; on
 * activation all others. */
MUST_CHECK enum err keyslot_open(int *ret, struct volume *v, const char *name, enum token_kind kind,
				 const uint8_t *id, struct passphrase p);
/* Keyslot by its token alone, nothing opened. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err keyslot_named(int *ret, struct volume *v, enum token_kind kind,
				  const uint8_t *id);
/* Volume key out of keyslot (or CRYPT_ANY_SLOT). Errors: ERR_AUTH, ERR_BUSY, ERR_MEMORY. */
MUST_CHECK enum err keyslot_volume_key(struct secret *ret, struct volume *v, int keyslot,
				       struct passphrase p);
/* Add a keyslot for p with its token. Doing it twice is no error. Errors: ERR_SPACE, ERR_BUSY,
 * ERR_EXISTS (this escrow id names another passphrase), ERR_IO. */
MUST_CHECK enum err keyslot_add(struct volume *v, const struct secret *volume_key,
				enum token_kind kind, const uint8_t *id, struct passphrase p);
MUST_CHECK enum err keyslot_destroy(struct volume *v, int keyslot);

#endif
