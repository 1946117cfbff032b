/* common/tpm.h on a TPM behind a socket (swtpm's data channel: plain commands, plain answers).
 *   tpm_tool PORT pcr NUMBER
 *   tpm_tool PORT extend NUMBER DIGEST
 *   tpm_tool PORT lockout | shutdown
 *   tpm_tool PORT unseal HANDLE POINT PUBLIC PRIVATE [AUTH]
 *   tpm_tool PORT change HANDLE POINT PUBLIC PRIVATE AUTH NEW_AUTH   PRIVATE is written anew
 *   tpm_tool 0 policy PCR7 OWN WITH_AUTH
 *   tpm_tool 0 template | name POINT
 *   tpm_tool PORT time COUNT HANDLE POINT PUBLIC PRIVATE [AUTH]      milliseconds, one a line
 * POINT (x, then y), AUTH, PCR7, OWN and results are hexadecimal; PUBLIC and PRIVATE are files as tpm2-tools write
 * them. The name of an error, on standard error, and exit status 1 tell of a failure. */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/tpm.h"

static _Noreturn void die(const char *why)
{
	fprintf(stderr, "tpm_tool: %s\n", why);
	exit(2);
}

static enum err submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	int fd = *(int *)context;
	ssize_t n;

	if (fd < 0)
		return ERR_NOT_FOUND;
	if (send(fd, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return ERR_IO;
	n = read(fd, ret, *ret_len);
	if (n <= 0)
		return ERR_IO;
	*ret_len = (size_t)n;
	return OK;
}

static void wait_ms(void *context, unsigned ms)
{
	(void)context;
	usleep(1000 * ms);
}

static int open_port(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd;

	if (!strcmp(port, "0"))
		return -1;
	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("cannot connect");
	return fd;
}

static void from_hex(uint8_t *ret, size_t len, const char *hex)
{
	size_t got;

	if (sodium_hex2bin(ret, len, hex, strlen(hex), NULL, &got, NULL) || got != len)
		die("not so many hexadecimal digits as expected");
}

static void print_hex(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static int end(enum err e)
{
	if (e)
		fprintf(stderr, "%s\n", err_name(e));
	return e != OK;
}

/* A TPM2B in a file. */
static uint16_t load_2b(uint8_t *ret, size_t max, const char *path)
{
	uint8_t bytes[1024];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (n < 2 || n - 2 > max || (size_t)(bytes[0] << 8 | bytes[1]) != n - 2)
		die("a file is no TPM2B of a fitting size");
	fclose(f);
	memcpy(ret, bytes + 2, n - 2);
	return (uint16_t)(n - 2);
}

static void save_2b(const char *path, const uint8_t *bytes, uint16_t len)
{
	const uint8_t size[] = { (uint8_t)(len >> 8), (uint8_t)len };
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(size, 1, 2, f) != 2 || fwrite(bytes, 1, len, f) != len || fclose(f))
		die("cannot write");
}

static void parse_parent(struct tpm_parent *ret, const char *handle, const char *point)
{
	uint8_t both[64];

	from_hex(both, sizeof(both), point);
	ret->handle = (uint32_t)strtoul(handle, NULL, 16);
	memcpy(ret->x, both, 32);
	memcpy(ret->y, both + 32, 32);
}

static void parse_object(struct tpm_object *ret, const char *public_path, const char *private_path)
{
	memset(ret, 0, sizeof(*ret));
	ret->public_len = load_2b(ret->public_area, TPM_PUBLIC_MAX, public_path);
	ret->private_len = load_2b(ret->private_area, TPM_PRIVATE_MAX, private_path);
}

static int do_pcr(const struct tpm *t, char **arguments)
{
	uint8_t value[TPM_PCR_BYTES];
	enum err e = tpm_pcr_read(value, t, (unsigned)atoi(arguments[0]));

	if (!e)
		print_hex(value, sizeof(value));
	return end(e);
}

static int do_extend(const struct tpm *t, char **arguments)
{
	uint8_t digest[TPM_PCR_BYTES];

	from_hex(digest, sizeof(digest), arguments[1]);
	return end(tpm_pcr_extend(t, (unsigned)atoi(arguments[0]), digest));
}

static int do_lockout(const struct tpm *t, char **arguments)
{
	struct tpm_lockout l;
	enum err e = tpm_lockout_read(&l, t);

	(void)arguments;
	if (!e)
		printf("%u %u %u %d\n", l.tries, l.tries_max, l.recovery_s, l.locked);
	return end(e);
}

static int do_shutdown(const struct tpm *t, char **arguments)
{
	(void)arguments;
	return end(tpm_shutdown(t));
}

static int do_unseal(const struct tpm *t, char **arguments)
{
	uint8_t secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
	struct tpm_parent parent;
	struct tpm_object object;
	enum err e;

	parse_parent(&parent, arguments[0], arguments[1]);
	parse_object(&object, arguments[2], arguments[3]);
	if (arguments[4])
		from_hex(auth, sizeof(auth), arguments[4]);
	e = tpm_unseal(secret, t, &parent, &object, arguments[4] ? auth : NULL);
	if (!e)
		print_hex(secret, sizeof(secret));
	return end(e);
}

static double now_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return 1e3 * (double)at.tv_sec + 1e-6 * (double)at.tv_nsec;
}

