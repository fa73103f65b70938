/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors that passed with a message: a sub-tree each. */
#ifndef VHU_DISSECTOR_TREE_DESCRIPTOR_H
#define VHU_DISSECTOR_TREE_DESCRIPTOR_H

#include "dissector/ws_compat.h"
#include "lib/capture/record.h"

/* Register their fields with @proto. */
void vhu_descriptor_register(int proto);

/*
 * Add all descriptors of @record to @tree. @pool: the packet's memory.
 * @tvb, @bytes: the packet that it was decoded from. @head: bytes before the message.
 */
void vhu_descriptor_add_all(proto_tree *tree, wmem_allocator_t *pool, tvbuff_t *tvb,
			    const uint8_t *bytes, int head, const struct vhu_record *record);

#endif
