/* Events: the frontend keeps them; the vault checks them once more, takes from them what concerns
 * users, and signs the receipt. Only messages of typ holdfast-event get one here: a receipt for an
 * escrow record that was never stored cannot be had this way. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"
#include "server/log.h"

#define EVENTS_MAX 64

struct events {
	size_t count;
	const char *ids[EVENTS_MAX], *jws[EVENTS_MAX];
	json_t *payloads[EVENTS_MAX];
};

static void events_drop(struct events *b)
{
	for (size_t i = 0; i < b->count; i++)
		json_decref(b->payloads[i]);
	free(b);
}

static enum err event_read(struct events *b, const json_t *text, const struct vault_device *d)
{
	const char *device, *jws = json_string_value(text);
	size_t i = b->count;
	enum err e;

	if (!jws)
		return ERR_FORMAT;
	e = jws_verify(&b->payloads[i], "holdfast-event", jws, &d->attestation);
	if (e)
		return e;
	b->jws[i] = jws;
	b->count++;
	if (json_get_string(&b->ids[i], b->payloads[i], "id") ||
	    !name_is_hex(b->ids[i], ID_TEXT - 1) ||
	    json_get_string(&device, b->payloads[i], "device"))
		return ERR_FORMAT;
	return strcmp(device, d->id) ? ERR_MISDIRECTED : OK;
}

static enum err events_read(struct events *b, const json_t *array, const struct vault_device *d,
			    struct fault *f)
{
	size_t n = json_array_size(array);

	if (!json_is_array(array) || !n || n > EVENTS_MAX)
		return fault_say(f, FAULT_BAD_REQUEST, ERR_FORMAT, "events: 1 to %d are needed",
				 EVENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		enum err e = event_read(b, json_array_get(array, i), d);

		if (e)
			return fault_say(f, FAULT_REFUSED, e, "event %zu: %s", i, err_text(e));
	}
	return OK;
}

static enum err user_remove(struct vault *v, const char *device, const json_t *detail)
{
	const char *user, *credential;

	if (!json_get_string(&credential, detail, "credential"))
		return db_run(v->db, "DELETE FROM users WHERE device = ? AND credential = ?", "tt",
			      device, credential);
	if (json_get_string(&user, detail, "user"))
		return ERR_FORMAT;
	return db_run(v->db, "DELETE FROM users WHERE device = ? AND user = ?", "tt", device, user);
}

/* Once for each event, however often it is sent: an old "added" must not undo a later "removed". */
static enum err first_time(int *ret, struct vault *v, const char *device, const char *id)
{
	enum err e = db_run(v->db,
			    "INSERT INTO user_events (device, id) VALUES (?, ?)"
			    " ON CONFLICT DO NOTHING",
			    "tt", device, id);

	if (!e)
		*ret = db_changes(v->db) == 1;
	return e;
}

static enum err user_change(struct vault *v, const struct vault_device *d, const json_t *event,
			    const char *id)
{
	const char *kind, *cert;
	json_t *detail = NULL;
	int is_removal, is_new = 0;
	enum err e;

	if (json_get_string(&kind, event, "kind"))
		return ERR_FORMAT;
	is_removal = !strcmp(kind, "user-removed");
	if (!is_removal && strcmp(kind, "user-added") && strcmp(kind, "credential-changed"))
		return OK;
	e = json_get_object(&detail, event, "detail");
	if (!e)
		e = first_time(&is_new, v, d->id, id);
	if (e || !is_new)
		return e;
	if (is_removal)
		return user_remove(v, d->id, detail);
	/* Without a certificate there is nothing to learn from it. */
	if (json_get_string(&cert, detail, "cert"))
		return OK;
	e = vault_user_put(v, d->id, cert, &d->attestation, vault_now());
	if (e != ERR_FORMAT && e != ERR_SIGNATURE && e != ERR_MISDIRECTED)
		return e;
	/* The event itself is genuine: refusing it would block the laptop's queue for ever. */
	log_line(
		"device %s: a user certificate in event %s is ignored: %s. That user gets no policy",
		d->id, id, err_text(e));
	return OK;
}

static enum err apply(struct vault *v, const struct vault_device *d, const struct events *b,
		      struct fault *f)
{
	enum err e = db_begin(v->db);

	for (size_t i = 0; !e && i < b->count; i++) {
		e = user_change(v, d, b->payloads[i], b->ids[i]);
		if (e)
			(void)fault_say(f, FAULT_REFUSED, e, "event %zu: %s", i, err_text(e));
	}
	return e ? e : db_commit(v->db);
}

enum err vault_op_EVENTS(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			 struct fault *f)
{
	struct vault_device d;
	JSON *array = NULL;
	TEXT *receipt = NULL;
	struct events *b = calloc(1, sizeof(*b));
	enum err e = b ? vault_device_batch(&d, &array, v, ask->value[0].text, ask->value[1].text, f)
		       : ERR_MEMORY;

	if (!e)
		e = events_read(b, array, &d, f);
	if (!e)
		e = apply(v, &d, b, f);
	if (!e)
		e = receipt_sign(&receipt, d.id, d.enrolment, ask->value[2].number, b->ids, b->jws,
				 b->count, &v->key);
	vaultmsg_add_text(reply, receipt);
	if (b)
		events_drop(b);
	return e;
}

static enum err users_json(json_t *list, struct vault *v, const char *device)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, v->db,
			      "SELECT user, credential, method FROM users WHERE device = ?"
			      " ORDER BY user, added DESC, method, credential LIMIT 1000",
			      "t", device);

	while (!e && !(e = db_next(&rows)))
		if (json_array_append_new(list,
					  json_pack("{s:s,s:s,s:s}", "user", db_text(&rows, 0),
						    "credential", db_text(&rows, 1), "method",
						    db_text(&rows, 2))))
			e = ERR_MEMORY;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err vault_op_DEVICE(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			 struct fault *f)
{
	struct cert officer;
	struct vault_device d;
	JSON *o = NULL, *users = json_array();
	TEXT *text = NULL;
	enum err e = vault_officer_check(&officer, NULL, v, ask->value[0].text,
				       VAULT_ANY_OFFICER, f);

	if (!e)
		e = vault_device_find(&d, v, ask->value[1].text, f);
	if (!e)
		e = users_json(users, v, d.id);
	if (e)
		return e;
	o = json_pack("{s:I,s:I,s:o,s:O}", "next_sequence", (json_int_t)d.command_seq + 1,
		      "next_kill_sequence", (json_int_t)d.kill_seq + 1, "attestation",
		      jwk_of_sign(&d.attestation), "users", users);
	e = o ? json_print(&text, o) : ERR_MEMORY;
	vaultmsg_add_text(reply, text);
	return e;
}
