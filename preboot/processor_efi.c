#include "processor.h"

#include <stdint.h>

#include "common/registers.h"

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
	registers_wipe();
}
