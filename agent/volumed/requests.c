#include "agent/volumed/requests.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "agent/volumed/accounts.h"
#include "agent/volumed/binding.h"
#include "agent/volumed/enforce.h"
#include "agent/volumed/enrolment.h"
#include "agent/volumed/erasure.h"
#include "agent/volumed/event.h"
#include "agent/volumed/order.h"
#include "agent/volumed/selfhelp.h"
#include "agent/volumed/settle.h"
#include "agent/volumed/statustext.h"
#include "common/session_host.h"

/* What a handler works on: answer is an IPC_OK that gets the fields. */
struct request {
	struct volumed *v;
	const struct ipc_peer *peer;
	const struct ipc_value *field;
	struct ipc_message *answer;
};

static enum err answer_text(const struct request *r, enum err e, const char *text)
{
	if (!e)
		ipc_add_text(r->answer, text);
	return e;
}

static enum err serve_status(const struct request *r)
{
	TEXT *text = NULL;
	enum err e = statustext_make(&text, r->v);

	return answer_text(r, e, text);
}

static enum err serve_enrol_allow(const struct request *r)
{
	return enrolment_allow(r->v, r->field[0].text);
}

static enum err serve_enrol_begin(const struct request *r)
{
	TEXT *jws = NULL;
	enum err e = enrolment_begin(&jws, r->v, r->field[0].text, r->field[1].key,
				     r->peer->uid == 0);

	return answer_text(r, e, jws);
}

static enum err serve_enrol_finish(const struct request *r)
{
	return enrolment_finish(r->v, r->field[0].text);
}

static enum err serve_session_cert(const struct request *r)
{
	char sub[48] = "device:";
	TEXT *cert = NULL;
	enum err e;

	if (!r->v->trust.enrolled)
		return volumed_about(r->v, ERR_STATE, "this laptop is not enrolled");
	e = enrolment_session_cert(&cert, r->v, r->v->trust.enterprise, r->field[0].key);
	if (e)
		return e;
	strcat(sub, r->v->device);
	ipc_add_text(r->answer, cert);
	ipc_add_text(r->answer, sub);
	ipc_add_key(r->answer, r->v->trust.server.bytes);
	return OK;
}

static enum err serve_user_proof(const struct request *r)
{
	const struct bootfacts *b = &r->v->boot;
	const char *method = bootfacts_method(b->kind);
	USER_KEY key = { 0 };
	TEXT *jws = NULL;
	enum err e;

	if (!b->known || !method || bootkeys_get(key.seed, &r->v->keys, BOOTKEY_USER))
		return volumed_about(r->v, ERR_STATE, "nobody signed in before this start");
	e = session_user_proof(&jws, r->field[0].key, b->user, b->credential, method, r->v->device,
			       &key);
	return answer_text(r, e, jws);
}

static enum err serve_outbox_next(const struct request *r)
{
	const struct outbox_entry *entry = outbox_next(&r->v->outbox);

	ipc_add_number(r->answer, entry ? entry->number : 0);
	ipc_add_number(r->answer, entry ? entry->class : 0);
	ipc_add_text(r->answer, entry ? entry->id : "");
	ipc_add_text(r->answer, entry ? entry->message : "");
	return OK;
}

static enum err serve_outbox_done(const struct request *r)
{
	return volumed_about(r->v, outbox_handed(&r->v->outbox, r->field[0].number), "outbox");
}

static enum err serve_receipt(const struct request *r)
{
	return settle_receipt(r->v, r->field[0].text);
}

static enum err serve_time(const struct request *r)
{
	return settle_time(r->v, r->field[0].text);
}

static enum err serve_command(const struct request *r)
{
	return order_run(r->v, r->field[0].text, r->field[1].text);
}

static enum err policy_take(struct volumed *v, const char *jws, const char *certs_text)
{
	JSON *certs = NULL;
	enum err e = v->trust.enrolled ? json_parse(&certs, certs_text, strlen(certs_text)) : ERR_STATE;

	if (e)
		return volumed_about(v, e, "policy");
	return enforce_take(v, &v->trust, jws, certs);
}

static enum err serve_policy(const struct request *r)
{
	struct volumed *v = r->v;
	uint64_t before = enforce_version(v);
	enum err e = policy_take(v, r->field[0].text, r->field[1].text);

	if (e) {
		volumed_log("policy refused", v->about);
		event_tell(v, "policy-refused", json_pack("{s:s, s:s}", "reason", err_name(e), "text",
							  v->about));
		return e;
	}
	if (enforce_version(v) != before)
		event_tell(v, "policy-accepted",
			   json_pack("{s:I}", "version", (json_int_t)enforce_version(v)));
	if (settle_run(v))
		volumed_log("policy accepted with work left", v->about);
	return OK;
}

static enum err serve_sent(const struct request *r)
{
	erasure_delivered(r->v, r->field[0].text);
	power_delivered(&r->v->power, r->field[0].text);
	return OK;
}

