/* holdfast-server: main starts the vault, learns from it what the claim text needs, starts the
 * frontend, and waits. It keeps no key. docs/server.md tells who holds what. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/listen.h"
#include "server/frontend/front.h"
#include "server/frontend/tls.h"
#include "server/log.h"
#include "server/vault/vault.h"
#include "server/user.h"

#define FILES_WANTED 8192

struct setup {
	const char *state, *listen, *user, *vault_user;
	char url[256];
	char frontend_dir[PATH_MAX], vault_dir[PATH_MAX];
	struct user front_as, vault_as;
	int listen_fd;
	int vault_pair[2]; /* [0] frontend, [1] vault */
	int news_pipe[2];  /* frontend tells main that it is ready, or claimed */
	char port[8];
	pid_t self, vault, front;
	int failed; /* one of the two ended otherwise than asked */
};

static int news_fd = -1;

static const char usage[] =
	"Usage: holdfast-server --state DIR [--listen ADDR:PORT] [--url URL]\n"
	"                       [--user NAME --vault-user NAME]\n"
	"\n"
	"  --state DIR         keys and databases; made at the first start\n"
	"  --listen ADDR:PORT  where to listen (0.0.0.0:8443); port 0 takes a free one, see DIR/port\n"
	"  --url URL           how laptops and officers reach the server (https://ADDR:PORT)\n"
	"  --user, --vault-user  accounts of the two processes, when started as root\n"
	"                      (holdfast-server and holdfast-vault, when there are such accounts)\n"
	"\n"
	"The first start prints a claim text, and writes it to DIR/claim until it has been used:\n"
	"give it to holdfast-ctl init.\n";

static int fail(const char *what)
{
	log_line("%s: %s", what, strerror(errno));
	return 1;
}

/* ---- state folder ---- */

static int make_dir(const char *path, const struct user *owner)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(path);
	return user_own(path, owner) ? fail(path) : 0;
}

static int make_dirs(struct setup *s)
{
	if (snprintf(s->frontend_dir, sizeof(s->frontend_dir), "%s/frontend", s->state) >=
		    PATH_MAX - 32 ||
	    snprintf(s->vault_dir, sizeof(s->vault_dir), "%s/vault", s->state) >= PATH_MAX - 32) {
		log_line("the path of the state folder is too long");
		return 1;
	}
	if (mkdir(s->state, 0700) && errno != EEXIST)
		return fail(s->state);
	/* Two accounts have to pass through it, each to its own folder. */
	if ((s->front_as.change || s->vault_as.change) && chmod(s->state, 0711))
		return fail(s->state);
	return make_dir(s->frontend_dir, &s->front_as) || make_dir(s->vault_dir, &s->vault_as);
}

/* A file in the state folder, complete or not at all. */
static int put_file(const struct setup *s, const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX], part[PATH_MAX];
	size_t len = strlen(text);
	int fd, bad;

	if (snprintf(path, sizeof(path), "%s/%s", s->state, name) >= PATH_MAX ||
	    snprintf(part, sizeof(part), "%s/%s.part", s->state, name) >= PATH_MAX)
		return 1;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return fail(part);
	bad = fchmod(fd, mode) || write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1 ||
	      fsync(fd);
	bad |= close(fd);
	return bad || rename(part, path) ? fail(path) : 0;
}

static void remove_file(const struct setup *s, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", s->state, name) < PATH_MAX && unlink(path) &&
	    errno != ENOENT)
		log_line("cannot remove %s: %s. Remove it by hand: it is of no more use", path,
			 strerror(errno));
}

/* ---- children ---- */

/* Change the account, then bind the life to main's: a change of account clears the death signal, and
 * a main that died before it was set sends none. SIGKILL, because a process that hangs must go, too. */
static void become(const struct setup *s, const struct user *u)
{
	if (user_become(u)) {
		log_line("cannot become user %s: %s", u->name, strerror(errno));
		exit(1);
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != s->self)
		_exit(1);
}

