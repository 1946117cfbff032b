#include "agent/volumed/tpm_seal.h"

#include <stdlib.h>
#include <string.h>

#include "agent/volumed/tss.h"
#include "common/secret.h"

#define NONE ESYS_TR_NONE
#define HANDLE_TCG 0x81000001u /* where everybody looks for the storage root key */
#define HANDLE_OWN 0x81004846u

/* Seconds that a TPM may take: the slow ones take some for a primary key, and one for an object. */
#define WAIT_FACTS_S 10
#define WAIT_KEY_S 30
#define WAIT_ITEM_S 3
#define WAIT_END_S 20

static const TPMT_SYM_DEF session_cipher = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128,
					     .mode.aes = TPM2_ALG_CFB };

/* ---- what a TPM says ---- */

static enum err property(uint32_t *ret, struct tss *t, TPM2_PT which)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	enum err e = tss_err(t->Esys_GetCapability(t->esys, NONE, NONE, NONE, TPM2_CAP_TPM_PROPERTIES,
						   which, 1, &more, &data));

	if (e)
		return e;
	if (data->capability != TPM2_CAP_TPM_PROPERTIES || !data->data.tpmProperties.count ||
	    data->data.tpmProperties.tpmProperty[0].property != which)
		return ERR_IO;
	*ret = data->data.tpmProperties.tpmProperty[0].value;
	return OK;
}

static void maker_text(char ret[static 5], uint32_t maker)
{
	for (int i = 0; i < 4; i++) {
		uint8_t c = (uint8_t)(maker >> (24 - 8 * i));

		ret[i] = c > ' ' && c < 0x7f ? (char)c : '\0';
	}
	ret[4] = '\0';
}

static enum err lockout_read(struct tpm_lockout *ret, struct tss *t, uint32_t permanent)
{
	enum err e = property(&ret->tries, t, TPM2_PT_LOCKOUT_COUNTER);

	if (!e)
		e = property(&ret->tries_max, t, TPM2_PT_MAX_AUTH_FAIL);
	if (!e)
		e = property(&ret->recovery_s, t, TPM2_PT_LOCKOUT_INTERVAL);
	ret->locked = (permanent & TPMA_PERMANENT_INLOCKOUT) != 0;
	return e;
}

/* ---- the storage root key ---- */

static void template_make(TPM2B_PUBLIC *ret)
{
	TPMS_ECC_PARMS ecc = { .symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128,
					      .mode.aes = TPM2_ALG_CFB },
			       .scheme.scheme = TPM2_ALG_NULL, .curveID = TPM2_ECC_NIST_P256,
			       .kdf.scheme = TPM2_ALG_NULL };

	memset(ret, 0, sizeof(*ret));
	ret->publicArea.type = TPM2_ALG_ECC;
	ret->publicArea.nameAlg = TPM2_ALG_SHA256;
	ret->publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					   TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
					   TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	ret->publicArea.parameters.eccDetail = ecc;
	ret->publicArea.unique.ecc.x.size = ret->publicArea.unique.ecc.y.size = 32;
}

/* A coordinate with leading zeros may come shorter. */
static int coordinate(uint8_t ret[static 32], const TPM2B_ECC_PARAMETER *c)
{
	if (c->size > 32)
		return 0;
	memset(ret, 0, 32);
	memcpy(ret + 32 - c->size, c->buffer, c->size);
	return 1;
}

/* Its point, if it is a key by the template: then its name is the one that the template and the point give. */
static enum err parent_read(struct tpm_parent *ret, struct tss *t, ESYS_TR key, uint32_t handle)
{
	struct tpm_parent p = { .handle = handle };
	uint8_t want[TPM_NAME_BYTES];
	TPM2B_PUBLIC *area = NULL;
	TPM2B_NAME *name = NULL, *qualified = NULL;
	enum err e = tss_err(t->Esys_ReadPublic(t->esys, key, NONE, NONE, NONE, &area, &name, &qualified));

