/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings as a SARIF 2.1.0 document (OASIS, "Static Analysis Results Interchange Format"): one
 * run, all rules, a result a finding. Captures have no lines, so a result is located by its file
 * and by logical locations, which are messages. Why a session ended badly, and what is wrong with a
 * capture, are notifications of the run's one invocation.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/rules/table.h"
#include "tools/check/check.h"

#define LOCATION_MAX 80

/* Return a severity as a level. */
static const char *level_of(enum vhu_severity severity)
{
	static const char *const level[VHU_SEVERITIES] = {
	    [VHU_INFO] = "note",
	    [VHU_WARNING] = "warning",
	    [VHU_ERROR] = "error",
	};

	return level[severity];
}

/* Write an object whose only member is a text: "multiformatMessageString", "message". */
static void put_message(struct vhu_json *json, const char *key, const char *text)
{
	vhu_json_object(json, key);
	vhu_json_string(json, "text", text);
	vhu_json_object_end(json);
}

/* Write a file's name as a URI reference, RFC 3986: all but what is unreserved is escaped. */
static void put_uri(struct vhu_json *json, const char *path)
{
	static const char prefix[] = "file://";
	char *uri = malloc(sizeof(prefix) + 3 * strlen(path));
	size_t length = 0;

	if (!uri) {
		vhu_json_string(json, "uri", "");
		return;
	}
	if (*path == '/')
		length = (size_t)sprintf(uri, "%s", prefix);
	for (; *path; path++) {
		if (isalnum((unsigned char)*path) || strchr("-._~/", *path))
			uri[length++] = *path;
		else
			length += (size_t)sprintf(uri + length, "%%%02X", (unsigned char)*path);
	}
	uri[length] = '\0';
	vhu_json_string(json, "uri", uri);
	free(uri);
}

/* Write a logical location: a message of a session, or, with @number 0, the session. */
static void put_logical(struct vhu_json *json, uint64_t session, uint64_t number)
{
	char name[LOCATION_MAX], qualified[LOCATION_MAX];

	if (number) {
		snprintf(name, sizeof(name), "message %" PRIu64, number);
		snprintf(qualified, sizeof(qualified), "session %" PRIu64 "/message %" PRIu64,
			 session, number);
	} else {
		snprintf(name, sizeof(name), "session %" PRIu64, session);
	}
	vhu_json_object(json, NULL);
	vhu_json_string(json, "name", name);
	vhu_json_string(json, "fullyQualifiedName", number ? qualified : name);
	vhu_json_string(json, "kind", number ? "message" : "session");
	vhu_json_object_end(json);
}

/* Write a location: the capture, and where in it: what is 0 is left out. @related: it is not the
 * result's own. */
static void put_location(struct vhu_json *json, const char *path, uint64_t session, uint64_t number,
			 bool related)
{
	char text[LOCATION_MAX];

	vhu_json_object(json, NULL);
	if (related)
		vhu_json_unsigned(json, "id", number);
	vhu_json_object(json, "physicalLocation");
	vhu_json_object(json, "artifactLocation");
	put_uri(json, strcmp(path, "-") ? path : "stdin");
	vhu_json_object_end(json);
	vhu_json_object_end(json);
	if (session) {
		vhu_json_array(json, "logicalLocations");
		put_logical(json, session, number);
		vhu_json_array_end(json);
	}
	snprintf(text, sizeof(text), "message %" PRIu64, number);
	if (related)
		put_message(json, "message", text);
	vhu_json_object_end(json);
}

/* Write a rule: "reportingDescriptor". */
static void put_rule(struct vhu_json *json, const struct vhu_rule *rule)
{
	char id[16];

	snprintf(id, sizeof(id), "V%u", rule->id);
	vhu_json_object(json, NULL);
	vhu_json_string(json, "id", id);
	vhu_json_string(json, "name", rule->name);
	put_message(json, "shortDescription", rule->title);
	put_message(json, "fullDescription", rule->basis);
	vhu_json_object(json, "defaultConfiguration");
	vhu_json_string(json, "level", level_of(rule->severity));
	vhu_json_object_end(json);
	vhu_json_object(json, "properties");
	vhu_json_string(json, "section", rule->section);
	vhu_json_object_end(json);
	vhu_json_object_end(json);
}

