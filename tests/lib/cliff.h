/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A buffer that ends where an unmapped page begins, so that a read past its end crashes. */
#ifndef VHU_TESTS_CLIFF_H
#define VHU_TESTS_CLIFF_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Return the end of @size readable and writable bytes; they are never given back. */
static inline uint8_t *cliff_new(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	uint8_t *at =
	    mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + whole, page, PROT_NONE))
		abort();
	return at + whole;
}

#endif
