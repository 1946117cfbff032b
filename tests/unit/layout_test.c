/* Keyboard layouts: rows that a person can check, the dead keys' manners, what can be typed, and damage to the table.
 * That each key of each layout is as in Linux is shown by tests/layout/xkb_test.py. */
#include "core_test.h"

#include "common/layout_format.h"

/* Strokes are written by the characters of a US keyboard. A mark is for the next stroke, CAPS for all that follow. */
#define ALTGR "\1"
#define CAPS "\2"
#define ISO "\3"
#define SHIFT "\4" /* with ISO and Space only, where the character does not tell */

static struct layout layout_named(const char *name)
{
	struct layout l;

	if (layouts_find(&l, NULL, layouts_builtin(), name))
		fail_msg("no layout %s", name);
	return l;
}

static size_t utf8(char *ret, uint16_t c)
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	ret[0] = (char)(0xe0 | c >> 12);
	ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* With Caps Lock firmware exchanges the case of letters. */
static uint16_t reported(char c, int modifiers)
{
	if (modifiers & LAYOUT_CAPS && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		return (uint16_t)(c ^ 0x20);
	return (uint8_t)c;
}

static void type_all(char *ret, const char *layout_name, const char *strokes)
{
	struct layout l = layout_named(layout_name);
	struct layout_dead dead = { 0 };
	int modifiers = 0;

	for (; *strokes; strokes++) {
		struct layout_stroke stroke;
		uint16_t typed[2];
		unsigned n;

		if (*strokes == *ALTGR || *strokes == *SHIFT || *strokes == *CAPS) {
			modifiers |= *strokes == *ALTGR ? LAYOUT_ALTGR : *strokes == *SHIFT ? LAYOUT_SHIFT : LAYOUT_CAPS;
			continue;
		}
		stroke = (struct layout_stroke){ *strokes == *ISO ? 0 : reported(*strokes, modifiers), (uint8_t)modifiers };
		n = layout_type(typed, &dead, layouts_builtin(), &l, &stroke);
		for (unsigned i = 0; i < n; i++)
			ret += utf8(ret, typed[i]);
		modifiers &= LAYOUT_CAPS;
	}
	*ret = 0;
}

static const struct {
	const char *layout, *strokes, *want;
} golden[] = {
	{ "us", "Hello, World 1!", "Hello, World 1!" },
	{ "us", CAPS "aA1!;:", "Aa1!;:" },
	{ "us", ALTGR "q" ALTGR "E", "qE" }, /* has no AltGr: the key by itself */
	{ "us", ISO SHIFT ISO, "<>" },
	{ "gb", "\"@#\\|" ISO SHIFT ISO ALTGR "4", "@\"\xc2\xa3#~\\|\xe2\x82\xac" },
	{ "ie", ALTGR "e" ALTGR "a", "\xc3\xa9\xc3\xa1" },
	{ "de", "yzYZ", "zyZY" },
	{ "de", "-[;'{:\"", "\xc3\x9f\xc3\xbc\xc3\xb6\xc3\xa4\xc3\x9c\xc3\x96\xc3\x84" },
	{ "de", ALTGR "q" ALTGR "e" ALTGR "-" ALTGR "7" ALTGR "8", "@\xe2\x82\xac\\{[" },
	{ "de", "=e+e`e=E", "\xc3\xa9\xc3\xa8\xc3\xaa\xc3\x89" },
	{ "de", "= ===x", "'\xc2\xb4'x" },
	{ "de", ISO SHIFT ISO ALTGR ISO, "<>|" },
	{ "de", CAPS "y1;Y", "Z1\xc3\x96z" },
	{ "de", "@#&*(", "\"\xc2\xa7/()" },
	{ "de(nodeadkeys)", "=e`", "\xc2\xb4" "e^" },
	{ "at", "yz[" ALTGR "q", "zy\xc3\xbc@" },
	{ "ch", "y[{" ALTGR "2", "z\xc3\xbc\xc3\xa8@" },
	{ "ch(fr)", "y[{;:", "z\xc3\xa8\xc3\xbc\xc3\xa9\xc3\xb6" },
	{ "fr", "1234567890", "&\xc3\xa9\"'(-\xc3\xa8_\xc3\xa7\xc3\xa0" },
	{ "fr", "!@#$%^&*()", "1234567890" },
	{ "fr", "qwaz;Mm", "azqwm?," },
	{ "fr", "[e{e" ALTGR "0" ALTGR "e", "\xc3\xaa\xc3\xab@\xe2\x82\xac" },
	{ "fr", CAPS "2" "q" "7", "\xc3\x89" "A\xc3\x88" },
	{ "fr", ISO SHIFT ISO, "<>" },
	{ "fr(bepo)", "qwer", "b\xc3\xa9" "po" },
	{ "be", "q2" ALTGR "2" ALTGR ISO, "a\xc3\xa9@\\" },
	{ "nl", "{e'a" ISO, "\xc3\xaa\xc3\xa1]" },
	{ "es", ";'e[e\"u" ALTGR "2", "\xc3\xb1\xc3\xa9\xc3\xa8\xc3\xbc@" },
	{ "latam", ";[e" ALTGR "q", "\xc3\xb1\xc3\xa9@" },
	{ "it", "[{;'" ALTGR ";", "\xc3\xa8\xc3\xa9\xc3\xb2\xc3\xa0@" },
	{ "pt", ";]a\\a" ALTGR "2", "\xc3\xa7\xc3\xa1\xc3\xa3@" },
	{ "br", ";[a'a{a", "\xc3\xa7\xc3\xa1\xc3\xa3\xc3\xa0" },
	{ "ca", "/" "[e", "\xc3\xa9\xc3\xaa" },
	{ "pl", ALTGR "a" ALTGR "z" ALTGR "x" ALTGR "l" ALTGR "E", "\xc4\x85\xc5\xbc\xc5\xba\xc5\x82\xc4\x98" },
	{ "se", "[;'=e" ALTGR "2", "\xc3\xa5\xc3\xb6\xc3\xa4\xc3\xa9@" },
	{ "no", "[;'" ALTGR "2", "\xc3\xa5\xc3\xb8\xc3\xa6@" },
	{ "dk", "[;'" ALTGR "2", "\xc3\xa5\xc3\xa6\xc3\xb8@" },
	{ "fi", "[;'" ALTGR "2", "\xc3\xa5\xc3\xb6\xc3\xa4@" },
	{ "is", "/'a" ALTGR "q", "\xc3\xbe\xc3\xa1@" },
	{ "cz", "234567890", "\xc4\x9b\xc5\xa1\xc4\x8d\xc5\x99\xc5\xbe\xc3\xbd\xc3\xa1\xc3\xad\xc3\xa9" },
	{ "cz", "@#y=o+d", "23z\xc3\xb3\xc4\x8f" },
	{ "cz(qwerty)", "yz", "yz" },
	{ "sk", "2345y", "\xc4\xbe\xc5\xa1\xc4\x8d\xc5\xa5z" },
	{ "hu", "`0;'[]\\y" ISO ALTGR "v", "0\xc3\xb6\xc3\xa9\xc3\xa1\xc5\x91\xc3\xba\xc5\xb1z\xc3\xad@" },
	{ "ro", ALTGR "a" ALTGR "s", "\xc4\x83\xc8\x99" },
	{ "ro(std)", "[]\\;'", "\xc4\x83\xc3\xae\xc3\xa2\xc8\x99\xc8\x9b" },
	{ "hr", "[]\\;'y", "\xc5\xa1\xc4\x91\xc5\xbe\xc4\x8d\xc4\x87z" },
	{ "tr", "iI'\"", "\xc4\xb1Ii\xc4\xb0" },
	{ "tr", CAPS "i'", "I\xc4\xb0" },
	{ "tr", ";[]" ALTGR "q", "\xc5\x9f\xc4\x9f\xc3\xbc@" },
	{ "tr(f)", "asdf", "uiea" },
	{ "gr", "a;ase", "\xce\xb1\xce\xac\xcf\x83\xce\xb5" },
	{ "gr", ":;i", "\xce\x90" }, /* dialytika, tonos, iota */
	{ "ru", "ghbdtn", "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
	{ "ru", "G`@" CAPS "g", "\xd0\x9f\xd1\x91\"\xd0\x9f" },
	{ "ua", "s]'", "\xd1\x96\xd1\x97\xd1\x94" },
	{ "bg(phonetic)", "asd", "\xd0\xb0\xd1\x81\xd0\xb4" },
	{ "il", "tac", "\xd7\x90\xd7\xa9\xd7\x91" },
	{ "jp", "@[=:", "\"@^+" },
	{ "jp", "`", "" }, /* Hankaku/Zenkaku types nothing */
	{ "us(dvorak)", "asdfghjkl;q", "aoeuidhtns'" },
	{ "us(colemak)", "asdfghjkl;", "arstdhneio" },
	{ "us(intl)", "'e' \"u~n'c" ALTGR "5", "\xc3\xa9'\xc3\xbc\xc3\xb1\xc4\x87\xe2\x82\xac" },
	{ "us(intl)", "don't", "don't" }, /* no t has an accent: both come */
	{ "us(altgr-intl)", "don't" ALTGR "'e" ALTGR "e", "don't\xc3\xa9\xc3\xa9" },
};

static void types_what_people_know(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(golden); i++) {
		char got[256];

		type_all(got, golden[i].layout, golden[i].strokes);
		if (strcmp(got, golden[i].want))
			fail_msg("%s, row %zu: \"%s\" types \"%s\", not \"%s\"", golden[i].layout, i, golden[i].strokes,
				 got, golden[i].want);
	}
}

static unsigned stroke_by(uint16_t ret[static 2], struct layout_dead *d, const struct layout *l, uint16_t us)
{
	return layout_type(ret, d, layouts_builtin(), l, &(struct layout_stroke){ us, 0 });
}

static void dead_key_waits_until_a_character(void **state)
{
	struct layout l = layout_named("de");
	struct layout_dead d = { 0 };
	uint16_t typed[2] = { 0 };

	(void)state;
	assert_int_equal(stroke_by(typed, &d, &l, '='), 0);
	assert_int_not_equal(d.dead, 0);
	assert_int_equal(stroke_by(typed, &d, &l, '\t'), 0); /* nothing on a layout */
	assert_int_not_equal(d.dead, 0);
	assert_int_equal(stroke_by(typed, &d, &l, 'e'), 1);
	assert_int_equal(typed[0], 0xe9);
	assert_int_equal(d.dead, 0);

	assert_int_equal(stroke_by(typed, &d, &l, '='), 0);
	assert_int_equal(stroke_by(typed, &d, &l, 'x'), 2);
	assert_int_equal(typed[0], '\'');
	assert_int_equal(typed[1], 'x');
	assert_int_equal(d.dead, 0);

	/* another accent that does not combine begins anew */
	assert_int_equal(stroke_by(typed, &d, &l, '='), 0);
	assert_int_equal(stroke_by(typed, &d, &l, '+'), 1);
	assert_int_equal(typed[0], '\'');
	assert_int_equal(stroke_by(typed, &d, &l, 'e'), 1);
	assert_int_equal(typed[0], 0xe8);
}

static void characters_beyond_a_us_keyboard_type_themselves(void **state)
{
	static const struct {
		const char *why;
		uint16_t us;
		unsigned want;
	} rows[] = {
		{ "a firmware with a layout of its own", 0xe4, 1 },
		{ "Cyrillic", 0x439, 1 },
		{ "a control character", 0x0d, 0 },
		{ "Delete", 0x7f, 0 },
		{ "C1 control character", 0x85, 0 },
		{ "half of a surrogate pair, where dead keys are numbered", LAYOUT_DEAD + 1, 0 },
		{ "not a character", 0xffff, 0 },
		{ "turns the direction of writing", 0x202e, 0 },
	};
	struct layout l = layout_named("ru");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct layout_dead d = { 0 };
		uint16_t typed[2] = { 0 };

		if (stroke_by(typed, &d, &l, rows[i].us) != rows[i].want || (rows[i].want && typed[0] != rows[i].us))
			fail_msg("%s", rows[i].why);
		assert_int_equal(d.dead, 0);
	}
}

