/* holdfast-ctl device: list, show, and the commands that an officer signs on this machine. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "events.h"
#include "laptop.h"

#define WAIT_S_DEFAULT 15u
#define EVENTS_DEFAULT 50u

struct options {
	unsigned wait_s, last;
	int yes;
};

static void print_time(const char *label, const json_t *value)
{
	char text[32] = "never";
	time_t t = (time_t)json_integer_value(value);
	struct tm tm;

	if (t && gmtime_r(&t, &tm))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
	printf("%s%s", label, text);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "-";
}

static int print_json(const json_t *o)
{
	if (json_dumpf(o, stdout, JSON_INDENT(2)))
		return CTL_FAILED;
	puts("");
	return CTL_DONE;
}

static void print_row(const json_t *d)
{
	printf("%-8s  %-20s  %-8s  policy %-3lld", text_of(d, "tag"), text_of(d, "name"), text_of(d, "state"),
	       (long long)json_integer_value(json_object_get(d, "policy_version")));
	print_time("  last contact ", json_object_get(d, "last_contact"));
	puts("");
}

static int list(const struct ctl *ctl, struct link *l)
{
	JSON *all = json_array();
	char after[33] = "";
	const json_t *device;
	size_t i;
	int more = 1;

	while (more) {
		JSON *answer = NULL;
		char path[64];
		json_t *devices;
		int status;

		snprintf(path, sizeof path, "/v1/devices?after=%s", after);
		status = link_call(&answer, l, "GET", path, NULL, LINK_TIMEOUT_MS);
		if (status)
			return status;
		devices = json_object_get(answer, "devices");
		more = json_is_true(json_object_get(answer, "more")) && json_array_size(devices);
		json_array_foreach(devices, i, device)
			snprintf(after, sizeof after, "%s", text_of(device, "device"));
		json_array_extend(all, devices);
	}
	if (ctl->json)
		return print_json(all);
	json_array_foreach(all, i, device)
		print_row(device);
	return CTL_DONE;
}

static void print_escrow(const json_t *detail)
{
	const json_t *record;
	size_t i, codes = 0, keys = 0;

	json_array_foreach(json_object_get(detail, "escrow"), i, record) {
		if (!json_is_true(json_object_get(record, "current")))
			continue;
		if (strcmp(text_of(record, "kind"), "recovery-key"))
			codes++;
		else
			keys++;
	}
	printf("escrow        %s, %zu one-time codes\n", keys ? "recovery key" : "NO recovery key", codes);
}

/* What people sign in with: text; NULL for what helps them once. */
static const char *login_text(const char *method)
{
	static const char *const logins[][2] = {
		{ "password", "password" }, { "tpm-password", "TPM+password" }, { "tpm-pin", "TPM+PIN" },
	};

	for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++)
		if (!strcmp(method, logins[i][0]))
			return logins[i][1];
	return NULL;
}

/* Newest first: the one before has been replaced, though sessions of this start still go by it. */
static void print_users(const json_t *users)
{
	const char *last = "";
	const json_t *user;
	size_t i;

	json_array_foreach(users, i, user) {
		const char *name = text_of(user, "user"), *login = login_text(text_of(user, "method"));

		if (!login || !strcmp(name, last))
			continue;
		printf("user          %s, %s\n", name, login);
		last = name;
	}
}

static const char *yes_no(const json_t *o, const char *name)
{
	const json_t *value = json_object_get(o, name);

	if (!json_is_boolean(value))
		return "unknown";
	return json_is_true(value) ? "yes" : "no";
}

/* From the laptop's last status: what it is protected by below the password. */
static void print_firmware(const json_t *status)
{
	const json_t *tpm = json_object_get(status, "tpm"), *firmware = json_object_get(status, "firmware");
	char state[64];

	if (!json_is_object(tpm) || !json_is_object(firmware))
		return;
	printf("Secure Boot   %s\n", yes_no(firmware, "secure_boot"));
	printf("TPM           %s, users bound to it: %lld, with self-help: %lld, PCR 7: %s\n",
	       yes_no(tpm, "present"), (long long)json_integer_value(json_object_get(tpm, "bound")),
	       (long long)json_integer_value(json_object_get(tpm, "self_help")),
	       ctl_plain(state, sizeof state, text_of(tpm, "pcr7")));
}

