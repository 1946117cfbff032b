#include "storefile.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"

static const char *const paths[STOREFILE_COPIES] = { FILES_HOME "store.0", FILES_HOME "store.1" };

static enum err read_copy(struct store *ret, int i)
{
	uint8_t *bytes;
	size_t len;
	enum err e = files_read(&bytes, &len, paths[i], STORE_BYTES_MAX);

	if (e)
		return e;
	e = store_decode(ret, bytes, len);
	free(bytes);
	return e;
}

static int is_newer(const struct store *s, const struct store *than)
{
	return store_newer(than, s) == s;
}

void storefile_read(struct storefile *ret)
{
	const struct store *usable[STOREFILE_COPIES], *newer;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < STOREFILE_COPIES; i++) {
		ret->problems[i] = read_copy(&ret->copies[i], i);
		usable[i] = ret->problems[i] ? NULL : &ret->copies[i];
		if (usable[i])
			ret->generations[i] = usable[i]->head.generation;
	}
	newer = store_newer(usable[0], usable[1]);
	for (int i = 0; i < STOREFILE_COPIES; i++) {
		if (newer && newer == usable[i])
			ret->current = &ret->copies[i];
		else if (newer && usable[i] && is_newer(newer, usable[i]))
			ret->problems[i] = ERR_ROLLBACK;
	}
}

/* The file is whole only when the reader itself has taken it. */
static enum err put(struct storefile *f, int i)
{
	STORE back = { 0 };
	uint8_t *bytes;
	size_t len;
	enum err e = store_encode(&bytes, &len, f->current);

	if (e)
		return e;
	f->generations[i] = 0;
	f->in_doubt[i] = 1;
	(void)!files_destroy_larger(paths[i], STORE_BYTES_MAX);
	e = files_write(paths[i], bytes, len);
	free(bytes);
	if (!e)
		e = read_copy(&back, i);
	if (e)
		return e;
	f->generations[i] = back.head.generation;
	f->in_doubt[i] = 0;
	return OK;
}

static enum err write_copy(struct storefile *f, int i)
{
	f->problems[i] = put(f, i);
	return f->problems[i];
}

static int place_of_current(const struct storefile *f)
{
	return f->current == &f->copies[0] ? 0 : 1;
}

/* A copy as it is on the disk now, against the current store. */
enum standing {
	STANDING_UNREADABLE,
	STANDING_NO_STORE,
	STANDING_FOREIGN, /* of a newer program */
	STANDING_OLDER,
	STANDING_SAME,
	STANDING_NEWER,
};

static enum standing look(const struct storefile *f, int i)
{
	STORE now = { 0 };

	switch (read_copy(&now, i)) {
	case OK:
		break;
	case ERR_NOT_FOUND:
	case ERR_RANGE:
	case ERR_FORMAT:
	case ERR_CHECKSUM:
		return STANDING_NO_STORE;
	case ERR_VERSION:
		return STANDING_FOREIGN;
	default:
		return STANDING_UNREADABLE;
	}
	if (is_newer(&now, f->current))
		return STANDING_NEWER;
	return is_newer(f->current, &now) ? STANDING_OLDER : STANDING_SAME;
}

/* A copy that could not be read, for want of memory or by a passing fault, may be the one that counts. */
static int is_overtaken(const struct storefile *f, int by)
{
	return f->problems[by] && f->problems[by] != ERR_ROLLBACK && look(f, by) == STANDING_NEWER;
}

/* The current store is whole in its own copy: nothing else may be left in the other one. */
static enum err clear(struct storefile *f, int i)
{
	enum err e = write_copy(f, i);

	if (!e)
		return OK;
	(void)!files_destroy(paths[i]);
	return look(f, i) == STANDING_NO_STORE ? OK : e;
}

enum err storefile_write(struct storefile *f)
{
	int here = place_of_current(f), was_good = f->generations[!here] != 0;
	enum err e;

	if (is_overtaken(f, !here))
		return ERR_ROLLBACK;
	e = write_copy(f, !here);
	/* Torn just now: what does that to one copy would do it to the last good one, too. */
	if (e && was_good && look(f, !here) < STANDING_OLDER)
		return e;
	if (write_copy(f, here))
		return f->problems[here];
	return e ? clear(f, !here) : OK;
}

enum err storefile_write_new(struct storefile *f)
{
	int here = place_of_current(f);
	enum err e = is_overtaken(f, !here) ? ERR_ROLLBACK : write_copy(f, !here);

	if (e)
		return e;
	(void)!write_copy(f, here); /* storefile_repair tries it again */
	return OK;
}

enum err storefile_put_back(struct storefile *f)
{
	int there = !place_of_current(f);
	enum err e = f->in_doubt[there] ? write_copy(f, there) : OK;
	enum standing now;

	/* After a fault nobody knows what the cache has kept from the disk. A refusal is no fault. */
	if (e != ERR_SPACE && e != ERR_DENIED)
		return e;
	now = look(f, there);
	return now == STANDING_UNREADABLE || now == STANDING_NEWER ? e : OK;
}

uint64_t storefile_generation(const struct storefile *f)
{
	uint64_t highest = 0;

	for (int i = 0; i < STOREFILE_COPIES; i++)
		if (f->generations[i] > highest)
			highest = f->generations[i];
	return highest;
}

/* A copy with a problem, looked at once more: is it to stay as it is? */
static int may_stay(struct storefile *f, int i)
{
	switch (look(f, i)) {
	case STANDING_FOREIGN: /* not damaged: this program is too old for it */
	case STANDING_NEWER:
		return 1;
	case STANDING_SAME:
		if (f->in_doubt[i])
			return 0;
		f->problems[i] = OK;
		f->generations[i] = f->current->head.generation;
		return 1;
	default:
		return 0;
	}
}

unsigned storefile_repair(struct storefile *f)
{
	unsigned bad = 0;

	for (int i = 0; i < STOREFILE_COPIES; i++)
		if (f->problems[i] && !may_stay(f, i))
			bad += write_copy(f, i) != OK;
	return bad;
}

enum err storefile_destroy(void)
{
	enum err first = OK;

	for (int i = 0; i < STOREFILE_COPIES; i++) {
		enum err e = files_destroy(paths[i]);

		first = first ? first : e;
	}
	return first;
}

void storefile_drop(struct storefile *f)
{
	for (int i = 0; i < STOREFILE_COPIES; i++)
		store_drop(&f->copies[i]);
	f->current = NULL;
}
