#include "card.h"

#include <string.h>

#define CODE_CELLS 48 /* of a code field: a recovery key has 47 */

static int put_challenge(const struct plan *p, struct rect at)
{
	const char *text = p->view->challenge;
	const struct style_box *box = &p->colours->challenge;
	int pitch = plan_ems(p, 215), inset = plan_most(plan_ems(p, 10), 1), dash = plan_ems(p, 90);
	int cells = 0, dashes = 0, height = plan_ems(p, 240), x = at.x;

	for (const char *c = text; *c; c++)
		*c == '-' ? dashes++ : cells++;
	/* What has no room in cells is a text. */
	if (cells * pitch + dashes * dash > at.width)
		return plan_paragraph(p, STYLE_CHALLENGE, at, box->text, text, 3);
	while (*text) {
		const char *end = strchr(text, '-');
		size_t len = end ? (size_t)(end - text) : strlen(text);
		const struct rect group = { x, at.y, (int)len * pitch, height };

		for (int left = x + inset; left < x + group.width; left += pitch)
			plan_box(p, (struct rect){ left, at.y, pitch - 2 * inset, height }, box,
				 plan_ems(p, 25), plan_thickness(p));
		plan_cells(p, STYLE_CHALLENGE, group, pitch, box->text, text, len);
		x += group.width;
		text += len;
		if (*text != '-')
			continue;
		plan_line(p, STYLE_BODY, (struct rect){ x, at.y, dash, height }, PLAN_CENTRE,
			  p->colours->label, "\xe2\x80\x93", 3);
		x += dash;
		text++;
	}
	return height;
}

/* A code's letters stand in cells, so that they can be counted and compared. */
static void put_code(const struct plan *p, const struct view_field *f, struct rect at, int *ret_end)
{
	size_t len = strlen(f->text), cells;
	int cell = plan_most(plan_least(at.width / CODE_CELLS, plan_ems(p, 90)), 1);

	cells = (size_t)(at.width / cell);
	at.width = plan_least((int)len, (int)cells) * cell;
	*ret_end = at.x + at.width;
	plan_cells(p, STYLE_FIELD, at, cell, p->colours->field.text,
		   f->text + (len > cells ? len - cells : 0), len > cells ? cells : len);
}

/* The end is what counts. */
static void put_typed(const struct plan *p, const struct view_field *f, struct rect at, int *ret_end)
{
	struct lettering l = plan_lettering(p, STYLE_FIELD);
	size_t len = strlen(f->text), fits = lettering_fit_end(&l, f->text, len, at.width);
	const char *text = f->text + len - fits;

	if (fits < len) {
		struct rect mark = at;

		mark.width = lettering_width(&l, PLAN_ELLIPSIS, sizeof(PLAN_ELLIPSIS) - 1);
		at.x += mark.width;
		at.width -= mark.width;
		fits = lettering_fit_end(&l, text, fits, at.width);
		text = f->text + len - fits;
		plan_line(p, STYLE_FIELD, mark, PLAN_LEFT, p->colours->label, PLAN_ELLIPSIS,
			  sizeof(PLAN_ELLIPSIS) - 1);
	}
	at.width = lettering_width(&l, text, fits);
	*ret_end = at.x + at.width;
	plan_line(p, STYLE_FIELD, at, PLAN_LEFT, p->colours->field.text, text, fits);
}

static void put_box_of_field(const struct plan *p, const struct view_field *f, struct rect at,
			     int active)
{
	struct style_box box = p->colours->field;
	int line = plan_thickness(p), inset = plan_ems(p, 70), cursor = plan_most(plan_ems(p, 9), 2), end;
	struct rect inside = { at.x + inset, at.y + 2 * line, at.width - 2 * inset - 2 * cursor,
			       at.height - 4 * line };

	if (active)
		box.edge = p->colours->accent;
	plan_box(p, at, &box, plan_ems(p, 30), active ? 2 * line : line);
	(f->is_code ? put_code : put_typed)(p, f, inside, &end);
	inside = (struct rect){ end + cursor / 2, at.y + at.height / 2 - plan_ems(p, 68), cursor,
				plan_ems(p, 136) };
	if (active)
		plan_bar(p, inside, p->colours->accent);
}

