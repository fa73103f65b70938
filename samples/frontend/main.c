/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu-sample-frontend: drives a back-end without any virtual machine. */
#include <getopt.h>
#include <inttypes.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "lib/util/util.h"
#include "samples/common/clock.h"
#include "samples/frontend/frontend.h"

#define SECTOR      512
#define SIZE_MAX_   (1 << 20)
#define RING_MAX    32768
#define SECONDS_MAX 86400

enum {
	KEY_DEVICE = 256,
	KEY_REQUESTS,
	KEY_DURATION,
	KEY_DEPTH,
	KEY_QUEUES,
	KEY_RATE,
	KEY_BURST,
	KEY_SIZE,
	KEY_RING_SIZE,
	KEY_OPERATION,
	KEY_PACKED,
	KEY_EVENT_IDX,
	KEY_INDIRECT,
	KEY_IOMMU,
	KEY_POLL,
	KEY_IN_BAND,
	KEY_LOG,
	KEY_RECONNECT,
	KEY_DIALECT,
	KEY_WITHOUT,
	KEY_TIMEOUT,
	KEY_JSON,
};

static const struct vhu_option option[] = {
    {KEY_DEVICE, "device", "KIND", "the device: rng or blk (default: ask the back-end)"},
    {KEY_REQUESTS, "requests", "N", "number of requests (1000; with --duration no limit)"},
    {KEY_DURATION, "duration", "TIME", "begin no request after TIME, as 10s"},
    {KEY_DEPTH, "depth", "N", "requests in flight on each vring (1)"},
    {KEY_QUEUES, "queues", "N", "number of vrings (1)"},
    {KEY_RATE, "rate", "N", "requests per second over all vrings (default: no limit)"},
    {KEY_BURST, "burst", "N", "with --rate: begin N requests at once, then rest (1)"},
    {KEY_SIZE, "size", "BYTES", "data of each request (4096)"},
    {KEY_RING_SIZE, "ring-size", "N", "descriptors of each vring (128)"},
    {KEY_OPERATION, "operation", "WHAT",
     "blk: verify (write, read back, compare; the default), read or write"},
    {KEY_PACKED, "packed", NULL, "use packed vrings"},
    {KEY_EVENT_IDX, "event-idx", NULL, "use event indexes"},
    {KEY_INDIRECT, "indirect", NULL, "use indirect descriptors"},
    {KEY_IOMMU, "iommu", NULL, "use addresses of a virtual IOMMU (ACCESS_PLATFORM)"},
    {KEY_POLL, "poll", NULL, "no kicks and calls: both sides poll"},
    {KEY_IN_BAND, "in-band", NULL, "kick and call by messages"},
    {KEY_LOG, "log", NULL, "ask for a log of writes, as in a migration, and check the log"},
    {KEY_RECONNECT, "reconnect", NULL, "if the back-end closes, connect again and go on"},
    {KEY_DIALECT, "dialect", "NAME", "meaning of bit 18 and id 41: standalone, probe or upstream"},
    {KEY_WITHOUT, "without", "FEATURE", "do not ack FEATURE, as STATUS; may be repeated"},
    {KEY_TIMEOUT, "timeout", "TIME", "give up if nothing completes for TIME (5s)"},
    {KEY_JSON, "json", NULL, "print the report as JSON"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu-sample-frontend /tmp/rng.sock", "ask the back-end for its device, and drive it"},
    {"vhu-sample-frontend --device blk --queues 2 --depth 16 --duration 10s d.sock",
     "load a disk, such as qemu-storage-daemon's, with writes that are read back"},
    {"vhu-sample-frontend --device blk --reconnect --requests 100000 disk.sock",
     "see that nothing is lost when the back-end is killed and started again"},
    {0},
};

static int run(const struct vhu_command *command, int argc, char **argv);

static const struct vhu_command command_frontend = {
    .name = "vhu-sample-frontend",
    .alone = true,
    .arguments = "SOCKET",
    .summary = "drive a vhost-user back-end without a virtual machine",
    .about = "Connects to SOCKET, negotiates, shares memory, sets up vrings and does requests.\n"
	     "A disk's data is overwritten, unless --operation read is given.",
    .option = option,
    .example = example,
    .run = run,
};

/* Numbers that are taken, by the option's key. */
struct number {
	int key;
	uint64_t least, most;
	const char *what;
};

static const struct number numbers[] = {
    {KEY_REQUESTS, 1, UINT64_MAX / 2, "a number of requests"},
    {KEY_DEPTH, 1, VHU_DEPTH_MAX, "a depth"},
    {KEY_QUEUES, 1, VHU_QUEUES_MAX, "a number of vrings"},
    {KEY_RATE, 1, 1000000000, "a rate"},
    {KEY_BURST, 1, 1000000000, "a number of requests"},
    {KEY_SIZE, 1, SIZE_MAX_, "a size"},
    {KEY_RING_SIZE, 1, RING_MAX, "a size of a vring"},
    {0},
};

/* Take a number. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take_number(const struct vhu_command *command, struct vhu_frontend_options *options,
		       const struct number *row, const char *argument)
{
	uint64_t number;

	if (vhu_number_parse(argument, row->least, row->most, &number))
		return vhu_usage(command, "%s: not %s from %" PRIu64 " to %" PRIu64, argument,
				 row->what, row->least, row->most);
	switch (row->key) {
	case KEY_REQUESTS:
		options->requests = number;
		break;
	case KEY_DEPTH:
		options->depth = (unsigned)number;
		break;
	case KEY_QUEUES:
		options->queues = (unsigned)number;
		break;
	case KEY_RATE:
		options->rate = number;
		break;
	case KEY_BURST:
		options->burst = number;
		break;
	case KEY_SIZE:
		options->size = (uint32_t)number;
		break;
	case KEY_RING_SIZE:
		options->ring_size = (uint32_t)number;
		break;
	}
	return VHU_EXIT_DONE;
}

/* Take an option that is only there or not. Returns whether it is one. */
static bool take_switch(struct vhu_frontend_options *options, int key)
{
	bool *const switches[] = {
	    [KEY_PACKED - KEY_DEVICE] = &options->packed,
	    [KEY_EVENT_IDX - KEY_DEVICE] = &options->event_idx,
	    [KEY_INDIRECT - KEY_DEVICE] = &options->indirect,
	    [KEY_IOMMU - KEY_DEVICE] = &options->iommu,
	    [KEY_POLL - KEY_DEVICE] = &options->poll,
	    [KEY_IN_BAND - KEY_DEVICE] = &options->in_band,
	    [KEY_LOG - KEY_DEVICE] = &options->log,
	    [KEY_RECONNECT - KEY_DEVICE] = &options->reconnect,
	    [KEY_JSON - KEY_DEVICE] = &options->json,
	};

	if (!switches[key - KEY_DEVICE])
		return false;
	*switches[key - KEY_DEVICE] = true;
	return true;
}

/* Find which of a few words an argument is. Returns its number, or -1. */
static int word(const char *argument, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], argument))
			return i;
	return -1;
}

