/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message as a tree: what it is, what it answers, its header, its payload. */
#ifndef VHU_DISSECTOR_TREE_MESSAGE_H
#define VHU_DISSECTOR_TREE_MESSAGE_H

#include "dissector/ws_compat.h"
#include "lib/session/session.h"

/* Register its fields, and those of all payloads, with @proto. */
void vhu_message_register(int proto);

/*
 * Add the message of @record, which begins at @at in @tvb and means what @note says, to @tree.
 * @reply: number of the frame that answers it, 0 not known.
 */
void vhu_message_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_record *record, const struct vhu_annotation *note,
		     uint32_t reply);

#endif
