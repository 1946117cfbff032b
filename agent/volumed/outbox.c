#include "agent/volumed/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/volumed/durable.h"

/* A file is "CLASS ID\n" and the message; its name the number in sixteen hex digits. */
#define NAME_DIGITS 16
#define HEAD_BYTES (2 + 32 + 1)

static enum err entry_add(struct outbox *o, struct outbox_entry *e)
{
	if (o->count == o->room) {
		size_t room = o->room ? 2 * o->room : 16;
		struct outbox_entry *more = realloc(o->entries, room * sizeof(*more));

		if (!more)
			return ERR_MEMORY;
		o->entries = more;
		o->room = room;
	}
	o->entries[o->count++] = *e;
	memset(e, 0, sizeof(*e));
	return OK;
}

static enum err entry_parse(struct outbox_entry *ret, const char *text, size_t len)
{
	if (len <= HEAD_BYTES || (text[0] != '0' && text[0] != '1') || text[1] != ' ' ||
	    text[HEAD_BYTES - 1] != '\n' || strlen(text) != len)
		return ERR_FORMAT;
	ret->class = text[0] == '0' ? IPC_OUTBOX_ESCROW : IPC_OUTBOX_EVENT;
	memcpy(ret->id, text + 2, 32);
	ret->id[32] = '\0';
	ret->message = strdup(text + HEAD_BYTES);
	return ret->message ? OK : ERR_MEMORY;
}

static enum err entry_load(struct outbox *o, const char *name)
{
	struct outbox_entry entry = { 0 };
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = durable_read(&bytes, &len, o->folder, name, OUTBOX_MESSAGE_MAX + HEAD_BYTES);

	if (!e)
		e = entry_parse(&entry, (const char *)bytes, len);
	free(bytes);
	if (!e) {
		entry.number = strtoull(name, NULL, 16);
		e = entry_add(o, &entry);
	}
	free(entry.message);
	return e;
}

static int is_entry(const struct dirent *d)
{
	return strlen(d->d_name) == NAME_DIGITS &&
	       strspn(d->d_name, "0123456789abcdef") == NAME_DIGITS;
}

static enum err entries_load(struct outbox *o)
{
	struct dirent **names = NULL;
	int n = scandir(o->folder, &names, is_entry, alphasort);
	enum err e = n < 0 ? ERR_IO : OK;

	for (int i = 0; i < n; i++) {
		if (!e)
			e = entry_load(o, names[i]->d_name);
		/* Renamed into place whole, so a damaged one was never ours. */
		if (e == ERR_FORMAT || e == ERR_SPACE)
			e = durable_remove(o->folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return e;
}

enum err outbox_open(struct outbox *ret, const char *state)
{
	struct outbox o = { .next = 1 };
	enum err e = snprintf(o.folder, sizeof(o.folder), "%s/outbox", state) >= (int)sizeof(o.folder)
			     ? ERR_RANGE : OK;

	if (!e && mkdir(o.folder, 0700) && errno != EEXIST)
		e = ERR_IO;
	if (!e)
		e = entries_load(&o);
	if (e) {
		outbox_drop(&o);
		return e;
	}
	if (o.count)
		o.next = o.entries[o.count - 1].number + 1;
	*ret = o;
	return OK;
}

void outbox_drop(struct outbox *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->entries[i].message);
	free(o->entries);
	o->entries = NULL;
	o->count = o->room = 0;
}

size_t outbox_events(const struct outbox *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->count; i++)
		n += o->entries[i].class == IPC_OUTBOX_EVENT;
	return n;
}

static enum err entry_write(const struct outbox *o, const struct outbox_entry *entry)
{
	size_t len = strlen(entry->message) + HEAD_BYTES;
	char name[NAME_DIGITS + 1];
	char *text = malloc(len + 1);
	enum err e;

	if (!text)
		return ERR_MEMORY;
	(void)snprintf(name, sizeof(name), "%016" PRIx64, entry->number);
	(void)snprintf(text, len + 1, "%d %s\n%s", (int)entry->class, entry->id, entry->message);
	e = durable_write(o->folder, name, text, len, 0600);
	free(text);
	return e;
}

enum err outbox_put(struct outbox *o, enum ipc_outbox_class class, const char *id, const char *message)
{
	struct outbox_entry entry = { .number = o->next, .class = class, .unsaved = o->unsaved };
	enum err e;

	if (strlen(id) != OUTBOX_ID_BYTES - 1 || strlen(message) > OUTBOX_MESSAGE_MAX)
		return ERR_RANGE;
	if (outbox_find(o, id))
		return ERR_EXISTS;
	if (class == IPC_OUTBOX_EVENT && outbox_events(o) >= OUTBOX_EVENTS_MAX)
		return ERR_SPACE;
	memcpy(entry.id, id, OUTBOX_ID_BYTES);
	entry.message = strdup(message);
	if (!entry.message)
		return ERR_MEMORY;
	e = entry.unsaved ? OK : entry_write(o, &entry);
	if (!e)
		e = entry_add(o, &entry);
	if (!e)
		o->next++;
	free(entry.message);
	return e;
}

const struct outbox_entry *outbox_next(const struct outbox *o)
{
	const struct outbox_entry *event = NULL;

	for (size_t i = 0; i < o->count; i++) {
		const struct outbox_entry *e = &o->entries[i];

		if (e->handed)
			continue;
		if (e->class == IPC_OUTBOX_ESCROW)
			return e;
		if (!event)
			event = e;
	}
	return event;
}

const struct outbox_entry *outbox_find(const struct outbox *o, const char *id)
{
	for (size_t i = 0; i < o->count; i++)
		if (!strcmp(o->entries[i].id, id))
			return &o->entries[i];
	return NULL;
}

static enum err entry_remove(struct outbox *o, size_t i)
{
	struct outbox_entry *entry = &o->entries[i];
	char name[NAME_DIGITS + 1];
	enum err e = OK;

	(void)snprintf(name, sizeof(name), "%016" PRIx64, entry->number);
	if (!entry->unsaved)
		e = durable_remove(o->folder, name);
	if (e)
		return e;
	free(entry->message);
	memmove(entry, entry + 1, (o->count - i - 1) * sizeof(*entry));
	o->count--;
	return OK;
}

enum err outbox_handed(struct outbox *o, uint64_t number)
{
	for (size_t i = 0; i < o->count; i++) {
		if (o->entries[i].number != number)
			continue;
		o->entries[i].handed = 1;
		return o->entries[i].class == IPC_OUTBOX_EVENT ? entry_remove(o, i) : OK;
	}
	return ERR_NOT_FOUND;
}

enum err outbox_remove(struct outbox *o, const char *id)
{
	for (size_t i = 0; i < o->count; i++)
		if (!strcmp(o->entries[i].id, id))
			return entry_remove(o, i);
	return ERR_NOT_FOUND;
}

void outbox_detach(struct outbox *o)
{
	outbox_drop(o);
	o->unsaved = 1;
}
