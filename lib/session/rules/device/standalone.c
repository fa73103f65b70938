/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about back-ends that are whole devices: the STANDALONE proposal and the single questions of
 * its second version. docs/standalone.md tells the story.
 */
#include <inttypes.h>
#include <linux/virtio_config.h>

#include "lib/session/device.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"

/* Return whether this session speaks STANDALONE or PROBE for certain. */
static bool is_proposal(const struct vhu_check_context *check)
{
	return check->state->dialect_is_sure && (check->note->context.dialect == VHU_STANDALONE ||
						 check->note->context.dialect == VHU_PROBE);
}

/* Return whether protocol features are known, or known not to be negotiated. */
static bool negotiation_known(const struct vhu_check_context *check)
{
	return check->whole || check->state->context.has_protocol_features;
}

/* Look at whether the feature was negotiated that a question of the proposals needs. */
static void check_asked(struct vhu_check_context *check)
{
	const struct vhu_name *name =
	    vhu_name_find(VHU_NAMES_protocol_features, VHU_PF_STANDALONE, &check->note->context);

	if (negotiation_known(check) && !vhu_taken(check, VHU_PF_STANDALONE))
		vhu_report(check, VHU_RULE_AT_704, check->request.number,
			   "%s, and %s was not negotiated: this id is another message to other "
			   "back-ends",
			   check->note->message->name, name ? name->name : "bit 18");
}

/* Check a reported size of the configuration space. */
static void check_size_told(struct vhu_check_context *check, uint64_t size)
{
	uint64_t by = check->state->protocol_features.acked.by;
	bool config = vhu_taken(check, VHU_PF_CONFIG);

	if (!negotiation_known(check) || (size != 0) == config)
		return;
	if (size)
		vhu_report(check, VHU_RULE_AT_702, by,
			   "the configuration space has %" PRIu64
			   " bytes, and CONFIG was not negotiated",
			   size);
	else
		vhu_report(check, VHU_RULE_AT_703, by,
			   "CONFIG was negotiated, and the configuration space has 0 bytes");
}

/* Check a reported device id. */
static void check_device_id(struct vhu_check_context *check, uint64_t device)
{
	const uint64_t last = vhu_device_last();

	if (vhu_device_name((uint32_t)device))
		return;
	if (device > last)
		vhu_report(check, VHU_RULE_AT_712, 0,
			   "device id %" PRIu64
			   " is unknown to this version of vhu (known: 1 to %" PRIu64 ")",
			   device, last);
	else
		vhu_report(check, VHU_RULE_AT_706, 0,
			   "device id %" PRIu64 " is no virtio device's: no driver takes it",
			   device);
}

/* Look at a number that the back-end may have told before. @what: it, with its verb. */
static void check_again(struct vhu_check_context *check, const char *what,
			const struct vhu_told *told, uint64_t now)
{
	if (told->by && told->value != now)
		vhu_report(check, VHU_RULE_AT_711, told->by,
			   "%s %" PRIu64 "; message %" PRIu64 " said %" PRIu64, what, now, told->by,
			   told->value);
}

/* Compare the specifications with earlier ones. */
static void check_specs_again(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	check_again(check, "the device id is", &state->spec_device_id,
		    vhu_get(check, VHU_FIELD_backend_specs_device_id));
	check_again(check, "the configuration's size is", &state->spec_config_size,
		    vhu_get(check, VHU_FIELD_backend_specs_config_size));
	check_again(check, "the minimum of virtqueues is", &state->spec_min_vqs,
		    vhu_get(check, VHU_FIELD_backend_specs_min_vqs));
	check_again(check, "the maximum of virtqueues is", &state->spec_max_vqs,
		    vhu_get(check, VHU_FIELD_backend_specs_max_vqs));
}

/* Look at the specifications by themselves and at what was negotiated for them. */
static void check_specs(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t min = vhu_get(check, VHU_FIELD_backend_specs_min_vqs);
	uint64_t max = vhu_get(check, VHU_FIELD_backend_specs_max_vqs);

	if (vhu_taken(check, VHU_PF_STANDALONE) && !vhu_taken(check, VHU_PF_STATUS))
		vhu_report(check, VHU_RULE_AT_701, state->protocol_features.acked.by,
			   "STANDALONE was acked without STATUS");
	check_size_told(check, vhu_get(check, VHU_FIELD_backend_specs_config_size));
	if (max < min)
		vhu_report(check, VHU_RULE_AT_705, 0,
			   "max vqs %" PRIu64 " is below min vqs %" PRIu64, max, min);
	check_device_id(check, vhu_get(check, VHU_FIELD_backend_specs_device_id));
	if (state->queue_num.by && state->queue_num.value != max)
		vhu_report(check, VHU_RULE_AT_707, state->queue_num.by,
			   "max vqs is %" PRIu64 ", and the reported number of queues is %" PRIu64,
			   max, state->queue_num.value);
}

/* Compare a number of queues with the specifications that came before. */
static void check_queue_num(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t queues = vhu_get(check, check->note->layout->first);

	if (state->spec_max_vqs.by && queues != state->spec_max_vqs.value)
		vhu_report(check, VHU_RULE_AT_707, state->spec_max_vqs.by,
			   "the number of queues is %" PRIu64
			   ", and the reported max vqs is %" PRIu64,
			   queues, state->spec_max_vqs.value);
	else if (!state->spec_max_vqs.by && state->spec_min_vqs.by &&
		 queues < state->spec_min_vqs.value)
		vhu_report(check, VHU_RULE_AT_707, state->spec_min_vqs.by,
			   "the number of queues is %" PRIu64 ", below the minimum of %" PRIu64,
			   queues, state->spec_min_vqs.value);
}

