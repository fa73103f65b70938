/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expert items: what is wrong or worth a remark, by the dissector and by the rules of a session. */
#ifndef VHU_DISSECTOR_TREE_EXPERT_H
#define VHU_DISSECTOR_TREE_EXPERT_H

#include "dissector/ws_compat.h"
#include "lib/session/rules/rules.h"

enum vhu_expert {
	VHU_EXPERT_RECORD,    /* the packet is no record */
	VHU_EXPERT_HEADER,    /* fewer bytes than a header */
	VHU_EXPERT_UNKNOWN,   /* no message has this id */
	VHU_EXPERT_AMBIGUOUS, /* nothing told yet which of two messages it is */
	VHU_EXPERT_SIZE,      /* the header's size is not what was sent */
	VHU_EXPERT_MISSING,   /* the payload is shorter than its layout */
	VHU_EXPERT_LEFT_OVER, /* it is longer */
	VHU_EXPERT_PARTIAL,   /* its sender closed before it was whole */
	VHU_EXPERT_FDS_LOST,  /* descriptors were lost on the way */
	VHU_EXPERT_REDACTED,  /* key material was replaced by zeros */
	VHU_EXPERT_ALTERED,   /* the proxy changed the message */
	VHU_EXPERT_ERROR,     /* a record of type error */
	VHU_EXPERT_HANGS,     /* a vring hangs, as a snapshot of it says */
	VHU_EXPERTS
};

/* Register all of them with @proto. */
void vhu_expert_register(int proto);

/* Add an expert item as a line of its own below @tree, for @size bytes of @tvb. */
void vhu_expert_add(proto_tree *tree, packet_info *pinfo, enum vhu_expert expert, tvbuff_t *tvb,
		    int at, int size, const char *format, ...) G_GNUC_PRINTF(7, 8);

/* Add an expert item to @item. */
void vhu_expert_note(proto_item *item, packet_info *pinfo, enum vhu_expert expert,
		     const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Add the expert item of a rule that was broken to @tree, hidden: the finding says the same. */
void vhu_expert_finding(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
			const struct vhu_rule *rule, const char *text);

#endif
