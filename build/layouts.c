/* Prints build/out/gen/layouts.c: the keyboard layouts' table, from the distribution's XKB data (package
 * xkb-data) and Compose data (libx11-data), asked through libxkbcommon's own state machine. So what a
 * key types at pre-boot is what it types in Linux. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

#include "common/layout_format.h"

#define TABLE_BYTES_MAX (36 << 10)
#define LOCALE "en_US.UTF-8"
#define CHAIN_MAX 3 /* dead keys in a row */

static const struct {
	const char *layout, *variant, *title;
} wanted[] = {
	{ "us", "", "English (US)" },
	{ "us", "intl", "English (US, international)" },
	{ "us", "altgr-intl", "English (US, AltGr dead keys)" },
	{ "us", "dvorak", "Dvorak" },
	{ "us", "dvorak-intl", "Dvorak (international)" },
	{ "us", "dvorak-l", "Dvorak (left-handed)" },
	{ "us", "dvorak-r", "Dvorak (right-handed)" },
	{ "us", "colemak", "Colemak" },
	{ "us", "colemak_dh", "Colemak-DH" },
	{ "us", "workman", "Workman" },
	{ "gb", "", "English (UK)" },
	{ "gb", "extd", "English (UK, extended)" },
	{ "gb", "intl", "English (UK, international)" },
	{ "ie", "", "Irish" },
	{ "ca", "", "French (Canada)" },
	{ "ca", "multix", "Canadian (international)" },
	{ "ca", "eng", "English (Canada)" },
	{ "de", "", "German" },
	{ "de", "nodeadkeys", "German (no dead keys)" },
	{ "de", "deadacute", "German (dead acute)" },
	{ "at", "", "German (Austria)" },
	{ "at", "nodeadkeys", "German (Austria, no dead keys)" },
	{ "ch", "", "German (Switzerland)" },
	{ "ch", "fr", "French (Switzerland)" },
	{ "fr", "", "French" },
	{ "fr", "nodeadkeys", "French (no dead keys)" },
	{ "fr", "oss", "French (alternative)" },
	{ "fr", "latin9", "French (legacy)" },
	{ "fr", "afnor", "French (AFNOR)" },
	{ "fr", "bepo", "French (BEPO)" },
	{ "be", "", "Belgian" },
	{ "be", "nodeadkeys", "Belgian (no dead keys)" },
	{ "nl", "", "Dutch" },
	{ "es", "", "Spanish" },
	{ "es", "nodeadkeys", "Spanish (no dead keys)" },
	{ "es", "cat", "Catalan" },
	{ "latam", "", "Spanish (Latin America)" },
	{ "it", "", "Italian" },
	{ "it", "nodeadkeys", "Italian (no dead keys)" },
	{ "pt", "", "Portuguese" },
	{ "pt", "nodeadkeys", "Portuguese (no dead keys)" },
	{ "br", "", "Portuguese (Brazil)" },
	{ "br", "nodeadkeys", "Portuguese (Brazil, no dead k.)" },
	{ "br", "thinkpad", "Portuguese (Brazil, ThinkPad)" },
	{ "se", "", "Swedish" },
	{ "se", "nodeadkeys", "Swedish (no dead keys)" },
	{ "no", "", "Norwegian" },
	{ "no", "nodeadkeys", "Norwegian (no dead keys)" },
	{ "dk", "", "Danish" },
	{ "dk", "nodeadkeys", "Danish (no dead keys)" },
	{ "fi", "", "Finnish" },
	{ "fi", "classic", "Finnish (classic)" },
	{ "is", "", "Icelandic" },
	{ "pl", "", "Polish" },
	{ "pl", "dvorak", "Polish (Dvorak)" },
	{ "cz", "", "Czech" },
	{ "cz", "qwerty", "Czech (QWERTY)" },
	{ "sk", "", "Slovak" },
	{ "sk", "qwerty", "Slovak (QWERTY)" },
	{ "hu", "", "Hungarian" },
	{ "hu", "qwerty", "Hungarian (QWERTY)" },
	{ "ro", "", "Romanian" },
	{ "ro", "std", "Romanian (standard)" },
	{ "si", "", "Slovenian" },
	{ "hr", "", "Croatian" },
	{ "ba", "", "Bosnian" },
	{ "rs", "", "Serbian (Cyrillic)" },
	{ "rs", "latin", "Serbian (Latin)" },
	{ "mk", "", "Macedonian" },
	{ "al", "", "Albanian" },
	{ "ee", "", "Estonian" },
	{ "lv", "", "Latvian" },
	{ "lv", "apostrophe", "Latvian (apostrophe)" },
	{ "lt", "", "Lithuanian" },
	{ "mt", "", "Maltese" },
	{ "tr", "", "Turkish" },
	{ "tr", "f", "Turkish (F)" },
	{ "gr", "", "Greek" },
	{ "ru", "", "Russian" },
	{ "ru", "phonetic", "Russian (phonetic)" },
	{ "ua", "", "Ukrainian" },
	{ "ua", "winkeys", "Ukrainian (Windows)" },
	{ "by", "", "Belarusian" },
	{ "bg", "", "Bulgarian" },
	{ "bg", "phonetic", "Bulgarian (phonetic)" },
	{ "il", "", "Hebrew" },
	{ "jp", "", "Japanese" },
	{ "jp", "OADG109A", "Japanese (OADG 109A)" },
	{ "kr", "", "Korean" },
	{ "cn", "", "Chinese" },
	{ "vn", "us", "Vietnamese (US)" },
	{ "in", "eng", "English (India)" },
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))
_Static_assert(WANTED <= LAYOUTS_MAX, "too many layouts");

