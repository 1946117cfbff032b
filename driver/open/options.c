/* Options: from argv, refusing what makes no sense together. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "../handoff_file.h"

enum option_letter {
	HANDOFF_FILE = 1,
	RUN,
	CRYPTTAB,
	DEVICE,
	NAME,
	WAIT,
	RECOVERY,
	CHECK,
	ONLY,
	NO,
	HELP
};

static const struct option table[] = {
	{ "handoff", required_argument, NULL, HANDOFF_FILE },
	{ "run", required_argument, NULL, RUN },
	{ "crypttab", required_argument, NULL, CRYPTTAB },
	{ "device", required_argument, NULL, DEVICE },
	{ "name", required_argument, NULL, NAME },
	{ "wait", required_argument, NULL, WAIT },
	{ "recovery", no_argument, NULL, RECOVERY },
	{ "check-only", no_argument, NULL, CHECK },
	{ "keyring-only", no_argument, NULL, ONLY },
	{ "no-keyring", no_argument, NULL, NO },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

static enum err option_wait(unsigned *ret, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > 3600)
		return ERR_RANGE;
	*ret = (unsigned)n;
	return OK;
}

static enum err option_take(struct options *o, int letter)
{
	switch (letter) {
	case HANDOFF_FILE: o->handoff = optarg; break;
	case RUN: o->run = optarg; break;
	case CRYPTTAB: o->crypttab = optarg; break;
	case DEVICE: o->device = optarg; break;
	case NAME: o->name = optarg; break;
	case WAIT: return option_wait(&o->wait_s, optarg);
	case RECOVERY: o->recovery = 1; break;
	case CHECK: o->check_only = 1; break;
	case ONLY: o->keyring_only = 1; break;
	case NO: o->no_keyring = 1; break;
	case HELP: o->help = 1; break;
	default: return ERR_RANGE;
	}
	return OK;
}

static enum err options_agree(const struct options *o)
{
	const char *why = NULL;

	if (!o->device != !o->name)
		why = "--device and --name belong together";
	else if (o->recovery && (o->keyring_only || o->no_keyring))
		why = "--recovery puts nothing into the keyring";
	else if (o->keyring_only && o->no_keyring)
		why = "--keyring-only and --no-keyring leave nothing to do";
	if (why)
		fprintf(stderr, "holdfast-open: %s. See --help.\n", why);
	return why ? ERR_RANGE : OK;
}

enum err options_parse(struct options *ret, int argc, char **argv)
{
	struct options o = {
		.handoff = HANDOFF_INITRAMFS,
		.run = HANDOFF_RUN_DIR,
		.crypttab = CRYPTTAB_INITRAMFS,
		.wait_s = 10,
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option_take(&o, letter)) {
			fprintf(stderr, "holdfast-open: wrong option or value. See --help.\n");
			return ERR_RANGE;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "holdfast-open: \"%s\" is not expected. See --help.\n",
			argv[optind]);
		return ERR_RANGE;
	}
	*ret = o;
	return options_agree(&o);
}
