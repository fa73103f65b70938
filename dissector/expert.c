/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dissector's expert items, one row each. */
#include "dissector/expert.h"

#include <stdarg.h>
#include <stdio.h>

static expert_field ids[VHU_EXPERTS];

#define ROW(id, filter, group, severity, text)                                                     \
	{                                                                                          \
		&ids[VHU_EXPERT_##id],                                                             \
		{                                                                                  \
			"vhost_user.expert." filter, PI_##group, PI_##severity, text, EXPFILL      \
		}                                                                                  \
	}

static ei_register_info rows[] = {
    ROW(RECORD, "record", MALFORMED, ERROR, "Not a record of vhu"),
    ROW(HEADER, "header", MALFORMED, ERROR, "Fewer bytes than a header"),
    ROW(UNKNOWN, "unknown", UNDECODED, NOTE, "Unknown message"),
    ROW(AMBIGUOUS, "ambiguous", PROTOCOL, NOTE, "Nothing has told the dialect yet"),
    ROW(SIZE, "size", MALFORMED, ERROR, "Header's size is not what was sent"),
    ROW(MISSING, "missing", MALFORMED, ERROR, "Payload too short"),
    ROW(LEFT_OVER, "left_over", PROTOCOL, WARN, "Payload too long"),
    ROW(PARTIAL, "partial", SEQUENCE, ERROR, "Sender closed before the message was whole"),
    ROW(FDS_LOST, "fds_lost", PROTOCOL, ERROR, "Descriptors were lost on the way"),
    ROW(REDACTED, "redacted", SECURITY, CHAT, "Key material was replaced by zeros"),
    ROW(ALTERED, "altered", PROTOCOL, NOTE, "The proxy changed this message"),
    ROW(ERROR, "error", PROTOCOL, ERROR, "The capture reports an error"),
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == VHU_EXPERTS, "a row for each expert item");

void vhu_expert_register(int proto)
{
	for (unsigned i = 0; i < VHU_EXPERTS; i++)
		ids[i] = (expert_field)EI_INIT;
	expert_register_field_array(expert_register_protocol(proto), rows, VHU_EXPERTS);
}

void vhu_expert_add(proto_tree *tree, packet_info *pinfo, enum vhu_expert expert, tvbuff_t *tvb,
		    int at, int size, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	proto_tree_add_expert_format(tree, pinfo, &ids[expert], tvb, at, size, "%s", text);
}

void vhu_expert_note(proto_item *item, packet_info *pinfo, enum vhu_expert expert,
		     const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	expert_add_info_format(pinfo, item, &ids[expert], "%s", text);
}
