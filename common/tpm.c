#include "tpm.h"

#include <sodium.h>
#include <string.h>

#include "tpm_call.h"

#define PERSISTENT_FIRST 0x81000000u /* of the owner */
#define PERSISTENT_LAST 0x817fffffu
#define HANDLES_MAX 64u /* TPMs have room for a few */

enum err tpm_pcr_read(uint8_t ret[static TPM_PCR_BYTES], const struct tpm *t, unsigned pcr)
{
	TPM_CALL struct tpm_call c;
	uint8_t bytes[10];
	struct writer asked = writer_over(bytes, sizeof(bytes));
	const uint8_t *selected, *value;
	uint32_t count;
	size_t len;
	enum err e;

	if (pcr > 23)
		return ERR_RANGE;
	tpm_call_start(&c, TPM_PCR_READ);
	tpm_write_pcrs(&asked, 1u << pcr);
	tpm_write_pcrs(&c.parameters, 1u << pcr);
	e = tpm_call_send(&c, t);
	if (e)
		return e;
	tpm_read_u32(&c.answer); /* update counter */
	selected = cursor_take(&c.answer, sizeof(bytes));
	count = tpm_read_u32(&c.answer);
	if (c.answer.e)
		return ERR_FORMAT;
	if (memcmp(selected, bytes, sizeof(bytes)) != 0)
		return ERR_UNSUPPORTED;
	value = tpm_read_2b(&c.answer, &len, TPM_PCR_BYTES);
	if (cursor_end(&c.answer) || count != 1 || len != TPM_PCR_BYTES)
		return ERR_FORMAT;
	memcpy(ret, value, TPM_PCR_BYTES);
	return OK;
}

enum err tpm_pcr_extend(const struct tpm *t, unsigned pcr, const uint8_t digest[static TPM_PCR_BYTES])
{
	TPM_CALL struct tpm_call c;

	if (pcr > 23)
		return ERR_RANGE;
	tpm_call_start(&c, TPM_PCR_EXTEND);
	tpm_call_handle(&c, pcr, NULL);
	tpm_call_password(&c);
	tpm_write_u32(&c.parameters, 1);
	tpm_write_u16(&c.parameters, TPM_SHA256);
	writer_bytes(&c.parameters, digest, TPM_PCR_BYTES);
	return tpm_call_send(&c, t);
}

enum { HANDLES = 1, PROPERTIES = 6 };
enum property { PERMANENT = 0x200, LOCKOUT_COUNTER = 0x20e, MAX_AUTH_FAIL = 0x20f, LOCKOUT_INTERVAL = 0x210 };
#define PERMANENT_IN_LOCKOUT 0x200u

static enum err property_read(uint32_t *ret, const struct tpm *t, enum property property)
{
	TPM_CALL struct tpm_call c;
	uint32_t value, capability, count, which;
	enum err e;

	tpm_call_start(&c, TPM_GET_CAPABILITY);
	tpm_write_u32(&c.parameters, PROPERTIES);
	tpm_write_u32(&c.parameters, property);
	tpm_write_u32(&c.parameters, 1);
	e = tpm_call_send(&c, t);
	if (e)
		return e;
	cursor_u8(&c.answer); /* there is more */
	capability = tpm_read_u32(&c.answer);
	count = tpm_read_u32(&c.answer);
	which = tpm_read_u32(&c.answer);
	value = tpm_read_u32(&c.answer);
	if (cursor_end(&c.answer) || capability != PROPERTIES || count != 1 || which != property)
		return ERR_FORMAT;
	*ret = value;
	return OK;
}

enum err tpm_lockout_read(struct tpm_lockout *ret, const struct tpm *t)
{
	struct tpm_lockout l;
	uint32_t permanent;
	enum err e = property_read(&l.tries, t, LOCKOUT_COUNTER);

	if (!e)
		e = property_read(&l.tries_max, t, MAX_AUTH_FAIL);
	if (!e)
		e = property_read(&l.recovery_s, t, LOCKOUT_INTERVAL);
	if (!e)
		e = property_read(&permanent, t, PERMANENT);
	if (e)
		return e;
	l.locked = (permanent & PERMANENT_IN_LOCKOUT) != 0;
	*ret = l;
	return OK;
}

enum err tpm_shutdown(const struct tpm *t)
{
	TPM_CALL struct tpm_call c;

	tpm_call_start(&c, TPM_SHUTDOWN);
	tpm_write_u16(&c.parameters, 0); /* the next start is a cold one */
	return tpm_call_send(&c, t);
}

/* What is loaded for one use of an object; all of it is flushed at the end, however it ends. */
struct work {
	const struct tpm *t;
	int is_full; /* the TPM had no room for one of these */
	uint32_t parent, made_parent, object;
	uint8_t parent_name[TPM_NAME_BYTES], object_name[TPM_NAME_BYTES];
	struct tpm_session session;
};

