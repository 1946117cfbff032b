/* For the tests of the screen: every page that a person meets, and pages that no one should. */
#ifndef HOLDFAST_VIEW_SAMPLE_H
#define HOLDFAST_VIEW_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "preboot/view.h"

#define DOTS10 "\u2022\u2022\u2022\u2022\u2022\u2022\u2022\u2022\u2022\u2022"

static struct rules view_rules;
static uint8_t view_logo[LOGO_BYTES_MAX];

/* A shield beside a bar of two colours, with soft edges. */
static void view_make_logo(void)
{
	static uint8_t palette[LOGO_COLOURS_MAX * 4], pixels[240 * 72];
	struct logo l = { { .width = 240, .height = 72, .colours = 34 }, palette, pixels };
	size_t len;

	for (int i = 0; i < 17; i++) {
		const uint8_t blue[4] = { 18, 74, 140, (uint8_t)(i * 255 / 16) };
		const uint8_t orange[4] = { 232, 119, 34, (uint8_t)(i * 255 / 16) };

		memcpy(palette + 4 * i, blue, 4);
		memcpy(palette + 4 * (17 + i), orange, 4);
	}
	for (int y = 0; y < 72; y++) {
		for (int x = 0; x < 240; x++) {
			int dx = x - 36, dy = y - 36, out = dx * dx + dy * dy - 30 * 30;
			int soft = out < 0 ? 16 : out < 64 ? 16 - out / 4 : 0;

			if (x >= 90 && x < 232)
				soft = y >= 14 && y < 32 ? 16 : y >= 40 && y < 58 && x < 180 ? 16 : 0;
			pixels[y * 240 + x] = (uint8_t)(soft + ((dx + dy > 10 && x < 80) || (x >= 90 && y > 36) ? 17 : 0));
		}
	}
	if (logo_encode(view_logo, &len, &l))
		abort();
	view_rules.logo = view_logo;
	view_rules.head.logo_bytes = (uint32_t)len;
}

static inline struct view view_plain(void)
{
	struct view v = { .rules = &view_rules, .laptop = "anna's laptop", .tag = "SBBSG-XTTSF",
			  .title = "Unlock this laptop", .body = "Type your user name and your password.",
			  .layout = "de", .field_count = 2, .active = 1, .key_count = 5,
			  .keys = { { "F2", "One-time code" }, { "F3", "Recovery key" }, { "F4", "Keyboard" },
				    { "F5", "Show typing" }, { "F6", "Contrast, size" } } };

	memset(&view_rules, 0, sizeof(view_rules));
	strcpy((char *)view_rules.head.organisation, "Nordwind Energie GmbH");
	strcpy((char *)view_rules.banner,
	       "Property of Nordwind Energie GmbH. If found, please call +49 40 555 01 70 or write to "
	       "found@nordwind.example. Unauthorised access is prohibited and will be prosecuted.");
	view_make_logo();
	v.fields[0].label = "User name";
	strcpy(v.fields[0].text, "anna.müller");
	v.fields[1].label = "Password";
	strcpy(v.fields[1].text, DOTS10);
	return v;
}

static inline struct view view_start(void)
{
	struct view v = view_plain();

	v.field_count = 1;
	v.active = 0;
	v.fields[0].text[0] = 0;
	v.body[0] = 0;
	return v;
}

static inline struct view view_wrong(void)
{
	struct view v = view_plain();

	v.fields[1].text[0] = 0;
	v.tone = VIEW_ERROR;
	v.caps = 1;
	strcpy(v.message, "Wrong user name or password. Try again; look at the keyboard layout and at Caps Lock.");
	strcpy(v.code, "HF-201");
	strcpy(v.ticking, "Next try in 4 s.");
	return v;
}

static inline struct view view_busy(void)
{
	struct view v = view_plain();

	v.active = v.field_count;
	v.busy = "Checking your password ...";
	return v;
}

static inline struct view view_code(void)
{
	struct view v = view_plain();

	strcpy(v.title, "One-time code");
	strcpy(v.body, "Call your helpdesk and read the challenge to them. Type the code that they read to you; "
		       "capitals and hyphens come by themselves.");
	strcpy(v.challenge, "SBBSG-XTTSF-BDBBN");
	v.field_count = 1;
	v.active = 0;
	v.fields[0].label = "Code";
	v.fields[0].is_code = 1;
	strcpy(v.fields[0].text, "BBBCE-BDBER-BFB");
	v.tone = VIEW_WARNING;
	strcpy(v.message, "Group 2 is mistyped. Type it again.");
	strcpy(v.code, "HF-205");
	return v;
}

