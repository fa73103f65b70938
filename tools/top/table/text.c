/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and foreign texts as they fit on the screen of vhu top. */
#include "tools/top/table/text.h"

#include <stdio.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/util/util.h"

/* Write a number below 1000 with as many digits as fit in @width columns, and its unit. */
static void put(char to[VHU_TOP_NUMBER_SIZE], double number, const char *unit)
{
	const int digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
	const int room = VHU_TOP_NUMBER_WIDTH - (int)strlen(unit);
	/* A point takes a column too. */
	int places = digits;

	while (places && (number < 9.995 ? 1 : 2) + 1 + places > room)
		places--;
	snprintf(to, VHU_TOP_NUMBER_SIZE, "%.*f%s", places, number, unit);
}

const char *vhu_top_amount_text(double amount, char to[VHU_TOP_NUMBER_SIZE])
{
	static const char *const unit[] = {"k", "M", "G", "T", "P"};
	unsigned at = 0;

	if (amount < 0.05)
		return strcpy(to, "0");
	if (amount < 9.95 && amount != (double)(unsigned)amount) {
		snprintf(to, VHU_TOP_NUMBER_SIZE, "%.1f", amount);
		return to;
	}
	if (amount < 9999.5) {
		snprintf(to, VHU_TOP_NUMBER_SIZE, "%.0f", amount);
		return to;
	}
	for (amount /= 1000; amount >= 999.5 && at + 1 < VHU_ARRAY_SIZE(unit); at++)
		amount /= 1000;
	put(to, amount < 999.5 ? amount : 999, unit[at]);
	return to;
}

const char *vhu_top_time_text(uint64_t ns, char to[VHU_TOP_NUMBER_SIZE])
{
	static const struct {
		double ns, below;
		const char *name;
	} unit[] = {
	    {1, 999.5, "ns"}, {1e3, 999.5, "us"},  {1e6, 999.5, "ms"},
	    {1e9, 99.5, "s"}, {60e9, 99.5, "min"}, {3600e9, 99.5, "h"},
	};
	const double days = (double)ns / 86400e9;

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(unit); i++) {
		if ((double)ns / unit[i].ns >= unit[i].below)
			continue;
		if (i == 0)
			snprintf(to, VHU_TOP_NUMBER_SIZE, "%uns", (unsigned)ns);
		else
			put(to, (double)ns / unit[i].ns, unit[i].name);
		return to;
	}
	snprintf(to, VHU_TOP_NUMBER_SIZE, "%.0fd", days < 9999 ? days : 9999);
	return to;
}

const char *vhu_top_plain(const char *text, char *to, size_t size)
{
	struct vhu_line line = vhu_line_in(to, size);

	vhu_line_foreign(&line, text, strlen(text), "");
	for (char *at = to; *at; at++)
		if ((unsigned char)*at >= 0x7f)
			*at = '?';
	return to;
}
