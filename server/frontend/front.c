/* Frontend: start, the loop, end. */
#include "front.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "sandbox.h"
#include "schema.h"
#include "server/log.h"
#include "tls.h"

#define SESSIONS_MAX 65536
#define CHECKPOINT_MS 60000

uint64_t front_now(void)
{
	return (uint64_t)time(NULL);
}

uint64_t front_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

enum err front_ask(struct vaultmsg *ret, struct front *f, struct request *r,
		   const struct vaultmsg *ask)
{
	struct fault fault = { 0 };
	enum err e = vaultmsg_call(ret, &fault, f->vault, ask);

	if (!e)
		return OK;
	if (fault.code) {
		r->fault = fault;
		/* The client is told so, and opens another. */
		if (fault.code == FAULT_NO_SESSION && *r->sid)
			log_line(
				"the vault does not know a session any more: its client signs in again");
		return e;
	}
	if (e != ERR_SPACE && e != ERR_MEMORY && e != ERR_INTERNAL) {
		f->broken = 1;
		log_line(
			"the vault does not answer: %s. The server stops; its service manager starts it again",
			err_text(e));
	}
	return e;
}

enum err front_policy_take(struct front *f, const struct vaultmsg *m, unsigned at)
{
	const struct vaultmsg_value *v = m->value + at;
	json_t *certs = NULL, *settings = NULL;
	char *jws;
	enum err e;

	if (!v[0].number)
		return OK;
	e = json_parse(&certs, v[2].text, v[2].len);
	if (!e)
		e = json_parse(&settings, v[3].text, v[3].len);
	jws = e ? NULL : strdup(v[1].text);
	if (!jws) {
		json_drop(&certs);
		json_drop(&settings);
		return e ? e : ERR_MEMORY;
	}
	free(f->policy.jws);
	json_drop(&f->policy.certs);
	json_drop(&f->policy.settings);
	f->policy.version = v[0].number;
	f->policy.jws = jws;
	f->policy.certs = certs;
	f->policy.settings = settings;
	return OK;
}

enum err front_audit(struct front *f, const char *actor, const char *action, const char *object,
		     const char *outcome, const char *detail)
{
	struct audit_entry entry = { actor, action, object, outcome, detail };
	enum err e = audit_append(NULL, f->db, &entry, front_now());

	if (e)
		log_line(
			"cannot write to the audit log: %s. Nothing is done unaudited: check free space",
			err_text(e));
	return e;
}

void front_checkpoint(struct front *f)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct request r = { .method = "" };
	struct audit_head head;

	if (!*f->enterprise || audit_head(&head, f->db) || !head.n || head.n == f->checkpoint_n)
		return;
	vaultmsg_start(&ask, VAULT_CHECKPOINT);
	vaultmsg_add_number(&ask, head.n);
	vaultmsg_add_key(&ask, head.hash);
	if (front_ask(&answer, f, &r, &ask)) {
		log_line(
			"no checkpoint of the audit log: %s. If holdfast.db was restored from a backup, "
			"restore vault.db of the same time",
			r.fault.message);
		return;
	}
	free(f->checkpoint);
	f->checkpoint = strdup(answer.value[0].text);
	f->checkpoint_n = head.n;
}

static void session_free(struct sidmap_entry *e)
{
	struct front_session *s = (struct front_session *)e;

	secret_wipe(s, sizeof(*s));
	free(s);
}

static enum err load_state(struct front *f)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct request r = { .method = "" };
	enum err e;

	vaultmsg_start(&ask, VAULT_STATE);
	e = front_ask(&answer, f, &r, &ask);
	if (!e)
		e = front_policy_take(f, &answer, 1);
	if (!e)
		snprintf(f->enterprise, sizeof(f->enterprise), "%s", answer.value[0].text);
	return e;
}

static void check_audit(struct front *f)
{
	uint64_t n = 0;
	enum err e = audit_verify(&n, f->db);

	if (e)
		log_line(
			"the audit log does not hold from entry %llu on: %s. Compare it with a backup",
			(unsigned long long)n, err_text(e));
}

enum err front_open(struct front *ret, const struct front_options *o)
{
	struct front f = { .vault = o->vault_fd, .url = o->url, .tell = o->tell };
	char path[PATH_MAX];
	enum err e;

	if (snprintf(path, sizeof(path), "%s/holdfast.db", o->dir) >= (int)sizeof(path))
		return ERR_RANGE;
	limit_start(&f.limit);
	e = db_open(&f.db, path, front_migrations,
		    sizeof(front_migrations) / sizeof(*front_migrations));
	if (e)
		log_line("cannot open %s: %s. Check owner and free space, or restore the backup",
			 path, err_text(e));
	if (!e)
		e = sidmap_new(&f.sessions, SESSIONS_MAX, session_free);
	if (!e)
		e = load_state(&f);
	if (e) {
		front_close(&f);
		return e;
	}
	check_audit(&f);
	*ret = f;
	return OK;
}

void front_close(struct front *f)
{
	http_stop(&f->http);
	if (f->sessions.bucket)
		sidmap_drop(&f->sessions);
	free(f->policy.jws);
	json_drop(&f->policy.certs);
	json_drop(&f->policy.settings);
	free(f->checkpoint);
	f->checkpoint = NULL;
	db_close(&f->db);
}

static enum err start_http(struct front *f, const struct front_options *o)
{
	TEXT_SECRET *key = NULL;
	TEXT *cert = NULL;
	enum err e = tls_load(&key, &cert, o->dir);

	if (!e)
		e = http_start(&f->http, f, o->listen_fd, key, cert);
	if (e)
		log_line(
			"cannot start TLS with tls.key and tls.crt in %s: %s. Put a matching pair there, or "
			"remove both to have new ones made",
			o->dir, err_text(e));
	return e;
}

static enum err signals(int *ret)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*ret = signalfd(-1, &set, SFD_CLOEXEC);
	return *ret < 0 ? ERR_IO : OK;
}

/* The vault speaks only when asked: anything readable on its socket while idle is its end. */
static enum err loop(struct front *f, int signal_fd)
{
	uint64_t checkpoint_ms = front_now_ms();
	struct pollfd p[3] = { { http_fd(f->http), POLLIN, 0 },
			       { signal_fd, POLLIN, 0 },
			       { f->vault, POLLIN, 0 } };

	while (!f->broken) {
		if (poll(p, 3, http_timeout(f->http)) < 0 && errno != EINTR)
			return ERR_IO;
		if (p[1].revents)
			return OK;
		if (p[2].revents)
			return ERR_NETWORK;
		http_run(f->http);
		if (front_now_ms() > checkpoint_ms + CHECKPOINT_MS) {
			checkpoint_ms = front_now_ms();
			front_checkpoint(f);
		}
	}
	return ERR_NETWORK;
}

/* Not fatal: an old kernel serves its laptops with one wall less. */
static void shut_in(const struct front_options *o)
{
	int files = 0;
	enum err e = front_sandbox(&files, o->dir);

	if (e)
		log_line("cannot give up other programs by seccomp: this kernel does not offer it");
	else if (!files)
		log_line(
			"this kernel has no Landlock: give frontend and vault accounts of their own, so that the "
			"frontend cannot read the vault's files");
}

enum err front_run(struct front *f, const struct front_options *o)
{
	int signal_fd = -1;
	enum err e = start_http(f, o);

	if (!e)
		e = signals(&signal_fd);
	if (!e) {
		shut_in(o);
		f->tell(FRONT_READY);
		e = loop(f, signal_fd);
	}
	if (e == OK)
		front_checkpoint(f);
	if (signal_fd >= 0)
		close(signal_fd);
	return e;
}