static void every_layout_is_usable(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz", ascii[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -";
	const struct layouts *all = layouts_builtin();
	unsigned latin = 0, place, at;
	struct layout l, again;

	(void)state;
	assert_true(all->count >= 80);
	for (unsigned i = 0; i < all->count; i++) {
		expect("in range", OK, layouts_get(&l, all, i));
		expect("found by its name", OK, layouts_find(&again, &at, all, l.name));
		if (at != i)
			fail_msg("%s is there twice", l.name);
		if (!l.title[0])
			fail_msg("%s has no title", l.name);
		latin += l.latin != 0;
		if (l.latin != (layout_check(&place, all, &l, letters, 26) == LAYOUT_TYPES))
			fail_msg("%s: whether it types a to z", l.name);
		if (l.latin && layout_check(&place, all, &l, ascii, strlen(ascii)) != LAYOUT_TYPES)
			fail_msg("%s cannot type '%c'", l.name, ascii[place - 1]);
	}
	assert_true(latin > all->count * 3 / 4);
	expect("the first is us", OK, layouts_get(&l, all, 0));
	assert_string_equal(l.name, "us");
	expect("one too far", ERR_NOT_FOUND, layouts_get(&l, all, all->count));
	expect("no such layout", ERR_NOT_FOUND, layouts_find(&l, NULL, all, "xx"));
	expect("a beginning of a name", ERR_NOT_FOUND, layouts_find(&l, NULL, all, "u"));
	expect("no name", ERR_NOT_FOUND, layouts_find(&l, NULL, all, ""));
	assert_string_equal(l.name, "us");
}

