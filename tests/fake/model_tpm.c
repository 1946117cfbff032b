#include "model_tpm.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/tpm_wire.h"

#define OBJECT_HANDLE 0x80000000u
#define CAPABILITY_HANDLES 1u
#define SESSION_1 0x900u /* the code is about session 1 */
#define PARAMETER_1 0x140u /* ... parameter 1; used for handles, too */
#define RC_SIZE 0x095u
#define RC_VALUE 0x084u
#define RC_COMMAND 0x143u
#define RC_AUTH_TYPE 0x124u
#define ATTRIBUTES 0x12u /* fixedTPM, fixedParent */
#define POLICY_AT 10     /* of the digest in a sealed object's public area */

/* A command being carried out. */
struct work {
	struct model_tpm *m;
	uint32_t code, handles[2];
	unsigned handle_count;
	struct cursor parameters;
	uint8_t bytes[TPM_MESSAGE_MAX]; /* the parameters, decrypted */
	struct model_session *session;  /* NULL: password, or none */
	int is_authorized;
	uint8_t attributes;
	const uint8_t *auth;            /* of the first handle's object */
	uint32_t answer_handle;
	struct writer answer;
	uint8_t answer_bytes[TPM_MESSAGE_MAX];
};

static void key_make(struct model_tpm *m)
{
	struct p256_point p;

	crypto_hash_sha256(m->parent.bytes, m->seed, sizeof(m->seed));
	if (p256_public(&p, &m->parent))
		abort();
	memcpy(m->point.x, p.x, sizeof(p.x));
	memcpy(m->point.y, p.y, sizeof(p.y));
}

struct model_tpm *model_tpm_new(uint8_t seed)
{
	struct model_tpm *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED || sodium_init() < 0)
		abort();
	memset(m->seed, seed, sizeof(m->seed));
	m->persistent = 0x81000001;
	m->tries_max = 5;
	m->recovery_s = 600;
	key_make(m);
	return m;
}

void model_tpm_free(struct model_tpm *m)
{
	munmap(m, sizeof(*m));
}

void model_tpm_clear(struct model_tpm *m)
{
	m->seed[0]++;
	m->persistent = 0;
	m->tries = 0;
	key_make(m);
}

void model_tpm_restart(struct model_tpm *m)
{
	memset(m->objects, 0, sizeof(m->objects));
	memset(m->sessions, 0, sizeof(m->sessions));
	memset(m->pcrs, 0, sizeof(m->pcrs));
}

static void wait_ms(void *context, unsigned ms)
{
	((struct model_tpm *)context)->waits_ms += ms;
}

struct tpm model_tpm_transport(struct model_tpm *m)
{
	return (struct tpm){ model_tpm_submit, wait_ms, m };
}

void model_tpm_extend(void *context, unsigned pcr, const uint8_t digest[32])
{
	struct model_tpm *m = context;
	uint8_t both[2 * TPM_PCR_BYTES];

	memcpy(both, m->pcrs[pcr], TPM_PCR_BYTES);
	memcpy(both + TPM_PCR_BYTES, digest, TPM_PCR_BYTES);
	crypto_hash_sha256(m->pcrs[pcr], both, sizeof(both));
}

void model_tpm_parent(struct tpm_parent *ret, const struct model_tpm *m)
{
	*ret = m->point;
	ret->handle = m->persistent;
}

unsigned model_tpm_loaded(const struct model_tpm *m)
{
	unsigned n = 0;

	for (int i = 0; i < MODEL_TPM_SLOTS; i++)
		n += (unsigned)(m->objects[i].is_used + m->sessions[i].is_used);
	return n;
}

/* The private area: what is secret in a box, bound to the public area's name. */
struct inside {
	uint8_t name[TPM_NAME_BYTES], secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES], has_auth;
};
#define PRIVATE_BYTES (sizeof(struct inside) + crypto_secretbox_MACBYTES + crypto_secretbox_NONCEBYTES)

