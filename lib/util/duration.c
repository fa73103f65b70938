/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of time as people write and read them. */
#include "lib/util/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"

static const struct {
	const char *name;
	uint64_t ns;
} unit[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"min", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
};
#define UNITS   VHU_ARRAY_SIZE(unit)
#define SECONDS 3 /* the greatest unit that is written */

/* Return the length of the unit named @name in nanoseconds, 0 for no such unit. */
static uint64_t unit_of(const char *name)
{
	for (size_t i = 0; i < UNITS; i++)
		if (!strcmp(name, unit[i].name))
			return unit[i].ns;
	return 0;
}

int vhu_duration_parse(const char *text, uint64_t *ns)
{
	const size_t whole = strspn(text, "0123456789");
	const char *fraction = text[whole] == '.' ? text + whole + 1 : text + whole;
	const size_t digits = text[whole] == '.' ? strspn(fraction, "0123456789") : 0;
	const char *name = fraction + digits;
	uint64_t length = *name ? unit_of(name + (*name == ' ')) : unit[SECONDS].ns;
	uint64_t part, total = 0;

	if (!whole || !length || (fraction > text + whole && !digits))
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		if (__builtin_mul_overflow(total, 10, &total) ||
		    __builtin_add_overflow(total, (uint64_t)(text[i] - '0'), &total))
			return -EINVAL;
	if (__builtin_mul_overflow(total, length, &total))
		return -EINVAL;
	/* Each digit is worth a tenth of the one before it; 10 divides no unit to the end. */
	part = 0;
	for (size_t i = digits < 12 ? digits : 12; i-- > 0;)
		part = (part + (uint64_t)(fraction[i] - '0') * length) / 10;
	if (__builtin_add_overflow(total, part, &total))
		return -EINVAL;
	*ns = total;
	return 0;
}

const char *vhu_duration_text(uint64_t ns, char to[VHU_DURATION_TEXT_SIZE])
{
	unsigned u = 0;
	uint64_t whole, thousandths;

	while (u < SECONDS && ns >= unit[u + 1].ns)
		u++;
	whole = ns / unit[u].ns;
	thousandths = unit[u].ns == 1 ? 0 : ns % unit[u].ns / (unit[u].ns / 1000);
	if (u == 0 || whole >= 100)
		snprintf(to, VHU_DURATION_TEXT_SIZE, "%" PRIu64 " %s", whole, unit[u].name);
	else if (whole >= 10)
		snprintf(to, VHU_DURATION_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %s", whole,
			 thousandths / 100, unit[u].name);
	else
		snprintf(to, VHU_DURATION_TEXT_SIZE, "%" PRIu64 ".%02" PRIu64 " %s", whole,
			 thousandths / 10, unit[u].name);
	return to;
}
