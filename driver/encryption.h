/* Encryption: does a LUKS2 header promise any? The question of whoever opens a volume without a
 * manifest that vouches for its header: the recovery prompt and the token plugin. */
#ifndef HOLDFAST_ENCRYPTION_H
#define HOLDFAST_ENCRYPTION_H

#include <libcryptsetup.h>

#include "../common/err.h"

/* Every segment and every keyslot area in aes-xts-plain64, the only cipher of a managed volume. A
 * header that anybody may have rewritten names a null cipher or none as well, and the right
 * passphrase then "opens" data of the writer's choice (CVE-2025-59054). Errors: ERR_CHANGED with
 * *ret_what the static word "cipher"; ERR_FORMAT. */
MUST_CHECK enum err encryption_check(const char **ret_what, struct crypt_device *cd);

#endif
