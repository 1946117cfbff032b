/* Sandbox: what the frontend gives up before it serves anybody. */
#ifndef HOLDFAST_FRONTEND_SANDBOX_H
#define HOLDFAST_FRONTEND_SANDBOX_H

#include "common/err.h"

/* No other programs, no other processes' memory (seccomp); no files but those in dir (Landlock,
 * where the kernel has it: *ret_files tells). Errors: ERR_UNSUPPORTED. */
MUST_CHECK enum err front_sandbox(int *ret_files, const char *dir);

#endif