static _Noreturn void run_vault(struct setup *s)
{
	struct vault v;
	enum err e;

	log_name("vault");
	close(s->vault_pair[0]);
	close(s->listen_fd);
	close(s->news_pipe[0]);
	close(s->news_pipe[1]);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	become(s, &s->vault_as);
	e = vault_open(&v, s->vault_dir);
	if (!e)
		e = vault_serve(&v, s->vault_pair[1]);
	if (!e && vault_sandbox())
		log_line("cannot give up the network by seccomp: this kernel does not offer it");
	if (!e)
		e = vault_serve(&v, s->vault_pair[1]);
	if (e)
		log_line("stops: %s", err_text(e));
	vault_close(&v);
	exit(e ? 1 : 0);
}

static void tell_main(char what)
{
	if (write(news_fd, &what, 1) != 1)
		log_line(
			"cannot tell main what happened: if the server has been claimed, remove the file claim by hand");
}

/* The usual soft limit is below the number of connections that we accept. */
static void raise_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < FILES_WANTED) {
		limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			log_line(
				"cannot raise the number of open files: fewer laptops can wait at a time");
	}
}

static _Noreturn void run_front(struct setup *s)
{
	struct front_options o = { s->frontend_dir, s->url, s->listen_fd, s->vault_pair[0],
				   tell_main };
	struct front f = { 0 };
	enum err e;

	log_name("frontend");
	close(s->vault_pair[1]);
	close(s->news_pipe[0]);
	news_fd = s->news_pipe[1];
	raise_files();
	become(s, &s->front_as);
	e = front_open(&f, &o);
	if (!e) {
		e = front_run(&f, &o);
		front_close(&f);
	}
	exit(e ? 1 : 0);
}

static int start(pid_t *ret, struct setup *s, void (*run)(struct setup *))
{
	pid_t pid = fork();

	if (pid < 0)
		return fail("fork");
	if (!pid)
		run(s);
	*ret = pid;
	return 0;
}

static void run_vault_child(struct setup *s)
{
	run_vault(s);
}

static void run_front_child(struct setup *s)
{
	run_front(s);
}

/* ---- claim text ---- */

static int print_claim(const struct setup *s, const struct vaultmsg *hello)
{
	struct sign_pk server;
	char pin[TLS_PIN_BYTES], text[2048];
	TEXT_SECRET *secret = NULL, *b64 = NULL;
	TEXT *json = NULL;
	JSON *o = NULL;
	int bad;

	memcpy(server.bytes, hello->value[0].key, KEY_BYTES);
	if (tls_pin(pin, s->frontend_dir) || b64_encode(&secret, hello->value[2].key, KEY_BYTES)) {
		log_line(
			"cannot read the TLS certificate in %s: remove tls.key to have both made anew",
			s->frontend_dir);
		return 1;
	}
	/* The secret is not for jansson, which frees without wiping: the frontend inherits our memory. */
	o = json_pack("{s:s,s:o,s:s}", "url", s->url, "server", jwk_of_sign(&server), "pin", pin);
	if (!o || json_print(&json, o))
		return 1;
	snprintf(text, sizeof(text), "{\"secret\":\"%s\",%s", secret, json + 1);
	if (b64_encode(&b64, text, strlen(text)))
		return 1;
	snprintf(text, sizeof(text), "holdfast-claim:%s", b64);
	bad = put_file(s, "claim", text, 0600);
	/* Not through stdio, whose buffer the frontend would inherit. */
	bad |= dprintf(STDOUT_FILENO, "%s\n", text) < 0;
	secret_wipe(text, sizeof(text));
	return bad;
}

static int greet_vault(const struct setup *s)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct fault fault = { 0 };

	vaultmsg_start(&ask, VAULT_HELLO);
	if (vaultmsg_call(&answer, &fault, s->vault_pair[0], &ask))
		return 1; /* the vault has said why */
	if (!answer.value[1].number)
		return print_claim(s, &answer);
	remove_file(s, "claim");
	return 0;
}

/* ---- main ---- */

