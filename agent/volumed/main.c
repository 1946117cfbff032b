/* holdfast-volumed: keeps volumes, store and keys of one laptop. Runs as root, without network; asked over
 * volumed.sock by holdfastd and the command line. docs/agent.md. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/footprint.h"
#include "agent/volumed/attest.h"
#include "agent/volumed/durable.h"
#include "agent/volumed/server.h"

static const char usage[] =
	"usage: holdfast-volumed [OPTIONS]\n"
	"  --state DIR          what it remembers (/var/lib/holdfast/volumed)\n"
	"  --run DIR            socket and hand-off (/run/holdfast)\n"
	"  --esp DIR            EFI system partition, or its folder EFI/holdfast (/boot/efi)\n"
	"  --efivars DIR        firmware variables (/sys/firmware/efi/efivars); '' for none\n"
	"  --etc DIR            where the keyboard layout is configured (/etc)\n"
	"  --handoff FILE       take the keys from this hand-off, and strip it\n"
	"  --device UUID=PATH   where the volume with this LUKS UUID is; can be repeated\n"
	"  --agent-user NAME    user of holdfastd (holdfast)\n"
	"  --tpm TCTI           the TPM, as tpm2-tss names it (device:/dev/tpmrm0); 'none' for none\n"
	"  --no-power           print 'restart' or 'power off' instead of doing it\n"
	"  --help\n";

enum { OPT_STATE = 1, OPT_RUN, OPT_ESP, OPT_EFIVARS, OPT_ETC, OPT_HANDOFF, OPT_DEVICE, OPT_AGENT_USER,
       OPT_TPM, OPT_NO_POWER, OPT_HELP };

static const struct option long_options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "esp", required_argument, NULL, OPT_ESP },
	{ "efivars", required_argument, NULL, OPT_EFIVARS },
	{ "etc", required_argument, NULL, OPT_ETC },
	{ "handoff", required_argument, NULL, OPT_HANDOFF },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "agent-user", required_argument, NULL, OPT_AGENT_USER },
	{ "tpm", required_argument, NULL, OPT_TPM },
	{ "no-power", no_argument, NULL, OPT_NO_POWER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int device_take(struct options *o, const char *text)
{
	char hex[33];
	size_t n = 0;

	if (o->device_count == MANIFEST_VOLUMES_MAX)
		return -1;
	for (; *text && *text != '='; text++)
		if (*text != '-' && n < 32)
			hex[n++] = *text;
	hex[n] = '\0';
	if (*text != '=' || n != 32 || hex_decode(o->devices[o->device_count].uuid, 16, hex))
		return -1;
	o->devices[o->device_count++].path = text + 1;
	return 0;
}

static int options_read(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_STATE: o->state = optarg; break;
		case OPT_RUN: o->run = optarg; break;
		case OPT_ESP: o->esp = optarg; break;
		case OPT_EFIVARS: o->efivars = optarg; break;
		case OPT_ETC: o->etc = optarg; break;
		case OPT_HANDOFF: o->handoff = optarg; break;
		case OPT_AGENT_USER: o->agent_user = optarg; break;
		case OPT_TPM: o->tpm = optarg; break;
		case OPT_NO_POWER: o->no_power = 1; break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case OPT_DEVICE:
			if (!device_take(o, optarg))
				break;
			fprintf(stderr, "holdfast-volumed: --device wants UUID=PATH, not '%s'\n", optarg);
			return -1;
		default:
			fputs(usage, stderr);
			return -1;
		}
	}
	if (optind < argc)
		fprintf(stderr, "holdfast-volumed: '%s' is no option\n", argv[optind]);
	return optind < argc ? -1 : 0;
}

/* No core dump, no debugger of another process, nothing that others may read. */
static void privileges_narrow(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(077);
}

/* One that is there keeps its mode: the installation knows better. */
static enum err folder_make(struct volumed *v, const char *path, mode_t mode)
{
	if (!mkdir(path, mode))
		return chmod(path, mode) ? volumed_about(v, ERR_IO, path) : OK;
	return errno == EEXIST ? OK : volumed_about(v, ERR_IO, path);
}

static enum err handoff_read(struct volumed *v)
{
	enum err e = v->options.handoff
			     ? bootfacts_load_file(&v->boot, &v->keys, v->options.handoff)
			     : bootfacts_load(&v->boot, &v->keys, v->options.run, "handoff");

	return volumed_about(v, e, "hand-off");
}

static enum err identity_read(struct volumed *v)
{
	struct espstore_found found;
	struct passwd *agent = getpwnam(v->options.agent_user);
	STORE s = { 0 };
	enum err e = espstore_load(&s, &found, &v->esp);

	v->agent_uid = agent ? agent->pw_uid : (uid_t)-1;
	if (e && !v->boot.known)
		return volumed_about(v, e, "credential store on the EFI system partition");
	memcpy(v->device_id, e ? v->boot.device : s.head.device, DEVICE_ID_BYTES);
	hex_encode(v->device, v->device_id, DEVICE_ID_BYTES);
	(void)snprintf(v->name, sizeof(v->name), "%s", e ? "" : (const char *)s.head.name);
	return OK;
}

static enum err start(struct volumed *v)
{
	enum err e = folder_make(v, v->options.state, 0700);

	if (!e)
		e = folder_make(v, v->options.run, 0755);
	if (!e)
		e = volumed_about(v, espstore_at(&v->esp, v->options.esp, v->options.efivars), "--esp");
	if (!e)
		e = handoff_read(v);
	if (!e)
		e = identity_read(v);
	if (!e)
		e = volumed_about(v, attest_load(&v->attestation, v->options.state), "attestation key");
	if (!e)
		e = volumed_about(v, vstate_load(&v->state, v->options.state), "state");
	if (!e)
		e = volumed_about(v, outbox_open(&v->outbox, v->options.state), "outbox");
	if (!e)
		e = volumed_about(v, trust_load(&v->trust, &v->state, v->device), "enrolment");
	return e;
}

static void stop(struct volumed *v)
{
	bootkeys_drop(&v->keys);
	sign_sk_wipe(&v->attestation);
	outbox_drop(&v->outbox);
	vstate_drop(&v->state);
}

static int run(struct volumed *v)
{
	enum err e = start(v);

	if (e) {
		fprintf(stderr, "holdfast-volumed: cannot start: %s\n", v->about);
		return EXIT_FAILURE;
	}
	e = volumed_serve(v);
	if (e)
		fprintf(stderr, "holdfast-volumed: %s/volumed.sock: %s\n", v->options.run, err_text(e));
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct volumed v = {
		.options = { .state = "/var/lib/holdfast/volumed",
			     .run = "/run/holdfast",
			     .esp = "/boot/efi",
			     .efivars = "/sys/firmware/efi/efivars",
			     .etc = KEYBOARD_CONF_ETC,
			     .agent_user = "holdfast",
			     .tpm = TPM_DEVICE },
	};
	int status;

	if (sodium_init() < 0 || options_read(&v.options, argc, argv))
		return EXIT_FAILURE;
	privileges_narrow();
	footprint_limit();
	v.started = volumed_now();
	bootkeys_init(&v.keys);
	status = run(&v);
	stop(&v);
	return status;
}
