/* TLS key and self-signed certificate, made at the first start. Clients pin the key (the enrolment
 * token and the claim text carry the pin), so no authority is needed; files of an authority's may
 * be put in their place. */
#ifndef HOLDFAST_FRONTEND_TLS_H
#define HOLDFAST_FRONTEND_TLS_H

#include "common/err.h"

#define TLS_PIN_BYTES 64 /* "sha256//" and base64 of 32 bytes, and NUL */

/* Make dir/tls.key and dir/tls.crt when they are not there. host: name or address in the
 * certificate. */
MUST_CHECK enum err tls_make(const char *dir, const char *host);
/* Texts of the two files, malloc'ed; wipe the key. Errors: ERR_IO. */
MUST_CHECK enum err tls_load(char **ret_key, char **ret_cert, const char *dir);
/* Pin of the key in dir/tls.crt, in libcurl's form. Errors: ERR_IO, ERR_FORMAT. */
MUST_CHECK enum err tls_pin(char ret[TLS_PIN_BYTES], const char *dir);

#endif