static void private_close(uint8_t ret[static PRIVATE_BYTES], const struct model_tpm *m, const struct inside *in)
{
	uint8_t *nonce = ret + PRIVATE_BYTES - crypto_secretbox_NONCEBYTES;

	randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(ret, (const uint8_t *)in, sizeof(*in), nonce, m->seed);
}

void model_tpm_seal(struct tpm_object *ret, const struct model_tpm *m, const uint8_t secret[32], const uint8_t *auth)
{
	struct writer w = writer_over(ret->public_area, sizeof(ret->public_area));
	uint8_t policy[32];
	struct inside in = { .has_auth = auth != NULL };

	memset(ret, 0, sizeof(*ret));
	tpm_policy(policy, m->pcrs[TPM_PCR_SECURE_BOOT], m->pcrs[TPM_PCR_OWN], auth != NULL);
	tpm_write_u16(&w, 0x0008); /* keyed hash */
	tpm_write_u16(&w, TPM_SHA256);
	tpm_write_u32(&w, ATTRIBUTES);
	tpm_write_2b(&w, policy, sizeof(policy));
	tpm_write_u16(&w, TPM_NULL);
	tpm_write_2b(&w, policy, sizeof(policy)); /* unique: whatever */
	ret->public_len = (uint16_t)(sizeof(ret->public_area) - w.left);
	tpm_name(in.name, ret->public_area, ret->public_len);
	memcpy(in.secret, secret, sizeof(in.secret));
	if (auth)
		memcpy(in.auth, auth, sizeof(in.auth));
	private_close(ret->private_area, m, &in);
	ret->private_len = PRIVATE_BYTES;
	sodium_memzero(&in, sizeof(in));
}

static struct model_object *object_of(struct model_tpm *m, uint32_t handle)
{
	uint32_t i = handle - OBJECT_HANDLE;

	return i < MODEL_TPM_SLOTS && m->objects[i].is_used ? &m->objects[i] : NULL;
}

static struct model_session *session_of(struct model_tpm *m, uint32_t handle)
{
	uint32_t i = handle & 0xffffff;

	return i < MODEL_TPM_SLOTS && m->sessions[i].is_used && m->sessions[i].s.handle == handle ?
		       &m->sessions[i] : NULL;
}

static int is_parent(struct model_tpm *m, uint32_t handle)
{
	const struct model_object *o = object_of(m, handle);

	return (m->persistent && handle == m->persistent) || (o && o->is_parent);
}

static struct model_object *object_new(struct work *w)
{
	for (uint32_t i = 0; i < MODEL_TPM_SLOTS; i++) {
		struct model_object *o = &w->m->objects[i];

		if (o->is_used)
			continue;
		memset(o, 0, sizeof(*o));
		o->is_used = 1;
		w->answer_handle = OBJECT_HANDLE + i;
		return o;
	}
	return NULL;
}

static void write_parent(struct work *w)
{
	uint8_t area[TPM_PARENT_BYTES];

	tpm_parent_public(area, &w->m->point);
	tpm_write_2b(&w->answer, area, sizeof(area));
}

static void write_parent_name(struct work *w)
{
	uint8_t name[TPM_NAME_BYTES];

	tpm_parent_name(name, &w->m->point);
	tpm_write_2b(&w->answer, name, sizeof(name));
}

static uint32_t read_public(struct work *w)
{
	if (!is_parent(w->m, w->handles[0]))
		return PARAMETER_1 | TPM_RC_HANDLE;
	write_parent(w);
	write_parent_name(w);
	write_parent_name(w); /* qualified: whatever */
	return 0;
}

