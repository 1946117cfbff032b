#include "password.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/keyboard_conf.h"
#include "common/hush_host.h"
#include "common/json_host.h"
#include "common/layout.h"

#define STATUS_MS 10000
#define LINE_BYTES (PASSWORD_BYTES_MAX + 2) /* newline and NUL */

static enum err say(enum err e, const char *text)
{
	fprintf(stderr, "holdfast: %s\n", text);
	return e;
}

static void layout_find_or_us(struct layout *ret, const char *name)
{
	if (layouts_find(ret, NULL, layouts_builtin(), name) && layouts_get(ret, layouts_builtin(), 0))
		abort();
}

static enum layout_verdict verdict(unsigned *ret_place, const struct layout *l, const struct secret *password)
{
	return layout_check(ret_place, layouts_builtin(), l, (const char *)password->bytes, password->len);
}

void password_remarks(FILE *to, const struct secret *password, const char *name)
{
	struct layout here, us;
	unsigned place = 0, ignored;

	layout_find_or_us(&here, name);
	layout_find_or_us(&us, "us");
	switch (verdict(&place, &here, password)) {
	case LAYOUT_TYPES:
		break;
	case LAYOUT_RARE:
		fprintf(to, "holdfast: warning: character %u needs the key beside the left Shift key, or Shift with Space. "
			"Not every firmware reports these before the start of the operating system: try it before you "
			"rely on it.\n", place);
		break;
	case LAYOUT_NEVER:
		if (verdict(&ignored, &us, password) == LAYOUT_NEVER)
			return; /* refused: holdfast-volumed says so */
		fprintf(to, "holdfast: warning: character %u is not on the keyboard layout %s (%s). Before the start of "
			"the operating system press F4 until the layout is us, then type the password as on a US "
			"keyboard.\n", place, here.name, here.title);
		return;
	}
	if (layout_keypad_differs(layouts_builtin(), &here, (const char *)password->bytes, password->len))
		fprintf(to, "holdfast: warning: before the start of the operating system type its digits with the top row: "
			"with the keyboard layout %s (%s) the numeric keypad types other characters there.\n", here.name,
			here.title);
}

/* Quietly: what is wrong with the daemon will be told with the command itself. */
static enum err ask_status(struct ipc_message *ret, const struct cli *cli)
{
	IPC_MESSAGE question = { 0 };
	char path[4096];
	int fd;
	enum err e;

	(void)snprintf(path, sizeof(path), "%s/volumed.sock", cli->run);
	e = ipc_connect(&fd, path);
	if (e)
		return e;
	ipc_start(&question, IPC_STATUS);
	e = ipc_call(ret, NULL, fd, &question, STATUS_MS);
	close(fd);
	return e;
}

void password_warn(const struct cli *cli, const struct secret *password)
{
	const char *layout = "", *configured = "";
	IPC_MESSAGE answer = { 0 };
	struct keyboard_conf own;
	JSON *status = NULL;

	if (!ask_status(&answer, cli) && !json_parse(&status, answer.value[0].text, strlen(answer.value[0].text))) {
		(void)!json_get_string(&layout, status, "keyboard_layout");
		(void)!json_get_string(&configured, status, "keyboard_configured");
	}
	keyboard_conf_read(&own, KEYBOARD_CONF_ETC);
	if (*configured)
		fprintf(stderr, "holdfast: warning: this laptop's keyboard layout %s is not there before the start of the "
			"operating system; %s is used instead.\n", configured, layout);
	password_remarks(stderr, password, *layout ? layout : own.layout);
}

/* What counts as a password, from a line with or without its newline. */
static enum err take_line(struct secret *ret, struct secret *line, size_t len)
{
	enum err e;

	if (len && line->bytes[len - 1] == '\n')
		len--;
	if (len > PASSWORD_BYTES_MAX)
		return say(ERR_RANGE, "longer than 256 bytes");
	if (!len)
		return say(ERR_FORMAT, "the password is empty");
	line->bytes[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (line->bytes[i] < ' ' || line->bytes[i] == 0x7f)
			return say(ERR_FORMAT, "there is a control character in it");
	e = secret_copy(ret, line->bytes, len + 1);
	if (!e)
		ret->len = len;
	return e;
}

/* A line in guarded memory; stdio's buffer would keep a copy. */
static enum err read_line(struct secret *ret, int fd)
{
	SECRET struct secret line = { 0 };
	size_t len = 0;
	ssize_t n = 0;
	enum err e = secret_new(&line, LINE_BYTES);

	if (e)
		return e;
	while (len < LINE_BYTES && (n = read(fd, line.bytes + len, 1)) == 1)
		if (line.bytes[len++] == '\n')
			break;
	if (n < 0 || !len)
		return say(ERR_IO, "no password was given: the input has ended");
	return take_line(ret, &line, len);
}

static enum err ask(struct secret *ret, int fd, const char *what, const char *user)
{
	SECRET struct secret line = { 0 };
	char prompt[224];
	size_t len = 0;
	enum err e = secret_new(&line, LINE_BYTES);

	if (e)
		return e;
	(void)snprintf(prompt, sizeof(prompt), "%s for %s: ", what, user);
	if (hush_line(&line, &len, fd, prompt))
		return say(ERR_IO, "no password was given: the input has ended");
	return take_line(ret, &line, len);
}

static int equal(const struct secret *a, const struct secret *b)
{
	unsigned char differs = a->len != b->len;

	for (size_t i = 0; i < a->len && i < b->len; i++)
		differs |= a->bytes[i] ^ b->bytes[i];
	return !differs;
}

static enum err ask_twice(struct secret *ret, int fd, const char *what, const char *user)
{
	SECRET struct secret first = { 0 }, second = { 0 };
	enum err e = ask(&first, fd, what, user);

	if (!e)
		e = ask(&second, fd, "The same again", user);
	if (e)
		return e;
	if (!equal(&first, &second))
		return say(ERR_CHANGED, "the two differ: nothing was changed");
	*ret = first;
	memset(&first, 0, sizeof(first));
	return OK;
}

enum err password_new(struct secret *ret, FILE *in, const char *what, const char *user)
{
	int fd = fileno(in);

	return isatty(fd) ? ask_twice(ret, fd, what, user) : read_line(ret, fd);
}

enum err password_read(struct secret *ret, FILE *in, const char *user)
{
	return password_new(ret, in, "New password", user);
}

enum err password_present(struct secret *ret, FILE *in, const char *user)
{
	int fd = fileno(in);

	return isatty(fd) ? ask(ret, fd, "Present password or PIN", user) : read_line(ret, fd);
}

enum err password_shown(struct secret *ret, FILE *in, const char *prompt)
{
	if (isatty(fileno(in))) {
		fputs(prompt, stderr);
		fflush(stderr);
	}
	return read_line(ret, fileno(in));
}