/* Compare a minimum with the number of queues that came before. */
static void check_min_vqs(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t min = vhu_get(check, check->note->layout->first);

	if (state->queue_num.by && min > state->queue_num.value)
		vhu_report(check, VHU_RULE_AT_707, state->queue_num.by,
			   "the minimum is %" PRIu64 ", above the number of queues %" PRIu64, min,
			   state->queue_num.value);
}

/* Look at the number of queues that the configuration space tells. */
static void check_config_queues(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t told = vhu_device_queues(state->spec_device_id.value, &check->note->payload);
	/* The second version of the proposal leaves the maximum to GET_QUEUE_NUM. */
	uint32_t max = state->spec_max_vqs.by ? state->spec_max_vqs.value : state->queue_num.value;
	uint64_t by = state->spec_max_vqs.by ? state->spec_max_vqs.by : state->queue_num.by;

	if (by && told && !vhu_get(check, VHU_FIELD_config_offset) &&
	    (told < state->spec_min_vqs.value || told > max))
		vhu_report(check, VHU_RULE_AT_709, by,
			   "the configuration space says %" PRIu64 " queues, the back-end %" PRIu64
			   " to %" PRIu32,
			   told, state->spec_min_vqs.value, max);
}

/* Look at the size of configuration that is given. */
static void check_config_size(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t size = vhu_get(check, VHU_FIELD_config_size);

	if (state->spec_config_size.by && check->request.number && check->request.first[0] == 0 &&
	    check->request.first[1] == state->spec_config_size.value &&
	    size != state->spec_config_size.value)
		vhu_report(check, VHU_RULE_AT_708, state->spec_config_size.by,
			   "the configuration has %" PRIu64
			   " bytes, and its reported size is %" PRIu64,
			   size, state->spec_config_size.value);
	check_config_queues(check);
}

/* Look at the rings in use. */
static void check_rings(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	unsigned enabled = 0;

	for (unsigned i = 0; i < state->vrings; i++)
		enabled += state->vring[i].enabled.value;
	if (vhu_check_message(check) == VHU_REQUEST(SET_STATUS)) {
		uint64_t status = vhu_get(check, check->note->layout->first);

		if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && state->spec_min_vqs.by &&
		    (state->vrings || check->whole) && enabled < state->spec_min_vqs.value &&
		    vhu_report_first(check, VHU_RULE_AT_710))
			vhu_report(check, VHU_RULE_AT_710, state->spec_min_vqs.by,
				   "DRIVER_OK with %u vring%s enabled, and the device needs "
				   "%" PRIu64,
				   enabled, enabled == 1 ? "" : "s", state->spec_min_vqs.value);
	} else if (state->spec_max_vqs.by && check->note->vring >= 0 &&
		   (uint32_t)check->note->vring >= state->spec_max_vqs.value) {
		vhu_report(check, VHU_RULE_AT_710, state->spec_max_vqs.by,
			   "vring %d is used, and the device has %" PRIu64 " at the most",
			   check->note->vring, state->spec_max_vqs.value);
	}
}

/* Look at the rings that ran, when the first of them is stopped. */
static void check_rings_stop(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const unsigned running = vhu_state_running(state);

	if (check->note->vring < 0 || !state->spec_min_vqs.by || !running ||
	    running >= state->spec_min_vqs.value || state->stopped.by > state->memory.by ||
	    !vhu_report_first(check, VHU_RULE_AT_710))
		return;
	vhu_report(check, VHU_RULE_AT_710, state->spec_min_vqs.by,
		   "%u vring%s started, and the device needs %" PRIu64, running,
		   running == 1 ? " was" : "s were", state->spec_min_vqs.value);
}

void vhu_rules_standalone(struct vhu_check_context *check)
{
	uint64_t value;

	if (!is_proposal(check) || check->record->channel == VHU_GPU)
		return;
	value = check->note->layout->fields ? vhu_get(check, check->note->layout->first) : 0;
	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_BACKEND_SPECS):
		check_asked(check);
		check_specs(check);
		check_specs_again(check);
		break;
	case VHU_REPLY_TO(GET_CONFIG_SIZE):
		check_asked(check);
		check_size_told(check, value);
		check_again(check, "the configuration's size is", &check->state->spec_config_size,
			    value);
		break;
	case VHU_REPLY_TO(GET_QUEUE_NUM):
		check_queue_num(check);
		break;
	case VHU_REPLY_TO(GET_MIN_VQ):
		check_asked(check);
		check_min_vqs(check);
		check_again(check, "the minimum of virtqueues is", &check->state->spec_min_vqs,
			    value);
		break;
	case VHU_REPLY_TO(GET_DEVICE_ID):
		check_asked(check);
		check_device_id(check, value);
		check_again(check, "the device id is", &check->state->spec_device_id, value);
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		check_config_size(check);
		break;
	case VHU_REQUEST(SET_VRING_KICK):
	case VHU_REQUEST(SET_STATUS):
		check_rings(check);
		break;
	case VHU_REQUEST(GET_VRING_BASE):
		check_rings_stop(check);
		break;
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_ADD):
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_REMOVE):
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_LOOKUP):
		vhu_report(check, VHU_RULE_AT_206, 0,
			   "%s, in a session of dialect %s: bit 18 is SHARED_OBJECT to the "
			   "back-end",
			   check->note->message->name,
			   vhu_dialect_name(check->note->context.dialect));
		break;
	}
}
