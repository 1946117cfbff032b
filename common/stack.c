#include "stack.h"

#include <stdint.h>

#include "registers.h"
#include "secret.h"

/* Not inlined: the frame must lie where those of the other callees have been. */
__attribute__((noinline)) void stack_wipe(void)
{
	uint8_t frame[STACK_WIPE_BYTES];

	secret_wipe(frame, sizeof(frame));
	registers_wipe();
}
