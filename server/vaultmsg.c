/* Messages between frontend and vault. */
#include "vaultmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cursor.h"
#include "common/secret.h"

static const char *request_shape(uint16_t type)
{
	switch (type) {
#define REQUEST(name, number, request, answer)                                                     \
	case number:                                                                               \
		return request;
#include "vaultmsg_v1.inc"
#undef REQUEST
	default:
		return NULL;
	}
}

static const char *answer_shape(uint16_t type)
{
	switch (type) {
#define REQUEST(name, number, request, answer)                                                     \
	case number:                                                                               \
		return answer;
#include "vaultmsg_v1.inc"
#undef REQUEST
	default:
		return NULL;
	}
}

static const char *shape_of(uint16_t type, uint16_t request)
{
	if (type == VAULT_OK)
		return answer_shape(request);
	if (type == VAULT_ERROR)
		return "qqs";
	return request_shape(type);
}

void vaultmsg_drop(struct vaultmsg *m)
{
	for (size_t i = 0; i < VAULTMSG_VALUES_MAX; i++) {
		if (m->value[i].text)
			secret_wipe(m->value[i].text, m->value[i].len);
		free(m->value[i].text);
	}
	secret_wipe(m, sizeof(*m));
}

void vaultmsg_start(struct vaultmsg *m, uint16_t type)
{
	vaultmsg_drop(m);
	m->type = type;
}

static struct vaultmsg_value *value_new(struct vaultmsg *m)
{
	if (m->count == VAULTMSG_VALUES_MAX) {
		m->e = ERR_INTERNAL;
		return NULL;
	}
	return &m->value[m->count++];
}

void vaultmsg_add_text(struct vaultmsg *m, const char *text)
{
	struct vaultmsg_value *v = value_new(m);

	if (!v)
		return;
	v->text = strdup(text ? text : "");
	if (!v->text)
		m->e = ERR_MEMORY;
	else
		v->len = strlen(v->text);
}

void vaultmsg_add_key(struct vaultmsg *m, const uint8_t key[static KEY_BYTES])
{
	struct vaultmsg_value *v = value_new(m);

	if (v)
		memcpy(v->key, key, KEY_BYTES);
}

void vaultmsg_add_number(struct vaultmsg *m, uint64_t number)
{
	struct vaultmsg_value *v = value_new(m);

	if (v)
		v->number = number;
}

/* Is the value of the kind that the shape's letter asks for, as far as a value shows it? */
static int is_of_kind(const struct vaultmsg_value *v, char kind)
{
	return !v->text == (kind != 's');
}

static enum err body_len(size_t *ret, const struct vaultmsg *m, const char *shape)
{
	size_t len = 0;

	if (m->e)
		return m->e;
	if (!shape || strlen(shape) != m->count)
		return ERR_INTERNAL;
	for (unsigned i = 0; i < m->count; i++) {
		if (!is_of_kind(&m->value[i], shape[i]))
			return ERR_INTERNAL;
		len += shape[i] == 's' ? 4 + m->value[i].len : shape[i] == 'k' ? KEY_BYTES : 8;
	}
	if (len > VAULTMSG_BODY_MAX)
		return ERR_SPACE;
	*ret = len;
	return OK;
}

static void write_value(struct writer *w, const struct vaultmsg_value *v, char kind)
{
	if (kind == 's') {
		writer_u32(w, (uint32_t)v->len);
		writer_bytes(w, v->text, v->len);
	} else if (kind == 'k') {
		writer_bytes(w, v->key, KEY_BYTES);
	} else {
		writer_u64(w, v->number);
	}
}

static void read_value(struct cursor *c, struct vaultmsg_value *v, char kind)
{
	const uint8_t *bytes;
	uint32_t len;

	if (kind == 'k') {
		cursor_bytes(c, v->key, KEY_BYTES);
	} else if (kind == 'q') {
		v->number = cursor_u64(c);
	} else {
		len = cursor_u32(c);
		bytes = cursor_take(c, len);
		if (!bytes || memchr(bytes, 0, len)) {
			c->e = ERR_FORMAT;
			return;
		}
		v->text = malloc((size_t)len + 1);
		if (!v->text) {
			c->e = ERR_MEMORY;
			return;
		}
		memcpy(v->text, bytes, len);
		v->text[len] = 0;
		v->len = len;
	}
}