/* Nothing is to be done about a failure: the next start of the TPM forgets all the same. */
static void flush(const struct tpm *t, uint32_t handle)
{
	TPM_CALL struct tpm_call c;

	if (!handle)
		return;
	tpm_call_start(&c, TPM_FLUSH_CONTEXT);
	tpm_write_u32(&c.parameters, handle);
	if (tpm_call_send(&c, t))
		return;
}

static void work_end(struct work *w)
{
	flush(w->t, w->object);
	flush(w->t, w->session.handle);
	flush(w->t, w->made_parent);
	tpm_session_wipe(&w->session);
}
#define WORK __attribute__((cleanup(work_end))) struct work

static enum err work_send(struct work *w, struct tpm_call *c)
{
	enum err e = tpm_call_send(c, w->t);

	w->is_full |= tpm_rc_full(c->rc);
	return e;
}

/* What the firmware, or a loader before us, has left there. */
static void flush_left(const struct tpm *t, uint32_t first)
{
	TPM_CALL struct tpm_call c;
	uint32_t count;

	tpm_call_start(&c, TPM_GET_CAPABILITY);
	tpm_write_u32(&c.parameters, HANDLES);
	tpm_write_u32(&c.parameters, first);
	tpm_write_u32(&c.parameters, HANDLES_MAX);
	if (tpm_call_send(&c, t))
		return;
	cursor_u8(&c.answer); /* there is more */
	if (tpm_read_u32(&c.answer) != HANDLES)
		return;
	count = tpm_read_u32(&c.answer);
	for (uint32_t i = 0; i < count && i < HANDLES_MAX; i++) {
		uint32_t handle = tpm_read_u32(&c.answer);

		if (c.answer.e)
			return;
		flush(t, handle);
	}
}

static void make_room(const struct tpm *t)
{
	static const enum tpm_handle_type types[] = { TPM_TRANSIENT_TYPE, TPM_LOADED_SESSION_TYPE,
						      TPM_SAVED_SESSION_TYPE };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		flush_left(t, (uint32_t)types[i] << 24);
}

static int handle_is(uint32_t handle, enum tpm_handle_type type)
{
	return handle >> 24 == type;
}

/* Is the persistent key there, and the right one? Where the TPM refuses, it is not. */
static enum err parent_find(struct work *w, uint32_t handle)
{
	TPM_CALL struct tpm_call c;
	const uint8_t *area, *name;
	uint8_t computed[TPM_NAME_BYTES];
	size_t len, name_len;
	enum err e;

	tpm_call_start(&c, TPM_READ_PUBLIC);
	tpm_call_handle(&c, handle, NULL);
	e = work_send(w, &c);
	if (e)
		return c.rc && e != ERR_BUSY ? ERR_MISDIRECTED : e;
	area = tpm_read_2b(&c.answer, &len, TPM_MESSAGE_MAX);
	name = tpm_read_2b(&c.answer, &name_len, TPM_MESSAGE_MAX);
	tpm_read_2b(&c.answer, &(size_t){ 0 }, TPM_MESSAGE_MAX); /* qualified name */
	if (cursor_end(&c.answer))
		return ERR_FORMAT;
	tpm_name(computed, area, len);
	if (memcmp(computed, w->parent_name, sizeof(computed)) != 0 || name_len != sizeof(computed) ||
	    memcmp(name, computed, sizeof(computed)) != 0)
		return ERR_MISDIRECTED;
	w->parent = handle;
	return OK;
}

static void write_template(struct writer *w)
{
	static const struct tpm_parent none = { 0 };
	uint8_t public_area[TPM_PARENT_BYTES];

	tpm_parent_public(public_area, &none);
	tpm_write_2b(w, (const uint8_t[]){ 0, 0, 0, 0 }, 4); /* sensitive: no auth, no data */
	tpm_write_2b(w, public_area, sizeof(public_area));
	tpm_write_2b(w, NULL, 0); /* outside information */
	tpm_write_u32(w, 0);      /* PCRs of creation */
}

static enum err parent_make(struct work *w)
{
	TPM_CALL struct tpm_call c;
	static const uint8_t owner[TPM_NAME_BYTES] = { 0 }; /* a password has no cpHash */
	uint8_t name[TPM_NAME_BYTES];
	const uint8_t *area;
	size_t len;
	enum err e;

