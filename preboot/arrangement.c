#include "arrangement.h"

#include <string.h>

#include "card.h"
#include "phrase.h"
#include "plan.h"

#define LINES_MAX 24
#define LAYOUT "Keyboard layout: "

const struct arrangement_way arrangement_ways[] = {
	{ 100, 100, 0 }, { 100, 70, 0 }, { 100, 50, 0 }, { 100, 50, 1 }, { 94, 50, 1 },
	{ 88, 50, 1 },   { 82, 50, 1 },  { 76, 50, 1 },  { 70, 40, 1 },  { 0 },
};

/* ---- header ---- */

int arrangement_header_height(int em, int space_percent)
{
	return plan_hundredths(em, 290) + (em * 110 * space_percent + 5000) / 10000;
}

static int header_height(const struct plan *p)
{
	return arrangement_header_height(p->em, p->way.space);
}

/* Returns its width, 0 without a logo. */
static int put_logo(const struct plan *p, int x)
{
	int tile = p->colours->header.fill == p->colours->logo ? 0 : plan_ems(p, 25);
	struct rect at = { .x = x + tile };

	if (!p->logo)
		return 0;
	picture_fit(&at.width, &at.height, &(struct logo){ .head = *p->logo },
		    plan_least(plan_ems(p, 1500), p->width / 3), plan_ems(p, 260) - 2 * tile);
	at.y = (header_height(p) - at.height) / 2;
	if (tile)
		plan_bar(p, (struct rect){ x, at.y - tile, at.width + 2 * tile, at.height + 2 * tile },
			 p->colours->logo);
	plan_add(p, &(struct scene_item){ .kind = SCENE_PICTURE, .at = at, .colour = p->logo_id }, NULL, 0);
	return at.width + 2 * tile;
}

/* Name above tag, at the right. Returns their width. */
static int put_laptop(const struct plan *p)
{
	const struct view *v = p->view;
	char tag[8 + sizeof(v->tag)];
	int upper = v->laptop[0] ? plan_line_height(p, STYLE_LAPTOP) : 0;
	int lower = v->tag[0] ? plan_line_height(p, STYLE_TAG) : 0;
	struct rect at = { .y = (header_height(p) - upper - lower) / 2, .height = upper };

	phrase_format(tag, sizeof(tag), "Device %s", v->tag);
	at.width = plan_least(plan_most(upper ? plan_text_width(p, STYLE_LAPTOP, v->laptop) : 0,
					lower ? plan_text_width(p, STYLE_TAG, tag) : 0),
			      p->width * 45 / 100);
	at.x = p->width - plan_margin(p) - at.width;
	if (upper)
		plan_name(p, STYLE_LAPTOP, at, PLAN_RIGHT, p->colours->organisation, v->laptop);
	at.y += upper;
	at.height = lower;
	if (lower)
		plan_name(p, STYLE_TAG, at, PLAN_RIGHT, p->colours->tag, tag);
	return at.width;
}

static void put_header(const struct plan *p)
{
	const struct rules *r = p->view->rules;
	const char *name = r && r->head.organisation[0] ? (const char *)r->head.organisation : "Holdfast";
	int height = header_height(p), x = plan_margin(p), logo, right;
	struct rect at;

	plan_bar(p, (struct rect){ 0, 0, p->width, height }, p->colours->header.fill);
	plan_bar(p, (struct rect){ 0, height - plan_thickness(p), p->width, plan_thickness(p) },
		 p->colours->header.edge);
	logo = put_logo(p, x);
	right = put_laptop(p);
	if (logo && !(r && r->head.organisation[0]))
		return; /* it speaks for itself */
	x += logo ? logo + plan_ems(p, 90) : 0;
	right += plan_margin(p) + plan_ems(p, 120);
	at = (struct rect){ x, (height - plan_ems(p, 180)) / 2, p->width - right - x, plan_ems(p, 180) };
	plan_name(p, STYLE_ORGANISATION, at, PLAN_LEFT, p->colours->organisation, name);
}

/* ---- footer and banner ---- */

static int key_height(const struct plan *p)
{
	return plan_ems(p, 165);
}

static int footer_padding(const struct plan *p)
{
	return plan_ems(p, 30) + plan_space(p, 35);
}

