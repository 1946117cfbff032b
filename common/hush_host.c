#include "hush_host.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define HUSHED 5

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

enum err hush_line(struct secret *line, size_t *ret_len, int tty, const char *prompt)
{
	ssize_t n;

	do
		n = read_hushed(line, tty, prompt);
	while (n < 0 && caught == SIGTSTP); /* stopped, and in the foreground again */
	if (n <= 0)
		return ERR_IO;
	*ret_len = (size_t)n;
	return OK;
}
