/* Bindings: encoder, decoder, bounds, and the copies under the unlock key. */
#include "bindings.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "stack.h"

#define MAGIC "HFBIND01"
#define VERSION 1
#define ABYTES crypto_aead_xchacha20poly1305_ietf_ABYTES

#define FORMAT_TABLE "bindings_v1.inc"
#define FORMAT_NOUN bindings_head
#define FORMAT_PREFIX HEAD
#include "format_codec.h"

#define FORMAT_TABLE "bindings_entry_v1.inc"
#define FORMAT_NOUN binding
#define FORMAT_PREFIX ENTRY
#include "format_codec.h"

_Static_assert(HEAD_BYTES == BINDINGS_HEAD_BYTES && ENTRY_BYTES == BINDING_BYTES,
	       "bindings.h says other sizes than the tables");
_Static_assert(sizeof(((struct binding *)0)->public_area) == TPM_PUBLIC_MAX &&
		       sizeof(((struct binding *)0)->private_area) == TPM_PRIVATE_MAX &&
		       sizeof(((struct bindings_head *)0)->pcr7) == TPM_PCR_BYTES,
	       "tpm.h says other widths than the tables");
_Static_assert(sizeof(struct sealed) + ABYTES == sizeof(((struct binding *)0)->copy) &&
		       TPM_AUTH_BYTES + ABYTES == sizeof(((struct bindings_head *)0)->lockout),
	       "a copy is not what it holds and the tag");

#define HANDLE_FIRST 0x81000000u
#define HANDLE_LAST 0x817fffffu

void bindings_drop(struct bindings *b)
{
	free(b->entries);
	*b = (struct bindings){ 0 };
}

void sealed_wipe(struct sealed *s)
{
	secret_wipe(s, sizeof(*s));
}

void bindings_default(struct bindings *ret)
{
	*ret = (struct bindings){ 0 };
}

static int same_place(const struct binding *a, const uint8_t credential[static 16], uint8_t kind)
{
	return a->kind == kind && !memcmp(a->credential, credential, sizeof(a->credential));
}

static enum err entry_check(const struct binding *b)
{
	if (b->kind < BINDING_SECRET || b->kind > BINDING_SHARES || b->reserved || b->reserved_2)
		return ERR_FORMAT;
	if (b->public_bytes == 0 || b->public_bytes > TPM_PUBLIC_MAX || b->private_bytes == 0 ||
	    b->private_bytes > TPM_PRIVATE_MAX)
		return ERR_RANGE;
	return sodium_is_zero(b->public_area + b->public_bytes, TPM_PUBLIC_MAX - b->public_bytes) &&
			       sodium_is_zero(b->private_area + b->private_bytes,
					      TPM_PRIVATE_MAX - b->private_bytes)
		       ? OK
		       : ERR_FORMAT;
}

static enum err head_bounds(const struct bindings_head *h)
{
	if (h->count > BINDINGS_MAX ||
	    (h->parent && (h->parent < HANDLE_FIRST || h->parent > HANDLE_LAST)))
		return ERR_RANGE;
	return h->count > 0 && sodium_is_zero(h->parent_x, sizeof(h->parent_x)) &&
			       sodium_is_zero(h->parent_y, sizeof(h->parent_y))
		       ? ERR_RANGE
		       : OK;
}

/* None of them twice: which one is found must not depend on the order. */
static enum err entries_check(const struct bindings *b)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < b->head.count; i++) {
		e = entry_check(&b->entries[i]);
		for (size_t j = 0; !e && j < i; j++)
			if (same_place(&b->entries[i], b->entries[j].credential, b->entries[j].kind))
				e = ERR_FORMAT;
	}
	return e;
}

static enum err head_check(const struct bindings_head *h, size_t len)
{
	enum err e;

	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	e = head_bounds(h);
	if (e)
		return e;
	return len == BINDINGS_HEAD_BYTES + (size_t)h->count * BINDING_BYTES ? OK : ERR_FORMAT;
}

enum err bindings_decode(struct bindings *ret, const uint8_t *bytes, size_t len)
{
	__attribute__((cleanup(bindings_drop))) struct bindings b = { 0 };
	struct cursor c = cursor_over(bytes, len);
	enum err e;

