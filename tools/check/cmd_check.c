/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu check: says which rules of the protocol a capture breaks, and why sessions ended badly. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "lib/cli/near.h"
#include "lib/session/rules/table.h"
#include "tools/check/check.h"
#include "tools/choice.h"
#include "tools/commands.h"

enum {
	KEY_RULE = 256,
	KEY_IGNORE,
	KEY_SESSION,
	KEY_JSON,
	KEY_SARIF,
	KEY_JUNIT,
	KEY_LATE_AFTER,
	KEY_COMPARE,
	KEY_DIALECT,
	KEY_DEVICE,
	KEY_LIST,
	KEY_MARKDOWN,
	KEY_EXPLAIN,
	KEY_EXIT_ZERO,
};

static const struct vhu_option option[] = {
    {'s', "severity", "LEVEL", "report this level and above: error, warning (default) or info"},
    {KEY_RULE, "rule", "RULE", "report only this rule, by id or name; may be repeated"},
    {KEY_IGNORE, "ignore", "RULE", "do not report this rule; may be repeated"},
    {KEY_COMPARE, "compare", NULL,
     "compare two captures: the sessions of the second continue those of the first"},
    {'f', "follow", NULL, "wait for more records at the end of the last file"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_JSON, "json", NULL, "print one JSON object a line"},
    {KEY_SARIF, "sarif", NULL, "print a SARIF 2.1.0 document"},
    {KEY_JUNIT, "junit", NULL, "print JUnit XML"},
    {KEY_EXIT_ZERO, "exit-zero", NULL, "exit with 0 even if there are findings"},
    {KEY_LATE_AFTER, "late-after", "TIME",
     "report a reply that took longer than TIME (default 1s)"},
    {KEY_DIALECT, "dialect", "NAME",
     "dialect: upstream, standalone, probe or dax (default: detected)"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id (default: detected)"},
    {KEY_LIST, "list", NULL, "list all rules"},
    {KEY_MARKDOWN, "markdown", NULL, "with --list: print all about each rule, as Markdown"},
    {KEY_EXPLAIN, "explain", "RULE", "explain a rule"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu check vm.pcapng", "list what is wrong, and why the session ended"},
    {"vhu proxy -w - vm.sock disk.sock | vhu check -", "check a session live"},
    {"vhu check --junit --severity error *.pcapng", "report errors to continuous integration"},
    {"vhu check --compare source.pcapng destination.pcapng", "find what a migration changed"},
    {"vhu check --explain V303", "explain rule V303"},
    {0},
};

/* What was asked for besides the check itself. */
struct vhu_check_request {
	struct vhu_check check;
	bool compare, list, markdown;
	bool only; /* the rules that --rule names, and no others */
	bool has_severity;
	bool named[VHU_RULES], ignored[VHU_RULES];
	const struct vhu_rule *explain;
};

/* Find a severity by its name. Returns it or -1. */
static int severity_of(const char *word)
{
	for (int i = 0; i < VHU_SEVERITIES; i++)
		if (!strcasecmp(word, vhu_severity_name((enum vhu_severity)i)))
			return i;
	return -1;
}

/* Take an option that chooses a form. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong
 * said. */
static int take_form(const struct vhu_command *command, struct vhu_check_request *request,
		     const struct vhu_check_form *form)
{
	if (request->check.form && request->check.form != form)
		return vhu_usage(command, "one of --json, --sarif and --junit at a time");
	request->check.form = form;
	return VHU_EXIT_DONE;
}

/* Say that there is no rule called @name. Returns VHU_EXIT_USAGE. */
static int no_such_rule(const struct vhu_command *command, const char *name)
{
	struct vhu_near near = {.word = name};
	char hint[VHU_NEAR_MAX];

	for (unsigned i = 0; i < VHU_RULES; i++)
		vhu_near_look(&near, vhu_rules[i].name);
	return vhu_usage(command, "%s: no such rule%s%s", name, vhu_near_hint(&near, hint),
			 *hint ? "" : "; vhu check --list shows all");
}

/* Take an option that names a rule. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong
 * said. */
static int take_rule(const struct vhu_command *command, struct vhu_check_request *request, int key,
		     const char *argument)
{
	const struct vhu_rule *rule = vhu_rule_find(argument);

	if (!rule)
		return no_such_rule(command, argument);
	if (key == KEY_EXPLAIN)
		request->explain = rule;
	else if (key == KEY_IGNORE)
		request->ignored[rule - vhu_rules] = true;
	else
		request->only = request->named[rule - vhu_rules] = true;
	return VHU_EXIT_DONE;
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_check_request *request,
		       int key, const char *argument)
{
	struct vhu_check *check = &request->check;
	int place;

	switch (key) {
	case 's':
		place = severity_of(argument);
		if (place < 0)
			return vhu_usage(command, "%s: no such severity", argument);
		check->least = (enum vhu_severity)place;
		request->has_severity = true;
		break;
	case KEY_RULE:
	case KEY_IGNORE:
	case KEY_EXPLAIN:
		return take_rule(command, request, key, argument);
	case KEY_JSON:
		return take_form(command, request, &vhu_check_json);
	case KEY_SARIF:
		return take_form(command, request, &vhu_check_sarif);
	case KEY_JUNIT:
		return take_form(command, request, &vhu_check_junit);
	case 'f':
		check->follow = true;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &check->session))
			return vhu_usage(command, "%s: not a session number", argument);
		break;
	case KEY_COMPARE:
		request->compare = true;
		break;
	case KEY_EXIT_ZERO:
		check->exit_zero = true;
		break;
	case KEY_LIST:
		request->list = true;
		break;
	case KEY_MARKDOWN:
		request->markdown = true;
		break;
	case KEY_LATE_AFTER:
		return vhu_choose_late(command, &check->choice, argument);
	case KEY_DIALECT:
		return vhu_choose_dialect(command, &check->choice, argument);
	case KEY_DEVICE:
		return vhu_choose_device(command, &check->choice, argument);
	}
	return VHU_EXIT_DONE;
}

