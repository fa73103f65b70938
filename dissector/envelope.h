/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the record tells beside its message: session, channel, direction, marks, peers, reason. */
#ifndef VHU_DISSECTOR_ENVELOPE_H
#define VHU_DISSECTOR_ENVELOPE_H

#include "dissector/ws_compat.h"
#include "lib/capture/record.h"

/* Register its fields with @proto. */
void vhu_envelope_register(int proto);

/*
 * Add where @record, of stream @stream, belongs and what kind of record it is.
 * @tvb: what it was decoded from, at @bytes. @head: how many bytes of it stand before the message.
 */
void vhu_envelope_add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const uint8_t *bytes,
		      int head, const struct vhu_record *record, uint32_t stream);

#endif