/* Take an option with a name or a time. Returns as take_number. */
static int take_name(const struct vhu_command *command, struct vhu_frontend_options *options,
		     int key, const char *argument)
{
	static const char *const devices[] = {"rng", "blk", NULL};
	static const uint32_t ids[] = {VIRTIO_ID_RNG, VIRTIO_ID_BLOCK};
	static const char *const operations[] = {"verify", "read", "write", NULL};
	int which;

	switch (key) {
	case KEY_DEVICE:
		which = word(argument, devices);
		if (which < 0)
			return vhu_usage(command, "%s: not rng or blk", argument);
		options->device = ids[which];
		break;
	case KEY_OPERATION:
		which = word(argument, operations);
		if (which < 0)
			return vhu_usage(command, "%s: not verify, read or write", argument);
		options->operation = (enum vhu_operation)which;
		break;
	case KEY_DIALECT:
		options->dialect = vhu_names_dialect(argument);
		if (options->dialect == VHU_ANY)
			return vhu_usage(command, "%s: not standalone, probe or upstream",
					 argument);
		break;
	case KEY_WITHOUT:
		if (!vhu_names_feature(argument, &options->without))
			return vhu_usage(command, "%s: no such feature", argument);
		break;
	default:
		if (vhu_clock_parse(argument,
				    key == KEY_TIMEOUT ? &options->timeout : &options->duration))
			return vhu_usage(command, "%s: not a time such as 5s or 500ms", argument);
	}
	return VHU_EXIT_DONE;
}