	bindings_head_read(&c, &b.head);
	e = c.e ? ERR_FORMAT : head_check(&b.head, len);
	if (e)
		return e;
	if (b.head.count > 0) {
		b.entries = malloc(b.head.count * sizeof(*b.entries));
		if (!b.entries)
			return ERR_MEMORY;
	}
	for (size_t i = 0; i < b.head.count; i++)
		binding_read(&c, &b.entries[i]);
	e = entries_check(&b);
	if (!e)
		e = cursor_end(&c);
	if (e)
		return e;
	*ret = b;
	b = (struct bindings){ 0 }; /* now ret's */
	return OK;
}

enum err bindings_encode(uint8_t *ret, size_t *ret_len, const struct bindings *b)
{
	struct writer w = writer_over(ret, BINDINGS_BYTES_MAX);
	struct bindings_head head = b->head;

	if (head_bounds(&head) || entries_check(b))
		return ERR_RANGE;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	head.version = VERSION;
	bindings_head_write(&w, &head);
	for (size_t i = 0; i < head.count; i++)
		binding_write(&w, &b->entries[i]);
	*ret_len = BINDINGS_BYTES_MAX - w.left;
	return OK;
}

enum err bindings_find(struct binding **ret, const struct bindings *b,
		       const uint8_t credential[static 16], enum binding_kind kind)
{
	for (size_t i = 0; i < b->head.count; i++)
		if (same_place(&b->entries[i], credential, (uint8_t)kind)) {
			*ret = &b->entries[i];
			return OK;
		}
	return ERR_NOT_FOUND;
}

/* The entries in memory of their own, with room for `more`. */
static enum err entries_copy(struct binding **ret, const struct bindings *b, size_t more)
{
	size_t count = b->head.count;
	struct binding *entries = calloc(count + more ? count + more : 1, sizeof(*entries));

	if (!entries)
		return ERR_MEMORY;
	if (count > 0)
		memcpy(entries, b->entries, count * sizeof(*entries));
	*ret = entries;
	return OK;
}

enum err bindings_put(struct bindings *b, const struct binding *entry)
{
	struct binding *place, *grown;
	enum err e;

	if (entry_check(entry))
		return ERR_RANGE;
	if (!bindings_find(&place, b, entry->credential, (enum binding_kind)entry->kind)) {
		*place = *entry;
		return OK;
	}
	if (b->head.count >= BINDINGS_MAX)
		return ERR_SPACE;
	e = entries_copy(&grown, b, 1);
	if (e)
		return e;
	grown[b->head.count++] = *entry;
	free(b->entries);
	b->entries = grown;
	return OK;
}

void bindings_remove(struct bindings *b, const uint8_t credential[static 16])
{
	uint16_t kept = 0;

	for (size_t i = 0; i < b->head.count; i++)
		if (memcmp(b->entries[i].credential, credential, 16))
			b->entries[kept++] = b->entries[i];
	for (size_t i = kept; i < b->head.count; i++)
		b->entries[i] = (struct binding){ 0 };
	b->head.count = kept;
}

void bindings_parent(struct tpm_parent *ret, const struct bindings *b)
{
	ret->handle = b->head.parent;
	memcpy(ret->x, b->head.parent_x, sizeof(ret->x));
	memcpy(ret->y, b->head.parent_y, sizeof(ret->y));
}

void bindings_set_parent(struct bindings *b, const struct tpm_parent *parent)
{
	b->head.parent = parent->handle;
	memcpy(b->head.parent_x, parent->x, sizeof(b->head.parent_x));
	memcpy(b->head.parent_y, parent->y, sizeof(b->head.parent_y));
}

void binding_object(struct tpm_object *ret, const struct binding *b)
{
	memcpy(ret->public_area, b->public_area, sizeof(ret->public_area));
	memcpy(ret->private_area, b->private_area, sizeof(ret->private_area));
	ret->public_len = b->public_bytes;
	ret->private_len = b->private_bytes;
}

void binding_set_object(struct binding *b, const struct tpm_object *object)
{
	b->public_bytes = object->public_len;
	b->private_bytes = object->private_len;
	memset(b->public_area, 0, sizeof(b->public_area));
	memset(b->private_area, 0, sizeof(b->private_area));
	if (object->public_len <= TPM_PUBLIC_MAX)
		memcpy(b->public_area, object->public_area, object->public_len);
	if (object->private_len <= TPM_PRIVATE_MAX)
		memcpy(b->private_area, object->private_area, object->private_len);
}

static const char copy_as[] = "holdfast binding v1";
#define COPY_AAD_BYTES (sizeof(copy_as) - 1 + 16 + 1)