/* In the order of layouts_entry_v1.inc. */
static const char *const key_names[LAYOUT_KEYS] = {
	"TLDE", "AE01", "AE02", "AE03", "AE04", "AE05", "AE06", "AE07", "AE08", "AE09",
	"AE10", "AE11", "AE12", "AD01", "AD02", "AD03", "AD04", "AD05", "AD06", "AD07",
	"AD08", "AD09", "AD10", "AD11", "AD12", "BKSL", "AC01", "AC02", "AC03", "AC04",
	"AC05", "AC06", "AC07", "AC08", "AC09", "AC10", "AC11", "LSGT", "AB01", "AB02",
	"AB03", "AB04", "AB05", "AB06", "AB07", "AB08", "AB09", "AB10", "SPCE",
};

static struct layouts_entry entries[LAYOUTS_MAX];
static struct layouts_row rows[LAYOUT_ROWS_MAX];
static struct layouts_caps caps[LAYOUT_CAPS_MAX];
static struct layouts_sequence sequences[LAYOUT_SEQUENCES_MAX];
static struct layouts_parts parts = { .entries = entries, .rows = rows, .caps = caps, .sequences = sequences };

/* Dead keys by number from 1: the keysym of one that a key has, or the keysyms so far. */
static struct chain {
	xkb_keysym_t symbols[CHAIN_MAX];
	unsigned count;
} chains[LAYOUT_DEAD_MAX + 1];

static struct xkb_context *context;
static struct xkb_compose_table *compose;

static void fail(const char *what, const char *on)
{
	fprintf(stderr, "build/layouts: %s: %s\n", what, on);
	exit(1);
}

/* ---- values ---- */

