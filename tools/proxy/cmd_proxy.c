/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu proxy: stands between a front-end and a back-end, and records what they say. */
#include <fcntl.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/proxy/request/read.h"
#include "tools/proxy/run/run.h"

static const struct vhu_option option[] = {
    {'w', "write", "FILE", "record all messages in FILE; - is standard output"},
    {'b', "ring-buffer", "WHAT:N",
     "write a series of files: filesize:KB, duration:SECONDS, interval:SECONDS, packets:N, "
     "files:N"},
    {VHU_PROXY_FLIGHT_RECORDER, "flight-recorder", "[=SIZE]",
     "keep the latest SIZE (16M) of records in memory; write them when a session ends badly and on "
     "SIGUSR2"},
    {VHU_PROXY_MAX_DISK, "max-disk", "SIZE",
     "delete the oldest files so that all files together stay below SIZE, as 10G"},
    {VHU_PROXY_END_WITH_READER, "end-with-reader", NULL,
     "end when the reader of the pipe at -w has closed it"},
    {'v', "verbose", NULL, "print each message on standard error"},
    {'q', "quiet", NULL, "print no summary at the end"},
    {'s', "snaplen", "N", "keep at most N bytes of each packet"},
    {VHU_PROXY_WITH_KEYS, "with-keys", NULL, "record key material, which is masked otherwise"},
    {VHU_PROXY_PAIR, "pair", "FRONT=BACK", "serve this pair too; may be repeated"},
    {VHU_PROXY_RETRY, "retry", "[=TIME]",
     "retry a refused connection until TIME expires, or for ever"},
    {VHU_PROXY_ONE, "one", NULL, "serve one session at a time; other peers wait"},
    {VHU_PROXY_MODE, "mode", "MODE", "mode of the sockets that the proxy creates, as 0660"},
    {VHU_PROXY_OWNER, "owner", "USER[:GROUP]", "owner of the sockets that the proxy creates"},
    {VHU_PROXY_AS_FRONT, "as-front", NULL, "COMMAND is the front-end, not the back-end"},
    {VHU_PROXY_INTERPOSE, "interpose-eventfds", "[=SPEC]",
     "relay kicks and calls too: all, or vring=0,session=2,call"},
    {VHU_PROXY_RECORD_KICKS, "record-kicks", NULL,
     "record each kick and call that the proxy relays"},
    {VHU_PROXY_FAULT, "fault", "FAULT",
     "change what passes: 'front SET_VRING_KICK nth=3: delay 50ms'; may be repeated"},
    {VHU_PROXY_FAULTS, "faults", "FILE", "read faults from FILE, one a line"},
    {VHU_PROXY_FAULT, "rule", "FAULT", NULL},
    {VHU_PROXY_FAULTS, "rules", "FILE", NULL},
    {VHU_PROXY_SEED, "seed", "N", "repeat the random choices of the run with seed N"},
    {VHU_PROXY_MASK, "mask", "WHAT", "hide protocol:NAME, virtio:NAME, config:OFFSET=BYTE,..."},
    {VHU_PROXY_STALL, "stall", "TIME",
     "report and record what stalls for TIME: a request without a reply, a vring"},
    {VHU_PROXY_ON_STALL, "on-stall", "COMMAND", "run COMMAND once for each stall"},
    {VHU_PROXY_SNAPSHOT_AT_END, "snapshot-at-end", NULL,
     "record the state of the vrings when a session ends"},
    {VHU_PROXY_CONFIG, "config", "FILE", "read options from FILE, one a line, without dashes"},
    {VHU_PROXY_RELOAD_FOLDER, "reload-folder", "FOLDER",
     "let SIGHUP add pairs whose sockets are below FOLDER"},
    {VHU_PROXY_CHECK_CONFIG, "check-config", NULL,
     "check the options and the configuration file, then exit"},
    {VHU_PROXY_CONTROL, "control", "SOCKET",
     "listen for vhu ctl at SOCKET; - is the default place"},
    {VHU_PROXY_FINDINGS, "findings", NULL,
     "check what passes by the rules of vhu check, and count the findings"},
    {VHU_PROXY_NO_SANDBOX, "no-sandbox", NULL, "do not restrict system calls and files"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu proxy -w vm.pcapng /run/vm.sock /run/disk.sock",
     "the front-end connects to vm.sock, the back-end listens at disk.sock"},
    {"vhu proxy -v connect:/run/vm.sock listen:/run/disk.sock",
     "the reverse: the VMM listens, the back-end connects"},
    {"vhu proxy -w - vm.sock disk.sock | vhu dump -v -",
     "show all fields of each message as it passes"},
    {"vhu proxy --pair vm1.sock=disk1.sock --pair vm2.sock=disk2.sock -w host.pcapng",
     "serve two pairs and write one capture"},
    {"vhu proxy -w vm.pcapng vm.sock -- virtiofsd --socket-path={} --shared-dir=/srv",
     "start the back-end too, and exit when it exits"},
    {"vhu proxy -w vm.pcapng -b filesize:10000 -b files:20 vm.sock disk.sock",
     "keep the latest 200 MB, in files that can each be read alone"},
    {"vhu proxy -w crash.pcapng --flight-recorder -b files:20 vm.sock disk.sock",
     "write nothing until a session ends badly, then its records"},
    {"vhu proxy -w vm.pcapng --stall 5s vm.sock disk.sock",
     "report why a vring hangs, and record its state"},
    {"vhu proxy --control /run/vhu.sock vm.sock disk.sock",
     "let vhu ctl show the sessions and change what passes"},
    {"vhu proxy --interpose-eventfds=vring=0 vm.sock disk.sock",
     "count and time the kicks and calls of vring 0"},
    {"vhu proxy -w vm.pcapng --mask protocol:STATUS vm.sock disk.sock",
     "hide a feature: does the device work without it?"},
    {"vhu proxy -w vm.pcapng --fault 'back GET_CONFIG nth=2: drop' vm.sock disk.sock",
     "does the front-end survive a lost reply?"},
    {0},
};

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

/* Run the sub-command. Returns the exit status. */
static int run_proxy(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_proxy_request request = {0};
	char error[VHU_REQUEST_ERROR];
	int status;

	hold_streams();
	status = vhu_proxy_request_read(command, &request, argc, argv, error);
	if (status == VHU_EXIT_USAGE && *error)
		vhu_usage(command, "%s", error);
	if (status == VHU_EXIT_DONE)
		status = vhu_proxy_run(command, &request, argc, argv);
	vhu_proxy_request_free(&request);
	return status == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : status;
}

const struct vhu_command vhu_command_proxy = {
    .name = "proxy",
    .arguments = "FRONT BACK\n[--pair FRONT=BACK ...] [--config FILE]\nFRONT [BACK] -- COMMAND ...",
    .summary = "stand between a front-end and a back-end, and record their messages",
    .about = "FRONT is the socket for the front-end (the VMM), BACK the socket for the back-end: "
	     "listen:PATH, connect:PATH, or fd:N for an inherited socket. A PATH alone listens as "
	     "FRONT and connects as BACK. The proxy changes nothing that passes unless a fault or "
	     "a mask says so.\n"
	     "COMMAND is started as the back-end and may replace BACK. In its arguments {} stands "
	     "for the path of its socket, {fd} for an inherited connected socket, {listen-fd} for "
	     "an inherited listening socket.",
    .option = option,
    .example = example,
    .run = run_proxy,
};