static void sarif_begin(struct vhu_check *check)
{
	struct vhu_json *json = &check->json;

	*json = (struct vhu_json){.to = check->to};
	vhu_json_object(json, NULL);
	vhu_json_string(json, "$schema",
			"https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/"
			"sarif-schema-2.1.0.json");
	vhu_json_string(json, "version", "2.1.0");
	vhu_json_array(json, "runs");
	vhu_json_object(json, NULL);
	vhu_json_object(json, "tool");
	vhu_json_object(json, "driver");
	vhu_json_string(json, "name", "vhu");
	vhu_json_string(json, "fullName", "vhu check");
	vhu_json_string(json, "version", VHU_VERSION);
	vhu_json_array(json, "rules");
	for (unsigned i = 0; i < VHU_RULES; i++)
		put_rule(json, &vhu_rules[i]);
	vhu_json_array_end(json);
	vhu_json_object_end(json);
	vhu_json_object_end(json);
	vhu_json_array(json, "results");
}

static void sarif_finding(struct vhu_check *check, const struct vhu_finding *finding)
{
	struct vhu_json *json = &check->json;
	char id[16];

	snprintf(id, sizeof(id), "V%u", finding->rule->id);
	vhu_json_object(json, NULL);
	vhu_json_string(json, "ruleId", id);
	vhu_json_unsigned(json, "ruleIndex", (uint64_t)(finding->rule - vhu_rules));
	vhu_json_string(json, "level", level_of(finding->rule->severity));
	put_message(json, "message", finding->text);
	vhu_json_array(json, "locations");
	put_location(json, check->path, finding->session, finding->number, false);
	vhu_json_array_end(json);
	if (finding->other[0]) {
		vhu_json_array(json, "relatedLocations");
		for (unsigned i = 0; i < VHU_FINDING_OTHERS_MAX && finding->other[i]; i++)
			put_location(json, check->path, finding->session, finding->other[i], true);
		vhu_json_array_end(json);
	}
	vhu_json_object_end(json);
}

/* Keep a notification for the end. @session: 0 for none. */
static void notify(struct vhu_check *check, const char *level, uint64_t session, const char *text)
{
	struct vhu_json json = {0};

	if (!check->later)
		check->later = open_memstream(&check->later_text, &check->later_size);
	if (!check->later || ftell(check->later) > VHU_CHECK_LATER_MAX) {
		check->left_out++;
		return;
	}
	json = (struct vhu_json){.to = check->later, .comma = ftell(check->later) > 0};
	vhu_json_object(&json, NULL);
	vhu_json_string(&json, "level", level);
	put_message(&json, "message", text);
	vhu_json_array(&json, "locations");
	put_location(&json, check->path, session, 0, false);
	vhu_json_array_end(&json);
	vhu_json_object_end(&json);
}

static void sarif_cause(struct vhu_check *check, const struct vhu_check_cause *cause)
{
	char line[VHU_CHECK_LINE_MAX + VHU_CAUSE_TEXT_MAX];
	size_t length;

	vhu_check_cause_sessions(cause, line);
	length = strlen(line);
	snprintf(line + length, sizeof(line) - length, "likeliest cause: %s", cause->text);
	notify(check, "note", cause->first, line);
}

static void sarif_broken(struct vhu_check *check, const char *text)
{
	notify(check, "error", 0, text);
}

static void sarif_end(struct vhu_check *check)
{
	struct vhu_json *json = &check->json;
	char text[64];

	vhu_json_array_end(json);
	vhu_json_array(json, "invocations");
	vhu_json_object(json, NULL);
	vhu_json_bool(json, "executionSuccessful", check->broken == 0);
	vhu_json_array(json, "toolExecutionNotifications");
	if (check->later && !fclose(check->later)) {
		fputs(check->later_text, check->to);
		json->comma = true;
	}
	if (check->left_out) {
		snprintf(text, sizeof(text), "%" PRIu64 " more notifications are left out",
			 check->left_out);
		vhu_json_object(json, NULL);
		put_message(json, "message", text);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
	vhu_json_object_end(json);
	vhu_json_array_end(json);
	vhu_json_object_end(json);
	vhu_json_array_end(json);
	vhu_json_object_end(json);
	fputc('\n', check->to);
	free(check->later_text);
}

const struct vhu_check_form vhu_check_sarif = {
    .begin = sarif_begin,
    .finding = sarif_finding,
    .cause = sarif_cause,
    .broken = sarif_broken,
    .end = sarif_end,
};
