/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu report: makes a page of captures that a browser shows. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/choice.h"
#include "tools/commands.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"
#include "tools/report/trace.h"

/* Records that a page has by default: about 7 MB. */
#define MESSAGES_DEFAULT 250000

enum { KEY_SESSION = 256, KEY_TRACE, KEY_MESSAGES, KEY_LATE_AFTER, KEY_DIALECT, KEY_DEVICE };

static const struct vhu_option option[] = {
    {'o', "output", "FILE",
     "write the page to FILE; - is standard output (default: the capture's name with .html)"},
    {KEY_TRACE, "trace", "FILE", "write a trace for Perfetto, and no page unless -o is given"},
    {KEY_SESSION, "session", "N", "only this session"},
    {KEY_MESSAGES, "messages", "N", "keep the first N records (default 250000)"},
    {KEY_LATE_AFTER, "late-after", "TIME",
     "report a reply that took longer than TIME (default 1s)"},
    {KEY_DIALECT, "dialect", "NAME",
     "dialect: upstream, standalone, probe or dax (default: detected)"},
    {KEY_DEVICE, "device", "DEVICE", "virtio device, by name or id (default: detected)"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu report vm.pcapng", "write vm.html, to open in a browser or to send"},
    {"vhu report -o run.html run-*.pcapng", "write one page of several captures"},
    {"vhu report --trace vm.json vm.pcapng",
     "write a trace: open vm.json in https://ui.perfetto.dev"},
    {"vhu report -o - vm.pcapng >page.html", "write the page to standard output"},
    {0},
};

/* What was asked for. */
struct vhu_report_request {
	struct vhu_report report;
	const char *page, *trace; /* paths; NULL: not asked for */
	char *named;              /* the page's name, if it was made of the capture's */
};

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_report_request *request,
		       int key, const char *argument)
{
	struct vhu_report *report = &request->report;

	switch (key) {
	case 'o':
		request->page = argument;
		break;
	case KEY_TRACE:
		request->trace = argument;
		break;
	case KEY_SESSION:
		if (vhu_number_parse(argument, 1, UINT64_MAX, &report->only_session))
			return vhu_usage(command, "%s: not a session number", argument);
		break;
	case KEY_MESSAGES:
		if (vhu_number_parse(argument, 1, UINT32_MAX - 1, &report->most_rows))
			return vhu_usage(command, "%s: no such number of messages", argument);
		break;
	case KEY_LATE_AFTER:
		return vhu_choose_late(command, &report->choice, argument);
	case KEY_DIALECT:
		return vhu_choose_dialect(command, &report->choice, argument);
	case KEY_DEVICE:
		return vhu_choose_device(command, &report->choice, argument);
	}
	return VHU_EXIT_DONE;
}

/* Return whether two paths lead to the same existing file. "-" is not a file. */
static bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	return strcmp(one, "-") != 0 && strcmp(other, "-") != 0 && !stat(one, &a) &&
	       !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* See that nothing is written over a capture that is read, by whatever name. Returns VHU_EXIT_DONE,
 * or VHU_EXIT_USAGE with what is wrong said. */
static int spare_captures(const struct vhu_command *command,
			  const struct vhu_report_request *request, char *const *paths, int count)
{
	const char *const written[] = {request->page, request->trace};

	for (unsigned i = 0; i < sizeof(written) / sizeof(*written); i++)
		for (int n = 0; written[i] && n < count; n++)
			if (is_same_file(written[i], paths[n]))
				return vhu_usage(command, "%s: cannot be read and written at once",
						 written[i]);
	return VHU_EXIT_DONE;
}

/* Choose the page's name: the capture's, with .html for .pcapng. Returns VHU_EXIT_DONE, or
 * VHU_EXIT_USAGE with what is wrong said. */
