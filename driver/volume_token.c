/* Volume tokens: the LUKS2 JSON objects by which our keyslots are found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/json_host.h"
#include "volume_impl.h"

static const struct {
	const char *type, *id_name;
	size_t id_bytes;
} kinds[TOKEN_KINDS] = {
	[TOKEN_UNLOCK] = { "holdfast", "uk_id", sizeof(struct uk_id) },
	[TOKEN_RECOVERY] = { "holdfast-recovery", "escrow_id", ESCROW_ID_BYTES },
};

size_t token_id_bytes(enum token_kind kind)
{
	return kinds[kind].id_bytes;
}

/* "0" to "31", as libcryptsetup writes it; -1 for anything else. */
static int keyslot_number(const json_t *j)
{
	const char *text = json_string_value(j);
	int n = 0;

	if (!text || !*text || strlen(text) > 2)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n < crypt_keyslot_max(CRYPT_LUKS2) ? n : -1;
}

static enum err token_parse(struct token *ret, const char *text)
{
	struct token t = { .keyslot = -1, .planned = -1 };
	json_t *keyslots, *ours;
	const char *type;
	JSON *j = NULL;
	enum err e = json_parse(&j, text, strlen(text));

	e = e ? e : json_get_string(&type, j, "type");
	e = e ? e : json_get_array(&keyslots, j, "keyslots");
	e = e ? e : json_get_object(&ours, j, "holdfast");
	if (e)
		return e;
	while (t.kind < TOKEN_KINDS && strcmp(type, kinds[t.kind].type))
		t.kind++;
	if (t.kind == TOKEN_KINDS || json_array_size(keyslots) > 1)
		return ERR_FORMAT;
	e = json_get_hex(t.id, kinds[t.kind].id_bytes, ours, kinds[t.kind].id_name);
	if (e)
		return e;
	if (json_array_size(keyslots) == 1) {
		t.keyslot = keyslot_number(json_array_get(keyslots, 0));
		if (t.keyslot < 0)
			return ERR_FORMAT;
	} else if (json_object_get(ours, "planned")) {
		t.planned = keyslot_number(json_object_get(ours, "planned"));
		if (t.planned < 0)
			return ERR_FORMAT;
	}
	*ret = t;
	return OK;
}

void token_list_read(struct token_list *ret, struct volume *v)
{
	int n, max = crypt_token_max(CRYPT_LUKS2);
	const char *text;

	ret->count = 0;
	for (n = 0; n < max && ret->count < TOKENS_MAX; n++) {
		if (crypt_token_status(v->cd, n, NULL) <= CRYPT_TOKEN_INACTIVE ||
		    crypt_token_json_get(v->cd, n, &text) < 0 ||
		    token_parse(&ret->at[ret->count], text))
			continue;
		ret->at[ret->count++].number = n;
	}
}

int token_names(const struct token_list *l, int keyslot, int but)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->at[i].keyslot == keyslot && l->at[i].number != but)
			return 1;
	return 0;
}

static json_t *token_json(const struct token *t)
{
	char id[2 * ESCROW_ID_BYTES + 1], number[12];
	json_t *j;

	hex_encode(id, t->id, kinds[t->kind].id_bytes);
	j = json_pack("{s:s, s:[], s:{s:s}}", "type", kinds[t->kind].type, "keyslots", "holdfast",
		      kinds[t->kind].id_name, id);
	if (!j)
		return NULL;
	snprintf(number, sizeof(number), "%d", t->keyslot >= 0 ? t->keyslot : t->planned);
	if (t->keyslot >= 0)
		json_array_append_new(json_object_get(j, "keyslots"), json_string(number));
	else if (t->planned >= 0)
		json_object_set_new(json_object_get(j, "holdfast"), "planned", json_string(number));
	return j;
}

enum err token_write(struct volume *v, struct token *t)
{
	JSON *j = token_json(t);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	int r;

	if (!text)
		return ERR_MEMORY;
	r = crypt_token_json_set(v->cd, t->number < 0 ? CRYPT_ANY_TOKEN : t->number, text);
	free(text);
	if (r < 0)
		return r == -EINVAL ? ERR_SPACE : volume_err(r);
	t->number = r;
	return volume_sync(v);
}

enum err token_remove(struct volume *v, int number)
{
	enum err e = volume_err(crypt_token_json_set(v->cd, number, NULL));

	return e ? e : volume_sync(v);
}
