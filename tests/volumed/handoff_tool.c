/* Plays pre-boot for the tests of the agent: opens the store of an ESP folder as holdfast.efi does, and
 * writes the hand-off, or tells whether something opens the disk.
 *   volumed_tool handoff ESP USER OUT [EVENT…]   password on standard input; exit 0: hand-off written
 *   volumed_tool code ESP NUMBER OUT [EVENT…]    one-time code on standard input
 *   volumed_tool recovery ESP OUT [EVENT…]       recovery key on standard input, through the store
 *                                                EVENT: KIND=VALUE of a pre-boot event, both numbers
 *   volumed_tool self-help ESP USER OUT [EVENT…] lines "NUMBER ANSWER" on standard input, number from 0
 *   volumed_tool change ESP USER OUT DAY         the password, then a new one, set as pre-boot does
 *   volumed_tool fill ESP USER COUNT             the password; so many users more, whom no password opens
 *   volumed_tool lock ESP                        as pre-boot after failures: no user has a seal any more
 *   volumed_tool opens ESP USER IMAGE            does this password, with this ESP, open the image?
 *   volumed_tool opens-code ESP NUMBER IMAGE     the same with a one-time code
 *   volumed_tool opens-recovery IMAGE            the recovery keyslot itself, without a store
 *   volumed_tool objects ESP FOLDER              sealed objects as tpm2-tools read them: N.pub, N.priv; parent and pcr7
 *   volumed_tool sealed ESP USER                the password; what every object holds, from the copies, in hex
 *   volumed_tool show ESP                        head of the store, records and rules, as text
 * With VOLUMED_TPM=PORT of a swtpm in the environment its PCR 7 is in the hand-off, and credentials that are bound
 * to it are opened with its help, as pre-boot does; VOLUMED_PROCESSORS=N is told, too.
 * Exit status: 0 yes, 1 no (the reason is printed), 2 wrong use. */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/volumed/durable.h"
#include "agent/volumed/espstore.h"
#include "common/code.h"
#include "common/handoff.h"
#include "common/json_host.h"
#include "common/questions.h"
#include "common/tpm.h"
#include "driver/volume.h"

static int verdict(enum err e, const char *what)
{
	printf("%s: %s\n", what, e ? err_name(e) : "OK");
	return e ? 1 : 0;
}

static enum err input_read(struct secret *ret)
{
	char line[300];

	if (!fgets(line, sizeof(line), stdin))
		return ERR_FORMAT;
	line[strcspn(line, "\n")] = '\0';
	return secret_copy(ret, line, strlen(line));
}

static enum err code_read(struct secret *ret, enum code_kind kind)
{
	SECRET struct secret line = { 0 };
	size_t group;
	enum err e = input_read(&line);

	return e ? e : code_canonical(ret, &group, kind, (const char *)line.bytes, line.len);
}

/* ---- the TPM: swtpm's port takes commands as they are ---- */

static int tpm_fd = -1;

static void tpm_connect(void)
{
	const char *port = getenv("VOLUMED_TPM");
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (!port)
		return;
	at.sin_port = htons((uint16_t)atoi(port));
	tpm_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(tpm_fd, (struct sockaddr *)&at, sizeof(at)))
		tpm_fd = -1;
}

static enum err tpm_submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len)
{
	uint8_t head[10];
	size_t total;

