/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a message refers to: its vring, the vring's place in memory, the features that were offered.
 */
#ifndef VHU_DISSECTOR_TREE_REFERENCES_H
#define VHU_DISSECTOR_TREE_REFERENCES_H

#include "dissector/ws_compat.h"
#include "lib/session/session.h"

/* Register its fields with @proto. */
void vhu_references_register(int proto);

/* Add to @tree what the message of @note refers to. */
void vhu_references_add(proto_tree *tree, tvbuff_t *tvb, const struct vhu_annotation *note);

#endif