static uint32_t create_primary(struct work *w)
{
	static const struct tpm_parent none;
	uint8_t want[TPM_PARENT_BYTES];
	const uint8_t *area;
	size_t len;
	struct model_object *o;

	if (w->m->has_owner)
		return SESSION_1 | TPM_RC_BAD_AUTH;
	tpm_read_2b(&w->parameters, &len, TPM_MESSAGE_MAX);
	area = tpm_read_2b(&w->parameters, &len, TPM_MESSAGE_MAX);
	tpm_parent_public(want, &none);
	if (!area || len != sizeof(want) || memcmp(area, want, len) != 0)
		return RC_VALUE;
	o = object_new(w);
	if (!o)
		return TPM_RC_OBJECT_MEMORY;
	o->is_parent = 1;
	write_parent(w);
	tpm_write_2b(&w->answer, want, 60); /* creation data, digest and ticket: whatever */
	tpm_write_2b(&w->answer, want, 32);
	tpm_write_u16(&w->answer, 0x8021);
	tpm_write_u32(&w->answer, TPM_OWNER);
	tpm_write_2b(&w->answer, want, 32);
	write_parent_name(w);
	return 0;
}

static uint32_t load(struct work *w)
{
	size_t private_len, public_len;
	const uint8_t *private_area = tpm_read_2b(&w->parameters, &private_len, TPM_MESSAGE_MAX);
	const uint8_t *area = tpm_read_2b(&w->parameters, &public_len, TPM_MESSAGE_MAX);
	uint8_t name[TPM_NAME_BYTES];
	struct model_object *o;
	struct inside in;

	if (cursor_end(&w->parameters) || private_len != PRIVATE_BYTES || public_len < POLICY_AT + 32)
		return RC_SIZE | PARAMETER_1;
	tpm_name(name, area, public_len);
	if (!is_parent(w->m, w->handles[0]) ||
	    crypto_secretbox_open_easy((uint8_t *)&in, private_area, sizeof(in) + crypto_secretbox_MACBYTES,
				       private_area + PRIVATE_BYTES - crypto_secretbox_NONCEBYTES, w->m->seed) ||
	    memcmp(in.name, name, sizeof(name)) != 0)
		return PARAMETER_1 | TPM_RC_INTEGRITY;
	o = object_new(w);
	if (!o)
		return TPM_RC_OBJECT_MEMORY;
	memcpy(o->name, name, sizeof(name));
	memcpy(o->policy, area + POLICY_AT, sizeof(o->policy));
	memcpy(o->secret, in.secret, sizeof(o->secret));
	memcpy(o->auth, in.auth, sizeof(o->auth));
	o->has_auth = in.has_auth;
	tpm_write_2b(&w->answer, name, sizeof(name));
	return 0;
}

static struct model_session *session_new(struct work *w, int is_policy)
{
	for (uint32_t i = 0; i < MODEL_TPM_SLOTS; i++) {
		struct model_session *s = &w->m->sessions[i];

		if (s->is_used)
			continue;
		memset(s, 0, sizeof(*s));
		s->is_used = 1;
		s->is_policy = is_policy;
		s->s.handle = (is_policy ? 0x03000000u : 0x02000000u) | i;
		w->answer_handle = s->s.handle;
		return s;
	}
	return NULL;
}

static uint32_t salt_read(uint8_t ret[static 32], const struct work *w, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	size_t x_len, y_len;
	const uint8_t *x = tpm_read_2b(&c, &x_len, P256_BYTES), *y = tpm_read_2b(&c, &y_len, P256_BYTES);
	struct p256_point p;
	uint8_t z[P256_BYTES];

	if (cursor_end(&c) || x_len != P256_BYTES || y_len != P256_BYTES)
		return RC_SIZE;
	memcpy(p.x, x, sizeof(p.x));
	memcpy(p.y, y, sizeof(p.y));
	if (p256_shared(z, &w->m->parent, &p))
		return RC_VALUE;
	tpm_kdfe(ret, z, "SECRET", p.x, w->m->point.x);
	return 0;
}

