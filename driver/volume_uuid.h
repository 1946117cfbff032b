/* UUID: between sixteen bytes in text order and the text that LUKS2 and crypttab use. */
#ifndef HOLDFAST_VOLUME_UUID_H
#define HOLDFAST_VOLUME_UUID_H

#include <stdint.h>

#include "../common/err.h"

#define UUID_TEXT_BYTES 36

/* Lower case, with hyphens, NUL-terminated. */
void uuid_format(char ret[static UUID_TEXT_BYTES + 1], const uint8_t uuid[static 16]);
/* Exactly the text form, either case; libcryptsetup's UUIDs may be any text. Errors: ERR_FORMAT. */
MUST_CHECK enum err uuid_parse(uint8_t ret[static 16], const char *text);

#endif
