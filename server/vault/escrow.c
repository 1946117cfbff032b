/* Escrow: sealed records are kept, receipted, listed, and handed out one by one. The vault cannot
 * open them: that takes an officer's own key. */
#include <stdlib.h>
#include <string.h>

#include "ops.h"

#define RECORDS_MAX 64
#define KEYSLOTS_MAX 4096 /* as text: some 38 volumes; the list of 400 records must fit a message */

/* The records of one request: texts borrowed from the parsed JSON. */
struct batch {
	size_t count;
	const char *ids[RECORDS_MAX], *jws[RECORDS_MAX];
	struct escrow records[RECORDS_MAX];
	uint64_t newest; /* time when the last of them was received */
};

static void batch_drop(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		escrow_drop(&b->records[i]);
	free(b);
}

static enum err batch_read(struct batch *b, const json_t *array, const struct vault_device *d,
			   struct fault *f)
{
	size_t n = json_array_size(array);

	if (!json_is_array(array) || !n || n > RECORDS_MAX)
		return fault_say(f, FAULT_BAD_REQUEST, ERR_FORMAT, "records: 1 to %d are needed",
				 RECORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		enum err e = ERR_FORMAT;

		b->jws[i] = json_string_value(json_array_get(array, i));
		if (b->jws[i])
			e = escrow_verify(&b->records[i], b->jws[i], &d->attestation);
		if (e)
			return fault_say(f, FAULT_REFUSED, e, "record %zu: %s", i, err_text(e));
		b->ids[i] = b->records[i].id;
		b->count++;
		if (strcmp(b->records[i].device, d->id))
			return fault_say(f, FAULT_REFUSED, ERR_MISDIRECTED,
					 "record %zu is another device's", i);
	}
	return OK;
}

static enum err record_insert(struct vault *v, const struct escrow *r, const char *jws,
			      struct fault *f)
{
	TEXT *keyslots = NULL;
	enum err e = OK;

	if (r->keyslots)
		e = json_print(&keyslots, r->keyslots);
	if (!e && keyslots && strlen(keyslots) > KEYSLOTS_MAX)
		e = fault_say(f, FAULT_REFUSED, ERR_RANGE, "too many keyslots are named");
	if (!e)
		e = db_run(
			v->db,
			"INSERT INTO escrow (id, device, purpose, kind, number, created, received,"
			" keyslots, jws) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			"ttttnnntt", r->id, r->device, r->purpose, r->kind, (uint64_t)r->number,
			r->created, vault_now(), keyslots ? keyslots : "", jws);
	return e;
}

/* Is each record there as it was sent? After the commit: what is receipted is in the file. */
static enum err read_back(struct vault *v, struct batch *b, struct fault *f)
{
	enum err e = OK;

	for (size_t i = 0; !e && i < b->count; i++) {
		DB_ROWS rows = { 0 };

		e = db_query(&rows, v->db, "SELECT jws, received FROM escrow WHERE id = ?", "t",
			     b->ids[i]);
		if (!e)
			e = db_next(&rows);
		if (e)
			return e == ERR_NOT_FOUND ? ERR_IO : e;
		if (strcmp(db_text(&rows, 0), b->jws[i]))
			return fault_say(f, FAULT_EXISTS, ERR_EXISTS,
					 "record %zu: the id is there with other bytes", i);
		if (db_number(&rows, 1) > b->newest)
			b->newest = db_number(&rows, 1);
	}
	return e;
}

static enum err batch_store(struct vault *v, struct batch *b, struct fault *f)
{
	enum err e = db_begin(v->db);

	for (size_t i = 0; !e && i < b->count; i++)
		e = record_insert(v, &b->records[i], b->jws[i], f);
	/* All or nothing, also when an id is there with other bytes. */
	if (!e)
		e = read_back(v, b, f);
	return e ? e : db_commit(v->db);
}

enum err vault_op_ESCROW_PUT(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			     struct fault *f)
{
	struct vault_device d;
	JSON *array = NULL;
	TEXT *receipt = NULL;
	struct batch *b = calloc(1, sizeof(*b));
	enum err e = b ? vault_device_batch(&d, &array, v, ask->value[0].text, ask->value[1].text, f)
		       : ERR_MEMORY;

	if (!e)
		e = batch_read(b, array, &d, f);
	if (!e)
		e = batch_store(v, b, f);
	if (!e)
		e = read_back(v, b, f);
	/* The time is that of storing, not of signing: a repeated request gets the same receipt. */
	if (!e)
		e = receipt_sign(&receipt, d.id, d.enrolment, b->newest, b->ids, b->jws, b->count,
				 &v->key);
	vaultmsg_add_text(reply, receipt);
	if (b)
		batch_drop(b);
	return e;
}

