/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU whose disk hangs, for a look into its vrings: without a guest, whose driver is this
 * program.
 *
 *   qemu_hung CASE BACK-END-SOCKET FOLDER
 *
 * QEMU connects to the socket. When vring 0 hangs as in CASE, the program writes its monitor's
 * path to the file FOLDER/ready, and QEMU's process id to FOLDER/pid; it ends at the end of its
 * standard input. In some cases each line there makes something more happen.
 */
#include <endian.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/e2e/qemu/driver/machine.h"
#include "tests/e2e/qemu/driver/mmio.h"
#include "tests/e2e/qemu/driver/qmp.h"

#define SECONDS   240
#define QUEUES    2
/* Of vring 0: where its descriptors and its available ring are. */
#define TABLE     QEMU_MMIO_MEMORY
#define AVAILABLE (QEMU_MMIO_MEMORY + 0x1000)
/* Memory above 4 GB is a region of its own. */
#define HIGH      UINT64_C(0x100000000)

struct hung {
	struct qemu_stage stage;
	struct qemu_qtest qtest;
	struct qemu_mmio device;
	struct qemu_qmp qmp;
	struct virtio_blk_outhdr head;
	uint8_t page[512], status;
};

/* Put a request to read a sector into a slot of vring 0, and do not kick. */
static void put(struct hung *hung, unsigned int slot)
{
	const struct qemu_mmio_buffer request[] = {
	    {.out = &hung->head, .size = sizeof(hung->head)},
	    {.in = hung->page, .size = sizeof(hung->page)},
	    {.in = &hung->status, .size = 1},
	};

	hung->head =
	    (struct virtio_blk_outhdr){.type = htole32(VIRTIO_BLK_T_IN), .sector = htole64(slot)};
	qemu_mmio_put(&hung->device, 0, slot, request, 3);
}

/* Have a request done. */
static void use(struct hung *hung)
{
	put(hung, 0);
	qemu_mmio_kick(&hung->device, 0);
	qemu_mmio_wait(&hung->device, 0);
}

/* Change the head of the available ring that comes next, or its index. */
static void write16(struct hung *hung, uint64_t address, uint16_t value)
{
	value = htole16(value);
	qemu_qtest_write(&hung->qtest, address, &value, sizeof(value));
}

static void idle(struct hung *hung)
{
	use(hung);
}

static void no_kick(struct hung *hung)
{
	use(hung);
	put(hung, 1);
}

static void put_and_kick(struct hung *hung)
{
	put(hung, 1);
	qemu_mmio_kick(&hung->device, 0);
}

static void stopped(struct hung *hung)
{
	use(hung);
	put(hung, 1);
	qemu_qmp_execute(&hung->qmp, "{\"execute\":\"stop\"}");
}

static void far_ahead(struct hung *hung)
{
	use(hung);
	write16(hung, AVAILABLE + offsetof(struct vring_avail, idx), 1000);
}

/* Put a request whose chain comes back to its first descriptor. */
static void loop(struct hung *hung)
{
	uint16_t first = QEMU_MMIO_BUFFERS_MAX;

	use(hung);
	put(hung, 1);
	write16(hung,
		TABLE + (first + 2) * sizeof(struct vring_desc) +
		    offsetof(struct vring_desc, flags),
		VRING_DESC_F_NEXT);
	write16(hung,
		TABLE + (first + 2) * sizeof(struct vring_desc) + offsetof(struct vring_desc, next),
		first);
}

/* Put a request that points outside memory. */
static void outside(struct hung *hung)
{
	uint16_t first = QEMU_MMIO_BUFFERS_MAX;
	uint64_t nowhere = htole64(UINT64_C(0x7fff00000000));

	use(hung);
	put(hung, 1);
	qemu_qtest_write(&hung->qtest, TABLE + (first + 1) * sizeof(struct vring_desc), &nowhere,
			 sizeof(nowhere));
}

/* Set the device up again and again. */
static void resets(struct hung *hung)
{
	for (unsigned int i = 0; i < 20; i++)
		qemu_mmio_start(&hung->device, QUEUES);
	use(hung);
}

/* Say that requests were done, and wait for a line: the back-end was killed or stopped. */
static void let_others_act(void)
{
	puts("now");
	fflush(stdout);
	if (getchar() == EOF)
		exit(1);
}

static void restarted(struct hung *hung)
{
	for (unsigned int i = 0; i < 5; i++)
		use(hung);
	let_others_act();
	put_and_kick(hung);
}

