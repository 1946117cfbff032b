#include "setting.h"

#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "file.h"
#include "logo.h"

static int taken(json_t **ret, json_t *value)
{
	*ret = value;
	return value ? CTL_DONE : ctl_fail(ERR_MEMORY, "policy");
}

static int parse_number(json_t **ret, const char *name, const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (!*text || *end)
		return ctl_usage("policy", "%s: '%s' is no number", name, text);
	return taken(ret, json_integer(value));
}

static int parse_flag(json_t **ret, const char *name, const char *text)
{
	if (strcmp(text, "true") && strcmp(text, "false"))
		return ctl_usage("policy", "%s: '%s' is neither true nor false", name, text);
	return taken(ret, json_boolean(!strcmp(text, "true")));
}

/* "\n" is what a person can type on one line; any other letter behind a backslash is a mistake. */
static int parse_lines(json_t **ret, const char *name, const char *text)
{
	TEXT *lines = calloc(1, strlen(text) + 1);
	size_t len = 0;

	if (!lines)
		return ctl_fail(ERR_MEMORY, "policy");
	for (; *text; text++) {
		if (*text != '\\') {
			lines[len++] = *text;
			continue;
		}
		text++;
		if (*text != 'n' && *text != '\\')
			return ctl_usage("policy", "%s: behind a backslash comes n or another backslash", name);
		lines[len++] = *text == 'n' ? '\n' : '\\';
	}
	return taken(ret, json_string(lines));
}

static int parse_file(json_t **ret, const char *name, const char *path)
{
	SECRET struct secret text = { 0 };
	enum err e = file_read(&text, NULL, path);

	if (e)
		return ctl_fail(e, "%s: %s", name, path);
	/* json_string refuses what is no UTF-8. */
	*ret = strlen((const char *)text.bytes) + 1 == text.len ? json_string((const char *)text.bytes) : NULL;
	return *ret ? CTL_DONE : ctl_fail(ERR_FORMAT, "%s: %s is no UTF-8 text", name, path);
}

static int parse_logo(json_t **ret, const char *path)
{
	BLOB *bytes = NULL;
	TEXT *text = NULL;
	size_t len = 0;
	enum err e = *path ? logo_from_png(&bytes, &len, path) : OK;

	if (!e)
		e = b64_encode(&text, bytes, len);
	return e ? ctl_fail(e, "logo: %s", path) : taken(ret, json_string(text));
}

int setting_parse(json_t **ret, const struct setting *known, const char *text)
{
	switch (known->kind) {
	case SETTING_NUMBER:
		return parse_number(ret, known->name, text);
	case SETTING_FLAG:
		return parse_flag(ret, known->name, text);
	case SETTING_LINES:
		return *text == '@' ? parse_file(ret, known->name, text + 1)
				    : parse_lines(ret, known->name, text);
	case SETTING_LOGO:
		return parse_logo(ret, text);
	default:
		*ret = json_string(text);
		return *ret ? CTL_DONE : ctl_usage("policy", "%s: that is no UTF-8 text", known->name);
	}
}

static void print_lines(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '\\')
			fputs("\\\\", to);
		else
			fputc(*text, to);
	}
}

void setting_print(FILE *to, const struct setting *known, const struct policy_settings *s)
{
	JSON *value = setting_json(known, s);
	const char *text = json_string_value(value);

	fprintf(to, "%-20s ", known->name);
	if (known->kind == SETTING_LOGO && !s->logo_bytes)
		fputs("none", to);
	else if (known->kind == SETTING_LOGO)
		fprintf(to, "%u bytes", s->logo_bytes);
	else if (text)
		print_lines(to, text);
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", to);
	else
		fprintf(to, "%lld", (long long)json_integer_value(value));
	fputc('\n', to);
}

static void print_preset(FILE *to, const struct setting *known)
{
	if (known->kind == SETTING_NUMBER)
		fprintf(to, " (%u)", known->preset);
	else if (known->kind == SETTING_FLAG)
		fprintf(to, " (%s)", known->preset ? "true" : "false");
	else if (known->kind == SETTING_CHOICE)
		fprintf(to, " (%s)", known->choices[known->preset]);
}

void settings_help(FILE *to)
{
	char bounds[SETTING_BOUNDS_BYTES];
	size_t count;
	const struct setting *table = settings_table(&count);

	fputs("\nSettings, and what holds when nothing is said:\n", to);
	for (size_t i = 0; i < count; i++) {
		setting_bounds(bounds, &table[i]);
		fprintf(to, "  %-20s %s", table[i].name, bounds);
		print_preset(to, &table[i]);
		fprintf(to, "\n  %-20s   %s\n", "", table[i].about);
	}
	fputs("\nfailure_action=kill needs a failure_limit of 5 or more; contact_warn_days is less than\n"
	      "contact_lock_days. banner=@FILE reads a file, \\n in banner begins a line; logo=FILE.png reads a\n"
	      "picture, logo= takes it away. docs/policy.md says what each does.\n", to);
}