	(void)context;
	if (tpm_fd < 0)
		return ERR_NOT_FOUND;
	if (write(tpm_fd, command, len) != (ssize_t)len ||
	    recv(tpm_fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
		return ERR_IO;
	total = (size_t)head[2] << 24 | (size_t)head[3] << 16 | (size_t)head[4] << 8 | head[5];
	if (total < sizeof(head) || total > *ret_len)
		return ERR_RANGE;
	memcpy(ret, head, sizeof(head));
	if (total > sizeof(head) && recv(tpm_fd, ret + sizeof(head), total - sizeof(head), MSG_WAITALL) !=
					    (ssize_t)(total - sizeof(head)))
		return ERR_IO;
	*ret_len = total;
	return OK;
}

static void tpm_wait(void *context, unsigned ms)
{
	(void)context;
	(void)usleep(ms * 1000);
}

static const struct tpm tpm = { .submit = tpm_submit, .wait_ms = tpm_wait };

static enum err unseal(uint8_t ret[static TPM_SECRET_BYTES], const struct store *s, const struct record *r,
		       enum binding_kind kind, const uint8_t *auth)
{
	struct tpm_parent parent;
	struct tpm_object object;
	struct binding *b = NULL;
	enum err e = bindings_find(&b, &s->bindings, r->id, kind);

	if (e)
		return e;
	bindings_parent(&parent, &s->bindings);
	binding_object(&object, b);
	return tpm_unseal(ret, &tpm, &parent, &object, auth);
}

static enum err open_bound(struct credential *ret, const struct store *s, const struct record *r,
			   const struct secret *typed)
{
	uint8_t secret[TPM_SECRET_BYTES], auth[KEY_BYTES];
	STRETCHED stretched = { 0 };
	enum err e = credential_stretch(&stretched, r, typed);

	if (e)
		return e;
	credential_tpm_auth(auth, r, &stretched);
	e = unseal(secret, s, r, BINDING_SECRET, auth);
	return e ? e : credential_open_stretched(ret, r, &stretched, secret);
}

static enum err open_any(struct credential *ret, const struct store *s, const struct record *r,
			 const struct secret *typed)
{
	return credential_is_bound(r->kind) ? open_bound(ret, s, r, typed) : credential_open(ret, r, typed);
}

/* "NUMBER ANSWER" lines become what is "typed" for a self-help record. */
static enum err answers_read(struct secret *ret, const struct store *s, const struct record *r)
{
	struct secret answers[QUESTIONS_MAX] = { 0 };
	unsigned chosen[QUESTIONS_MAX];
	uint8_t key[TPM_SECRET_BYTES];
	QUESTIONS_BOX box = { 0 };
	struct questions *q = NULL;
	enum err e = store_questions_find(&q, s, r->id);

	if (!e)
		e = unseal(key, s, r, BINDING_SHARES, NULL);
	if (!e)
		e = questions_open(&box, q, key);
	for (unsigned i = 0; !e && i < box.need; i++) {
		e = input_read(&answers[i]);
		if (e)
			break;
		chosen[i] = (unsigned)(answers[i].bytes[0] - '0');
		memmove(answers[i].bytes, answers[i].bytes + 2, answers[i].len - 2);
		answers[i].len -= 2;
	}
	if (!e)
		e = questions_answer(ret, &box, chosen, answers, r->salt);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&answers[i]);
	return e;
}

/* ---- starts ---- */

struct start {
	struct store store;
	struct record *record;
	struct credential opened;
};

static void start_drop(struct start *s)
{
	credential_drop(&s->opened);
	store_drop(&s->store);
}
#define START __attribute__((cleanup(start_drop))) struct start

static enum err start_open(struct start *s, const char *esp_folder, enum credential_kind kind,
			   const char *user, uint16_t number)
{
	SECRET struct secret typed = { 0 };
	struct espstore_found found;
	struct espstore esp;
	enum err e = espstore_at(&esp, esp_folder, "");

	if (!e)
		e = espstore_load(&s->store, &found, &esp);
	if (!e)
		e = kind == CREDENTIAL_PASSWORD    ? store_find_user(&s->record, &s->store, user)
		    : kind == CREDENTIAL_SELF_HELP ? store_find_self_help(&s->record, &s->store, user)
						   : store_find_code(&s->record, &s->store, kind, number);
	if (e)
		return e;
	e = kind == CREDENTIAL_PASSWORD    ? input_read(&typed)
	    : kind == CREDENTIAL_SELF_HELP ? answers_read(&typed, &s->store, s->record)
	    : code_read(&typed, kind == CREDENTIAL_ONE_TIME_CODE ? CODE_ONE_TIME : CODE_RECOVERY);
	if (!e)
		e = open_any(&s->opened, &s->store, s->record, &typed);
	return e ? e : store_verify(&s->store, &s->opened.store_vk);
}

static void event_add(struct handoff *h, uint16_t kind, uint16_t value)
{
	struct handoff_event *event = &h->events[h->head.event_count++];

	event->kind = kind;
	event->value = value;
	event->age_s = 1;
}

static int events_read(struct handoff *h, char **events)
{
	for (; *events; events++) {
		unsigned kind, value;

		if (sscanf(*events, "%u=%u", &kind, &value) != 2 ||
		    h->head.event_count == HANDOFF_EVENTS_MAX)
			return -1;
		event_add(h, (uint16_t)kind, (uint16_t)value);
	}
	return 0;
}

static enum err handoff_make(const struct start *s, const char *out, char **events)
{
	static uint8_t bytes[HANDOFF_BYTES_MAX];
	HANDOFF h = { 0 };
	struct uk_id id;
	size_t len = 0;
	FILE *f;
	enum err e;

