/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions of a pair that could not begin, in a row. */
#include "proxy/session/failures.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"

/* After so long without a failure the next one is the first. */
#define CALM_NS      UINT64_C(10000000000)
/* How long failures are counted before they are recorded, the first time and at most. */
#define COUNT_NS     UINT64_C(10000000000)
#define COUNT_MAX_NS UINT64_C(640000000000)

bool vhu_failures_is_again(const struct vhu_failures *failures, const char *reason)
{
	return !strcmp(failures->reason, reason) && vhu_now_ns() - failures->last_ns < CALM_NS;
}

uint64_t vhu_failures_add(struct vhu_failures *failures, const char *reason)
{
	const bool again = vhu_failures_is_again(failures, reason);
	uint64_t count_ns;

	failures->last_ns = vhu_now_ns();
	if (!again) {
		snprintf(failures->reason, sizeof(failures->reason), "%s", reason);
		failures->wait_ns = VHU_FAILURES_WAIT_NS;
		failures->count_ns = COUNT_NS;
		return 0;
	}
	failures->wait_ns *= 2;
	if (failures->wait_ns > VHU_FAILURES_WAIT_MAX_NS)
		failures->wait_ns = VHU_FAILURES_WAIT_MAX_NS;
	if (failures->counted++)
		return UINT64_MAX;
	count_ns = failures->count_ns;
	if (failures->count_ns < COUNT_MAX_NS)
		failures->count_ns *= 2;
	return count_ns;
}

bool vhu_failures_take(struct vhu_failures *failures, char to[VHU_FAILURES_TEXT])
{
	const unsigned counted = failures->counted;

	failures->counted = 0;
	if (counted > 1)
		snprintf(to, VHU_FAILURES_TEXT, "%s (%u times)", failures->reason, counted);
	else
		snprintf(to, VHU_FAILURES_TEXT, "%s", failures->reason);
	return counted > 0;
}

void vhu_failures_end(struct vhu_failures *failures)
{
	failures->reason[0] = '\0';
	failures->wait_ns = 0;
}

uint64_t vhu_failures_wait(const struct vhu_failures *failures, uint64_t since_ns)
{
	const uint64_t now = vhu_now_ns(), waits = now - since_ns;

	if (now - failures->last_ns >= CALM_NS || waits >= failures->wait_ns)
		return 0;
	return failures->wait_ns - waits;
}
