/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu-sample-backend: a whole virtio device, to be looked at, copied from and tried things with.
 *
 * Its command line keeps to "Backend program conventions" of the specification: --socket-path, --fd
 * and --print-capabilities, and it ends on SIGTERM.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/json.h"
#include "samples/backend/backend.h"
#include "samples/backend/listen.h"
#include "samples/backend/serve.h"
#include "samples/common/clock.h"
#include "samples/common/names.h"

/* What is offered if nothing is turned off, besides what the device adds. */
#define BIT(feature) (UINT64_C(1) << (feature))
static const uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) |
				 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) |
				 BIT(VHU_F_LOG_ALL) | BIT(VHU_F_PROTOCOL_FEATURES);
static const uint64_t protocol_features =
    BIT(VHU_PF_MQ) | BIT(VHU_PF_LOG_SHMFD) | BIT(VHU_PF_REPLY_ACK) | BIT(VHU_PF_BACKEND_REQ) |
    BIT(VHU_PF_CONFIG) | BIT(VHU_PF_INFLIGHT_SHMFD) | BIT(VHU_PF_RESET_DEVICE) |
    BIT(VHU_PF_INBAND_NOTIFICATIONS) | BIT(VHU_PF_CONFIGURE_MEM_SLOTS) | BIT(VHU_PF_STATUS);

#define DEFAULT_QUEUES 4
#define DEFAULT_MEMORY (64 << 20)

enum {
	KEY_DEVICE = 256,
	KEY_SOCKET,
	KEY_FD,
	KEY_CAPABILITIES,
	KEY_FILE,
	KEY_READ_ONLY,
	KEY_MEMORY,
	KEY_QUEUES,
	KEY_DIALECT,
	KEY_WITHOUT,
	KEY_OFFER,
	KEY_DELAY,
	KEY_FAULT,
	KEY_FAULTS,
};

