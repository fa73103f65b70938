/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record around a message: session, channel, direction, marks, peers, reason. */
#ifndef VHU_DISSECTOR_TREE_ENVELOPE_H
#define VHU_DISSECTOR_TREE_ENVELOPE_H

#include "dissector/ws_compat.h"
#include "lib/capture/record.h"

/* Register its fields with @proto. */
void vhu_envelope_register(int proto);

/*
 * Add the session, channel and type of @record, of stream @stream, to @tree.
 * @tvb, @bytes: the packet that it was decoded from. @head: bytes before the message.
 */
void vhu_envelope_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const uint8_t *bytes,
		      int head, const struct vhu_record *record, uint32_t stream);

#endif
