/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long processes have run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/rings/process/process.h"

/* The clock may have been set between the start of a session and now by this much. */
#define CLOCK_SLACK_NS (2 * VHU_NS_PER_S)

int64_t vhu_rings_process_age(uint32_t pid)
{
	enum { START = 22 }; /* of proc(5)'s fields of stat */
	char path[32], stat[1024] = "";
	const char *field;
	uint64_t started;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -ENOENT;
	if (!fgets(stat, sizeof(stat), file))
		stat[0] = '\0';
	fclose(file);
	/* The name in parentheses may have any character. */
	field = strrchr(stat, ')');
	for (int at = 2; field && at < START; at++)
		field = strchr(field + 1, ' ');
	if (!field)
		return -EINVAL;
	started = strtoull(field, NULL, 10) * (VHU_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	return (int64_t)(vhu_clock_ns(CLOCK_BOOTTIME) - started);
}

bool vhu_rings_process_is_of(uint32_t pid, uint64_t opened_ns)
{
	const int64_t age = vhu_rings_process_age(pid);

	if (age < 0)
		return age != -ENOENT;
	return !opened_ns || vhu_realtime_ns() < opened_ns + CLOCK_SLACK_NS + (uint64_t)age;
}
