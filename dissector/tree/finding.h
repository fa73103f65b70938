/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that a packet breaks: a sub-tree each, with an expert item. */
#ifndef VHU_DISSECTOR_TREE_FINDING_H
#define VHU_DISSECTOR_TREE_FINDING_H

#include "dissector/replay/replay.h"
#include "dissector/ws_compat.h"

/* Register their fields with @proto. */
void vhu_finding_register(int proto);

/* Add the findings of a packet to @tree. */
void vhu_finding_add_all(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
			 const struct vhu_learnt *learnt);

#endif
