#include "agent/volumed/loadoption.h"

#include <string.h>
#include <strings.h>

#include "common/cursor.h"

#define NODE_HEAD 4
#define TYPE_MEDIA 0x04
#define MEDIA_HARDDRIVE 0x01
#define MEDIA_FILE 0x04
#define TYPE_END 0x7f
#define END_INSTANCE 0x01
#define END_ENTIRE 0xff
#define HARDDRIVE_BYTES 42
#define FORMAT_GPT 2
#define SIGNATURE_GUID 2

struct node {
	uint8_t type, sub_type;
	const uint8_t *body;
	size_t len; /* of the body */
};

static enum err node_next(struct node *ret, struct cursor *c)
{
	uint16_t len;

	ret->type = cursor_u8(c);
	ret->sub_type = cursor_u8(c);
	len = cursor_u16(c);
	if (c->e || len < NODE_HEAD)
		return ERR_FORMAT;
	ret->len = (size_t)len - NODE_HEAD;
	ret->body = cursor_take(c, ret->len);
	return c->e ? ERR_FORMAT : OK;
}

static int is_end(const struct node *n)
{
	return n->type == TYPE_END && n->sub_type == END_ENTIRE;
}

/* One or more device paths, the last one with its end. */
static enum err paths_check(const uint8_t *path, size_t len)
{
	struct cursor c = cursor_over(path, len);
	struct node n = { 0 };

	do {
		enum err e = node_next(&n, &c);

		if (e)
			return e;
		if (n.type == TYPE_END && (n.len || (n.sub_type != END_ENTIRE && n.sub_type != END_INSTANCE)))
			return ERR_FORMAT;
	} while (c.left);
	return is_end(&n) ? OK : ERR_FORMAT;
}

enum err loadoption_decode(struct loadoption *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct loadoption o = { 0 };
	enum err e;

	if (len > LOADOPTION_BYTES_MAX)
		return ERR_RANGE;
	o.attributes = cursor_u32(&c);
	o.path_len = cursor_u16(&c);
	o.text = c.at;
	while (cursor_u16(&c) && !c.e)
		o.text_len += 2;
	o.path = cursor_take(&c, o.path_len);
	if (c.e)
		return ERR_FORMAT;
	o.data = c.at;
	o.data_len = c.left;
	e = paths_check(o.path, o.path_len);
	if (!e)
		*ret = o;
	return e;
}

enum err loadoption_encode(uint8_t *ret, size_t *ret_len, const struct loadoption *o)
{
	struct writer w = writer_over(ret, LOADOPTION_BYTES_MAX);

	if (o->path_len > UINT16_MAX || o->text_len % 2)
		return ERR_RANGE;
	if (paths_check(o->path, o->path_len))
		return ERR_FORMAT;
	writer_u32(&w, o->attributes);
	writer_u16(&w, (uint16_t)o->path_len);
	writer_bytes(&w, o->text, o->text_len);
	writer_u16(&w, 0);
	writer_bytes(&w, o->path, o->path_len);
	writer_bytes(&w, o->data, o->data_len);
	if (w.e)
		return ERR_RANGE;
	*ret_len = LOADOPTION_BYTES_MAX - w.left;
	return OK;
}

static enum err harddrive_read(struct loadoption_file *ret, const struct node *n)
{
	struct cursor c = cursor_over(n->body, n->len);
	uint8_t format, signature;

	ret->partition = cursor_u32(&c);
	ret->start = cursor_u64(&c);
	ret->blocks = cursor_u64(&c);
	cursor_bytes(&c, ret->guid, sizeof(ret->guid));
	format = cursor_u8(&c);
	signature = cursor_u8(&c);
	return cursor_end(&c) || format != FORMAT_GPT || signature != SIGNATURE_GUID ? ERR_NOT_FOUND : OK;
}

/* The path may be spread over several nodes, with or without a separator where they join. */
static enum err path_add(char path[static LOADOPTION_TEXT_MAX], const struct node *n)
{
	struct cursor c = cursor_over(n->body, n->len);
	size_t at = strlen(path);
	uint16_t letter = cursor_u16(&c);

