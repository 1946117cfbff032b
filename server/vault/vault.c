/* Vault: start, requests one after the other, end. */
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"
#include "schema.h"
#include "server/log.h"

#define SESSIONS_MAX 65536

uint64_t vault_now(void)
{
	return (uint64_t)time(NULL);
}

void vault_derive(uint8_t ret[static KEY_BYTES], const struct vault *v, const char *label,
		  const char *text)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, v->key.seed, KEY_BYTES, KEY_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)label, strlen(label) + 1);
	crypto_generichash_update(&state, (const uint8_t *)text, strlen(text));
	crypto_generichash_final(&state, ret, KEY_BYTES);
	sodium_memzero(&state, sizeof(state));
}

int vault_hmac_holds(const uint8_t key[static KEY_BYTES], const char *text, const char *proof)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES], *given = NULL;
	size_t len;
	int holds;

	if (b64_decode(&given, &len, proof, strlen(proof)))
		return 0;
	crypto_auth_hmacsha256(mac, (const uint8_t *)text, strlen(text), key);
	holds = len == sizeof(mac) && !sodium_memcmp(given, mac, sizeof(mac));
	blob_drop(&given);
	sodium_memzero(mac, sizeof(mac));
	return holds;
}

void vault_trust(struct command_trust *ret, const struct vault *v)
{
	*ret = (struct command_trust){ .root = v->root, .server = v->pk, .now = vault_now() };
	memcpy(ret->enterprise, v->enterprise, sizeof(ret->enterprise));
}

static enum err key_make(struct sign_sk *ret, const char *path)
{
	char part[PATH_MAX];
	ssize_t n;
	int fd, bad;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return ERR_RANGE;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	sign_sk_new(ret);
	n = write(fd, ret->seed, KEY_BYTES);
	bad = n != KEY_BYTES || fsync(fd);
	bad |= close(fd);
	return bad || rename(part, path) ? ERR_IO : OK;
}

static enum err key_load(struct sign_sk *ret, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t more;
	ssize_t n;
	int whole;

	if (fd < 0)
		return errno == ENOENT ? key_make(ret, path) : ERR_IO;
	n = read(fd, ret->seed, KEY_BYTES);
	whole = n == KEY_BYTES && read(fd, &more, 1) == 0;
	close(fd);
	return whole ? OK : ERR_FORMAT;
}

static void session_free(struct sidmap_entry *e)
{
	struct vault_session *s = (struct vault_session *)e;

	secret_wipe(s, sizeof(*s));
	free(s);
}

static enum err open_files(struct vault *v, const char *dir)
{
	char path[PATH_MAX];
	enum err e;

	snprintf(path, sizeof(path), "%s/server.key", dir);
	e = key_load(&v->key, path);
	if (e) {
		log_line(
			"cannot use %s: %s. Restore it from the backup: without it no device knows this server",
			path, err_text(e));
		return e;
	}
	sign_pk_of(&v->pk, &v->key);
	snprintf(path, sizeof(path), "%s/vault.db", dir);
	e = db_open(&v->db, path, vault_migrations,
		    sizeof(vault_migrations) / sizeof(*vault_migrations));
	if (e)
		log_line("cannot open %s: %s. Check owner and free space, or restore the backup",
			 path, err_text(e));
	return e;
}

enum err vault_open(struct vault *ret, const char *dir)
{
	struct vault v = { 0 };
	enum err e = strlen(dir) < PATH_MAX - 16 ? OK : ERR_RANGE;

	if (!e)
		e = open_files(&v, dir);
	if (!e)
		e = sidmap_new(&v.sessions, SESSIONS_MAX, session_free);
	if (!e)
		e = vault_load(&v);
	if (e) {
		vault_close(&v);
		return e;
	}
	*ret = v;
	sign_sk_wipe(&v.key);
	return OK;
}

void vault_close(struct vault *v)
{
	if (v->sessions.bucket)
		sidmap_drop(&v->sessions);
	db_close(&v->db);
	sign_sk_wipe(&v->key);
}

static enum err dispatch(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *reply,
			 struct fault *f)
{
	switch (ask->type) {
#define REQUEST(name, number, request, answer)                                                     \
	case number:                                                                               \
		return vault_op_##name(v, ask, reply, f);
#include "server/vaultmsg_v1.inc"
#undef REQUEST
	default:
		return ERR_FORMAT;
	}
}

static void answer_error(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *answer,
			 enum err e, struct fault *f)
{
	db_rollback(v->db);
	fault_complete(f, e);
	if (f->code == FAULT_INTERNAL)
		log_line(
			"request %u failed: %s. Check free space and the file system of the state folder",
			ask->type, err_text(e));
	vaultmsg_start(answer, VAULT_ERROR);
	vaultmsg_add_number(answer, e);
	vaultmsg_add_number(answer, f->code);
	vaultmsg_add_text(answer, f->message);
}

void vault_answer(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *answer)
{
	struct fault f = { 0 };
	enum err e;

	vaultmsg_start(answer, VAULT_OK);
	e = dispatch(v, ask, answer, &f);
	if (!e)
		e = answer->e;
	if (e)
		answer_error(v, ask, answer, e, &f);
}

enum err vault_serve(struct vault *v, int fd)
{
	for (;;) {
		VAULTMSG ask = { 0 }, answer = { 0 };
		enum err e = vaultmsg_receive(&ask, fd, 0);

		if (e)
			return e == ERR_NETWORK ? OK : e;
		vault_answer(v, &ask, &answer);
		e = vaultmsg_send(fd, &answer, ask.type);
		/* Too large, or no memory: nothing was sent yet, and the next request may fare better. */
		if (e && e != ERR_NETWORK) {
			answer_error(v, &ask, &answer, e, &(struct fault){ 0 });
			e = vaultmsg_send(fd, &answer, ask.type);
		}
		if (e)
			return e == ERR_NETWORK ? OK : e;
		/* Main has taken the claim secret; the next one to ask is the frontend. */
		if (ask.type == VAULT_HELLO)
			return OK;
	}
}
