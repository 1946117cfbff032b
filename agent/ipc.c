#include "agent/ipc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/secret.h"

#define HEAD_BYTES 8
#define ERROR_SHAPE "ds"

#define AGENT IPC_AGENT_ONLY
#define ANYBODY IPC_ANYBODY
#define ROOT IPC_ROOT_ONLY

static const struct request {
	uint16_t type;
	enum ipc_who who;
	const char *name, *shape, *answer;
} requests[] = {
#define REQUEST(name, number, who, request, answer) { number, who, #name, request, answer },
#include "ipc_v1.inc"
#undef REQUEST
};

static const struct request *request_find(uint16_t type)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

static const char *shape_of(uint16_t type, uint16_t request)
{
	const struct request *r;

	if (type == IPC_ERROR)
		return ERROR_SHAPE;
	if (type == IPC_NOTIFY)
		return "";
	r = request_find(type == IPC_OK ? request : type);
	if (!r)
		return NULL;
	return type == IPC_OK ? r->answer : r->shape;
}

const char *ipc_name(uint16_t type)
{
	const struct request *r = request_find(type);

	return r ? r->name : "?";
}

int ipc_permitted(uint16_t type, const struct ipc_peer *peer, uid_t agent_uid)
{
	const struct request *r = request_find(type);

	if (!r)
		return 0;
	if (peer->uid == 0 || r->who == IPC_ANYBODY)
		return 1;
	return r->who == IPC_AGENT_ONLY && peer->uid == agent_uid;
}

void ipc_drop(struct ipc_message *m)
{
	for (unsigned i = 0; i < IPC_VALUES_MAX; i++) {
		if (m->value[i].text)
			secret_wipe(m->value[i].text, m->value[i].len);
		free(m->value[i].text);
	}
	secret_wipe(m, sizeof(*m));
}

void ipc_start(struct ipc_message *m, uint16_t type)
{
	ipc_drop(m);
	m->type = type;
}

static struct ipc_value *value_next(struct ipc_message *m)
{
	if (!m->e && m->count == IPC_VALUES_MAX)
		m->e = ERR_INTERNAL;
	return m->e ? NULL : &m->value[m->count++];
}

static enum err value_text(struct ipc_value *v, const void *bytes, size_t len)
{
	v->text = malloc(len + 1);
	if (!v->text)
		return ERR_MEMORY;
	memcpy(v->text, bytes, len);
	v->text[len] = '\0';
	v->len = len;
	return OK;
}

void ipc_add_text(struct ipc_message *m, const char *text)
{
	struct ipc_value *v = value_next(m);

	if (v)
		m->e = value_text(v, text, strlen(text));
}

void ipc_add_key(struct ipc_message *m, const uint8_t key[static KEY_BYTES])
{
	struct ipc_value *v = value_next(m);

	if (v)
		memcpy(v->key, key, KEY_BYTES);
}

void ipc_add_number(struct ipc_message *m, uint64_t number)
{
	struct ipc_value *v = value_next(m);

	if (v)
		v->number = number;
}

void ipc_start_error(struct ipc_message *m, enum err e, const char *about)
{
	ipc_start(m, IPC_ERROR);
	ipc_add_number(m, e);
	ipc_add_text(m, about ? about : err_text(e));
}

static size_t value_bytes(char kind, const struct ipc_value *v)
{
	switch (kind) {
	case 's': return 4 + v->len;
	case 'k': return KEY_BYTES;
	case 'd': return 4;
	default: return 8;
	}
}

static void value_write(struct writer *w, char kind, const struct ipc_value *v)
{
	switch (kind) {
	case 's':
		writer_u32(w, (uint32_t)v->len);
		writer_bytes(w, v->text ? v->text : "", v->len);
		break;
	case 'k':
		writer_bytes(w, v->key, KEY_BYTES);
		break;
	case 'd':
		writer_u32(w, (uint32_t)v->number);
		break;
	default:
		writer_u64(w, v->number);
	}
}

static enum err value_read(struct ipc_value *v, struct cursor *c, char kind)
{
	const uint8_t *bytes;
	size_t len;

	switch (kind) {
	case 's':
		len = cursor_u32(c);
		bytes = cursor_take(c, len);
		if (!bytes || memchr(bytes, 0, len))
			return ERR_FORMAT;
		return value_text(v, bytes, len);
	case 'k':
		cursor_bytes(c, v->key, KEY_BYTES);
		return OK;
	case 'd':
		v->number = cursor_u32(c);
		return OK;
	default:
		v->number = cursor_u64(c);
		return OK;
	}
}

enum err ipc_encode(uint8_t **ret, size_t *ret_len, const struct ipc_message *m, uint16_t request)
{
	const char *shape = shape_of(m->type, request);
	size_t len = HEAD_BYTES;
	struct writer w;
	uint8_t *bytes;

	if (m->e)
		return m->e;
	if (!shape || strlen(shape) != m->count)
		return ERR_INTERNAL;
	for (unsigned i = 0; i < m->count; i++)
		len += value_bytes(shape[i], &m->value[i]);
	if (len > IPC_BYTES_MAX)
		return ERR_SPACE;
	bytes = malloc(len);
	if (!bytes)
		return ERR_MEMORY;
	w = writer_over(bytes, len);
	writer_u16(&w, m->type);
	writer_u16(&w, 0);
	writer_u32(&w, (uint32_t)(len - HEAD_BYTES));
	for (unsigned i = 0; i < m->count; i++)
		value_write(&w, shape[i], &m->value[i]);
	if (writer_end(&w)) {
		secret_wipe(bytes, len);
		free(bytes);
		return ERR_INTERNAL;
	}
	*ret = bytes;
	*ret_len = len;
	return OK;
}

enum err ipc_decode(struct ipc_message *ret, const uint8_t *bytes, size_t len, uint16_t request)
{
	struct cursor c = cursor_over(bytes, len);
	IPC_MESSAGE m = { 0 };
	const char *shape;
	uint16_t reserved;
	uint32_t body;
	enum err e;

	if (len > IPC_BYTES_MAX)
		return ERR_FORMAT;
	m.type = cursor_u16(&c);
	reserved = cursor_u16(&c);
	body = cursor_u32(&c);
	shape = shape_of(m.type, request);
	if (c.e || reserved || body != len - HEAD_BYTES || !shape)
		return ERR_FORMAT;
	for (; shape[m.count]; m.count++) {
		e = value_read(&m.value[m.count], &c, shape[m.count]);
		if (e)
			return e;
	}
	e = cursor_end(&c);
	if (e)
		return e;
	ipc_drop(ret);
	*ret = m;
	memset(&m, 0, sizeof(m));
	return OK;
}
