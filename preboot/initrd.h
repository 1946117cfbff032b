/* Initrd: serves the hand-off's archive followed by the real initrd to the kernel's EFI stub, through
 * LoadFile2 on the path LINUX_EFI_INITRD_MEDIA_GUID. The stub asks after StartImage. */
#ifndef HOLDFAST_INITRD_H
#define HOLDFAST_INITRD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Announce it. front and rest stay the caller's and must live until the kernel has started;
 * delivered is called once, right after the kernel's buffer was filled: front must be wiped then.
 * A second delivery is refused. Errors: ERR_EXISTS (another loader serves one), ERR_IO. */
MUST_CHECK enum err initrd_serve(const uint8_t *front, size_t front_len, const uint8_t *rest,
				 size_t rest_len, void (*delivered)(void));

/* Take it back: the kernel gave up. */
void initrd_withdraw(void);

#endif
