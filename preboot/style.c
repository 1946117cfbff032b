#include "style.h"

/* A panel is so many em high and wide, at least. */
#define EM_HIGH 44
#define EM_WIDE 54
#define LARGE_PERCENT 135
#define EM_MIN 11
#define EM_MAX 90

static const struct style_colours plain = {
	.page = 0xedf0f4, .accent = 0x1a5fb4,
	.title = 0x16202c, .body = 0x37424f, .label = 0x46525f, .organisation = 0x16202c, .tag = 0x55606d,
	.does = 0x37424f, .logo = 0xffffff,
	.header = { 0xffffff, 0xd4dae2, 0x16202c },
	.card = { 0xffffff, 0xd0d7e0, 0x37424f },
	.field = { 0xffffff, 0x7b8796, 0x16202c },
	.challenge = { 0xe9f1fb, 0xb4cdec, 0x0f3d78 },
	.footer = { 0xffffff, 0xd4dae2, 0x37424f },
	.key = { 0xf1f4f7, 0xa9b3bf, 0x16202c },
	.caps = { 0xffd479, 0xc98a00, 0x3d2900 },
	.banner = { 0xe0e6ed, 0xe0e6ed, 0x37424f },
	.tones = {
		[VIEW_PLAIN] = { 0xeaf1fb, 0x1a5fb4, 0x1c3350 },
		[VIEW_GOOD] = { 0xe4f4e8, 0x1c7c3c, 0x134a26 },
		[VIEW_WARNING] = { 0xfff3d1, 0xc98a00, 0x4f3700 },
		[VIEW_ERROR] = { 0xfdeae8, 0xc0271c, 0x7c1710 },
	},
	.thick = 1,
};

#define BLACK 0x000000
#define WHITE 0xffffff
#define YELLOW 0xffe600
static const struct style_colours high = {
	.page = BLACK, .accent = YELLOW,
	.title = YELLOW, .body = WHITE, .label = WHITE, .organisation = WHITE, .tag = WHITE, .does = WHITE,
	.logo = WHITE,
	.header = { BLACK, WHITE, WHITE },
	.card = { BLACK, WHITE, WHITE },
	.field = { BLACK, WHITE, WHITE },
	.challenge = { BLACK, WHITE, YELLOW },
	.footer = { BLACK, WHITE, WHITE },
	.key = { BLACK, YELLOW, YELLOW },
	.caps = { YELLOW, YELLOW, BLACK },
	.banner = { BLACK, WHITE, WHITE },
	.tones = {
		[VIEW_PLAIN] = { BLACK, WHITE, WHITE },
		[VIEW_GOOD] = { BLACK, WHITE, WHITE },
		[VIEW_WARNING] = { BLACK, YELLOW, YELLOW },
		[VIEW_ERROR] = { BLACK, YELLOW, YELLOW },
	},
	.thick = 2,
};

const struct style_colours *style_colours(int high_contrast)
{
	return high_contrast ? &high : &plain;
}

int style_em(int width, int height, int large_type, int shrink)
{
	int em100 = height * 100 / EM_HIGH;

	if (width * 100 / EM_WIDE < em100)
		em100 = width * 100 / EM_WIDE;
	if (large_type)
		em100 = em100 * LARGE_PERCENT / 100;
	em100 = (em100 * shrink / 100 + 50) / 100;
	return em100 < EM_MIN ? EM_MIN : em100 > EM_MAX ? EM_MAX : em100;
}

struct lettering style_lettering(enum style_text text, int em)
{
	static const struct {
		enum font_face face;
		unsigned percent;
	} rows[STYLE_TEXTS] = {
		[STYLE_ORGANISATION] = { FONT_BOLD, 115 }, [STYLE_LAPTOP] = { FONT_BOLD, 95 },
		[STYLE_TAG] = { FONT_REGULAR, 85 },        [STYLE_TITLE] = { FONT_BOLD, 145 },
		[STYLE_BODY] = { FONT_REGULAR, 100 },      [STYLE_CHALLENGE] = { FONT_BOLD, 170 },
		[STYLE_LABEL] = { FONT_REGULAR, 88 },      [STYLE_FIELD] = { FONT_REGULAR, 108 },
		[STYLE_MESSAGE] = { FONT_REGULAR, 95 },    [STYLE_CODE] = { FONT_BOLD, 88 },
		[STYLE_TICKING] = { FONT_BOLD, 95 },       [STYLE_BUSY] = { FONT_REGULAR, 100 },
		[STYLE_KEY] = { FONT_BOLD, 82 },           [STYLE_DOES] = { FONT_REGULAR, 88 },
		[STYLE_LAYOUT] = { FONT_REGULAR, 88 },     [STYLE_CAPS] = { FONT_BOLD, 82 },
		[STYLE_BANNER] = { FONT_REGULAR, 85 },
	};
	unsigned size = ((unsigned)em * rows[text].percent + 50) / 100;

	return (struct lettering){ rows[text].face, size };
}
