#include "selfhelp.h"

#include <sodium.h>
#include <string.h>

#include "common/stack.h"
#include "phrase.h"
#include "residue.h"
#include "tpm.h"

void selfhelp_drop(struct selfhelp *h)
{
	sodium_memzero(h, sizeof(*h));
}

int selfhelp_offered(const struct store *s)
{
	return s->head.questions_count && tpm_efi();
}

/* Of anybody: for a user who has none, so that the TPM has as much to do. */
static struct binding *any_shares(const struct store *s)
{
	for (uint32_t i = 0; i < s->bindings.head.count; i++)
		if (s->bindings.entries[i].kind == BINDING_SHARES)
			return &s->bindings.entries[i];
	return NULL;
}

static enum err unseal(struct sealed *ret, const struct store *s, const struct binding *b)
{
	struct tpm_parent parent;
	struct tpm_object object;

	if (!tpm_efi())
		return ERR_NOT_FOUND;
	bindings_parent(&parent, &s->bindings);
	binding_object(&object, b);
	return tpm_unseal(ret->secret, tpm_efi(), &parent, &object, NULL);
}

static enum err open_box(struct selfhelp *ret, const struct store *s, const char *user)
{
	SEALED sealed = { 0 };
	struct questions *questions;
	struct record *r = NULL;
	struct binding *b = NULL;
	int found = !store_find_self_help(&r, s, user) && !store_questions_find(&questions, s, r->id) &&
		    !bindings_find(&b, &s->bindings, r->id, BINDING_SHARES);

	if (!found)
		b = any_shares(s);
	if (!b)
		return ERR_DENIED;
	ret->tpm = unseal(&sealed, s, b);
	if (ret->tpm)
		return ret->tpm;
	if (!found)
		return ERR_DENIED;
	ret->record = r;
	return questions_open(&ret->box, questions, sealed.secret) ? ERR_SIGNATURE : OK;
}

enum err selfhelp_open(struct selfhelp *ret, const struct store *s, const char *user)
{
	enum err e;

	selfhelp_drop(ret);
	e = open_box(ret, s, user);
	stack_wipe(); /* of the box's key, before anything is shown */
	return e;
}

struct answers {
	unsigned chosen[QUESTIONS_MAX], count;
	struct secret texts[QUESTIONS_MAX];
};

static void answers_drop(struct answers *a)
{
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		secret_drop(&a->texts[i]);
}

static void show(const struct questions_box *b, unsigned i, unsigned answered)
{
	static const struct view_key keys[] = { { "Esc", "Back" }, { "F2", "One-time code" } };
	char body[VIEW_TEXT_MAX];

	phrase_format(body, sizeof(body),
		      "Question %u of %u. Answers needed: %u, given: %u. Enter alone leaves a question out.\n%s",
		      i + 1, (unsigned)b->count, (unsigned)b->need, answered, questions_text(b, i));
	ui_page("Your questions", body, "");
	ui_offer(keys, 2);
}

/* An answer that is none whatever the question is asked for again. */
static int usable(struct answers *a, const struct line *typed)
{
	SECRET struct secret normal = { 0 };
	struct secret *text = &a->texts[a->count];
	enum err e = secret_copy(text, typed->bytes, typed->len);

	if (!e)
		e = answer_normalize(&normal, text);
	if (!e)
		return 1;
	secret_drop(text);
	ui_tell(MESSAGE_ANSWER_SHORT, ANSWER_CHARACTERS_MIN);
	return 0;
}

static enum prompt_end ask_one(struct answers *a, const struct questions_box *b, unsigned i)
{
	for (;;) {
		LINE typed = { 0 };
		enum prompt_end end;
		int good;

		show(b, i, a->count);
		end = prompt_line(&typed, "Answer", ANSWER_BYTES_MAX, UI_HIDDEN);
		if (end != PROMPT_ENTER || !typed.len)
			return end;
		good = usable(a, &typed);
		residue_wipe(&typed);
		if (!good)
			continue;
		a->chosen[a->count++] = i;
		return PROMPT_ENTER;
	}
}

static enum prompt_end ask_all(struct answers *a, const struct questions_box *b)
{
	for (unsigned i = 0; i < b->count && a->count < b->need; i++) {
		enum prompt_end end = ask_one(a, b, i);

		if (end == PROMPT_ENTER)
			ui_quiet();
		else
			return end;
	}
	return PROMPT_ENTER;
}

enum prompt_end selfhelp_ask(struct secret *ret, const struct selfhelp *h)
{
	__attribute__((cleanup(answers_drop))) struct answers a = { 0 };
	enum prompt_end end = ask_all(&a, &h->box);
	enum err e;

	if (end != PROMPT_ENTER)
		return end;
	if (a.count < h->box.need) {
		ui_tell(MESSAGE_ANSWERS_FEW, (unsigned)h->box.need, a.count);
		return PROMPT_ENTER;
	}
	e = questions_answer(ret, &h->box, a.chosen, a.texts, h->record->salt);
	if (e)
		ui_tell(MESSAGE_CREDENTIAL_UNUSABLE, err_text(e));
	return PROMPT_ENTER;
}
