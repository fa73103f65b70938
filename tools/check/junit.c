/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings as JUnit's XML, which every CI shows: a test suite a capture, a test case a rule, failed
 * where the rule is broken, and one more for the capture itself, in error where it cannot be read.
 *
 * A suite's totals stand at its beginning, so a capture's findings are kept until its end: of each
 * rule no more than FINDINGS_KEPT, and the number of the others.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/rules/table.h"
#include "lib/util/utf8.h"
#include "tools/check/check.h"

#define FINDINGS_KEPT 25

/* What is kept of one capture. */
struct vhu_check_suite {
	struct {
		uint64_t count;
		unsigned kept;
		struct vhu_finding *finding; /* room for FINDINGS_KEPT; NULL before the first */
	} rule[VHU_RULES];
	char error[VHU_PCAPNG_ERROR_SIZE + 64]; /* "" none */
};

/* Write a text, with what XML would take for markup escaped and what it cannot have replaced. */
static void put(FILE *to, const char *text)
{
	while (*text) {
		unsigned size = vhu_utf8_size(text);
		unsigned char first = (unsigned char)*text;

		/* XML 1.0, section 2.2: these control characters and no others, not U+FFFE and
		 * U+FFFF. */
		if (strchr("&<>\"\n\t\r", first))
			fprintf(to, "&#%u;", first);
		else if (!size || first < ' ' || !strncmp(text, "\xef\xbf\xbe", 3) ||
			 !strncmp(text, "\xef\xbf\xbf", 3))
			fputs("&#xfffd;", to);
		else
			fwrite(text, 1, size, to);
		text += size ? size : 1;
	}
}

/* Write an attribute. */
static void put_attribute(FILE *to, const char *name, const char *value)
{
	fprintf(to, " %s=\"", name);
	put(to, value);
	fputc('"', to);
}

/* Begin a test case of the capture, up to the end of its opening tag. */
static void begin_case(struct vhu_check *check, const char *name)
{
	fprintf(check->to, "    <testcase");
	put_attribute(check->to, "classname", check->path);
	put_attribute(check->to, "name", name);
}

static void junit_begin(struct vhu_check *check)
{
	fprintf(check->to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			   "<testsuites name=\"vhu check\">\n");
}

static void junit_begin_file(struct vhu_check *check)
{
	check->suite = calloc(1, sizeof(*check->suite));
	check->later = open_memstream(&check->later_text, &check->later_size);
	check->left_out = 0;
}

static void junit_finding(struct vhu_check *check, const struct vhu_finding *finding)
{
	unsigned i = (unsigned)(finding->rule - vhu_rules);
	struct vhu_finding **kept;

	if (!check->suite)
		return;
	kept = &check->suite->rule[i].finding;
	if (!*kept)
		*kept = calloc(FINDINGS_KEPT, sizeof(**kept));
	if (*kept && check->suite->rule[i].kept < FINDINGS_KEPT)
		(*kept)[check->suite->rule[i].kept++] = *finding;
	check->suite->rule[i].count++;
}

static void junit_cause(struct vhu_check *check, const struct vhu_check_cause *cause)
{
	char sessions[VHU_CHECK_LINE_MAX];

	vhu_check_cause_sessions(cause, sessions);
	if (!check->later || ftell(check->later) > VHU_CHECK_LATER_MAX)
		check->left_out++;
	else
		fprintf(check->later, "%slikeliest cause: %s\n", sessions, cause->text);
}

static void junit_broken(struct vhu_check *check, const char *text)
{
	if (check->suite)
		snprintf(check->suite->error, sizeof(check->suite->error), "%s", text);
}

/* Write the test case of rule number @i. */
static void put_rule(struct vhu_check *check, unsigned i)
{
	const struct vhu_rule *rule = &vhu_rules[i];
	const struct vhu_finding *finding = check->suite->rule[i].finding;
	const unsigned kept = check->suite->rule[i].kept;
	char name[64], line[VHU_CHECK_LINE_MAX];

	snprintf(name, sizeof(name), "V%u %s", rule->id, rule->name);
	begin_case(check, name);
	if (!check->suite->rule[i].count) {
		fprintf(check->to, "/>\n");
		return;
	}
	fprintf(check->to, ">\n      <failure");
	put_attribute(check->to, "type", vhu_severity_name(rule->severity));
	put_attribute(check->to, "message", kept ? finding[0].text : rule->title);
	fprintf(check->to, ">");
	for (unsigned f = 0; f < kept; f++) {
		vhu_check_line(&finding[f], line);
		fprintf(check->to, "%" PRIu64 ": ", finding[f].number);
		put(check->to, line);
		fputc('\n', check->to);
	}
	if (check->suite->rule[i].count > kept)
		fprintf(check->to, "and %" PRIu64 " more\n", check->suite->rule[i].count - kept);
	fprintf(check->to, "</failure>\n    </testcase>\n");
}

/* Write the test case of the capture itself. */
static void put_capture(struct vhu_check *check)
{
	begin_case(check, "capture");
	if (!*check->suite->error) {
		fprintf(check->to, "/>\n");
		return;
	}
	fprintf(check->to, ">\n      <error type=\"capture\"");
	put_attribute(check->to, "message", check->suite->error);
	fprintf(check->to, "/>\n    </testcase>\n");
}

/* Write why sessions ended badly. */
static void put_causes(struct vhu_check *check)
{
	if (check->later && !fclose(check->later) && (check->later_size || check->left_out)) {
		fprintf(check->to, "    <system-out>");
		put(check->to, check->later_text);
		if (check->left_out)
			fprintf(check->to, "and %" PRIu64 " more\n", check->left_out);
		fprintf(check->to, "</system-out>\n");
	}
	free(check->later_text);
	check->later_text = NULL;
	check->later = NULL;
}

/* Return whether the result of rule number @i is known: a capture that cannot be read to its end
 * passes no rule. */
static bool has_result(const struct vhu_check *check, unsigned i)
{
	return vhu_check_wants(check, &vhu_rules[i]) &&
	       (!*check->suite->error || check->suite->rule[i].count);
}

static void junit_end_file(struct vhu_check *check)
{
	unsigned tests = 1, failures = 0;

	for (unsigned i = 0; check->suite && i < VHU_RULES; i++) {
		tests += has_result(check, i);
		failures += check->suite->rule[i].count > 0;
	}
	fprintf(check->to, "  <testsuite");
	put_attribute(check->to, "name", check->path);
	fprintf(check->to, " tests=\"%u\" failures=\"%u\" errors=\"%d\">\n", tests, failures,
		check->suite && *check->suite->error);
	if (check->suite)
		put_capture(check);
	for (unsigned i = 0; check->suite && i < VHU_RULES; i++) {
		if (has_result(check, i))
			put_rule(check, i);
		free(check->suite->rule[i].finding);
	}
	put_causes(check);
	fprintf(check->to, "  </testsuite>\n");
	free(check->suite);
	check->suite = NULL;
}

static void junit_end(struct vhu_check *check)
{
	fprintf(check->to, "</testsuites>\n");
}

const struct vhu_check_form vhu_check_junit = {
    .begin = junit_begin,
    .begin_file = junit_begin_file,
    .finding = junit_finding,
    .cause = junit_cause,
    .broken = junit_broken,
    .end_file = junit_end_file,
    .end = junit_end,
};
