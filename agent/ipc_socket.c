/* Sockets under the messages of ipc.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/ipc.h"
#include "common/secret.h"

#define SEND_TIMEOUT_S 5

static enum err err_of_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return ERR_NETWORK;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOMEM:
		return ERR_MEMORY;
	default:
		return ERR_IO;
	}
}

static enum err address_of(struct sockaddr_un *ret, const char *path)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(ret->sun_path))
		return ERR_RANGE;
	memcpy(ret->sun_path, path, strlen(path));
	return OK;
}

/* Room for the largest packet, and an end to waiting for a peer that does not read. */
static void socket_tune(int fd)
{
	const struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
	const int bytes = (int)IPC_BYTES_MAX;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

enum err ipc_listen(int *ret_fd, const char *path, mode_t mode)
{
	struct sockaddr_un address;
	enum err e = address_of(&address, path);
	int fd;

	if (e)
		return e;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_of_errno(errno);
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(path, mode) ||
	    listen(fd, 16)) {
		e = errno == ENOENT ? ERR_NOT_FOUND : err_of_errno(errno);
		close(fd);
		return e;
	}
	*ret_fd = fd;
	return OK;
}

enum err ipc_connect(int *ret_fd, const char *path)
{
	struct sockaddr_un address;
	enum err e = address_of(&address, path);
	int fd;

	if (e)
		return e;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_of_errno(errno);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		e = err_of_errno(errno);
		close(fd);
		return e;
	}
	socket_tune(fd);
	*ret_fd = fd;
	return OK;
}

enum err ipc_accept(int *ret_fd, struct ipc_peer *ret_peer, int listen_fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return err_of_errno(errno);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) || size != sizeof(who)) {
		close(fd);
		return ERR_IO;
	}
	socket_tune(fd);
	ret_peer->uid = who.uid;
	ret_peer->pid = who.pid;
	*ret_fd = fd;
	return OK;
}

static enum err packet_send(int fd, const struct ipc_message *m, uint16_t request)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	ssize_t sent;
	enum err e = ipc_encode(&bytes, &len, m, request);

	if (e)
		return e;
	do {
		sent = send(fd, bytes, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	secret_wipe(bytes, len);
	free(bytes);
	return sent == (ssize_t)len ? OK : ERR_NETWORK;
}

enum err ipc_send(int fd, const struct ipc_message *m)
{
	return packet_send(fd, m, 0);
}

enum err ipc_answer(int fd, uint16_t request, const struct ipc_message *m)
{
	return packet_send(fd, m, request);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum err wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int n;

	do {
		left = deadline_ms < 0 ? -1 : deadline_ms - now_ms();
		if (deadline_ms >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return ERR_IO;
	return n == 0 ? ERR_BUSY : OK;
}

static enum err packet_receive(struct ipc_message *ret, int fd, int64_t deadline_ms,
			       uint16_t request)
{
	const size_t room = IPC_BYTES_MAX + 1;
	uint8_t *bytes;
	ssize_t len;
	enum err e = wait_readable(fd, deadline_ms);

	if (e)
		return e;
	bytes = malloc(room);
	if (!bytes)
		return ERR_MEMORY;
	do {
		len = recv(fd, bytes, room, 0);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		e = ERR_NETWORK;
	else
		e = ipc_decode(ret, bytes, (size_t)len, request);
	if (len > 0)
		secret_wipe(bytes, (size_t)len);
	free(bytes);
	return e;
}

enum err ipc_receive(struct ipc_message *ret, int fd, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	enum err e = packet_receive(ret, fd, deadline, 0);

	if (!e && ret->type == IPC_ERROR)
		return ERR_FORMAT;
	return e;
}

/* An error's number comes from the peer: one that is not in the list is no reason to believe OK. */
static enum err answer_error(const struct ipc_message *m)
{
	uint64_t number = m->value[0].number;

	return number == OK || number > ERR_INTERNAL ? ERR_FORMAT : (enum err)number;
}

enum err ipc_call(struct ipc_message *ret, int *ret_notified, int fd,
		  const struct ipc_message *request, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	enum err e = ipc_send(fd, request);

	ipc_drop(ret);
	while (!e) {
		e = packet_receive(ret, fd, deadline, request->type);
		if (e || ret->type == IPC_OK)
			break;
		if (ret->type == IPC_ERROR)
			return answer_error(ret);
		if (ret->type != IPC_NOTIFY)
			e = ERR_FORMAT;
		else if (ret_notified)
			*ret_notified = 1;
	}
	if (e)
		ipc_drop(ret);
	return e;
}
