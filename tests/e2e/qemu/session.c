/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole vhost-user session of a real QEMU, without a guest: a block device is found, set up,
 * written, read back, compared, reset.
 *
 *   qemu_session [--front PATH] [--back PATH] [--via VHU] [--capture FILE] [--strace FILE]
 *                [--queues N] [--rounds N] [--timeout SECONDS] [--chardev WORDS]
 *                [--reconnect] [--until FILE] [--device blk|fs|rng|net] [--query]
 *
 * Without options QEMU talks to a qemu-storage-daemon directly, over sockets in a folder of their
 * own. --via VHU puts `VHU proxy` between them, with --capture FILE as its -w. --front and --back
 * say where QEMU connects and where the storage daemon listens. --front alone starts no storage
 * daemon: a back-end listens there already. Both without --via: somebody else joins the two.
 * --chardev WORDS are more of QEMU's options of its socket, as server=on,wait=off. With --reconnect
 * QEMU connects again every second if the back-end goes. --strace FILE keeps what QEMU's system
 * calls on sockets moved. A round is one set-up and one reset of the device, and between them
 * --turns times a page that is written and read on each vring; there is one connection, unless QEMU
 * connects again.
 *
 * --query asks QEMU's monitor in each round where vring 0 is, and then waits for two seconds;
 * vhost-user has no other message for that than the one that stops the vring.
 *
 * --device is for --front alone: a device of another type is found, set up, asked for bytes (rng),
 * and reset.
 *
 * Exits with 0, with 77 when a program is not there, else with 1 and every party's log on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/e2e/qemu/driver/machine.h"
#include "tests/e2e/qemu/driver/mmio.h"
#include "tests/e2e/qemu/driver/qmp.h"
#include "tests/e2e/qemu/driver/qtest.h"

#define DISK_SIZE (16 << 20)
#define SECTOR    512

struct session_options {
	const char *front, *back, *via, *capture, *strace, *chardev, *until, *device;
	bool reconnect, query;
	unsigned int queues, rounds, timeout;
};

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: qemu_session [--front PATH] [--back PATH] [--via VHU] "
			"[--capture FILE] [--strace FILE]\n"
			"                    [--queues N] [--rounds N] [--timeout SECONDS] "
			"[--chardev WORDS] [--reconnect]\n"
			"                    [--until FILE] [--device blk|fs|rng|net] [--query]\n");
	exit(2);
}

/* Return the number in @text, from 1 to @max; end the program if it is not one. */
static unsigned int number(const char *text, unsigned int max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 1 || value > max)
		usage();
	return (unsigned int)value;
}

/* Read the command line. */
static struct session_options parse(int argc, char **argv)
{
	static const struct option known[] = {
	    {"front", required_argument, NULL, 'f'},   {"back", required_argument, NULL, 'b'},
	    {"via", required_argument, NULL, 'v'},     {"capture", required_argument, NULL, 'w'},
	    {"strace", required_argument, NULL, 's'},  {"queues", required_argument, NULL, 'q'},
	    {"rounds", required_argument, NULL, 'r'},  {"timeout", required_argument, NULL, 't'},
	    {"chardev", required_argument, NULL, 'c'}, {"query", no_argument, NULL, 'y'},
	    {"until", required_argument, NULL, 'u'},   {"device", required_argument, NULL, 'd'},
	    {"reconnect", no_argument, NULL, 'n'},     {0},
	};
	struct session_options options = {.queues = 2, .rounds = 1, .timeout = 60};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'f':
			options.front = optarg;
			break;
		case 'b':
			options.back = optarg;
			break;
		case 'v':
			options.via = optarg;
			break;
		case 'w':
			options.capture = optarg;
			break;
		case 's':
			options.strace = optarg;
			break;
		case 'c':
			options.chardev = optarg;
			break;
		case 'd':
			options.device = optarg;
			break;
		case 'n':
			options.reconnect = true;
			break;
		case 'u':
			options.until = optarg;
			break;
		case 'y':
			options.query = true;
			break;
		case 'q':
			options.queues = number(optarg, QEMU_MMIO_QUEUES_MAX);
			break;
		case 'r':
			options.rounds = number(optarg, 1000000);
			break;
		case 't':
			options.timeout = number(optarg, 3600);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || (options.capture != NULL && options.via == NULL))
		usage();
	return options;
}

