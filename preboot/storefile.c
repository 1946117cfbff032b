#include "storefile.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"

#define STORE_FILE_MAX (2 * STORE_BYTES_MAX)

static const char *const paths[STOREFILE_COPIES] = { FILES_HOME "store.0", FILES_HOME "store.1" };

static enum err read_copy(struct store *ret, const char *path)
{
	uint8_t *bytes;
	size_t len;
	enum err e = files_read(&bytes, &len, path, STORE_FILE_MAX);

	if (e)
		return e;
	e = store_decode(ret, bytes, len);
	free(bytes);
	return e;
}

static int is_older(const struct store *s, const struct store *than)
{
	return s->head.generation != than->head.generation || s->head.revision != than->head.revision;
}

void storefile_read(struct storefile *ret)
{
	const struct store *usable[STOREFILE_COPIES], *newer;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < STOREFILE_COPIES; i++) {
		ret->problems[i] = read_copy(&ret->copies[i], paths[i]);
		usable[i] = ret->problems[i] ? NULL : &ret->copies[i];
	}
	newer = store_newer(usable[0], usable[1]);
	for (int i = 0; i < STOREFILE_COPIES; i++) {
		if (newer && newer == usable[i])
			ret->current = &ret->copies[i];
		else if (newer && usable[i] && is_older(usable[i], newer))
			ret->problems[i] = ERR_ROLLBACK;
	}
}

/* Write one copy. */
static enum err write_copy(struct storefile *f, int i)
{
	uint8_t *bytes;
	size_t len;
	enum err e = store_encode(&bytes, &len, f->current);

	if (e)
		return e;
	e = files_write(paths[i], bytes, len);
	free(bytes);
	f->problems[i] = e;
	return e;
}

static int place_of_current(const struct storefile *f)
{
	return f->current == &f->copies[0] ? 0 : 1;
}

enum err storefile_write(struct storefile *f)
{
	int here = place_of_current(f);
	enum err e = write_copy(f, !here);

	return e ? e : write_copy(f, here);
}

int storefile_written(const struct storefile *f)
{
	return !f->problems[!place_of_current(f)];
}

unsigned storefile_repair(struct storefile *f)
{
	unsigned bad = 0;

	for (int i = 0; i < STOREFILE_COPIES; i++) {
		/* A newer program's store is not damaged; this program is too old for it. */
		if (f->problems[i] == ERR_VERSION || !f->problems[i])
			continue;
		bad += write_copy(f, i) != OK;
	}
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
