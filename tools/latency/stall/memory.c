/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions' memory, opened again when what they say changes. */
#include "lib/util/util.h"
#include "tools/latency/stall/internal.h"

/* A process has what a message brought it within this time. */
#define ARRIVES_NS VHU_NS_PER_S

void vhu_latency_stall_open(struct vhu_latency_stall *stall, const struct vhu_latency_told *told,
			    bool again)
{
	pthread_mutex_t *lock = &stall->choice.vrings->lock;
	const uint64_t now = vhu_now_ns();
	bool changed;

	if (!told || !told->kept)
		return;
	pthread_mutex_lock(lock);
	changed = told->changed_ns && told->changed_ns + ARRIVES_NS > stall->opened_ns;
	if (changed || again) {
		vhu_rings_targets_free(&stall->targets);
		vhu_rings_sessions_free(&stall->sessions);
		/* What does not fit in memory is looked for at the next look. */
		if (vhu_rings_sessions_now(told->kept, told->sessions, &stall->sessions))
			vhu_rings_sessions_free(&stall->sessions);
	}
	pthread_mutex_unlock(lock);
	if (!changed && !again)
		return;
	/* That takes its time, and vrings are not kept waiting. */
	if (vhu_rings_targets_open(&stall->targets, &stall->sessions, -1))
		vhu_rings_targets_free(&stall->targets);
	stall->opened_ns = now;
}
