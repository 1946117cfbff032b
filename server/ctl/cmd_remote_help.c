/* holdfast-ctl remote-help: a user reads out the challenge on the pre-boot screen, the helpdesk reads back the
 * one-time code that it asks for. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/code.h"
#include "ctl.h"
#include "release.h"

static int read_challenge(char ret_tag[9], uint16_t *ret_number, const char *text)
{
	uint8_t tag[4];
	size_t group = 0;
	enum err e = challenge_parse(tag, ret_number, &group, text, strlen(text));

	if (e && group)
		return ctl_usage("remote-help", "group %zu of the challenge is mistyped: ask for it again", group);
	if (e)
		return ctl_usage("remote-help", "a challenge has three groups of five letters");
	hex_encode(ret_tag, tag, sizeof tag);
	return CTL_DONE;
}

int cmd_remote_help(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "reason", required_argument, NULL, 'r' }, { 0 } };
	const char *reason = "remote help";
	SECRET struct secret code = { 0 };
	LINK l = { 0 };
	LAPTOP p = { 0 };
	char tag[9];
	uint16_t number;
	const json_t *record;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'r')
			return ctl_usage("remote-help", "an option is wrong");
		reason = optarg;
	}
	if (optind != argc - 1)
		return ctl_usage("remote-help", "say: remote-help CHALLENGE [--reason TEXT]");
	status = read_challenge(tag, &number, argv[optind]);
	if (!status)
		status = link_open(&l, ctl);
	if (!status)
		status = laptop_find(&p, &l, tag);
	if (status)
		return status;
	record = release_find(&p, "one-time-code", number);
	if (!record)
		return ctl_fail(ERR_NOT_FOUND, "one-time code %u of %s", number, p.name);
	status = release_open(&code, &l, &p, record, reason);
	if (status)
		return status;
	printf(ctl->json ? "{\"name\": \"%s\", \"code\": \"%.*s\"}\n" : "Laptop  %s\nCode    %.*s\n", p.name, (int)code.len, (const char *)code.bytes);
	return CTL_DONE;
}
