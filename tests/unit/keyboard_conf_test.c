/* The laptop's own keyboard layout, from the files that distributions write. */
#include "core_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/keyboard_conf.h"

static char etc[64];

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(etc, "/tmp/keyboard_conf.XXXXXX");
	if (!mkdtemp(etc))
		return 1;
	snprintf(path, sizeof(path), "%s/default", etc);
	return mkdir(path, 0700);
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", etc, name);
	unlink(path);
	if (!text)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	put("default/keyboard", NULL);
	put("vconsole.conf", NULL);
	snprintf(path, sizeof(path), "%s/default", etc);
	return rmdir(path) || rmdir(etc);
}

static void reads_what_distributions_write(void **state)
{
	static const struct {
		const char *why, *keyboard, *vconsole, *layout;
		int exact;
		const char *configured;
	} rows[] = {
		{ "no file", NULL, NULL, "us", 1, "" },
		{ "Debian", "# KEYBOARD\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\nXKBVARIANT=\"\"\nXKBOPTIONS=\"\"\n", NULL, "de",
		  1, "de" },
		{ "a variant", "XKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"\n", NULL, "de(nodeadkeys)", 1,
		  "de(nodeadkeys)" },
		{ "several layouts: the first", "XKBLAYOUT=\"us,ru\"\nXKBVARIANT=\",phonetic\"\n", NULL, "us", 1, "us" },
		{ "the first with its variant", "XKBLAYOUT=ch,us\nXKBVARIANT=fr,\n", NULL, "ch(fr)", 1, "ch(fr)" },
		{ "single quotes and a remark", "XKBLAYOUT='fr' # home\n", NULL, "fr", 1, "fr" },
		{ "unquoted and a remark", "  XKBLAYOUT=fr#home\n", NULL, "fr", 1, "fr" },
		{ "no new line at the end", "XKBLAYOUT=\"se\"", NULL, "se", 1, "se" },
		{ "remark", "#XKBLAYOUT=\"de\"\n", NULL, "us", 1, "" },
		{ "a variant that is not built in", "XKBLAYOUT=\"de\"\nXKBVARIANT=\"neo\"\n", NULL, "de", 0, "de(neo)" },
		{ "a layout that is not built in", "XKBLAYOUT=\"ara\"\n", NULL, "us", 0, "ara" },
		{ "nothing", "XKBLAYOUT=\"\"\n", NULL, "us", 1, "" },
		{ "too long to be one",
		  "XKBLAYOUT=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n",
		  NULL, "us", 1, "" },
		{ "Debian's file comes first", "XKBLAYOUT=\"it\"\n", "KEYMAP=de\n", "it", 1, "it" },
		{ "Debian's file says nothing", "XKBOPTIONS=\"\"\n", "KEYMAP=de\n", "de", 1, "de" },
		{ "systemd", NULL, "KEYMAP=\"de-latin1\"\nXKBLAYOUT=de\nXKBVARIANT=nodeadkeys\n", "de(nodeadkeys)", 1,
		  "de(nodeadkeys)" },
		{ "console's name", NULL, "KEYMAP=de-latin1-nodeadkeys\nFONT=x\n", "de(nodeadkeys)", 1,
		  "de-latin1-nodeadkeys" },
		{ "console's name made from XKB's", NULL, "KEYMAP=fr-oss\n", "fr(oss)", 1, "fr-oss" },
		{ "console's name as XKB's", NULL, "KEYMAP=hu\n", "hu", 1, "hu" },
		{ "unknown kind of a known country", NULL, "KEYMAP=ru-special\n", "ru", 0, "ru-special" },
		{ "unknown console's name", NULL, "KEYMAP=amiga\n", "us", 0, "amiga" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct keyboard_conf got;

		memset(&got, 0xa5, sizeof(got));
		put("default/keyboard", rows[i].keyboard);
		put("vconsole.conf", rows[i].vconsole);
		keyboard_conf_read(&got, etc);
		if (strcmp(got.layout, rows[i].layout) || got.exact != rows[i].exact ||
		    strcmp(got.configured, rows[i].configured))
			fail_msg("%s: %s (%d), configured \"%s\"", rows[i].why, got.layout, got.exact, got.configured);
	}
}

static void console_names_lead_to_layouts(void **state)
{
	static const char *const names[] = { "uk", "us-acentos", "dvorak", "dvorak-l", "dvorak-r", "colemak", "de-latin1",
					     "sg", "de_CH-latin1", "fr_CH", "azerty", "fr-latin9", "be-latin1", "nl2",
					     "la-latin1", "it2", "pt-latin9", "br-abnt2", "cf", "sv-latin1", "no-latin1",
					     "dk-latin1", "is-latin1", "et", "pl2", "cz-lat2", "sk-qwerty", "hu101", "ro_std",
					     "slovene", "croat", "trq", "trf", "ua-utf", "bg_bds-utf8", "bg_pho-utf8",
					     "jp106", "fr-bepo", "cz-qwerty" };
	struct layout l;

	(void)state;
	put("default/keyboard", NULL);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct keyboard_conf got;
		char text[64];

		snprintf(text, sizeof(text), "KEYMAP=%s\n", names[i]);
		put("vconsole.conf", text);
		keyboard_conf_read(&got, etc);
		if (!got.exact || layouts_find(&l, NULL, layouts_builtin(), got.layout))
			fail_msg("%s is %s", names[i], got.layout);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_distributions_write),
		cmocka_unit_test(console_names_lead_to_layouts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