static int name_page(const struct vhu_command *command, struct vhu_report_request *request,
		     char *const *paths, int count)
{
	static const char *const ending[] = {".pcapng", ".pcap"};
	size_t length = strlen(paths[0]);

	if (request->page && request->trace && !strcmp(request->page, request->trace))
		return vhu_usage(command, "%s: both the page and the trace", request->page);
	if (request->page || request->trace)
		return VHU_EXIT_DONE;
	if (count > 1 || !strcmp(paths[0], "-"))
		return vhu_usage(command, "where to? -o FILE.html names the page");
	for (unsigned i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		if (length > strlen(ending[i]) &&
		    !strcmp(paths[0] + length - strlen(ending[i]), ending[i])) {
			length -= strlen(ending[i]);
			break;
		}
	if (asprintf(&request->named, "%.*s.html", (int)length, paths[0]) < 0)
		return vhu_fail(command, "%s", strerror(ENOMEM));
	request->page = request->named;
	return VHU_EXIT_DONE;
}

/* The same as vhu_html_page, whose errors are the stream's. */
static int put_trace(FILE *to, const struct vhu_report *report)
{
	vhu_report_trace(to, report);
	return 0;
}

/* Write a file by @put. Returns an exit status. */
static int write_file(const struct vhu_report *report, const char *path,
		      int (*put)(FILE *to, const struct vhu_report *report))
{
	const bool to_stdout = !strcmp(path, "-");
	FILE *to = to_stdout ? stdout : fopen(path, "we");
	const char *name = to_stdout ? "standard output" : path;
	int error;

	if (!to)
		return vhu_fail(report->command, "%s: %s", name, strerror(errno));
	error = put(to, report);
	if (!error && (fflush(to) || ferror(to)))
		error = errno ? -errno : -EIO;
	if (!to_stdout && fclose(to) && !error)
		error = -errno;
	if (error)
		return vhu_fail(report->command, "%s: %s", name, strerror(-error));
	return VHU_EXIT_DONE;
}

/* Say how much the page has. */
static void say_size(const struct vhu_command *command, const struct vhu_report_request *request)
{
	const struct vhu_report *report = &request->report;
	FILE *page =
	    request->page && strcmp(request->page, "-") ? fopen(request->page, "re") : NULL;
	long size = page && !fseek(page, 0, SEEK_END) ? ftell(page) : 0;

	if (page)
		fclose(page);
	if (report->left_out)
		vhu_fail(command,
			 "%" PRIu64 " records after the first %" PRIu32
			 " are left out: --messages sets how many are kept",
			 report->left_out, report->rows);
	if (size > 0)
		fprintf(stderr,
			"%s: %ld kB, %" PRIu32 " session%s, %" PRIu64 " message%s, %" PRIu32
			" finding%s\n",
			request->page, (size + 999) / 1000, report->sessions,
			report->sessions == 1 ? "" : "s", report->messages,
			report->messages == 1 ? "" : "s", report->findings,
			report->findings == 1 ? "" : "s");
}

/* Make the report of the captures at @paths. Returns the exit status. */
static int make_report(const struct vhu_command *command, struct vhu_report_request *request,
		       char **paths, int count)
{
	struct vhu_report *report = &request->report;
	int status = vhu_report_gather(report, paths, count), written = VHU_EXIT_DONE;

	if (report->error)
		return status;
	if (!report->sessions && report->only_session)
		return status == VHU_EXIT_DONE
			   ? vhu_no_session(command, paths, count, report->only_session)
			   : status;
	/* Do not write an empty page. */
	if (!report->rows)
		return status == VHU_EXIT_DONE
			   ? vhu_fail(command, "%s: no record in it", paths[count - 1])
			   : status;
	if (request->page)
		written = write_file(report, request->page, vhu_html_page);
	/* By another name; now the page is there. */
	if (request->page && request->trace && is_same_file(request->page, request->trace))
		return vhu_fail(command, "%s: both the page and the trace", request->trace);
	if (request->trace && written == VHU_EXIT_DONE)
		written = write_file(report, request->trace, put_trace);
	if (written == VHU_EXIT_DONE)
		say_size(command, request);
	return written == VHU_EXIT_DONE ? status : written;
}

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_report_request request = {
	    .report = {.command = command, .most_rows = MESSAGES_DEFAULT},
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
	status = vhu_reading_look_over(command, argv + optind, argc - optind);
	if (status == VHU_EXIT_DONE)
		status = name_page(command, &request, argv + optind, argc - optind);
	if (status == VHU_EXIT_DONE)
		status = spare_captures(command, &request, argv + optind, argc - optind);
	if (status == VHU_EXIT_DONE)
		status = make_report(command, &request, argv + optind, argc - optind);
	vhu_report_free(&request.report);
	free(request.named);
	return status;
}

const struct vhu_command vhu_command_report = {
    .name = "report",
    .arguments = "FILE...|-",
    .summary = "turn a capture into an HTML page",
    .about = "The page is one file that loads nothing else: how each session ended and why, the "
	     "findings, the set-up, and every message. Like the capture, the page may contain "
	     "names and paths of this machine.",
    .option = option,
    .example = example,
    .run = run,
};
