/* Escrow messages and receipts. */
#include "escrow_host.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TYP_ESCROW "holdfast-escrow"
#define TYP_RECEIPT "holdfast-receipt"
#define ID_BYTES 16
#define CODE_LETTERS_MAX 128
#define PLAIN_BYTES_MAX 512

void escrow_drop(struct escrow *e)
{
	json_drop(&e->keyslots);
	*e = (struct escrow){ 0 };
}

static int kind_fits(const char *purpose, const char *kind)
{
	return (!strcmp(purpose, ESCROW_HELP) && !strcmp(kind, ESCROW_ONE_TIME_CODE)) ||
	       (!strcmp(purpose, ESCROW_RECOVERY) && !strcmp(kind, ESCROW_RECOVERY_KEY));
}

static enum err shape_check(const struct escrow *e)
{
	if (hex_check(e->id, ID_BYTES) || hex_check(e->device, ID_BYTES) ||
	    hex_check(e->enrolment, ID_BYTES) || !kind_fits(e->purpose, e->kind) ||
	    e->created > INT64_MAX)
		return ERR_FORMAT;
	return OK;
}

/* Letters and hyphens go into JSON as they are. */
static enum err code_shape(const struct secret *code)
{
	if (!code->len || code->len > CODE_LETTERS_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < code->len; i++)
		if ((code->bytes[i] < 'A' || code->bytes[i] > 'Z') && code->bytes[i] != '-')
			return ERR_RANGE;
	return OK;
}

/* Written by hand: what jansson has copied it does not wipe. */
static enum err plain_new(struct secret *ret, const struct escrow *e, const struct secret *code)
{
	SECRET struct secret plain = { 0 };
	enum err err;
	int len;

	err = secret_new(&plain, PLAIN_BYTES_MAX);
	if (err)
		return err;
	len = snprintf((char *)plain.bytes, plain.len,
		       "{\"id\":\"%s\",\"device\":\"%s\",\"enrolment\":\"%s\",\"kind\":\"%s\","
		       "\"number\":%u,\"secret\":\"%.*s\"}",
		       e->id, e->device, e->enrolment, e->kind, e->number, (int)code->len,
		       (const char *)code->bytes);
	if (len < 0 || (size_t)len >= plain.len)
		return ERR_INTERNAL;
	return secret_copy(ret, plain.bytes, (size_t)len);
}

static json_t *outside_new(const struct escrow *e, const char *sealed)
{
	JSON *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "id", e->id, "purpose", e->purpose,
			    "kind", e->kind, "device", e->device, "enrolment", e->enrolment,
			    "number", (int)e->number);

	if (!o || (e->keyslots && json_object_set(o, "keyslots", e->keyslots)) ||
	    json_object_set_new(o, "created", json_integer((json_int_t)e->created)) ||
	    json_object_set_new(o, "sealed", json_string(sealed)))
		return NULL;
	return json_incref(o);
}

enum err escrow_seal(char **ret, const struct escrow *e, const struct secret *code,
		     const struct agree_pk *escrow_key, const struct sign_sk *attestation)
{
	SECRET struct secret plain = { 0 };
	TEXT *sealed = NULL;
	JSON *payload = NULL;
	enum err err;

	if (shape_check(e) || code_shape(code))
		return ERR_RANGE;
	err = plain_new(&plain, e, code);
	if (!err)
		err = jwe_seal(&sealed, escrow_key, plain.bytes, plain.len);
	if (err)
		return err;
	payload = outside_new(e, sealed);
	if (!payload)
		return ERR_MEMORY;
	return jws_sign(ret, TYP_ESCROW, payload, attestation);
}

static enum err number_from_json(uint16_t *ret, const json_t *o)
{
	uint64_t number;

	if (json_get_u64(&number, o, "number") || number > UINT16_MAX)
		return ERR_FORMAT;
	*ret = (uint16_t)number;
	return OK;
}

static enum err outside_read(struct escrow *ret, const json_t *o)
{
	struct escrow e = { 0 };
	json_t *keyslots = json_object_get(o, "keyslots");
	const char *sealed;

	if (json_copy_string(e.id, sizeof e.id, o, "id") ||
	    json_copy_string(e.purpose, sizeof e.purpose, o, "purpose") ||
	    json_copy_string(e.kind, sizeof e.kind, o, "kind") ||
	    json_copy_string(e.device, sizeof e.device, o, "device") ||
	    json_copy_string(e.enrolment, sizeof e.enrolment, o, "enrolment") ||
	    number_from_json(&e.number, o) || json_get_u64(&e.created, o, "created") ||
	    json_get_string(&sealed, o, "sealed") || (keyslots && !json_is_object(keyslots)))
		return ERR_FORMAT;
	if (shape_check(&e))
		return ERR_FORMAT;
	e.keyslots = json_incref(keyslots);
	*ret = e;
	return OK;
}

