/* Bindings: the section of the store that says which sealed object of the laptop's TPM belongs to which
 * credential. The agent makes them (tpm2-tss), pre-boot unseals with them (tpm.h) and changes them when a
 * password is changed there. Before unlock they are hints like everything in the store.
 * Tables: bindings_v1.inc, bindings_entry_v1.inc. */
#ifndef HOLDFAST_BINDINGS_H
#define HOLDFAST_BINDINGS_H

#include "format.h"
#include "key.h"
#include "tpm.h"

#define BINDINGS_MAX 64
#define BINDINGS_HEAD_BYTES 184
#define BINDING_BYTES 512
#define BINDINGS_BYTES_MAX (BINDINGS_HEAD_BYTES + BINDINGS_MAX * BINDING_BYTES)

enum binding_kind {
	BINDING_SECRET = 1, /* with auth: one half of a credential's KEK */
	BINDING_SHARES = 2, /* without auth: the key of a self-help record's questions */
};

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct bindings_head {
#include "bindings_v1.inc"
};
struct binding {
#include "bindings_entry_v1.inc"
};
#undef FIELD

struct bindings {
	struct bindings_head head;
	struct binding *entries; /* head.count of them; malloc'ed, or NULL */
};
void bindings_drop(struct bindings *b);

/* What a binding's object holds; auth is zeros where it has none. Wipe with sealed_wipe. */
struct sealed {
	uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
};
void sealed_wipe(struct sealed *s);
#define SEALED __attribute__((cleanup(sealed_wipe))) struct sealed

/* An empty section: no parent, no entry. */
void bindings_default(struct bindings *ret);
/* Errors: ERR_FORMAT (also: a credential and kind twice), ERR_VERSION, ERR_RANGE (a count, length or handle; no
 * parent's point where there are entries), ERR_MEMORY. */
MUST_CHECK enum err bindings_decode(struct bindings *ret, const uint8_t *bytes, size_t len);
/* Into ret[BINDINGS_BYTES_MAX]; sets magic and version. Errors: ERR_RANGE (what could not be decoded again). */
MUST_CHECK enum err bindings_encode(uint8_t *ret, size_t *ret_len, const struct bindings *b);

/* *ret points into b until the next add or remove. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err bindings_find(struct binding **ret, const struct bindings *b,
				  const uint8_t credential[static 16], enum binding_kind kind);
/* Add, or put in the place of the one with the same credential and kind.
 * Errors: ERR_RANGE (the entry itself), ERR_SPACE, ERR_MEMORY. */
MUST_CHECK enum err bindings_put(struct bindings *b, const struct binding *entry);
/* All of a credential's. That there is none is no error. */
void bindings_remove(struct bindings *b, const uint8_t credential[static 16]);

/* To and from the forms of tpm.h. */
void bindings_parent(struct tpm_parent *ret, const struct bindings *b);
void bindings_set_parent(struct bindings *b, const struct tpm_parent *parent);
void binding_object(struct tpm_object *ret, const struct binding *b);
void binding_set_object(struct binding *b, const struct tpm_object *object);

/* The copy under the unlock key, bound to credential and kind: aad = "holdfast binding v1" || credential
 * || kind. Errors of open: ERR_AUTH. */
void binding_close(struct binding *b, const struct sealed *s, const struct unlock_key *uk);
MUST_CHECK enum err binding_open(struct sealed *ret, const struct binding *b,
				 const struct unlock_key *uk);
/* The TPM's lockoutAuth, aad = "holdfast lockout v1". Errors of open: ERR_NOT_FOUND (there is none),
 * ERR_AUTH. */
void bindings_close_lockout(struct bindings *b, const uint8_t auth[static TPM_AUTH_BYTES],
			    const struct unlock_key *uk);
MUST_CHECK enum err bindings_open_lockout(uint8_t ret[static TPM_AUTH_BYTES], const struct bindings *b,
					  const struct unlock_key *uk);
/* All copies under another unlock key; on failure as it was. Called by store_rekey.
 * Errors: ERR_AUTH, ERR_MEMORY. */
MUST_CHECK enum err bindings_rekey(struct bindings *b, const struct unlock_key *old_uk,
				   const struct unlock_key *new_uk);

#endif
