/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of cases as lines, in the Test Anything Protocol (version 14), as JUnit's XML, as JSON.
 */
#include "tools/probe/report/report.h"

#include <inttypes.h>
#include <string.h>

#include "lib/util/json.h"
#include "lib/util/utf8.h"
#include "lib/util/util.h"

static const char *const result_name[] = {
    [VHU_PROBE_PASSED] = "pass",
    [VHU_PROBE_FAILED] = "fail",
    [VHU_PROBE_NOT_APPLICABLE] = "not applicable",
    [VHU_PROBE_NOT_RUN] = "not run",
};

/* The one report that is being written as JSON. */
static struct vhu_json json;

/* Return what a failure is: one word for JSON in *@word, and a text: "accepts nonsense". */
static const char *kind_text(const struct vhu_probe_verdict *verdict, const char **word)
{
	static const struct {
		const char *word, *text;
	} kind[] = {
	    [VHU_PROBE_VIOLATES] = {"violates", "violates the specification"},
	    [VHU_PROBE_UNWRITTEN] = {"unwritten", "not in the specification, and relied on"},
	    [VHU_PROBE_ACCEPTS] = {"accepts-nonsense", "accepts nonsense"},
	    [VHU_PROBE_PERISHES] = {"perishes", "does not survive nonsense"},
	};
	enum vhu_probe_kind which = verdict->kind;

	if (which == VHU_PROBE_VIOLATES && verdict->rule &&
	    verdict->rule->wording == VHU_WORDING_SILENT)
		which = VHU_PROBE_UNWRITTEN;
	*word = kind[which].word;
	return kind[which].text;
}

/* Write a case as a line. */
static void put_line(FILE *to, const struct vhu_probe_verdict *verdict)
{
	const struct vhu_probe_case *the_case = verdict->the_case;
	const char *word;

	fprintf(to, "%-15s %-18s %s", result_name[verdict->result], the_case->name,
		the_case->title);
	if (*verdict->text)
		fprintf(to, ": %s", verdict->text);
	if (verdict->result == VHU_PROBE_FAILED && verdict->rule)
		fprintf(to, " (%s: V%u %s)", kind_text(verdict, &word), verdict->rule->id,
			verdict->rule->name);
	else if (verdict->result == VHU_PROBE_FAILED)
		fprintf(to, " (%s: %s)", kind_text(verdict, &word), the_case->section);
	fputc('\n', to);
}

/* Write a text between quotes of YAML. */
static void put_yaml(FILE *to, const char *text)
{
	fputc('"', to);
	for (unsigned bytes; *text; text += bytes ? bytes : 1) {
		bytes = vhu_utf8_shown(text);
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fprintf(to, "%.*s", bytes ? (int)bytes : 1, bytes ? text : "?");
	}
	fputs("\"\n", to);
}

/* Write a case in the Test Anything Protocol. */
static void put_tap(FILE *to, unsigned number, const struct vhu_probe_verdict *verdict)
{
	const struct vhu_probe_case *the_case = verdict->the_case;
	bool failed = verdict->result == VHU_PROBE_FAILED || verdict->result == VHU_PROBE_NOT_RUN;
	const char *word;

	fprintf(to, "%sok %u - %s: %s", failed ? "not " : "", number, the_case->name,
		the_case->title);
	if (verdict->result == VHU_PROBE_NOT_APPLICABLE)
		fprintf(to, " # SKIP %s", verdict->text);
	fputc('\n', to);
	if (!failed)
		return;
	fputs("  ---\n  message: ", to);
	put_yaml(to, verdict->text);
	if (verdict->result == VHU_PROBE_FAILED) {
		fputs("  kind: ", to);
		put_yaml(to, kind_text(verdict, &word));
	}
	if (verdict->rule)
		fprintf(to, "  rule: V%u %s\n", verdict->rule->id, verdict->rule->name);
	fputs("  section: ", to);
	put_yaml(to, the_case->section);
	fputs("  ...\n", to);
}

/* Write a text inside XML. */
static void put_xml(FILE *to, const char *text)
{
	for (unsigned bytes; *text; text += bytes ? bytes : 1) {
		bytes = vhu_utf8_shown(text);
		if (*text == '<')
			fputs("&lt;", to);
		else if (*text == '>')
			fputs("&gt;", to);
		else if (*text == '&')
			fputs("&amp;", to);
		else if (*text == '"')
			fputs("&quot;", to);
		else
			fprintf(to, "%.*s", bytes ? (int)bytes : 1, bytes ? text : "?");
	}
}

