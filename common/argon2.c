/* Argon2id: what RFC 9106 says around the block function. Whatever is derived from the password is
 * wiped: the memory by workplace_close, the rest here and by who runs the lanes. */
#include "argon2.h"

#include "secret.h"
#include "stack.h"

enum err argon2id(uint8_t ret[static ARGON2_KEY_BYTES], const void *password, size_t password_len,
		  const uint8_t salt[static ARGON2_SALT_BYTES], const struct argon2_cost *cost)
{
	const struct argon2_input input = { .password = { password, password_len },
					    .salt = { salt, ARGON2_SALT_BYTES } };
	WORKPLACE place = { 0 };
	enum err e = workplace_open(&place, (uint64_t)cost->memory_kib * 1024);

	if (!e)
		e = argon2_compute(ret, ARGON2_KEY_BYTES, &input, cost, &place);
	stack_wipe();
	return e;
}
