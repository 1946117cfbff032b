#include "choice.h"

#include <string.h>

#include "variable.h"

#define VERSION 1

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct choice_state {
#include "choice_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "preboot/choice_v1.inc"
#define FORMAT_NOUN choice_state
#define FORMAT_PREFIX CHOICE_STATE
#include "common/format_codec.h"

_Static_assert(sizeof(((struct choice *)0)->layout) == sizeof(((struct choice_state *)0)->layout) &&
		       sizeof(((struct rules_head *)0)->layout) ==
			       sizeof(((struct choice_state *)0)->layout),
	       "the name of a layout has another width here");

/* Names such as "de" and "de(nodeadkeys)", zero padded. */
static int layout_valid(const uint8_t layout[static RULES_LAYOUT_MAX + 1])
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyz0123456789_-()";
	size_t len = 0;

	while (len < RULES_LAYOUT_MAX && layout[len])
		len++;
	for (size_t i = 0; i < len; i++)
		if (!memchr(known, layout[i], sizeof(known) - 1))
			return 0;
	for (size_t i = len; i <= RULES_LAYOUT_MAX; i++)
		if (layout[i])
			return 0;
	return 1;
}

static int state_valid(const struct choice_state *s)
{
	return s->version == VERSION && s->high_contrast <= 1 && s->large_type <= 1 &&
	       layout_valid(s->layout);
}

static enum err state_load(struct choice_state *ret)
{
	uint8_t bytes[CHOICE_STATE_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	struct choice_state s;
	enum err e = variable_read(bytes, sizeof(bytes), VARIABLE_CHOICE);

	if (e)
		return e;
	choice_state_read(&c, &s);
	if (!state_valid(&s))
		return ERR_FORMAT;
	*ret = s;
	return OK;
}

void choice_load(struct choice *ret, const struct rules *r)
{
	struct choice_state s = {
		.high_contrast = (r->head.flags & RULES_HIGH_CONTRAST) != 0,
		.large_type = (r->head.flags & RULES_LARGE_TYPE) != 0,
	};
	enum err e = state_load(&s);

	*ret = (struct choice){ .high_contrast = s.high_contrast, .large_type = s.large_type };
	if (!e && s.layout[0])
		memcpy(ret->layout, s.layout, sizeof(ret->layout));
	else if (layout_valid(r->head.layout))
		memcpy(ret->layout, r->head.layout, sizeof(ret->layout));
}

void choice_save(const struct choice *c)
{
	struct choice_state kept = { 0 }, s = {
		.version = VERSION,
		.high_contrast = c->high_contrast != 0,
		.large_type = c->large_type != 0,
	};
	uint8_t bytes[CHOICE_STATE_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));

	memcpy(s.layout, c->layout, strnlen(c->layout, RULES_LAYOUT_MAX));
	if (!layout_valid(s.layout) || (!state_load(&kept) && !memcmp(&kept, &s, sizeof(s))))
		return;
	choice_state_write(&w, &s);
	if (variable_write(VARIABLE_CHOICE, bytes, sizeof(bytes), 0))
		return;
}