/* Add a count of something to the summary. */
static void say_count(const char **between, uint64_t count, const char *what)
{
	if (!count)
		return;
	fprintf(stderr, "%s%" PRIu64 " %s%s", *between, count, what, count == 1 ? "" : "s");
	*between = ", ";
}

/* Say on stderr what was found in how much: "3 errors, 2 warnings; 1 session ended badly, 1 session
 * hangs, in 4 sessions, 214 messages". */
static void summarize(const struct vhu_check *check)
{
	const char *between = "";

	for (int i = VHU_SEVERITIES - 1; i >= 0; i--)
		say_count(&between, check->found[i], vhu_severity_name((enum vhu_severity)i));
	if (!*between)
		fprintf(stderr, "no findings");
	between = "; ";
	say_count(&between, check->badly, "session");
	fprintf(stderr, "%s", check->badly ? " ended badly" : "");
	say_count(&between, check->hanging, "session");
	fprintf(stderr, "%s%s",
		check->hanging == 1 ? " hangs"
		: check->hanging    ? " hang"
				    : "",
		check->badly || check->hanging ? "," : "");
	between = " in ";
	say_count(&between, check->files > 1 ? check->files : 0, "file");
	say_count(&between, check->sessions, "session");
	say_count(&between, check->messages, "message");
	fprintf(stderr, "%s\n", *between == ' ' ? ": there is no session" : "");
}

/* Return the exit status that standard output ends with. */
static int end_output(const struct vhu_command *command, int status)
{
	if (fflush(stdout) || ferror(stdout))
		return vhu_fail(command, "standard output: %s", strerror(errno));
	return status;
}

/* Check the captures. Returns an exit status. */
static int check_captures(const struct vhu_command *command, struct vhu_check_request *request,
			  char **paths, int count)
{
	struct vhu_check *check = &request->check;
	bool found;

	check->only = request->only;
	for (unsigned i = 0; i < VHU_RULES; i++)
		check->chosen[i] = (!request->only || request->named[i]) && !request->ignored[i];
	check->at_once = vhu_reading_at_once(paths, count, check->follow);
	if (check->at_once)
		vhu_reading_signals(check->follow);
	vhu_check_run(check, paths, count, request->compare);
	fflush(stdout);
	summarize(check);
	if (check->form->end)
		check->form->end(check);
	found = (check->badly || check->hanging) && !check->only;
	for (int i = check->least; i < VHU_SEVERITIES; i++)
		found |= check->found[i] > 0;
	found &= !check->exit_zero;
	if (check->session && !check->sessions && !check->broken)
		return end_output(command, vhu_no_session(command, paths, count, check->session));
	return end_output(command, found || check->broken ? VHU_EXIT_FAILED : VHU_EXIT_DONE);
}

/* Look whether options and the @count arguments go together. Returns VHU_EXIT_DONE, or
 * VHU_EXIT_USAGE with what is wrong said. */
static int look_over(const struct vhu_command *command, const struct vhu_check_request *request,
		     char **paths, int count)
{
	if (request->list && request->explain)
		return vhu_usage(command, "one of --list and --explain at a time");
	if (request->markdown && !request->list)
		return vhu_usage(command, "--markdown goes with --list");
	if (request->list || request->explain)
		return count
			   ? vhu_usage(command, "%s: rules are listed without a capture", paths[0])
			   : VHU_EXIT_DONE;
	if (request->compare && count != 2)
		return vhu_usage(command, "--compare wants two captures");
	if (request->compare && request->check.session)
		return vhu_usage(command, "one of --compare and --session at a time");
	return vhu_reading_look_over(command, paths, count);
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_check_request request = {
	    .check = {.command = command, .to = stdout, .least = VHU_WARNING},
	};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	/* Who names rules wants to see them, whatever their severity. */
	if (request.only && !request.has_severity)
		request.check.least = VHU_INFO;
	status = look_over(command, &request, argv + optind, argc - optind);
	if (status != VHU_EXIT_DONE)
		return status;
	if (!request.check.form)
		request.check.form = &vhu_check_text;
	if (!request.list && !request.explain)
		return check_captures(command, &request, argv + optind, argc - optind);
	if (request.explain)
		vhu_check_explain(stdout, request.explain);
	else if (request.markdown)
		vhu_check_list_markdown(stdout);
	else
		vhu_check_list(stdout);
	return end_output(command, VHU_EXIT_DONE);
}

const struct vhu_command vhu_command_check = {
    .name = "check",
    .arguments = "FILE...|-\n--compare BEFORE AFTER\n--list [--markdown]\n--explain RULE",
    .summary = "find the rules of the protocol that a capture breaks",
    .about = "Prints findings, one a line: FILE:MESSAGE: severity RULE name: what. If a session "
	     "ended badly, the last line names the likeliest cause. The exit status is 1 if there "
	     "are findings or if a session ended badly; with --rule, only findings count.",
    .option = option,
    .example = example,
    .run = run,
};
