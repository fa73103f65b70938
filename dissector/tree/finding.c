/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that a packet breaks. */
#include "dissector/tree/finding.h"

#include "dissector/tree/expert.h"

static int hf_finding = -1, hf_rule = -1, hf_severity = -1, hf_text = -1, hf_see = -1;
static int hf_section = -1, hf_basis = -1;
static int ett_finding = -1;

static value_string severities[VHU_SEVERITIES + 1];

static hf_register_info fields[] = {
    {&hf_finding,
     {"Finding", "vhost_user.finding", FT_STRING, BASE_NONE, NULL, 0,
      "The id of a rule that is broken", HFILL}},
    {&hf_rule,
     {"Rule", "vhost_user.finding.rule", FT_STRING, BASE_NONE, NULL, 0, "Its name", HFILL}},
    {&hf_severity,
     {"Severity", "vhost_user.finding.severity", FT_UINT8, BASE_DEC, VALS(severities), 0, NULL,
      HFILL}},
    {&hf_text,
     {"Text", "vhost_user.finding.text", FT_STRING, BASE_NONE, NULL, 0,
      "What breaks it, with the values", HFILL}},
    {&hf_see,
     {"See", "vhost_user.finding.see", FT_FRAMENUM, BASE_NONE, FRAMENUM_TYPE(FT_FRAMENUM_NONE), 0,
      "A packet that has to do with it", HFILL}},
    {&hf_section,
     {"Specification", "vhost_user.finding.section", FT_STRING, BASE_NONE, NULL, 0,
      "The section that has the rule", HFILL}},
    {&hf_basis,
     {"Why it matters", "vhost_user.finding.basis", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
};

void vhu_finding_register(int proto)
{
	static int *ett[] = {&ett_finding};

	for (unsigned i = 0; i < VHU_SEVERITIES; i++)
		severities[i] = (value_string){i, vhu_severity_name((enum vhu_severity)i)};
	proto_register_field_array(proto, fields, array_length(fields));
	proto_register_subtree_array(ett, array_length(ett));
}

/* Add a text that is made here. Returns its item. */
static proto_item *add_string(proto_tree *tree, tvbuff_t *tvb, int hf, const char *text)
{
	proto_item *item = proto_tree_add_string(tree, hf, tvb, 0, 0, text);

	proto_item_set_generated(item);
	return item;
}

/* Add one finding. Its line says it once; what filters and scripts take from it in parts is hidden.
 */
static void add(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb, const struct vhu_found *found)
{
	const struct vhu_rule *rule = found->rule;
	char id[16];
	proto_item *item;

	snprintf(id, sizeof(id), "V%03u", rule->id);
	item = proto_tree_add_string_format(tree, hf_finding, tvb, 0, 0, id, "%s %s %s: %s",
					    vhu_severity_name(rule->severity), id, rule->name,
					    found->text);
	proto_item_set_generated(item);
	tree = proto_item_add_subtree(item, ett_finding);
	vhu_expert_finding(tree, pinfo, tvb, rule, found->text);
	proto_item_set_hidden(add_string(tree, tvb, hf_rule, rule->name));
	proto_item_set_hidden(proto_tree_add_uint(tree, hf_severity, tvb, 0, 0, rule->severity));
	proto_item_set_hidden(add_string(tree, tvb, hf_text, found->text));
	for (unsigned i = 0; i < VHU_FINDING_OTHERS_MAX; i++)
		if (found->other[i])
			proto_item_set_generated(
			    proto_tree_add_uint(tree, hf_see, tvb, 0, 0, found->other[i]));
	add_string(tree, tvb, hf_section, rule->section);
	add_string(tree, tvb, hf_basis, rule->basis);
}

void vhu_finding_add_all(proto_tree *tree, packet_info *pinfo, tvbuff_t *tvb,
			 const struct vhu_learnt *learnt)
{
	for (unsigned i = 0; i < learnt->founds; i++)
		add(tree, pinfo, tvb, &learnt->found[i]);
}
