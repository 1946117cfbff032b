/* Proof, encoder and decoder of one table, for the source file of its noun. Set
 *   FORMAT_TABLE   the table's file, such as "store_head_v1.inc"
 *   FORMAT_NOUN    the struct made from it, such as store_head
 *   FORMAT_PREFIX  the same in capitals, for the constants
 * and include this file: it makes PREFIX_AT_name for each field, PREFIX_BYTES, NOUN_read and
 * NOUN_write, and takes the three names back. No include guard: a file may have several tables. */
#include "format.h"

#define FORMAT_PASTE_(a, b) a##b
#define FORMAT_PASTE(a, b) FORMAT_PASTE_(a, b)
#define FORMAT_PLACE_(prefix, name, len) FORMAT_PLACE(prefix, name, len)
#define FORMAT_PROVE_(prefix, noun, name, at, len) FORMAT_PROVE(prefix, noun, name, at, len)

enum {
#define FIELD(kind, name, at, len) FORMAT_PLACE_(FORMAT_PREFIX, name, len)
#include FORMAT_TABLE
#undef FIELD
	FORMAT_PASTE(FORMAT_PREFIX, _BYTES)
};

#define FIELD(kind, name, at, len) FORMAT_PROVE_(FORMAT_PREFIX, FORMAT_NOUN, name, at, len)
#include FORMAT_TABLE
#undef FIELD

static void FORMAT_PASTE(FORMAT_NOUN, _read)(struct cursor *c, struct FORMAT_NOUN *ret)
{
#define FIELD(kind, name, at, len) FORMAT_READ(kind, c, ret, name, len)
#include FORMAT_TABLE
#undef FIELD
}

static void FORMAT_PASTE(FORMAT_NOUN, _write)(struct writer *w, const struct FORMAT_NOUN *v)
{
#define FIELD(kind, name, at, len) FORMAT_WRITE(kind, w, v, name, len)
#include FORMAT_TABLE
#undef FIELD
}

#undef FORMAT_PASTE_
#undef FORMAT_PASTE
#undef FORMAT_PLACE_
#undef FORMAT_PROVE_
#undef FORMAT_TABLE
#undef FORMAT_NOUN
#undef FORMAT_PREFIX
