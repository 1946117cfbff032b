#include "passphrase.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "file.h"

#define HUSHED 5

/* One line without its newline. */
static enum err first_line(struct secret *ret, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t line = end ? (size_t)(end - bytes) : strnlen((const char *)bytes, len);

	if (!line || line > PASSPHRASE_BYTES_MAX)
		return ERR_RANGE;
	return secret_copy(ret, bytes, line);
}

/* A terminal without echo. Signals that end or stop the program wait until it has its echo again. */
struct hush {
	int tty;
	struct termios before;
	sigset_t unblocked;
	struct sigaction old[HUSHED];
};

static const int signals[HUSHED] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* A signal that came meanwhile does now what it does. */
static void unhush(const struct hush *h)
{
	tcsetattr(h->tty, TCSAFLUSH, &h->before);
	(void)!write(h->tty, "\n", 1);
	for (size_t i = 0; i < HUSHED; i++)
		sigaction(signals[i], &h->old[i], NULL);
	sigprocmask(SIG_SETMASK, &h->unblocked, NULL);
	if (caught)
		raise(caught);
}

static enum err hush(struct hush *h, int tty)
{
	struct sigaction note = { .sa_handler = on_signal };
	struct termios quiet;
	sigset_t set;

	caught = 0;
	if (tcgetattr(tty, &h->before))
		return ERR_IO;
	h->tty = tty;
	sigemptyset(&set);
	for (size_t i = 0; i < HUSHED; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &h->unblocked);
	for (size_t i = 0; i < HUSHED; i++)
		sigaction(signals[i], &note, &h->old[i]);
	quiet = h->before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (!tcsetattr(tty, TCSAFLUSH, &quiet))
		return OK;
	unhush(h);
	return ERR_IO;
}

static ssize_t read_hushed(struct secret *line, int tty, const char *prompt)
{
	struct pollfd p = { tty, POLLIN, 0 };
	struct hush h;
	ssize_t n = -1;

	if (hush(&h, tty))
		return -1;
	if (write(tty, prompt, strlen(prompt)) > 0 && ppoll(&p, 1, NULL, &h.unblocked) == 1)
		n = read(tty, line->bytes, line->len);
	unhush(&h);
	return n;
}

static enum err from_terminal(struct secret *ret, const char *prompt)
{
	SECRET struct secret line = { 0 };
	enum err e = secret_new(&line, PASSPHRASE_BYTES_MAX + 2);
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	ssize_t n = -1;

	if (tty < 0)
		return ERR_IO;
	do
		n = e ? -1 : read_hushed(&line, tty, prompt);
	while (n < 0 && caught == SIGTSTP); /* stopped, and in the foreground again */
	close(tty);
	return e ? e : n <= 0 ? ERR_IO : first_line(ret, line.bytes, (size_t)n);
}

enum err passphrase_read(struct secret *ret, const char *file, const char *prompt)
{
	SECRET struct secret text = { 0 };
	enum err e;

	if (!file)
		return from_terminal(ret, prompt);
	e = file_read(&text, NULL, file);
	return e ? e : first_line(ret, text.bytes, text.len);
}

enum err passphrase_new(struct secret *ret, const char *file, const char *prompt)
{
	SECRET struct secret first = { 0 }, again = { 0 };
	enum err e = passphrase_read(&first, file, prompt);

	if (!e && first.len < PASSPHRASE_BYTES_MIN)
		return ERR_RANGE;
	if (!e && !file) {
		e = passphrase_read(&again, NULL, "Once more: ");
		if (!e && (again.len != first.len || sodium_memcmp(again.bytes, first.bytes, first.len)))
			e = ERR_AUTH;
	}
	if (e)
		return e;
	*ret = first;
	first = (struct secret){ 0 };
	return OK;
}
