/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What device it is: told in the way of STANDALONE or of PROBE, or worked out from other answers.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <string.h>

#include "lib/session/device.h"
#include "lib/util/util.h"
#include "tools/probe/probe.h"

/* Ask a question without payload and return the integer of the answer's @field as a value. */
static int ask_value(struct vhu_probe *probe, enum vhu_message_id id, enum vhu_field_id field,
		     struct vhu_probe_value *value)
{
	struct vhu_message_buf message, reply;
	int error;

	vhu_message_begin(&message, id, VHU_LAYOUT_none);
	error = vhu_probe_question(probe, &message, &reply);
	if (error)
		return error;
	*value = (struct vhu_probe_value){(uint32_t)vhu_message_get(&reply, field),
					  VHU_PROBE_BY_PROBE, NULL};
	vhu_message_drop(&reply);
	return 0;
}

/* Take the back-end's specifications. */
static void take_specs(struct vhu_probe *probe, const struct vhu_message_buf *reply)
{
	const struct {
		struct vhu_probe_value *value;
		enum vhu_field_id field;
	} told[] = {
	    {&probe->specs.device, VHU_FIELD_backend_specs_device_id},
	    {&probe->specs.config_size, VHU_FIELD_backend_specs_config_size},
	    {&probe->specs.min_vqs, VHU_FIELD_backend_specs_min_vqs},
	    {&probe->specs.max_vqs, VHU_FIELD_backend_specs_max_vqs},
	};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(told); i++)
		*told[i].value = (struct vhu_probe_value){
		    (uint32_t)vhu_message_get(reply, told[i].field), VHU_PROBE_BY_STANDALONE, NULL};
	probe->found_dialect = VHU_STANDALONE;
}

/* Take the answer to PROBE's first question, and ask the others. Returns as vhu_probe_run does. */
static int take_probe(struct vhu_probe *probe, const struct vhu_message_buf *reply)
{
	int error;

	probe->found_dialect = probe->connection.negotiated.dialect = VHU_PROBE;
	probe->specs.device = (struct vhu_probe_value){
	    (uint32_t)vhu_message_get(reply, VHU_FIELD_device_id_device_id), VHU_PROBE_BY_PROBE,
	    NULL};
	error = ask_value(probe, VHU_MSG_GET_CONFIG_SIZE, VHU_FIELD_config_size_config_size,
			  &probe->specs.config_size);
	if (!error)
		error = ask_value(probe, VHU_MSG_GET_MIN_VQ, VHU_FIELD_min_vqs_min_vqs,
				  &probe->specs.min_vqs);
	return error;
}

/* Ask for the configuration space in the reported size. Returns as vhu_probe_run does.
 */
static int ask_told_config(struct vhu_probe *probe)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	uint32_t size = probe->specs.config_size.value;
	struct vhu_message_buf message, reply;
	int error;

	if (!vhu_probe_has(&probe->connection, VHU_PF_CONFIG) || size == 0 ||
	    size > VHU_PROBE_CONFIG_MAX)
		return 0;
	vhu_message_begin(&message, VHU_MSG_GET_CONFIG, VHU_LAYOUT_config);
	message.header.size = space->offset + size;
	vhu_message_put(&message, VHU_FIELD_config_size, size);
	error = vhu_probe_question(probe, &message, &reply);
	if (error)
		return error;
	/* That it gives less is found by the rules. */
	if (reply.header.size == space->offset + size) {
		probe->config = reply;
		probe->has_config = true;
	}
	vhu_message_drop(&reply);
	return 0;
}

/* Say that the back-end closed or refused at id 41, as broken standalone back-ends do, and
 * back-ends that read bit 18 as SHARED_OBJECT. Returns -EPROTO. */
static int fail_undecided(struct vhu_probe *probe, const char *what)
{
	char why[VHU_PROBE_ERROR_MAX];

	snprintf(why, sizeof(why), "%.120s: standalone and broken, or bit %d is %s to it: try %s",
		 what, VHU_PF_STANDALONE,
		 vhu_name_find(VHU_NAMES_protocol_features, VHU_PF_STANDALONE,
			       &(struct vhu_context){.dialect = VHU_UPSTREAM})
		     ->name,
		 "--dialect");
	memcpy(probe->connection.why, why, sizeof(why));
	probe->undecided = true;
	return -EPROTO;
}