static int parse(struct setup *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ "listen", required_argument, NULL, 'l' },
		{ "url", required_argument, NULL, 'u' },
		{ "user", required_argument, NULL, 'U' },
		{ "vault-user", required_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 's')
			s->state = optarg;
		else if (c == 'l')
			s->listen = optarg;
		else if (c == 'u' && strlen(optarg) < sizeof(s->url) &&
			 !strncmp(optarg, "https://", 8))
			strcpy(s->url, optarg);
		else if (c == 'U')
			s->user = optarg;
		else if (c == 'V')
			s->vault_user = optarg;
		else if (c == 'h')
			return fputs(usage, stdout), -1;
		else if (c == 'v')
			return puts("holdfast-server 0.1"), -1;
		else
			return fputs(usage, stderr), 1;
	}
	if (!s->state || optind != argc || strlen(s->state) > PATH_MAX - 64)
		return fputs(usage, stderr), 1;
	return 0;
}

static int prepare(struct setup *s)
{
	char host[128];

	if (user_find(&s->front_as, s->user, "holdfast-server") ||
	    user_find(&s->vault_as, s->vault_user, "holdfast-vault") || make_dirs(s))
		return 1;
	remove_file(s, "port"); /* left by a start that was killed: nobody listens there now */
	if (listen_on(&s->listen_fd, s->listen, s->url, sizeof(s->url), s->port))
		return 1;
	listen_host(host, sizeof(host), s->url);
	if (tls_make(s->frontend_dir, host)) {
		log_line("cannot make the TLS key in %s: check owner and free space",
			 s->frontend_dir);
		return 1;
	}
	if (user_own_files(s->frontend_dir, &s->front_as) ||
	    user_own_files(s->vault_dir, &s->vault_as))
		return fail("giving the state folder's files to their accounts");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->vault_pair) ||
	    pipe2(s->news_pipe, O_CLOEXEC))
		return fail("socketpair");
	return 0;
}

/* Both end together: without its vault the frontend stops, and the other way round. The exit status
 * when the frontend has ended, else -1. */
static int wait_children(struct setup *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->front) {
			s->front = 0;
			s->failed |= !WIFEXITED(status) || WEXITSTATUS(status);
		} else if (pid == s->vault) {
			s->vault = 0;
			/* However well the frontend takes it: its service manager shall start us anew. */
			s->failed |= s->front != 0;
			if (s->front)
				kill(s->front, SIGTERM);
		}
	}
	return s->front ? -1 : s->failed;
}

static void hear(const struct setup *s, char what)
{
	if (what == FRONT_CLAIMED)
		remove_file(s, "claim");
	if (what != FRONT_READY || put_file(s, "port", s->port, 0644))
		return;
	printf("holdfast-server: listening, reached at %s\n", s->url);
	fflush(stdout);
}

static int supervise(struct setup *s, const sigset_t *set)
{
	int fd = signalfd(-1, set, SFD_CLOEXEC), result = -1;
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { s->news_pipe[0], POLLIN, 0 } };
	struct signalfd_siginfo info;
	char byte;

	while (result < 0 && (poll(p, 2, -1) >= 0 || errno == EINTR)) {
		if (p[1].revents & POLLIN && read(s->news_pipe[0], &byte, 1) == 1)
			hear(s, byte);
		else if (p[1].revents & POLLHUP)
			p[1].fd = -1;
		if (!(p[0].revents & POLLIN) || read(fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGCHLD && s->front)
			kill(s->front, SIGTERM);
		result = wait_children(s);
	}
	if (s->vault)
		waitpid(s->vault, NULL, 0);
	return result;
}

static int serve(struct setup *s)
{
	sigset_t set;
	int result;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->self = getpid();
	if (start(&s->vault, s, run_vault_child))
		return 1;
	close(s->vault_pair[1]);
	s->vault_pair[1] = -1;
	if (greet_vault(s))
		return 1;
	if (start(&s->front, s, run_front_child))
		return 1;
	close(s->vault_pair[0]);
	close(s->listen_fd);
	close(s->news_pipe[1]);
	result = supervise(s, &set);
	remove_file(s, "port");
	return result;
}

int main(int argc, char **argv)
{
	static struct setup s = { .listen = "0.0.0.0:8443" };
	int stop = parse(&s, argc, argv);

	if (stop)
		return stop < 0 ? 0 : 2;
	umask(077);
	if (sodium_init() < 0 || prepare(&s))
		return 1;
	return serve(&s);
}
