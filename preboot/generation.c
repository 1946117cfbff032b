#include "generation.h"

#include "common/cursor.h"
#include "common/store.h"
#include "variable.h"

#define GENERATION_BYTES 8

enum err generation_read(uint64_t *ret)
{
	uint8_t bytes[GENERATION_BYTES] = { 0 };
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	uint64_t generation;

	if (variable_read(bytes, sizeof(bytes), VARIABLE_GENERATION))
		return ERR_NOT_FOUND;
	generation = cursor_u64(&c);
	if (generation > STORE_GENERATION_MAX)
		return ERR_NOT_FOUND;
	*ret = generation;
	return OK;
}

enum err generation_raise(uint64_t generation)
{
	uint8_t bytes[GENERATION_BYTES];
	struct writer w = writer_over(bytes, sizeof(bytes));
	uint64_t known;

	if (!generation || (!generation_read(&known) && known >= generation))
		return OK;
	writer_u64(&w, generation);
	return variable_write(VARIABLE_GENERATION, bytes, sizeof(bytes), 1);
}