	memcpy(h.head.magic, "HFHAND01", 8);
	h.head.version = 1;
	memcpy(h.head.device, s->store.head.device, sizeof(h.head.device));
	memcpy(h.head.enrolment, s->store.head.enrolment, sizeof(h.head.enrolment));
	h.head.generation = s->store.head.generation;
	memcpy(h.head.credential, s->record->id, sizeof(h.head.credential));
	h.head.kind = s->record->kind;
	h.head.number = s->record->number;
	memcpy(h.head.user, s->record->user, sizeof(h.head.user));
	unlock_key_id(&id, &s->opened.unlock_key);
	memcpy(h.head.uk_id, id.bytes, sizeof(h.head.uk_id));
	memcpy(h.head.unlock_key, s->opened.unlock_key.bytes, KEY_BYTES);
	memcpy(h.head.user_seed, s->opened.user_key.seed, KEY_BYTES);
	h.manifest = s->store.manifest;
	h.head.processors = (uint8_t)atoi(getenv("VOLUMED_PROCESSORS") ? getenv("VOLUMED_PROCESSORS") : "1");
	if (!tpm_pcr_read(h.head.pcr7, &tpm, TPM_PCR_SECURE_BOOT))
		h.head.trust = HANDOFF_TPM | HANDOFF_CAPPED |
			       (getenv("VOLUMED_INSECURE_BOOT") ? 0 : HANDOFF_SECURE_BOOT);
	/* Differs from start to start, as a real one does. */
	h.head.kdf_ms = randombytes_uniform(100000);
	event_add(&h, PREBOOT_UNLOCKED, 1);
	if (events_read(&h, events))
		return ERR_FORMAT;
	e = handoff_encode(bytes, &len, &h);
	if (e)
		return e;
	f = fopen(out, "we");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		return ERR_IO;
	secret_wipe(bytes, sizeof(bytes));
	return OK;
}

static int run_handoff(enum credential_kind kind, const char *esp, const char *user,
		       uint16_t number, const char *out, char **events)
{
	START s = { 0 };
	enum err e = start_open(&s, esp, kind, user, number);

	return verdict(e ? e : handoff_make(&s, out, events), "hand-off");
}

/* As holdfast.efi: only the record and the store are signed anew; no keyslot is touched. */
static enum err change_write(struct start *s, const char *esp_folder, uint16_t day)
{
	SECRET struct secret fresh = { 0 };
	STORE_SK sk = { 0 };
	struct espstore esp;
	enum err e = input_read(&fresh);

	if (!e)
		e = credential_change(s->record, &s->opened, &fresh, day);
	if (!e)
		e = store_signing_key(&sk, &s->store, &s->opened.unlock_key);
	s->store.head.generation++;
	if (!e)
		e = store_sign_record(&s->store, s->record, &sk);
	if (!e)
		e = espstore_at(&esp, esp_folder, "");
	return e ? e : espstore_write(&esp, &s->store, 1);
}

static int run_change(const char *esp, const char *user, const char *out, uint16_t day)
{
	static char event[] = "10=0"; /* PREBOOT_PASSWORD_CHANGED */
	char *events[] = { event, NULL };
	START s = { 0 };
	enum err e = start_open(&s, esp, CREDENTIAL_PASSWORD, user, 0);

	if (!e)
		e = change_write(&s, esp, day);
	return verdict(e ? e : handoff_make(&s, out, events), "change");
}

/* Copies of one record: the look of many users without the time of many Argon2ids. */
static enum err fill(struct start *s, const char *user, unsigned count)
{
	enum err e = OK;

