#include "passphrase.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/hush_host.h"
#include "file.h"

/* One line without its newline. */
static enum err first_line(struct secret *ret, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memchr(bytes, '\n', len);
	size_t line = end ? (size_t)(end - bytes) : strnlen((const char *)bytes, len);

	if (!line || line > PASSPHRASE_BYTES_MAX)
		return ERR_RANGE;
	return secret_copy(ret, bytes, line);
}

static enum err from_terminal(struct secret *ret, const char *prompt)
{
	SECRET struct secret line = { 0 };
	size_t len = 0;
	enum err e = secret_new(&line, PASSPHRASE_BYTES_MAX + 2);
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (tty < 0)
		return ERR_IO;
	if (!e)
		e = hush_line(&line, &len, tty, prompt);
	close(tty);
	return e ? e : first_line(ret, line.bytes, len);
}

enum err passphrase_read(struct secret *ret, const char *file, const char *prompt)
{
	SECRET struct secret text = { 0 };
	enum err e;

	if (!file)
		return from_terminal(ret, prompt);
	e = file_read(&text, NULL, file);
	return e ? e : first_line(ret, text.bytes, text.len);
}

enum err passphrase_new(struct secret *ret, const char *file, const char *prompt)
{
	SECRET struct secret first = { 0 }, again = { 0 };
	enum err e = passphrase_read(&first, file, prompt);

	if (!e && first.len < PASSPHRASE_BYTES_MIN)
		return ERR_RANGE;
	if (!e && !file) {
		e = passphrase_read(&again, NULL, "Once more: ");
		if (!e && (again.len != first.len || sodium_memcmp(again.bytes, first.bytes, first.len)))
			e = ERR_AUTH;
	}
	if (e)
		return e;
	*ret = first;
	first = (struct secret){ 0 };
	return OK;
}
