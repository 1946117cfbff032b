#include "agent/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void footprint_limit(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_TRIM_THRESHOLD, 64 << 10);
}

/* Code that was changed when it was loaded would be lost. */
static int has_text_relocations(const struct dl_phdr_info *object)
{
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		const ElfW(Dyn) *d = (const void *)(object->dlpi_addr + p->p_vaddr);

		if (p->p_type != PT_DYNAMIC)
			continue;
		for (; d->d_tag != DT_NULL; d++)
			if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && d->d_un.d_val & DF_TEXTREL))
				return 1;
		return 0;
	}
	return 1;
}

static int release_object(struct dl_phdr_info *object, size_t size, void *page)
{
	const uintptr_t mask = *(const uintptr_t *)page - 1;

	(void)size;
	if (strstr(object->dlpi_name, "vdso") || has_text_relocations(object))
		return 0;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &object->dlpi_phdr[i];
		uintptr_t from = (object->dlpi_addr + p->p_vaddr) & ~mask;
		uintptr_t to = (object->dlpi_addr + p->p_vaddr + p->p_filesz) & ~mask;

		/* Never writable: what is in memory is what is in the file. */
		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && to > from)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void footprint_release(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	malloc_trim(0);
	dl_iterate_phdr(release_object, &page);
}