/* Take what became of the first question where it was not answered: upstream's back-ends know
 * another message by its number. @findings: how many there were before.
 * Returns 0 where that is all it says. */
static int take_no_answer(struct vhu_probe *probe, int error, unsigned findings)
{
	if (error == -EPIPE && probe->dialect == VHU_ANY && !probe->daring)
		return fail_undecided(probe, probe->connection.why);
	if ((error != -EPIPE && error != -ETIMEDOUT) || probe->dialect != VHU_ANY)
		return error;
	snprintf(probe->oddity, sizeof(probe->oddity), "%s", probe->connection.why);
	/* Who closes because STATUS is missing knows the proposal. */
	if (!probe->daring)
		probe->found_dialect = VHU_UPSTREAM;
	/* That the connection ends so is no fault of the back-end's. */
	vhu_probe_disconnect(&probe->connection);
	probe->log.findings = findings;
	return 0;
}

/* Take bit 18 on a connection of its own, where it was not taken before. Returns as vhu_probe_run
 * does. */
static int dare(struct vhu_probe *probe)
{
	if (probe->taken & VHU_PROBE_BIT(STANDALONE))
		return 0;
	vhu_probe_disconnect(&probe->connection);
	probe->daring = true;
	return vhu_probe_greet(probe, probe->taken | VHU_PROBE_BIT(STANDALONE));
}

int vhu_probe_ask_specs(struct vhu_probe *probe)
{
	struct vhu_message_buf message, reply;
	unsigned findings = probe->log.findings;
	uint32_t size;
	int error;

	if (probe->one_connection && !(probe->taken & VHU_PROBE_BIT(STANDALONE)))
		return 0;
	error = dare(probe);
	if (error)
		return take_no_answer(probe, error, findings);
	vhu_message_begin(&message,
			  probe->dialect == VHU_PROBE ? VHU_MSG_GET_DEVICE_ID
						      : VHU_MSG_GET_BACKEND_SPECS,
			  VHU_LAYOUT_none);
	error = vhu_probe_question(probe, &message, &reply);
	if (error == -EPROTO && probe->dialect == VHU_ANY &&
	    reply.header.size == vhu_layouts[VHU_LAYOUT_refusal].size)
		return fail_undecided(probe, "refused message 41");
	if (error)
		return take_no_answer(probe, error, findings);
	size = reply.header.size;
	if (size == vhu_layouts[VHU_LAYOUT_backend_specs].size)
		take_specs(probe, &reply);
	else if (size == vhu_layouts[VHU_LAYOUT_device_id].size)
		error = take_probe(probe, &reply);
	else
		probe->found_dialect = VHU_UPSTREAM;
	vhu_message_drop(&reply);
	probe->connection.negotiated.dialect = probe->found_dialect;
	if (!error && probe->found_dialect != VHU_UPSTREAM)
		error = ask_told_config(probe);
	return error;
}

/* Work out the device from feature bits and the size of the configuration space. */
static void look_for_device(struct vhu_probe *probe)
{
	uint32_t size = probe->specs.config_size.value;
	uint32_t guess = vhu_device_guess(probe->features, size);

	if (!guess)
		guess = vhu_device_guess(probe->features, 0);
	if (guess)
		probe->specs.device = (struct vhu_probe_value){
		    guess, VHU_PROBE_BY_LOOKING,
		    size ? "feature bits and configuration size" : "feature bits"};
}

void vhu_probe_look(struct vhu_probe *probe)
{
	struct vhu_probe_specs *specs = &probe->specs;
	bool pairs;

	if (probe->device)
		specs->device = (struct vhu_probe_value){probe->device, VHU_PROBE_BY_USER, NULL};
	else if (specs->device.source == VHU_PROBE_NOT_KNOWN ||
		 specs->device.source == VHU_PROBE_BY_LOOKING)
		look_for_device(probe);
	if (!probe->has_queue_num || specs->max_vqs.source == VHU_PROBE_BY_STANDALONE)
		return;
	/* "Multiple queue support": the queues of a network device are counted as pairs. */
	pairs = specs->device.value == VIRTIO_ID_NET;
	specs->max_vqs = (struct vhu_probe_value){
	    probe->queue_num < UINT32_MAX / 2 ? (uint32_t)probe->queue_num << pairs : UINT32_MAX,
	    VHU_PROBE_BY_LOOKING, vhu_messages[VHU_MSG_GET_QUEUE_NUM].name};
}
