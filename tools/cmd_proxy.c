/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu proxy: stands between a front-end and a back-end, and records what they say. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/session/session.h"
#include "proxy/capture.h"
#include "proxy/pair.h"
#include "tools/commands.h"
#include "tools/dump.h"

enum { KEY_WITH_KEYS = 256 };

static const struct vhu_option option[] = {
    {'w', "write", "FILE", "record what passes in FILE, - for standard output"},
    {'v', "verbose", NULL, "say each message on standard error"},
    {'q', "quiet", NULL, "say nothing at the end"},
    {'s', "snaplen", "N", "keep at most N bytes of each record"},
    {KEY_WITH_KEYS, "with-keys", NULL, "record key material too; else it is masked"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu proxy -w vm.pcapng /run/vm.sock /run/disk.sock",
     "listen for the VM's front-end, connect it to the back-end at disk.sock"},
    {"vhu proxy -v connect:/run/vm.sock listen:/run/disk.sock",
     "the other way round: the VMM listens, the back-end comes"},
    {"vhu proxy -w - vm.sock disk.sock | vhu dump -v -", "see all fields as they pass"},
    {0},
};

/* What was asked for. */
struct request {
	const char *file; /* NULL: no capture */
	uint32_t snaplen; /* 0: the default */
	bool verbose, quiet;
};

/* Everything that one run of the command holds. */
struct run {
	struct request request;
	struct vhu_proxy proxy;
	struct vhu_pair pair;
	struct vhu_capture capture;
	struct vhu_watch signals;
	/* for --verbose */
	struct vhu_sessions *sessions;
	struct vhu_dump dump;
	uint64_t records;
};

/* Written to by the signal handler: calls that wait are left, and the loop stops. */
static int signalled = -1;

/* Note that a signal asked for the end. */
static void on_signal(int number)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)number;
	if (write(signalled, &one, sizeof(one)) < 0) {
		/* It was noted already. */
	}
	errno = saved;
}

/* A signal was noted: stop the loop. */
static void stop(struct vhu_watch *watch, uint32_t events)
{
	struct run *run = (struct run *)((char *)watch - offsetof(struct run, signals));

	(void)events;
	run->proxy.loop.stop = true;
}

/*
 * Let SIGINT, SIGTERM and SIGHUP end the command in order, and let nothing else do so that is only
 * an error of a call. Calls are not restarted, so that a full pipe cannot hold up the end.
 * Returns 0 or -errno.
 */
static int catch_signals(struct run *run)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal}, before;

	signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signalled < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		/* What nohup and shells have ignored stays so. */
		if (!sigaction(ends[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	run->signals.ready = stop;
	run->signals.fd = signalled;
	return vhu_loop_watch(&run->proxy.loop, &run->signals, EPOLLIN);
}

/* Allow as many open files as the system lets us: each session holds some, each message many. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* See to it that nothing that is opened later gets the number of a standard stream which whoever
 * started this had closed: what is said there would go to a peer. */
static void hold_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Say a line on standard error. */
static void say(const char *line)
{
	vhu_fail(&vhu_command_proxy, "%s", line);
}

/* Say a record as a line on standard error. */
static void say_record(void *context, const struct vhu_record *record)
{
	struct run *run = context;
	struct vhu_note note;

	vhu_session_feed(run->sessions, record, ++run->records, &note);
	vhu_dump_text(&run->dump, record, run->records, &note);
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct run *run, int key,
		       const char *argument)
{
	uint64_t number;

	switch (key) {
	case 'w':
		run->request.file = argument;
		break;
	case 'v':
		run->request.verbose = true;
		break;
	case 'q':
		run->request.quiet = true;
		break;
	case 's':
		if (vhu_number_parse(argument, 1, VHU_PCAPNG_SNAPLEN_DEFAULT, &number))
			return vhu_usage(command, "%s: not a snap length from 1 to %d", argument,
					 VHU_PCAPNG_SNAPLEN_DEFAULT);
		run->request.snaplen = (uint32_t)number;
		break;
	case KEY_WITH_KEYS:
		run->proxy.with_keys = true;
		break;
	}
	return VHU_EXIT_DONE;
}

/* Take the arguments after the options. Returns as take_option does. */
static int take_endpoints(const struct vhu_command *command, struct run *run, int argc, char **argv)
{
	static const enum vhu_endpoint_kind bare[2] = {VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_CONNECT};
	char error[VHU_ENDPOINT_ERROR];

	if (argc - optind < 2)
		return vhu_usage(command, "which %s?", argc == optind ? "FRONT and BACK" : "BACK");
	if (argc - optind > 2)
		return vhu_usage(command, "%s: FRONT and BACK are two", argv[optind + 2]);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (vhu_endpoint_parse(&run->pair.end[side], argv[optind + side], bare[side],
				       error))
			return vhu_usage(command, "%s", error);
	}
	if (!strcmp(run->pair.end[VHU_FRONT].path, run->pair.end[VHU_BACK].path))
		return vhu_usage(command, "%s: FRONT and BACK are the same",
				 run->pair.end[VHU_FRONT].path);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (run->pair.end[side].fd == STDOUT_FILENO ||
		    run->pair.end[side].fd == STDERR_FILENO)
			return vhu_usage(command, "%s: a standard stream: pass another descriptor",
					 run->pair.end[side].path);
	}
	if (run->request.file && !strcmp(run->request.file, "-") && isatty(STDOUT_FILENO))
		return vhu_usage(command, "a capture is not for terminals: pipe it or name a file");
	return VHU_EXIT_DONE;
}

