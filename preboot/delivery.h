/* Delivery: the keys on their way to the kernel. Makes the hand-off, serves it with the initrd, starts
 * the kernel, and wipes every copy of ours when the kernel has it and once more at ExitBootServices. */
#ifndef HOLDFAST_DELIVERY_H
#define HOLDFAST_DELIVERY_H

#include "common/store.h"
#include "login.h"

struct delivery {
	const struct store *store; /* verified */
	struct login *login;       /* opened; dropped by delivery_start */
	unsigned target;
	uint64_t load_ms; /* spent on reading and digesting boot files after the last key */
};

/* So much of the stack is overwritten before the kernel starts, of the 128 KiB that firmware must give; no call
 * before has gone deeper. */
#define DELIVERY_STACK_WIPED ((size_t)80 << 10)

/* After boot_prepare. Returns only if the kernel could not be started: said on the console, everything
 * wiped. Errors: ERR_MEMORY, ERR_EXISTS, ERR_IO. */
MUST_CHECK enum err delivery_start(const struct delivery *d);

#endif
