#include "processor.h"

#include <stdint.h>

#define CR0_EMULATED (1ull << 2)
#define CR0_SWITCHED (1ull << 3)
#define CR4_SSE (1ull << 9)

int processor_is_ready(void)
{
	uint64_t cr0, cr4;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	return !(cr0 & (CR0_EMULATED | CR0_SWITCHED)) && (cr4 & CR4_SSE);
}

void processor_refresh(void)
{
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

void processor_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

void processor_wipe(void)
{
#define WIPE(n) "pxor %%xmm" #n ", %%xmm" #n "\n\t"
	__asm__ volatile(WIPE(0) WIPE(1) WIPE(2) WIPE(3) WIPE(4) WIPE(5) WIPE(6) WIPE(7) WIPE(8) WIPE(9)
			 WIPE(10) WIPE(11) WIPE(12) WIPE(13) WIPE(14) WIPE(15)
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#undef WIPE
}
