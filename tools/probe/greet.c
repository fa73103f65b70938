/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question and its answer; and what is said before questions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/utf8.h"
#include "proxy/core/fdinfo.h"
#include "tools/probe/probe.h"

/* Keep how a message was answered: the last answer to each that was not empty. */
static void keep_answer(struct vhu_probe *probe, const struct vhu_message *message,
			const struct vhu_message_buf *reply)
{
	unsigned i = 0;

	while (i < probe->gots && probe->got[i].message != message)
		i++;
	if (i == VHU_PROBE_ANSWERS_MAX || (i < probe->gots && !reply->header.size))
		return;
	if (i == probe->gots)
		probe->gots++;
	probe->got[i] = (struct vhu_probe_got){
	    .message = message,
	    .size = reply->header.size,
	    .flags = reply->header.flags,
	    .fds = reply->fds,
	    .ns = probe->connection.answer_ns,
	};
}

int vhu_probe_question(struct vhu_probe *probe, struct vhu_message_buf *message,
		       struct vhu_message_buf *reply)
{
	const struct vhu_message *row[VHU_DIALECTS];
	int error = vhu_probe_ask(&probe->connection, message, reply);

	/* Which of the rows it is shows in the answer. */
	if (!error &&
	    vhu_message_find(VHU_FRONT_END, message->header.request, probe->log.dialect, row))
		keep_answer(probe, row[0], reply);
	return error;
}

int vhu_probe_ask_number(struct vhu_probe *probe, enum vhu_message_id id, enum vhu_field_id field,
			 bool *has, uint64_t *value)
{
	struct vhu_message_buf message, reply;
	int error;

	vhu_message_begin(&message, id, VHU_LAYOUT_none);
	error = vhu_probe_question(probe, &message, &reply);
	if (error)
		return error;
	*value = vhu_message_get(&reply, field);
	*has = true;
	vhu_message_drop(&reply);
	return 0;
}

bool vhu_probe_may_be_proposal(const struct vhu_probe *probe)
{
	if (!(probe->protocol_features & VHU_PROBE_BIT(STANDALONE)))
		return false;
	if (probe->dialect != VHU_ANY)
		return probe->dialect != VHU_UPSTREAM;
	/* The proposals are older than the bits above theirs. */
	return probe->protocol_features >> (VHU_PF_STANDALONE + 1) == 0;
}

/* Negotiate protocol features. Returns as vhu_probe_run does. */
static int negotiate(struct vhu_probe *probe, uint64_t useful)
{
	struct vhu_message_buf message;
	int error = vhu_probe_ask_number(probe, VHU_MSG_GET_PROTOCOL_FEATURES,
					 VHU_FIELD_protocol_features_protocol_features,
					 &probe->has_protocol_features, &probe->protocol_features);

	if (error)
		return error;
	/* STANDALONE without STATUS is refused by some; who offers just that is asked last. */
	if (!vhu_probe_may_be_proposal(probe) ||
	    (!(probe->protocol_features & VHU_PROBE_BIT(STATUS)) && !probe->daring))
		useful &= ~VHU_PROBE_BIT(STANDALONE);
	probe->taken = probe->protocol_features & useful;
	vhu_message_begin(&message, VHU_MSG_SET_PROTOCOL_FEATURES, VHU_LAYOUT_protocol_features);
	vhu_message_put(&message, VHU_FIELD_protocol_features_protocol_features, probe->taken);
	error = vhu_probe_send(&probe->connection, &message);
	probe->connection.negotiated.protocol_features = probe->taken;
	probe->connection.negotiated.has_protocol_features = true;
	return error;
}

int vhu_probe_greet(struct vhu_probe *probe, uint64_t useful)
{
	struct vhu_message_buf owner;
	int error = vhu_probe_connect(&probe->connection);

	if (error)
		return error;
	probe->connections++;
	vhu_fdinfo_peer(probe->connection.socket, probe->connection.path, &probe->peer,
			probe->comm);
	/* A process names itself as it likes. */
	vhu_utf8_printable(probe->comm, probe->comm, sizeof(probe->comm));
	error = vhu_probe_ask_number(probe, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
				     &probe->has_features, &probe->features);
	if (error)
		return error;
	if (probe->features & VHU_PROBE_PF_BIT)
		error = negotiate(probe, useful);
	if (error)
		return error;
	probe->connection.negotiated.dialect = probe->dialect;
	vhu_message_begin(&owner, VHU_MSG_SET_OWNER, VHU_LAYOUT_none);
	probe->log.insists = true;
	error = vhu_probe_set(&probe->connection, &owner);
	probe->log.insists = false;
	/* A refusal is an acknowledgement, too. */
	probe->acknowledges = vhu_probe_has(&probe->connection, VHU_PF_REPLY_ACK) && error >= 0;
	return error < 0 ? error : 0;
}

int vhu_probe_greet_again(struct vhu_probe *probe)
{
	char before[VHU_PROBE_ERROR_MAX], after[VHU_PROBE_ERROR_MAX];
	int error;

	if (probe->one_connection)
		return -ECONNABORTED;
	memcpy(before, probe->connection.why, sizeof(before));
	error = vhu_probe_greet(probe, probe->taken);
	if (!error)
		return 0;
	memcpy(after, probe->connection.why, sizeof(after));
	/* Both cut: what happened first says more. */
	snprintf(probe->connection.why, sizeof(probe->connection.why),
		 "%.150s; connecting again: %.80s", before, after);
	return error;
}