	if (e)
		return e;
	if (area->publicArea.type != TPM2_ALG_ECC || !coordinate(p.x, &area->publicArea.unique.ecc.x) ||
	    !coordinate(p.y, &area->publicArea.unique.ecc.y))
		return ERR_CHANGED;
	tpm_parent_name(want, &p);
	if (name->size != sizeof(want) || memcmp(name->name, want, sizeof(want)))
		return ERR_CHANGED;
	*ret = p;
	return OK;
}

static const uint32_t places[] = { HANDLE_TCG, HANDLE_OWN };

/* OK, ERR_NOT_FOUND (the place is free), ERR_CHANGED (something else is there). */
static enum err persistent_find(ESYS_TR *ret, struct tpm_parent *ret_parent, struct tss *t, uint32_t handle)
{
	enum err e = tss_err(t->Esys_TR_FromTPMPublic(t->esys, handle, NONE, NONE, NONE, ret));

	return e ? e : parent_read(ret_parent, t, *ret, handle);
}

static enum err parent_is_missing(int *ret, struct tss *t)
{
	struct tpm_parent found;
	ESYS_TR key = NONE;
	enum err e = OK;

	*ret = 1;
	for (size_t i = 0; *ret && i < sizeof(places) / sizeof(*places); i++) {
		e = persistent_find(&key, &found, t, places[i]);
		if (e && e != ERR_NOT_FOUND && e != ERR_CHANGED)
			return e;
		*ret = e != OK;
	}
	return OK;
}

static enum err facts_job(struct tss *t, void *io)
{
	struct tpm_facts *f = io;
	uint32_t maker = 0, permanent = 0;
	enum err e = property(&maker, t, TPM2_PT_MANUFACTURER);

	if (!e)
		e = property(&permanent, t, TPM2_PT_PERMANENT);
	if (e)
		return e;
	maker_text(f->maker, maker);
	f->owner_auth = (permanent & TPMA_PERMANENT_OWNERAUTHSET) != 0;
	f->lockout_auth = (permanent & TPMA_PERMANENT_LOCKOUTAUTHSET) != 0;
	e = lockout_read(&f->lockout, t, permanent);
	return e || !f->owner_auth ? e : parent_is_missing(&f->no_parent, t);
}

enum err tpm_facts_read(struct tpm_facts *ret, const char *tcti)
{
	struct tpm_facts f = { 0 };
	enum err e = tss_run(tcti, facts_job, &f, sizeof(f), WAIT_FACTS_S);

	if (!e)
		*ret = f;
	return e;
}

static enum err primary_make(ESYS_TR *ret, struct tpm_parent *ret_parent, struct tss *t)
{
	TPM2B_SENSITIVE_CREATE nothing = { 0 };
	TPM2B_DATA outside = { 0 };
	TPML_PCR_SELECTION pcrs = { 0 };
	TPM2B_PUBLIC template, *area = NULL;
	TPM2B_CREATION_DATA *data = NULL;
	TPM2B_DIGEST *digest = NULL;
	TPMT_TK_CREATION *ticket = NULL;
	enum err e;

	template_make(&template);
	e = tss_err(t->Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, NONE, NONE, &nothing,
					  &template, &outside, &pcrs, ret, &area, &data, &digest, &ticket));
	if (e)
		return e == ERR_AUTH ? ERR_DENIED : e;
	e = parent_read(ret_parent, t, *ret, 0);
	return e == ERR_CHANGED ? ERR_IO : e;
}

/* A key that is not persistent is made anew each time, which takes longer. */
static enum err primary_keep(ESYS_TR *key, struct tpm_parent *parent, struct tss *t, uint32_t handle)
{
	ESYS_TR kept = NONE;
	enum err e;

