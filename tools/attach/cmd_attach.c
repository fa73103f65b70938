/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu attach: records sessions that already run, without a proxy. */
#include <getopt.h>

#include "tools/attach/run.h"
#include "tools/commands.h"

static const struct vhu_example example[] = {
    {"vhu attach --list", "list the sessions of this host"},
    {"vhu attach --socket /run/disk.sock -w vm.pcapng",
     "record the sessions of the back-end that listens there, also later ones"},
    {"vhu attach -p $(pidof qemu-system-x86_64)",
     "show the messages of a virtual machine from now on"},
    {"vhu attach -p PID --qmp vm.qmp --refresh -w vm.pcapng",
     "stop the virtual machine for some ms, so that QEMU sets up its vrings again"},
    {"vhu attach --all -w - | wireshark -k -i -", "watch every session of this host in Wireshark"},
    {"vhu attach --all -w crash.pcapng --flight-recorder",
     "write nothing until a session ends badly"},
    {0},
};

/* Run the sub-command. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_attach_request request = {.hooks = -1};
	const char *argument;
	int key, status;

	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = vhu_attach_request_take(command, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (optind < argc)
		return vhu_usage(command, "%s: sessions are named by --socket, --pid or --all",
				 argv[optind]);
	status = vhu_attach_request_check(command, &request);
	if (status != VHU_EXIT_DONE)
		return status;
	if (request.list)
		return vhu_attach_list_run(command, &request);
	return vhu_attach_run(command, &request, argc, argv);
}

const struct vhu_command vhu_command_attach = {
    .name = "attach",
    .arguments = "",
    .summary = "record running sessions without a proxy",
    .about = "Watches vhost-user sockets with BPF: each message and its descriptors, in both "
	     "directions. Changes nothing. Records a session that is already open from its next "
	     "message on. Needs CAP_BPF and CAP_PERFMON. Ctrl-C ends it and completes the capture.",
    .option = vhu_attach_option,
    .example = example,
    .run = run,
};
