#include "agent/volumed/vstate.h"

#include <stdlib.h>
#include <string.h>

#include "agent/volumed/durable.h"

enum err vstate_load(struct vstate *ret, const char *folder)
{
	uint8_t *bytes = NULL;
	json_t *root = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, folder, VSTATE_FILE, JSON_BYTES_MAX);

	if (e == ERR_NOT_FOUND) {
		root = json_object();
		e = root ? OK : ERR_MEMORY;
	} else if (!e) {
		e = json_parse(&root, (const char *)bytes, len);
	}
	free(bytes);
	if (!e && !json_is_object(root)) {
		json_decref(root);
		e = ERR_FORMAT;
	}
	if (e)
		return e;
	ret->folder = folder;
	ret->root = root;
	return OK;
}

enum err vstate_save(const struct vstate *s)
{
	TEXT *text = NULL;
	enum err e = json_print(&text, s->root);

	return e ? e : durable_write(s->folder, VSTATE_FILE, text, strlen(text), 0600);
}

void vstate_drop(struct vstate *s)
{
	json_drop(&s->root);
}

json_t *vstate_find(const struct vstate *s, const char *section)
{
	json_t *o = json_object_get(s->root, section);

	return json_is_object(o) ? o : NULL;
}

json_t *vstate_make(struct vstate *s, const char *section)
{
	if (!vstate_find(s, section) &&
	    json_object_set_new(s->root, section, json_object()))
		return NULL;
	return vstate_find(s, section);
}

void vstate_remove(struct vstate *s, const char *section)
{
	(void)json_object_del(s->root, section);
}

enum err vstate_commit(struct vstate *s, const char *section, json_t *content)
{
	JSON *before = json_incref(vstate_find(s, section));
	enum err e = content && !json_object_set_new(s->root, section, content) ? vstate_save(s)
										: ERR_MEMORY;

	if (!e)
		return OK;
	if (!before)
		vstate_remove(s, section);
	else if (json_object_set(s->root, section, before))
		return ERR_MEMORY;
	return e;
}

uint64_t vstate_number(const json_t *section, const char *name)
{
	const json_t *n = json_object_get(section, name);

	return json_is_integer(n) && json_integer_value(n) > 0 ? (uint64_t)json_integer_value(n) : 0;
}

const char *vstate_text(const json_t *section, const char *name)
{
	return json_string_value(json_object_get(section, name));
}
