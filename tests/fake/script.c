/* The person: keys in their order, and what is waited for between them. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define IMPATIENT_S 3600 /* with keys still to be typed */

/* Until where the texts have been read, and their lengths when they were last searched in vain. */
static size_t read_screen, read_serial, seen_screen, seen_serial;
static uint64_t pause_began;
static int pausing;

static void add(struct fake *f, const struct fake_step *s)
{
	if (f->inside->step_count == FAKE_KEYS_MAX)
		abort();
	f->inside->steps[f->inside->step_count++] = *s;
}

void fake_press(struct fake *f, enum fake_device device, uint16_t scan, uint16_t unicode,
		uint32_t shift, uint8_t toggle)
{
	add(f, &(struct fake_step){ FAKE_STEP_KEY, device, scan, unicode, shift, toggle, 0 });
}

void fake_type_on(struct fake *f, enum fake_device device, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at) {
		uint32_t c = *at++;
		int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : 2;

		if (more)
			c &= 0x3fu >> more;
		for (; more; more--)
			c = c << 6 | (*at++ & 0x3fu);
		fake_press(f, device, 0, (uint16_t)c, 0, 0);
	}
}

void fake_type(struct fake *f, const char *text)
{
	fake_type_on(f, FAKE_KEYBOARD, text);
}

void fake_await(struct fake *f, const char *text)
{
	struct fake_inside *in = f->inside;
	size_t len = strlen(text) + 1;

	if (len > sizeof(in->texts) - in->texts_len)
		abort();
	add(f, &(struct fake_step){ .kind = FAKE_STEP_AWAIT, .value = (uint32_t)in->texts_len });
	memcpy(in->texts + in->texts_len, text, len);
	in->texts_len += len;
}

void fake_pause(struct fake *f, unsigned seconds)
{
	add(f, &(struct fake_step){ .kind = FAKE_STEP_PAUSE, .value = seconds });
}

void fake_script_clear(struct fake *f)
{
	f->inside->step = f->inside->step_count = f->inside->texts_len = 0;
	f->inside->script_quiet = 0;
}

void fake_script_quiet(struct fake *f)
{
	f->inside->script_quiet = 1;
}

size_t fake_script_left(const struct fake *f)
{
	return f->inside->step_count - f->inside->step;
}

static int appears(const struct fake_log *log, size_t *read, size_t *seen, const char *text)
{
	const char *at;

	if (log->len == *seen)
		return 0;
	*seen = log->len;
	at = strstr(log->text + *read, text);
	if (!at)
		return 0;
	*read = (size_t)(at - log->text) + strlen(text);
	return 1;
}

/* On either of the two; what stands before it there counts as read. */
static int await_over(const char *text)
{
	if (!appears(&INSIDE->screen, &read_screen, &seen_screen, text) &&
	    !appears(&INSIDE->serial, &read_serial, &seen_serial, text))
		return 0;
	seen_screen = seen_serial = SIZE_MAX;
	return 1;
}

static int pause_over(uint32_t seconds)
{
	if (!pausing)
		pause_began = INSIDE->now_100ns;
	pausing = 1;
	if (INSIDE->now_100ns < pause_began + seconds * 10000000ull)
		return 0;
	pausing = 0;
	return 1;
}

/* The key that a person would press now; NULL for none. */
static const struct fake_step *due(void)
{
	while (INSIDE->step < INSIDE->step_count) {
		const struct fake_step *s = &INSIDE->steps[INSIDE->step];

		if (s->kind == FAKE_STEP_KEY)
			return s;
		if (s->kind == FAKE_STEP_AWAIT ? !await_over(INSIDE->texts + s->value)
					       : !pause_over(s->value))
			return NULL;
		INSIDE->step++;
		INSIDE->last_key_100ns = INSIDE->now_100ns;
	}
	return NULL;
}

int fake_key_ready(enum fake_device device)
{
	const struct fake_step *s = due();

	return s && (device == FAKE_DEVICES || s->device == device);
}

int fake_key_take(struct fake_step *ret, enum fake_device device)
{
	if (!fake_key_ready(device)) {
		fake_bored();
		return 0;
	}
	*ret = INSIDE->steps[INSIDE->step++];
	INSIDE->last_key_100ns = INSIDE->now_100ns;
	return 1;
}

void fake_bored(void)
{
	const struct fake_step *s = &INSIDE->steps[INSIDE->step];
	uint64_t idle = INSIDE->now_100ns - INSIDE->last_key_100ns;
	int done = INSIDE->step == INSIDE->step_count, lenient = done || INSIDE->script_quiet;

	if (idle < (lenient ? fake_now->patience_s : IMPATIENT_S) * 10000000ull)
		return;
	if (INSIDE->script_quiet)
		fake_leave(FAKE_WAITING);
	if (!done && s->kind == FAKE_STEP_AWAIT)
		fprintf(stderr, "fake: never seen: \"%s\"\n", INSIDE->texts + s->value);
	if (!done)
		fprintf(stderr, "fake: %zu keys were not typed\n", fake_script_left(fake_now));
	fake_leave(FAKE_WAITING);
}
