/* Text fields of the binary formats: fixed size, zero padded, at least one zero at the end, so that
 * they are C strings as they lie. */
#ifndef HOLDFAST_TEXT_H
#define HOLDFAST_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (RFC 3629) that is safe to show: no control characters and no change of writing
 * direction. May be empty. */
int text_valid(const uint8_t *field, size_t size);

/* The same, but in lines: "\n" may stand in it. */
int text_lines_valid(const uint8_t *field, size_t size);

/* A name: [a-z0-9_-], not empty. */
int text_is_name(const uint8_t *field, size_t size);

/* A keyboard layout as XKB calls it, with or without a variant: [A-Za-z0-9_()-]. May be empty. */
int text_is_layout(const uint8_t *field, size_t size);

/* Put a string into a field. 0 when it does not fit. */
int text_set(uint8_t *ret, size_t size, const char *string);

#endif