static uint32_t start_session(struct work *w)
{
	size_t nonce_len, salt_len;
	const uint8_t *nonce = tpm_read_2b(&w->parameters, &nonce_len, TPM_NONCE_BYTES);
	const uint8_t *encrypted = tpm_read_2b(&w->parameters, &salt_len, 256);
	uint8_t kind = cursor_u8(&w->parameters), salt[32];
	struct model_session *s;
	uint32_t rc;

	if (w->parameters.e || nonce_len != TPM_NONCE_BYTES || kind > 1)
		return RC_SIZE | PARAMETER_1;
	if (!is_parent(w->m, w->handles[0]))
		return PARAMETER_1 | TPM_RC_HANDLE;
	rc = salt_read(salt, w, encrypted, salt_len);
	if (rc)
		return rc;
	s = session_new(w, kind);
	if (!s)
		return TPM_RC_SESSION_HANDLES;
	memcpy(s->s.nonce_caller, nonce, TPM_NONCE_BYTES);
	randombytes_buf(s->s.nonce_tpm, TPM_NONCE_BYTES);
	tpm_session_key(&s->s, salt);
	tpm_write_2b(&w->answer, s->s.nonce_tpm, TPM_NONCE_BYTES);
	return 0;
}

static uint32_t policy(struct work *w)
{
	struct model_session *s = session_of(w->m, w->handles[0]);

	if (!s || !s->is_policy)
		return PARAMETER_1 | TPM_RC_HANDLE;
	if (w->code == TPM_POLICY_AUTH_VALUE)
		s->needs_auth = 1;
	/* The one order that there is: PCRs, then the value. */
	tpm_policy(s->policy, w->m->pcrs[TPM_PCR_SECURE_BOOT], w->m->pcrs[TPM_PCR_OWN], s->needs_auth);
	return 0;
}

static uint32_t unseal(struct work *w)
{
	tpm_write_2b(&w->answer, object_of(w->m, w->handles[0])->secret, TPM_SECRET_BYTES);
	return 0;
}

static uint32_t change_auth(struct work *w)
{
	const struct model_object *o = object_of(w->m, w->handles[0]);
	struct inside in = { .has_auth = 1 };
	uint8_t closed[PRIVATE_BYTES];
	size_t len;
	const uint8_t *auth = tpm_read_2b(&w->parameters, &len, TPM_AUTH_BYTES);

	if (cursor_end(&w->parameters) || !is_parent(w->m, w->handles[1]))
		return RC_SIZE;
	memcpy(in.name, o->name, sizeof(in.name));
	memcpy(in.secret, o->secret, sizeof(in.secret));
	memcpy(in.auth, auth, len);
	private_close(closed, w->m, &in);
	tpm_write_2b(&w->answer, closed, sizeof(closed));
	sodium_memzero(&in, sizeof(in));
	return 0;
}

static uint32_t flush(struct work *w)
{
	uint32_t handle = tpm_read_u32(&w->parameters);
	struct model_object *o = object_of(w->m, handle);
	struct model_session *s = session_of(w->m, handle);

	if (o)
		memset(o, 0, sizeof(*o));
	if (s)
		memset(s, 0, sizeof(*s));
	return o || s ? 0 : PARAMETER_1 | TPM_RC_HANDLE;
}

static uint32_t shut_down(struct work *w)
{
	if (tpm_read_u16(&w->parameters) || cursor_end(&w->parameters))
		return RC_SIZE;
	w->m->shutdowns++;
	return 0;
}

static uint32_t pcr_read(struct work *w)
{
	uint8_t selection[10];
	uint32_t mask;

	cursor_bytes(&w->parameters, selection, sizeof(selection));
	mask = selection[7] | (uint32_t)selection[8] << 8 | (uint32_t)selection[9] << 16;
	if (cursor_end(&w->parameters) || !mask || (mask & (mask - 1)))
		return RC_SIZE | PARAMETER_1;
	tpm_write_u32(&w->answer, 7); /* update counter */
	writer_bytes(&w->answer, selection, sizeof(selection));
	tpm_write_u32(&w->answer, 1);
	tpm_write_2b(&w->answer, w->m->pcrs[__builtin_ctz(mask)], TPM_PCR_BYTES);
	return 0;
}

