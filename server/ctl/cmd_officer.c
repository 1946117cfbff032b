/* holdfast-ctl officer: add and list. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appointment.h"
#include "ctl.h"
#include "link.h"
#include "root.h"

struct addition {
	const char *name, *sheet, *new_passphrase_file, *permissions;
};

static int read_options(struct addition *ret, int argc, char **argv)
{
	static const struct option options[] = {
		{ "sheet", required_argument, NULL, 's' },
		{ "new-passphrase-file", required_argument, NULL, 'p' },
		{ "helpdesk", no_argument, NULL, 'h' },
		{ 0 },
	};

	ret->permissions = PERMISSIONS_ALL;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 's': ret->sheet = optarg; break;
		case 'p': ret->new_passphrase_file = optarg; break;
		case 'h': ret->permissions = PERMISSIONS_HELPDESK; break;
		default: return ctl_usage("officer", "an option is wrong");
		}
	}
	if (optind != argc - 1 || !officer_name_valid(argv[optind]))
		return ctl_usage("officer", "say: officer add NAME [--helpdesk] [--sheet FILE] "
					    "[--new-passphrase-file F]");
	ret->name = argv[optind];
	return CTL_DONE;
}

/* What an appointment takes: the officer root to certify with, and the escrow keys to hand on. */
struct means {
	struct sign_sk root;
	struct agree_sk help, recovery;
};

static void means_drop(struct means *m)
{
	sodium_memzero(m, sizeof *m);
}
#define MEANS __attribute__((cleanup(means_drop))) struct means

static int root_is_ours(const struct sign_sk *root, const struct link *l)
{
	struct sign_pk pk;

	sign_pk_of(&pk, root);
	if (memcmp(&pk, &l->profile.root, sizeof pk))
		return ctl_fail(ERR_CHANGED, "this officer root is not that of the server");
	return CTL_DONE;
}

/* An officer signs in; root and escrow keys are his or hers. */
static int means_of_officer(struct means *ret, struct link *l, const struct ctl *ctl)
{
	enum err e;
	int status = link_open(l, ctl);

	if (status)
		return status;
	e = root_read(&ret->root, ctl->dir, &l->branches);
	if (e == ERR_NOT_FOUND)
		return ctl_fail(e, "officer root in %s (another officer keeps it; or use --sheet FILE)", ctl->dir);
	if (e)
		return ctl_fail(e, "officer root");
	e = link_escrow_key(&ret->help, l, "help");
	if (!e)
		e = link_escrow_key(&ret->recovery, l, "recovery");
	return e ? ctl_fail(e, "escrow keys of officer %s", l->name) : root_is_ours(&ret->root, l);
}

static enum err unwrap_for_sheet(struct agree_sk *ret, const json_t *wrapped, const char *purpose,
				 const struct agree_sk *sheet, const struct agree_pk *certified)
{
	AGREE_SK key = { 0 };
	struct agree_pk pk;
	const char *jwe;
	enum err e = json_get_string(&jwe, wrapped, purpose);

	if (!e)
		e = escrow_key_unwrap(&key, jwe, sheet);
	if (e)
		return e;
	agree_pk_of(&pk, &key);
	if (memcmp(&pk, certified, sizeof pk))
		return ERR_CHANGED;
	*ret = key;
	return OK;
}

/* No officer is needed: the sheet is the root, and the escrow keys are wrapped for it. */
static int means_of_sheet(struct means *ret, struct link *l, const struct ctl *ctl, const char *sheet)
{
	AGREE_SK key = { 0 };
	TRUST trust = { 0 };
	size_t group = 0;
	enum err e = root_sheet_read(&ret->root, &group, sheet);
	int status;

	if (e && group)
		return ctl_fail(e, "group %zu of the recovery sheet is mistyped", group);
	if (e)
		return ctl_fail(e, "recovery sheet %s", sheet);
	status = link_open_root(l, ctl, &ret->root);
	if (!status)
		status = root_is_ours(&ret->root, l);
	if (!status)
		status = link_trust(&trust, l);
	if (status)
		return status;
	e = root_agree_sk(&key, &ret->root);
	if (!e)
		e = unwrap_for_sheet(&ret->help, trust.recovery_sheet, "help", &key, &trust.help);
	if (!e)
		e = unwrap_for_sheet(&ret->recovery, trust.recovery_sheet, "recovery", &key, &trust.recovery);
	return e ? ctl_fail(e, "escrow keys that are wrapped for the recovery sheet") : CTL_DONE;
}

/* A key file of somebody who is no officer would only be in the way of the next try. */
static int hand_in(struct link *l, const struct ctl *ctl, const json_t *object, const char *name)
{
	JSON *answer = NULL;
	int status = link_call(&answer, l, "POST", "/v1/officers", object, LINK_TIMEOUT_MS);

	if (!status)
		printf("Officer %s is appointed. Hand over %s/%s.officer-key and %s/profile.json, then delete "
		       "that key file here.\n",
		       name, ctl->dir, name, ctl->dir);
	else if (status == CTL_REFUSED)
		officer_key_file_remove(ctl->dir, name);
	else
		fprintf(stderr, "holdfast-ctl: whether the server has the officer is not known: if 'officer list' does "
				"not name %s, delete %s/%s.officer-key and try again\n", name, ctl->dir, name);
	return status;
}

static int add(const struct ctl *ctl, int argc, char **argv)
{
	LINK l = { 0 };
	MEANS means = { 0 };
	struct addition wanted = { 0 };
	JSON *object = NULL;
	struct appointment a;
	int status = read_options(&wanted, argc, argv);

	if (!status)
		status = wanted.sheet ? means_of_sheet(&means, &l, ctl, wanted.sheet)
				      : means_of_officer(&means, &l, ctl);
	if (status)
		return status;
	a = (struct appointment){ .dir = ctl->dir, .name = wanted.name, .enterprise = l.profile.enterprise,
				  .permissions = wanted.permissions,
				  .passphrase_file = wanted.new_passphrase_file, .root = &means.root,
				  .help = &means.help, .recovery = &means.recovery };
	status = appointment_make(&object, NULL, NULL, &a);
	return status ? status : hand_in(&l, ctl, object, wanted.name);
}

static int list(const struct ctl *ctl)
{
	LINK l = { 0 };
	JSON *answer = NULL;
	json_t *officer;
	size_t i;
	int status = link_open(&l, ctl);

	if (!status)
		status = link_call(&answer, &l, "GET", "/v1/officers", NULL, LINK_TIMEOUT_MS);
	if (status)
		return status;
	if (ctl->json)
		return json_dumpf(answer, stdout, JSON_INDENT(2)) ? CTL_FAILED : (puts(""), CTL_DONE);
	json_array_foreach(json_object_get(answer, "officers"), i, officer) {
		const json_t *permission;
		size_t p;

		printf("%s:", json_string_value(json_object_get(officer, "name")));
		json_array_foreach(json_object_get(officer, "permissions"), p, permission)
			printf(" %s", json_string_value(permission));
		puts("");
	}
	return CTL_DONE;
}

int cmd_officer(const struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "add"))
		return add(ctl, argc - 1, argv + 1);
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list(ctl);
	return ctl_usage("officer", "say: officer add NAME, or officer list");
}
