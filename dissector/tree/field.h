/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each field of the table's layouts as a field of Wireshark's, "vhost_user." before its path. */
#ifndef VHU_DISSECTOR_TREE_FIELD_H
#define VHU_DISSECTOR_TREE_FIELD_H

#include "dissector/ws_compat.h"
#include "lib/protocol/walk.h"

/* Register all of them as fields of @proto. */
void vhu_field_register(int proto);

/*
 * Add a field to @tree: its value, and below it the single bits where it is a set of bits; or the
 * structure that begins with it.
 * @item: a VALUE or an OPEN of the walk. @at: where its payload begins in @tvb.
 * Returns what was added, below which a structure's fields go.
 */
proto_item *vhu_field_add(proto_tree *tree, tvbuff_t *tvb, int at, const struct vhu_item *item,
			  const struct vhu_context *context);

#endif