static int field_height(const struct plan *p)
{
	return plan_ems(p, 200) + plan_space(p, 40);
}

static int label_width(const struct plan *p)
{
	int width = 0;

	for (unsigned i = 0; i < p->view->field_count; i++)
		width = plan_most(width, plan_text_width(p, STYLE_LABEL, p->view->fields[i].label));
	return plan_least(width, p->width / 3);
}

/* The label above its field; Caps Lock is told where the person looks, too. */
static void put_label(const struct plan *p, const struct view_field *f, struct rect at, int active)
{
	int caps = plan_text_width(p, STYLE_CAPS, PLAN_CAPS);

	if (active && p->view->caps && !f->is_code) {
		plan_line(p, STYLE_CAPS, (struct rect){ at.x + at.width - caps, at.y, caps, at.height },
			  PLAN_RIGHT, p->colours->tones[VIEW_WARNING].text, PLAN_CAPS, sizeof(PLAN_CAPS) - 1);
		at.width -= caps + plan_ems(p, 80);
	}
	plan_name(p, STYLE_LABEL, at, PLAN_LEFT, p->colours->label, f->label);
}

static int put_field(const struct plan *p, unsigned number, struct rect at)
{
	const struct view_field *f = &p->view->fields[number];
	int height = field_height(p), label = plan_line_height(p, STYLE_LABEL);
	struct rect box = { at.x, at.y, at.width, height };

	if (p->way.beside) {
		struct rect beside = { at.x, at.y, label_width(p), height };

		plan_name(p, STYLE_LABEL, beside, PLAN_LEFT, p->colours->label, f->label);
		box.x += beside.width + plan_ems(p, 80);
		box.width -= beside.width + plan_ems(p, 80);
	} else {
		put_label(p, f, (struct rect){ at.x, at.y, at.width, label },
			  number == p->view->active);
		box.y += label + plan_space(p, 20);
	}
	put_box_of_field(p, f, box, number == p->view->active);
	return box.y + height - at.y;
}

static int message_padding(const struct plan *p)
{
	return plan_ems(p, 30) + plan_space(p, 30);
}

/* A sign before it tells the tone apart from the colour. */
static void put_sign(const struct plan *p, enum view_tone tone, struct rect at)
{
	static const char *const signs[] = {
		[VIEW_PLAIN] = "\xe2\x84\xb9",   /* i */
		[VIEW_GOOD] = "\xe2\x9c\x93",    /* tick */
		[VIEW_WARNING] = "\xe2\x9a\xa0", /* triangle */
		[VIEW_ERROR] = "\xe2\x9c\x97",   /* cross */
	};

	plan_line(p, STYLE_MESSAGE, at, PLAN_CENTRE, p->colours->tones[tone].text, signs[tone],
		  strlen(signs[tone]));
}

/* Outcome, its code for the helpdesk, and what is counted down. */
static int put_message(const struct plan *p, struct rect at)
{
	const struct view *v = p->view;
	enum view_tone tone = v->message[0] ? v->tone : VIEW_PLAIN;
	const struct style_box *box = &p->colours->tones[tone];
	int line = plan_line_height(p, STYLE_MESSAGE), edge = plan_ems(p, 80), sign = plan_ems(p, 200);
	int code = v->code[0] ? plan_text_width(p, STYLE_CODE, v->code) + plan_ems(p, 100) : 0;
	struct rect text = { at.x + sign, at.y + message_padding(p), at.width - sign - edge - code, line };
	struct plan measure = *p;
	int height;

	if (!v->message[0] && !v->ticking[0])
		return 0;
	measure.scene = NULL;
	height = plan_paragraph(&measure, STYLE_MESSAGE, text, box->text, v->message, p->message_lines);
	at.height = height + (v->ticking[0] ? line : 0) + 2 * message_padding(p);
	plan_box(p, at, box, plan_ems(p, 30), plan_thickness(p));
	put_sign(p, tone, (struct rect){ at.x + plan_ems(p, 40), text.y, sign - plan_ems(p, 50), line });
	plan_line(p, STYLE_CODE, (struct rect){ text.x + text.width, text.y, code, line }, PLAN_RIGHT,
		  box->text, v->code, strlen(v->code));
	plan_paragraph(p, STYLE_MESSAGE, text, box->text, v->message, p->message_lines);
	text.y += height;
	plan_name(p, STYLE_TICKING, text, PLAN_LEFT, box->text, v->ticking);
	return at.height;
}

