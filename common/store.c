/* Store: a new one, its list of records, and the change of the unlock key. */
#include "store_format.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "text.h"

void store_drop(struct store *s)
{
	free(s->records);
	rules_drop(&s->rules);
	bindings_drop(&s->bindings);
	free(s->questions);
	*s = (struct store){ 0 };
}

enum err store_new(struct store *ret, const uint8_t device[static DEVICE_ID_BYTES],
		   const char *name, const struct unlock_key *uk)
{
	STORE s = { .head = { .generation = 1, .next_code = 1 } };
	STORE_SK sk;
	struct store_vk vk;
	enum err e;

	if (!text_set(s.head.name, sizeof(s.head.name), name) ||
	    !text_valid(s.head.name, sizeof(s.head.name)))
		return ERR_RANGE;
	rules_default(&s.rules);
	bindings_default(&s.bindings);
	memcpy(s.head.device, device, sizeof(s.head.device));
	randombytes_buf(sk.seed, sizeof(sk.seed));
	store_sk_public(&vk, &sk);
	memcpy(s.head.store_vk, vk.bytes, sizeof(s.head.store_vk));
	store_wrap_key(&s.head, &sk, uk);
	e = store_sign(&s, &sk);
	if (!e)
		*ret = s;
	return e;
}

const struct store *store_newer(const struct store *a, const struct store *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->head.generation != b->head.generation)
		return a->head.generation > b->head.generation ? a : b;
	return a->head.revision >= b->head.revision ? a : b;
}

/* 0xffffffff when the two are the same, else 0; no branch. */
static uint32_t same_mask(uint32_t a, uint32_t b)
{
	uint32_t x = a ^ b;

	return ((x | -x) >> 31) - 1;
}

/* Kinds of record as a set. */
#define KIND(kind) (1u << (kind))
#define KINDS_LOGIN \
	(KIND(CREDENTIAL_PASSWORD) | KIND(CREDENTIAL_TPM_PIN) | KIND(CREDENTIAL_TPM_PASSWORD))

/* Whose seals a lock takes away. */
static int is_users(const struct record *r)
{
	return credential_is_login(r->kind) || r->kind == CREDENTIAL_SELF_HELP;
}

/* Look at every record whether or not one was found before. */
static enum err record_find(struct record **ret, const struct store *s, uint32_t kinds,
			    uint32_t number, const uint8_t user[static USER_NAME_MAX + 1])
{
	uint32_t at = UINT32_MAX;

	for (uint32_t i = 0; i < s->head.record_count; i++) {
		const struct record *r = &s->records[i];
		uint32_t differs = (uint32_t)sodium_memcmp(r->user, user, sizeof(r->user));
		uint32_t found = same_mask(kinds >> (r->kind & 31) & 1, 1) &
				 same_mask(r->number, number) & same_mask(differs, 0);

		at = (at & ~found) | (i & found);
	}
	if (at == UINT32_MAX)
		return ERR_NOT_FOUND;
	*ret = &s->records[at];
	return OK;
}

static enum err users_record(struct record **ret, const struct store *s, uint32_t kinds,
			     const char *user)
{
	uint8_t field[USER_NAME_MAX + 1];

	if (!text_set(field, sizeof(field), user))
		return ERR_NOT_FOUND;
	return record_find(ret, s, kinds, 0, field);
}

enum err store_find_user(struct record **ret, const struct store *s, const char *user)
{
	return users_record(ret, s, KINDS_LOGIN, user);
}

enum err store_find_self_help(struct record **ret, const struct store *s, const char *user)
{
	return users_record(ret, s, KIND(CREDENTIAL_SELF_HELP), user);
}

enum err store_find_code(struct record **ret, const struct store *s, enum credential_kind kind,
			 uint16_t number)
{
	static const uint8_t nobody[USER_NAME_MAX + 1];

	return record_find(ret, s, KIND(kind), number, nobody);
}

enum err store_next_code(struct record **ret, const struct store *s)
{
	struct record *next = NULL;

	for (uint32_t i = 0; i < s->head.record_count; i++) {
		struct record *r = &s->records[i];

		if (r->kind == CREDENTIAL_ONE_TIME_CODE && r->has_seal &&
		    (!next || r->number < next->number))
			next = r;
	}
	if (!next)
		return ERR_NOT_FOUND;
	*ret = next;
	return OK;
}

/* Place of a record with this id; record_count when there is none. */
static size_t id_place(const struct store *s, const uint8_t id[static 16])
{
	size_t i = 0;

	while (i < s->head.record_count && memcmp(s->records[i].id, id, 16))
		i++;
	return i;
}

enum err store_add(struct store *s, const struct record *r)
{
	uint32_t kinds = credential_is_login(r->kind) ? KINDS_LOGIN : KIND(r->kind & 31);
	size_t count = s->head.record_count;
	struct record *same, *grown;

