/* Commands as officers see them: given, listed. (Waiting for one is beside the laptop's long-poll.)
 */
#include <string.h>

#include "front.h"
#include "handlers.h"

/* id, name, JWS, certs, sequence, issued: the vault's answer for a command that it has checked. */
static enum err store(struct front *f, struct request *r, const char *device,
		      const struct vaultmsg_value *v)
{
	enum err e = db_run(
		f->db,
		"INSERT INTO commands (id, device, sequence, is_kill, name, jws, certs, officer,"
		" issued, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
		"ttnnttttn", v[0].text, device, v[4].number, (uint64_t)!strcmp(v[1].text, "kill"),
		v[1].text, v[2].text, v[3].text, r->actor, v[5].number);

	if (e == ERR_EXISTS)
		return fault_say(&r->fault, FAULT_EXISTS, e,
				 "there is a command with this id already");
	if (e)
		return e;
	front_wake(f, device);
	snprintf(r->detail, sizeof(r->detail), "%.24s %.32s sequence %llu", v[1].text, v[0].text,
		 (unsigned long long)v[4].number);
	r->status = 201;
	r->answer = json_pack("{s:s,s:I,s:s}", "id", v[0].text, "sequence", (json_int_t)v[4].number,
			      "state", "waiting");
	return r->answer ? OK : ERR_MEMORY;
}

enum err front_do_command_new(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct front_device d;
	const char *jws;
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (!e)
		e = json_get_string(&jws, r->json, "command");
	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_COMMAND_CHECK);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, d.id);
	vaultmsg_add_text(&ask, jws);
	e = front_ask(&answer, f, r, &ask);
	return e ? e : store(f, r, d.id, answer.value);
}

enum err front_do_sync(struct front *f, struct request *r)
{
	VAULTMSG ask = { 0 }, answer = { 0 };
	struct front_device d;
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (e)
		return e;
	vaultmsg_start(&ask, VAULT_COMMAND_SYNC);
	vaultmsg_add_text(&ask, r->sid);
	vaultmsg_add_text(&ask, d.id);
	e = front_ask(&answer, f, r, &ask);
	return e ? e : store(f, r, d.id, answer.value);
}

enum err front_do_command_list(struct front *f, struct request *r)
{
	struct front_device d;
	DB_ROWS rows = { 0 };
	JSON *list = json_array();
	enum err e = front_device_find(&d, f, r, r->param[0]);

	if (!e)
		e = db_query(&rows, f->db,
			     "SELECT id, name, sequence, issued, officer, state FROM commands"
			     " WHERE device = ? ORDER BY rowid DESC LIMIT 100",
			     "t", d.id);
	while (!e && !(e = db_next(&rows)))
		if (json_array_append_new(
			    list, json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "id", db_text(&rows, 0),
					    "command", db_text(&rows, 1), "sequence",
					    (json_int_t)db_number(&rows, 2), "issued",
					    (json_int_t)db_number(&rows, 3), "officer",
					    db_text(&rows, 4), "state", db_text(&rows, 5))))
			e = ERR_MEMORY;
	if (e != ERR_NOT_FOUND)
		return e;
	r->answer = json_pack("{s:O}", "commands", list);
	return r->answer ? OK : ERR_MEMORY;
}
