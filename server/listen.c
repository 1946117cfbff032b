/* The server's socket. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG 1024

static int split(char host[256], char port[8], const char *spec)
{
	const char *colon = strrchr(spec, ':');
	size_t len;

	if (!colon || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
		return 1;
	len = (size_t)(colon - spec);
	if (len >= 2 && spec[0] == '[' && colon[-1] == ']') {
		spec++;
		len -= 2;
	}
	if (!len || len > 255)
		return 1;
	memcpy(host, spec, len);
	host[len] = 0;
	strcpy(port, colon + 1);
	return 0;
}

static int open_socket(int *ret, const struct addrinfo *a)
{
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, BACKLOG)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return 1;
	}
	*ret = fd;
	return 0;
}

static int real_port(char port[8], int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len))
		return 1;
	return getnameinfo((struct sockaddr *)&a, len, NULL, 0, port, 8,
			   NI_NUMERICSERV | NI_NUMERICHOST);
}

static void make_url(char *url, size_t size, const char *host, const char *port)
{
	char name[256];

	snprintf(name, sizeof(name), "%s", host);
	/* "Everywhere" is no address to connect to. */
	if ((!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) &&
	    gethostname(name, sizeof(name) - 1))
		strcpy(name, "localhost");
	snprintf(url, size, strchr(name, ':') ? "https://[%s]:%s" : "https://%s:%s", name, port);
}

int listen_on(int *ret_fd, const char *spec, char *url, size_t url_size, char ret_port[8])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	char host[256], port[8];
	int fd = -1, bad;

	if (split(host, port, spec) || getaddrinfo(host, port, &hints, &found)) {
		log_line("cannot listen on %s: not ADDR:PORT, or no address of this machine", spec);
		return 1;
	}
	bad = open_socket(&fd, found);
	freeaddrinfo(found);
	if (bad || real_port(port, fd)) {
		log_line("cannot listen on %s: %s. Choose another port with --listen", spec,
			 strerror(errno));
		return 1;
	}
	if (!*url)
		make_url(url, url_size, host, port);
	strcpy(ret_port, port);
	*ret_fd = fd;
	return 0;
}

void listen_host(char *ret, size_t size, const char *url)
{
	const char *at = strstr(url, "://");
	size_t len;

	at = at ? at + 3 : url;
	if (*at == '[')
		len = strcspn(++at, "]");
	else
		len = strcspn(at, ":/");
	if (len >= size)
		len = size - 1;
	memcpy(ret, at, len);
	ret[len] = 0;
}
