/* Officer root: the Ed25519 key that certifies officers, escrow keys and the server. Kept off the server:
 * DIR/root.jwe, wrapped for the officer who made it, and on the printed recovery sheet. */
#ifndef HOLDFAST_CTL_ROOT_H
#define HOLDFAST_CTL_ROOT_H

#include "common/cert_host.h"
#include "officer.h"

#define ROOT_FILE "root.jwe"

MUST_CHECK enum err root_write(const struct sign_sk *root, const char *dir,
			       const struct officer_branches *b);
/* Errors: ERR_NOT_FOUND (another officer holds it: use the sheet), ERR_AUTH. */
MUST_CHECK enum err root_read(struct sign_sk *ret, const char *dir, const struct officer_branches *b);

/* The recovery sheet: a text to print. Errors: ERR_EXISTS, ERR_IO. */
MUST_CHECK enum err root_sheet_write(const struct sign_sk *root, const char *file, const char *enterprise);
/* Read the code from a sheet's file (or a file with only the code).
 * Errors: ERR_FORMAT with *ret_group (code_parse), ERR_NOT_FOUND. */
MUST_CHECK enum err root_sheet_read(struct sign_sk *ret, size_t *ret_group, const char *file);

/* The X25519 key that belongs to the root: escrow keys are wrapped for it, so that the sheet opens them. */
MUST_CHECK enum err root_agree_sk(struct agree_sk *ret, const struct sign_sk *root);

/* A certificate in the root's name (or, for officer-sign-in, the officer's). agree or sign may be NULL. */
MUST_CHECK enum err root_certify(char **ret, const char *role, const char *subject, const char *enterprise,
				 const struct sign_pk *sign, const struct agree_pk *agree,
				 const char *permissions, const struct sign_sk *issuer);

#endif
