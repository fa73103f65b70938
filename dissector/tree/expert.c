/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dissector's expert items, a row each, and those of the rules, one for each rule. */
#include "dissector/tree/expert.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/session/rules/table.h"
#include "lib/util/util.h"

static expert_field ids[VHU_EXPERTS];
static expert_field rule_ids[VHU_RULES];

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
    ROW(HANGS, "hangs", PROTOCOL, ERROR, "A vring hangs"),
};
_Static_assert(VHU_ARRAY_SIZE(rows) == VHU_EXPERTS, "a row for each expert item");

/* Return the group that Wireshark sorts a rule into. */
static int group_of(const struct vhu_rule *rule)
{
	switch (rule->id / 100) {
	case 1:
		return PI_MALFORMED;
	case 4:
		return PI_SEQUENCE;
	default:
		return PI_PROTOCOL;
	}
}

/* Return the filter of a rule: "vhost_user.rule.late_reply". */
static const char *filter_of(const struct vhu_rule *rule)
{
	char *filter = wmem_strdup_printf(wmem_epan_scope(), "vhost_user.rule.%s", rule->name);

	for (char *at = filter; *at; at++)
		if (*at == '-')
			*at = '_';
	return filter;
}

/* Register an expert item for each rule. */
static void register_rules(expert_module_t *module)
{
	static const int severities[VHU_SEVERITIES] = {PI_NOTE, PI_WARN, PI_ERROR};
	ei_register_info *info = wmem_alloc_array(wmem_epan_scope(), ei_register_info, VHU_RULES);

	for (unsigned i = 0; i < VHU_RULES; i++) {
		const struct vhu_rule *rule = &vhu_rules[i];

		rule_ids[i] = (expert_field)EI_INIT;
		info[i] = (ei_register_info){&rule_ids[i],
					     {filter_of(rule), group_of(rule),
					      severities[rule->severity], rule->title, EXPFILL}};
	}
	expert_register_field_array(module, info, VHU_RULES);
}

void vhu_expert_register(int proto)
{
	expert_module_t *module = expert_register_protocol(proto);

	for (unsigned i = 0; i < VHU_EXPERTS; i++)
		ids[i] = (expert_field)EI_INIT;
	expert_register_field_array(module, rows, VHU_EXPERTS);
	register_rules(module);
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

void vhu_expert_finding(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
			const struct vhu_rule *rule, const char *text)
{
	proto_item_set_hidden(proto_tree_add_expert_format(tree, pinfo, &rule_ids[rule - vhu_rules],
							   tvb, 0, 0, "%s", text));
}
