/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu probe: asks a back-end what it is, and drives it through what its authors get wrong. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cli/device.h"
#include "lib/util/duration.h"
#include "tools/commands.h"
#include "tools/probe/cases/runner.h"
#include "tools/probe/connection/child.h"
#include "tools/probe/policy.h"

#define TIMEOUT_NS UINT64_C(2000000000)

enum {
	KEY_JSON = 256,
	KEY_EXPECT,
	KEY_TIMEOUT,
	KEY_DIALECT,
	KEY_DEVICE,
	KEY_ONE,
	KEY_CONFORMANCE,
	KEY_CASE,
	KEY_LIST,
	KEY_TAP,
	KEY_JUNIT,
};

static const struct vhu_option option[] = {
    {'w', "write", "FILE", "record all messages in FILE; - is standard output"},
    {KEY_JSON, "json", NULL, "print JSON"},
    {KEY_EXPECT, "expect", "WHAT",
     "what the front-end expects: nothing, or device-id=ID,config-size=BYTES,vqs=NUMBER"},
    {KEY_TIMEOUT, "timeout", "TIME", "wait up to TIME for each reply (default 2s)"},
    {KEY_DIALECT, "dialect", "NAME", "dialect: upstream, standalone or probe (default: detected)"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id (default: detected)"},
    {KEY_ONE, "one-connection", NULL, "connect only once"},
    {'v', "verbose", NULL, "show the output of COMMAND"},
    {KEY_CONFORMANCE, "conformance", NULL, "test the back-end with cases that real back-ends fail"},
    {KEY_CASE, "case", "NAME", "run only this case; may be repeated"},
    {KEY_LIST, "list", NULL, "list the cases"},
    {KEY_TAP, "tap", NULL, "print results in the Test Anything Protocol"},
    {KEY_JUNIT, "junit", NULL, "print results as JUnit XML"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu probe /run/disk.sock", "show what the back-end offers"},
    {"vhu probe --expect device-id=block,vqs=4 /run/disk.sock",
     "would a front-end that expects a disk with 4 vrings accept it?"},
    {"vhu probe --json /run/disk.sock | jq .specs.device_id", "show the device id"},
    {"vhu probe --conformance --tap disk.sock -- ./my-back-end disk.sock",
     "start and test a back-end; restart it if it exits"},
    {0},
};

/* What was asked for, and what is at work. */
struct run {
	const struct vhu_command *command;
	const char *file; /* NULL: no capture */
	int capture;      /* its descriptor, -1 */
	bool conformance, json, tap, junit, list;
	struct vhu_probe_expected expected;
	struct vhu_probe_selection selection;
	struct vhu_probe_child child;
	struct vhu_probe probe;
	FILE *to; /* where the result goes */
};

/* Take the longest time that an answer may need. Returns as take_option does. */
static int take_timeout(struct run *run, const char *argument)
{
	uint64_t ns;

	if (vhu_duration_parse(argument, &ns) || ns < 1000000 || ns / 1000000 > 3600000)
		return vhu_usage(run->command, "%s: not a time from 1ms to 60min", argument);
	run->probe.connection.timeout_ms = (unsigned)(ns / 1000000);
	return VHU_EXIT_DONE;
}

/* Take an option that has an argument. Returns as take_option does. */
static int take_argument(struct run *run, int key, const char *argument)
{
	char error[VHU_PROBE_TEXT_MAX], hint[VHU_NEAR_MAX];
	int dialect;

	switch (key) {
	case 'w':
		run->file = argument;
		break;
	case KEY_EXPECT:
		if (vhu_probe_expect(&run->expected, argument, error))
			return vhu_usage(run->command, "%s", error);
		break;
	case KEY_TIMEOUT:
		return take_timeout(run, argument);
	case KEY_DIALECT:
		dialect = vhu_dialect_parse(argument);
		if (dialect < 0 || dialect > VHU_PROBE)
			return vhu_usage(run->command, "%s: no such dialect", argument);
		run->probe.dialect = (enum vhu_dialect)dialect;
		break;
	case KEY_DEVICE:
		run->probe.device = vhu_device_parse(argument);
		if (!run->probe.device)
			return vhu_usage(run->command, "%s: no such virtio device", argument);
		break;
	case KEY_CASE:
		if (vhu_probe_select(&run->selection, argument))
			return vhu_usage(run->command, "%s: no such case%s", argument,
					 vhu_probe_case_hint(argument, hint));
		break;
	}
	return VHU_EXIT_DONE;
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(struct run *run, int key, const char *argument)
{
	bool *flag = key == KEY_JSON          ? &run->json
		     : key == KEY_TAP         ? &run->tap
		     : key == KEY_JUNIT       ? &run->junit
		     : key == KEY_LIST        ? &run->list
		     : key == KEY_CONFORMANCE ? &run->conformance
		     : key == KEY_ONE         ? &run->probe.one_connection
		     : key == 'v'             ? &run->child.verbose
					      : NULL;

	if (!flag)
		return take_argument(run, key, argument);
	*flag = true;
	return VHU_EXIT_DONE;
}

/* Look at what the options make together. Returns as take_option does. */
static int check_options(struct run *run)
{
	bool cases = run->tap || run->junit || run->selection.cases;

	if (run->json + run->tap + run->junit > 1)
		return vhu_usage(run->command, "one of --json, --tap and --junit at a time");
	if (cases && !run->conformance)
		return vhu_usage(run->command, "--%s goes with --conformance",
				 run->tap     ? "tap"
				 : run->junit ? "junit"
					      : "case");
	if (run->expected.policy && run->conformance)
		return vhu_usage(run->command, "--expect does not go with --conformance");
	if (run->file && !strcmp(run->file, "-") && isatty(STDOUT_FILENO))
		return vhu_usage(run->command,
				 "a capture is not for terminals: pipe it or name a file");
	return VHU_EXIT_DONE;
}

/* Take the arguments after the options. Returns as take_option does. */
static int take_arguments(struct run *run, int argc, char **argv)
{
	if (optind == argc || !*argv[optind])
		return vhu_usage(run->command, "which socket?");
	if (optind < argc - 1)
		return vhu_usage(run->command, "%s: one socket; a command comes after --",
				 argv[optind + 1]);
	run->probe.connection.path = run->child.path = argv[optind];
	if (run->child.argv && !*run->child.argv)
		return vhu_usage(run->command, "which command?");
	if (run->child.argv)
		run->probe.connection.child = &run->child;
	return VHU_EXIT_DONE;
}

/* Find the command of the back-end, which comes after "--". Returns how many arguments come before.
 */
static int cut_command(struct run *run, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		run->child.argv = argv + i + 1;
		return i;
	}
	return argc;
}

/* Open the capture if one is asked for, and the log. Returns VHU_EXIT_DONE or VHU_EXIT_FAILED. */
static int open_log(struct run *run, int argc, char **argv)
{
	char comment[1024] = "vhu";
	size_t length = strlen(comment);
	bool standard = run->file && !strcmp(run->file, "-");
	int error;

	for (int i = 0; i < argc && length < sizeof(comment); i++)
		length +=
		    (size_t)snprintf(comment + length, sizeof(comment) - length, " %s", argv[i]);
	/* Standard output is the capture's then. */
	run->to = standard ? stderr : stdout;
	run->capture = standard    ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
		       : run->file ? open(run->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
				   : -1;
	if (run->file && run->capture < 0)
		return vhu_fail(run->command, "%s: cannot write a capture: %s", run->file,
				strerror(errno));
	error = vhu_probe_log_open(&run->probe.log, run->capture, comment);
	if (error)
		return vhu_fail(run->command, "%s: cannot write a capture: %s",
				run->file ? run->file : "nowhere", strerror(-error));
	return VHU_EXIT_DONE;
}

/* End the log and the capture. Returns @status, or VHU_EXIT_FAILED with what is lost said. */
static int close_log(struct run *run, int status)
{
	int error = vhu_probe_log_close(&run->probe.log);

	if (run->capture >= 0 && close(run->capture))
		error = -errno;
	if (!error)
		return status;
	return vhu_fail(run->command, "%s: records were lost",
			run->file ? run->file : "out of memory");
}

/* Show what was said, and compare it with what was expected. @error: of vhu_probe_run. */
static int show(struct run *run, int error)
{
	const struct vhu_probe *probe = &run->probe;
	char policy[VHU_PROBE_TEXT_MAX] = "", warning[VHU_PROBE_TEXT_MAX];
	bool goes_on =
	    !run->expected.policy || vhu_probe_policy(&run->expected, &probe->specs, policy);

	vhu_probe_policy_warning(&run->expected, &probe->specs, warning);
	if (run->json)
		vhu_probe_json(probe, run->to, error ? probe->connection.why : NULL,
			       run->expected.policy ? policy : NULL, warning, goes_on);
	else if (probe->has_features)
		vhu_probe_text(probe, run->to);
	if (!run->json && run->expected.policy && !error)
		fprintf(run->to, "\n%-22sa front-end %s: %s\n", "Policy",
			goes_on ? "goes on" : "gives up", policy);
	if (fflush(run->to) || ferror(run->to))
		return vhu_fail(run->command, "standard output: %s", strerror(errno));
	if (error)
		return vhu_fail(run->command, "%s: %s", probe->connection.path,
				probe->connection.why);
	if (*warning)
		vhu_fail(run->command, "%s: warning: %s", probe->connection.path, warning);
	if (!goes_on)
		return vhu_fail(run->command, "%s: %s", probe->connection.path, policy);
	return vhu_probe_faults(probe) ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Ask, and show or go on to the cases. Returns the exit status. */
static int probe_it(struct run *run)
{
	struct vhu_probe *probe = &run->probe;
	int error;

	error = vhu_probe_run(probe);
	if (!run->conformance)
		return show(run, error);
	if (error)
		return vhu_fail(run->command, "%s: %s", probe->connection.path,
				probe->connection.why);
	return vhu_probe_conform(probe, &run->child, &run->selection,
				 run->json    ? VHU_PROBE_JSON
				 : run->tap   ? VHU_PROBE_TAP
				 : run->junit ? VHU_PROBE_JUNIT
					      : VHU_PROBE_LINES,
				 run->to)
		   ? VHU_EXIT_FAILED
		   : VHU_EXIT_DONE;
}

/* Run the sub-command. Returns the exit status. */
static int run_probe(const struct vhu_command *command, int argc, char **argv)
{
	static struct run run = {.capture = -1};
	const char *argument;
	int all = argc, key, status;

	run.command = command;
	argc = cut_command(&run, argc, argv);
	run.probe.connection.socket = -1;
	run.probe.connection.log = &run.probe.log;
	run.probe.connection.timeout_ms = TIMEOUT_NS / 1000000;
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(&run, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (run.list) {
		vhu_probe_list(stdout);
		return VHU_EXIT_DONE;
	}
	status = check_options(&run);
	if (status == VHU_EXIT_DONE)
		status = take_arguments(&run, argc, argv);
	if (status != VHU_EXIT_DONE)
		return status;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = open_log(&run, all, argv);
	if (status == VHU_EXIT_DONE)
		status = probe_it(&run);
	vhu_probe_child_end(&run.child);
	return close_log(&run, status);
}

const struct vhu_command vhu_command_probe = {
    .name = "probe",
    .arguments = "SOCKET [-- COMMAND ...]\n--list",
    .summary = "ask a back-end what it is, and test how it behaves",
    .about = "SOCKET is where the back-end listens. COMMAND is started as the back-end before the "
	     "test and ended after it. Without --conformance, vhu probe starts no vring.",
    .option = option,
    .example = example,
    .run = run_probe,
};