static uint32_t pcr_extend(struct work *w)
{
	uint8_t digest[32];

	if (!w->is_authorized || w->handles[0] > 23 || tpm_read_u32(&w->parameters) != 1 ||
	    tpm_read_u16(&w->parameters) != TPM_SHA256)
		return RC_VALUE;
	cursor_bytes(&w->parameters, digest, sizeof(digest));
	if (cursor_end(&w->parameters))
		return RC_SIZE;
	model_tpm_extend(w->m, w->handles[0], digest);
	return 0;
}

/* All of it is loaded; nothing is saved. */
static uint32_t list_handles(struct work *w, uint32_t first)
{
	uint32_t handles[2 * MODEL_TPM_SLOTS], count = 0;

	for (uint32_t i = 0; i < MODEL_TPM_SLOTS; i++) {
		if (first == OBJECT_HANDLE && w->m->objects[i].is_used)
			handles[count++] = OBJECT_HANDLE + i;
		if (first == 0x02000000 && w->m->sessions[i].is_used)
			handles[count++] = w->m->sessions[i].s.handle;
	}
	writer_u8(&w->answer, 0);
	tpm_write_u32(&w->answer, CAPABILITY_HANDLES);
	tpm_write_u32(&w->answer, count);
	for (uint32_t i = 0; i < count; i++)
		tpm_write_u32(&w->answer, handles[i]);
	return 0;
}

static uint32_t get_capability(struct work *w)
{
	uint32_t capability = tpm_read_u32(&w->parameters), property = tpm_read_u32(&w->parameters), value;

	if (capability == CAPABILITY_HANDLES)
		return list_handles(w, property);
	switch (property) {
	case 0x200:
		value = w->m->tries >= w->m->tries_max ? 0x200 : 0;
		break;
	case 0x20e:
		value = w->m->tries;
		break;
	case 0x20f:
		value = w->m->tries_max;
		break;
	case 0x210:
		value = w->m->recovery_s;
		break;
	default:
		return RC_VALUE;
	}
	writer_u8(&w->answer, 1);
	tpm_write_u32(&w->answer, capability);
	tpm_write_u32(&w->answer, 1);
	tpm_write_u32(&w->answer, property);
	tpm_write_u32(&w->answer, value);
	return 0;
}

static const struct {
	uint32_t code;
	unsigned handles;
	int gives_handle;
	uint32_t (*run)(struct work *w);
} commands[] = {
	{ TPM_READ_PUBLIC, 1, 0, read_public },
	{ TPM_CREATE_PRIMARY, 1, 1, create_primary },
	{ TPM_LOAD, 1, 1, load },
	{ TPM_START_AUTH_SESSION, 2, 1, start_session },
	{ TPM_POLICY_PCR, 1, 0, policy },
	{ TPM_POLICY_AUTH_VALUE, 1, 0, policy },
	{ TPM_UNSEAL, 1, 0, unseal },
	{ TPM_OBJECT_CHANGE_AUTH, 2, 0, change_auth },
	{ TPM_FLUSH_CONTEXT, 0, 0, flush },
	{ TPM_SHUTDOWN, 0, 0, shut_down },
	{ TPM_PCR_READ, 0, 0, pcr_read },
	{ TPM_PCR_EXTEND, 1, 0, pcr_extend },
	{ TPM_GET_CAPABILITY, 0, 0, get_capability },
};

/* What the TPM encrypts is what the caller decrypts: the nonces change places. */
static struct tpm_session other_side(const struct tpm_session *s)
{
	struct tpm_session other = *s;

	memcpy(other.nonce_caller, s->nonce_tpm, TPM_NONCE_BYTES);
	memcpy(other.nonce_tpm, s->nonce_caller, TPM_NONCE_BYTES);
	return other;
}

