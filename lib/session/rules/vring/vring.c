/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several rules say about vrings. */
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"

bool vhu_check_counts_pairs(const struct vhu_state *state)
{
	return state->context.device == VIRTIO_ID_NET || !state->context.device;
}

uint64_t vhu_check_vring_limit(const struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t queues = state->queue_num.value;

	if (!state->queue_num.by) {
		queues = state->spec_max_vqs.value;
		return state->spec_max_vqs.by && queues < VHU_VRINGS_MAX ? queues : VHU_VRINGS_MAX;
	}
	if (vhu_check_counts_pairs(state))
		queues = 2 * queues + 1; /* and one for control */
	return queues < VHU_VRINGS_MAX ? queues : VHU_VRINGS_MAX;
}

void vhu_report_replaced(struct vhu_check_context *check, unsigned index,
			 const struct vhu_vring_fd *call)
{
	/* Rule 303 has reported the vring then. */
	if (call->unacknowledged && vhu_taken(check, VHU_PF_REPLY_ACK))
		return;
	vhu_report(check, VHU_RULE_AT_304, call->number,
		   "the call of vring %u was replaced %u time%s while it ran, %u of them without "
		   "an acknowledgement",
		   index, call->replaced, call->replaced > 1 ? "s" : "", call->unacknowledged);
}
