/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as lines, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/check/check.h"

void vhu_check_line(const struct vhu_finding *finding, char to[VHU_CHECK_LINE_MAX])
{
	int length = snprintf(to, VHU_CHECK_LINE_MAX, "%s V%u %s: %s (session %" PRIu64,
			      vhu_severity_name(finding->rule->severity), finding->rule->id,
			      finding->rule->name, finding->text, finding->session);

	for (unsigned i = 0; i < VHU_FINDING_OTHERS_MAX && finding->other[i]; i++)
		length += snprintf(to + length, VHU_CHECK_LINE_MAX - (size_t)length, "%s%" PRIu64,
				   i ? ", " : ", see ", finding->other[i]);
	snprintf(to + length, VHU_CHECK_LINE_MAX - (size_t)length, ")");
}

/* Return where to put what is shown at the end: there, or at once where it is too much. */
static FILE *later(struct vhu_check *check)
{
	if (check->at_once)
		return check->to;
	if (!check->later)
		check->later = open_memstream(&check->later_text, &check->later_size);
	return !check->later || ftell(check->later) > VHU_CHECK_LATER_MAX ? check->to
									  : check->later;
}

static void text_finding(struct vhu_check *check, const struct vhu_finding *finding)
{
	char line[VHU_CHECK_LINE_MAX];

	vhu_check_line(finding, line);
	fprintf(check->to, "%s:%" PRIu64 ": %s\n", check->path, finding->number, line);
}

static void text_repeated(struct vhu_check *check, const struct vhu_check_repeated *repeated)
{
	const struct vhu_rule *rule = repeated->rule;

	fprintf(check->to, "%s: %s V%u %s: %s (as at %" PRIu64 ", ", check->path,
		vhu_severity_name(rule->severity), rule->id, rule->name, repeated->text,
		repeated->number);
	if (repeated->first == repeated->last)
		fprintf(check->to, "again in session %" PRIu64 ")\n", repeated->last);
	else
		fprintf(check->to,
			"%" PRIu64 " times more in sessions %" PRIu64 " to %" PRIu64 ")\n",
			repeated->times, repeated->first, repeated->last);
}

static void text_cause(struct vhu_check *check, const struct vhu_check_cause *cause)
{
	char sessions[VHU_CHECK_LINE_MAX];

	vhu_check_cause_sessions(cause, sessions);
	fprintf(later(check), "%s: %slikeliest cause: %s\n", check->path, sessions, cause->text);
}

static void text_end(struct vhu_check *check)
{
	if (check->later && !fclose(check->later))
		fputs(check->later_text, check->to);
	free(check->later_text);
}

/* The end of a session is what its reader looks for last, so it comes after the summary. */
const struct vhu_check_form vhu_check_text = {
    .finding = text_finding,
    .repeated = text_repeated,
    .cause = text_cause,
    .end = text_end,
};

/* Begin a line of JSON. @type: what it is about. */
static void json_begin(struct vhu_check *check, const char *type, uint64_t session)
{
	check->json = (struct vhu_json){.to = check->to};
	vhu_json_document(&check->json, NULL, "check/1");
	vhu_json_string(&check->json, "type", type);
	vhu_json_string(&check->json, "file", check->path);
	if (session)
		vhu_json_unsigned(&check->json, "session", session);
}

/* End a line of JSON. */
static void json_end(struct vhu_check *check)
{
	vhu_json_object_end(&check->json);
	fputc('\n', check->to);
}

/* Write which rule was broken and how. */
static void json_rule(struct vhu_json *json, const struct vhu_rule *rule, const char *text)
{
	char id[16];

	snprintf(id, sizeof(id), "V%u", rule->id);
	vhu_json_string(json, "rule", id);
	vhu_json_string(json, "name", rule->name);
	vhu_json_string(json, "severity", vhu_severity_name(rule->severity));
	vhu_json_string(json, "text", text);
}

static void json_finding(struct vhu_check *check, const struct vhu_finding *finding)
{
	struct vhu_json *json = &check->json;

	json_begin(check, "finding", finding->session);
	vhu_json_unsigned(json, "number", finding->number);
	json_rule(json, finding->rule, finding->text);
	vhu_json_array(json, "see");
	for (unsigned i = 0; i < VHU_FINDING_OTHERS_MAX && finding->other[i]; i++)
		vhu_json_unsigned(json, NULL, finding->other[i]);
	vhu_json_array_end(json);
	json_end(check);
}

static void json_repeated(struct vhu_check *check, const struct vhu_check_repeated *repeated)
{
	json_begin(check, "repeated", repeated->first);
	json_rule(&check->json, repeated->rule, repeated->text);
	vhu_json_unsigned(&check->json, "as", repeated->number);
	vhu_json_unsigned(&check->json, "last_session", repeated->last);
	vhu_json_unsigned(&check->json, "times", repeated->times);
	json_end(check);
}

static void json_cause(struct vhu_check *check, const struct vhu_check_cause *cause)
{
	json_begin(check, "cause", cause->first);
	if (cause->times > 1) {
		vhu_json_unsigned(&check->json, "last_session", cause->last);
		vhu_json_unsigned(&check->json, "times", cause->times);
	}
	vhu_json_string(&check->json, "cause", cause->text);
	json_end(check);
}

static void json_broken(struct vhu_check *check, const char *text)
{
	json_begin(check, "error", 0);
	vhu_json_string(&check->json, "error", text);
	json_end(check);
}

const struct vhu_check_form vhu_check_json = {
    .finding = json_finding,
    .repeated = json_repeated,
    .cause = json_cause,
    .broken = json_broken,
};
