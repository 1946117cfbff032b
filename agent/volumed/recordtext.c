#include "agent/volumed/recordtext.h"

#include "common/cursor.h"

#define FORMAT_TABLE "store_record_v1.inc"
#define FORMAT_NOUN record
#define FORMAT_PREFIX RECORD
#include "common/format_codec.h"

enum err recordtext_put(json_t *o, const char *name, const struct record *r)
{
	uint8_t bytes[RECORD_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	TEXT *text = NULL;
	enum err e;

	record_write(&w, r);
	e = writer_end(&w);
	if (!e)
		e = b64_encode(&text, bytes, sizeof(bytes));
	if (!e && json_object_set_new(o, name, json_string(text)))
		e = ERR_MEMORY;
	return e;
}

enum err recordtext_get(struct record *ret, const json_t *o, const char *name)
{
	uint8_t bytes[RECORD_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	enum err e = json_get_b64(bytes, sizeof(bytes), o, name);

	if (e)
		return e;
	record_read(&c, ret);
	return cursor_end(&c);
}