/* Begin what was asked for besides forwarding. Returns VHU_EXIT_DONE or VHU_EXIT_FAILED. */
static int open_sinks(const struct vhu_command *command, struct run *run, int argc, char **argv)
{
	char comment[1024] = "vhu";
	size_t length = strlen(comment);
	int error;

	for (int i = 0; i < argc && length < sizeof(comment); i++)
		length +=
		    (size_t)snprintf(comment + length, sizeof(comment) - length, " %s", argv[i]);
	if (run->request.file) {
		error = vhu_capture_open(&run->capture, &run->proxy, run->request.file,
					 run->request.snaplen, comment);
		if (error)
			return vhu_fail(command, "%s: cannot write a capture: %s",
					run->request.file, strerror(-error));
		vhu_sinks_add(&run->proxy.sinks, vhu_capture_take, &run->capture);
	}
	if (run->request.verbose) {
		run->sessions = vhu_sessions_new(false);
		if (!run->sessions)
			return vhu_fail(command, "out of memory");
		/* One write a line. */
		setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
		run->dump.to = stderr;
		vhu_sinks_add(&run->proxy.sinks, say_record, run);
	}
	return VHU_EXIT_DONE;
}

/* Write a number of things as people do. */
static const char *amount(char text[48], uint64_t number, const char *thing)
{
	snprintf(text, 48, "%" PRIu64 " %s%s", number, thing, number == 1 ? "" : "s");
	return text;
}

/* End what open_sinks began, and say what there was. */
static void summarize(const struct vhu_command *command, struct run *run)
{
	const struct vhu_proxy *proxy = &run->proxy;
	struct vhu_pcapng_counts counts;
	char sessions[48], messages[48], fds[48], lost[300] = "";

	if (run->request.file && run->capture.writer) {
		counts = vhu_capture_close(&run->capture);
		snprintf(lost, sizeof(lost), ", %" PRIu64 " lost; capture: %s", counts.lost,
			 run->capture.path);
	}
	vhu_sessions_free(run->sessions);
	if (!run->request.quiet)
		vhu_fail(command, "%s, %s, %s%s", amount(sessions, proxy->sessions, "session"),
			 amount(messages, proxy->messages, "message"),
			 amount(fds, proxy->fds, "descriptor"), lost);
}

/* Serve until the end. Returns the exit status. */
static int serve(const struct vhu_command *command, struct run *run, int argc, char **argv)
{
	char error[VHU_ENDPOINT_ERROR];
	int status, ret;

	if (vhu_pair_open(&run->pair, &run->proxy, error))
		return vhu_fail(command, "%s", error);
	status = open_sinks(command, run, argc, argv);
	if (status != VHU_EXIT_DONE) {
		vhu_pair_close(&run->pair, "");
		return status;
	}
	ret = vhu_pair_start(&run->pair, error);
	if (ret)
		status = vhu_fail(command, "%s", error);
	else
		ret = vhu_loop_run(&run->proxy.loop);
	if (ret && status == VHU_EXIT_DONE)
		status = vhu_fail(command, "cannot wait for events: %s", strerror(-ret));
	if (run->pair.failed && status == VHU_EXIT_DONE && run->pair.once)
		status = VHU_EXIT_FAILED;
	run->request.quiet |= ret != 0;
	vhu_pair_close(&run->pair, "the proxy was stopped");
	summarize(command, run);
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run_proxy(const struct vhu_command *command, int argc, char **argv)
{
	static struct run run;
	const char *argument;
	int key, status, error;

	hold_streams();
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &run, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	status = take_endpoints(command, &run, argc, argv);
	if (status != VHU_EXIT_DONE)
		return status;
	run.proxy.say = say;
	raise_limit();
	error = vhu_loop_start(&run.proxy.loop);
	if (!error)
		error = catch_signals(&run);
	if (error)
		return vhu_fail(command, "cannot wait for events: %s", strerror(-error));
	status = serve(command, &run, argc, argv);
	vhu_loop_end(&run.proxy.loop);
	close(signalled);
	return status;
}

const struct vhu_command vhu_command_proxy = {
    .name = "proxy",
    .arguments = "FRONT BACK",
    .summary = "stand between a front-end and a back-end, and record what they say",
    .about =
	"FRONT is where the front-end (the VMM) is met, BACK where the back-end is: listen:PATH,\n"
	"connect:PATH, or fd:N for an inherited socket. A path alone listens as FRONT, connects\n"
	"as BACK. Nothing that passes is ever changed.",
    .option = option,
    .example = example,
    .run = run_proxy,
};
