/* Firmware: what holdfast-activate asks of it: boot entries, the try of another holdfast.efi, a self-test. Each
 * prints what it has done, or what went wrong. docs/updates.md, docs/self-test.md. */
#ifndef HOLDFAST_ACTIVATE_FIRMWARE_H
#define HOLDFAST_ACTIVATE_FIRMWARE_H

#include "agent/activate/plan.h"
#include "agent/volumed/espstore.h"

/* The entry "Holdfast", first in order. Without it the laptop starts by BOOTX64.EFI, and the agent makes it later:
 * so a failure is told, and is none. */
void firmware_enter(const struct espstore *esp);

/* --loader */
MUST_CHECK enum err firmware_update(const struct plan *p);
/* --self-test */
MUST_CHECK enum err firmware_test(const struct plan *p);
/* --self-test --show */
MUST_CHECK enum err firmware_show(const struct plan *p);

#endif