	tpm_call_start(&c, TPM_CREATE_PRIMARY);
	tpm_call_handle(&c, TPM_OWNER, owner);
	tpm_call_password(&c);
	write_template(&c.parameters);
	c.gives_handle = 1;
	e = work_send(w, &c);
	if (handle_is(c.handle, TPM_TRANSIENT_TYPE))
		w->parent = w->made_parent = c.handle;
	/* The hierarchy is disabled, or has an owner who has not left it open to us. */
	if (tpm_rc_base(c.rc) == TPM_RC_HIERARCHY || (c.rc && e == ERR_AUTH))
		return ERR_MISDIRECTED;
	if (e)
		return e;
	area = tpm_read_2b(&c.answer, &len, TPM_MESSAGE_MAX);
	if (!area || !w->made_parent)
		return ERR_FORMAT;
	tpm_name(name, area, len);
	return memcmp(name, w->parent_name, sizeof(name)) ? ERR_MISDIRECTED : OK;
}

static enum err parent_open(struct work *w, const struct tpm_parent *p)
{
	enum err e = ERR_MISDIRECTED;

	tpm_parent_name(w->parent_name, p);
	if (p->handle >= PERSISTENT_FIRST && p->handle <= PERSISTENT_LAST)
		e = parent_find(w, p->handle);
	return e == ERR_MISDIRECTED ? parent_make(w) : e;
}

static void write_session(struct writer *w, const struct tpm_session *s, const struct p256_point *ephemeral,
			  enum tpm_session_kind kind)
{
	uint8_t point[2 * (2 + P256_BYTES)];
	struct writer p = writer_over(point, sizeof(point));

	tpm_write_2b(&p, ephemeral->x, P256_BYTES);
	tpm_write_2b(&p, ephemeral->y, P256_BYTES);
	tpm_write_2b(w, s->nonce_caller, TPM_NONCE_BYTES);
	tpm_write_2b(w, point, sizeof(point));
	writer_u8(w, (uint8_t)kind);
	tpm_write_u16(w, TPM_AES);
	tpm_write_u16(w, 128);
	tpm_write_u16(w, TPM_CFB);
	tpm_write_u16(w, TPM_SHA256);
}

static enum err session_send(struct work *w, const struct p256_point *ephemeral, enum tpm_session_kind kind)
{
	TPM_CALL struct tpm_call c;
	struct tpm_session *s = &w->session;
	const uint8_t *nonce;
	size_t len;
	enum err e;

	tpm_call_start(&c, TPM_START_AUTH_SESSION);
	tpm_call_handle(&c, w->parent, NULL);
	tpm_call_handle(&c, TPM_NO_HANDLE, NULL);
	write_session(&c.parameters, s, ephemeral, kind);
	c.gives_handle = 1;
	e = work_send(w, &c);
	if (e)
		return e;
	if (!handle_is(c.handle, kind == TPM_SESSION_POLICY ? TPM_POLICY_SESSION_TYPE : TPM_HMAC_SESSION_TYPE))
		return ERR_FORMAT;
	s->handle = c.handle;
	nonce = tpm_read_2b(&c.answer, &len, TPM_NONCE_BYTES);
	if (cursor_end(&c.answer) || len != TPM_NONCE_BYTES)
		return ERR_FORMAT;
	memcpy(s->nonce_tpm, nonce, TPM_NONCE_BYTES);
	return OK;
}

/* Salted to the parent of the caller's, whatever the TPM may have said its point is. */
static enum err session_start(struct work *w, const struct tpm_parent *p, enum tpm_session_kind kind)
{
	uint8_t salt[TPM_DIGEST_BYTES];
	struct p256_point ephemeral;
	enum err e = tpm_salt_new(salt, &ephemeral, p);

	if (e)
		return e == ERR_FORMAT ? ERR_MISDIRECTED : e;
	randombytes_buf(w->session.nonce_caller, TPM_NONCE_BYTES);
	e = session_send(w, &ephemeral, kind);
	if (!e)
		tpm_session_key(&w->session, salt);
	sodium_memzero(salt, sizeof(salt));
	return e;
}

/* Any objection to the object itself means that it is none of this parent's. */
static enum err object_load(struct work *w, const struct tpm_object *o)
{
	TPM_CALL struct tpm_call c;
	const uint8_t *name;
	size_t len;
	enum err e;

	tpm_name(w->object_name, o->public_area, o->public_len);
	tpm_call_start(&c, TPM_LOAD);
	tpm_call_handle(&c, w->parent, w->parent_name);
	tpm_call_password(&c);
	tpm_write_2b(&c.parameters, o->private_area, o->private_len);
	tpm_write_2b(&c.parameters, o->public_area, o->public_len);
	c.gives_handle = 1;
	e = work_send(w, &c);
	if (handle_is(c.handle, TPM_TRANSIENT_TYPE))
		w->object = c.handle;
	if (c.rc & TPM_RC_FORMAT_ONE)
		return ERR_MISDIRECTED;
	if (e)
		return e;
	name = tpm_read_2b(&c.answer, &len, TPM_NAME_BYTES);
	if (cursor_end(&c.answer) || len != TPM_NAME_BYTES || !w->object ||
	    memcmp(name, w->object_name, TPM_NAME_BYTES) != 0)
		return ERR_FORMAT;
	return OK;
}

