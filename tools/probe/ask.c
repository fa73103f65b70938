/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions to a back-end, the ones that every back-end knows first: id 41, which means three
 * things, comes last, since who knows another meaning than we may close the connection.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/probe/probe.h"

/* Protocol features that let us ask or see something. None depends on another; bit 18 does in one
 * dialect, and which that is shows only where it is taken. */
#define USEFUL                                                                                     \
	(VHU_PROBE_BIT(MQ) | VHU_PROBE_BIT(LOG_SHMFD) | VHU_PROBE_BIT(REPLY_ACK) |                 \
	 VHU_PROBE_BIT(CONFIG) | VHU_PROBE_BIT(INFLIGHT_SHMFD) |                                   \
	 VHU_PROBE_BIT(CONFIGURE_MEM_SLOTS) | VHU_PROBE_BIT(STATUS) | VHU_PROBE_BIT(SHMEM))

/* A page of guest memory has a bit in the log: this is one for 128 MiB. */
#define LOG_SIZE        4096
/* What an inflight area is asked for. */
#define INFLIGHT_QUEUES 1
#define INFLIGHT_SIZE   128

/* Ask for shared memory regions. Returns as vhu_probe_run does. */
static int ask_shmem(struct vhu_probe *probe)
{
	struct vhu_message_buf message;
	int error;

	vhu_message_begin(&message, VHU_MSG_GET_SHMEM_CONFIG, VHU_LAYOUT_none);
	error = vhu_probe_question(probe, &message, &probe->shmem);
	if (error)
		return error;
	probe->has_shmem = true;
	vhu_message_drop(&probe->shmem);
	return 0;
}

/* Ask for an inflight area: its size, and the form of the answer. Returns as vhu_probe_run does. */
static int ask_inflight(struct vhu_probe *probe)
{
	struct vhu_message_buf message, reply;
	int error;

	vhu_message_begin(&message, VHU_MSG_GET_INFLIGHT_FD, VHU_LAYOUT_inflight);
	vhu_message_put(&message, VHU_FIELD_inflight_num_queues, INFLIGHT_QUEUES);
	vhu_message_put(&message, VHU_FIELD_inflight_queue_size, INFLIGHT_SIZE);
	error = vhu_probe_question(probe, &message, &reply);
	if (error)
		return error;
	probe->has_inflight = true;
	probe->inflight_size = vhu_message_get(&reply, VHU_FIELD_inflight_mmap_size);
	vhu_message_drop(&reply);
	return 0;
}

/* Set a log, for the form of the answer. Returns as vhu_probe_run does. */
static int ask_log(struct vhu_probe *probe)
{
	struct vhu_message_buf message, reply;
	int log = memfd_create("vhu probe log", MFD_CLOEXEC), error;

	if (log < 0 || ftruncate(log, LOG_SIZE)) {
		snprintf(probe->connection.why, sizeof(probe->connection.why),
			 "no memory for a log: %s", strerror(errno));
		if (log >= 0)
			close(log);
		return -ENOMEM;
	}
	vhu_message_begin(&message, VHU_MSG_SET_LOG_BASE, VHU_LAYOUT_log);
	vhu_message_put(&message, VHU_FIELD_log_size, LOG_SIZE);
	message.fd[message.fds++] = log;
	error = vhu_probe_question(probe, &message, &reply);
	close(log);
	if (!error)
		vhu_message_drop(&reply);
	return error;
}

/* Ask what changes nothing. Returns as vhu_probe_run does. */
static int ask_safe(struct vhu_probe *probe)
{
	const struct {
		unsigned needs;
		enum vhu_message_id id;
		enum vhu_field_id field;
		bool *has;
		uint64_t *value;
	} question[] = {
	    {VHU_PF_MQ, VHU_MSG_GET_QUEUE_NUM, VHU_FIELD_queue_num_queue_num, &probe->has_queue_num,
	     &probe->queue_num},
	    {VHU_PF_CONFIGURE_MEM_SLOTS, VHU_MSG_GET_MAX_MEM_SLOTS, VHU_FIELD_mem_slots_mem_slots,
	     &probe->has_mem_slots, &probe->mem_slots},
	    {VHU_PF_STATUS, VHU_MSG_GET_STATUS, VHU_FIELD_status_status, &probe->has_status,
	     &probe->status},
	};
	int error = 0;

	for (size_t i = 0; i < VHU_ARRAY_SIZE(question) && !error; i++)
		if (vhu_probe_has(&probe->connection, question[i].needs))
			error = vhu_probe_ask_number(probe, question[i].id, question[i].field,
						     question[i].has, question[i].value);
	if (!error && vhu_probe_has(&probe->connection, VHU_PF_SHMEM))
		error = ask_shmem(probe);
	return error;
}

/* Ask everything, in the order of growing risk. Returns as vhu_probe_run does. */
static int ask_all(struct vhu_probe *probe)
{
	uint64_t useful = USEFUL | VHU_PROBE_BIT(STANDALONE);
	int error = vhu_probe_greet(probe, useful);

	if (!error)
		error = ask_safe(probe);
	if (!error)
		vhu_probe_look(probe);
	if (!error && vhu_probe_has(&probe->connection, VHU_PF_INFLIGHT_SHMFD))
		error = ask_inflight(probe);
	if (!error && vhu_probe_has(&probe->connection, VHU_PF_LOG_SHMFD))
		error = ask_log(probe);
	if (!error && vhu_probe_has(&probe->connection, VHU_PF_CONFIG))
		error = vhu_probe_look_at_config(probe);
	if (!error) {
		vhu_probe_look(probe);
		if (vhu_probe_may_be_proposal(probe))
			error = vhu_probe_ask_specs(probe);
	}
	return error ? error : vhu_probe_look_at_vring_size(probe);
}

int vhu_probe_run(struct vhu_probe *probe)
{
	int error = ask_all(probe);

	vhu_probe_disconnect(&probe->connection);
	vhu_probe_look(probe);
	vhu_probe_judge(probe);
	return error;
}