static int do_time(const struct tpm *t, char **arguments)
{
	int status = 0;

	for (int i = atoi(arguments[0]); i > 0 && !status; i--) {
		double start = now_ms();

		status = do_unseal(t, arguments + 1);
		printf("%.2f\n", now_ms() - start);
	}
	return status;
}

static int do_change(const struct tpm *t, char **arguments)
{
	uint8_t auth[TPM_AUTH_BYTES], new_auth[TPM_AUTH_BYTES];
	struct tpm_parent parent;
	struct tpm_object object;
	enum err e;

	parse_parent(&parent, arguments[0], arguments[1]);
	parse_object(&object, arguments[2], arguments[3]);
	from_hex(auth, sizeof(auth), arguments[4]);
	from_hex(new_auth, sizeof(new_auth), arguments[5]);
	e = tpm_change_auth(&object, t, &parent, auth, new_auth);
	if (!e)
		save_2b(arguments[3], object.private_area, object.private_len);
	return end(e);
}

static int do_policy(const struct tpm *t, char **arguments)
{
	uint8_t pcr7[TPM_PCR_BYTES], own[TPM_PCR_BYTES], digest[32];

	(void)t;
	from_hex(pcr7, sizeof(pcr7), arguments[0]);
	from_hex(own, sizeof(own), arguments[1]);
	tpm_policy(digest, pcr7, own, atoi(arguments[2]));
	print_hex(digest, sizeof(digest));
	return 0;
}

static int do_template(const struct tpm *t, char **arguments)
{
	static const struct tpm_parent none;
	uint8_t bytes[TPM_PARENT_BYTES];

	(void)t;
	(void)arguments;
	tpm_parent_public(bytes, &none);
	print_hex(bytes, sizeof(bytes));
	return 0;
}

static int do_name(const struct tpm *t, char **arguments)
{
	uint8_t name[TPM_NAME_BYTES];
	struct tpm_parent parent;

	(void)t;
	parse_parent(&parent, "0", arguments[0]);
	tpm_parent_name(name, &parent);
	print_hex(name, sizeof(name));
	return 0;
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(const struct tpm *t, char **arguments);
} commands[] = {
	{ "pcr", 1, do_pcr },       { "lockout", 0, do_lockout },   { "unseal", 4, do_unseal },
	{ "change", 6, do_change }, { "policy", 3, do_policy },     { "template", 0, do_template },
	{ "shutdown", 0, do_shutdown }, { "extend", 2, do_extend },
	{ "name", 1, do_name },     { "time", 5, do_time },
};

int main(int argc, char **argv)
{
	int fd;
	struct tpm t = { submit, wait_ms, &fd };

	if (argc < 3 || sodium_init() < 0)
		die("usage: see the source");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[2], commands[i].name) && argc - 3 >= commands[i].arguments) {
			fd = open_port(argv[1]);
			return commands[i].run(&t, argv + 3);
		}
	die("no such command");
}