static inline struct view view_recovery(void)
{
	struct view v = view_code();

	strcpy(v.title, "Recovery key");
	v.challenge[0] = 0;
	v.fields[0].label = "Recovery key";
	strcpy(v.fields[0].text, "BBBCE-BDBER-BFBGT-BHBJC-BKBLN-BNBPG-BRBSJ-BTBXK");
	v.message[0] = 0;
	v.code[0] = 0;
	strcpy(v.body, "Type the recovery key of this laptop.");
	return v;
}

static inline struct view view_change(void)
{
	struct view v = view_plain();

	strcpy(v.title, "Choose a new password");
	strcpy(v.body, "Your password has expired. The new one needs at least 12 characters.");
	v.field_count = 3;
	v.active = 2;
	v.fields[0].label = "Present password";
	strcpy(v.fields[0].text, DOTS10);
	v.fields[1].label = "New password";
	strcpy(v.fields[1].text, DOTS10 DOTS10);
	v.fields[2].label = "New password once more";
	strcpy(v.fields[2].text, "Grüße aus Ωmega, Привет");
	v.tone = VIEW_GOOD;
	strcpy(v.message, "The code is right. The laptop is unlocked.");
	strcpy(v.code, "HF-401");
	return v;
}

static inline struct view view_erased(void)
{
	struct view v = view_plain();

	strcpy(v.title, "This laptop has been erased");
	strcpy(v.body, "Its organisation has erased it. Nothing on it can be read any more.\n"
		       "If you found it, please give it back: see below.");
	v.field_count = 0;
	v.active = 0;
	v.key_count = 2;
	v.keys[0] = (struct view_key){ "R", "Restart" };
	v.keys[1] = (struct view_key){ "P", "Power off" };
	return v;
}

/* Nothing is known yet. */
static inline struct view view_empty(void)
{
	struct view v = { 0 };

	return v;
}

static inline void view_repeat(char *ret, size_t size, const char *text)
{
	for (size_t i = 0; i + 1 < size; i++)
		ret[i] = text[i % strlen(text)];
	ret[size - 1] = 0;
	/* not in the middle of a character */
	for (size_t i = size - 1; i-- && ((uint8_t)ret[i] & 0xc0) == 0x80;)
		ret[i] = 0;
}

/* As much as there can be, of everything. */
static inline struct view view_full(void)
{
	struct view v = view_change();

	view_repeat(v.laptop, sizeof(v.laptop), "A laptop with a remarkably long name ");
	view_repeat(v.title, sizeof(v.title), "A long title, longer than any other one ");
	view_repeat(v.body, sizeof(v.body), "What to do is told here at length, in a text as long as there can be. ");
	view_repeat(v.message, sizeof(v.message), "What happened is told here, with all that can be said of it. ");
	view_repeat((char *)view_rules.head.organisation, 64, "The Organisation of Organisations ");
	view_repeat((char *)view_rules.banner, RULES_BANNER_MAX,
		    "If found, please bring this laptop back to its owner, whose address follows. ");
	view_repeat(v.ticking, sizeof(v.ticking), "Next try in 123456789 seconds ");
	view_repeat(v.fields[2].text, sizeof(v.fields[2].text), "What was typed and is shown ");
	view_repeat(v.layout, sizeof(v.layout), "de(neo_qwertz_x");
	strcpy(v.challenge, "SBBSG-XTTSF-BDBBN");
	v.fields[1].is_code = 1;
	strcpy(v.fields[1].text, "BBBCE-BDBER-BFBGT-BHBJC-BKBLN-BNBPG-BRBSJ-BTBXK");
	v.tone = VIEW_ERROR;
	v.caps = 1;
	v.busy = "Checking your password, which takes a moment on this laptop ...";
	v.key_count = 6;
	v.keys[5] = (struct view_key){ "F12", "Something else" };
	return v;
}

/* Texts that are no texts. */
static inline struct view view_mad(void)
{
	struct view v = view_full();

	view_repeat(v.title, sizeof(v.title), "\xff\xc0\x80\xed\xa0\x80");
	memset(v.body, '\n', sizeof(v.body) - 1);
	memset(v.message, 'W', sizeof(v.message) - 1);
	memset(v.laptop, '\xe2', sizeof(v.laptop) - 1);
	view_repeat((char *)view_rules.banner, RULES_BANNER_MAX, "\xf0\x9f\x98\x80\n\xe2\x82");
	memset(v.fields[2].text, '\x80', sizeof(v.fields[2].text) - 1);
	memset(v.fields[1].text, '-', sizeof(v.fields[1].text) - 1);
	memset(v.challenge, 'W', sizeof(v.challenge) - 1);
	strcpy(v.tag, "\xc3\xc3");
	v.active = 77;
	return v;
}

#define VIEW_SAMPLES(X)                                                                              \
	X(start) X(plain) X(wrong) X(busy) X(code) X(recovery) X(change) X(erased) X(empty) X(full) X(mad)

#endif
