/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu latency: tells what a kick, a wake and a call cost, vring by vring, on the live data path. */
#include <getopt.h>

#include "lib/util/util.h"
#include "tools/commands.h"
#include "tools/latency/run/run.h"

static const struct vhu_example example[] = {
    {"vhu latency -f -r vm.pcapng", "watch the vrings of a session that vhu proxy records"},
    {"vhu latency --socket /run/disk.sock",
     "watch the vrings of a back-end without a proxy, also after it restarts"},
    {"vhu latency -p $(pidof qemu-storage-daemon)",
     "watch the vrings of a back-end, recognised by their traffic"},
    {"vhu latency -r vm.pcapng -f --slower-than 500us -w slow.pcapng",
     "report slow requests and write them; mergecap puts them among the messages"},
    {"vhu latency -r vm.pcapng --stall 5s -w hang.pcapng",
     "report why a vring hangs as soon as it does, and write its state"},
    {"vhu latency --socket disk.sock --interval 15 --metrics DIR/disk.prom",
     "count for Prometheus's node-exporter, which reads the files in DIR"},
    {0},
};

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	static struct vhu_latency_request request;
	const char *argument;
	int key, status;

	request = (struct vhu_latency_request){.hooks = -1, .interval_ns = VHU_NS_PER_S};
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = vhu_latency_request_take(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (optind < argc)
		return vhu_usage(command, "%s: unexpected argument", argv[optind]);
	status = vhu_latency_request_check(command, &request);
	if (status != VHU_EXIT_DONE)
		return status;
	return vhu_latency_run(command, &request);
}

const struct vhu_command vhu_command_latency = {
    .name = "latency",
    .arguments = "",
    .summary = "measure kick, wake and call on each vring",
    .about =
	"Watches the eventfds of vrings with BPF: the time from the front-end's kick until the "
	"back-end reads it, the time until the back-end calls, and what was lost on the way. "
	"Needs CAP_BPF and CAP_PERFMON, and CAP_SYS_PTRACE for other users' processes. Ctrl-C "
	"prints a summary.",
    .option = vhu_latency_option,
    .example = example,
    .run = run,
};
