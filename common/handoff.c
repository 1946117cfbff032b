/* Hand-off: encoder and decoder. Holds the unlock key, so every copy is wiped. */
#include "handoff.h"

#include <sodium.h>
#include <string.h>

#include "credential.h"
#include "secret.h"
#include "text.h"

#define MAGIC "HFHAND01"
#define VERSION 1

#define FORMAT_TABLE "handoff_v1.inc"
#define FORMAT_NOUN handoff_head
#define FORMAT_PREFIX HANDOFF_HEAD
#include "format_codec.h"

#define FORMAT_TABLE "handoff_event_v1.inc"
#define FORMAT_NOUN handoff_event
#define FORMAT_PREFIX HANDOFF_EVENT
#include "format_codec.h"

_Static_assert(HANDOFF_HEAD_BYTES + HANDOFF_EVENTS_MAX * HANDOFF_EVENT_BYTES + MANIFEST_BYTES_MAX ==
		       HANDOFF_BYTES_MAX,
	       "HANDOFF_BYTES_MAX is not what the tables add up to");
_Static_assert(sizeof(((struct handoff_head *)0)->unlock_key) == UNLOCK_KEY_BYTES &&
		       sizeof(((struct handoff_head *)0)->user_seed) == KEY_BYTES &&
		       sizeof(((struct handoff_head *)0)->user) == USER_NAME_MAX + 1,
	       "the headers say other widths than the table");

const char *preboot_event_text(uint16_t kind)
{
	switch (kind) {
#define X(name, number, text) \
	case number:          \
		return text;
		PREBOOT_EVENT_LIST(X)
#undef X
	}
	return NULL;
}

void handoff_drop(struct handoff *h)
{
	secret_wipe(h, sizeof(*h));
}

void handoff_strip(struct handoff *h)
{
	secret_wipe(h->head.unlock_key, sizeof(h->head.unlock_key));
	secret_wipe(h->head.user_seed, sizeof(h->head.user_seed));
	h->head.flags |= HANDOFF_NO_KEYS;
}

/* Who logged in or helped himself is a user, a code has none. */
static int user_valid(const struct handoff_head *h)
{
	int named = credential_is_login(h->kind) || h->kind == CREDENTIAL_SELF_HELP;

	if (h->kind < CREDENTIAL_PASSWORD || h->kind > CREDENTIAL_SELF_HELP)
		return 0;
	return text_valid(h->user, sizeof(h->user)) && named == (h->user[0] != 0) &&
	       (h->kind == CREDENTIAL_ONE_TIME_CODE || h->number == 0);
}

static enum err head_bounds(const struct handoff_head *h)
{
	if (h->flags & ~HANDOFF_NO_KEYS || !user_valid(h))
		return ERR_FORMAT;
	if (h->flags & HANDOFF_NO_KEYS &&
	    (!sodium_is_zero(h->unlock_key, sizeof(h->unlock_key)) ||
	     !sodium_is_zero(h->user_seed, sizeof(h->user_seed))))
		return ERR_FORMAT;
	if (h->trust & ~HANDOFF_TRUST || h->reserved)
		return ERR_FORMAT;
	return h->event_count > HANDOFF_EVENTS_MAX || h->target >= MANIFEST_TARGETS_MAX ||
			       h->loader >= HANDOFF_LOADER_COUNT
		       ? ERR_RANGE
		       : OK;
}

static enum err head_check(const struct handoff_head *h, size_t len)
{
	enum err e;

	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	e = head_bounds(h);
	if (e)
		return e;
	if (h->manifest_bytes > MANIFEST_BYTES_MAX)
		return ERR_RANGE;
	if (h->total_bytes != len || len != HANDOFF_HEAD_BYTES +
						    h->event_count * HANDOFF_EVENT_BYTES +
						    h->manifest_bytes)
		return ERR_FORMAT;
	return OK;
}

enum err handoff_decode(struct handoff *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	HANDOFF h = { 0 };
	enum err e;

	handoff_head_read(&c, &h.head);
	e = c.e ? ERR_FORMAT : head_check(&h.head, len);
	if (e)
		return e;
	for (size_t i = 0; i < h.head.event_count; i++)
		handoff_event_read(&c, &h.events[i]);
	e = manifest_decode(&h.manifest, cursor_take(&c, h.head.manifest_bytes),
			    h.head.manifest_bytes);
	if (!e)
		e = cursor_end(&c);
	if (!e)
		*ret = h;
	return e;
}

static void head_drop(struct handoff_head *h)
{
	secret_wipe(h, sizeof(*h));
}

enum err handoff_encode(uint8_t *ret, size_t *ret_len, const struct handoff *h)
{
	__attribute__((cleanup(head_drop))) struct handoff_head head = h->head;
	uint8_t manifest[MANIFEST_BYTES_MAX];
	struct writer w = writer_over(ret, HANDOFF_BYTES_MAX);
	size_t manifest_bytes;

	if (head_bounds(&head) || manifest_encode(manifest, &manifest_bytes, &h->manifest))
		return ERR_RANGE;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	head.version = VERSION;
	head.manifest_bytes = (uint32_t)manifest_bytes;
	head.total_bytes = (uint32_t)(HANDOFF_HEAD_BYTES + head.event_count * HANDOFF_EVENT_BYTES +
				      manifest_bytes);
	handoff_head_write(&w, &head);
	for (size_t i = 0; i < head.event_count; i++)
		handoff_event_write(&w, &h->events[i]);
	writer_bytes(&w, manifest, manifest_bytes);
	*ret_len = head.total_bytes;
	return OK;
}
