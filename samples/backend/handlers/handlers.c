/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which message is whose. */
#include "samples/backend/handlers/handlers.h"

vhu_handler *const vhu_handlers[VHU_MESSAGES] = {
    [VHU_MSG_GET_FEATURES] = vhu_get_features,
    [VHU_MSG_SET_FEATURES] = vhu_set_features,
    [VHU_MSG_GET_PROTOCOL_FEATURES] = vhu_get_protocol_features,
    [VHU_MSG_SET_PROTOCOL_FEATURES] = vhu_set_protocol_features,
    [VHU_MSG_SET_OWNER] = vhu_set_owner,
    [VHU_MSG_RESET_OWNER] = vhu_reset_owner,
    [VHU_MSG_RESET_DEVICE] = vhu_reset_device,
    [VHU_MSG_GET_QUEUE_NUM] = vhu_get_queue_num,
    [VHU_MSG_SET_BACKEND_REQ_FD] = vhu_set_backend_req_fd,
    [VHU_MSG_GET_CONFIG] = vhu_get_config,
    [VHU_MSG_SET_CONFIG] = vhu_set_config,
    [VHU_MSG_GET_STATUS] = vhu_get_status,
    [VHU_MSG_SET_STATUS] = vhu_set_status,

    /* The two proposals; in the upstream dialect their numbers are found to be other messages. */
    [VHU_MSG_GET_BACKEND_SPECS] = vhu_get_backend_specs,
    [VHU_MSG_GET_DEVICE_ID] = vhu_get_device_id,
    [VHU_MSG_GET_CONFIG_SIZE] = vhu_get_config_size,
    [VHU_MSG_GET_MIN_VQ] = vhu_get_min_vq,

    [VHU_MSG_SET_MEM_TABLE] = vhu_set_mem_table,
    [VHU_MSG_GET_MAX_MEM_SLOTS] = vhu_get_max_mem_slots,
    [VHU_MSG_ADD_MEM_REG] = vhu_add_mem_reg,
    [VHU_MSG_REM_MEM_REG] = vhu_rem_mem_reg,
    [VHU_MSG_IOTLB_MSG] = vhu_iotlb_msg,
    [VHU_MSG_SET_LOG_BASE] = vhu_set_log_base,
    [VHU_MSG_SET_LOG_FD] = vhu_set_log_fd,
    [VHU_MSG_GET_INFLIGHT_FD] = vhu_get_inflight_fd,
    [VHU_MSG_SET_INFLIGHT_FD] = vhu_set_inflight_fd,

    [VHU_MSG_SET_VRING_NUM] = vhu_set_vring_num,
    [VHU_MSG_SET_VRING_ADDR] = vhu_set_vring_addr,
    [VHU_MSG_SET_VRING_BASE] = vhu_set_vring_base,
    [VHU_MSG_GET_VRING_BASE] = vhu_get_vring_base,
    [VHU_MSG_SET_VRING_KICK] = vhu_set_vring_kick,
    [VHU_MSG_SET_VRING_CALL] = vhu_set_vring_call,
    [VHU_MSG_SET_VRING_ERR] = vhu_set_vring_err,
    [VHU_MSG_SET_VRING_ENABLE] = vhu_set_vring_enable,
    [VHU_MSG_VRING_KICK] = vhu_vring_kick,
};
