#include "typing.h"

#include <string.h>

#include "common/secret.h"

static struct layout layout;
static unsigned layout_index;
static unsigned first_index; /* what typing_start has chosen */
static struct layout_dead dead;

static void choose(unsigned index)
{
	layout_index = index;
	typing_drop();
	if (layouts_get(&layout, layouts_builtin(), index))
		layout = (struct layout){ 0 };
}

void typing_start(const char *name)
{
	struct layout found;

	first_index = 0;
	if (layouts_find(&found, &first_index, layouts_builtin(), name))
		first_index = 0;
	choose(first_index);
}

/* The order of the switch: the first choice, "us" (index 0), then the others as they stand. */
void typing_switch(void)
{
	unsigned count = layouts_builtin()->count, next = layout_index + 1;

	if (layout_index == first_index && first_index)
		next = 0;
	else if (next == first_index)
		next++;
	choose(next < count ? next : first_index);
}

const struct layout *typing_layout(void)
{
	return &layout;
}

void typing_drop(void)
{
	secret_wipe(&dead, sizeof(dead));
}

static int is_control(uint16_t c)
{
	return (c && c < 0x20) || c == KEY_DELETE;
}

static void one(struct typed *ret, uint16_t c)
{
	ret->chars[0] = c;
	ret->count = 1;
}

void typing_key(struct typed *ret, const struct key *key)
{
	struct layout_stroke stroke = { .us = key->unicode, .modifiers = key->modifiers };

	*ret = (struct typed){ .key = *key };
	if (key->scan)
		return;
	if (is_control(key->unicode)) {
		/* Backspace takes back a dead key that waits, and nothing else */
		if (!dead.dead || key->unicode != KEY_BACKSPACE)
			one(ret, key->unicode);
		typing_drop();
	} else if (key->terminal) {
		if (key->unicode)
			one(ret, key->unicode);
	} else {
		ret->count = layout_type(ret->chars, &dead, layouts_builtin(), &layout, &stroke);
	}
	secret_wipe(&stroke, sizeof(stroke));
}

static uint16_t letter(uint16_t c)
{
	if (c >= 'a' && c <= 'z')
		return (uint16_t)(c - 'a' + 'A');
	return c >= 'A' && c <= 'Z' ? c : 0;
}

uint16_t typing_letter(const struct typed *t)
{
	if (t->key.scan)
		return 0;
	if (!layout.latin || t->key.terminal)
		return letter(t->key.unicode);
	return t->count == 1 ? letter(t->chars[0]) : 0;
}
