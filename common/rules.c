/* Rules: encoder, decoder, bounds. What is out of bounds is refused when it is written, so that no
 * laptop ever finds it at its next start. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define MAGIC "HFRULES1"
#define VERSION 1

#define FORMAT_TABLE "rules_v1.inc"
#define FORMAT_NOUN rules_head
#define FORMAT_PREFIX TABLE
#include "format_codec.h"

_Static_assert(TABLE_BYTES == RULES_HEAD_BYTES, "rules.h says another size than the table");
_Static_assert(sizeof(((struct rules_head *)0)->organisation) == RULES_ORGANISATION_MAX + 1 &&
		       sizeof(((struct rules_head *)0)->layout) == RULES_LAYOUT_MAX + 1,
	       "rules.h says other widths than the table");

void rules_drop(struct rules *r)
{
	free(r->logo);
	*r = (struct rules){ 0 };
}

void rules_default(struct rules *ret)
{
	*ret = (struct rules){ .head = { .password_min = 1 } };
}

static enum err head_figures(const struct rules_head *h)
{
	if (h->failure_limit > RULES_FAILURES_MAX || h->password_min < 1 ||
	    h->password_min > RULES_PASSWORD_MIN_MAX || h->last_contact > RULES_CONTACT_MAX)
		return ERR_RANGE;
	if (h->contact_warn_days > RULES_DAYS_MAX || h->contact_lock_days > RULES_DAYS_MAX ||
	    h->password_days > RULES_DAYS_MAX)
		return ERR_RANGE;
	if (h->failure_action == RULES_KILL && h->failure_limit > 0 &&
	    h->failure_limit < RULES_KILL_LIMIT_MIN)
		return ERR_RANGE;
	return OK;
}

static enum err head_bounds(const struct rules_head *h)
{
	if (h->flags & ~RULES_FLAGS || h->failure_action > RULES_KILL || h->reserved)
		return ERR_FORMAT;
	if (!text_valid(h->organisation, sizeof(h->organisation)) ||
	    !text_is_layout(h->layout, sizeof(h->layout)))
		return ERR_FORMAT;
	return head_figures(h);
}

static enum err head_check(const struct rules_head *h, size_t len)
{
	enum err e;

	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	e = head_bounds(h);
	if (e)
		return e;
	if (h->banner_bytes > RULES_BANNER_MAX || h->logo_bytes > LOGO_BYTES_MAX)
		return ERR_RANGE;
	return len == RULES_HEAD_BYTES + (size_t)h->banner_bytes + h->logo_bytes ? OK : ERR_FORMAT;
}

/* The banner is all of its bytes: none is a zero. */
static enum err banner_decode(struct rules *r, struct cursor *c)
{
	cursor_bytes(c, r->banner, r->head.banner_bytes);
	if (!text_lines_valid(r->banner, sizeof(r->banner)))
		return ERR_FORMAT;
	return strlen((const char *)r->banner) == r->head.banner_bytes ? OK : ERR_FORMAT;
}

static enum err logo_take(struct rules *r, const uint8_t *bytes)
{
	struct logo l;
	enum err e = logo_decode(&l, bytes, r->head.logo_bytes);

	if (e)
		return e;
	r->logo = malloc(r->head.logo_bytes);
	if (!r->logo)
		return ERR_MEMORY;
	memcpy(r->logo, bytes, r->head.logo_bytes);
	return OK;
}

enum err rules_decode(struct rules *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct rules r = { 0 };
	enum err e;

	rules_head_read(&c, &r.head);
	e = c.e ? ERR_FORMAT : head_check(&r.head, len);
	if (!e)
		e = banner_decode(&r, &c);
	if (!e && r.head.logo_bytes > 0)
		e = logo_take(&r, cursor_take(&c, r.head.logo_bytes));
	if (!e)
		*ret = r;
	return e;
}

static int logo_valid(const struct rules *r)
{
	struct logo l;

	if (!r->logo || r->head.logo_bytes == 0)
		return !r->logo && r->head.logo_bytes == 0;
	return r->head.logo_bytes <= LOGO_BYTES_MAX && !logo_decode(&l, r->logo, r->head.logo_bytes);
}

enum err rules_encode(uint8_t *ret, size_t *ret_len, const struct rules *r)
{
	struct writer w = writer_over(ret, RULES_BYTES_MAX);
	struct rules_head head = r->head;

	if (head_bounds(&head) || !text_lines_valid(r->banner, sizeof(r->banner)) || !logo_valid(r))
		return ERR_RANGE;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	head.version = VERSION;
	head.banner_bytes = (uint16_t)strlen((const char *)r->banner);
	rules_head_write(&w, &head);
	writer_bytes(&w, r->banner, head.banner_bytes);
	writer_bytes(&w, r->logo, head.logo_bytes);
	*ret_len = RULES_BYTES_MAX - w.left;
	return OK;
}

enum err rules_copy(struct rules *ret, const struct rules *r)
{
	uint8_t *logo = NULL;

	if (r->logo) {
		logo = malloc(r->head.logo_bytes);
		if (!logo)
			return ERR_MEMORY;
		memcpy(logo, r->logo, r->head.logo_bytes);
	}
	*ret = *r;
	ret->logo = logo;
	return OK;
}
