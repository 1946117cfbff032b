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

static int read_root(struct sign_sk *ret, const struct ctl *ctl, const struct link *l, const char *sheet)
{
	struct sign_pk pk;
	size_t group = 0;
	enum err e = sheet ? root_sheet_read(ret, &group, sheet) : root_read(ret, ctl->dir, &l->branches);

	if (sheet && group)
		return ctl_fail(e, "group %zu of the recovery sheet is mistyped", group);
	if (e == ERR_NOT_FOUND)
		return ctl_fail(e, "officer root in %s (another officer keeps it; or use --sheet FILE)", ctl->dir);
	if (e)
		return ctl_fail(e, "officer root");
	sign_pk_of(&pk, ret);
	if (memcmp(&pk, &l->profile.root, sizeof pk))
		return ctl_fail(ERR_CHANGED, "this officer root is not that of the server");
	return CTL_DONE;
}

static int add(const struct ctl *ctl, int argc, char **argv)
{
	LINK l = { 0 };
	SIGN_SK root = { 0 };
	AGREE_SK help = { 0 }, recovery = { 0 };
	struct addition wanted = { 0 };
	JSON *object = NULL;
	JSON *answer = NULL;
	struct appointment a;
	enum err e;
	int status = read_options(&wanted, argc, argv);

	if (!status)
		status = link_open(&l, ctl);
	if (!status)
		status = read_root(&root, ctl, &l, wanted.sheet);
	if (status)
		return status;
	e = link_escrow_key(&help, &l, "help");
	if (!e)
		e = link_escrow_key(&recovery, &l, "recovery");
	if (e)
		return ctl_fail(e, "escrow keys of officer %s", l.name);
	a = (struct appointment){ .dir = ctl->dir, .name = wanted.name, .enterprise = l.profile.enterprise,
				  .permissions = wanted.permissions,
				  .passphrase_file = wanted.new_passphrase_file, .root = &root,
				  .help = &help, .recovery = &recovery };
	status = appointment_make(&object, NULL, NULL, &a);
	if (!status)
		status = link_call(&answer, &l, "POST", "/v1/officers", object, LINK_TIMEOUT_MS);
	if (!status)
		printf("Officer %s is appointed. Hand over %s/%s.officer-key and %s/profile.json, then delete "
		       "that key file here.\n",
		       wanted.name, ctl->dir, wanted.name, ctl->dir);
	return status;
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
