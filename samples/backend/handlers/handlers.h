/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done with each message. Its payload and descriptors are those that the table wants by
 * the time a handler sees it.
 */
#ifndef VHU_SAMPLES_BACKEND_HANDLERS_HANDLERS_H
#define VHU_SAMPLES_BACKEND_HANDLERS_HANDLERS_H

#include "samples/backend/backend.h"

/* A request, and the reply to it. */
struct vhu_talk {
	struct vhu_message_buf *request;
	struct vhu_message_buf *reply; /* begun, with the payload that the table tells; counts only
				   for messages with a reply of their own */
};

/* Do what a request asks for. Returns NULL, or why it is refused. */
typedef const char *vhu_handler(struct vhu_backend *backend, struct vhu_talk *talk);

/* By the number of the message's row; NULL: not served here. */
extern vhu_handler *const vhu_handlers[VHU_MESSAGES];

/* Start a ring, as the first kick does, and look at it: what is there already will not be kicked.
 * Returns NULL or what is wrong. */
const char *vhu_start(struct vhu_backend *backend, struct vhu_device_vring *ring);

/* device.c */
vhu_handler vhu_get_features, vhu_set_features, vhu_get_protocol_features,
    vhu_set_protocol_features, vhu_set_owner, vhu_reset_owner, vhu_reset_device, vhu_get_queue_num,
    vhu_set_backend_req_fd, vhu_get_config, vhu_set_config, vhu_get_status, vhu_set_status,
    vhu_get_backend_specs, vhu_get_device_id, vhu_get_config_size, vhu_get_min_vq;

/* memory.c */
vhu_handler vhu_set_mem_table, vhu_get_max_mem_slots, vhu_add_mem_reg, vhu_rem_mem_reg,
    vhu_iotlb_msg, vhu_set_log_base, vhu_set_log_fd, vhu_get_inflight_fd, vhu_set_inflight_fd;

/* vring.c */
vhu_handler vhu_set_vring_num, vhu_set_vring_addr, vhu_set_vring_base, vhu_get_vring_base,
    vhu_set_vring_kick, vhu_set_vring_call, vhu_set_vring_err, vhu_set_vring_enable, vhu_vring_kick;

#endif
