#include "password.h"

#include <string.h>
#include <unistd.h>

#include "common/hush_host.h"

#define LINE_BYTES (PASSWORD_BYTES_MAX + 2) /* newline and NUL */

static enum err say(enum err e, const char *text)
{
	fprintf(stderr, "holdfast: %s\n", text);
	return e;
}

int password_is_hard_to_type(const struct secret *password)
{
	for (size_t i = 0; i < password->len; i++)
		if (password->bytes[i] < ' ' || password->bytes[i] > '~')
			return 1;
	return 0;
}

/* What counts as a password, from a line with or without its newline. */
static enum err take_line(struct secret *ret, struct secret *line, size_t len)
{
	enum err e;

	if (len && line->bytes[len - 1] == '\n')
		len--;
	if (len > PASSWORD_BYTES_MAX)
		return say(ERR_RANGE, "the password is longer than 256 bytes");
	if (!len)
		return say(ERR_FORMAT, "the password is empty");
	line->bytes[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (line->bytes[i] < ' ' || line->bytes[i] == 0x7f)
			return say(ERR_FORMAT, "the password holds a control character");
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
		return say(ERR_IO, "no password was given");
	return take_line(ret, &line, len);
}

static enum err ask(struct secret *ret, int fd, const char *what, const char *user)
{
	SECRET struct secret line = { 0 };
	char prompt[160];
	size_t len = 0;
	enum err e = secret_new(&line, LINE_BYTES);

	if (e)
		return e;
	(void)snprintf(prompt, sizeof(prompt), "%s for %s: ", what, user);
	if (hush_line(&line, &len, fd, prompt))
		return say(ERR_IO, "no password was given");
	return take_line(ret, &line, len);
}

static int equal(const struct secret *a, const struct secret *b)
{
	unsigned char differs = a->len != b->len;

	for (size_t i = 0; i < a->len && i < b->len; i++)
		differs |= a->bytes[i] ^ b->bytes[i];
	return !differs;
}

static enum err ask_twice(struct secret *ret, int fd, const char *user)
{
	SECRET struct secret first = { 0 }, second = { 0 };
	enum err e = ask(&first, fd, "New password", user);

	if (!e)
		e = ask(&second, fd, "The same again", user);
	if (e)
		return e;
	if (!equal(&first, &second))
		return say(ERR_CHANGED, "the two passwords differ: nothing was changed");
	*ret = first;
	memset(&first, 0, sizeof(first));
	return OK;
}

enum err password_read(struct secret *ret, FILE *in, const char *user)
{
	int fd = fileno(in);

	return isatty(fd) ? ask_twice(ret, fd, user) : read_line(ret, fd);
}
