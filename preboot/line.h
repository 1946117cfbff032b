/* Line: what a person types, bounded, as UTF-8. Free of firmware calls: login and challenge feed it
 * keys and draw what it says. Holds passwords: declare with LINE. */
#ifndef HOLDFAST_LINE_H
#define HOLDFAST_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES_MAX 256
#define LINE_RAW_MAX 640

struct line {
	char bytes[LINE_BYTES_MAX + 1]; /* NUL-terminated */
	size_t len;
	size_t max;   /* bytes, at most LINE_BYTES_MAX */
	size_t chars; /* characters in bytes */
	uint16_t raw[LINE_RAW_MAX]; /* every key of it as firmware reported it: what its buffers hold */
	size_t raw_len;
};

enum line_change {
	LINE_SAME,    /* key ignored: full, empty, or no character */
	LINE_ADDED,   /* one character more */
	LINE_REMOVED, /* one character less */
	LINE_CLEARED, /* all characters gone */
};

/* A key's character, as firmware gives it (UCS-2). Backspace removes a character, Ctrl-U all of
 * them; control characters and surrogates are ignored, and so is what does not fit. */
enum line_change line_key(struct line *l, uint16_t c);

/* Note a key, whatever it typed; what does not fit is not noted. */
void line_note(struct line *l, uint16_t reported);

/* Remove everything after the first chars characters. */
void line_cut(struct line *l, size_t chars);

void line_drop(struct line *l);
#define LINE __attribute__((cleanup(line_drop))) struct line

#endif
