/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules, listed and explained. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/check/check.h"

#include "lib/session/rules/table.h"
#include "lib/util/util.h"

/* The groups that a rule's hundreds tell. */
static const char *const group[] = {
    [1] = "Framing",
    [2] = "Negotiation",
    [3] = "Vrings",
    [4] = "Replies",
    [5] = "Descriptors and memory",
    [6] = "Configuration, state, migration",
    [7] = "Standalone devices",
};

void vhu_check_list(FILE *to)
{
	for (unsigned i = 0; i < VHU_RULES; i++)
		fprintf(to, "V%u %-7s %-29s %s\n", vhu_rules[i].id,
			vhu_severity_name(vhu_rules[i].severity), vhu_rules[i].name,
			vhu_rules[i].title);
}

/* Write a text in Markdown's plain form: what stands between < and > would be taken for markup. */
static void put_plain(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>|*", *text))
			fputc('\\', to);
		fputc(*text, to);
	}
}

void vhu_check_list_markdown(FILE *to)
{
	unsigned hundreds = 0;

	fprintf(
	    to,
	    "# The rules of a session\n\n"
	    "Made by `vhu check --list --markdown`. An error breaks the specification, a "
	    "warning is\n"
	    "known to break real peers, an info is worth knowing. Sections are those of the\n"
	    "specification, QEMU's docs/interop/vhost-user.rst, or of the proposal that a rule "
	    "names.\n"
	    "Text is how that puts the rule; an error that the text does not demand follows from "
	    "it.\n"
	    "A rule keeps its number for ever.\n");
	for (unsigned i = 0; i < VHU_RULES; i++) {
		const struct vhu_rule *rule = &vhu_rules[i];

		if (rule->id / 100 != hundreds) {
			hundreds = rule->id / 100;
			fprintf(to, "\n## %s\n",
				hundreds < VHU_ARRAY_SIZE(group) && group[hundreds]
				    ? group[hundreds]
				    : "More");
		}
		fprintf(to, "\n### V%u %s (%s)\n\n", rule->id, rule->name,
			vhu_severity_name(rule->severity));
		fputc(toupper((unsigned char)rule->title[0]), to);
		put_plain(to, rule->title + 1);
		fprintf(to, ".\n\n- Section: ");
		put_plain(to, rule->section);
		fprintf(to, "\n- Text: %s\n- Why: ", vhu_wording_text(rule->wording));
		put_plain(to, rule->basis);
		fputc('\n', to);
	}
}

void vhu_check_explain(FILE *to, const struct vhu_rule *rule)
{
	fprintf(
	    to,
	    "V%u %s (%s)\n\n  The rule:  %s\n  Section:   %s\n  Text:      %s\n  Why:       %s\n",
	    rule->id, rule->name, vhu_severity_name(rule->severity), rule->title, rule->section,
	    vhu_wording_text(rule->wording), rule->basis);
}