static json_t *metadata(const struct db_rows *rows, int current)
{
	const char *text = db_text(rows, 6);
	json_t *keyslots = NULL;

	if (!*text || json_parse(&keyslots, text, strlen(text)))
		keyslots = json_null();
	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:I,s:b}", "id", db_text(rows, 0), "purpose",
			 db_text(rows, 1), "kind", db_text(rows, 2), "number",
			 (json_int_t)db_number(rows, 3), "created", (json_int_t)db_number(rows, 4),
			 "received", (json_int_t)db_number(rows, 5), "keyslots", keyslots,
			 "released", (json_int_t)db_number(rows, 7), "current", current);
}

/* The current one of each kind and number, then those that were replaced, newest first; bounded, since
 * a laptop may send as many as it likes. The newest is the one that came last: laptops send in the
 * order in which they make, and their clocks may have been wrong. */
static enum err list_records(json_t *list, struct vault *v, const char *device)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, v->db,
			      "SELECT id, purpose, kind, number, created, received, keyslots,"
			      " (SELECT COALESCE(MAX(time), 0) FROM releases WHERE record = id),"
			      " ROW_NUMBER() OVER (PARTITION BY kind, number ORDER BY rowid DESC)"
			      " AS age FROM escrow WHERE device = ?"
			      " ORDER BY age, kind, number LIMIT 400",
			      "t", device);

	while (!e && !(e = db_next(&rows)))
		if (json_array_append_new(list, metadata(&rows, db_number(&rows, 8) == 1)))
			e = ERR_MEMORY;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err vault_op_ESCROW_LIST(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			      struct fault *f)
{
	struct cert officer;
	struct vault_device d;
	JSON *list = json_array();
	TEXT *text = NULL;
	enum err e = vault_officer_check(&officer, NULL, v, ask->value[0].text,
				       VAULT_ANY_OFFICER, f);

	if (!e)
		e = vault_device_find(&d, v, ask->value[1].text, f);
	if (!e)
		e = list_records(list, v, d.id);
	if (!e)
		e = json_print(&text, list);
	vaultmsg_add_text(reply, text);
	return e;
}

static enum err find_record(char **ret_jws, char ret_purpose[16], struct vault *v, const char *id,
			    const char *device, struct fault *f)
{
	DB_ROWS rows = { 0 };
	enum err e = db_query(&rows, v->db,
			      "SELECT jws, purpose FROM escrow WHERE id = ? AND device = ?", "tt",
			      id, device);

	if (!e)
		e = db_next(&rows);
	if (e)
		return e == ERR_NOT_FOUND
			       ? fault_say(f, FAULT_NOT_FOUND, e, "this device has no such record")
			       : e;
	snprintf(ret_purpose, 16, "%s", db_text(&rows, 1));
	*ret_jws = strdup(db_text(&rows, 0));
	return *ret_jws ? OK : ERR_MEMORY;
}

static enum err may_release(char ret_officer[NAME_MAX_BYTES + 1], struct vault *v,
			    const char *session, const char *purpose, struct fault *f)
{
	struct cert officer;
	enum err e = vault_officer_check(
		&officer, NULL, v, session,
		strcmp(purpose, ESCROW_HELP) ? "escrow-recovery" : "escrow-help", f);

	if (!e)
		snprintf(ret_officer, NAME_MAX_BYTES + 1, "%.*s", NAME_MAX_BYTES, officer.subject);
	return e;
}

enum err vault_op_ESCROW_RELEASE(struct vault *v, const struct vaultmsg *ask,
				 struct vaultmsg *reply, struct fault *f)
{
	char purpose[16], officer[NAME_MAX_BYTES + 1];
	struct cert any;
	struct vault_device d;
	TEXT *jws = NULL, *jwk_text = NULL;
	JSON *jwk = NULL;
	enum err e = vault_officer_check(&any, NULL, v, ask->value[0].text,
				       VAULT_ANY_OFFICER, f);

	if (!e)
		e = vault_device_find(&d, v, ask->value[1].text, f);
	if (!e)
		e = find_record(&jws, purpose, v, ask->value[2].text, d.id, f);
	if (!e)
		e = may_release(officer, v, ask->value[0].text, purpose, f);
	/* On file before it is handed out. */
	if (!e)
		e = db_run(
			v->db,
			"INSERT INTO releases (record, officer, reason, time) VALUES (?, ?, ?, ?)",
			"tttn", ask->value[2].text, officer, ask->value[3].text, vault_now());
	if (e)
		return e;
	jwk = jwk_of_sign(&d.attestation);
	e = jwk ? json_print(&jwk_text, jwk) : ERR_MEMORY;
	vaultmsg_add_text(reply, jws);
	vaultmsg_add_text(reply, jwk_text);
	return e;
}