	if ((!at || path[at - 1] != '\\') && letter != '\\')
		path[at++] = '\\';
	if (at && path[at - 1] == '\\' && letter == '\\')
		letter = cursor_u16(&c);
	for (; !c.e && letter; letter = cursor_u16(&c)) {
		if (letter < ' ' || letter > '~' || at + 2 >= LOADOPTION_TEXT_MAX)
			return ERR_NOT_FOUND;
		path[at++] = (char)letter;
	}
	path[at] = '\0';
	return c.e ? ERR_NOT_FOUND : OK;
}

enum err loadoption_file(struct loadoption_file *ret, const struct loadoption *o)
{
	struct cursor c = cursor_over(o->path, o->path_len);
	struct loadoption_file f = { 0 };
	struct node n = { 0 };
	enum err e = node_next(&n, &c);

	for (; !e && n.type != TYPE_END; e = e ? e : node_next(&n, &c)) {
		if (n.type == TYPE_MEDIA && n.sub_type == MEDIA_HARDDRIVE)
			e = harddrive_read(&f, &n);
		else if (n.type == TYPE_MEDIA && n.sub_type == MEDIA_FILE)
			e = f.partition ? path_add(f.path, &n) : ERR_NOT_FOUND;
	}
	if (e || !f.partition || !f.path[0])
		return ERR_NOT_FOUND;
	*ret = f;
	return OK;
}

int loadoption_same(const struct loadoption_file *a, const struct loadoption_file *b)
{
	return !memcmp(a->guid, b->guid, sizeof(a->guid)) && !strcasecmp(a->path, b->path);
}

static void wide_put(struct writer *w, const char *text)
{
	for (; *text; text++)
		writer_u16(w, (uint8_t)*text);
}

static size_t path_bytes(const char *path)
{
	return NODE_HEAD + 2 * (strlen(path) + 1);
}

static void node_put(struct writer *w, uint8_t type, uint8_t sub_type, size_t len)
{
	writer_u8(w, type);
	writer_u8(w, sub_type);
	writer_u16(w, (uint16_t)len);
}

static void file_put(struct writer *w, const struct loadoption_file *f)
{
	node_put(w, TYPE_MEDIA, MEDIA_HARDDRIVE, HARDDRIVE_BYTES);
	writer_u32(w, f->partition);
	writer_u64(w, f->start);
	writer_u64(w, f->blocks);
	writer_bytes(w, f->guid, sizeof(f->guid));
	writer_u8(w, FORMAT_GPT);
	writer_u8(w, SIGNATURE_GUID);
	node_put(w, TYPE_MEDIA, MEDIA_FILE, path_bytes(f->path));
	wide_put(w, f->path);
	writer_u16(w, 0);
	node_put(w, TYPE_END, END_ENTIRE, NODE_HEAD);
}

enum err loadoption_make(uint8_t *ret, size_t *ret_len, const char *text, const struct loadoption_file *file,
			 const char *data)
{
	struct writer w = writer_over(ret, LOADOPTION_BYTES_MAX);

	writer_u32(&w, LOADOPTION_ACTIVE);
	writer_u16(&w, (uint16_t)(HARDDRIVE_BYTES + path_bytes(file->path) + NODE_HEAD));
	wide_put(&w, text);
	writer_u16(&w, 0);
	file_put(&w, file);
	if (data) {
		wide_put(&w, data);
		writer_u16(&w, 0);
	}
	if (w.e)
		return ERR_RANGE;
	*ret_len = LOADOPTION_BYTES_MAX - w.left;
	return OK;
}

void loadoption_text(char ret[static LOADOPTION_TEXT_MAX], const struct loadoption *o)
{
	struct cursor c = cursor_over(o->text, o->text_len);
	size_t n = 0;

	while (c.left >= 2 && n + 1 < LOADOPTION_TEXT_MAX) {
		uint16_t letter = cursor_u16(&c);

		ret[n++] = letter >= ' ' && letter <= '~' ? (char)letter : '?';
	}
	ret[n] = '\0';
}