	for (unsigned i = 0; !e && i < count; i++) {
		struct record r = *s->record;
		struct record *present = NULL;

		randombytes_buf(r.id, sizeof(r.id));
		(void)snprintf((char *)r.user, sizeof(r.user), "user%03u@a-rather-long.example.org", i);
		e = store_add(&s->store, &r);
		/* it may have moved */
		if (!e)
			e = store_find_user(&present, &s->store, user);
		s->record = present;
	}
	return e;
}

static int run_fill(const char *esp_folder, const char *user, unsigned count)
{
	STORE_SK sk = { 0 };
	START s = { 0 };
	struct espstore esp;
	enum err e = start_open(&s, esp_folder, CREDENTIAL_PASSWORD, user, 0);

	if (!e)
		e = fill(&s, user, count);
	if (!e)
		e = store_signing_key(&sk, &s.store, &s.opened.unlock_key);
	s.store.head.generation++;
	if (!e)
		e = store_sign(&s.store, &sk);
	if (!e)
		e = espstore_at(&esp, esp_folder, "");
	return verdict(e ? e : espstore_write(&esp, &s.store, 1), "fill");
}

static int run_lock(const char *esp_folder)
{
	struct espstore_found found;
	struct espstore esp;
	STORE s = { 0 };
	enum err e = espstore_at(&esp, esp_folder, "");

	if (!e)
		e = espstore_load(&s, &found, &esp);
	if (e)
		return verdict(e, "store");
	store_lock(&s);
	return verdict(espstore_write(&esp, &s, 1), "lock");
}

static int run_opens(enum credential_kind kind, const char *esp, const char *user, uint16_t number,
		     const char *image)
{
	VOLUME *v = NULL;
	START s = { 0 };
	enum err e = start_open(&s, esp, kind, user, number);

	if (e)
		return verdict(e, "store");
	e = volume_load(&v, image);
	return verdict(e ? e : volume_test_unlock(v, &s.opened.unlock_key), "image");
}

static int run_opens_recovery(const char *image)
{
	SECRET struct secret code = { 0 };
	VOLUME *v = NULL;
	enum err e = code_read(&code, CODE_RECOVERY);

	if (!e)
		e = volume_load(&v, image);
	return verdict(e ? e : volume_test_recovery(v, &code), "image");
}

static int run_sealed(const char *esp, const char *user)
{
	START s = { 0 };
	char secret[65], auth[65];
	enum err e = start_open(&s, esp, CREDENTIAL_PASSWORD, user, 0);

	for (unsigned i = 0; !e && i < s.store.bindings.head.count; i++) {
		SEALED plain = { 0 };

		e = binding_open(&plain, &s.store.bindings.entries[i], &s.opened.unlock_key);
		hex_encode(secret, plain.secret, sizeof(plain.secret));
		hex_encode(auth, plain.auth, sizeof(plain.auth));
		printf("%s %s\n", secret, s.store.bindings.entries[i].kind == BINDING_SECRET ? auth : "-");
	}
	if (!e) {
		uint8_t lockout[TPM_AUTH_BYTES];

		e = bindings_open_lockout(lockout, &s.store.bindings, &s.opened.unlock_key);
		hex_encode(secret, lockout, sizeof(lockout));
		printf("%s\n", secret);
	}
	return verdict(e, "sealed");
}

static int file_write(const char *folder, unsigned number, const char *suffix, const uint8_t *bytes, uint16_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%u.%s", folder, number, suffix);
	f = fopen(path, "we");
	if (!f)
		return 1;
	/* TPM2B: the size in front */
	fputc(len >> 8, f);
	fputc(len & 0xff, f);
	return fwrite(bytes, 1, len, f) != len || fclose(f);
}

static int run_objects(const char *esp_folder, const char *folder)
{
	struct espstore_found found;
	struct espstore esp;
	STORE s = { 0 };
	char pcr7[65], x[65], id[33];
	enum err e = espstore_at(&esp, esp_folder, "");
	int bad = 0;

	if (!e)
		e = espstore_load(&s, &found, &esp);
	if (e)
		return verdict(e, "store");
	hex_encode(pcr7, s.bindings.head.pcr7, 32);
	hex_encode(x, s.bindings.head.parent_x, 32);
	printf("parent %08x x %s pcr7 %s count %u\n", s.bindings.head.parent, x, pcr7, s.bindings.head.count);
	for (unsigned i = 0; i < s.bindings.head.count; i++) {
		const struct binding *b = &s.bindings.entries[i];

		hex_encode(id, b->credential, sizeof(b->credential));
		printf("object %u kind %u credential %s\n", i, b->kind, id);
		bad |= file_write(folder, i, "pub", b->public_area, b->public_bytes) ||
		       file_write(folder, i, "priv", b->private_area, b->private_bytes);
	}
	return bad;
}

static int run_show(const char *esp_folder)
{
	struct espstore_found found;
	struct espstore esp;
	STORE s = { 0 };
	char device[33];
	unsigned n[CREDENTIAL_SELF_HELP + 1] = { 0 };
	enum err e = espstore_at(&esp, esp_folder, "");

	if (!e)
		e = espstore_load(&s, &found, &esp);
	if (e)
		return verdict(e, "store");
	hex_encode(device, s.head.device, sizeof(s.head.device));
	for (uint32_t i = 0; i < s.head.record_count; i++)
		n[s.records[i].kind] += s.records[i].has_seal;
	printf("device %s generation %llu locked %d sealed-users %u sealed-codes %u sealed-recovery %u "
	       "copies %s %s same-key %d\n",
	       device, (unsigned long long)s.head.generation, (s.head.flags & STORE_LOCKED) != 0,
	       n[CREDENTIAL_PASSWORD] + n[CREDENTIAL_TPM_PIN] + n[CREDENTIAL_TPM_PASSWORD], n[2], n[3], err_name(found.copy[0]), err_name(found.copy[1]), found.same_key);
	for (uint32_t i = 0; i < s.head.record_count; i++)
		printf("record kind %u number %u user '%s' sealed %u flags %u day %u\n",
		       s.records[i].kind, s.records[i].number, (const char *)s.records[i].user,
		       s.records[i].has_seal, s.records[i].flags, s.records[i].changed_day);
	printf("rules flags %u limit %u action %u min %u warn %u lock %u days %u contact %llu layout '%s' "
	       "organisation '%s' banner %zu logo %u\n",
	       s.rules.head.flags, s.rules.head.failure_limit, s.rules.head.failure_action,
	       s.rules.head.password_min, s.rules.head.contact_warn_days, s.rules.head.contact_lock_days,
	       s.rules.head.password_days, (unsigned long long)s.rules.head.last_contact,
	       (const char *)s.rules.head.layout, (const char *)s.rules.head.organisation,
	       strlen((const char *)s.rules.banner), s.rules.head.logo_bytes);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (sodium_init() < 0)
		return 2;
	tpm_connect();
	if (!strcmp(what, "self-help") && argc >= 5)
		return run_handoff(CREDENTIAL_SELF_HELP, argv[2], argv[3], 0, argv[4], argv + 5);
	if (!strcmp(what, "handoff") && argc >= 5)
		return run_handoff(CREDENTIAL_PASSWORD, argv[2], argv[3], 0, argv[4], argv + 5);
	if (!strcmp(what, "code") && argc >= 5)
		return run_handoff(CREDENTIAL_ONE_TIME_CODE, argv[2], "", (uint16_t)atoi(argv[3]),
				   argv[4], argv + 5);
	if (!strcmp(what, "recovery") && argc >= 4)
		return run_handoff(CREDENTIAL_RECOVERY_KEY, argv[2], "", 0, argv[3], argv + 4);
	if (!strcmp(what, "change") && argc == 6)
		return run_change(argv[2], argv[3], argv[4], (uint16_t)atoi(argv[5]));
	if (!strcmp(what, "fill") && argc == 5)
		return run_fill(argv[2], argv[3], (unsigned)atoi(argv[4]));
	if (!strcmp(what, "lock") && argc == 3)
		return run_lock(argv[2]);
	if (!strcmp(what, "opens") && argc == 5)
		return run_opens(CREDENTIAL_PASSWORD, argv[2], argv[3], 0, argv[4]);
	if (!strcmp(what, "opens-code") && argc == 5)
		return run_opens(CREDENTIAL_ONE_TIME_CODE, argv[2], "", (uint16_t)atoi(argv[3]),
				 argv[4]);
	if (!strcmp(what, "opens-recovery") && argc == 3)
		return run_opens_recovery(argv[2]);
	if (!strcmp(what, "sealed") && argc == 4)
		return run_sealed(argv[2], argv[3]);
	if (!strcmp(what, "objects") && argc == 4)
		return run_objects(argv[2], argv[3]);
	if (!strcmp(what, "show") && argc == 3)
		return run_show(argv[2]);
	fprintf(stderr, "usage: see the head of tests/volumed/handoff_tool.c\n");
	return 2;
}
