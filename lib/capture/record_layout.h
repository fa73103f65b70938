/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record's encoding: exported-PDU tags, a fixed part, TLVs. docs/capture-format.md says it
 * byte by byte, and a test decodes the examples there.
 */
#ifndef VHU_CAPTURE_RECORD_LAYOUT_H
#define VHU_CAPTURE_RECORD_LAYOUT_H

#include "lib/capture/record.h"

/* The tag of an exported PDU that names the dissector, and the tag that ends the tags. */
#define TAG_END       0
#define TAG_DISSECTOR 12

#define FIXED_SIZE    20
#define TLV_HEAD_SIZE 4
#define COMM_MAX      15 /* TASK_COMM_LEN without its NUL */

/* The types of TLVs. 36 to 47 are kept for what vrings have to tell. */
enum vhu_tlv {
	TLV_FD = 1,
	TLV_SEGMENTS = 2,
	TLV_FRONT_END = 3,
	TLV_BACK_END = 4,
	TLV_TEXT = 5,
	TLV_VRING = 32,
	TLV_SNAPSHOT = 33,
	TLV_VERDICT = 34,
	TLV_REQUEST = 35,
};

/* In the set of an fd's TLV: a name follows. The lower bits are enum vhu_fd_has. */
#define FD_NAMED   (1 << 7)
/* In the set of a peer's TLV: pid, uid, gid and comm are known. */
#define PEER_KNOWN (1 << 0)

/* The tags as we write them; the name is padded to a multiple of 4. */
static const uint8_t vhu_record_tags[] = {
    0, TAG_DISSECTOR, 0, 12, 'v', 'h', 'o', 's', 't', '_', 'u', 's', 'e', 'r', 0, 0, 0, 0, 0, 0};

#endif
