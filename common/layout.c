/* Layout: strokes to characters. */
#include "layout.h"

#include <string.h>

#include "layout_format.h"

enum err layouts_get(struct layout *ret, const struct layouts *l, unsigned index)
{
	struct layouts_entry entry;

	if (index >= l->count)
		return ERR_NOT_FOUND;
	layouts_entry_at(&entry, l, index);
	memcpy(ret->name, entry.name, sizeof(ret->name));
	memcpy(ret->title, entry.title, sizeof(ret->title));
	ret->latin = entry.flags & LAYOUT_LATIN ? 1 : 0;
	ret->keys = layouts_entry_keys(l, index);
	return OK;
}

enum err layouts_find(struct layout *ret, unsigned *ret_index, const struct layouts *l, const char *name)
{
	struct layout found;

	for (unsigned i = 0; i < l->count; i++) {
		if (layouts_get(&found, l, i) || strcmp(found.name, name))
			continue;
		*ret = found;
		if (ret_index)
			*ret_index = i;
		return OK;
	}
	return ERR_NOT_FOUND;
}

/* What a US keyboard has, in the order of layouts_entry_v1.inc; the ISO key has no character there. */
static const char us_plain[LAYOUT_KEYS + 1] = "`1234567890-=qwertyuiop[]\\asdfghjkl;'\0zxcvbnm,./ ";
static const char us_shift[LAYOUT_KEYS + 1] = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"\0ZXCVBNM<>? ";

static int is_letter(uint16_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The key that was struck, and whether with Shift; 0 when no US keyboard has the character. */
static int place(unsigned *ret_key, int *ret_shift, const struct layout_stroke *stroke)
{
	const char *at = stroke->us < 0x7f ? memchr(us_plain, stroke->us, LAYOUT_KEYS) : NULL;

	*ret_shift = 0;
	if (at) {
		*ret_key = (unsigned)(at - us_plain);
		if (!*at || *at == ' ')
			*ret_shift = stroke->modifiers & LAYOUT_SHIFT ? 1 : 0;
	} else {
		at = stroke->us < 0x7f ? memchr(us_shift, stroke->us, LAYOUT_KEYS) : NULL;
		if (!at)
			return 0;
		*ret_key = (unsigned)(at - us_shift);
		*ret_shift = 1;
	}
	if (is_letter(stroke->us) && stroke->modifiers & LAYOUT_CAPS)
		*ret_shift = !*ret_shift;
	return 1;
}

static uint16_t stroke_value(const struct layouts *all, const struct layout *l,
			     const struct layout_stroke *stroke)
{
	unsigned key;
	int shift;

	if (!place(&key, &shift, stroke))
		return layout_is_character(stroke->us) ? stroke->us : 0;
	return layouts_value(all, layout_key_row(l, key),
			     (unsigned)shift + (stroke->modifiers & LAYOUT_ALTGR ? 2u : 0u),
			     stroke->modifiers & LAYOUT_CAPS);
}

static int is_dead(uint16_t value)
{
	return value > LAYOUT_DEAD && value < 0xe000;
}

/* A character goes out, a dead key stays waiting. */
static unsigned emit(uint16_t *ret, struct layout_dead *d, uint16_t value)
{
	d->dead = is_dead(value) ? (uint16_t)(value - LAYOUT_DEAD) : 0;
	if (!value || d->dead)
		return 0;
	*ret = value;
	return 1;
}

unsigned layout_type(uint16_t ret[static 2], struct layout_dead *d, const struct layouts *all,
		     const struct layout *l, const struct layout_stroke *stroke)
{
	uint16_t value = stroke_value(all, l, stroke), made;
	unsigned n = 0;

	if (!value)
		return 0;
	if (!d->dead)
		return emit(ret, d, value);
	made = layouts_combine(all, d->dead, value);
	if (made)
		return emit(ret, d, made);
	/* the accent alone is what it makes with Space */
	made = layouts_combine(all, d->dead, ' ');
	n = emit(ret, d, made);
	return n + emit(ret + n, d, value);
}
