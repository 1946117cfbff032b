#include "agent/volumed/genvar.h"

#include <stdlib.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/efivar.h"
#include "common/cursor.h"
#include "common/store.h"

#define VARIABLE "HoldfastGeneration-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21"
#define VARIABLE_BYTES 12

enum err genvar_read(uint64_t *ret, const char *efivars)
{
	uint8_t *bytes = NULL;
	struct cursor c;
	uint64_t value;
	size_t len = 0;
	enum err e;

	if (!*efivars)
		return ERR_NOT_FOUND;
	e = durable_read(&bytes, &len, efivars, VARIABLE, VARIABLE_BYTES);
	if (e)
		return e;
	c = cursor_over(bytes, len);
	(void)cursor_u32(&c);
	value = cursor_u64(&c);
	e = cursor_end(&c);
	free(bytes);
	/* pre-boot takes it for missing, too: no store could ever reach it */
	if (!e && value > STORE_GENERATION_MAX)
		e = ERR_RANGE;
	if (!e)
		*ret = value;
	return e;
}

enum err genvar_write(const char *efivars, uint64_t generation)
{
	uint8_t bytes[sizeof(generation)];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_u64(&w, generation);
	return efivar_write(efivars, VARIABLE, bytes, sizeof(bytes));
}

enum err genvar_remove(const char *efivars)
{
	return efivar_remove(efivars, VARIABLE);
}