/* Codes are typed by the layout where it has Latin letters. */
static void asked_for_ones_are_there(void **state)
{
	static const char *const names[] = {
		"us", "gb", "de", "fr", "es", "it", "pt", "pl", "se", "no", "dk", "fi", "ch", "be", "nl", "cz", "hu", "tr",
		"ru", "jp", "us(dvorak)", "us(colemak)", "us(intl)", "us(altgr-intl)", "de(nodeadkeys)", "ch(fr)",
		"fr(oss)", "fr(latin9)", "br", "ca", "gr", "ua", "bg", "il",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		layout_named(names[i]);
}

static void what_can_be_typed(void **state)
{
	static const struct {
		const char *why, *layout, *text;
		enum layout_verdict want;
		unsigned place;
	} rows[] = {
		{ "nothing", "us", "", LAYOUT_TYPES, 0 },
		{ "plain", "us", "correct horse ~", LAYOUT_TYPES, 0 },
		{ "an umlaut in the US layout", "us", "gr\xc3\xbc\xc3\x9f", LAYOUT_NEVER, 3 },
		{ "the same in the German one", "de", "gr\xc3\xbc\xc3\x9f", LAYOUT_TYPES, 0 },
		{ "by a dead key", "de", "caf\xc3\xa9", LAYOUT_TYPES, 0 },
		{ "the accent itself: dead key and Space", "de", "^", LAYOUT_TYPES, 0 },
		{ "on the US keyboard on another key", "us", "a<b>", LAYOUT_TYPES, 0 },
		{ "only on the ISO key", "de", "a<b", LAYOUT_RARE, 2 },
		{ "the first of two", "de", "ab>|", LAYOUT_RARE, 3 },
		{ "never comes before rare", "de", "<\xd1\x8f", LAYOUT_NEVER, 2 },
		{ "by Caps Lock", "fr", "\xc3\x89", LAYOUT_TYPES, 0 },
		{ "Cyrillic", "ru", "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", LAYOUT_TYPES, 0 },
		{ "Latin in Cyrillic", "ru", "\xd0\xbfq", LAYOUT_NEVER, 2 },
		{ "a chain of two dead keys", "gr", "\xce\x90", LAYOUT_TYPES, 0 },
		{ "the same without those keys", "us(intl)", "\xce\x90", LAYOUT_NEVER, 1 },
		{ "letter and combining accent", "de", "e\xcc\x81", LAYOUT_NEVER, 2 },
		{ "beyond UCS-2", "de", "a\xf0\x9f\x98\x80", LAYOUT_NEVER, 2 },
		{ "control character", "de", "a\tb", LAYOUT_NEVER, 2 },
		{ "no UTF-8: a lone continuation", "de", "\x80", LAYOUT_NEVER, 1 },
		{ "no UTF-8: cut off", "de", "ab\xc3", LAYOUT_NEVER, 3 },
		{ "no UTF-8: no continuation", "de", "\xc3(", LAYOUT_NEVER, 1 },
		{ "no UTF-8: too long a form of a slash", "de", "\xc0\xaf", LAYOUT_NEVER, 1 },
		{ "no UTF-8: three bytes for two", "de", "\xe0\x83\xa9", LAYOUT_NEVER, 1 },
		{ "a surrogate, where dead keys are numbered", "de", "\xed\xa0\x81", LAYOUT_NEVER, 1 },
		{ "the byte order mark", "de", "\xef\xbb\xbf", LAYOUT_NEVER, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct layout l = layout_named(rows[i].layout);
		unsigned place = 0;
		enum layout_verdict got =
			layout_check(&place, layouts_builtin(), &l, rows[i].text, strlen(rows[i].text));

		if (got != rows[i].want || place != rows[i].place)
			fail_msg("%s: verdict %d at %u, not %d at %u", rows[i].why, (int)got, place, (int)rows[i].want,
				 rows[i].place);
	}
}

/* What a stroke types, layout_check calls typable. */
static void check_and_type_agree(void **state)
{
	const struct layouts *all = layouts_builtin();
	struct layout l;

	(void)state;
	for (unsigned i = 0; !layouts_get(&l, all, i); i++) {
		char text[128 * 8 * 3];
		size_t len = 0;
		unsigned place = 0;

		for (unsigned at = 0; at < 128 * 8; at++) {
			struct layout_stroke stroke = { (uint16_t)(at % 128), (uint8_t)(at / 128) };
			struct layout_dead d = { 0 };
			uint16_t typed[2];

			if (layout_type(typed, &d, all, &l, &stroke) == 1)
				len += utf8(text + len, typed[0]);
		}
		if (layout_check(&place, all, &l, text, len) == LAYOUT_NEVER)
			fail_msg("%s types what layout_check denies: number %u", l.name, place);
	}
}

static void keypad(void **state)
{
	static const struct {
		const char *layout, *text;
		int want;
	} rows[] = {
		{ "us", "abc 123", 0 },
		{ "de", "abc 123", 0 },
		{ "fr", "abc 123", 1 },
		{ "fr", "abc", 0 },
		{ "cz", "1", 1 },
		{ "hu", "0", 1 },
		{ "hu", "1", 0 },
		{ "ru", "1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct layout l = layout_named(rows[i].layout);

		if (layout_keypad_differs(layouts_builtin(), &l, rows[i].text, strlen(rows[i].text)) != rows[i].want)
			fail_msg("%s, %s", rows[i].layout, rows[i].text);
	}
}

/* ---- the table ---- */

#define HEAD 20
#define ENTRY 148
#define ROW 9
#define CAPS_BYTES 5
#define SEQUENCE 5

enum { KEYS_OF_FIRST = HEAD + 50, ROWS = HEAD + 2 * ENTRY, CAPS_AT = ROWS + 3 * ROW, SEQUENCES = CAPS_AT + 2 * CAPS_BYTES,
       TOTAL = SEQUENCES + 3 * SEQUENCE };

/* Two layouts, three rows, two exceptions, three sequences. */
static void small(uint8_t ret[static TOTAL])
{
	struct layouts_entry entries[2] = { { .name = "us", .title = "One", .flags = LAYOUT_LATIN },
					    { .name = "x(y)", .title = "Two" } };
	struct layouts_row rows[3] = { { 'a', 'A', 0, 0, 0xb1 }, { LAYOUT_DEAD + 1, 'b', 0xe4, 'c', 0xe4 }, { 0 } };
	struct layouts_caps caps[2] = { { 1, 0, 'x' }, { 1, 3, 'y' } };
	struct layouts_sequence sequences[3] = { { 1, 'a', 0xe1 }, { 1, LAYOUT_DEAD + 1, LAYOUT_DEAD + 2 }, { 2, 'a', 0xe2 } };
	struct layouts_parts parts = { { .layout_count = 2, .row_count = 3, .caps_count = 2, .sequence_count = 3,
					 .dead_count = 2 },
				       entries, rows, caps, sequences };
	size_t len;

	entries[1].keys[0] = 1;
	expect("encode", OK, layouts_encode(ret, &len, TOTAL, &parts));
	assert_int_equal(len, TOTAL);
	expect("no space", ERR_SPACE, layouts_encode(ret, &len, TOTAL - 1, &parts));
}

static void small_table_types(void **state)
{
	static const struct {
		struct layout_stroke stroke;
		unsigned want;
		uint16_t typed;
	} rows[] = {
		{ { '`', 0 }, 0, 0 },                /* dead key 1 */
		{ { '`', 0 }, 0, 0 },                /* with itself: dead key 2 */
		{ { '1', 0 }, 1, 0xe2 },
		{ { '1', LAYOUT_CAPS }, 1, 'A' },
		{ { '`', LAYOUT_CAPS }, 1, 'x' },    /* exception */
		{ { '~', LAYOUT_CAPS }, 1, 'b' },
		{ { '`', LAYOUT_ALTGR }, 1, 0xe4 },
		{ { '~', LAYOUT_ALTGR | LAYOUT_CAPS }, 1, 'y' },
	};
	uint8_t bytes[TOTAL];
	struct layout_dead d = { 0 };
	struct layouts all;
	struct layout l;

	(void)state;
	small(bytes);
	expect("decode", OK, layouts_decode(&all, bytes, TOTAL));
	expect("find", OK, layouts_find(&l, NULL, &all, "x(y)"));
	assert_string_equal(l.title, "Two");
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint16_t typed[2] = { 0 };

		if (layout_type(typed, &d, &all, &l, &rows[i].stroke) != rows[i].want || typed[0] != rows[i].typed)
			fail_msg("stroke %zu types U+%04X, not U+%04X", i, typed[0], rows[i].typed);
	}
}

static void damage(void **state)
{
	static const struct {
		const char *why;
		size_t at;
		uint8_t value;
		enum err want;
	} rows[] = {
		{ "other magic", 0, 'X', ERR_FORMAT },
		{ "version 0", 8, 0, ERR_FORMAT },
		{ "version 2", 8, 2, ERR_VERSION },
		{ "no layout", 10, 0, ERR_RANGE },
		{ "256 layouts", 11, 1, ERR_RANGE },
		{ "no row", 12, 0, ERR_RANGE },
		{ "too many rows", 13, 0x21, ERR_RANGE },
		{ "too many exceptions", 15, 5, ERR_RANGE },
		{ "too many sequences", 17, 0x21, ERR_RANGE },
		{ "256 dead keys", 19, 1, ERR_RANGE },
		{ "a layout more than there is", 10, 3, ERR_FORMAT },
		{ "a sequence less than there is", 16, 2, ERR_FORMAT },
		{ "a dead key fewer than are used", 18, 1, ERR_FORMAT },
		{ "layout without a name", HEAD, 0, ERR_FORMAT },
		{ "blank in a name", HEAD + 1, ' ', ERR_FORMAT },
		{ "name goes on behind its end", HEAD + 3, 'x', ERR_FORMAT },
		{ "name is no ASCII", HEAD + 1, 0xc3, ERR_FORMAT },
		{ "control character in the title", HEAD + 17, 7, ERR_FORMAT },
		{ "unknown flag", HEAD + 48, 2, ERR_FORMAT },
		{ "unknown flag, upper byte", HEAD + 49, 1, ERR_FORMAT },
		{ "key without a row", KEYS_OF_FIRST, 3, ERR_FORMAT },
		{ "last key without a row", KEYS_OF_FIRST + 97, 1, ERR_FORMAT },
		{ "row with a control character", ROWS, 9, ERR_FORMAT },
		{ "row with a dead key that is not there", ROWS + ROW, 3, ERR_FORMAT },
		{ "row with dead key 0", ROWS + ROW, 0, ERR_FORMAT },
		{ "row with a surrogate", ROWS + ROW + 1, 0xdc, ERR_FORMAT },
		{ "exception of a row that is not there", CAPS_AT, 3, ERR_FORMAT },
		{ "exception in a fifth column", CAPS_AT + 2, 4, ERR_FORMAT },
		{ "exceptions out of order", CAPS_AT + 2, 3, ERR_FORMAT },
		{ "exception with a control character", CAPS_AT + 3, 1, ERR_FORMAT },
		{ "sequence of dead key 0", SEQUENCES, 0, ERR_FORMAT },
		{ "sequence of a dead key that is not there", SEQUENCES + 2 * SEQUENCE, 3, ERR_FORMAT },
		{ "sequences out of order", SEQUENCES + 2, 0xd9, ERR_FORMAT },
		{ "sequence twice", SEQUENCES + 2 * SEQUENCE, 1, ERR_FORMAT },
		{ "sequence without an input", SEQUENCES + 1, 0, ERR_FORMAT },
		{ "sequence without an output", SEQUENCES + 3, 0, ERR_FORMAT },
		{ "sequence that leads back to its dead key", SEQUENCES + SEQUENCE + 3, 1, ERR_FORMAT },
	};
	uint8_t bytes[TOTAL + 1];
	struct layouts all;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&all, 0x5a, sizeof(all));
		small(bytes);
		if (bytes[rows[i].at] == rows[i].value)
			fail_msg("%s: no damage", rows[i].why);
		bytes[rows[i].at] = rows[i].value;
		expect(rows[i].why, rows[i].want, layouts_decode(&all, bytes, TOTAL));
		assert_int_equal(all.count, 0x5a5a);
	}
	small(bytes);
	for (size_t len = 0; len <= TOTAL + 1; len++)
		expect("length", len == TOTAL ? OK : ERR_FORMAT, layouts_decode(&all, bytes, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_what_people_know),
		cmocka_unit_test(dead_key_waits_until_a_character),
		cmocka_unit_test(characters_beyond_a_us_keyboard_type_themselves),
		cmocka_unit_test(every_layout_is_usable),
		cmocka_unit_test(asked_for_ones_are_there),
		cmocka_unit_test(what_can_be_typed),
		cmocka_unit_test(check_and_type_agree),
		cmocka_unit_test(keypad),
		cmocka_unit_test(small_table_types),
		cmocka_unit_test(damage),
	};

	return RUN(tests);
}