static int show(const struct ctl *ctl, const struct laptop *p)
{
	if (ctl->json)
		return print_json(p->detail);
	printf("laptop        %s\ndevice        %s\nenrolment     %s\nstate         %s\n", p->name, p->device,
	       p->enrolment, text_of(p->detail, "state"));
	print_time("enrolled      ", json_object_get(p->detail, "enrolled"));
	print_time("\nlast contact  ", json_object_get(p->detail, "last_contact"));
	printf("\npolicy        version %lld\n",
	       (long long)json_integer_value(json_object_get(p->detail, "policy_version")));
	print_escrow(p->detail);
	print_firmware(json_object_get(p->detail, "status"));
	print_users(json_object_get(p->detail, "users"));
	if (json_is_string(json_object_get(p->detail, "kill_proof")))
		puts("kill proof    signed by the laptop; see --json");
	return CTL_DONE;
}

static int is_command(const char *name)
{
	static const char *const names[] = { "kill", "lock", "reset", "rotate-recovery", "sync" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(name, names[i]))
			return 1;
	return 0;
}

/* A kill cannot be taken back: on a terminal its name is typed once more. */
static int confirmed(const struct laptop *p, const char *name, int yes)
{
	char line[80];

	if (strcmp(name, "kill") || yes || !isatty(0))
		return 1;
	printf("This destroys all data on %s for ever. Type the laptop's name to go on: ", p->name);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, p->name);
}

static int command(struct link *l, const struct laptop *p, const char *name, unsigned wait_s, int yes)
{
	if (!strcmp(name, "sync"))
		return laptop_sync(l, p, wait_s);
	if (!confirmed(p, name, yes))
		return ctl_usage("device", "not confirmed: nothing was sent");
	return laptop_command(l, p, name, wait_s);
}

static int is_number(const char *text)
{
	return *text && strlen(text) < 7 && strspn(text, "0123456789") == strlen(text);
}

static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "wait", required_argument, NULL, 'w' },
		{ "last", required_argument, NULL, 'l' },
		{ "yes", no_argument, NULL, 'y' },
		{ 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'y')
			o->yes = 1;
		else if ((c == 'w' || c == 'l') && is_number(optarg))
			*(c == 'w' ? &o->wait_s : &o->last) = (unsigned)strtoul(optarg, NULL, 10);
		else
			return ctl_usage("device", "an option is wrong: [--wait SECONDS] [--last N] [--yes]");
	}
	return CTL_DONE;
}

static int run(const struct ctl *ctl, struct link *l, const struct laptop *p, const char *verb,
	       const struct options *o)
{
	if (!strcmp(verb, "show"))
		return show(ctl, p);
	if (!strcmp(verb, "events"))
		return events_show(ctl, l, p, o->last);
	return command(l, p, verb, o->wait_s, o->yes);
}

static int is_verb(const char *name)
{
	return !strcmp(name, "show") || !strcmp(name, "events") || is_command(name);
}

int cmd_device(const struct ctl *ctl, int argc, char **argv)
{
	LINK l = { 0 };
	LAPTOP p = { 0 };
	struct options o = { .wait_s = WAIT_S_DEFAULT, .last = EVENTS_DEFAULT };
	const char *verb;
	int status = read_options(&o, argc, argv);

	if (status)
		return status;
	verb = optind < argc ? argv[optind] : "";
	if (!strcmp(verb, "list") ? argc - optind != 1 : argc - optind != 2 || !is_verb(verb))
		return ctl_usage("device", "say: device list, or show|events|kill|lock|reset|rotate-recovery|sync ID");
	status = link_open(&l, ctl);
	if (status)
		return status;
	if (!strcmp(verb, "list"))
		return list(ctl, &l);
	status = laptop_find(&p, &l, argv[optind + 1]);
	return status ? status : run(ctl, &l, &p, verb, &o);
}