enum err escrow_verify(struct escrow *ret, const char *jws, const struct sign_pk *attestation)
{
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP_ESCROW, jws, attestation);
	return e ? e : outside_read(ret, payload);
}

static int same(const json_t *inside, const char *name, const char *outside)
{
	const char *text;

	return !json_get_string(&text, inside, name) && !strcmp(text, outside);
}

static enum err inside_check(const json_t *inside, const struct escrow *outside)
{
	uint16_t number;

	if (number_from_json(&number, inside))
		return ERR_FORMAT;
	if (!same(inside, "id", outside->id) || !same(inside, "device", outside->device) ||
	    !same(inside, "enrolment", outside->enrolment) ||
	    !same(inside, "kind", outside->kind) || number != outside->number)
		return ERR_CHANGED;
	return OK;
}

static enum err inside_open(struct secret *ret_code, const char *sealed,
			    const struct escrow *outside, const struct agree_sk *escrow_key)
{
	SECRET struct secret plain = { 0 }, code = { 0 };
	JSON *inside = NULL;
	enum err e;

	e = jwe_unseal(&plain, sealed, escrow_key);
	if (!e)
		e = json_take_secret(&code, &plain, "secret");
	if (!e && code_shape(&code))
		e = ERR_FORMAT;
	if (!e)
		e = json_parse(&inside, (const char *)plain.bytes, plain.len);
	if (!e)
		e = inside_check(inside, outside);
	if (e)
		return e;
	*ret_code = code;
	code = (struct secret){ 0 };
	return OK;
}

enum err escrow_open(struct secret *ret_code, struct escrow *ret, const char *jws,
		     const struct sign_pk *attestation, const struct agree_sk *escrow_key)
{
	struct escrow outside = { 0 };
	JSON *payload = NULL;
	enum err e;

	e = jws_verify(&payload, TYP_ESCROW, jws, attestation);
	if (!e)
		e = outside_read(&outside, payload);
	if (e)
		return e;
	e = inside_open(ret_code, json_string_value(json_object_get(payload, "sealed")), &outside,
			escrow_key);
	if (e) {
		escrow_drop(&outside);
		return e;
	}
	*ret = outside;
	return OK;
}

static void digest_text(char ret[KID_BYTES], const char *message)
{
	uint8_t digest[DIGEST_BYTES];

	jws_digest(digest, message);
	sodium_bin2base64(ret, KID_BYTES, digest, sizeof digest,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static json_t *items_new(const char *const *ids, const char *const *messages, size_t count)
{
	json_t *items = json_array();
	char digest[KID_BYTES];

	for (size_t i = 0; items && i < count; i++) {
		digest_text(digest, messages[i]);
		if (json_array_append_new(items, json_pack("{s:s, s:s}", "id", ids[i], "digest",
							   digest)))
			json_drop(&items);
	}
	return items;
}

enum err receipt_sign(char **ret, const char *device, const char *enrolment, uint64_t time,
		      const char *const *ids, const char *const *messages, size_t count,
		      const struct sign_sk *server)
{
	JSON *payload = json_pack("{s:o, s:s, s:s, s:I}", "items", items_new(ids, messages, count),
				  "device", device, "enrolment", enrolment, "time",
				  (json_int_t)time);

	return payload ? jws_sign(ret, TYP_RECEIPT, payload, server) : ERR_MEMORY;
}

static enum err items_cover(const json_t *items, const char *id, const char *message)
{
	char digest[KID_BYTES];

	digest_text(digest, message);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *item_id, *item_digest;

		if (json_get_string(&item_id, item, "id") ||
		    json_get_string(&item_digest, item, "digest"))
			return ERR_FORMAT;
		if (!strcmp(item_id, id))
			return strcmp(item_digest, digest) ? ERR_CHANGED : OK;
	}
	return ERR_NOT_FOUND;
}

enum err receipt_verify(const char *receipt, const char *device, const char *enrolment,
			const char *id, const char *message, const struct sign_pk *server)
{
	JSON *payload = NULL;
	json_t *items;
	const char *text;
	enum err e;

	e = jws_verify(&payload, TYP_RECEIPT, receipt, server);
	if (e)
		return e;
	if (json_get_array(&items, payload, "items") || json_get_string(&text, payload, "device") ||
	    json_get_string(&text, payload, "enrolment"))
		return ERR_FORMAT;
	if (!same(payload, "device", device) || !same(payload, "enrolment", enrolment))
		return ERR_MISDIRECTED;
	return items_cover(items, id, message);
}
