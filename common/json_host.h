/* Strict JSON over jansson: size-bounded, no duplicate members; typed getters that name no value. */
#ifndef HOLDFAST_JSON_HOST_H
#define HOLDFAST_JSON_HOST_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "secret.h"

#define JSON_BYTES_MAX ((size_t)1 << 20)
#define JSON_DEPTH_MAX 16

void json_drop(json_t **j);
#define JSON __attribute__((cleanup(json_drop))) json_t

/* An object or an array. Errors: ERR_FORMAT (also for duplicates, NUL in strings, more than
 * JSON_BYTES_MAX bytes or JSON_DEPTH_MAX levels). */
MUST_CHECK enum err json_parse(json_t **ret, const char *text, size_t len);
/* Compact text, malloc'ed, members in the order of insertion. Errors: ERR_MEMORY. */
MUST_CHECK enum err json_print(char **ret, const json_t *j);

/* Members of an object; pointers are borrowed. Errors: ERR_FORMAT when absent or of another type. */
MUST_CHECK enum err json_get_string(const char **ret, const json_t *o, const char *name);
MUST_CHECK enum err json_get_u64(uint64_t *ret, const json_t *o, const char *name);
MUST_CHECK enum err json_get_object(json_t **ret, const json_t *o, const char *name);
MUST_CHECK enum err json_get_array(json_t **ret, const json_t *o, const char *name);
/* Exactly len bytes, from lower-case hex / from base64url. */
MUST_CHECK enum err json_get_hex(uint8_t *ret, size_t len, const json_t *o, const char *name);
MUST_CHECK enum err json_get_b64(uint8_t *ret, size_t len, const json_t *o, const char *name);

/* Into ret[size], NUL included. Errors: ERR_FORMAT when it does not fit. */
MUST_CHECK enum err json_copy_string(char *ret, size_t size, const json_t *o, const char *name);

/* Take a string out of JSON text before jansson, which never wipes what it frees, sees it: the value of
 * the outermost object's member `name` is moved to ret and overwritten with zeros ('0') in text.
 * Strings with escapes are refused. Errors: ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err json_take_secret(struct secret *ret, struct secret *text, const char *name);

/* base64url without padding, canonical (no other text has the same bytes). Decoded bytes have a NUL behind
 * them that len does not count. malloc'ed. Errors: ERR_MEMORY, ERR_FORMAT. */
MUST_CHECK enum err b64_encode(char **ret, const void *bytes, size_t len);
MUST_CHECK enum err b64_decode(uint8_t **ret, size_t *ret_len, const char *text, size_t len);
/* ret holds 2 * len + 1 characters. */
void hex_encode(char *ret, const void *bytes, size_t len);
MUST_CHECK enum err hex_decode(uint8_t *ret, size_t len, const char *text);

/* Lower case only: ids are compared as text. Errors: ERR_FORMAT. */
MUST_CHECK enum err hex_check(const char *text, size_t bytes);

/* free() for cleanup attributes. */
void text_drop(char **text);
#define TEXT __attribute__((cleanup(text_drop))) char
/* The same for bytes, and for text that is wiped first. */
void blob_drop(uint8_t **bytes);
#define BLOB __attribute__((cleanup(blob_drop))) uint8_t
void text_wipe(char **text);
#define TEXT_SECRET __attribute__((cleanup(text_wipe))) char

#endif
