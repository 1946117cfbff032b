/* Names and ids as the protocol allows them. docs/protocol.md, "Names and ids". */
#ifndef HOLDFAST_SERVER_NAME_H
#define HOLDFAST_SERVER_NAME_H

#include <stddef.h>

#define NAME_MAX_BYTES 64
#define ID_TEXT 33 /* 32 hex digits and NUL */
#define TAG_DIGITS 8

int name_is_officer(const char *text);
int name_is_device(const char *text);
/* Exactly `digits` lower-case hex digits. */
int name_is_hex(const char *text, size_t digits);
/* 16 random bytes in hex. */
void name_new_id(char ret[ID_TEXT]);

#endif
