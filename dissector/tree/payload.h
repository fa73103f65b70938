/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message's payload as a tree: its fields in the order and structure that its layout has. */
#ifndef VHU_DISSECTOR_TREE_PAYLOAD_H
#define VHU_DISSECTOR_TREE_PAYLOAD_H

#include "dissector/ws_compat.h"
#include "lib/session/session.h"

/* Register the fields of all payloads, and those for what is no field, with @proto. */
void vhu_payload_register(int proto);

/*
 * Add the payload of @note, as far as it was captured, to @tree. @at: where it begins in @tvb.
 * What is wrong with it becomes expert items; what was cut is left to the caller.
 */
void vhu_payload_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, int at,
		     const struct vhu_annotation *note);

#endif
