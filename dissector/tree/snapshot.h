/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a vring was at a moment, as fields, and the verdict on it as an expert item. */
#ifndef VHU_DISSECTOR_TREE_SNAPSHOT_H
#define VHU_DISSECTOR_TREE_SNAPSHOT_H

#include "dissector/ws_compat.h"
#include "lib/capture/record.h"

/* Register them as fields of @proto. */
void vhu_snapshot_register(int proto);

/* Add a snapshot to @tree. @bytes: the bytes of @tvb; the first @head hold the snapshot. */
void vhu_snapshot_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const uint8_t *bytes,
		      int head, const struct vhu_vring_snapshot *snapshot);

#endif
