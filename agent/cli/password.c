#include "password.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

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

/* A line in guarded memory; stdio's buffer would keep a copy. */
static enum err read_line(struct secret *ret, int fd)
{
	SECRET struct secret line = { 0 };
	size_t len = 0;
	ssize_t n = 0;
	enum err e = secret_new(&line, LINE_BYTES);

	if (e)
		return e;
	while (len < LINE_BYTES && (n = read(fd, line.bytes + len, 1)) == 1 && line.bytes[len] != '\n')
		len++;
	if (n < 0 || (n == 0 && !len))
		return say(ERR_IO, "no password was given");
	if (len > PASSWORD_BYTES_MAX)
		return say(ERR_RANGE, "the password is longer than 256 bytes");
	if (!len)
		return say(ERR_FORMAT, "the password is empty");
	line.bytes[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (line.bytes[i] < ' ' || line.bytes[i] == 0x7f)
			return say(ERR_FORMAT, "the password holds a control character");
	e = secret_copy(ret, line.bytes, len + 1);
	if (!e)
		ret->len = len;
	return e;
}

static enum err ask(struct secret *ret, int fd, const char *prompt, const char *user)
{
	struct termios before, quiet;
	enum err e;

	if (tcgetattr(fd, &before))
		return say(ERR_IO, "the terminal cannot be switched to hidden input");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (tcsetattr(fd, TCSAFLUSH, &quiet))
		return say(ERR_IO, "the terminal cannot be switched to hidden input");
	fprintf(stderr, prompt, user);
	e = read_line(ret, fd);
	fputc('\n', stderr);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	return e;
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
	enum err e = ask(&first, fd, "New password for %s: ", user);

	if (!e)
		e = ask(&second, fd, "The same again for %s: ", user);
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
