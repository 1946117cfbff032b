#include "prompt.h"

#include <string.h>

#include "common/secret.h"
#include "console.h"

#define HIDDEN_SHOWN 40

/* Does the key end the prompt, and how? */
static int ends(enum prompt_end *ret, const struct key *k)
{
	if (k->unicode == KEY_ENTER)
		*ret = PROMPT_ENTER;
	else if (k->unicode == KEY_CTRL_R || k->scan == KEY_SCAN_F2)
		*ret = PROMPT_CODE;
	else if (k->unicode == KEY_CTRL_K || k->scan == KEY_SCAN_F3)
		*ret = PROMPT_RECOVERY;
	else
		return 0;
	return 1;
}

static void rub_out(size_t places)
{
	while (places--)
		console_say("\b \b");
}

static size_t shown(size_t chars, int hidden)
{
	return hidden && chars > HIDDEN_SHOWN ? HIDDEN_SHOWN : chars;
}

/* Draw one key's effect. before: characters before the key. */
static void draw(const struct line *l, size_t from, size_t before, int hidden)
{
	size_t old = shown(before, hidden), now = shown(l->chars, hidden);

	if (now < old)
		rub_out(old - now);
	else if (now > old)
		console_say("%s", hidden ? "*" : l->bytes + from);
}

enum prompt_end prompt_line(struct line *ret, const char *label, size_t max, int hidden)
{
	enum prompt_end end;
	struct key key;

	line_drop(ret);
	ret->max = max;
	console_say("%s", label);
	for (;;) {
		size_t from = ret->len, before = ret->chars;

		console_key(&key);
		if (ends(&end, &key))
			break;
		line_key(ret, key.unicode);
		draw(ret, from, before, hidden);
	}
	secret_wipe(&key, sizeof(key));
	console_say("\n");
	if (end != PROMPT_ENTER)
		line_cut(ret, 0);
	return end;
}

/* The code typed so far, with hyphens between its groups. */
static void draw_code(const char *label, const struct line *l)
{
	console_say("%s", label);
	for (size_t i = 0; i < l->len; i++)
		console_say(i % CODE_GROUP_LETTERS == CODE_GROUP_LETTERS - 1 ? "%c-" : "%c", l->bytes[i]);
}

static int is_letter(uint16_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static uint16_t upper(uint16_t c)
{
	return c >= 'a' && c <= 'z' ? (uint16_t)(c - 'a' + 'A') : c;
}

/* Hyphens come by themselves: after each full group, the last one too, so that what is drawn depends
 * on the length only. */
static size_t places(size_t letters)
{
	return letters + letters / CODE_GROUP_LETTERS;
}

/* Take back the first wrong group and what follows it. */
static void refuse_group(struct line *l, const char *label, size_t group)
{
	line_cut(l, (group - 1) * CODE_GROUP_LETTERS);
	console_say("\nGroup %u is mistyped. Type it again.\n", (unsigned)group);
	draw_code(label, l);
}

static void code_key(struct line *l, const char *label, enum code_kind kind, uint16_t c)
{
	size_t before = l->chars, group;

	/* Separators are drawn, not typed; anything else that is no letter is ignored. */
	if (c >= 0x20 && c != 0x7f && !is_letter(c))
		return;
	line_key(l, upper(c));
	if (l->chars < before)
		rub_out(places(before) - places(l->chars));
	if (l->chars <= before)
		return;
	console_say(l->chars % CODE_GROUP_LETTERS ? "%c" : "%c-", l->bytes[l->len - 1]);
	group = code_check_typed(kind, l->bytes, l->len);
	if (group)
		refuse_group(l, label, group);
}

enum prompt_end prompt_code(struct line *ret, const char *label, enum code_kind kind)
{
	size_t letters = code_groups(kind) * CODE_GROUP_LETTERS;
	enum prompt_end end;
	struct key key;

	line_drop(ret);
	ret->max = letters;
	console_say("%s", label);
	for (;;) {
		console_key(&key);
		if (!ends(&end, &key)) {
			code_key(ret, label, kind, key.unicode);
			continue;
		}
		if (end != PROMPT_ENTER || !ret->len || ret->len == letters)
			break;
		console_say("\nThe code has %u groups of %u letters; %u more to type.\n",
			    (unsigned)code_groups(kind), CODE_GROUP_LETTERS,
			    (unsigned)(letters - ret->len));
		draw_code(label, ret);
	}
	secret_wipe(&key, sizeof(key));
	console_say("\n");
	if (end != PROMPT_ENTER)
		line_cut(ret, 0);
	return end;
}