static void command_hash(uint8_t ret[static 32], const struct work *w, const uint8_t *parameters, size_t len)
{
	const uint8_t code[] = { 0, 0, (uint8_t)(w->code >> 8), (uint8_t)w->code };
	crypto_hash_sha256_state s;
	uint8_t parent[TPM_NAME_BYTES];

	tpm_parent_name(parent, &w->m->point);
	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, code, sizeof(code));
	crypto_hash_sha256_update(&s, object_of(w->m, w->handles[0])->name, TPM_NAME_BYTES);
	if (w->handle_count == 2)
		crypto_hash_sha256_update(&s, parent, sizeof(parent));
	crypto_hash_sha256_update(&s, parameters, len);
	crypto_hash_sha256_final(&s, ret);
}

/* Only sealed objects are authorized by sessions here. */
static uint32_t check_session(struct work *w, const uint8_t *parameters, size_t len, const uint8_t *hmac,
			      size_t hmac_len)
{
	const struct model_object *o = object_of(w->m, w->handles[0]);
	struct model_session *s = w->session;
	uint8_t hash[32], want[32];
	int uses_auth;

	if (!o || o->is_parent || (w->code == TPM_UNSEAL) != s->is_policy)
		return RC_AUTH_TYPE;
	if (s->is_policy && memcmp(s->policy, o->policy, sizeof(s->policy)) != 0)
		return SESSION_1 | TPM_RC_POLICY_FAIL;
	uses_auth = !s->is_policy || s->needs_auth;
	if (uses_auth && w->m->tries >= w->m->tries_max)
		return TPM_RC_LOCKOUT;
	w->auth = o->has_auth ? o->auth : NULL;
	command_hash(hash, w, parameters, len);
	tpm_session_hmac(want, &s->s, uses_auth ? w->auth : NULL, hash, w->attributes, 0);
	if (hmac_len == sizeof(want) && !memcmp(hmac, want, sizeof(want)))
		return 0;
	w->m->tries += (unsigned)uses_auth;
	return SESSION_1 | TPM_RC_AUTH_FAIL;
}

static uint32_t authorize(struct work *w, struct cursor *c)
{
	struct cursor area = { 0 };
	uint32_t size = tpm_read_u32(c), handle;
	const uint8_t *bytes = cursor_take(c, size), *nonce, *hmac;
	size_t nonce_len, hmac_len;

	if (!bytes)
		return RC_SIZE;
	area = cursor_over(bytes, size);
	handle = tpm_read_u32(&area);
	nonce = tpm_read_2b(&area, &nonce_len, TPM_NONCE_BYTES);
	w->attributes = cursor_u8(&area);
	hmac = tpm_read_2b(&area, &hmac_len, 32);
	if (cursor_end(&area))
		return RC_SIZE;
	w->is_authorized = 1;
	if (handle == TPM_PASSWORD_SESSION)
		return hmac_len ? SESSION_1 | TPM_RC_BAD_AUTH : 0;
	w->session = session_of(w->m, handle);
	if (!w->session || nonce_len != TPM_NONCE_BYTES)
		return SESSION_1 | TPM_RC_HANDLE;
	memcpy(w->session->s.nonce_caller, nonce, TPM_NONCE_BYTES);
	return check_session(w, c->at, c->left, hmac, hmac_len);
}

static uint32_t parse(struct work *w, struct cursor *c, uint16_t tag)
{
	uint32_t rc = 0;

	for (unsigned i = 0; i < w->handle_count; i++)
		w->handles[i] = tpm_read_u32(c);
	if (tag == TPM_WITH_SESSIONS)
		rc = authorize(w, c);
	if (rc || c->left > sizeof(w->bytes))
		return rc ? rc : RC_SIZE;
	memcpy(w->bytes, c->at, c->left);
	w->parameters = cursor_over(w->bytes, c->left);
	if (w->session && (w->attributes & TPM_DECRYPT)) {
		struct tpm_session other = other_side(&w->session->s);

		tpm_session_decrypt(&other, w->auth, w->bytes + 2, (size_t)(w->bytes[0] << 8 | w->bytes[1]));
	}
	return 0;
}

