/* Event log: reader, replay, differences. */
#include "eventlog_host.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHM_SHA256 0x000b
#define DIGEST_BYTES_MAX 64
#define HEAD_DIGEST_BYTES 20 /* SHA-1, zeros */
#define PCR_ANY 0xffffffff   /* of events that are for nobody's PCR */
#define PCR_MAX 23
#define NAMED_MAX 64         /* events of one PCR that are told apart */

static const uint8_t signature[16] = "Spec ID Event03";
static const uint8_t locality[16] = "StartupLocality";

/* A known algorithm with another length would shift everything behind it; TPM 2.0 Library, part 2, 6.3. */
static int bank_plausible(uint16_t algorithm, uint16_t bytes)
{
	switch (algorithm) {
	case 0x0004: return bytes == 20;
	case ALGORITHM_SHA256: return bytes == 32;
	case 0x000c: return bytes == 48;
	case 0x000d: return bytes == 64;
	case 0x0012: return bytes == 32;
	default: return bytes > 0 && bytes <= DIGEST_BYTES_MAX;
	}
}

static int bank_find(const struct eventlog *l, uint16_t algorithm)
{
	for (uint32_t i = 0; i < l->bank_count; i++)
		if (l->banks[i].algorithm == algorithm)
			return (int)i;
	return -1;
}

static enum err banks_read(struct eventlog *l, struct cursor *c)
{
	uint32_t count = cursor_u32(c);

	if (!count || count > EVENTLOG_BANKS_MAX)
		return ERR_FORMAT;
	while (l->bank_count < count) {
		uint16_t algorithm = cursor_u16(c), bytes = cursor_u16(c);

		if (!bank_plausible(algorithm, bytes) || bank_find(l, algorithm) >= 0)
			return ERR_FORMAT;
		l->banks[l->bank_count].algorithm = algorithm;
		l->banks[l->bank_count++].bytes = bytes;
	}
	return OK;
}

/* TCG_EfiSpecIDEvent. */
static enum err spec_read(struct eventlog *l, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	uint8_t found[sizeof(signature)];
	enum err e;

	cursor_bytes(&c, found, sizeof(found));
	if (memcmp(found, signature, sizeof(found)))
		return ERR_FORMAT;
	(void)cursor_take(&c, 4 + 1 + 1 + 1 + 1); /* class, version, errata, size of a UINTN */
	e = banks_read(l, &c);
	if (e)
		return e;
	(void)cursor_take(&c, cursor_u8(&c));
	e = cursor_end(&c);
	return e ? e : bank_find(l, ALGORITHM_SHA256) < 0 ? ERR_UNSUPPORTED : OK;
}

enum err eventlog_begin(struct eventlog *ret, const uint8_t *bytes, size_t len)
{
	struct eventlog l = { .rest = cursor_over(bytes, len) };
	uint32_t pcr = cursor_u32(&l.rest), type = cursor_u32(&l.rest), size;
	const uint8_t *data;
	enum err e;

	if (len > EVENTLOG_BYTES_MAX)
		return ERR_RANGE;
	(void)cursor_take(&l.rest, HEAD_DIGEST_BYTES);
	size = cursor_u32(&l.rest);
	data = cursor_take(&l.rest, size);
	if (!data || pcr || type != EVENTLOG_NO_ACTION)
		return ERR_FORMAT;
	e = spec_read(&l, data, size);
	if (!e)
		*ret = l;
	return e;
}

/* One digest a bank, in any order. */
static enum err digests_read(struct eventlog_event *x, struct eventlog *l)
{
	uint32_t count = cursor_u32(&l->rest), seen = 0;

	if (count != l->bank_count)
		return ERR_FORMAT;
	for (uint32_t i = 0; i < count; i++) {
		int bank = bank_find(l, cursor_u16(&l->rest));
		const uint8_t *digest;

		if (bank < 0 || seen & 1u << bank)
			return ERR_FORMAT;
		seen |= 1u << bank;
		digest = cursor_take(&l->rest, l->banks[bank].bytes);
		if (digest && l->banks[bank].algorithm == ALGORITHM_SHA256)
			memcpy(x->digest, digest, sizeof(x->digest));
	}
	return OK;
}

enum err eventlog_next(struct eventlog_event *ret, struct eventlog *l)
{
	struct eventlog_event x = { 0 };
	enum err e;

	if (!l->rest.left)
		return ERR_NOT_FOUND;
	x.pcr = cursor_u32(&l->rest);
	x.type = cursor_u32(&l->rest);
	e = digests_read(&x, l);
	x.len = cursor_u32(&l->rest);
	x.data = cursor_take(&l->rest, x.len);
	if (e || !x.data || (x.pcr > PCR_MAX && x.pcr != PCR_ANY))
		return ERR_FORMAT;
	*ret = x;
	return OK;
}

static void extend(uint8_t pcr[static EVENTLOG_DIGEST_BYTES], const uint8_t *digest)
{
	uint8_t both[2 * EVENTLOG_DIGEST_BYTES];

	memcpy(both, pcr, EVENTLOG_DIGEST_BYTES);
	memcpy(both + EVENTLOG_DIGEST_BYTES, digest, EVENTLOG_DIGEST_BYTES);
	crypto_hash_sha256(pcr, both, sizeof(both));
}

/* The CRTM may start the TPM from another locality than 0: then PCR 0 begins with its number. */
static int is_locality(const struct eventlog_event *x)
{
	return x->type == EVENTLOG_NO_ACTION && !x->pcr && x->len == sizeof(locality) + 1 &&
	       !memcmp(x->data, locality, sizeof(locality));
}