	if (!handle)
		return OK;
	e = tss_err(t->Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, *key, ESYS_TR_PASSWORD, NONE, NONE, handle,
					 &kept));
	if (e == ERR_SPACE)
		return OK;
	if (e)
		return e == ERR_AUTH ? ERR_DENIED : e;
	(void)t->Esys_FlushContext(t->esys, *key);
	*key = kept;
	parent->handle = handle;
	return OK;
}

static enum err parent_get(ESYS_TR *ret, struct tpm_parent *ret_parent, int *ret_made, struct tss *t)
{
	uint32_t place = 0;
	enum err e;

	*ret_made = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		e = persistent_find(ret, ret_parent, t, places[i]);
		if (e == ERR_NOT_FOUND && !place)
			place = places[i];
		if (e != ERR_NOT_FOUND && e != ERR_CHANGED)
			return e;
	}
	e = primary_make(ret, ret_parent, t);
	if (!e)
		e = primary_keep(ret, ret_parent, t, place);
	*ret_made = !e && ret_parent->handle;
	return e;
}

/* ---- sessions and objects ---- */

/* HMAC, salted to the parent; the first parameter of commands and answers is encrypted. */
static enum err session_start(ESYS_TR *ret, struct tss *t, ESYS_TR parent, TPMA_SESSION encrypts)
{
	const TPMA_SESSION all = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
	enum err e = tss_err(t->Esys_StartAuthSession(t->esys, parent, NONE, NONE, NONE, NONE, NULL,
						      TPM2_SE_HMAC, &session_cipher, TPM2_ALG_SHA256, ret));

	return e ? e : tss_err(t->Esys_TRSess_SetAttributes(t->esys, *ret,
							    TPMA_SESSION_CONTINUESESSION | encrypts, all));
}

static void object_template(TPM2B_PUBLIC *ret, const uint8_t pcr7[static TPM_PCR_BYTES], int with_auth)
{
	static const uint8_t zeros[TPM_PCR_BYTES];

	memset(ret, 0, sizeof(*ret));
	ret->publicArea.type = TPM2_ALG_KEYEDHASH;
	ret->publicArea.nameAlg = TPM2_ALG_SHA256;
	ret->publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
	ret->publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
	ret->publicArea.authPolicy.size = 32;
	tpm_policy(ret->publicArea.authPolicy.buffer, pcr7, zeros, with_auth);
}

static enum err object_take(struct tpm_object *ret, struct tss *t, const TPM2B_PUBLIC *area,
			    const TPM2B_PRIVATE *inside)
{
	struct tpm_object o = { 0 };
	size_t len = 0;

	if (t->marshal_public(&area->publicArea, o.public_area, sizeof(o.public_area), &len) ||
	    inside->size > sizeof(o.private_area))
		return ERR_IO;
	o.public_len = (uint16_t)len;
	memcpy(o.private_area, inside->buffer, inside->size);
	o.private_len = inside->size;
	*ret = o;
	return OK;
}

/* What does not load here would not load before the next start either. */
static enum err load_try(struct tss *t, ESYS_TR parent, ESYS_TR session, const TPM2B_PUBLIC *area,
			 const TPM2B_PRIVATE *inside)
{
	ESYS_TR object = NONE;
	enum err e = tss_err(t->Esys_Load(t->esys, parent, session, NONE, NONE, inside, area, &object));

	return e ? e : tss_err(t->Esys_FlushContext(t->esys, object));
}

