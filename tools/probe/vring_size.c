/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The largest size that a vring can have, found by setting it: no message tells. The vring is not
 * started.
 */
#include <errno.h>

#include "tools/probe/probe.h"

/* "Split Virtqueues": the largest is 2 to the power of this. */
#define LOG2_MAX 15
/* The smallest that is tried. */
#define LOG2_MIN 1

/*
 * Set vring 0's size to 2 to the power of @log2.
 * Returns 0 with *@taken telling whether the back-end takes it; or -errno as vhu_probe_run does.
 */
static int try_size(struct vhu_probe *probe, unsigned log2, bool *taken)
{
	const uint32_t size = UINT32_C(1) << log2;
	struct vhu_message_buf message;
	bool has = false;
	int error;

	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, size);
	error = vhu_probe_set(&probe->connection, &message);
	*taken = error == 0;
	/* Without acknowledgements only closing refuses. */
	if (!error && !vhu_probe_has(&probe->connection, VHU_PF_REPLY_ACK))
		error = vhu_probe_ask_number(probe, VHU_MSG_GET_FEATURES,
					     VHU_FIELD_features_features, &has, &probe->features);
	if (error && error != 1 && error != -EPIPE)
		return error;
	*taken = error == 0;
	vhu_probe_note_try(&probe->size_tried, size,
			   error == 0   ? VHU_PROBE_GIVEN
			   : error == 1 ? VHU_PROBE_REFUSED
					: VHU_PROBE_CLOSED);
	return 0;
}

/* Connect again if the connection is lost: some close it after a refusal. Returns whether there is
 * one. */
static bool has_connection(struct vhu_probe *probe)
{
	struct vhu_message_buf message, reply;

	vhu_message_begin(&message, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	if (!vhu_probe_ask(&probe->connection, &message, &reply)) {
		vhu_message_drop(&reply);
		return true;
	}
	return !vhu_probe_greet_again(probe);
}

/* Return whether not even the smallest size was taken. */
static bool takes_none(const struct vhu_probe_tries *tries)
{
	return tries->count && tries->tried[tries->count - 1].size == 1 << LOG2_MIN &&
	       tries->tried[tries->count - 1].outcome != VHU_PROBE_GIVEN;
}

/*
 * Look for the largest size between two powers of two: the back-end takes the lower, not the upper.
 * @findings: how many there were before a size was tried.
 * Returns as vhu_probe_run does.
 */
static int bisect(struct vhu_probe *probe, unsigned taken, unsigned refused, unsigned findings)
{
	while (refused - taken > 1) {
		const unsigned middle = taken + (refused - taken) / 2;
		bool is_taken = false;
		int error;

		/* Who has gone is asked no more. */
		if (!has_connection(probe))
			return 0;
		/* That it refuses what is too large for it breaks no rule. */
		probe->log.findings = findings;
		probe->log.insists = middle == LOG2_MIN;
		error = try_size(probe, middle, &is_taken);
		probe->log.insists = false;
		if (error)
			return error;
		if (is_taken)
			taken = middle;
		else
			refused = middle;
	}
	if (taken >= LOG2_MIN)
		probe->vring_size = (struct vhu_probe_value){
		    UINT32_C(1) << taken, VHU_PROBE_BY_LOOKING, "the largest it takes"};
	return 0;
}

int vhu_probe_look_at_vring_size(struct vhu_probe *probe)
{
	const unsigned findings = probe->log.findings;
	bool taken = false;
	int error;

	if (probe->one_connection || probe->connection.socket < 0)
		return 0;
	error = try_size(probe, LOG2_MAX, &taken);
	if (!error)
		error = bisect(probe, taken ? LOG2_MAX : LOG2_MIN - 1,
			       taken ? LOG2_MAX + 1 : LOG2_MAX, findings);
	if (error)
		return error;
	vhu_probe_disconnect(&probe->connection);
	if (!takes_none(&probe->size_tried))
		probe->log.findings = findings;
	return 0;
}
