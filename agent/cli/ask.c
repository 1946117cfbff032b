#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli.h"

static const struct {
	const char *name, *socket;
} daemons[] = {
	[CLI_VOLUMED] = { "holdfast-volumed", "volumed.sock" },
	[CLI_HOLDFASTD] = { "holdfastd", "agent.sock" },
};

int cli_misused(const char *format, ...)
{
	va_list args;

	fputs("holdfast: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see --help\n", stderr);
	return CLI_USAGE;
}

int cli_seconds(unsigned *ret, const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || n > 86400)
		return cli_misused("%s is not a number of seconds from 0 to 86400", text);
	*ret = (unsigned)n;
	return CLI_OK;
}

int cli_absent(enum cli_daemon daemon)
{
	const char *name = daemons[daemon].name;

	fprintf(stderr, "holdfast: %s isn't running: systemctl start %s\n", name, name);
	return CLI_ABSENT;
}

/* Whoever can make a file in the sockets' folder must not be handed a password. */
static int root_listens(int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) &&
	       (who.uid == 0 || who.uid == geteuid());
}

int cli_connect(int *ret_fd, const struct cli *cli, enum cli_daemon daemon)
{
	char path[4096];
	enum err e;

	snprintf(path, sizeof(path), "%s/%s", cli->run, daemons[daemon].socket);
	e = ipc_connect(ret_fd, path);
	if (e == ERR_NETWORK)
		return cli_absent(daemon);
	if (e == ERR_DENIED) {
		fputs("holdfast: only root may do this: use sudo\n", stderr);
		return CLI_DENIED;
	}
	if (e) {
		fprintf(stderr, "holdfast: %s: %s\n", path, err_text(e));
		return CLI_FAILED;
	}
	if (daemon != CLI_VOLUMED || root_listens(*ret_fd))
		return CLI_OK;
	close(*ret_fd);
	fprintf(stderr, "holdfast: %s belongs to somebody else than root, nothing was sent: "
		"look at who runs on this machine\n", path);
	return CLI_FAILED;
}

int cli_refused(const struct ipc_message *answer, enum err e)
{
	const char *about = answer->type == IPC_ERROR ? answer->value[1].text : NULL;

	fprintf(stderr, "holdfast: %s\n", about && *about ? about : err_text(e));
	return e == ERR_DENIED ? CLI_DENIED : CLI_FAILED;
}

int cli_ask(struct ipc_message *ret, const struct cli *cli, enum cli_daemon daemon,
	    const struct ipc_message *question, int timeout_ms)
{
	int fd, status = cli_connect(&fd, cli, daemon);
	enum err e;

	if (status)
		return status;
	e = ipc_call(ret, NULL, fd, question, timeout_ms);
	close(fd);
	if (!e)
		return CLI_OK;
	if (ret->type == IPC_ERROR)
		return cli_refused(ret, e);
	if (e == ERR_NETWORK)
		return cli_absent(daemon);
	if (e != ERR_BUSY)
		return cli_refused(ret, e);
	fprintf(stderr, "holdfast: %s did not answer in time: it may still be at work; see: holdfast status\n",
		daemons[daemon].name);
	return CLI_TIMEOUT;
}