/* Start a storage daemon that exports a fresh disk on the socket @path. */
static void start_back_end(struct qemu_stage *stage, const struct session_options *options,
			   const char *path)
{
	struct qemu_command command = {.words = 0};
	char *disk = qemu_stage_path(stage, "disk.img");
	int fd = open(disk, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, DISK_SIZE) != 0)
		qemu_stage_fail(stage, "%s: %s", disk, strerror(errno));
	close(fd);
	qemu_command_add(&command, "qemu-storage-daemon");
	qemu_command_add(&command, "--blockdev");
	qemu_command_add(&command, "driver=file,node-name=disk,locking=off,filename=%s", disk);
	qemu_command_add(&command, "--export");
	qemu_command_add(&command,
			 "type=vhost-user-blk,id=export,node-name=disk,writable=on,num-queues=%u,"
			 "addr.type=unix,addr.path=%s",
			 options->queues, path);
	qemu_command_start(stage, "back-end", &command);
	qemu_stage_await(stage, "back-end", path);
	free(disk);
}

/* Start the proxy between the sockets @front and @back. */
static void start_proxy(struct qemu_stage *stage, const struct session_options *options,
			const char *front, const char *back)
{
	struct qemu_command command = {.words = 0};

	qemu_command_add(&command, "%s", options->via);
	qemu_command_add(&command, "proxy");
	if (options->capture != NULL) {
		qemu_command_add(&command, "-w");
		qemu_command_add(&command, "%s", options->capture);
	}
	qemu_command_add(&command, "listen:%s", front);
	qemu_command_add(&command, "connect:%s", back);
	qemu_command_start(stage, "proxy", &command);
	qemu_stage_await(stage, "proxy", front);
}

/* Move the page @page to (@type VIRTIO_BLK_T_OUT) or from (VIRTIO_BLK_T_IN) the disk at @sector. */
static void move_page(struct qemu_mmio *device, unsigned int queue, uint32_t type, uint64_t sector,
		      uint8_t *page)
{
	struct virtio_blk_outhdr head = {.type = htole32(type), .sector = htole64(sector)};
	bool out = type == VIRTIO_BLK_T_OUT;
	uint8_t status = 0xff;
	const struct qemu_mmio_buffer request[] = {
	    {.out = &head, .size = sizeof(head)},
	    {.out = out ? page : NULL, .in = out ? NULL : page, .size = QEMU_QTEST_BYTES_MAX},
	    {.in = &status, .size = sizeof(status)},
	};

	qemu_mmio_request(device, queue, request, 3);
	if (status != VIRTIO_BLK_S_OK)
		qemu_stage_fail(device->qtest->stage, "disk: vring %u: status %u", queue, status);
}

/* Write a page that no other @turn and @queue writes, read it back, compare. */
static void use_disk(struct qemu_mmio *device, unsigned int queue, unsigned int turn)
{
	uint64_t sector = (uint64_t)queue * QEMU_QTEST_BYTES_MAX / SECTOR;
	uint8_t written[QEMU_QTEST_BYTES_MAX], read[QEMU_QTEST_BYTES_MAX] = {0};
	uint32_t noise = turn * QEMU_MMIO_QUEUES_MAX + queue + 1;

	for (size_t i = 0; i < sizeof(written); i++) {
		noise = noise * 1664525 + 1013904223;
		written[i] = (uint8_t)(noise >> 24);
	}
	move_page(device, queue, VIRTIO_BLK_T_OUT, sector, written);
	move_page(device, queue, VIRTIO_BLK_T_IN, sector, read);
	if (memcmp(written, read, sizeof(written)) != 0)
		qemu_stage_fail(device->qtest->stage,
				"disk: vring %u, turn %u: what was read is not what was written",
				queue, turn);
}

/* Let the device fill a page with chance: it may not stay empty. */
static void use_chance(struct qemu_mmio *device)
{
	uint8_t page[QEMU_QTEST_BYTES_MAX] = {0};
	const struct qemu_mmio_buffer request = {.in = page, .size = sizeof(page)};
	uint32_t got = qemu_mmio_request(device, 0, &request, 1), sum = 0;

	for (uint32_t i = 0; i < got && i < sizeof(page); i++)
		sum += page[i];
	if (sum == 0)
		qemu_stage_fail(device->qtest->stage, "rng: %u bytes of no chance", got);
}

