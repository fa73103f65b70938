/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions of a pair that could not begin, in a row.
 *
 * Front-ends reconnect at once: a netdev of QEMU has 3,000 sessions a second with a back-end that
 * is not there. So the front-end learns of the first failure at once, the second only after
 * VHU_FAILURES_WAIT_NS, each further one after twice as long, up to VHU_FAILURES_WAIT_MAX_NS. And
 * the first is recorded as it happens; those that follow for the same reason are counted, and
 * recorded as one: when a session begins or the reason changes, and every now and then.
 */
#ifndef VHU_PROXY_SESSION_FAILURES_H
#define VHU_PROXY_SESSION_FAILURES_H

#include "proxy/core/loop.h"
#include "proxy/endpoint/endpoint.h"

#define VHU_FAILURES_WAIT_NS     UINT64_C(50000000)
#define VHU_FAILURES_WAIT_MAX_NS UINT64_C(1000000000)
/* Room for a reason, and how often there was it. */
#define VHU_FAILURES_TEXT        (VHU_ENDPOINT_ERROR + 32)

/* All zero: no failure. */
struct vhu_failures {
	char reason[VHU_ENDPOINT_ERROR]; /* of the latest; "": the last session began */
	unsigned counted;                /* those that are not recorded yet */
	uint64_t last_ns;                /* the latest, by vhu_now_ns */
	uint64_t wait_ns;                /* how long the next one waits */
	uint64_t count_ns;               /* how long the next ones are counted */
};

/* Return whether a failure for @reason is one more of the same. */
bool vhu_failures_is_again(const struct vhu_failures *failures, const char *reason);

/*
 * Take a failure for @reason, after those for another were recorded.
 * Returns 0: it is to be recorded; else it is counted, and all that are have to be recorded in so
 * many ns, unless that has been said before: UINT64_MAX.
 */
uint64_t vhu_failures_add(struct vhu_failures *failures, const char *reason);

/* Take what was counted as a text: "PATH: Connection refused (8 times)". Returns whether there is
 * anything. */
bool vhu_failures_take(struct vhu_failures *failures, char to[VHU_FAILURES_TEXT]);

/* Note that a session began. */
void vhu_failures_end(struct vhu_failures *failures);

/* Return how long a peer that has been there since @since_ns is to wait before its session fails.
 */
uint64_t vhu_failures_wait(const struct vhu_failures *failures, uint64_t since_ns);

#endif
