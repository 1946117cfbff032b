/* Firmware moves only images that have a section of base relocations. Ours moves itself (libgnuefi), so
 * one block with nothing in it is enough; marked so that the linker, which leaves out what nobody refers
 * to, keeps it. Source: PE/COFF, "The .reloc Section". */
#include <stdint.h>

#define BLOCK_BYTES 10

static const uint16_t block[] __attribute__((section(".reloc"), used, retain)) = {
	0, 0,           /* page, u32 */
	BLOCK_BYTES, 0, /* size of the block, u32 */
	0,              /* one entry: IMAGE_REL_BASED_ABSOLUTE, which means none */
};
