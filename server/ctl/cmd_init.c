/* holdfast-ctl init: sets up a new server. Everything secret is made here, on the officer's machine: officer
 * root, escrow keys, officers' keys. The server gets certificates and wrapped keys. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appointment.h"
#include "claiming.h"
#include "common/command_host.h"
#include "ctl.h"
#include "file.h"
#include "link.h"
#include "profile.h"
#include "root.h"

struct init {
	const char *claim_text, *second_officer, *second_passphrase_file, *sheet;
	struct claim claim;
	char enterprise[33];
	struct sign_sk root;
	struct agree_sk help, recovery;
	struct officer_branches branches; /* of the first officer */
	struct officer_keys keys;
	int sheet_written;
};

static void init_drop(struct init *i)
{
	sodium_memzero(i, sizeof *i);
}

static int read_options(struct init *i, int argc, char **argv)
{
	static const struct option options[] = {
		{ "claim", required_argument, NULL, 'c' },
		{ "second-officer", required_argument, NULL, 's' },
		{ "second-passphrase-file", required_argument, NULL, 'p' },
		{ "recovery-sheet", required_argument, NULL, 'r' },
		{ 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'c': i->claim_text = optarg; break;
		case 's': i->second_officer = optarg; break;
		case 'p': i->second_passphrase_file = optarg; break;
		case 'r': i->sheet = optarg; break;
		default: return ctl_usage("init", "an option is wrong");
		}
	}
	if (optind < argc)
		return ctl_usage("init", "'%s' is not understood", argv[optind]);
	if (!i->claim_text)
		return ctl_usage("init", "--claim is missing: the text that holdfast-server printed, or a file with it");
	if (!i->second_officer && !i->sheet)
		return ctl_usage("init", "say --second-officer NAME or --recovery-sheet FILE: with one officer "
					 "alone, a forgotten passphrase would lose every escrowed key");
	if (i->second_officer && !officer_name_valid(i->second_officer))
		return ctl_usage("init", "'%s' is no officer's name", i->second_officer);
	return CTL_DONE;
}

static int read_claim(struct init *i)
{
	SECRET struct secret text = { 0 };
	enum err e = OK;

	if (strncmp(i->claim_text, "holdfast-claim:", 15))
		e = file_read(&text, NULL, i->claim_text);
	if (!e)
		e = claim_parse(&i->claim, text.bytes ? (const char *)text.bytes : i->claim_text);
	return e ? ctl_fail(e, "claim '%.40s'", i->claim_text) : CTL_DONE;
}

static void make_keys(struct init *i)
{
	uint8_t id[16];

	randombytes_buf(id, sizeof id);
	hex_encode(i->enterprise, id, sizeof id);
	sign_sk_new(&i->root);
	agree_sk_new(&i->help);
	agree_sk_new(&i->recovery);
}

static int appoint(json_t *officers, struct init *i, const struct ctl *ctl, const char *name,
		   const char *passphrase_file, int first)
{
	struct appointment a = {
		.dir = ctl->dir, .name = name, .enterprise = i->enterprise, .permissions = PERMISSIONS_ALL,
		.passphrase_file = passphrase_file, .root = &i->root, .help = &i->help,
		.recovery = &i->recovery,
	};
	json_t *object = NULL;
	int status = appointment_make(&object, first ? &i->branches : NULL, first ? &i->keys : NULL, &a);

	if (!status && json_array_append_new(officers, object))
		return ctl_fail(ERR_MEMORY, "officers");
	return status;
}

static enum err add_root_cert(json_t *bundle, struct init *i, const char *member, const char *role,
			      const char *subject, const struct sign_pk *sign, const struct agree_sk *agree)
{
	TEXT *jws = NULL;
	struct agree_pk pk;
	enum err e;

	if (agree)
		agree_pk_of(&pk, agree);
	e = root_certify(&jws, role, subject, i->enterprise, sign, agree ? &pk : NULL, "", &i->root);
	if (!e && json_object_set_new(bundle, member, json_string(jws)))
		e = ERR_MEMORY;
	return e;
}

/* The policy of the first hour: the defaults of every setting. */
static enum err add_policy(json_t *bundle, struct init *i)
{
	struct policy p = { .version = 1, .issued = (uint64_t)time(NULL), .settings = json_object() };
	TEXT *jws = NULL;
	enum err e = p.settings ? OK : ERR_MEMORY;

	strcpy(p.enterprise, i->enterprise);
	if (!e)
		e = policy_sign(&jws, &p, &i->keys.sign);
	policy_drop(&p);
	if (!e && json_object_set_new(bundle, "policy", json_string(jws)))
		e = ERR_MEMORY;
	return e;
}

static enum err add_sheet_keys(json_t *bundle, struct init *i)
{
	AGREE_SK sheet = { 0 };
	struct agree_pk holder;
	TEXT *help = NULL;
	TEXT *recovery = NULL;
	enum err e = root_agree_sk(&sheet, &i->root);

	if (e)
		return e;
	agree_pk_of(&holder, &sheet);
	e = escrow_key_wrap(&help, &i->help, &holder);
	if (!e)
		e = escrow_key_wrap(&recovery, &i->recovery, &holder);
	if (!e && json_object_set_new(bundle, "recovery_sheet",
				      json_pack("{s:s, s:s}", "help", help, "recovery", recovery)))
		e = ERR_MEMORY;
	return e;
}

static enum err make_bundle(char **ret, struct init *i, json_t *officers)
{
	struct sign_pk root;
	JSON *bundle = NULL;
	enum err e;