/* Combining marks, what is invisible, and what normal form C writes otherwise. */
static int excluded(uint32_t c)
{
	static const struct {
		uint16_t from, to;
	} ranges[] = {
		{ 0x00ad, 0x00ad }, { 0x0300, 0x036f }, { 0x0374, 0x0374 }, { 0x037e, 0x037e },
		{ 0x0387, 0x0387 }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
		{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { 0x2000, 0x2001 }, { 0x200b, 0x200f }, { 0x2060, 0x206f },
		{ 0x20d0, 0x20ff }, { 0x2126, 0x2126 }, { 0x212a, 0x212b }, { 0x2329, 0x232a },
		{ 0xe000, 0xfaff }, { 0xfb1d, 0xfb4e }, { 0xfe00, 0xfe2f }, { 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return 1;
	return c > 0xffff || !layout_is_character(c);
}

static uint16_t character(uint32_t c)
{
	return excluded(c) ? 0 : (uint16_t)c;
}

static int same_chain(const struct chain *a, const struct chain *b)
{
	return a->count == b->count && !memcmp(a->symbols, b->symbols, a->count * sizeof(a->symbols[0]));
}

static uint16_t chain_number(const struct chain *c)
{
	unsigned i = 1;

	while (i <= parts.head.dead_count && !same_chain(&chains[i], c))
		i++;
	if (i > LAYOUT_DEAD_MAX)
		fail("more dead keys than", "LAYOUT_DEAD_MAX");
	if (i > parts.head.dead_count) {
		chains[i] = *c;
		parts.head.dead_count = (uint16_t)i;
	}
	return (uint16_t)(LAYOUT_DEAD + i);
}

static int is_dead(xkb_keysym_t symbol)
{
	return symbol >= XKB_KEY_dead_grave && symbol <= XKB_KEY_dead_greek;
}

static uint16_t value_of(xkb_keysym_t symbol)
{
	if (is_dead(symbol))
		return chain_number(&(struct chain){ { symbol }, 1 });
	return character(xkb_keysym_to_utf32(symbol));
}

/* ---- one layout ---- */

/* keysyms[key][column], columns 4 to 7 with Caps Lock */
struct board {
	xkb_keysym_t symbols[LAYOUT_KEYS][2 * LAYOUT_COLUMNS];
};

/* What the modifier key of this name does: 0 when it is another key in this layout. */
static xkb_mod_mask_t modifier(struct xkb_keymap *map, const char *key, xkb_keysym_t symbol)
{
	struct xkb_state *state = xkb_state_new(map);
	xkb_keycode_t code = xkb_keymap_key_by_name(map, key);
	xkb_mod_mask_t mask = 0;

	if (xkb_state_key_get_one_sym(state, code) == symbol) {
		xkb_state_update_key(state, code, XKB_KEY_DOWN);
		mask = xkb_state_serialize_mods(state, XKB_STATE_MODS_DEPRESSED);
	}
	xkb_state_unref(state);
	return mask;
}

static void board_read(struct board *ret, const char *layout, const char *variant)
{
	struct xkb_rule_names names = { "evdev", "pc105", layout, variant, "" };
	struct xkb_keymap *map = xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	xkb_mod_mask_t shift, altgr, lock;
	struct xkb_state *state;

	if (!map)
		fail("no such layout in the XKB data", layout);
	shift = modifier(map, "LFSH", XKB_KEY_Shift_L);
	altgr = modifier(map, "RALT", XKB_KEY_ISO_Level3_Shift);
	lock = 1u << xkb_keymap_mod_get_index(map, XKB_MOD_NAME_CAPS);
	if (!shift)
		fail("left Shift is not Shift", layout);
	state = xkb_state_new(map);
	for (unsigned column = 0; column < 2 * LAYOUT_COLUMNS; column++) {
		xkb_state_update_mask(state, (column & 1 ? shift : 0) | (column & 2 ? altgr : 0), 0,
				      column & 4 ? lock : 0, 0, 0, 0);
		for (unsigned key = 0; key < LAYOUT_KEYS; key++)
			ret->symbols[key][column] = xkb_state_key_get_one_sym(
				state, xkb_keymap_key_by_name(map, key_names[key]));
	}
	xkb_state_unref(state);
	xkb_keymap_unref(map);
}

/* ---- rows ---- */

static uint16_t row_values[LAYOUT_ROWS_MAX][2 * LAYOUT_COLUMNS];

/* Which of the row's four a column types with Caps Lock, itself first; -1 for none of them. */
static int caps_column(const uint16_t *values, unsigned column)
{
	for (unsigned i = 0; i < LAYOUT_COLUMNS; i++)
		if (values[column ^ i] == values[LAYOUT_COLUMNS + column])
			return (int)(column ^ i);
	return -1;
}

static void row_add(unsigned row, const uint16_t *values)
{
	memcpy(row_values[row], values, sizeof(row_values[row]));
	rows[row] = (struct layouts_row){ values[0], values[1], values[2], values[3], 0 };
	for (unsigned column = 0; column < LAYOUT_COLUMNS; column++) {
		int from = caps_column(values, column);

		if (from >= 0) {
			rows[row].caps |= (uint8_t)(from << (2 * column));
			continue;
		}
		if (parts.head.caps_count == LAYOUT_CAPS_MAX)
			fail("too many exceptions", "Caps Lock");
		caps[parts.head.caps_count++] = (struct layouts_caps){ (uint16_t)row, (uint8_t)column,
								       values[LAYOUT_COLUMNS + column] };
	}
}

static uint16_t row_number(const uint16_t *values)
{
	unsigned row = 0;

	while (row < parts.head.row_count && memcmp(row_values[row], values, sizeof(row_values[row])))
		row++;
	if (row == LAYOUT_ROWS_MAX)
		fail("too many rows", "LAYOUT_ROWS_MAX");
	if (row == parts.head.row_count) {
		row_add(row, values);
		parts.head.row_count++;
	}
	return (uint16_t)row;
}

/* ---- sequences ---- */

static void sequence_add(uint16_t dead, uint16_t input, uint16_t output)
{
	struct layouts_sequence *s = sequences, *end = s + parts.head.sequence_count;

	while (s < end && (s->dead != dead - LAYOUT_DEAD || s->input != input))
		s++;
	if (s < end && s->output != output)
		fail("two keysyms of one character combine differently", "Compose");
	if (s < end)
		return;
	if (parts.head.sequence_count == LAYOUT_SEQUENCES_MAX)
		fail("too many sequences", "Compose");
	parts.head.sequence_count++;
	*s = (struct layouts_sequence){ (uint8_t)(dead - LAYOUT_DEAD), input, output };
}

/* What the Compose data make of keysyms: *ret is the character, 0 for none that can be used. */
static enum xkb_compose_status feed(uint16_t *ret, const struct chain *c)
{
	struct xkb_compose_state *state = xkb_compose_state_new(compose, XKB_COMPOSE_STATE_NO_FLAGS);
	enum xkb_compose_status status;
	char text[32];

	for (unsigned i = 0; i < c->count; i++)
		xkb_compose_state_feed(state, c->symbols[i]);
	status = xkb_compose_state_get_status(state);
	*ret = 0;
	if (status == XKB_COMPOSE_COMPOSED) {
		int n = xkb_compose_state_get_utf8(state, text, sizeof(text));
		xkb_keysym_t symbol = xkb_compose_state_get_one_sym(state);
		char again[32];

		/* one character has a keysym of its own; a letter with a combining mark has none */
		if (xkb_keysym_to_utf8(symbol, again, sizeof(again)) == n + 1 && !strcmp(text, again))
			*ret = character(xkb_keysym_to_utf32(symbol));
	}
	xkb_compose_state_unref(state);
	return status;
}

static int leads_on(const struct chain *c, const struct board *b)
{
	const xkb_keysym_t *symbols = &b->symbols[0][0];
	struct chain longer = *c;
	uint16_t made;

	if (c->count == CHAIN_MAX)
		return 0;
	longer.count++;
	for (unsigned i = 0; i < sizeof(b->symbols) / sizeof(*symbols); i++) {
		longer.symbols[c->count] = symbols[i];
		if (feed(&made, &longer) == XKB_COMPOSE_COMPOSED && made)
			return 1;
	}
	return 0;
}

static void sequences_from(const struct chain *c, const struct board *b)
{
	const xkb_keysym_t *symbols = &b->symbols[0][0];
	struct chain longer = *c;
	uint16_t made;

	longer.count++;
	for (unsigned i = 0; i < sizeof(b->symbols) / sizeof(*symbols); i++) {
		enum xkb_compose_status status;

		longer.symbols[c->count] = symbols[i];
		if (!value_of(symbols[i]))
			continue;
		status = feed(&made, &longer);
		if (made) {
			sequence_add(chain_number(c), value_of(symbols[i]), made);
		} else if (status == XKB_COMPOSE_COMPOSING && leads_on(&longer, b)) {
			sequence_add(chain_number(c), value_of(symbols[i]), chain_number(&longer));
			sequences_from(&longer, b);
		}
	}
}

static void sequences_of(const struct board *b)
{
	const xkb_keysym_t *symbols = &b->symbols[0][0];

	for (unsigned i = 0; i < sizeof(b->symbols) / sizeof(*symbols); i++)
		if (is_dead(symbols[i]))
			sequences_from(&(struct chain){ { symbols[i] }, 1 }, b);
}

static int by_dead_and_input(const void *a, const void *b)
{
	const struct layouts_sequence *x = a, *y = b;

	return x->dead != y->dead ? x->dead - y->dead : x->input - y->input;
}

/* ---- the table ---- */

static int is_latin(const struct board *b)
{
	unsigned found = 0;

	for (unsigned key = 0; key < LAYOUT_KEYS; key++)
		if (b->symbols[key][0] >= XKB_KEY_a && b->symbols[key][0] <= XKB_KEY_z)
			found |= 1u << (b->symbols[key][0] - XKB_KEY_a);
	return found == (1u << 26) - 1;
}

static void entry_add(const char *layout, const char *variant, const char *title)
{
	struct layouts_entry *entry = &entries[parts.head.layout_count++];
	struct board b;
	char name[64];

	snprintf(name, sizeof(name), *variant ? "%s(%s)" : "%s", layout, variant);
	if (strlen(name) > LAYOUT_NAME_MAX || strlen(title) > LAYOUT_TITLE_MAX)
		fail("name or title too long", name);
	memcpy(entry->name, name, strlen(name));
	memcpy(entry->title, title, strlen(title));
	board_read(&b, layout, variant);
	entry->flags = is_latin(&b) ? LAYOUT_LATIN : 0;
	for (unsigned key = 0; key < LAYOUT_KEYS; key++) {
		uint16_t values[2 * LAYOUT_COLUMNS], row;

		for (unsigned column = 0; column < 2 * LAYOUT_COLUMNS; column++)
			values[column] = value_of(b.symbols[key][column]);
		row = row_number(values);
		entry->keys[2 * key] = (uint8_t)row;
		entry->keys[2 * key + 1] = (uint8_t)(row >> 8);
	}
	sequences_of(&b);
}

static void print(const uint8_t *bytes, size_t len)
{
	printf("/* Made by build/layouts.c. */\n#include \"common/layout_format.h\"\n\n"
	       "const size_t layouts_bytes_len = %zu;\nconst uint8_t layouts_bytes[] = {", len);
	for (size_t i = 0; i < len; i++)
		printf("%s%u,", i % 24 ? "" : "\n", bytes[i]);
	puts("\n};");
}

int main(void)
{
	static uint8_t bytes[TABLE_BYTES_MAX];
	struct layouts check;
	size_t len;

	context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	compose = context ? xkb_compose_table_new_from_locale(context, LOCALE, XKB_COMPOSE_COMPILE_NO_FLAGS) : NULL;
	if (!compose)
		fail("no Compose data", LOCALE);
	for (size_t i = 0; i < WANTED; i++)
		entry_add(wanted[i].layout, wanted[i].variant, wanted[i].title);
	qsort(sequences, parts.head.sequence_count, sizeof(sequences[0]), by_dead_and_input);
	if (layouts_encode(bytes, &len, sizeof(bytes), &parts))
		fail("the table is too large", "TABLE_BYTES_MAX");
	if (layouts_decode(&check, bytes, len))
		fail("the table does not decode", "layouts_decode");
	print(bytes, len);
	return fflush(stdout) ? 1 : 0;
}
