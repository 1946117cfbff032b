#include "page.h"

#include <inttypes.h>
#include <string.h>

#include "common/json_host.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *text;

	return json_get_string(&text, o, name) ? "" : text;
}

static uint64_t number_of(const json_t *o, const char *name)
{
	uint64_t n;

	return json_get_u64(&n, o, name) ? 0 : n;
}

static int flag_of(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

/* "3 min", so that no time zone has to be guessed. */
static const char *age(char ret[32], uint64_t since, uint64_t now)
{
	uint64_t s = now > since ? now - since : 0;

	if (s < 120)
		snprintf(ret, 32, "%" PRIu64 " s", s);
	else if (s < 7200)
		snprintf(ret, 32, "%" PRIu64 " min", s / 60);
	else if (s < 172800)
		snprintf(ret, 32, "%" PRIu64 " h", s / 3600);
	else
		snprintf(ret, 32, "%" PRIu64 " days", s / 86400);
	return ret;
}

/* Words of others go to a terminal: no control characters. */
static void put(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, to);
}

static void put_line(FILE *to, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(to, "  %-10s ", label);
	put(to, text);
	fputc('\n', to);
}

int page_is_enforced(const json_t *status)
{
	return flag_of(status, "enrolled") && !flag_of(status, "locked") && !flag_of(status, "killed") &&
	       !strcmp(text_of(json_object_get(status, "policy"), "state"), "enforced");
}

static const char *locked_by(const json_t *status)
{
	const char *by = text_of(status, "locked_by");

	if (!strcmp(by, "organisation"))
		return "the organisation";
	return !strcmp(by, "pre-boot") ? "pre-boot (wrong answers, or too long without the server)" : by;
}

void page_headline(char *ret, size_t len, const json_t *status)
{
	const json_t *policy = json_object_get(status, "policy");

	if (!policy)
		snprintf(ret, len, "UNKNOWN: %s", *text_of(status, "problem") ? text_of(status, "problem")
			 : "holdfast-volumed does not say");
	else if (flag_of(status, "killed"))
		snprintf(ret, len, "ERASED: the disk of this laptop was destroyed by an officer's order");
	else if (flag_of(status, "locked"))
		snprintf(ret, len, "LOCKED%s%s: the next start needs a one-time code from the helpdesk",
			 *text_of(status, "locked_by") ? " by " : "", locked_by(status));
	else if (!flag_of(status, "enrolled"))
		snprintf(ret, len, "NOT MANAGED: this laptop belongs to no organisation yet");
	else if (page_is_enforced(status))
		snprintf(ret, len, "PROTECTED: policy version %" PRIu64 " is enforced",
			 number_of(policy, "version"));
	else
		snprintf(ret, len, "NOT YET ENFORCED: policy version %" PRIu64 ", %s",
			 number_of(policy, "version"), text_of(policy, "state"));
}

static void put_laptop(FILE *to, const json_t *status)
{
	const json_t *booted = json_object_get(status, "booted_by");
	char line[256];

	snprintf(line, sizeof(line), "%s, tag %s", text_of(status, "name"), text_of(status, "tag"));
	put_line(to, "Laptop", *text_of(status, "device") ? line : "");
	snprintf(line, sizeof(line), "%s, by %s", text_of(booted, "user"), text_of(booted, "method"));
	put_line(to, "Started", json_is_object(booted) ? line : "");
}

static void put_password(FILE *to, const json_t *status, uint64_t now)
{
	const json_t *booted = json_object_get(status, "booted_by");
	uint64_t expires = number_of(booted, "password_expires");
	char line[256], when[32];

	if (!expires)
		return;
	if (expires > now)
		snprintf(line, sizeof(line), "of %s has to be changed in %s", text_of(booted, "user"),
			 age(when, now, expires));
	else
		snprintf(line, sizeof(line), "of %s has to be changed at the next start",
			 text_of(booted, "user"));
	put_line(to, "Password", line);
}

