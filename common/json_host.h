/* Strict JSON over jansson: size-bounded, no duplicate members; typed getters that name no value. */
#ifndef HOLDFAST_JSON_HOST_H
#define HOLDFAST_JSON_HOST_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define JSON_BYTES_MAX ((size_t)1 << 20)

void json_drop(json_t **j);
#define JSON __attribute__((cleanup(json_drop))) json_t

/* Errors: ERR_FORMAT. */
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

/* Text forms, malloc'ed. Errors: ERR_MEMORY, ERR_FORMAT. */
MUST_CHECK enum err b64_encode(char **ret, const void *bytes, size_t len);
MUST_CHECK enum err b64_decode(uint8_t **ret, size_t *ret_len, const char *text, size_t len);
/* ret holds 2 * len + 1 characters. */
void hex_encode(char *ret, const void *bytes, size_t len);
MUST_CHECK enum err hex_decode(uint8_t *ret, size_t len, const char *text);

/* free() for cleanup attributes. */
void text_drop(char **text);
#define TEXT __attribute__((cleanup(text_drop))) char

#endif