static enum err serve_user_add(const struct request *r)
{
	return accounts_add(r->v, r->field[0].text, r->field[1].text, r->field[2].number == 1);
}

static enum err serve_user_passwd(const struct request *r)
{
	return accounts_password(r->v, r->field[0].text, r->field[1].text, r->field[2].number == 1);
}

static enum err serve_user_duress(const struct request *r)
{
	return accounts_duress(r->v, r->field[0].text, r->field[1].text);
}

/* Root may ask for everybody, others for themselves: whose account has the name that pre-boot knows. */
static enum err themselves(const struct request *r, const char *user)
{
	const struct passwd *account = r->peer->uid ? getpwuid(r->peer->uid) : NULL;

	if (!r->peer->uid || (account && !strcmp(account->pw_name, user)))
		return OK;
	return volumed_about(r->v, ERR_DENIED, "only root may do this for somebody else");
}

static enum err serve_user_bind(const struct request *r)
{
	const struct ipc_value *f = r->field;
	enum err e = themselves(r, f[0].text);

	if (!e && f[3].number > CREDENTIAL_SELF_HELP)
		e = ERR_RANGE;
	return e ? e : accounts_bind(r->v, !r->peer->uid, f[0].text, f[1].text, f[2].text,
				     (enum credential_kind)f[3].number);
}

static enum err serve_user_self_help(const struct request *r)
{
	const struct ipc_value *f = r->field, *pair = f + 3;
	struct selfhelp_form form = { .user = f[0].text, .present = f[1].text, .need = (unsigned)f[2].number };
	int by_root = !r->peer->uid;
	enum err e = themselves(r, form.user);

	if (e)
		return e;
	if (!form.need)
		return selfhelp_remove(r->v, by_root, form.user, form.present);
	for (; form.count < QUESTIONS_MAX && *pair[2 * form.count].text; form.count++) {
		form.questions[form.count] = pair[2 * form.count].text;
		form.answers[form.count] = pair[2 * form.count + 1].text;
	}
	return selfhelp_set(r->v, by_root, &form);
}

static enum err serve_user_remove(const struct request *r)
{
	return accounts_remove(r->v, r->field[0].text);
}

static enum err serve_tpm_reseal(const struct request *r)
{
	return binding_reseal(r->v);
}

static enum err serve_user_list(const struct request *r)
{
	TEXT *text = NULL;
	enum err e = accounts_list(&text, r->v);

	return answer_text(r, e, text);
}

/* A request that is not in the list is not for this daemon. */
static const struct {
	uint16_t type;
	int after_kill; /* served once a kill has begun */
	enum err (*serve)(const struct request *r);
} handlers[] = {
	{ IPC_STATUS, 1, serve_status },
	{ IPC_ENROL_ALLOW, 0, serve_enrol_allow },
	{ IPC_ENROL_BEGIN, 0, serve_enrol_begin },
	{ IPC_ENROL_FINISH, 0, serve_enrol_finish },
	{ IPC_SESSION_CERT, 1, serve_session_cert }, /* the proof has to get out */
	{ IPC_USER_PROOF, 0, serve_user_proof },
	{ IPC_OUTBOX_NEXT, 1, serve_outbox_next },
	{ IPC_OUTBOX_DONE, 1, serve_outbox_done },
	{ IPC_RECEIPT, 0, serve_receipt },
	{ IPC_TIME, 0, serve_time },
	{ IPC_COMMAND, 0, serve_command },
	{ IPC_POLICY, 0, serve_policy },
	{ IPC_SENT, 1, serve_sent },
	{ IPC_USER_ADD, 0, serve_user_add },
	{ IPC_USER_PASSWD, 0, serve_user_passwd },
	{ IPC_USER_DURESS, 0, serve_user_duress },
	{ IPC_USER_BIND, 0, serve_user_bind },
	{ IPC_USER_SELF_HELP, 0, serve_user_self_help },
	{ IPC_USER_REMOVE, 0, serve_user_remove },
	{ IPC_TPM_RESEAL, 0, serve_tpm_reseal },
	{ IPC_USER_LIST, 0, serve_user_list },
};

static enum err dispatch(const struct request *r, uint16_t type)
{
	if (!ipc_permitted(type, r->peer, r->v->agent_uid))
		return volumed_about(r->v, ERR_DENIED, "this request");
	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (handlers[i].type != type)
			continue;
		if (r->v->killed && !handlers[i].after_kill)
			return volumed_about(r->v, ERR_STATE, "this laptop has been killed");
		return handlers[i].serve(r);
	}
	return volumed_about(r->v, ERR_UNSUPPORTED, "this request");
}

void requests_serve(struct ipc_message *ret, struct volumed *v, const struct ipc_peer *peer,
		    const struct ipc_message *ask)
{
	struct request r = { v, peer, ask->value, ret };
	enum err e;

	v->about[0] = '\0';
	ipc_start(ret, IPC_OK);
	e = dispatch(&r, ask->type);
	if (e)
		ipc_start_error(ret, e, *v->about ? v->about : NULL);
}
