/* Link: what holdfastd asks of holdfast-volumed. Each question has a connection of its own, so that
 * threads do not wait for each other and none is left with an answer to another question.
 * path is that of volumed.sock. `about` receives volumed's sentence for people on a refusal.
 *
 * Errors of all: ERR_NETWORK (volumed is not running), ERR_BUSY (no answer in time), ERR_DENIED,
 * ERR_FORMAT, ERR_MEMORY; and, with ret_refused set, the error that volumed answered. */
#ifndef HOLDFAST_LINK_H
#define HOLDFAST_LINK_H

#include "common/jwk_host.h"

#define LINK_ABOUT_BYTES 256

struct link {
	const char *path;
	int refused;                   /* the last error is volumed's own answer */
	char about[LINK_ABOUT_BYTES];  /* its words; "" when there are none */
};

/* Who the device is in a session. Texts are malloc'ed. */
struct link_identity {
	char *cert, *sub;
	struct sign_pk server;
};
void link_identity_drop(struct link_identity *i);
#define LINK_IDENTITY __attribute__((cleanup(link_identity_drop))) struct link_identity

/* Texts in *ret are malloc'ed. */
MUST_CHECK enum err link_status(char **ret, struct link *l, int timeout_ms);
MUST_CHECK enum err link_enrol_begin(char **ret, struct link *l, const char *token,
				     const struct sign_pk *session);
MUST_CHECK enum err link_enrol_finish(struct link *l, const char *enrolled);
MUST_CHECK enum err link_identity(struct link_identity *ret, struct link *l,
				  const struct sign_pk *session);
MUST_CHECK enum err link_user_proof(char **ret, struct link *l, const uint8_t transcript[static DIGEST_BYTES]);
MUST_CHECK enum err link_receipt(struct link *l, const char *receipt);
MUST_CHECK enum err link_sent(struct link *l, const char *id);
MUST_CHECK enum err link_time(struct link *l, const char *time);
MUST_CHECK enum err link_command(struct link *l, const char *command, const char *certs);
MUST_CHECK enum err link_policy(struct link *l, const char *policy, const char *certs);

/* Version of the policy in force, from volumed's status; 0 when there is none or nobody answers. */
uint64_t link_policy_version(struct link *l);

/* Refused for good by volumed, as opposed to something that may pass (no answer, no space). */
int link_is_final(const struct link *l, enum err e);

#endif