static int put_busy(const struct plan *p, struct rect at)
{
	int side = plan_least(plan_ems(p, 170), SPINNER_SIDE_MAX), height = plan_ems(p, 220);

	const struct scene_item spinner = { .kind = SCENE_SPINNER,
					    .at = { at.x, at.y + (height - side) / 2, side, side } };

	if (!p->view->busy)
		return 0;
	plan_add(p, &spinner, NULL, 0);
	at.x += side + plan_ems(p, 60);
	at.width -= side + plan_ems(p, 60);
	at.height = height;
	plan_name(p, STYLE_BUSY, at, PLAN_LEFT, p->colours->body, p->view->busy);
	return height;
}

/* What a message of two lines takes is kept free below fields, so that the card stays as it is when one
 * comes. */
static int kept_height(const struct plan *p)
{
	return 2 * plan_line_height(p, STYLE_MESSAGE) + 2 * message_padding(p);
}

static int put_status(const struct plan *p, struct rect at)
{
	int height = put_message(p, at);

	if (height && p->view->busy)
		height += plan_space(p, 50);
	at.y += height;
	height += put_busy(p, at);
	return p->view->field_count ? plan_most(height, kept_height(p)) : height;
}

/* From the card's upper inner edge down. Returns the height. */
static int put_content(const struct plan *p, struct rect at)
{
	const struct view *v = p->view;
	int top = at.y;

	if (v->title[0])
		at.y += plan_paragraph(p, STYLE_TITLE, at, p->colours->title, v->title, 2) +
			plan_space(p, v->body[0] ? 40 : 100);
	if (v->body[0])
		at.y += plan_paragraph(p, STYLE_BODY, at, p->colours->body, v->body, p->body_lines) +
			plan_space(p, 100);
	if (v->challenge[0])
		at.y += put_challenge(p, at) + plan_space(p, 110);
	for (unsigned i = 0; i < v->field_count; i++)
		at.y += put_field(p, i, at) + plan_space(p, 90);
	at.y += put_status(p, at);
	return at.y - top;
}

static int card_padding(const struct plan *p)
{
	return plan_space(p, 120) + plan_ems(p, 60);
}

static struct rect card_inside(const struct plan *p)
{
	int most = p->width - 2 * (plan_margin(p) + card_padding(p));
	struct rect r = { .width = plan_least(plan_ems(p, p->way.beside ? 5800 : 3800), most) };

	r.x = (p->width - r.width) / 2;
	return r;
}

int card_height(const struct plan *p)
{
	struct plan measure = *p;

	measure.scene = NULL;
	return put_content(&measure, card_inside(p)) + 2 * card_padding(p);
}

/* Of a page with a line of body and two fields. */
static int usual_height(const struct plan *p)
{
	int label = p->way.beside ? 0 : plan_line_height(p, STYLE_LABEL) + plan_space(p, 20);

	return 2 * card_padding(p) + plan_line_height(p, STYLE_TITLE) +
	       plan_line_height(p, STYLE_BODY) + plan_space(p, 140) +
	       2 * (label + field_height(p) + plan_space(p, 90)) + kept_height(p);
}

/* A page with two fields would stand in the middle; what is longer begins further up, what is shorter
 * begins there all the same. */
void card_put(struct plan *p, int top, int bottom)
{
	struct rect inside = card_inside(p), card;
	int height = card_height(p), room = bottom - top, usual = usual_height(p);

	if (height == 2 * card_padding(p))
		return; /* nothing to say */
	card = (struct rect){ inside.x - card_padding(p), top, inside.width + 2 * card_padding(p), height };
	if (usual < room)
		card.y += (room - usual) * 45 / 100;
	if (card.y + height > bottom)
		card.y = plan_most(bottom - height, top);
	card.height = plan_least(height, bottom - card.y);
	plan_box(p, card, &p->colours->card, plan_ems(p, 50), plan_thickness(p));
	inside.y = card.y + card_padding(p);
	p->bottom = bottom;
	put_content(p, inside);
	p->bottom = p->height;
}