/* Layout, and Caps Lock at its right; room for Caps Lock is always kept. Returns the width. */
static int put_keyboard(const struct plan *p, int y)
{
	const struct view *v = p->view;
	int caps = plan_text_width(p, STYLE_CAPS, PLAN_CAPS) + plan_ems(p, 120), layout;
	int right = p->width - plan_margin(p);
	char text[sizeof(LAYOUT) + sizeof(v->layout)];

	phrase_format(text, sizeof(text), LAYOUT "%s", v->layout);
	layout = v->layout[0] ? plan_text_width(p, STYLE_LAYOUT, text) : 0;
	if (v->caps) {
		const struct rect pill = { right - caps, y, caps, key_height(p) };

		plan_box(p, pill, &p->colours->caps, pill.height / 2, plan_thickness(p));
		plan_line(p, STYLE_CAPS, pill, PLAN_CENTRE, p->colours->caps.text, PLAN_CAPS,
			  sizeof(PLAN_CAPS) - 1);
		right -= caps + plan_ems(p, 100);
	}
	if (layout)
		plan_line(p, STYLE_LAYOUT, (struct rect){ right - layout, y, layout, key_height(p) },
			  PLAN_RIGHT, p->colours->does, text, strlen(text));
	return caps + plan_ems(p, 100) + layout;
}

/* A key's cap and what it does. Returns the width. */
static int put_key(const struct plan *p, const struct view_key *key, int x, int y)
{
	int cap = plan_most(plan_text_width(p, STYLE_KEY, key->key) + plan_ems(p, 90), key_height(p));
	int does = plan_text_width(p, STYLE_DOES, key->does), height = key_height(p);
	struct rect at = { x, y, cap, height };

	plan_box(p, at, &p->colours->key, plan_ems(p, 30), plan_thickness(p));
	plan_line(p, STYLE_KEY, at, PLAN_CENTRE, p->colours->key.text, key->key, strlen(key->key));
	at.x += cap + plan_ems(p, 45);
	at.width = plan_least(does, p->width - plan_margin(p) - at.x);
	plan_name(p, STYLE_DOES, at, PLAN_LEFT, p->colours->does, key->does);
	return cap + plan_ems(p, 45) + at.width;
}

/* Rows of keys; the keyboard's state stands at the right of the last one, or below. Returns the height. */
static int put_keys(const struct plan *p, int y)
{
	struct plan measure = *p;
	int top = y, x = plan_margin(p), row = key_height(p) + footer_padding(p);

	measure.scene = NULL;
	for (unsigned i = 0; i < p->view->key_count; i++) {
		int width = put_key(&measure, &p->view->keys[i], plan_margin(p), y);

		if (x > plan_margin(p) && x + width > p->width - plan_margin(p)) {
			y += row;
			x = plan_margin(p);
		}
		x += put_key(p, &p->view->keys[i], x, y) + plan_ems(p, 150);
	}
	if (x > plan_margin(p) && x + put_keyboard(&measure, y) > p->width - plan_margin(p))
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
	plan_bar(p, (struct rect){ 0, y, p->width, height }, p->colours->footer.fill);
	plan_bar(p, (struct rect){ 0, y, p->width, plan_thickness(p) }, p->colours->footer.edge);
	put_keys(p, y + footer_padding(p));
	return height;
}

static int put_banner(const struct plan *p, int y)
{
	const struct rules *r = p->view->rules;
	const struct style_box *box = &p->colours->banner;
	int padding = plan_ems(p, 25) + plan_space(p, 35), height;
	struct rect at = { plan_margin(p), y + padding, p->width - 2 * plan_margin(p), 0 };
	struct plan measure = *p;
	const char *text;

	if (!r || !r->banner[0])
		return 0;
	measure.scene = NULL;
	text = (const char *)r->banner;
	height = plan_paragraph(&measure, STYLE_BANNER, at, box->text, text, p->banner_lines) + 2 * padding;
	plan_bar(p, (struct rect){ 0, y, p->width, height }, box->fill);
	plan_bar(p, (struct rect){ 0, y, p->width, plan_thickness(p) }, box->edge);
	plan_paragraph(p, STYLE_BANNER, at, box->text, text, p->banner_lines);
	return height;
}

/* ---- the whole ---- */

/* Pixels that are left over; negative: it does not fit. */
static int spare(const struct plan *p)
{
	struct plan measure = *p;

	measure.scene = NULL;
	return p->height - header_height(p) - 2 * plan_space(p, 80) - card_height(p) -
	       put_footer(&measure, 0) - put_banner(&measure, 0);
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
	card_put(&p, header_height(&p) + plan_space(&p, 80), footer - plan_space(&p, 80));
	put_footer(&p, footer);
	put_banner(&p, banner);
}