static void stuck(struct hung *hung)
{
	use(hung);
	let_others_act();
	/* The answer does not come. */
	dprintf(hung->qmp.fd, "{\"execute\":\"stop\"}\n");
}

/* One request more, not waited for. */
static void step(struct hung *hung, unsigned int number)
{
	put(hung, number);
	qemu_mmio_kick(&hung->device, 0);
}

static void step_no_kick(struct hung *hung, unsigned int number)
{
	put(hung, number);
}

/* Have a request done, and ask to be called for the next one. */
static void use_and_ask(struct hung *hung)
{
	use(hung);
	qemu_mmio_want_call(&hung->device, 0, 1);
}

static const struct hung_case {
	const char *name;
	void (*run)(struct hung *hung);
	bool private_memory, reconnect, event_idx;
	bool high; /* vrings are above 4 GB, buffers are not */
	const char *memory;
	/* What each line on standard input makes happen later, counted from 1. */
	void (*step)(struct hung *hung, unsigned int number);
} cases[] = {
    {"idle", idle},
    {"no-kick", no_kick},
    {"kick", put_and_kick},
    {"stopped", stopped},
    {"far-ahead", far_ahead},
    {"loop", loop},
    {"outside", outside},
    {"resets", resets},
    {"restarted", restarted, .reconnect = true},
    {"steps", idle, .reconnect = true, .step = step},
    {"steps-unheeded", use_and_ask, .event_idx = true, .step = step},
    {"huge", put_and_kick, .memory = "64M,hugetlb=on,hugetlbsize=2M"},
    {"regions", put_and_kick, .high = true, .memory = "4G"},
    {"truncated", idle, .memory = "64M,seal=off"},
    {"steps-no-kick", idle, .reconnect = true, .step = step_no_kick},
    {"stuck", stuck},
    {"private", put_and_kick, .private_memory = true},
};

/* Write a line to the file @name of a folder, which is there at once. */
static void tell(const char *folder, const char *name, const char *line)
{
	char path[256], done[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.new", folder, name);
	snprintf(done, sizeof(done), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file || fprintf(file, "%s\n", line) < 0 || fclose(file) || rename(path, done)) {
		perror(done);
		exit(1);
	}
}

/* Start QEMU with the disk of the back-end at @front. */
static void start(struct hung *hung, const struct hung_case *which, const char *front,
		  char *monitor)
{
	struct qemu_machine machine = {
	    .name = "qemu",
	    .front = front,
	    .queues = QUEUES,
	    .qmp = monitor,
	    .reconnect = which->reconnect,
	    .private_memory = which->private_memory,
	    .memory = which->memory,
	};

	qemu_qtest_open(&hung->qtest, &hung->stage, "qemu",
			qemu_machine_start(&hung->stage, &machine));
	qemu_mmio_find(&hung->device, &hung->qtest, VIRTIO_ID_BLOCK);
	hung->device.event_idx = which->event_idx;
	if (which->high) {
		hung->device.buffers = hung->device.memory;
		hung->device.memory = HIGH;
	}
	qemu_mmio_start(&hung->device, QUEUES);
	qemu_qmp_open(&hung->qmp, &hung->stage, "qemu", monitor);
}

int main(int argc, char **argv)
{
	static struct hung hung;
	const struct hung_case *which = NULL;
	unsigned int steps = 0;
	char *monitor, pid[16];

	for (size_t i = 0; argc == 4 && i < VHU_ARRAY_SIZE(cases); i++)
		if (!strcmp(argv[1], cases[i].name))
			which = &cases[i];
	if (!which) {
		fprintf(stderr, "usage: qemu_hung CASE BACK-END-SOCKET FOLDER\n");
		return 2;
	}
	qemu_machine_need("qemu-system-x86_64", "qemu-system-x86");
	qemu_stage_open(&hung.stage, SECONDS);
	monitor = qemu_stage_path(&hung.stage, "monitor");
	start(&hung, which, argv[2], monitor);
	which->run(&hung);
	/* The monitor serves one at a time; what it has not done for us yet it then forgets. */
	if (which->run != stuck)
		close(hung.qmp.fd);
	snprintf(pid, sizeof(pid), "%d", (int)qemu_stage_pid(&hung.stage, "qemu"));
	tell(argv[3], "pid", pid);
	tell(argv[3], "ready", monitor);
	for (int byte; (byte = getchar()) != EOF;)
		if (byte == '\n' && which->step)
			which->step(&hung, ++steps);
	qemu_stage_kill(&hung.stage, "qemu");
	qemu_stage_close(&hung.stage);
	free(monitor);
	return 0;
}
