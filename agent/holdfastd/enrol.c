#include "enrol.h"

#include <stdio.h>
#include <string.h>

#include "common/rest_host.h"
#include "link.h"

static void rest_end(struct rest **r)
{
	rest_drop(r);
}
#define REST __attribute__((cleanup(rest_end))) struct rest

static enum err say(char about[JOBS_ABOUT_BYTES], enum err e, const char *text)
{
	snprintf(about, JOBS_ABOUT_BYTES, "%s", text);
	return e;
}

static enum err say_volumed(char about[JOBS_ABOUT_BYTES], enum err e, const struct link *l)
{
	if (e == ERR_NETWORK && !l->refused)
		return say(about, e, "holdfast-volumed is not running: systemctl start holdfast-volumed");
	return say(about, e, *l->about ? l->about : err_text(e));
}

/* {"error":{"message","hint"}} in the clear, from whoever answered. */
static enum err say_refused(char about[JOBS_ABOUT_BYTES], int status, const char *answer)
{
	const char *message = "", *hint = "";
	JSON *o = NULL;
	json_t *error;

	if (!json_parse(&o, answer, strlen(answer)) && !json_get_object(&error, o, "error")) {
		(void)!json_get_string(&message, error, "message");
		(void)!json_get_string(&hint, error, "hint");
	}
	snprintf(about, JOBS_ABOUT_BYTES, "the server refuses the enrolment (%d): %.120s%s%.120s", status,
		 *message ? message : "no reason given: ask for a new token", *hint ? "; " : "", hint);
	return ERR_AUTH;
}

static enum err ask_server(char **ret_enrolled, char about[JOBS_ABOUT_BYTES], struct site *s,
			   const struct enrol_token *t, const char *request)
{
	/* Who the server is, the answer proves to volumed: no session is opened here. */
	struct rest_target target = { .url = t->url, .pin = t->pin };
	REST *rest = NULL;
	TEXT *answer = NULL;
	int status = 0;
	enum err e = rest_new(&rest, &target);

	if (e)
		return say(about, e, err_text(e));
	rest_limits(rest, 0, s->stopped.fd);
	e = rest_plain(&answer, &status, rest, "POST", "/v1/enrol", request);
	if (e)
		return say(about, e, rest_problem(rest));
	if (status / 100 != 2)
		return say_refused(about, status, answer);
	*ret_enrolled = answer;
	answer = NULL;
	return OK;
}

/* A refusal after which volumed is enrolled all the same, as when a later step of its own failed. */
static int is_enrolled(struct site *s)
{
	struct link l = { .path = s->volumed_path };
	LINK_IDENTITY who = { 0 };
	struct sign_pk key;

	sign_pk_of(&key, &s->session_key);
	return !link_identity(&who, &l, &key);
}

/* The file comes first: a power cut then leaves either a laptop that is not enrolled, or one that knows
 * its server. */
static enum err finish(char about[JOBS_ABOUT_BYTES], struct site *s, struct link *l,
		       const struct enrol_token *t, const char *enrolled)
{
	struct enrolment n;
	enum err e;

	memset(&n, 0, sizeof(n));
	memcpy(n.url, t->url, sizeof(n.url));
	memcpy(n.pin, t->pin, sizeof(n.pin));
	e = enrolment_read_ids(&n, enrolled);
	if (e)
		return say(about, e, "the server's answer is no enrolment: is it a Holdfast server?");
	e = enrolment_save(&n, s->state_dir);
	if (e)
		return say(about, e, "enrolment.json cannot be written: is there space on the disk?");
	e = link_enrol_finish(l, enrolled);
	if (e) {
		if (link_is_final(l, e) && !is_enrolled(s))
			enrolment_remove(s->state_dir);
		return say_volumed(about, e, l);
	}
	site_enrolled(s, &n);
	return OK;
}

static enum err steps(char about[JOBS_ABOUT_BYTES], struct site *s, const char *token)
{
	struct link l = { .path = s->volumed_path };
	struct enrol_token t;
	struct sign_pk key;
	TEXT *request = NULL;
	TEXT *enrolled = NULL;
	const char *why = "";
	enum err e = enrol_token_parse(&t, &why, token);

	if (e)
		return say(about, e, why);
	sign_pk_of(&key, &s->session_key);
	contact_activity(&s->contact, "preparing the enrolment");
	e = link_enrol_begin(&request, &l, token, &key);
	if (e)
		return say_volumed(about, e, &l);
	contact_activity(&s->contact, "asking the server to enrol this laptop");
	e = ask_server(&enrolled, about, s, &t, request);
	if (e)
		return e;
	contact_activity(&s->contact, "making and testing recovery key and one-time codes");
	return finish(about, s, &l, &t, enrolled);
}

enum err enrol_run(char about[JOBS_ABOUT_BYTES], struct site *s, const char *token)
{
	enum err e;

	about[0] = '\0';
	e = steps(about, s, token);
	contact_activity(&s->contact, NULL);
	return e;
}
