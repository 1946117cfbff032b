/* Self-test: before a laptop is put under policy, holdfast.efi is started once to try what it will need, and
 * writes a report; then the laptop restarts. Nothing is unlocked, no store is looked at. docs/self-test.md. */
#ifndef HOLDFAST_PREBOOT_SELFTEST_H
#define HOLDFAST_PREBOOT_SELFTEST_H

#include "common/err.h"

/* Asked for by the boot entry "Holdfast self-test", or by \EFI\holdfast\selftest.request on a laptop without
 * a store. Does not return then. Else OK. After files_start. */
MUST_CHECK enum err selftest_run_if_asked(void);

#endif