	sign_pk_of(&root, &i->root);
	bundle = json_pack("{s:s, s:o, s:O, s:I}", "enterprise", i->enterprise, "root", jwk_of_sign(&root),
			   "officers", officers, "time", (json_int_t)time(NULL));
	e = bundle ? add_root_cert(bundle, i, "server", "server", i->enterprise, &i->claim.server, NULL)
		   : ERR_MEMORY;
	if (!e)
		e = add_root_cert(bundle, i, "escrow_help", "escrow-help", "default", NULL, &i->help);
	if (!e)
		e = add_root_cert(bundle, i, "escrow_recovery", "escrow-recovery", "default", NULL, &i->recovery);
	if (!e)
		e = add_policy(bundle, i);
	if (!e)
		e = add_sheet_keys(bundle, i);
	return e ? e : jws_sign(ret, "holdfast-claim", bundle, &i->root);
}

/* Everything that a set-up leaves on this machine. */
static int leaves_exist(const struct init *i, const struct ctl *ctl)
{
	return file_exists(ctl->dir, ROOT_FILE) || file_exists(ctl->dir, PROFILE_FILE) ||
	       officer_key_file_exists(ctl->dir, ctl->officer) ||
	       (i->second_officer && officer_key_file_exists(ctl->dir, i->second_officer));
}

static void remove_leaves(const struct init *i, const struct ctl *ctl)
{
	file_remove(ctl->dir, CLAIMING_FILE);
	file_remove(ctl->dir, ROOT_FILE);
	file_remove(ctl->dir, PROFILE_FILE);
	officer_key_file_remove(ctl->dir, ctl->officer);
	if (i->second_officer)
		officer_key_file_remove(ctl->dir, i->second_officer);
	if (i->sheet_written)
		file_remove(NULL, i->sheet);
}

/* What this machine keeps is written before the server is claimed: a server that nobody can sign in to any
 * more would be worse than a folder to delete. */
static int keep(struct init *i, const struct ctl *ctl, const char *bundle)
{
	struct profile p = { .server = i->claim.server };
	enum err e;

	strcpy(p.url, i->claim.url);
	strcpy(p.pin, i->claim.pin);
	strcpy(p.enterprise, i->enterprise);
	sign_pk_of(&p.root, &i->root);
	e = root_write(&i->root, ctl->dir, &i->branches);
	if (!e)
		e = profile_write(&p, ctl->dir);
	if (e)
		return ctl_fail(e, "writing to %s", ctl->dir);
	e = i->sheet ? root_sheet_write(&i->root, i->sheet, i->enterprise) : OK;
	if (e)
		return ctl_fail(e, "recovery sheet %s", i->sheet);
	i->sheet_written = i->sheet != NULL;
	e = claiming_keep(ctl->dir, &i->claim, bundle);
	return e ? ctl_fail(e, "writing to %s", ctl->dir) : CTL_DONE;
}

static void print_result(const struct init *i, const struct ctl *ctl, const struct profile *p)
{
	char kid[KID_BYTES];

	kid_of_sign(kid, &p->root);
	printf("Enterprise    %s\nOfficer root  %s\nOfficer       %s (key file in %s)\n", p->enterprise, kid,
	       ctl->officer, ctl->dir);
	if (i->second_officer)
		printf("Officer       %s: hand over %s/%s.officer-key and %s/profile.json, then delete that "
		       "key file here\n",
		       i->second_officer, ctl->dir, i->second_officer, ctl->dir);
	if (i->sheet)
		printf("Sheet         %s: print it, lock it away, and delete the file\n", i->sheet);
	printf("Next          holdfast-ctl enroll-token\n");
}

static int make_all(struct init *i, const struct ctl *ctl)
{
	JSON *officers = json_array();
	TEXT *bundle = NULL;
	enum err e;
	int status;

	make_keys(i);
	status = appoint(officers, i, ctl, ctl->officer, ctl->passphrase_file, 1);
	if (!status && i->second_officer)
		status = appoint(officers, i, ctl, i->second_officer, i->second_passphrase_file, 0);
	if (status)
		return status;
	e = make_bundle(&bundle, i, officers);
	return e ? ctl_fail(e, "certificates") : keep(i, ctl, bundle);
}

/* Handing in can be repeated: what was made is kept until the server has said yes or no. */
static int hand_in(const struct init *i, const struct ctl *ctl)
{
	struct profile p;
	enum err e = profile_read(&p, ctl->dir);
	int status;

	if (e)
		return ctl_fail(e, "profile in %s", ctl->dir);
	if (memcmp(&p.server, &i->claim.server, sizeof p.server))
		return ctl_usage("init", "%s holds a set-up that was begun for another server: choose another --dir, "
					 "or delete it", ctl->dir);
	status = claiming_send(ctl->dir, &i->claim, &p);
	if (!status)
		print_result(i, ctl, &p);
	else if (status == CTL_REFUSED)
		remove_leaves(i, ctl);
	else
		fprintf(stderr, "holdfast-ctl: the set-up is kept in %s: give the same command again\n", ctl->dir);
	return status;
}

static int set_up(struct init *i, const struct ctl *ctl)
{
	int status = read_claim(i);

	if (status || file_exists(ctl->dir, CLAIMING_FILE))
		return status ? status : hand_in(i, ctl);
	if (leaves_exist(i, ctl))
		return ctl_usage("init", "%s holds an earlier set-up: choose another --dir", ctl->dir);
	status = make_all(i, ctl);
	if (!status)
		return hand_in(i, ctl);
	remove_leaves(i, ctl);
	return status;
}

int cmd_init(const struct ctl *ctl, int argc, char **argv)
{
	__attribute__((cleanup(init_drop))) struct init i = { 0 };
	int status = read_options(&i, argc, argv);

	if (status)
		return status;
	if (!ctl->officer || !officer_name_valid(ctl->officer))
		return ctl_usage("init", "--officer NAME is missing (a-z, 0-9, '.', '-', '_')");
	return set_up(&i, ctl);
}
