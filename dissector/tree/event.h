/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened on a vring, as fields. */
#ifndef VHU_DISSECTOR_TREE_EVENT_H
#define VHU_DISSECTOR_TREE_EVENT_H

#include "dissector/ws_compat.h"
#include "lib/capture/record.h"

/* Register them as fields of @proto. */
void vhu_event_register(int proto);

/* Add an event to @tree. @bytes: the bytes of @tvb; the first @head hold the event. */
void vhu_event_add(proto_tree *tree, tvbuff_t *tvb, const uint8_t *bytes, int head,
		   const struct vhu_vring_event *event);

#endif
