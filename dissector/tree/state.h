/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session after a packet that changed it, as a sub-tree. */
#ifndef VHU_DISSECTOR_TREE_STATE_H
#define VHU_DISSECTOR_TREE_STATE_H

#include "dissector/replay/replay.h"
#include "dissector/ws_compat.h"

/* Register its fields with @proto. */
void vhu_state_register(int proto);

/* Add the state after frame @number to @tree, if the frame changed it. */
void vhu_state_add(proto_tree *tree, tvbuff_t *tvb, const struct vhu_learnt *learnt,
		   uint32_t number);

#endif