	if (record_check(r))
		return ERR_RANGE;
	if (!record_find(&same, s, kinds, r->number, r->user) || id_place(s, r->id) < count)
		return ERR_EXISTS;
	if (count >= STORE_RECORDS_MAX)
		return ERR_SPACE;
	grown = malloc((count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_MEMORY;
	if (count > 0)
		memcpy(grown, s->records, count * sizeof(*grown));
	grown[count] = *r;
	free(s->records);
	s->records = grown;
	s->head.record_count++;
	return OK;
}

/* Place of a credential's questions; questions_count when there are none. */
static size_t questions_place(const struct store *s, const uint8_t credential[static 16])
{
	size_t i = 0;

	while (i < s->head.questions_count && memcmp(s->questions[i].credential, credential, 16))
		i++;
	return i;
}

enum err store_questions_find(struct questions **ret, const struct store *s,
			      const uint8_t credential[static 16])
{
	size_t at = questions_place(s, credential);

	if (at == s->head.questions_count)
		return ERR_NOT_FOUND;
	*ret = &s->questions[at];
	return OK;
}

enum err store_questions_put(struct store *s, const struct questions *q)
{
	size_t at = questions_place(s, q->credential), count = s->head.questions_count;
	struct questions *grown;

	if (at < count) {
		s->questions[at] = *q;
		return OK;
	}
	if (count >= QUESTIONS_USERS_MAX)
		return ERR_SPACE;
	grown = malloc((count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_MEMORY;
	if (count > 0)
		memcpy(grown, s->questions, count * sizeof(*grown));
	grown[count] = *q;
	free(s->questions);
	s->questions = grown;
	s->head.questions_count++;
	return OK;
}

static void questions_remove(struct store *s, const uint8_t credential[static 16])
{
	size_t at = questions_place(s, credential), count = s->head.questions_count;

	if (at == count)
		return;
	memmove(&s->questions[at], &s->questions[at + 1], (count - at - 1) * sizeof(*s->questions));
	memset(&s->questions[count - 1], 0, sizeof(*s->questions));
	s->head.questions_count--;
}

enum err store_remove(struct store *s, const uint8_t id[static 16])
{
	size_t at = id_place(s, id), count = s->head.record_count;

	if (at == count)
		return ERR_NOT_FOUND;
	bindings_remove(&s->bindings, s->records[at].id);
	questions_remove(s, s->records[at].id);
	memmove(&s->records[at], &s->records[at + 1], (count - at - 1) * sizeof(*s->records));
	memset(&s->records[count - 1], 0, sizeof(*s->records));
	s->head.record_count--;
	return OK;
}

/* Seal for the new unlock key; a user's seal is dropped instead when the laptop is locked. */
static enum err records_reseal(struct record *records, size_t count, const struct unlock_key *uk,
			       int locked)
{
	for (size_t i = 0; i < count; i++) {
		/* the digest that is signed must not let a dropped seal back in */
		enum err e = record_seal(&records[i], uk);

		if (e)
			return e;
		if (locked && is_users(&records[i]))
			record_unseal(&records[i]);
	}
	return OK;
}

enum err store_rekey(struct store *s, const struct unlock_key *old_uk,
		     const struct unlock_key *new_uk, int locked)
{
	size_t bytes = s->head.record_count * sizeof(*s->records);
	struct record *records = NULL;
	STORE_SK sk = { 0 };
	enum err e = store_signing_key(&sk, s, old_uk);

	if (e)
		return e;
	if (bytes > 0) {
		records = malloc(bytes);
		if (!records)
			return ERR_MEMORY;
		memcpy(records, s->records, bytes);
	}
	e = records_reseal(records, s->head.record_count, new_uk, locked);
	if (!e)
		e = bindings_rekey(&s->bindings, old_uk, new_uk);
	if (e) {
		free(records);
		return e;
	}
	free(s->records);
	s->records = records;
	store_wrap_key(&s->head, &sk, new_uk);
	s->head.flags = locked ? STORE_LOCKED : 0;
	return OK;
}

static void revision_raise(struct store *s)
{
	if (s->head.revision < UINT32_MAX)
		s->head.revision++;
}

void store_drop_seal(struct store *s, struct record *r)
{
	record_unseal(r);
	revision_raise(s);
}

void store_lock(struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (is_users(&s->records[i]))
			record_unseal(&s->records[i]);
	revision_raise(s);
}

uint32_t store_user_count(const struct store *s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->head.record_count; i++)
		count += (uint32_t)credential_is_login(s->records[i].kind);
	return count;
}

int store_is_locked(const struct store *s)
{
	for (uint32_t i = 0; i < s->head.record_count; i++)
		if (is_users(&s->records[i]) && s->records[i].has_seal)
			return 0;
	return store_user_count(s) > 0;
}
