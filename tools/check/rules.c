/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules, listed and explained. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/check/check.h"

#include "lib/session/rules/table.h"
#include "lib/util/util.h"

/* Columns of a line of the page, and more bytes than any rule's title has. */
#define LINE      100
#define TITLE_MAX 256

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

/* Write the @length bytes of a word in Markdown's plain form: < and > would be taken for markup. */
static void put_word(FILE *to, const char *word, size_t length)
{
	for (; length--; word++) {
		if (strchr("<>|*", *word))
			fputc('\\', to);
		fputc(*word, to);
	}
}

/* Write @lead and @text as lines of at most LINE columns;
 * those that follow begin with @indent blanks. */
static void put_lines(FILE *to, int indent, const char *lead, const char *text)
{
	size_t column = strlen(lead), length;

	fputs(lead, to);
	for (bool first = true; *text; text += length, text += strspn(text, " "), first = false) {
		length = strcspn(text, " ");
		if (column + 1 + length > LINE) {
			fprintf(to, "\n%*s", indent, "");
			column = (size_t)indent;
		} else if (!first) {
			fputc(' ', to);
			column++;
		}
		put_word(to, text, length);
		column += length;
	}
	fputc('\n', to);
}

void vhu_check_list_markdown(FILE *to)
{
	unsigned hundreds = 0;

	fputs(
	    "# The rules of a session\n\n"
	    "`vhu check --list --markdown` writes this page; `vhu check --explain V303` prints one "
	    "rule. By\n"
	    "default `vhu check` reports errors and warnings; `-s info` adds infos.\n\n"
	    "* An error breaks the specification. If the text is silent about it, the error "
	    "follows from other\n"
	    "  parts of the specification.\n"
	    "* A warning is known to break real peers.\n"
	    "* An info is worth knowing.\n\n"
	    "\"Section\" is a section of the specification, QEMU's docs/interop/vhost-user.rst, or "
	    "of the proposal\n"
	    "that the rule names. \"Text\" says how the specification puts the rule. A rule never "
	    "changes its\n"
	    "number. [glossary.md](glossary.md) explains the words.\n",
	    to);
	for (unsigned i = 0; i < VHU_RULES; i++) {
		const struct vhu_rule *rule = &vhu_rules[i];
		char title[TITLE_MAX];

		if (rule->id / 100 != hundreds) {
			hundreds = rule->id / 100;
			fprintf(to, "\n## %s\n",
				hundreds < VHU_ARRAY_SIZE(group) && group[hundreds]
				    ? group[hundreds]
				    : "More");
		}
		fprintf(to, "\n### V%u %s (%s)\n\n", rule->id, rule->name,
			vhu_severity_name(rule->severity));
		snprintf(title, sizeof(title), "%s.", rule->title);
		title[0] = (char)toupper((unsigned char)title[0]);
		put_lines(to, 0, "", title);
		fputc('\n', to);
		put_lines(to, 2, "- Section: ", rule->section);
		put_lines(to, 2, "- Text: ", vhu_wording_text(rule->wording));
		put_lines(to, 2, "- Why: ", rule->basis);
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