enum err vaultmsg_encode(uint8_t **ret, size_t *ret_len, const struct vaultmsg *m, uint16_t request)
{
	const char *shape = shape_of(m->type, request);
	struct writer w;
	size_t len;
	uint8_t *frame;
	enum err e = body_len(&len, m, shape);

	if (e)
		return e;
	frame = malloc(VAULTMSG_HEAD_BYTES + len);
	if (!frame)
		return ERR_MEMORY;
	w = writer_over(frame, VAULTMSG_HEAD_BYTES + len);
	writer_u16(&w, m->type);
	writer_u16(&w, 0);
	writer_u32(&w, (uint32_t)len);
	for (unsigned i = 0; i < m->count; i++)
		write_value(&w, &m->value[i], shape[i]);
	e = writer_end(&w);
	if (e) {
		secret_wipe(frame, VAULTMSG_HEAD_BYTES + len);
		free(frame);
		return e;
	}
	*ret = frame;
	*ret_len = VAULTMSG_HEAD_BYTES + len;
	return OK;
}

enum err vaultmsg_decode(struct vaultmsg *ret, const uint8_t *frame, size_t len, uint16_t request)
{
	struct cursor c = cursor_over(frame, len);
	VAULTMSG m = { 0 };
	const char *shape;
	uint16_t reserved;
	uint32_t body;
	enum err e;

	m.type = cursor_u16(&c);
	reserved = cursor_u16(&c);
	body = cursor_u32(&c);
	shape = shape_of(m.type, request);
	if (c.e || reserved || !shape || body > VAULTMSG_BODY_MAX || body != c.left)
		return ERR_FORMAT;
	for (; *shape && !c.e; shape++)
		read_value(&c, &m.value[m.count++], *shape);
	e = c.e == ERR_MEMORY ? ERR_MEMORY : cursor_end(&c);
	if (e)
		return e;
	*ret = m;
	secret_wipe(&m, sizeof(m)); /* given away: the texts are ret's now */
	return OK;
}

static enum err write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_NETWORK;
		bytes += n;
		len -= (size_t)n;
	}
	return OK;
}

static enum err read_all(int fd, uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = read(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_NETWORK;
		bytes += n;
		len -= (size_t)n;
	}
	return OK;
}

enum err vaultmsg_send(int fd, const struct vaultmsg *m, uint16_t request)
{
	uint8_t *frame;
	size_t len;
	enum err e = vaultmsg_encode(&frame, &len, m, request);

	if (e)
		return e;
	e = write_all(fd, frame, len);
	secret_wipe(frame, len);
	free(frame);
	return e;
}

enum err vaultmsg_receive(struct vaultmsg *ret, int fd, uint16_t request)
{
	uint8_t head[VAULTMSG_HEAD_BYTES];
	struct cursor c;
	uint8_t *frame;
	size_t len;
	enum err e = read_all(fd, head, sizeof(head));

	if (e)
		return e;
	c = cursor_over(head + 4, 4);
	len = cursor_u32(&c);
	if (len > VAULTMSG_BODY_MAX)
		return ERR_FORMAT;
	frame = malloc(sizeof(head) + len);
	if (!frame)
		return ERR_MEMORY;
	memcpy(frame, head, sizeof(head));
	e = read_all(fd, frame + sizeof(head), len);
	if (!e)
		e = vaultmsg_decode(ret, frame, sizeof(head) + len, request);
	secret_wipe(frame, sizeof(head) + len);
	free(frame);
	return e;
}

enum err vaultmsg_call(struct vaultmsg *ret, struct fault *fault, int fd,
		       const struct vaultmsg *request)
{
	VAULTMSG answer = { 0 };
	enum err e = vaultmsg_send(fd, request, 0);

	if (!e)
		e = vaultmsg_receive(&answer, fd, request->type);
	if (e)
		return e;
	if (answer.type == VAULT_ERROR) {
		e = answer.value[0].number > ERR_INTERNAL || !answer.value[0].number
			    ? ERR_INTERNAL
			    : (enum err)answer.value[0].number;
		return fault_say(fault,
				 answer.value[1].number < FAULT_COUNT && answer.value[1].number
					 ? (enum fault_code)answer.value[1].number
					 : FAULT_INTERNAL,
				 e, "%s", answer.value[2].text);
	}
	if (answer.type != VAULT_OK)
		return ERR_FORMAT;
	vaultmsg_drop(ret);
	*ret = answer;
	secret_wipe(&answer, sizeof(answer));
	return OK;
}
