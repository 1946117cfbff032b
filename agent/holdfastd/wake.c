#include "wake.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum err wake_new(struct wake *ret)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return ERR_IO;
	ret->fd = fd;
	return OK;
}

void wake_drop(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wake_raise(struct wake *w)
{
	const uint64_t one = 1;

	/* It fails only when raised 2^64 times: raised it is. */
	(void)!write(w->fd, &one, sizeof(one));
}

int wake_wait(struct wake *w, int64_t timeout_ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	uint64_t count;

	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	if (poll(&p, 1, timeout_ms < 0 ? -1 : (int)timeout_ms) <= 0)
		return 0;
	return read(w->fd, &count, sizeof(count)) == sizeof(count);
}

int64_t wake_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
