/* Self-test report on its way to the server: pre-boot has written it (preboot/selftest.c), perhaps before the
 * laptop was under management; it is sent once, as event "self-test". docs/self-test.md. */
#ifndef HOLDFAST_AGENT_SELFTEST_H
#define HOLDFAST_AGENT_SELFTEST_H

#include "agent/volumed/volumed.h"
#include "common/selftest.h"

#define SELFTEST_REPORT "selftest.report"
#define SELFTEST_SENT "selftest.sent"
#define SELFTEST_REQUEST "selftest.request"
#define SELFTEST_PROGRAM "selftest.efi"

/* folder: …/EFI/holdfast. sent: the one that has been sent, if there is no newer one.
 * Errors: ERR_NOT_FOUND, ERR_IO, those of selftest_decode. */
MUST_CHECK enum err selftest_load(struct selftest *ret, const char *folder, int sent);

/* Everything but the report is taken away again: program, boot entry, request. efivars: "" for none.
 * Errors: ERR_IO. */
MUST_CHECK enum err selftest_tidy(const char *efivars, const char *folder);

/* After enrolment: event, and the file renamed. Failures are logged, and tried again. */
void selftest_settle(struct volumed *v);

#endif