static void put_keyboard(FILE *to, const json_t *status)
{
	const char *layout = text_of(status, "keyboard_layout");
	const char *meant = text_of(status, "keyboard_configured");
	char line[160];

	snprintf(line, sizeof(line), "%s, before the start%s%s", layout,
		 *meant ? "; what this laptop has is not there: " : "", meant);
	put_line(to, "Keyboard", *layout ? line : "");
}

/* What counts for pre-boot's rule: the server's own signed time. */
static void put_contact(FILE *to, const json_t *status, uint64_t now)
{
	const json_t *contact = json_object_get(status, "contact");
	uint64_t last = number_of(contact, "last"), lock = number_of(contact, "lock_days");
	char line[256], when[32], rule[96] = "";

	if (lock)
		snprintf(rule, sizeof(rule), "; without the server it locks after %" PRIu64 " days", lock);
	snprintf(line, sizeof(line), "server's signed time: %s%s%s", last ? age(when, last, now) : "none yet",
		 last ? " ago" : "", rule);
	put_line(to, "Contact", last || lock ? line : "");
}

static void put_volumes(FILE *to, const json_t *status)
{
	const json_t *volumes = json_object_get(status, "volumes"), *v;
	char line[256];
	size_t i;

	json_array_foreach(volumes, i, v) {
		uint64_t foreign = number_of(v, "foreign_keyslots");

		snprintf(line, sizeof(line), "%s: %s, header %s", text_of(v, "name"),
			 flag_of(v, "unlock") ? "opens with the unlock key" : "not tested",
			 text_of(v, "header"));
		put_line(to, i ? "" : "Volumes", line);
		if (foreign)
			fprintf(to, "             %" PRIu64 " keyslot(s) that are not Holdfast's\n", foreign);
	}
}

static void put_generation(FILE *to, const json_t *status)
{
	if (json_is_false(json_object_get(status, "generation_variable")))
		put_line(to, "Variables", "firmware keeps no number of the store: an older one that is copied back is not "
			 "noticed");
}

/* "2 of 10 wrong tries, one is forgiven each 10 min" */
static void put_lockout(FILE *to, const json_t *lockout)
{
	const char *password = text_of(lockout, "password");
	char line[256];

	if (!json_is_object(lockout))
		return;
	snprintf(line, sizeof(line), "%s%" PRIu64 " of %" PRIu64 " wrong tries; one is forgiven each %" PRIu64 " s%s",
		 flag_of(lockout, "locked") ? "LOCKED OUT: " : "", number_of(lockout, "tries"),
		 number_of(lockout, "tries_max"), number_of(lockout, "recovery_s"),
		 strcmp(password, "not ours") ? "" : "; somebody else set its lockout up");
	put_line(to, "", line);
}

static void put_tpm(FILE *to, const json_t *status)
{
	const json_t *tpm = json_object_get(status, "tpm");
	uint64_t bound = number_of(tpm, "bound"), self_help = number_of(tpm, "self_help");
	char line[384];

	if (!json_is_object(tpm))
		return;
	snprintf(line, sizeof(line), "%s%s%s, users bound to it: %" PRIu64 ", with self-help: %" PRIu64
		 ", PCR 7: %s", flag_of(tpm, "present") ? "present" : "none", *text_of(tpm, "maker") ? ", of " : "",
		 text_of(tpm, "maker"), bound, self_help, text_of(tpm, "pcr7"));
	put_line(to, "TPM", line);
	if (bound || self_help)
		put_lockout(to, json_object_get(tpm, "lockout"));
	put_line(to, "", text_of(tpm, "why"));
}

static const char *on_off(const json_t *o, const char *name)
{
	const json_t *value = json_object_get(o, name);

	if (!json_is_boolean(value))
		return "unknown";
	return json_is_true(value) ? "on" : "off";
}

static void put_firmware(FILE *to, const json_t *status)
{
	const json_t *firmware = json_object_get(status, "firmware");
	char line[256];

	if (!json_is_object(firmware))
		return;
	snprintf(line, sizeof(line), "Secure Boot %s, memory overwrite at a sudden restart %s",
		 on_off(firmware, "secure_boot"), on_off(firmware, "mor"));
	put_line(to, "Firmware", line);
	if (json_is_false(json_object_get(firmware, "capped")) && flag_of(firmware, "tpm"))
		put_line(to, "", "what is sealed was not closed before the start: see docs/tpm.md");
}

