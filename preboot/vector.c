#include "vector.h"

#include <stdint.h>

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_AVX (1u << 28)
#define CPUID_7_EBX_AVX2 (1u << 5)
#define CR4_OSXSAVE (1ull << 18)
#define XCR0_X87_SSE_AVX 7u

static struct {
	int on;
	uint64_t cr4;
	uint32_t xcr0[2];
} state;

struct cpuid {
	uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(0));
	return r;
}

static int offered(void)
{
	const uint32_t need = CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX;

	return cpuid(0).a >= 13 && (cpuid(1).c & need) == need && (cpuid(7).b & CPUID_7_EBX_AVX2) &&
	       (cpuid(13).a & XCR0_X87_SSE_AVX) == XCR0_X87_SSE_AVX;
}

static uint64_t cr4_read(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void cr4_write(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static void xcr0_write(uint32_t low, uint32_t high)
{
	__asm__ volatile("xsetbv" : : "a"(low), "d"(high), "c"(0) : "memory");
}

void vector_start(void)
{
	if (state.on || !offered())
		return;
	state.cr4 = cr4_read();
	cr4_write(state.cr4 | CR4_OSXSAVE);
	__asm__ volatile("xgetbv" : "=a"(state.xcr0[0]), "=d"(state.xcr0[1]) : "c"(0));
	xcr0_write(state.xcr0[0] | XCR0_X87_SSE_AVX, state.xcr0[1]);
	state.on = 1;
}

void vector_stop(void)
{
	if (!state.on)
		return;
	__asm__ volatile("vzeroall"
			 :
			 :
			 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	xcr0_write(state.xcr0[0], state.xcr0[1]);
	cr4_write(state.cr4);
	state.on = 0;
}
