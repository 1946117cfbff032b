/* holdfastd: the laptop's way to the server. Unprivileged; sees no key of a disk and no code.
 * Start reading at daemon.c. */
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/footprint.h"
#include "daemon.h"

#define PATH_BYTES 4096

struct options {
	const char *state, *run;
};

static const char usage[] =
	"Usage: holdfastd [--state DIR] [--run DIR]\n"
	"\n"
	"Carries messages between holdfast-volumed and the server.\n"
	"\n"
	"  --state DIR  event queue and enrolment (default /var/lib/holdfast/agent)\n"
	"  --run DIR    sockets: volumed.sock is there, agent.sock is made (default /run/holdfast)\n"
	"  --help       show this text\n"
	"\n"
	"Exit status: 0 ended by a signal, 1 could not start or go on, 2 wrong use.\n";

static int read_options(struct options *ret, int argc, char **argv)
{
	static const struct option known[] = {
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			ret->state = optarg;
		else if (c == 'r')
			ret->run = optarg;
		else if (c == 'h')
			return puts(usage) < 0 ? 1 : 0;
		else
			return 2;
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "holdfastd: unexpected argument %s; see --help\n", argv[optind]);
	return 2;
}

static enum err open_queue(struct site *s)
{
	char path[PATH_BYTES];
	TEXT *report = NULL;
	enum err e;

	snprintf(path, sizeof(path), "%s/queue.db", s->state_dir);
	e = queue_open(&s->queue, &report, path);
	if (e)
		fprintf(stderr, "<3>the event queue %s cannot be opened: %s%s\n", path, err_text(e),
			e == ERR_BUSY ? "; does another holdfastd run?" : "");
	else if (report)
		contact_problem(&s->contact, CONTACT_REFUSED, report, 0);
	return e;
}

static void load_enrolment(struct site *s)
{
	struct enrolment n = { 0 };
	enum err e = enrolment_load(&n, s->state_dir);

	if (!e)
		site_enrolled(s, &n);
	else if (e != ERR_NOT_FOUND)
		fprintf(stderr, "<3>%s/enrolment.json: %s; enrol again: holdfast enroll TOKEN\n",
			s->state_dir, err_text(e));
}

static int serve(struct site *s, const struct options *o)
{
	char volumed[PATH_BYTES], agent[PATH_BYTES];
	enum err e;

	snprintf(volumed, sizeof(volumed), "%s/volumed.sock", o->run);
	snprintf(agent, sizeof(agent), "%s/agent.sock", o->run);
	e = site_init(s, o->state, volumed);
	if (!e)
		e = open_queue(s);
	if (!e) {
		load_enrolment(s);
		e = daemon_run(s, agent);
	}
	if (e)
		fprintf(stderr, "<3>holdfastd ends: %s\n", err_text(e));
	site_drop(s);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct site site;
	struct options o = { "/var/lib/holdfast/agent", "/run/holdfast" };
	int status = read_options(&o, argc, argv);

	if (status >= 0)
		return status;
	footprint_limit();
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		fprintf(stderr, "<3>holdfastd: the cryptographic libraries do not start\n");
		return EXIT_FAILURE;
	}
	if (mkdir(o.state, 0700) && errno != EEXIST)
		perror(o.state);
	return serve(&site, &o);
}
