/* holdfast-ctl escrow: what is escrowed for a laptop, and opening it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "release.h"

static int list(const struct ctl *ctl, const struct laptop *p)
{
	const json_t *records = json_object_get(p->detail, "escrow"), *r;
	size_t i;

	if (ctl->json) {
		json_dumpf(records, stdout, JSON_INDENT(2));
		puts("");
		return CTL_DONE;
	}
	json_array_foreach(records, i, r)
		printf("%s  %-13s  %3lld  %s\n", json_string_value(json_object_get(r, "id")),
		       json_string_value(json_object_get(r, "kind")),
		       (long long)json_integer_value(json_object_get(r, "number")),
		       json_is_true(json_object_get(r, "current")) ? "current" : "replaced");
	return CTL_DONE;
}

static int show(const struct ctl *ctl, struct link *l, const struct laptop *p, const char *id, const char *reason)
{
	const json_t *record = id ? release_by_id(p, id) : release_find(p, "recovery-key", 0);
	SECRET struct secret code = { 0 };
	int status;

	if (!record)
		return ctl_fail(ERR_NOT_FOUND, "%s of %s", id ? id : "recovery key", p->name);
	status = release_open(&code, l, p, record, reason);
	if (status)
		return status;
	printf(ctl->json ? "{\"code\": \"%.*s\"}\n" : "%.*s\n", (int)code.len, (const char *)code.bytes);
	return CTL_DONE;
}

int cmd_escrow(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "reason", required_argument, NULL, 'r' }, { 0 } };
	const char *reason = NULL, *verb;
	LINK l = { 0 };
	LAPTOP p = { 0 };
	int c, left, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'r')
			return ctl_usage("escrow", "an option is wrong");
		reason = optarg;
	}
	verb = optind < argc ? argv[optind] : "";
	left = argc - optind;
	if (strcmp(verb, "list") ? strcmp(verb, "show") || left < 2 || left > 3 : left != 2)
		return ctl_usage("escrow", "say: escrow list ID, or escrow show ID [RECORD] --reason TEXT");
	if (!strcmp(verb, "show") && !reason)
		return ctl_usage("escrow", "--reason TEXT is missing: it goes into the audit log");
	status = link_open(&l, ctl);
	if (!status)
		status = laptop_find(&p, &l, argv[optind + 1]);
	if (status)
		return status;
	if (!strcmp(verb, "list"))
		return list(ctl, &p);
	return show(ctl, &l, &p, left == 3 ? argv[optind + 2] : NULL, reason);
}