/* Take one option. Returns as take_number. */
static int take_option(const struct vhu_command *command, struct vhu_frontend_options *options,
		       int key, const char *argument)
{
	for (const struct number *row = numbers; row->key; row++)
		if (row->key == key)
			return take_number(command, options, row, argument);
	if (take_switch(options, key))
		return VHU_EXIT_DONE;
	return take_name(command, options, key, argument);
}

/* Hold what is wanted against itself. Returns as take_number. */
static int check_options(const struct vhu_command *command, struct vhu_frontend_options *options,
			 int argc, char **argv)
{
	unsigned descriptors = options->indirect ? 1 : VHU_VRING_PARTS;

	if (argc - optind != 1)
		return vhu_usage(command,
				 argc == optind ? "which SOCKET?" : "one SOCKET at a time");
	options->path = argv[optind];
	if (options->poll && options->in_band)
		return vhu_usage(command, "--poll and --in-band: one of them");
	if (options->burst > 1 && !options->rate)
		return vhu_usage(command, "--burst wants --rate");
	if (options->depth * descriptors > options->ring_size)
		return vhu_usage(command,
				 "a vring of %" PRIu32 " has no room for %u requests of %u",
				 options->ring_size, options->depth, descriptors);
	if (!options->packed && options->ring_size & (options->ring_size - 1))
		return vhu_usage(command,
				 "%" PRIu32 ": the size of a split vring is a power of two",
				 options->ring_size);
	if (options->device == VIRTIO_ID_BLOCK && options->size % SECTOR)
		return vhu_usage(command, "%" PRIu32 ": a disk's requests are multiples of %d",
				 options->size, SECTOR);
	if (options->requests == 0 && options->duration == VHU_CLOCK_NEVER)
		options->requests = 1000;
	return VHU_EXIT_DONE;
}

/* Do all of it. Returns the exit status. */
static int drive(struct vhu_frontend *frontend)
{
	int error = vhu_connect(frontend, 0);

	if (!error)
		error = vhu_session_begin(frontend);
	if (!error)
		error = vhu_load(frontend);
	if (!error)
		error = vhu_session_end(frontend);
	if (!error && frontend->options.log)
		error = vhu_dirty_check(frontend);
	if (!error)
		vhu_report(frontend);
	vhu_disconnect(frontend);
	vhu_setup_end(frontend);
	return error ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Run the program. Returns the exit status. */
static int run(const struct vhu_command *command, int argc, char **argv)
{
	static struct vhu_frontend frontend = {
	    .socket = -1,
	    .back_channel = -1,
	    .inflight = -1,
	    .log_fd = -1,
	    .options = {.dialect = VHU_STANDALONE,
			.queues = 1,
			.depth = 1,
			.burst = 1,
			.ring_size = 128,
			.size = 4096,
			.duration = VHU_CLOCK_NEVER,
			.timeout = 5 * VHU_NS_PER_S},
	};
	const char *argument;
	int key, status;

	frontend.command = command;
	frontend.run = vhu_now_ns();
	while ((key = vhu_options_next(command, argc, argv, &argument)) >= 0) {
		status = take_option(command, &frontend.options, key, argument);
		if (status != VHU_EXIT_DONE)
			return status;
	}
	if (key != VHU_OPTIONS_END)
		return key == VHU_OPTIONS_HELP ? VHU_EXIT_DONE : VHU_EXIT_USAGE;
	status = check_options(command, &frontend.options, argc, argv);
	return status == VHU_EXIT_DONE ? drive(&frontend) : status;
}

int main(int argc, char **argv)
{
	return run(&command_frontend, argc, argv);
}