static const struct vhu_option option[] = {
    {KEY_DEVICE, "device", "KIND", "the device: rng (entropy, the default) or blk (a disk)"},
    {KEY_SOCKET, "socket-path", "PATH", "listen at PATH"},
    {KEY_FD, "fd", "N", "use an inherited socket, listening or connected"},
    {KEY_CAPABILITIES, "print-capabilities", NULL, "print as JSON what the back-end is, then exit"},
    {KEY_FILE, "blk-file", "FILE", "blk: the contents of the disk (default: zeroed memory)"},
    {KEY_READ_ONLY, "read-only", NULL, "blk: refuse writes"},
    {KEY_MEMORY, "memory", "MIB", "blk without a file: size of the disk (64)"},
    {KEY_QUEUES, "queues", "N", "blk: number of vrings (4)"},
    {KEY_DIALECT, "dialect", "NAME",
     "meaning of bit 18 and ids 41 to 43: standalone, probe or upstream"},
    {KEY_WITHOUT, "without", "FEATURE",
     "do not offer FEATURE, as STATUS or RING_PACKED; may be repeated"},
    {KEY_OFFER, "offer", "FEATURE",
     "offer FEATURE without the features it depends on; may be repeated"},
    {KEY_DELAY, "delay", "TIME", "complete each request TIME after it was taken, as 2ms"},
    {KEY_FAULT, "fault", "FAULT", "do something wrong, as drop-reply:GET_CONFIG; may be repeated"},
    {KEY_FAULTS, "faults", NULL, "list the faults, then exit"},
    {'v', "verbose", NULL,
     "report when front-ends connect and close, and which requests are done again"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu-sample-backend --socket-path=/tmp/rng.sock", "an entropy device"},
    {"vhu-sample-backend --device blk --blk-file=disk.img --socket-path=disk.sock",
     "a disk, for QEMU's vhost-user-blk-pci or vhu-sample-frontend"},
    {"vhu-sample-backend --fault late-reply:GET_FEATURES:3s --socket-path=slow.sock",
     "test front-ends with a slow back-end"},
    {0},
};

/* What was asked for. */
struct request {
	bool blk, capabilities, faults;
	const char *path; /* NULL: none */
	int fd;           /* -1: none */
	struct vhu_feature_sets without, offer;
	struct vhu_device_blk_options disk;
};

static int run(const struct vhu_command *command, int argc, char **argv);

static const struct vhu_command command_backend = {
    .name = "vhu-sample-backend",
    .alone = true,
    .arguments = "",
    .summary = "be a virtio device behind a vhost-user socket",
    .about = "The device is entropy or a disk. It serves one front-end at a time. On SIGHUP it "
	     "reads the size of its disk again.",
    .option = option,
    .example = example,
    .run = run,
};

/* Take a number. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_number(const struct vhu_command *command, const char *argument, const char *what,
		       uint64_t least, uint64_t most, uint64_t *number)
{
	if (vhu_number_parse(argument, least, most, number))
		return vhu_usage(command, "%s: not %s from %" PRIu64 " to %" PRIu64, argument, what,
				 least, most);
	return VHU_EXIT_DONE;
}

/* Take an option about the disk. Returns as take_option. */
static int take_disk_option(const struct vhu_command *command, struct request *request, int key,
			    const char *argument)
{
	int status = VHU_EXIT_DONE;
	uint64_t number = 0;

	switch (key) {
	case KEY_FILE:
		request->disk.file = argument;
		break;
	case KEY_READ_ONLY:
		request->disk.read_only = true;
		break;
	case KEY_MEMORY:
		status = take_number(command, argument, "a size in MiB", 1, 1 << 20, &number);
		request->disk.memory_size = number << 20;
		break;
	case KEY_QUEUES:
		status = take_number(command, argument, "a number of vrings", 1, VHU_VRINGS_MAX,
				     &number);
		request->disk.queues = (unsigned)number;
		break;
	}
	return status;
}

/* Take an option about what the back-end is like. Returns as take_option. */
static int take_nature_option(const struct vhu_command *command, struct vhu_backend *backend,
			      struct request *request, int key, const char *argument)
{
	const char *wrong;

	switch (key) {
	case KEY_DIALECT:
		backend->dialect = vhu_names_dialect(argument);
		if (backend->dialect == VHU_ANY)
			return vhu_usage(command, "%s: not standalone, probe or upstream",
					 argument);
		break;
	case KEY_WITHOUT:
		if (!vhu_names_feature(argument, &request->without))
			return vhu_usage(command, "%s: no such feature", argument);
		break;
	case KEY_OFFER:
		if (!vhu_names_feature(argument, &request->offer))
			return vhu_usage(command, "%s: no such feature", argument);
		break;
	case KEY_DELAY:
		if (vhu_clock_parse(argument, &backend->delay))
			return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
		break;
	case KEY_FAULT:
		wrong = vhu_defects_add(&backend->defects, argument);
		if (wrong)
			return vhu_usage(command, "%s: %s", argument, wrong);
		break;
	case KEY_FAULTS:
		request->faults = true;
		break;
	case 'v':
		backend->verbose = true;
		break;
	default:
		return take_disk_option(command, request, key, argument);
	}
	return VHU_EXIT_DONE;
}

/* Take one option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_option(const struct vhu_command *command, struct vhu_backend *backend,
		       struct request *request, int key, const char *argument)
{
	int status = VHU_EXIT_DONE;
	uint64_t number = 0;

	switch (key) {
	case KEY_DEVICE:
		request->blk = !strcmp(argument, "blk");
		if (!request->blk && strcmp(argument, "rng"))
			status = vhu_usage(command, "%s: not rng or blk", argument);
		break;
	case KEY_SOCKET:
		request->path = argument;
		break;
	case KEY_FD:
		status = take_number(command, argument, "a descriptor", 0, INT_MAX, &number);
		request->fd = (int)number;
		break;
	case KEY_CAPABILITIES:
		request->capabilities = true;
		break;
	default:
		status = take_nature_option(command, backend, request, key, argument);
	}
	return status;
}

/* Print the back-end's capabilities in the form of QEMU's vhost-user.json. Returns the exit status.
 */
static int print_capabilities(const struct request *request)
{
	struct vhu_json json = {.to = stdout};

	vhu_json_object(&json, NULL);
	vhu_json_string(&json, "type", request->blk ? "block" : "rng");
	vhu_json_array(&json, "features");
	if (request->blk) {
		vhu_json_string(&json, NULL, "read-only");
		vhu_json_string(&json, NULL, "blk-file");
	}
	vhu_json_array_end(&json);
	vhu_json_object_end(&json);
	putchar('\n');
	return VHU_EXIT_DONE;
}

/*
 * Do not offer what depends on something that is not offered: some front-ends take whatever there
 * is. A standalone device with a configuration space must be able to tell it.
 */
static void leave_out_dependents(struct vhu_backend *backend)
{
	uint64_t offered = backend->protocol_features;

	if (backend->dialect == VHU_STANDALONE && backend->device->config_size > 0 &&
	    !(offered & BIT(VHU_PF_CONFIG)))
		offered &= ~BIT(VHU_PF_STANDALONE);
	for (unsigned bit = 0; bit < 64; bit++)
		if (vhu_protocol_feature_depends(bit, backend->dialect) & ~offered)
			offered &= ~BIT(bit);
	backend->protocol_features = offered;
}

/* Open the device, and settle what is offered. Returns VHU_EXIT_DONE or another, with why said. */
static int open_device(struct vhu_backend *backend, const struct request *request)
{
	const struct vhu_device_blk_options *disk = &request->disk;
	int error;

	if (!request->blk) {
		backend->device = vhu_device_rng();
	} else {
		error = vhu_device_blk(disk, &backend->device);
		if (error)
			return vhu_fail(backend->command, "%s: cannot be used as a disk: %s",
					disk->file ? disk->file : "memory", strerror(-error));
	}
	backend->features = (features | backend->device->features) & ~request->without.virtio;
	backend->protocol_features = protocol_features;
	if (backend->dialect == VHU_STANDALONE)
		backend->protocol_features |= BIT(VHU_PF_STANDALONE);
	if (backend->dialect == VHU_PROBE)
		backend->protocol_features |= BIT(VHU_PF_PROBE);
	if (backend->device->config_size == 0)
		backend->protocol_features &= ~BIT(VHU_PF_CONFIG);
	backend->protocol_features &= ~request->without.protocol;
	leave_out_dependents(backend);
	backend->features |= request->offer.virtio;
	backend->protocol_features |= request->offer.protocol;
	return VHU_EXIT_DONE;
}

/* Serve on the socket that was asked for. Returns the exit status. */
static int serve(struct vhu_backend *backend, const struct request *request)
{
	struct vhu_listener listener;
	int status, listens, error;

	if (!request->path) {
		listens = vhu_listen_inherited(request->fd);
		if (listens < 0)
			return vhu_usage(backend->command, "%d: not a local socket", request->fd);
		return vhu_serve(backend, listens ? request->fd : -1, listens ? -1 : request->fd);
	}
	error = vhu_listen(&listener, request->path);
	if (error)
		return vhu_fail(backend->command, "%s: cannot listen: %s", request->path,
				strerror(-error));
	status = vhu_serve(backend, listener.fd, -1);
	vhu_listen_end(&listener);
	return status;
}

/* Run the program. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	static struct vhu_backend backend = {.socket = -1, .dialect = VHU_STANDALONE};
	struct request request = {
	    .fd = -1,
	    .disk = {.queues = DEFAULT_QUEUES, .memory_size = DEFAULT_MEMORY},
	};
	const char *argument;
	int key, status;

	backend.command = command;
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &backend, &request, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	if (request.capabilities)
		return print_capabilities(&request);
	if (request.faults) {
		vhu_defects_list();
		return VHU_EXIT_DONE;
	}
	if (!request.path == (request.fd < 0))
		return vhu_usage(command, "which socket: --socket-path or --fd?");
	status = open_device(&backend, &request);
	if (status != VHU_EXIT_DONE)
		return status;
	vhu_memory_guard();
	status = serve(&backend, &request);
	backend.device->close(backend.device);
	return status;
}

int main(int argc, char **argv)
{
	return run(&command_backend, argc, argv);
}
