#include "registers.h"

#define WIPE(n) "pxor %%xmm" #n ", %%xmm" #n "\n\t"

void registers_wipe(void)
{
	__asm__ volatile(WIPE(0) WIPE(1) WIPE(2) WIPE(3) WIPE(4) WIPE(5) WIPE(6) WIPE(7) WIPE(8) WIPE(9)
			 WIPE(10) WIPE(11) WIPE(12) WIPE(13) WIPE(14) WIPE(15)
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
