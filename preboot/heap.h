/* Heap: malloc and free over the firmware's memory (libc_efi.c). Every block is wiped when it is
 * freed; heap_wipe is for the ways out on which nobody frees. */
#ifndef HOLDFAST_HEAP_H
#define HOLDFAST_HEAP_H

/* Wipe what is still allocated, and the stack's free part. Calls no firmware service, so that it may
 * run inside ExitBootServices. Nothing of the heap may be used afterwards. */
void heap_wipe(void);

#endif
