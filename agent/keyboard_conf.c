#include "agent/keyboard_conf.h"

#include <stdio.h>
#include <string.h>

#define VALUE_BYTES 64
#define LINE_BYTES 512

/* What is of interest in a file; values as they are written there, without quotes. */
struct settings {
	char layout[VALUE_BYTES], variant[VALUE_BYTES], keymap[VALUE_BYTES];
};

/* Shell's assignment of one word, the only form that these files have. */
static void take_value(char ret[static VALUE_BYTES], const char *text)
{
	char quote = *text == '"' || *text == '\'' ? *text : 0;
	size_t len;

	text += quote ? 1 : 0;
	len = quote ? strcspn(text, (const char[]){ quote, '\n', 0 }) : strcspn(text, " \t#\n");
	if (len >= VALUE_BYTES)
		return;
	memcpy(ret, text, len);
	ret[len] = 0;
}

static void take_line(struct settings *s, const char *line)
{
	const struct {
		const char *name;
		char *value;
	} wanted[] = {
		{ "XKBLAYOUT=", s->layout },
		{ "XKBVARIANT=", s->variant },
		{ "KEYMAP=", s->keymap },
	};

	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!strncmp(line, wanted[i].name, strlen(wanted[i].name)))
			take_value(wanted[i].value, line + strlen(wanted[i].name));
}

static void read_file(struct settings *ret, const char *etc, const char *name)
{
	char path[4096], line[LINE_BYTES];
	FILE *f;

	*ret = (struct settings){ 0 };
	if (snprintf(path, sizeof(path), "%s/%s", etc, name) >= (int)sizeof(path))
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		take_line(ret, line);
	fclose(f);
}

static int is_built_in(const char *name)
{
	struct layout l;

	return !layouts_find(&l, NULL, layouts_builtin(), name);
}

static void choose(struct keyboard_conf *ret, const char *name, int exact)
{
	strcpy(ret->layout, name);
	ret->exact = exact;
}

/* The layout with its variant, else the layout alone, else "us". */
static void choose_nearest(struct keyboard_conf *ret, const char *layout, const char *variant)
{
	char name[2 * VALUE_BYTES + 3];

	(void)snprintf(name, sizeof(name), *variant ? "%s(%s)" : "%s", layout, variant);
	if (is_built_in(name))
		choose(ret, name, 1);
	else
		choose(ret, is_built_in(layout) ? layout : "us", 0);
}

/* "de,us" with ",intl": the first of each. */
static void from_xkb(struct keyboard_conf *ret, struct settings *s)
{
	s->layout[strcspn(s->layout, ",")] = 0;
	s->variant[strcspn(s->variant, ",")] = 0;
	(void)snprintf(ret->configured, sizeof(ret->configured), *s->variant ? "%.40s(%.20s)" : "%.40s", s->layout,
		       s->variant);
	choose_nearest(ret, s->layout, s->variant);
}

/* The console's own names, where they are not LAYOUT or LAYOUT-VARIANT. */
static const char *console_name(const char *keymap)
{
	static const struct {
		const char *keymap, *layout;
	} known[] = {
		{ "uk", "gb" },
		{ "us-acentos", "us(intl)" },
		{ "dvorak", "us(dvorak)" },
		{ "dvorak-l", "us(dvorak-l)" },
		{ "dvorak-r", "us(dvorak-r)" },
		{ "colemak", "us(colemak)" },
		{ "de-latin1", "de" },
		{ "de-latin1-nodeadkeys", "de(nodeadkeys)" },
		{ "sg", "ch" },
		{ "sg-latin1", "ch" },
		{ "de_CH-latin1", "ch" },
		{ "fr_CH", "ch(fr)" },
		{ "fr_CH-latin1", "ch(fr)" },
		{ "azerty", "fr" },
		{ "fr-pc", "fr" },
		{ "fr-latin1", "fr" },
		{ "fr-latin9", "fr" },
		{ "be-latin1", "be" },
		{ "nl2", "nl" },
		{ "la-latin1", "latam" },
		{ "it2", "it" },
		{ "pt-latin1", "pt" },
		{ "pt-latin9", "pt" },
		{ "br-abnt", "br" },
		{ "br-abnt2", "br" },
		{ "cf", "ca" },
		{ "sv-latin1", "se" },
		{ "no-latin1", "no" },
		{ "dk-latin1", "dk" },
		{ "is-latin1", "is" },
		{ "et", "ee" },
		{ "pl2", "pl" },
		{ "cz-lat2", "cz" },
		{ "cz-qwertz", "cz" },
		{ "cz-us-qwertz", "cz" },
		{ "sk-qwertz", "sk" },
		{ "hu101", "hu" },
		{ "ro_std", "ro(std)" },
		{ "slovene", "si" },
		{ "croat", "hr" },
		{ "trq", "tr" },
		{ "trf", "tr(f)" },
		{ "ua-utf", "ua" },
		{ "bg_bds-utf8", "bg" },
		{ "bg_pho-utf8", "bg(phonetic)" },
		{ "jp106", "jp" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(keymap, known[i].keymap))
			return known[i].layout;
	return NULL;
}

static void from_console(struct keyboard_conf *ret, struct settings *s)
{
	const char *known = console_name(s->keymap);
	char *variant = strchr(s->keymap, '-');

	(void)snprintf(ret->configured, sizeof(ret->configured), "%s", s->keymap);
	if (known) {
		choose(ret, known, 1);
		return;
	}
	if (variant)
		*variant++ = 0;
	choose_nearest(ret, s->keymap, variant ? variant : "");
}

void keyboard_conf_read(struct keyboard_conf *ret, const char *etc)
{
	struct settings s;

	*ret = (struct keyboard_conf){ .layout = "us", .exact = 1 };
	read_file(&s, etc, "default/keyboard");
	if (!*s.layout)
		read_file(&s, etc, "vconsole.conf");
	if (*s.layout)
		from_xkb(ret, &s);
	else if (*s.keymap)
		from_console(ret, &s);
}