enum err eventlog_pcr(uint8_t ret[static EVENTLOG_DIGEST_BYTES], const uint8_t *bytes, size_t len,
		      unsigned pcr)
{
	uint8_t value[EVENTLOG_DIGEST_BYTES] = { 0 };
	struct eventlog_event x;
	struct eventlog l;
	enum err e = pcr < EVENTLOG_PCRS ? eventlog_begin(&l, bytes, len) : ERR_RANGE;

	if (e)
		return e;
	while (!(e = eventlog_next(&x, &l))) {
		if (!pcr && is_locality(&x))
			value[sizeof(value) - 1] = x.data[sizeof(locality)];
		else if (x.pcr == pcr && x.type != EVENTLOG_NO_ACTION)
			extend(value, x.digest);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	memcpy(ret, value, sizeof(value));
	return OK;
}

static int printable(uint16_t c)
{
	return c >= ' ' && c <= '~';
}

/* UEFI_VARIABLE_DATA: GUID, lengths in characters and bytes, name, content. Returns 0 where it is not. */
static int variable_name(char *ret, size_t size, const struct eventlog_event *x)
{
	struct cursor c = cursor_over(x->data, x->len);
	uint64_t characters, bytes;
	size_t n = 0;

	(void)cursor_take(&c, 16);
	characters = cursor_u64(&c);
	bytes = cursor_u64(&c);
	if (!characters || characters >= size || bytes > x->len)
		return 0;
	while (n < characters) {
		uint16_t character = cursor_u16(&c);

		if (!printable(character))
			return 0;
		ret[n++] = (char)character;
	}
	ret[n] = '\0';
	(void)cursor_take(&c, (size_t)bytes);
	return !cursor_end(&c);
}

static int action_text(char *ret, size_t size, const struct eventlog_event *x)
{
	size_t n = 0;

	if (!x->len || x->len >= size)
		return 0;
	while (n < x->len && printable(x->data[n])) {
		ret[n] = (char)x->data[n];
		n++;
	}
	ret[n] = '\0';
	return n == x->len;
}

void eventlog_name(char ret[static EVENTLOG_NAME_MAX], const struct eventlog_event *x)
{
	static const char signer[] = "signer in ";
	size_t at = x->type == EVENTLOG_VARIABLE_AUTHORITY ? sizeof(signer) - 1 : 0;

	memcpy(ret, signer, at);
	if (x->type == EVENTLOG_SEPARATOR)
		strcpy(ret, "separator");
	else if (!((x->type == EVENTLOG_VARIABLE || at) &&
		   variable_name(ret + at, EVENTLOG_NAME_MAX - at, x)) &&
		 !(x->type == EVENTLOG_ACTION && action_text(ret, EVENTLOG_NAME_MAX, x)))
		snprintf(ret, EVENTLOG_NAME_MAX, "event 0x%x", x->type);
}

/* All events of one name, as one digest of theirs in their order. */
struct named {
	char name[EVENTLOG_NAME_MAX];
	uint8_t digest[EVENTLOG_DIGEST_BYTES];
};

struct named_list {
	size_t count;
	struct named at[NAMED_MAX];
};

static struct named *named_find(struct named_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->at[i].name, name))
			return &l->at[i];
	return NULL;
}

/* What is beyond the room counts for the last name. */
static struct named *named_take(struct named_list *l, const char *name)
{
	struct named *n = named_find(l, name);

	if (!n && l->count == NAMED_MAX)
		n = &l->at[NAMED_MAX - 1];
	if (!n) {
		n = &l->at[l->count++];
		strcpy(n->name, name);
	}
	return n;
}

static enum err named_read(struct named_list *ret, const uint8_t *bytes, size_t len, unsigned pcr)
{
	char name[EVENTLOG_NAME_MAX];
	struct eventlog_event x;
	struct eventlog l;
	enum err e = eventlog_begin(&l, bytes, len);

	while (!e && !(e = eventlog_next(&x, &l))) {
		if (x.pcr != pcr || x.type == EVENTLOG_NO_ACTION)
			continue;
		eventlog_name(name, &x);
		extend(named_take(ret, name)->digest, x.digest);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static void say(char ret[static EVENTLOG_TEXT_MAX], const char *name, const char *how)
{
	static const char more[] = ", \xe2\x80\xa6";
	char piece[EVENTLOG_NAME_MAX + 16];
	size_t n = strlen(ret);

	snprintf(piece, sizeof(piece), "%s%s %s", n ? ", " : "", name, how);
	if (n + strlen(piece) + sizeof(more) <= EVENTLOG_TEXT_MAX)
		strcpy(ret + n, piece);
	else if (n < sizeof(more) || strcmp(ret + n - (sizeof(more) - 1), more))
		strcpy(ret + n, more);
}

enum err eventlog_changes(char ret[static EVENTLOG_TEXT_MAX], const uint8_t *before,
			  size_t before_len, const uint8_t *after, size_t after_len, unsigned pcr)
{
	struct named_list old = { 0 }, new = { 0 };
	char text[EVENTLOG_TEXT_MAX] = "";
	enum err e = named_read(&old, before, before_len, pcr);

	e = e ? e : named_read(&new, after, after_len, pcr);
	if (e)
		return e;
	for (size_t i = 0; i < new.count; i++) {
		const struct named *was = named_find(&old, new.at[i].name);

		if (!was)
			say(text, new.at[i].name, "added");
		else if (memcmp(was->digest, new.at[i].digest, sizeof(was->digest)))
			say(text, new.at[i].name, "changed");
	}
	for (size_t i = 0; i < old.count; i++)
		if (!named_find(&new, old.at[i].name))
			say(text, old.at[i].name, "gone");
	memcpy(ret, text, sizeof(text));
	return OK;
}