static enum err item_seal(struct tpm_item *item, struct tss *t, ESYS_TR parent, ESYS_TR session,
			  const uint8_t pcr7[static TPM_PCR_BYTES])
{
	TPM2B_SENSITIVE_CREATE plain = { .sensitive.data.size = TPM_SECRET_BYTES };
	TPM2B_DATA outside = { 0 };
	TPML_PCR_SELECTION pcrs = { 0 };
	TPM2B_PUBLIC template, *area = NULL;
	TPM2B_PRIVATE *inside = NULL;
	TPM2B_CREATION_DATA *data = NULL;
	TPM2B_DIGEST *digest = NULL;
	TPMT_TK_CREATION *ticket = NULL;
	enum err e;

	object_template(&template, pcr7, item->with_auth);
	memcpy(plain.sensitive.data.buffer, item->plain.secret, TPM_SECRET_BYTES);
	if (item->with_auth) {
		plain.sensitive.userAuth.size = TPM_AUTH_BYTES;
		memcpy(plain.sensitive.userAuth.buffer, item->plain.auth, TPM_AUTH_BYTES);
	}
	e = tss_err(t->Esys_Create(t->esys, parent, session, NONE, NONE, &plain, &template, &outside, &pcrs,
				   &inside, &area, &data, &digest, &ticket));
	secret_wipe(&plain, sizeof(plain));
	if (!e)
		e = load_try(t, parent, session, area, inside);
	return e ? e : object_take(&item->object, t, area, inside);
}

struct seal_io {
	struct tpm_parent parent;
	int made;
	uint8_t pcr7[TPM_PCR_BYTES];
	size_t count;
	struct tpm_item items[];
};

static enum err seal_job(struct tss *t, void *io)
{
	struct seal_io *s = io;
	ESYS_TR parent = NONE, session = NONE;
	enum err e = parent_get(&parent, &s->parent, &s->made, t);

	if (!e && s->count)
		e = session_start(&session, t, parent, TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT);
	for (size_t i = 0; !e && i < s->count; i++)
		e = item_seal(&s->items[i], t, parent, session, s->pcr7);
	if (session != NONE)
		(void)t->Esys_FlushContext(t->esys, session);
	if (!e && !s->parent.handle)
		(void)t->Esys_FlushContext(t->esys, parent);
	return e;
}

enum err tpm_seal(struct tpm_parent *ret, int *ret_made, struct tpm_item *items, size_t count,
		  const char *tcti, const uint8_t pcr7[static TPM_PCR_BYTES])
{
	size_t bytes = sizeof(struct seal_io) + count * sizeof(*items);
	struct seal_io *s = count > BINDINGS_MAX ? NULL : calloc(1, bytes);
	enum err e;

	if (!s)
		return ERR_MEMORY;
	memcpy(s->pcr7, pcr7, TPM_PCR_BYTES);
	s->count = count;
	if (count)
		memcpy(s->items, items, count * sizeof(*items));
	e = tss_run(tcti, seal_job, s, bytes, WAIT_KEY_S + (unsigned)count * WAIT_ITEM_S);
	for (size_t i = 0; !e && i < count; i++)
		items[i].object = s->items[i].object;
	if (!e) {
		*ret = s->parent;
		*ret_made = s->made;
	}
	secret_wipe(s, bytes);
	free(s);
	return e;
}

/* ---- lockout, and the end ---- */

struct lockout_io {
	uint8_t auth[TPM_AUTH_BYTES];
};

static void auth_of(TPM2B_AUTH *ret, const struct lockout_io *io)
{
	ret->size = TPM_AUTH_BYTES;
	memcpy(ret->buffer, io->auth, TPM_AUTH_BYTES);
}

/* A session of which only somebody with the storage root key's private half could read anything. */
static enum err lockout_session(ESYS_TR *ret, struct tss *t, TPMA_SESSION encrypts)
{
	struct tpm_parent ignored;
	ESYS_TR parent = NONE;
	int made;
	enum err e = parent_get(&parent, &ignored, &made, t);

	if (!e)
		e = session_start(ret, t, parent, encrypts);
	if (!e && !ignored.handle)
		(void)t->Esys_FlushContext(t->esys, parent);
	return e;
}

static enum err take_job(struct tss *t, void *io)
{
	ESYS_TR session = NONE;
	uint32_t permanent = 0;
	TPM2B_AUTH fresh;
	enum err e = property(&permanent, t, TPM2_PT_PERMANENT);