/* Write a case as JUnit has them. */
static void put_junit(FILE *to, const struct vhu_probe_verdict *verdict)
{
	const struct vhu_probe_case *the_case = verdict->the_case;
	char rule[96] = "";
	const char *word;

	fprintf(to, "  <testcase classname=\"vhu.probe\" name=\"%s\" time=\"%" PRIu64 ".%03u\"",
		the_case->name, verdict->ms / 1000, (unsigned)(verdict->ms % 1000));
	if (verdict->result == VHU_PROBE_PASSED) {
		fputs("/>\n", to);
		return;
	}
	if (verdict->rule)
		snprintf(rule, sizeof(rule), "V%u %s", verdict->rule->id, verdict->rule->name);
	fputs(verdict->result == VHU_PROBE_FAILED ? ">\n    <failure type=\"" : ">\n    <skipped",
	      to);
	if (verdict->result == VHU_PROBE_FAILED) {
		put_xml(to, *rule ? rule : the_case->section);
		fputc('"', to);
	}
	fputs(" message=\"", to);
	put_xml(to, verdict->text);
	if (verdict->result == VHU_PROBE_FAILED)
		fprintf(to, "; %s", kind_text(verdict, &word));
	fputs("\"/>\n  </testcase>\n", to);
}

/* Write a case as JSON. */
static void put_json(const struct vhu_probe_verdict *verdict)
{
	const struct vhu_probe_case *the_case = verdict->the_case;
	char rule[16];
	const char *word;

	vhu_json_object(&json, NULL);
	vhu_json_string(&json, "name", the_case->name);
	vhu_json_string(&json, "title", the_case->title);
	vhu_json_string(&json, "result", result_name[verdict->result]);
	if (*verdict->text)
		vhu_json_string(&json, "text", verdict->text);
	if (verdict->result == VHU_PROBE_FAILED) {
		kind_text(verdict, &word);
		vhu_json_string(&json, "kind", word);
	}
	if (verdict->rule) {
		snprintf(rule, sizeof(rule), "V%u", verdict->rule->id);
		vhu_json_string(&json, "rule", rule);
	}
	vhu_json_string(&json, "spec_section", the_case->section);
	vhu_json_unsigned(&json, "duration_ns", verdict->ms * VHU_NS_PER_MS);
	vhu_json_object_end(&json);
}

void vhu_probe_report_begin(enum vhu_probe_format format, FILE *to, const struct vhu_probe *probe,
			    unsigned count)
{
	const char *device = vhu_device_name(probe->specs.device.value);

	switch (format) {
	case VHU_PROBE_LINES:
		fprintf(to, "%s: %s, device %s, %s\n\n", probe->connection.path,
			*probe->comm ? probe->comm : "a back-end", device ? device : "not known",
			probe->standalone ? "standalone" : "traditional");
		break;
	case VHU_PROBE_TAP:
		fprintf(to, "TAP version 14\n1..%u\n", count);
		break;
	case VHU_PROBE_JUNIT:
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"", to);
		put_xml(to, probe->connection.path);
		fprintf(to, "\" tests=\"%u\">\n", count);
		break;
	case VHU_PROBE_JSON:
		json = (struct vhu_json){.to = to};
		vhu_json_document(&json, NULL, "probe/1");
		vhu_json_string(&json, "type", "conformance");
		vhu_json_string(&json, "socket", probe->connection.path);
		vhu_json_string(&json, "command", probe->comm);
		vhu_json_unsigned(&json, "device_id", probe->specs.device.value);
		vhu_json_array(&json, "cases");
		break;
	}
}

void vhu_probe_report(enum vhu_probe_format format, FILE *to, unsigned number,
		      const struct vhu_probe_verdict *verdict)
{
	switch (format) {
	case VHU_PROBE_LINES:
		put_line(to, verdict);
		break;
	case VHU_PROBE_TAP:
		put_tap(to, number, verdict);
		break;
	case VHU_PROBE_JUNIT:
		put_junit(to, verdict);
		break;
	case VHU_PROBE_JSON:
		put_json(verdict);
		break;
	}
}

void vhu_probe_report_end(enum vhu_probe_format format, FILE *to, const unsigned count[4])
{
	switch (format) {
	case VHU_PROBE_LINES:
		fprintf(to, "\n%u passed, %u failed, %u not applicable", count[VHU_PROBE_PASSED],
			count[VHU_PROBE_FAILED], count[VHU_PROBE_NOT_APPLICABLE]);
		fprintf(to, count[VHU_PROBE_NOT_RUN] ? ", %u not run\n" : "\n",
			count[VHU_PROBE_NOT_RUN]);
		break;
	case VHU_PROBE_TAP:
		break;
	case VHU_PROBE_JUNIT:
		fputs("</testsuite>\n", to);
		break;
	case VHU_PROBE_JSON:
		vhu_json_array_end(&json);
		vhu_json_unsigned(&json, "passed", count[VHU_PROBE_PASSED]);
		vhu_json_unsigned(&json, "failed", count[VHU_PROBE_FAILED]);
		vhu_json_unsigned(&json, "not_applicable", count[VHU_PROBE_NOT_APPLICABLE]);
		vhu_json_unsigned(&json, "not_run", count[VHU_PROBE_NOT_RUN]);
		vhu_json_object_end(&json);
		fputc('\n', to);
		break;
	}
}
