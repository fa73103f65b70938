/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzz target defines. */
#ifndef VHU_TESTS_FUZZ_H
#define VHU_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Try @size bytes of @data; whatever is wrong ends the program. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End the program unless @so is true. */
static inline void must(int so)
{
	if (!so)
		abort();
}

#endif
