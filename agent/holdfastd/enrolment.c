#include "enrolment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/jws_host.h"

#define FILE_BYTES_MAX 2048
#define PATH_BYTES 4096

static enum err read_id(char ret[33], const json_t *o, const char *name)
{
	uint8_t id[16];
	enum err e = json_get_hex(id, sizeof(id), o, name);

	if (!e)
		hex_encode(ret, id, sizeof(id));
	return e;
}

static enum err read_json(struct enrolment *ret, const char *text, size_t len)
{
	struct enrolment n = { 0 };
	const char *url, *pin;
	JSON *o = NULL;
	enum err e = json_parse(&o, text, len);

	if (e)
		return e;
	if (json_get_string(&url, o, "url") || !enrol_url_is_valid(url) ||
	    json_get_string(&pin, o, "pin") || !enrol_pin_is_valid(pin) ||
	    read_id(n.device, o, "device") || read_id(n.enrolment, o, "enrolment"))
		return ERR_FORMAT;
	memcpy(n.url, url, strlen(url) + 1);
	memcpy(n.pin, pin, TOKEN_PIN_TEXT);
	*ret = n;
	return OK;
}

enum err enrolment_load(struct enrolment *ret, const char *state_dir)
{
	char path[PATH_BYTES], text[FILE_BYTES_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/enrolment.json", state_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	len = read(fd, text, sizeof(text));
	close(fd);
	if (len < 0)
		return ERR_IO;
	return read_json(ret, text, (size_t)len);
}

static enum err write_all(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = strlen(text);
	int failed;

	if (fd < 0)
		return ERR_IO;
	failed = write(fd, text, len) != (ssize_t)len || fsync(fd);
	failed |= close(fd) != 0;
	if (!failed)
		return OK;
	unlink(path);
	return errno == ENOSPC ? ERR_SPACE : ERR_IO;
}

static enum err sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = fd < 0 || fsync(fd);

	if (fd >= 0)
		close(fd);
	return failed ? ERR_IO : OK;
}

enum err enrolment_save(const struct enrolment *n, const char *state_dir)
{
	char path[PATH_BYTES], fresh[PATH_BYTES];
	TEXT *text = NULL;
	JSON *o = json_pack("{s:s, s:s, s:s, s:s}", "url", n->url, "pin", n->pin, "device", n->device,
			    "enrolment", n->enrolment);
	enum err e = o ? json_print(&text, o) : ERR_MEMORY;

	if (e)
		return e;
	snprintf(path, sizeof(path), "%s/enrolment.json", state_dir);
	snprintf(fresh, sizeof(fresh), "%s/enrolment.json.new", state_dir);
	e = write_all(fresh, text);
	if (e)
		return e;
	if (rename(fresh, path))
		return ERR_IO;
	return sync_dir(state_dir);
}

void enrolment_remove(const char *state_dir)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/enrolment.json", state_dir);
	unlink(path);
}

enum err enrolment_read_ids(struct enrolment *ret, const char *enrolled)
{
	char device[33], enrolment[33];
	JSON *payload = NULL;
	enum err e = jws_peek(&payload, NULL, "holdfast-enrolled", enrolled);

	if (!e)
		e = read_id(device, payload, "device");
	if (!e)
		e = read_id(enrolment, payload, "enrolment");
	if (e)
		return e;
	memcpy(ret->device, device, sizeof(device));
	memcpy(ret->enrolment, enrolment, sizeof(enrolment));
	return OK;
}
