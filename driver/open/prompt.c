/* Prompt: reads letter by letter without echo, so that no key lands in a serial console's log. */
#include "prompt.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../../common/code.h"

#define LINE_BYTES 256
#define ESCAPE 27

struct typed {
	char *text; /* upper-case letters, in a secret */
	size_t len, want;
	int escape; /* within an arrow key's sequence */
};

static void mistyped(size_t group)
{
	if (group)
		fprintf(stderr, "\nGroup %zu is mistyped.", group);
	else
		fprintf(stderr, "\nA recovery key has %zu groups of %d letters.",
			code_groups(CODE_RECOVERY), CODE_GROUP_LETTERS);
}

static void show(const struct typed *t)
{
	size_t i;

	fputc('\r', stderr);
	for (i = 0; i < t->len; i++) {
		fputc('*', stderr);
		if ((i + 1) % CODE_GROUP_LETTERS == 0 && i + 1 < t->want)
			fputc('-', stderr);
	}
	fputs("  \b\b", stderr);
}

static void take_letter(struct typed *t, char c)
{
	size_t group;

	if (t->len == t->want)
		return;
	t->text[t->len++] = (char)toupper((unsigned char)c);
	group = code_check_typed(CODE_RECOVERY, t->text, t->len);
	if (group) {
		mistyped(group);
		fprintf(stderr, " Type it again:\n");
		t->len = (group - 1) * CODE_GROUP_LETTERS;
	}
	show(t);
}

/* Returns 1 when the key is complete and confirmed. */
static int take_byte(struct typed *t, char c)
{
	if (t->escape) {
		t->escape = !isalpha((unsigned char)c) && c != '~';
	} else if (c == ESCAPE) {
		t->escape = 1;
	} else if (c == '\b' || c == 127) {
		t->len -= t->len > 0;
		show(t);
	} else if (c == '\r' || c == '\n') {
		if (t->len == t->want)
			return 1;
		fprintf(stderr, "\n%zu of %zu letters so far; go on:\n", t->len, t->want);
		show(t);
	} else if (isalpha((unsigned char)c)) {
		take_letter(t, c);
	}
	return 0;
}

static enum err read_typed(struct typed *t)
{
	enum err e = OK;
	char c = 0;

	for (;;) {
		if (read(STDIN_FILENO, &c, 1) != 1) {
			e = ERR_IO;
			break;
		}
		if (take_byte(t, c))
			break;
	}
	secret_wipe(&c, sizeof(c));
	fputc('\n', stderr);
	return e;
}

static enum err read_terminal(struct typed *t, const struct termios *before)
{
	struct termios raw = *before;
	enum err e;

	/* Signals too: no key leads out of the prompt. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw))
		return ERR_IO;
	e = read_typed(t);
	tcsetattr(STDIN_FILENO, TCSANOW, before);
	return e;
}

static enum err read_line(struct typed *t)
{
	ssize_t n;

	while (t->len < LINE_BYTES) {
		n = read(STDIN_FILENO, t->text + t->len, 1);
		if (n <= 0 && t->len == 0)
			return ERR_IO;
		if (n <= 0 || t->text[t->len] == '\n')
			return OK;
		t->len++;
	}
	return OK;
}

enum err prompt_recovery(struct secret *ret)
{
	SECRET struct secret line = { 0 };
	struct typed t = { .want = code_groups(CODE_RECOVERY) * CODE_GROUP_LETTERS };
	struct termios before;
	size_t group = 0;
	enum err e = secret_new(&line, LINE_BYTES);

	if (e)
		return e;
	t.text = (char *)line.bytes;
	fprintf(stderr, "Recovery key:\n");
	e = tcgetattr(STDIN_FILENO, &before) ? read_line(&t) : read_terminal(&t, &before);
	if (e)
		return e;
	e = code_canonical(ret, &group, CODE_RECOVERY, t.text, t.len);
	if (e == ERR_FORMAT) {
		mistyped(group);
		fputc('\n', stderr);
	}
	return e;
}
