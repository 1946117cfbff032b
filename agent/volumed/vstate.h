/* What holdfast-volumed remembers: state.json, a JSON object with a section for each module that
 * owns it. Holds no secret (the attestation seed has its own file, attest.h). Each save is atomic, so
 * a power cut leaves the old or the new.
 *   section       owner            members
 *   "enrolling"   enrolment.c      token id and root, expiry, digest of the request
 *   "enrolment"   trust.c          what the organisation gave at enrolment
 *   "policy"      enforce.c        policy JWS and its certificates
 *   "counters"    trust.c          sequence numbers of commands carried out
 *   "recovery"    recovery.c       escrow ids, fingerprints, a rotation under way
 *   "codes"       onetime.c        escrow id and proof of each one-time code
 *   "passwords"   passnote.c       public key of each user's credential
 *   "tpm"         binding.c        what was told of the TPM, the key that was made there
 *   "boot"        bootwork.c       digests of the hand-offs that were worked through
 *   "firmware"    bootcare.c       loader that started last, an update under way, entries left in front */
#ifndef HOLDFAST_VSTATE_H
#define HOLDFAST_VSTATE_H

#include "common/json_host.h"

#define VSTATE_FILE "state.json"

struct vstate {
	const char *folder; /* borrowed */
	json_t *root;
};

/* A missing file gives an empty state. Errors: ERR_FORMAT (damaged), ERR_IO. */
MUST_CHECK enum err vstate_load(struct vstate *ret, const char *folder);
MUST_CHECK enum err vstate_save(const struct vstate *s);
void vstate_drop(struct vstate *s);

/* Section, borrowed; NULL when it is not there / made when it is not there (NULL: no memory). */
json_t *vstate_find(const struct vstate *s, const char *section);
json_t *vstate_make(struct vstate *s, const char *section);
void vstate_remove(struct vstate *s, const char *section);

/* Give s this section (the reference is taken; NULL: no memory) and save. On failure everything is as it
 * was: what could not be saved must not seem to be in force. Errors: ERR_MEMORY, those of vstate_save. */
MUST_CHECK enum err vstate_commit(struct vstate *s, const char *section, json_t *content);

/* Members with a default. */
uint64_t vstate_number(const json_t *section, const char *name);
const char *vstate_text(const json_t *section, const char *name); /* NULL: absent */

#endif