/* The types of devices. */
static const struct type {
	const char *name;
	uint32_t id;
	unsigned int queues; /* 0: as asked for */
} types[] = {
    {"blk", VIRTIO_ID_BLOCK, 0},
    {"fs", VIRTIO_ID_FS, 2},
    {"rng", VIRTIO_ID_RNG, 1},
    {"net", VIRTIO_ID_NET, 2},
};

/* Return the type of device that is asked for. */
static const struct type *type_of(const struct session_options *options)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(types); i++)
		if (options->device == NULL || strcmp(options->device, types[i].name) == 0)
			return &types[i];
	usage();
}

/* Ask QEMU's monitor at @path where the device's vring 0 is. */
static void query(struct qemu_stage *stage, const char *path)
{
	struct qemu_qmp qmp;
	const char *answer, *device;
	char name[128];

	qemu_qmp_open(&qmp, stage, "qemu", path);
	answer = qemu_qmp_execute(&qmp, "{\"execute\":\"x-query-virtio\"}");
	device = strstr(answer, "\"path\": \"");
	if (device == NULL || sscanf(device, "\"path\": \"%127[^\"]", name) != 1)
		qemu_stage_fail(stage, "qemu: no virtio device in %s", answer);
	qemu_qmp_execute(&qmp,
			 "{\"execute\":\"x-query-virtio-queue-status\","
			 "\"arguments\":{\"path\":\"%s\",\"queue\":0}}",
			 name);
	close(qmp.fd);
	sleep(2);
}

/* Drive the device through all rounds over the qtest connection @fd. @monitor: QEMU's, or NULL. */
static void drive(struct qemu_stage *stage, const struct session_options *options, int fd,
		  const char *monitor)
{
	const struct type *type = type_of(options);
	const bool disk = type->id == VIRTIO_ID_BLOCK;
	struct qemu_qtest qtest;
	struct qemu_mmio device;
	unsigned int turn = 0;

	qemu_qtest_open(&qtest, stage, "qemu", fd);
	qemu_mmio_find(&device, &qtest, type->id);
	for (unsigned int round = 0; round < options->rounds; round++) {
		qemu_mmio_start(&device, type->queues != 0 ? type->queues : options->queues);
		do {
			if (type->id == VIRTIO_ID_RNG)
				use_chance(&device);
			for (unsigned int queue = 0; disk && queue < options->queues; queue++)
				use_disk(&device, queue, turn);
			turn++;
		} while (options->until != NULL && access(options->until, F_OK) != 0);
		if (monitor != NULL)
			query(stage, monitor);
		qemu_mmio_reset(&device);
	}
}

int main(int argc, char **argv)
{
	struct session_options options = parse(argc, argv);
	bool whole = options.front == NULL || options.back != NULL || options.via != NULL;
	struct qemu_machine machine = {
	    .name = "qemu",
	    .chardev = options.chardev,
	    .reconnect = options.reconnect,
	    .device = options.device,
	    .queues = options.queues,
	    .strace = options.strace,
	};
	struct qemu_stage stage;
	char *front, *back, *monitor = NULL;
	int qtest;

	qemu_machine_need("qemu-system-x86_64", "qemu-system-x86");
	if (whole)
		qemu_machine_need("qemu-storage-daemon", "qemu-system-common");
	if (options.strace != NULL)
		qemu_machine_need("strace", "strace");
	qemu_stage_open(&stage, options.timeout);
	back = options.back != NULL ? strdup(options.back) : qemu_stage_path(&stage, "back");
	if (options.front != NULL)
		front = strdup(options.front);
	else
		front = options.via != NULL ? qemu_stage_path(&stage, "front") : strdup(back);
	if (whole)
		start_back_end(&stage, &options, back);
	if (options.via != NULL)
		start_proxy(&stage, &options, front, back);
	machine.front = front;
	if (options.query)
		machine.qmp = monitor = qemu_stage_path(&stage, "monitor");
	qtest = qemu_machine_start(&stage, &machine);
	drive(&stage, &options, qtest, monitor);
	qemu_stage_end(&stage, "qemu", SIGTERM);
	close(qtest);
	if (options.via != NULL)
		qemu_stage_end(&stage, "proxy", SIGTERM);
	if (whole)
		qemu_stage_end(&stage, "back-end", SIGTERM);
	qemu_stage_close(&stage);
	free(front);
	free(back);
	free(monitor);
	return 0;
}
