/* The firmware's TPM 2.0 behind EFI_TCG2_PROTOCOL: extends are recorded, events are logged, and plain
 * commands go to whatever the test gives: a model (model_tpm.h), or a function of its own. Without
 * fake_tcg2_start there is no such protocol.
 *
 *     struct fake_tcg2 *t = fake_tcg2_new();       survives the processes of runs
 *     t->submit = model_tpm_submit, t->context = model_tpm_new(1);
 *     ... in the process of a run, or after fake_here: fake_tcg2_start(t);
 *     assert_string_equal(t->events[0].text, "holdfast: version 0.1.0");
 *     fake_tcg2_free(t); */
#ifndef HOLDFAST_FAKE_TCG2_H
#define HOLDFAST_FAKE_TCG2_H

#include "common/tpm.h"

#define FAKE_TCG2_EVENTS 16
#define FAKE_TCG2_TEXT 512

struct fake_tcg2 {
	/* To be set before. */
	int is_absent;           /* the protocol is there, the TPM is not */
	int no_sha256;           /* only its SHA-1 bank is active */
	int is_old;              /* structure version 1.0: tells nothing of banks */
	uint64_t capability_fails, submit_fails, extend_fails; /* with that status; 0: they work */
	unsigned extend_first;   /* ... from this one on, from 0 */
	int log_full;            /* extends, then EFI_VOLUME_FULL */
	int extends_nothing;     /* and says that it has */
	enum err (*submit)(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len);
	void *context;
	void (*extend)(void *context, unsigned pcr, const uint8_t digest[32]); /* NULL: none */

	/* To be looked at after. */
	unsigned submits, event_count;
	struct fake_tcg2_event {
		uint32_t pcr, type;
		size_t len;
		char text[FAKE_TCG2_TEXT]; /* NUL-terminated */
		uint8_t digest[32];        /* SHA-256 of what was hashed */
	} events[FAKE_TCG2_EVENTS];
};
struct fake_tcg2 *fake_tcg2_new(void);
void fake_tcg2_free(struct fake_tcg2 *t);
void fake_tcg2_start(struct fake_tcg2 *t);

#endif
