/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spans of time. */
#include "samples/common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"

/* The longest span: some eleven days. */
#define SPAN_MAX (1000000 * (double)VHU_NS_PER_S)

int vhu_clock_parse(const char *text, uint64_t *span)
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
	char *unit;
	double number;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	number = strtod(text, &unit);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(units); i++) {
		if (strcmp(unit, units[i].name))
			continue;
		number *= units[i].nanoseconds;
		if (!(number <= SPAN_MAX))
			return -EINVAL;
		*span = (uint64_t)number;
		return 0;
	}
	return -EINVAL;
}