static void copy_aad(uint8_t ret[static COPY_AAD_BYTES], const struct binding *b)
{
	struct writer w = writer_over(ret, COPY_AAD_BYTES);

	writer_bytes(&w, copy_as, sizeof(copy_as) - 1);
	writer_bytes(&w, b->credential, sizeof(b->credential));
	writer_u8(&w, b->kind);
}

void binding_close(struct binding *b, const struct sealed *s, const struct unlock_key *uk)
{
	uint8_t aad[COPY_AAD_BYTES];

	copy_aad(aad, b);
	randombytes_buf(b->nonce, sizeof(b->nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt(b->copy, NULL, (const uint8_t *)s, sizeof(*s), aad,
						   sizeof(aad), NULL, b->nonce, uk->bytes);
	stack_wipe();
}

enum err binding_open(struct sealed *ret, const struct binding *b, const struct unlock_key *uk)
{
	uint8_t aad[COPY_AAD_BYTES];
	SEALED s = { 0 };
	int failed;

	copy_aad(aad, b);
	failed = crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)&s, NULL, NULL, b->copy,
							    sizeof(b->copy), aad, sizeof(aad), b->nonce,
							    uk->bytes);
	stack_wipe();
	if (failed)
		return ERR_AUTH;
	*ret = s;
	return OK;
}

static const char lockout_as[] = "holdfast lockout v1";

void bindings_close_lockout(struct bindings *b, const uint8_t auth[static TPM_AUTH_BYTES],
			    const struct unlock_key *uk)
{
	struct bindings_head *h = &b->head;

	randombytes_buf(h->nonce, sizeof(h->nonce));
	crypto_aead_xchacha20poly1305_ietf_encrypt(h->lockout, NULL, auth, TPM_AUTH_BYTES,
						   (const uint8_t *)lockout_as, sizeof(lockout_as) - 1,
						   NULL, h->nonce, uk->bytes);
	stack_wipe();
}

static int has_lockout(const struct bindings *b)
{
	return !sodium_is_zero(b->head.lockout, sizeof(b->head.lockout));
}

static void auth_wipe(uint8_t (*auth)[TPM_AUTH_BYTES])
{
	secret_wipe(*auth, sizeof(*auth));
}
#define AUTH __attribute__((cleanup(auth_wipe))) uint8_t

enum err bindings_open_lockout(uint8_t ret[static TPM_AUTH_BYTES], const struct bindings *b,
			       const struct unlock_key *uk)
{
	const struct bindings_head *h = &b->head;
	AUTH auth[TPM_AUTH_BYTES] = { 0 };
	int failed;

	if (!has_lockout(b))
		return ERR_NOT_FOUND;
	failed = crypto_aead_xchacha20poly1305_ietf_decrypt(auth, NULL, NULL, h->lockout,
							    sizeof(h->lockout),
							    (const uint8_t *)lockout_as,
							    sizeof(lockout_as) - 1, h->nonce, uk->bytes);
	stack_wipe();
	if (failed)
		return ERR_AUTH;
	memcpy(ret, auth, sizeof(auth));
	return OK;
}

static enum err lockout_rekey(struct bindings *b, const struct unlock_key *old_uk,
			      const struct unlock_key *new_uk)
{
	AUTH auth[TPM_AUTH_BYTES] = { 0 };
	enum err e = OK;

	if (!has_lockout(b))
		return OK;
	e = bindings_open_lockout(auth, b, old_uk);
	if (!e)
		bindings_close_lockout(b, auth, new_uk);
	return e;
}

static enum err entry_rekey(struct binding *b, const struct unlock_key *old_uk,
			    const struct unlock_key *new_uk)
{
	SEALED s = { 0 };
	enum err e = binding_open(&s, b, old_uk);

	if (!e)
		binding_close(b, &s, new_uk);
	return e;
}

enum err bindings_rekey(struct bindings *b, const struct unlock_key *old_uk,
			const struct unlock_key *new_uk)
{
	__attribute__((cleanup(bindings_drop))) struct bindings changed = { .head = b->head };
	enum err e = entries_copy(&changed.entries, b, 0);

	for (size_t i = 0; !e && i < changed.head.count; i++)
		e = entry_rekey(&changed.entries[i], old_uk, new_uk);
	if (!e)
		e = lockout_rekey(&changed, old_uk, new_uk);
	if (e)
		return e;
	free(b->entries);
	*b = changed;
	changed = (struct bindings){ 0 }; /* now b's */
	return OK;
}