static void answer_session(struct work *w, struct writer *out, const uint8_t *parameters, size_t len)
{
	struct tpm_session *s = &w->session->s;
	const int uses_auth = !w->session->is_policy || w->session->needs_auth;
	uint8_t head[8] = { 0, 0, 0, 0, 0, 0, (uint8_t)(w->code >> 8), (uint8_t)w->code }, hash[32], hmac[32];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, head, sizeof(head));
	crypto_hash_sha256_update(&state, parameters, len);
	crypto_hash_sha256_final(&state, hash);
	tpm_session_hmac(hmac, s, uses_auth ? w->auth : NULL, hash, w->attributes, 1);
	tpm_write_2b(out, s->nonce_tpm, TPM_NONCE_BYTES);
	writer_u8(out, w->attributes);
	tpm_write_2b(out, hmac, sizeof(hmac));
}

static void answer_authorized(struct work *w, struct writer *out)
{
	size_t len = sizeof(w->answer_bytes) - w->answer.left;

	if (w->m->in_the_clear)
		w->attributes = (uint8_t)(w->attributes & ~TPM_ENCRYPT);
	if (w->m->tamper)
		w->m->tamper(w->m->tamper_context, w->code, w->answer_bytes, &len);
	if (w->session)
		randombytes_buf(w->session->s.nonce_tpm, TPM_NONCE_BYTES);
	if (w->session && (w->attributes & TPM_ENCRYPT) && len > 2) {
		struct tpm_session other = other_side(&w->session->s);

		tpm_session_encrypt(&other, w->auth, w->answer_bytes + 2, len - 2);
	}
	tpm_write_u32(out, (uint32_t)len);
	writer_bytes(out, w->answer_bytes, len);
	if (w->session) {
		answer_session(w, out, w->answer_bytes, len);
		return;
	}
	tpm_write_u16(out, 0);
	writer_u8(out, TPM_CONTINUE);
	tpm_write_u16(out, 0);
}

static uint32_t run(struct work *w, const uint8_t *command, size_t len, struct writer *body)
{
	struct cursor c = cursor_over(command, len);
	uint16_t tag = tpm_read_u16(&c);
	uint32_t size = tpm_read_u32(&c), rc;

	w->code = tpm_read_u32(&c);
	if (c.e || size != len)
		return RC_SIZE;
	if (w->m->again) {
		w->m->again--;
		w->m->retries++;
		return TPM_RC_RETRY;
	}
	if (w->m->refuses == w->code)
		return w->m->refusal;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].code != w->code)
			continue;
		w->handle_count = commands[i].handles;
		rc = parse(w, &c, tag);
		if (!rc)
			rc = commands[i].run(w);
		if (rc)
			return rc;
		if (commands[i].gives_handle)
			tpm_write_u32(body, w->answer_handle);
		if (w->is_authorized)
			answer_authorized(w, body);
		else
			writer_bytes(body, w->answer_bytes, sizeof(w->answer_bytes) - w->answer.left);
		return 0;
	}
	return RC_COMMAND;
}

enum err model_tpm_submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	struct work w = { .m = context };
	uint8_t body_bytes[TPM_MESSAGE_MAX];
	struct writer body = writer_over(body_bytes, sizeof(body_bytes)), out = writer_over(ret, *ret_len);
	size_t body_len;
	uint32_t rc;

	w.m->commands++;
	w.answer = writer_over(w.answer_bytes, sizeof(w.answer_bytes));
	rc = run(&w, command, len, &body);
	body_len = rc ? 0 : sizeof(body_bytes) - body.left;
	tpm_write_header(&out, rc || !w.is_authorized ? TPM_PLAIN : TPM_WITH_SESSIONS,
			 (uint32_t)(TPM_HEADER_BYTES + body_len), rc);
	writer_bytes(&out, body_bytes, body_len);
	sodium_memzero(&w, sizeof(w));
	if (out.e)
		return ERR_RANGE;
	*ret_len -= out.left;
	return OK;
}
