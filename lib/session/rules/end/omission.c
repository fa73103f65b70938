/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about what should have come before a session's end, and did not. */
#include <inttypes.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/util/util.h"

/* A front-end that is not asked for the configuration within this does not ask. */
#define READ_NS UINT64_C(1000000000)

/* Return the name of what was negotiated that needs the back-end's channel; NULL: nothing. */
static const char *needs_channel(const struct vhu_check_context *check)
{
	static const struct {
		unsigned bit;
		const char *name;
	} feature[] = {
	    {VHU_PF_INBAND_NOTIFICATIONS, "INBAND_NOTIFICATIONS"},
	    {VHU_PF_SHMEM, "SHMEM"},
	    {VHU_PF_HOST_NOTIFIER, "HOST_NOTIFIER"},
	    {VHU_PF_CONFIG, "CONFIG"},
	};

	if (check->state->context.features >> VHU_F_ACCESS_PLATFORM & 1)
		return "ACCESS_PLATFORM";
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(feature); i++)
		if (vhu_taken(check, feature[i].bit))
			return feature[i].name;
	return NULL;
}

/* Look for the back-end's channel. */
static void check_channel(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const char *needs = needs_channel(check);

	if (needs && vhu_taken(check, VHU_PF_BACKEND_REQ) && !state->backend_channel.by)
		vhu_report(check, VHU_RULE_AT_638, state->protocol_features.acked.by,
			   "BACKEND_REQ and %s were negotiated, and no %s was sent", needs,
			   vhu_messages[VHU_MSG_SET_BACKEND_REQ_FD].name);
}

/* Look for what follows a change of the configuration. */
static void check_config_read(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	if (state->config_change.by > state->config_asked.by &&
	    vhu_check_since(check, state->config_change.value) >= READ_NS)
		vhu_report(check, VHU_RULE_AT_639, state->config_change.by,
			   "the back-end reported a change of the configuration in message %" PRIu64
			   ", and no %s followed",
			   state->config_change.by, vhu_messages[VHU_MSG_GET_CONFIG].name);
}

void vhu_rules_omission(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	check_config_read(check);
	if (!check->whole || !state->first_kick_ns)
		return;
	check_channel(check);
	if (!state->inflight.by && vhu_taken(check, VHU_PF_INFLIGHT_SHMFD))
		vhu_report(check, VHU_RULE_AT_511, state->protocol_features.acked.by,
			   "INFLIGHT_SHMFD was negotiated and no %s was sent",
			   vhu_messages[VHU_MSG_SET_INFLIGHT_FD].name);
}
