#include "arrangement.h"

#include <string.h>

#include "phrase.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define LINES_MAX 24
#define CAPS "Caps Lock is on"
#define LAYOUT "Keyboard layout: "
#define CODE_CELLS 48 /* of a code field: a recovery key has 47 */

const struct arrangement_way arrangement_ways[] = {
	{ 100, 100, 0 }, { 100, 70, 0 }, { 100, 50, 0 }, { 100, 50, 1 }, { 94, 50, 1 },
	{ 88, 50, 1 },   { 82, 50, 1 },  { 76, 50, 1 },  { 70, 40, 1 },  { 0 },
};

enum align { LEFT, RIGHT, CENTRE };

/* An arrangement that is tried. */
struct plan {
	struct scene *scene; /* NULL: it is only measured */
	const struct view *view;
	const struct style_colours *colours;
	const struct logo_head *logo;
	uint32_t logo_id;
	int width, height, em;
	struct arrangement_way way;
	unsigned banner_lines, body_lines, message_lines; /* at most */
	int bottom; /* nothing reaches below */
};

/* ---- measures ---- */

static int hundredths(int em, int of)
{
	return (em * of + 50) / 100;
}

static int ems(const struct plan *p, int of)
{
	return hundredths(p->em, of);
}

/* The same, of what may shrink. */
static int space(const struct plan *p, int of)
{
	return (p->em * of * p->way.space + 5000) / 10000;
}

static int thickness(const struct plan *p)
{
	int t = p->em * p->colours->thick / 16;

	return t ? t : 1;
}

static int margin(const struct plan *p)
{
	return space(p, 90) + ems(p, 60);
}

static struct lettering lettering(const struct plan *p, enum style_text style)
{
	return style_lettering(style, p->em);
}

static int line_height(const struct plan *p, enum style_text style)
{
	return (int)lettering(p, style).size * (p->way.space < 100 ? 128 : 140) / 100;
}

