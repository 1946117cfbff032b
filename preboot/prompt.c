#include "prompt.h"

#include "common/secret.h"

/* Does the key end the prompt, and how? */
static int ends(enum prompt_end *ret, const struct key *k)
{
	static const struct {
		uint16_t scan, unicode;
		enum prompt_end end;
	} keys[] = {
		{ 0, KEY_ENTER, PROMPT_ENTER },
		{ 0, KEY_TAB, PROMPT_ENTER },
		{ KEY_SCAN_ESC, KEY_ESC, PROMPT_BACK },
		{ KEY_SCAN_F2, KEY_CTRL_R, PROMPT_CODE },
		{ KEY_SCAN_F3, KEY_CTRL_K, PROMPT_RECOVERY },
		{ KEY_SCAN_F7, KEY_CTRL_P, PROMPT_CHANGE },
		{ KEY_SCAN_F8, KEY_CTRL_F, PROMPT_QUESTIONS },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (k->scan ? k->scan != keys[i].scan : k->unicode != keys[i].unicode)
			continue;
		*ret = keys[i].end;
		return 1;
	}
	return 0;
}

/* Nothing of what was typed is kept but after Enter. */
static enum prompt_end end_with(struct line *ret, enum prompt_end end)
{
	ui_field_done();
	if (end != PROMPT_ENTER)
		line_cut(ret, 0);
	return end;
}

enum prompt_end prompt_line(struct line *ret, const char *label, size_t max, enum ui_echo echo)
{
	enum prompt_end end;
	struct typed t;

	line_drop(ret);
	ret->max = max;
	ui_field(label, 0);
	for (;;) {
		ui_echo(ret, echo);
		ui_key(&t);
		line_note(ret, t.key.unicode);
		if (ends(&end, &t.key))
			break;
		for (unsigned i = 0; i < t.count; i++)
			line_key(ret, t.chars[i]);
	}
	secret_wipe(&t, sizeof(t));
	return end_with(ret, end);
}

static void code_key(struct line *l, enum code_kind kind, const struct typed *t)
{
	size_t before = l->chars, group;
	uint16_t letter = typing_letter(t);

	/* Separators are shown, not typed; anything else that is no letter is ignored. */
	if (letter)
		line_key(l, letter);
	else if (t->count == 1 && (t->chars[0] == KEY_BACKSPACE || t->chars[0] == KEY_DELETE ||
				   t->chars[0] == KEY_CTRL_U))
		line_key(l, t->chars[0]);
	if (l->chars <= before)
		return;
	group = code_check_typed(kind, l->bytes, l->len);
	if (!group)
		return;
	/* the first wrong group and what follows it */
	line_cut(l, (group - 1) * CODE_GROUP_LETTERS);
	ui_tell(MESSAGE_GROUP_MISTYPED, (unsigned)group);
}

enum prompt_end prompt_code(struct line *ret, const char *label, enum code_kind kind)
{
	size_t letters = code_groups(kind) * CODE_GROUP_LETTERS;
	enum prompt_end end;
	struct typed t;

	line_drop(ret);
	ret->max = letters;
	ui_field(label, 1);
	for (;;) {
		ui_echo_code(ret, letters);
		ui_key(&t);
		line_note(ret, t.key.unicode);
		if (!ends(&end, &t.key)) {
			code_key(ret, kind, &t);
			continue;
		}
		if (end != PROMPT_ENTER || !ret->len || ret->len == letters)
			break;
		ui_tell(MESSAGE_CODE_SHORT, (unsigned)code_groups(kind), CODE_GROUP_LETTERS,
			(unsigned)(letters - ret->len));
	}
	secret_wipe(&t, sizeof(t));
	return end_with(ret, end);
}