static enum err work_load(struct work *w, const struct tpm_parent *p, const struct tpm_object *o,
			  enum tpm_session_kind kind)
{
	enum err e = parent_open(w, p);

	if (!e)
		e = session_start(w, p, kind);
	return e ? e : object_load(w, o);
}

static enum err work_start(struct work *w, const struct tpm_parent *p, const struct tpm_object *o,
			   enum tpm_session_kind kind)
{
	const struct tpm *t = w->t;
	enum err e = work_load(w, p, o, kind);

	if (e != ERR_BUSY || !w->is_full)
		return e;
	work_end(w);
	*w = (struct work){ .t = t };
	make_room(t);
	return work_load(w, p, o, kind);
}

static enum err policy_step(struct work *w, enum tpm_code code)
{
	TPM_CALL struct tpm_call c;

	tpm_call_start(&c, code);
	tpm_call_handle(&c, w->session.handle, NULL);
	if (code == TPM_POLICY_PCR) {
		tpm_write_2b(&c.parameters, NULL, 0); /* whatever they are now */
		tpm_write_pcrs(&c.parameters, TPM_POLICY_PCRS);
	}
	return tpm_call_send(&c, w->t);
}

static enum err unseal(uint8_t ret[static TPM_SECRET_BYTES], struct work *w, const uint8_t *auth)
{
	TPM_CALL struct tpm_call c;
	const uint8_t *secret;
	size_t len;
	enum err e;

	tpm_call_start(&c, TPM_UNSEAL);
	tpm_call_handle(&c, w->object, w->object_name);
	tpm_call_session(&c, &w->session, auth, TPM_CONTINUE | TPM_ENCRYPT);
	e = tpm_call_send(&c, w->t);
	if (e)
		return e;
	secret = tpm_read_2b(&c.answer, &len, TPM_SECRET_BYTES);
	if (cursor_end(&c.answer) || len != TPM_SECRET_BYTES)
		return ERR_FORMAT;
	memcpy(ret, secret, TPM_SECRET_BYTES);
	return OK;
}

static int lengths_fit(const struct tpm_object *o)
{
	return o->public_len && o->public_len <= TPM_PUBLIC_MAX && o->private_len &&
	       o->private_len <= TPM_PRIVATE_MAX;
}

enum err tpm_unseal(uint8_t ret[static TPM_SECRET_BYTES], const struct tpm *t, const struct tpm_parent *parent,
		    const struct tpm_object *object, const uint8_t *auth)
{
	WORK w = { .t = t };
	enum err e;

	if (!lengths_fit(object))
		return ERR_RANGE;
	e = work_start(&w, parent, object, TPM_SESSION_POLICY);
	if (!e)
		e = policy_step(&w, TPM_POLICY_PCR);
	if (!e && auth)
		e = policy_step(&w, TPM_POLICY_AUTH_VALUE);
	return e ? e : unseal(ret, &w, auth);
}

enum err tpm_change_auth(struct tpm_object *object, const struct tpm *t, const struct tpm_parent *parent,
			 const uint8_t auth[static TPM_AUTH_BYTES], const uint8_t new_auth[static TPM_AUTH_BYTES])
{
	TPM_CALL struct tpm_call c;
	WORK w = { .t = t };
	const uint8_t *private_area;
	size_t len;
	enum err e;

	if (!lengths_fit(object))
		return ERR_RANGE;
	e = work_start(&w, parent, object, TPM_SESSION_HMAC);
	if (e)
		return e;
	tpm_call_start(&c, TPM_OBJECT_CHANGE_AUTH);
	tpm_call_handle(&c, w.object, w.object_name);
	tpm_call_handle(&c, w.parent, w.parent_name);
	tpm_call_session(&c, &w.session, auth, TPM_CONTINUE | TPM_DECRYPT);
	tpm_write_2b(&c.parameters, new_auth, TPM_AUTH_BYTES);
	e = tpm_call_send(&c, t);
	if (e)
		return e;
	private_area = tpm_read_2b(&c.answer, &len, TPM_PRIVATE_MAX);
	if (cursor_end(&c.answer) || !len)
		return ERR_FORMAT;
	memset(object->private_area, 0, sizeof(object->private_area));
	memcpy(object->private_area, private_area, len);
	object->private_len = (uint16_t)len;
	return OK;
}