static int text_width(const struct plan *p, enum style_text style, const char *text)
{
	struct lettering l = lettering(p, style);

	return lettering_width(&l, text, strlen(text));
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

/* ---- items ---- */

static void add(const struct plan *p, const struct scene_item *item, const char *text, size_t len)
{
	const struct rect panel = { 0, 0, p->width, p->bottom };
	struct rect common = rect_common(&panel, &item->at);

	if (p->scene && !rect_empty(&item->at) && common.width == item->at.width &&
	    common.height == item->at.height)
		scene_add(p->scene, item, text, len);
}

static void put_box(const struct plan *p, struct rect at, const struct style_box *box, int radius, int border)
{
	add(p, &(struct scene_item){ .kind = SCENE_BOX, .at = at, .colour = box->fill, .edge = box->edge,
				     .radius = radius, .border = border }, NULL, 0);
}

static void put_bar(const struct plan *p, struct rect at, uint32_t colour)
{
	add(p, &(struct scene_item){ .kind = SCENE_BOX, .at = at, .colour = colour }, NULL, 0);
}

/* A text's item. Letters such as J reach beyond their own width: they are not cut off. */
static void add_text(const struct plan *p, struct rect at, uint32_t colour, const struct lettering *l, int x,
		     int cell, const char *text, size_t len)
{
	int over = (int)l->size / 8;

	at.x -= over;
	at.width += 2 * over;
	add(p, &(struct scene_item){
			.kind = SCENE_TEXT, .at = at, .colour = colour, .lettering = *l, .x = x, .cell = cell,
			.baseline = at.y + (at.height + (int)l->size * font_regular.cap_height / FONT_EM) / 2 },
	    text, len);
}

/* One line of text, capitals in the middle of its height. */
static void put_line(const struct plan *p, enum style_text style, struct rect at, enum align align,
		     uint32_t colour, const char *text, size_t len)
{
	struct lettering l = lettering(p, style);
	int rest = at.width - lettering_width(&l, text, len);

	if (len)
		add_text(p, at, colour, &l, at.x + (align == RIGHT ? rest : align == CENTRE ? rest / 2 : 0), 0,
			 text, len);
}

/* Characters in the middle of cells; small enough for them. */
static void put_cells(const struct plan *p, enum style_text style, struct rect at, int cell, uint32_t colour,
		      const char *text, size_t len)
{
	struct lettering l = lettering(p, style);

	l.size = (unsigned)least((int)l.size, cell * 100 / 74);
	if (len)
		add_text(p, at, colour, &l, at.x, cell, text, len);
}

/* Text and an ellipsis, cut so that both fit. Returns the bytes in ret. */
static size_t cut(char *ret, size_t size, const struct lettering *l, const char *text, size_t len, int width)
{
	size_t fits = lettering_fit(l, text, len, width - lettering_width(l, ELLIPSIS, sizeof(ELLIPSIS) - 1));

	if (fits > size - sizeof(ELLIPSIS))
		fits = size - sizeof(ELLIPSIS);
	while (fits && text[fits - 1] == ' ')
		fits--;
	memcpy(ret, text, fits);
	memcpy(ret + fits, ELLIPSIS, sizeof(ELLIPSIS));
	return fits + sizeof(ELLIPSIS) - 1;
}

/* One line that ends in an ellipsis where it does not fit. */
static void put_name(const struct plan *p, enum style_text style, struct rect at, enum align align,
		     uint32_t colour, const char *text)
{
	struct lettering l = lettering(p, style);
	size_t len = strlen(text);
	char shorter[200];

	if (lettering_width(&l, text, len) <= at.width)
		put_line(p, style, at, align, colour, text, len);
	else
		put_line(p, style, at, align, colour, shorter,
			 cut(shorter, sizeof(shorter), &l, text, len, at.width));
}

/* Lines of a text, at most so many. Returns their height. */
static int put_paragraph(const struct plan *p, enum style_text style, struct rect at, uint32_t colour,
			 const char *text, unsigned lines)
{
	struct lettering l = lettering(p, style);
	size_t left = strlen(text), used;
	int height = line_height(p, style), y = 0;

	for (; left && lines; lines--, y += height, text += used, left -= used) {
		size_t len = lettering_line(&used, &l, text, left, at.width);
		const struct rect line = { at.x, at.y + y, at.width, height };
		char shorter[VIEW_TEXT_MAX];

		if (lines == 1 && used < left) {
			/* What follows counts only as far as the line's end. */
			len = cut(shorter, sizeof(shorter), &l, text, len, at.width);
			put_line(p, style, line, LEFT, colour, shorter, len);
			return y + height;
		}
		put_line(p, style, line, LEFT, colour, text, len);
	}
	return y;
}

/* ---- header ---- */

int arrangement_header_height(int em, int space_percent)
{
	return hundredths(em, 290) + (em * 110 * space_percent + 5000) / 10000;
}

static int header_height(const struct plan *p)
{
	return arrangement_header_height(p->em, p->way.space);
}

/* Returns its width, 0 without a logo. */
static int put_logo(const struct plan *p, int x)
{
	int tile = p->colours->header.fill == p->colours->logo ? 0 : ems(p, 25);
	struct rect at = { .x = x + tile };

	if (!p->logo)
		return 0;
	picture_fit(&at.width, &at.height, &(struct logo){ .head = *p->logo }, least(ems(p, 1500), p->width / 3),
		    ems(p, 260) - 2 * tile);
	at.y = (header_height(p) - at.height) / 2;
	if (tile)
		put_bar(p, (struct rect){ x, at.y - tile, at.width + 2 * tile, at.height + 2 * tile },
			p->colours->logo);
	add(p, &(struct scene_item){ .kind = SCENE_PICTURE, .at = at, .colour = p->logo_id }, NULL, 0);
	return at.width + 2 * tile;
}

/* Name above tag, at the right. Returns their width. */
static int put_laptop(const struct plan *p)
{
	const struct view *v = p->view;
	char tag[8 + sizeof(v->tag)];
	int upper = v->laptop[0] ? line_height(p, STYLE_LAPTOP) : 0;
	int lower = v->tag[0] ? line_height(p, STYLE_TAG) : 0;
	struct rect at = { .y = (header_height(p) - upper - lower) / 2, .height = upper };

	phrase_format(tag, sizeof(tag), "Device %s", v->tag);
	at.width = least(most(upper ? text_width(p, STYLE_LAPTOP, v->laptop) : 0,
			      lower ? text_width(p, STYLE_TAG, tag) : 0), p->width * 45 / 100);
	at.x = p->width - margin(p) - at.width;
	if (upper)
		put_name(p, STYLE_LAPTOP, at, RIGHT, p->colours->organisation, v->laptop);
	at.y += upper;
	at.height = lower;
	if (lower)
		put_name(p, STYLE_TAG, at, RIGHT, p->colours->tag, tag);
	return at.width;
}

static void put_header(const struct plan *p)
{
	const struct rules *r = p->view->rules;
	const char *name = r && r->head.organisation[0] ? (const char *)r->head.organisation : "Holdfast";
	int height = header_height(p), x = margin(p), logo, right;

	put_bar(p, (struct rect){ 0, 0, p->width, height }, p->colours->header.fill);
	put_bar(p, (struct rect){ 0, height - thickness(p), p->width, thickness(p) }, p->colours->header.edge);
	logo = put_logo(p, x);
	right = put_laptop(p);
	x += logo ? logo + ems(p, 90) : 0;
	if (logo && !(r && r->head.organisation[0]))
		return;
	put_name(p, STYLE_ORGANISATION, (struct rect){ x, (height - ems(p, 180)) / 2,
						       p->width - margin(p) - right - ems(p, 120) - x, ems(p, 180) },
		 LEFT, p->colours->organisation, name);
}

/* ---- card ---- */

static int put_challenge(const struct plan *p, struct rect at)
{
	const char *text = p->view->challenge;
	const struct style_box *box = &p->colours->challenge;
	int pitch = ems(p, 215), inset = most(ems(p, 10), 1), dash = ems(p, 90);
	int cells = 0, dashes = 0, height = ems(p, 240), x = at.x;

	for (const char *c = text; *c; c++)
		*c == '-' ? dashes++ : cells++;
	/* What has no room in cells is a text. */
	if (cells * pitch + dashes * dash > at.width)
		return put_paragraph(p, STYLE_CHALLENGE, at, box->text, text, 3);
	while (*text) {
		const char *end = strchr(text, '-');
		size_t len = end ? (size_t)(end - text) : strlen(text);
		const struct rect group = { x, at.y, (int)len * pitch, height };

		for (int i = 0; i < (int)len; i++)
			put_box(p, (struct rect){ x + i * pitch + inset, at.y, pitch - 2 * inset, height }, box,
				ems(p, 25), thickness(p));
		put_cells(p, STYLE_CHALLENGE, group, pitch, box->text, text, len);
		x += group.width;
		text += len;
		if (*text != '-')
			continue;
		put_line(p, STYLE_BODY, (struct rect){ x, at.y, dash, height }, CENTRE, p->colours->label,
			 "\xe2\x80\x93", 3);
		x += dash;
		text++;
	}
	return height;
}

/* A code's letters stand in cells, so that they can be counted and compared. */
static void put_code(const struct plan *p, const struct view_field *f, struct rect at, int *ret_end)
{
	size_t len = strlen(f->text), cells;
	int cell = most(least(at.width / CODE_CELLS, ems(p, 90)), 1);

	cells = (size_t)(at.width / cell);
	at.width = least((int)len, (int)cells) * cell;
	*ret_end = at.x + at.width;
	put_cells(p, STYLE_FIELD, at, cell, p->colours->field.text, f->text + (len > cells ? len - cells : 0),
		  len > cells ? cells : len);
}

/* The end is what counts. */
static void put_typed(const struct plan *p, const struct view_field *f, struct rect at, int *ret_end)
{
	struct lettering l = lettering(p, STYLE_FIELD);
	size_t len = strlen(f->text), fits = lettering_fit_end(&l, f->text, len, at.width);
	const char *text = f->text + len - fits;

	if (fits < len) {
		struct rect mark = at;

		mark.width = lettering_width(&l, ELLIPSIS, sizeof(ELLIPSIS) - 1);
		at.x += mark.width;
		at.width -= mark.width;
		fits = lettering_fit_end(&l, text, fits, at.width);
		text = f->text + len - fits;
		put_line(p, STYLE_FIELD, mark, LEFT, p->colours->label, ELLIPSIS, sizeof(ELLIPSIS) - 1);
	}
	at.width = lettering_width(&l, text, fits);
	*ret_end = at.x + at.width;
	put_line(p, STYLE_FIELD, at, LEFT, p->colours->field.text, text, fits);
}

static void put_box_of_field(const struct plan *p, const struct view_field *f, struct rect at, int active)
{
	struct style_box box = p->colours->field;
	int cursor = most(ems(p, 9), 2), end, border = thickness(p) * (active ? 2 : 1), inset = ems(p, 70);
	struct rect inside = { at.x + inset, at.y + 2 * thickness(p), at.width - 2 * inset - 2 * cursor,
			       at.height - 4 * thickness(p) };

	if (active)
		box.edge = p->colours->accent;
	put_box(p, at, &box, ems(p, 30), border);
	(f->is_code ? put_code : put_typed)(p, f, inside, &end);
	if (active)
		put_bar(p, (struct rect){ end + cursor / 2, at.y + at.height / 2 - ems(p, 68), cursor, ems(p, 136) },
			p->colours->accent);
}

static int field_height(const struct plan *p)
{
	return ems(p, 200) + space(p, 40);
}

static int label_width(const struct plan *p)
{
	int width = 0;

	for (unsigned i = 0; i < p->view->field_count; i++)
		width = most(width, text_width(p, STYLE_LABEL, p->view->fields[i].label));
	return least(width, p->width / 3);
}

/* The label above its field; Caps Lock is told where the person looks, too. */
static void put_label(const struct plan *p, const struct view_field *f, struct rect at, int active)
{
	int caps = active && p->view->caps && !f->is_code ? text_width(p, STYLE_CAPS, CAPS) : 0;

	if (caps) {
		put_line(p, STYLE_CAPS, (struct rect){ at.x + at.width - caps, at.y, caps, at.height }, RIGHT,
			 p->colours->tones[VIEW_WARNING].text, CAPS, sizeof(CAPS) - 1);
		at.width -= caps + ems(p, 80);
	}
	put_name(p, STYLE_LABEL, at, LEFT, p->colours->label, f->label);
}

static int put_field(const struct plan *p, unsigned number, struct rect at)
{
	const struct view_field *f = &p->view->fields[number];
	int height = field_height(p), label = line_height(p, STYLE_LABEL);
	struct rect box = { at.x, at.y, at.width, height };

	if (p->way.beside) {
		struct rect beside = { at.x, at.y, label_width(p), height };

		put_name(p, STYLE_LABEL, beside, LEFT, p->colours->label, f->label);
		box.x += beside.width + ems(p, 80);
		box.width -= beside.width + ems(p, 80);
	} else {
		put_label(p, f, (struct rect){ at.x, at.y, at.width, label }, number == p->view->active);
		box.y += label + space(p, 20);
	}
	put_box_of_field(p, f, box, number == p->view->active);
	return box.y + height - at.y;
}

/* Outcome, its code for the helpdesk, and what is counted down. */
static int put_message(const struct plan *p, struct rect at)
{
	static const char *const signs[] = {
		[VIEW_PLAIN] = "\xe2\x84\xb9", [VIEW_GOOD] = "\xe2\x9c\x93",
		[VIEW_WARNING] = "\xe2\x9a\xa0", [VIEW_ERROR] = "\xe2\x9c\x97",
	};
	const struct view *v = p->view;
	enum view_tone tone = v->message[0] ? v->tone : VIEW_PLAIN;
	const struct style_box *box = &p->colours->tones[tone];
	int line = line_height(p, STYLE_MESSAGE), pad = ems(p, 30) + space(p, 30), sign = ems(p, 200);
	int code = v->code[0] ? text_width(p, STYLE_CODE, v->code) : 0;
	struct rect text = { at.x + sign, at.y + pad, at.width - sign - ems(p, 80) - (code ? code + ems(p, 100) : 0),
			     line };
	struct plan measure = *p;
	int height;

	if (!v->message[0] && !v->ticking[0])
		return 0;
	measure.scene = NULL;
	height = put_paragraph(&measure, STYLE_MESSAGE, text, box->text, v->message, p->message_lines);
	at.height = height + (v->ticking[0] ? line : 0) + 2 * pad;
	put_box(p, at, box, ems(p, 30), thickness(p));
	put_line(p, STYLE_MESSAGE, (struct rect){ at.x + ems(p, 40), text.y, sign - ems(p, 50), line }, CENTRE,
		 box->text, signs[tone], strlen(signs[tone]));
	put_paragraph(p, STYLE_MESSAGE, text, box->text, v->message, p->message_lines);
	if (code)
		put_line(p, STYLE_CODE, (struct rect){ at.x + at.width - ems(p, 80) - code, text.y, code, line }, RIGHT,
			 box->text, v->code, strlen(v->code));
	text.y += height;
	put_name(p, STYLE_TICKING, text, LEFT, box->text, v->ticking);
	return at.height;
}

static int put_busy(const struct plan *p, struct rect at)
{
	int side = least(ems(p, 170), SPINNER_SIDE_MAX), height = ems(p, 220);

	if (!p->view->busy)
		return 0;
	add(p, &(struct scene_item){ .kind = SCENE_SPINNER,
				     .at = { at.x, at.y + (height - side) / 2, side, side } }, NULL, 0);
	put_name(p, STYLE_BUSY, (struct rect){ at.x + side + ems(p, 60), at.y, at.width - side - ems(p, 60), height },
		 LEFT, p->colours->body, p->view->busy);
	return height;
}

/* What a message of two lines takes is kept free below fields, so that the card stays as it is when one comes. */
static int kept_height(const struct plan *p)
{
	return 2 * line_height(p, STYLE_MESSAGE) + 2 * (ems(p, 30) + space(p, 30));
}

static int put_status(const struct plan *p, struct rect at)
{
	int height = put_message(p, at);

	if (height && p->view->busy)
		height += space(p, 50);
	at.y += height;
	height += put_busy(p, at);
	return p->view->field_count ? most(height, kept_height(p)) : height;
}

/* From the card's upper inner edge down. Returns the height. */
static int put_content(const struct plan *p, struct rect at)
{
	const struct view *v = p->view;
	int top = at.y;

	if (v->title[0])
		at.y += put_paragraph(p, STYLE_TITLE, at, p->colours->title, v->title, 2) +
			space(p, v->body[0] ? 40 : 100);
	if (v->body[0])
		at.y += put_paragraph(p, STYLE_BODY, at, p->colours->body, v->body, p->body_lines) + space(p, 100);
	if (v->challenge[0])
		at.y += put_challenge(p, at) + space(p, 110);
	for (unsigned i = 0; i < v->field_count; i++)
		at.y += put_field(p, i, at) + space(p, 90);
	at.y += put_status(p, at);
	return at.y - top;
}

static struct rect card_inside(const struct plan *p)
{
	struct rect r = { .width = least(p->way.beside ? ems(p, 5800) : ems(p, 3800), p->width - 2 * margin(p) -
					 2 * (space(p, 120) + ems(p, 60))) };

	r.x = (p->width - r.width) / 2;
	return r;
}

static int card_padding(const struct plan *p)
{
	return space(p, 120) + ems(p, 60);
}

static int card_height(const struct plan *p)
{
	struct plan measure = *p;

	measure.scene = NULL;
	return put_content(&measure, card_inside(p)) + 2 * card_padding(p);
}

/* Of a page with a line of body and two fields. */
static int usual_height(const struct plan *p)
{
	int label = p->way.beside ? 0 : line_height(p, STYLE_LABEL) + space(p, 20);

	return 2 * card_padding(p) + line_height(p, STYLE_TITLE) + line_height(p, STYLE_BODY) + space(p, 140) +
	       2 * (label + field_height(p) + space(p, 90)) + kept_height(p);
}

/* A page with two fields would stand in the middle; what is longer begins further up, what is shorter
 * begins there all the same. */
static void put_card(struct plan *p, int top, int bottom)
{
	struct rect inside = card_inside(p), card;
	int height = card_height(p), room = bottom - top, usual = usual_height(p);

	if (height == 2 * card_padding(p))
		return; /* nothing to say */
	card = (struct rect){ inside.x - card_padding(p), top, inside.width + 2 * card_padding(p), height };
	if (usual < room)
		card.y += (room - usual) * 45 / 100;
	if (card.y + height > bottom)
		card.y = most(bottom - height, top);
	card.height = least(height, bottom - card.y);
	put_box(p, card, &p->colours->card, ems(p, 50), thickness(p));
	inside.y = card.y + card_padding(p);
	p->bottom = bottom;
	put_content(p, inside);
	p->bottom = p->height;
}

/* ---- footer and banner ---- */

static int key_height(const struct plan *p)
{
	return ems(p, 165);
}

static int footer_padding(const struct plan *p)
{
	return ems(p, 30) + space(p, 35);
}

/* Layout, and Caps Lock at its right; room for Caps Lock is always kept. Returns the width. */
static int put_keyboard(const struct plan *p, int y)
{
	const struct view *v = p->view;
	int caps = text_width(p, STYLE_CAPS, CAPS) + ems(p, 120), right = p->width - margin(p), layout;
	char text[sizeof(LAYOUT) + sizeof(v->layout)];

	phrase_format(text, sizeof(text), LAYOUT "%s", v->layout);
	layout = v->layout[0] ? text_width(p, STYLE_LAYOUT, text) : 0;
	if (v->caps) {
		const struct rect pill = { right - caps, y, caps, key_height(p) };

		put_box(p, pill, &p->colours->caps, pill.height / 2, thickness(p));
		put_line(p, STYLE_CAPS, pill, CENTRE, p->colours->caps.text, CAPS, sizeof(CAPS) - 1);
		right -= caps + ems(p, 100);
	}
	if (layout)
		put_line(p, STYLE_LAYOUT, (struct rect){ right - layout, y, layout, key_height(p) }, RIGHT,
			 p->colours->does, text, strlen(text));
	return caps + ems(p, 100) + layout;
}

/* A key's cap and what it does. Returns the width. */
static int put_key(const struct plan *p, const struct view_key *key, int x, int y)
{
	int cap = most(text_width(p, STYLE_KEY, key->key) + ems(p, 90), key_height(p));
	int does = text_width(p, STYLE_DOES, key->does), height = key_height(p);
	struct rect at = { x, y, cap, height };

	put_box(p, at, &p->colours->key, ems(p, 30), thickness(p));
	put_line(p, STYLE_KEY, at, CENTRE, p->colours->key.text, key->key, strlen(key->key));
	at.x += cap + ems(p, 45);
	at.width = least(does, p->width - margin(p) - at.x);
	put_name(p, STYLE_DOES, at, LEFT, p->colours->does, key->does);
	return cap + ems(p, 45) + at.width;
}

/* Rows of keys; the keyboard's state stands at the right of the last one, or below. Returns the height. */
static int put_keys(const struct plan *p, int y)
{
	struct plan measure = *p;
	int top = y, x = margin(p), row = key_height(p) + footer_padding(p);

	measure.scene = NULL;
	for (unsigned i = 0; i < p->view->key_count; i++) {
		int width = put_key(&measure, &p->view->keys[i], margin(p), y);

		if (x > margin(p) && x + width > p->width - margin(p)) {
			y += row;
			x = margin(p);
		}
		x += put_key(p, &p->view->keys[i], x, y) + ems(p, 150);
	}
	if (x > margin(p) && x + put_keyboard(&measure, y) > p->width - margin(p))
		y += row;
	put_keyboard(p, y);
	return y - top + key_height(p);
}

static int put_footer(const struct plan *p, int y)
{
	struct plan measure = *p;
	int height;

	if (!p->view->key_count && !p->view->layout[0] && !p->view->caps)
		return 0;
	measure.scene = NULL;
	height = put_keys(&measure, y) + 2 * footer_padding(p);
	put_bar(p, (struct rect){ 0, y, p->width, height }, p->colours->footer.fill);
	put_bar(p, (struct rect){ 0, y, p->width, thickness(p) }, p->colours->footer.edge);
	put_keys(p, y + footer_padding(p));
	return height;
}

static int put_banner(const struct plan *p, int y)
{
	const struct rules *r = p->view->rules;
	const struct style_box *box = &p->colours->banner;
	int padding = ems(p, 25) + space(p, 35), height;
	struct rect at = { margin(p), y + padding, p->width - 2 * margin(p), 0 };
	struct plan measure = *p;

	if (!r || !r->banner[0])
		return 0;
	measure.scene = NULL;
	height = put_paragraph(&measure, STYLE_BANNER, at, box->text, (const char *)r->banner, p->banner_lines) +
		 2 * padding;
	put_bar(p, (struct rect){ 0, y, p->width, height }, box->fill);
	put_bar(p, (struct rect){ 0, y, p->width, thickness(p) }, box->edge);
	put_paragraph(p, STYLE_BANNER, at, box->text, (const char *)r->banner, p->banner_lines);
	return height;
}

/* ---- the whole ---- */

/* Pixels that are left over; negative: it does not fit. */
static int spare(const struct plan *p)
{
	struct plan measure = *p;

	measure.scene = NULL;
	return p->height - header_height(p) - 2 * space(p, 80) - card_height(p) - put_footer(&measure, 0) -
	       put_banner(&measure, 0);
}

/* What may lose a line, and how many stay. */
static int lose_line(struct plan *p)
{
	if (p->banner_lines > 2)
		p->banner_lines--;
	else if (p->body_lines > 2)
		p->body_lines--;
	else if (p->message_lines > 2)
		p->message_lines--;
	else if (p->banner_lines)
		p->banner_lines--;
	else
		return 0;
	return 1;
}

static void choose_way(struct plan *p)
{
	for (const struct arrangement_way *way = arrangement_ways; way->shrink; way++) {
		p->way = *way;
		p->em = style_em(p->width, p->height, p->view->large_type, way->shrink);
		if (spare(p) >= 0)
			return;
	}
	while (spare(p) < 0 && lose_line(p))
		;
}

void arrangement_make(struct scene *ret, const struct view *v, int width, int height,
		      const struct logo_head *logo, uint32_t logo_id)
{
	struct plan p = { .scene = ret, .view = v, .colours = style_colours(v->high_contrast), .logo = logo,
			  .logo_id = logo_id, .width = width, .height = height, .bottom = height,
			  .banner_lines = LINES_MAX, .body_lines = LINES_MAX, .message_lines = LINES_MAX };
	struct plan measure;
	int banner, footer;

	scene_clear(ret, width, height, p.colours->page);
	choose_way(&p);
	measure = p;
	measure.scene = NULL;
	banner = height - put_banner(&measure, 0);
	footer = banner - put_footer(&measure, 0);
	put_header(&p);
	put_card(&p, header_height(&p) + space(&p, 80), footer - space(&p, 80));
	put_footer(&p, footer);
	put_banner(&p, banner);
}