static void put_loader(FILE *to, const json_t *status)
{
	const json_t *loader = json_object_get(status, "loader");
	char line[256];

	if (!json_is_object(loader))
		return;
	snprintf(line, sizeof(line), "started by: %s, update: %s, boot entries: %s", text_of(loader, "started_by"),
		 text_of(loader, "update"), text_of(loader, "entries"));
	put_line(to, "Loader", line);
}

static void put_escrow(FILE *to, const json_t *status)
{
	const json_t *escrow = json_object_get(status, "escrow");
	char line[256];

	if (!escrow)
		return;
	snprintf(line, sizeof(line), "recovery key %s, %" PRIu64 " of %" PRIu64 " one-time codes proven",
		 text_of(escrow, "recovery"), number_of(escrow, "codes_proven"),
		 number_of(escrow, "codes_wanted"));
	put_line(to, "Escrow", line);
}

static void put_queue(FILE *to, const json_t *network)
{
	const json_t *queue = json_object_get(network, "queue");
	uint64_t escrow = number_of(queue, "escrow"), events = number_of(queue, "events");
	char line[128];

	snprintf(line, sizeof(line), "%" PRIu64 " escrow records and %" PRIu64 " events wait to be sent",
		 escrow, events);
	put_line(to, "Queue", escrow + events ? line : "");
	snprintf(line, sizeof(line), "%" PRIu64 " of them were rejected by the server",
		 number_of(queue, "kept_back"));
	put_line(to, "", number_of(queue, "kept_back") ? line : "");
}

static void put_server(FILE *to, const json_t *network, uint64_t now)
{
	uint64_t last = number_of(network, "last_contact");
	char line[512], when[32];

	if (!*text_of(network, "server"))
		return;
	snprintf(line, sizeof(line), "%s, last contact %s%s", text_of(network, "server"),
		 last ? age(when, last, now) : "not yet", last ? " ago" : "");
	put_line(to, "Server", line);
	snprintf(line, sizeof(line), "session as %s, commands arrive by %s", text_of(network, "session"),
		 text_of(network, "channel"));
	put_line(to, "", line);
	put_queue(to, network);
}

static void put_problem(FILE *to, const json_t *network, uint64_t now)
{
	uint64_t since = number_of(network, "problem_since"), next = number_of(network, "next_try");
	char when[32];

	if (!*text_of(network, "problem"))
		return;
	fputs("\nProblem: ", to);
	put(to, text_of(network, "problem"));
	if (since)
		fprintf(to, "\n  for %s", age(when, since, now));
	if (next)
		fprintf(to, "; next try in %s, or now by: holdfast sync", age(when, now, next));
	fputc('\n', to);
}

static void put_waiting(FILE *to, const json_t *status, uint64_t now)
{
	const json_t *list = json_object_get(status, "waiting"), *w;
	char when[32];
	size_t i;

	if (json_array_size(list))
		fputs("\nWaiting for\n", to);
	json_array_foreach(list, i, w) {
		fputs("  ", to);
		put(to, text_of(w, "for"));
		if (number_of(w, "since"))
			fprintf(to, " (for %s)", age(when, number_of(w, "since"), now));
		fputs("\n    to do: ", to);
		put(to, text_of(w, "do"));
		fputc('\n', to);
	}
}

void page_print(FILE *to, const json_t *status, uint64_t now)
{
	const json_t *network = json_object_get(status, "network");
	char headline[384];

	page_headline(headline, sizeof(headline), status);
	put(to, headline);
	fputc('\n', to);
	put_waiting(to, status, now);
	put_problem(to, network, now);
	fputc('\n', to);
	put_laptop(to, status);
	put_password(to, status, now);
	put_keyboard(to, status);
	put_volumes(to, status);
	put_tpm(to, status);
	put_firmware(to, status);
	put_loader(to, status);
	put_generation(to, status);
	put_escrow(to, status);
	put_server(to, network, now);
	put_contact(to, status, now);
}