	if (!e && (permanent & TPMA_PERMANENT_LOCKOUTAUTHSET))
		return ERR_EXISTS;
	if (!e)
		e = lockout_session(&session, t, 0);
	if (!e)
		e = tss_err(t->Esys_DictionaryAttackParameters(t->esys, ESYS_TR_RH_LOCKOUT, session, NONE, NONE,
							       TPM_TRIES_MAX, TPM_RECOVERY_S,
							       TPM_LOCKOUT_RECOVERY_S));
	if (!e)
		e = tss_err(t->Esys_TRSess_SetAttributes(t->esys, session, TPMA_SESSION_DECRYPT,
							 TPMA_SESSION_DECRYPT));
	auth_of(&fresh, io);
	if (!e)
		e = tss_err(t->Esys_HierarchyChangeAuth(t->esys, ESYS_TR_RH_LOCKOUT, session, NONE, NONE,
							&fresh));
	secret_wipe(&fresh, sizeof(fresh));
	if (session != NONE)
		(void)t->Esys_FlushContext(t->esys, session);
	return e;
}

/* One command in the name of the lockout hierarchy. */
static enum err lockout_run(struct tss *t, const struct lockout_io *io,
			    TSS2_RC (*command)(ESYS_CONTEXT *, ESYS_TR, ESYS_TR, ESYS_TR, ESYS_TR))
{
	ESYS_TR session = NONE;
	TPM2B_AUTH auth;
	enum err e = lockout_session(&session, t, 0);

	auth_of(&auth, io);
	if (!e)
		e = tss_err(t->Esys_TR_SetAuth(t->esys, ESYS_TR_RH_LOCKOUT, &auth));
	secret_wipe(&auth, sizeof(auth));
	if (!e)
		e = tss_err(command(t->esys, ESYS_TR_RH_LOCKOUT, session, NONE, NONE));
	if (session != NONE)
		(void)t->Esys_FlushContext(t->esys, session);
	return e;
}

static enum err reset_job(struct tss *t, void *io)
{
	return lockout_run(t, io, t->Esys_DictionaryAttackLockReset);
}

static enum err clear_job(struct tss *t, void *io)
{
	return lockout_run(t, io, t->Esys_Clear);
}

static enum err with_auth(const char *tcti, enum err (*job)(struct tss *t, void *io),
			  const uint8_t auth[static TPM_AUTH_BYTES])
{
	struct lockout_io io;
	enum err e;

	memcpy(io.auth, auth, sizeof(io.auth));
	e = tss_run(tcti, job, &io, sizeof(io), WAIT_END_S);
	secret_wipe(&io, sizeof(io));
	return e;
}

enum err tpm_lockout_take(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES])
{
	return with_auth(tcti, take_job, auth);
}

enum err tpm_lockout_reset(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES])
{
	return with_auth(tcti, reset_job, auth);
}

enum err tpm_clear(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES])
{
	return with_auth(tcti, clear_job, auth);
}

static enum err evict_job(struct tss *t, void *io)
{
	const struct tpm_parent *want = io;
	struct tpm_parent found;
	ESYS_TR key = NONE, ignored;
	enum err e = want->handle ? persistent_find(&key, &found, t, want->handle) : ERR_NOT_FOUND;

	if (e || memcmp(found.x, want->x, sizeof(found.x)) || memcmp(found.y, want->y, sizeof(found.y)))
		return !e || e == ERR_CHANGED ? ERR_NOT_FOUND : e;
	e = tss_err(t->Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, NONE, NONE,
					 want->handle, &ignored));
	return e == ERR_AUTH ? ERR_DENIED : e;
}

enum err tpm_evict(const char *tcti, const struct tpm_parent *parent)
{
	struct tpm_parent p = *parent;

	return tss_run(tcti, evict_job, &p, sizeof(p), WAIT_END_S);
}
