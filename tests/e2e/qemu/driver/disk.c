/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk of the sample back-end's, and who uses it. */
#include "tests/e2e/qemu/driver/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTORS (QEMU_DISK_PAGE / 512)
#define SECONDS 120

/* Fill @page with what belongs on the disk's page @number. */
static void make_noise(uint8_t page[QEMU_DISK_PAGE], uint32_t number)
{
	uint32_t noise = number + 1;

	for (size_t i = 0; i < QEMU_DISK_PAGE; i++) {
		noise = noise * 1664525 + 1013904223;
		page[i] = (uint8_t)(noise >> 24);
	}
}

void qemu_disk_back_end(struct qemu_disk *disk, const char *name, const char *path)
{
	struct qemu_command command = {.words = 0};

	qemu_command_add(&command, "%s/vhu-sample-backend", disk->options->bin);
	qemu_command_words(&command, "-v --device blk --queues 2 --delay 60ms --fault reorder:1/3");
	qemu_command_add(&command, "--blk-file=%s", disk->image);
	qemu_command_add(&command, "--socket-path=%s", path);
	qemu_command_start(&disk->stage, name, &command);
	qemu_stage_await(&disk->stage, name, path);
}

char *qemu_disk_front(struct qemu_disk *disk, unsigned int number)
{
	char name[16];

	snprintf(name, sizeof(name), "%s%u", disk->options->direct ? "back" : "front", number);
	return qemu_stage_path(&disk->stage, name);
}

void qemu_disk_proxy(struct qemu_disk *disk)
{
	struct qemu_command command = {.words = 0};
	char *front[3];

	if (disk->options->direct)
		return;
	qemu_command_add(&command, "%s/vhu", disk->options->bin);
	qemu_command_words(&command, "proxy");
	for (unsigned int i = 0; i < disk->options->proxies; i++)
		qemu_command_add(&command, "%s", disk->options->proxy[i]);
	if (disk->options->captures != NULL) {
		qemu_command_words(&command, "-w");
		qemu_command_add(&command, "%s%s", disk->options->captures, disk->name);
	}
	for (unsigned int i = 0; i < 3; i++) {
		front[i] = qemu_disk_front(disk, i);
		qemu_command_words(&command, "--pair");
		qemu_command_add(&command, "%s=%s/back%u", front[i], disk->stage.folder, i);
	}
	qemu_command_start(&disk->stage, "proxy", &command);
	for (unsigned int i = 0; i < 3; i++) {
		qemu_stage_await(&disk->stage, "proxy", front[i]);
		free(front[i]);
	}
}

/* Return how many of the proxy's descriptors are such as sessions bring: sockets, eventfds, memory.
 */
static unsigned int open_fds(struct qemu_disk *disk)
{
	char path[64], name[64];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *folder;

	if (disk->options->direct)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)qemu_stage_pid(&disk->stage, "proxy"));
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, name, sizeof(name) - 1);

		name[length < 0 ? 0 : length] = '\0';
		count += strncmp(name, "socket:", 7) == 0 || strstr(name, "eventfd") != NULL ||
			 strncmp(name, "/memfd:", 7) == 0;
	}
	if (folder != NULL)
		closedir(folder);
	return count;
}

void qemu_disk_machine(struct qemu_disk *disk, struct qemu_machine *machine,
		       struct qemu_qtest *qtest)
{
	machine->queues = QEMU_DISK_QUEUES;
	machine->reconnect = true;
	qemu_qtest_open(qtest, &disk->stage, machine->name,
			qemu_machine_start(&disk->stage, machine));
}

void qemu_disk_device(struct qemu_disk *disk)
{
	qemu_mmio_find(&disk->device, &disk->qtest[0], VIRTIO_ID_BLOCK);
	qemu_mmio_start(&disk->device, QEMU_DISK_QUEUES);
}

/* Start the back-end of a session that has nothing to do with the disk. */
static void start_bystander(struct qemu_disk *disk)
{
	struct qemu_command command = {.words = 0};

	qemu_command_add(&command, "%s/vhu-sample-backend", disk->options->bin);
	qemu_command_words(&command, "--device blk --memory 8");
	qemu_command_add(&command, "--socket-path=%s/back1", disk->stage.folder);
	qemu_command_start(&disk->stage, "bystander", &command);
}

void qemu_disk_open(struct qemu_disk *disk, const struct qemu_disk_options *options,
		    const char *name)
{
	int fd;

	memset(disk, 0, sizeof(*disk));
	disk->options = options;
	disk->name = name;
	qemu_stage_open(&disk->stage, SECONDS);
	disk->image = qemu_stage_path(&disk->stage, "disk.img");
	disk->back = qemu_stage_path(&disk->stage, "back0");
	disk->front = qemu_disk_front(disk, 0);
	fd = open(disk->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, QEMU_DISK_PAGES * QEMU_DISK_PAGE) != 0)
		qemu_stage_fail(&disk->stage, "%s: cannot be made", disk->image);
	close(fd);
	qemu_disk_back_end(disk, "back-end", disk->back);
	if (!options->direct)
		start_bystander(disk);
	qemu_disk_proxy(disk);
	disk->fds = open_fds(disk);
}

void qemu_disk_qemu(struct qemu_disk *disk)
{
	struct qemu_machine machine = {.name = "qemu", .front = disk->front};

	qemu_disk_machine(disk, &machine, &disk->qtest[0]);
	qemu_disk_device(disk);
}

void qemu_disk_put(struct qemu_disk *disk, unsigned int queue, uint32_t type, uint32_t first)
{
	bool out = type == VIRTIO_BLK_T_OUT;

	for (unsigned int slot = 0; slot < QEMU_MMIO_SLOTS; slot++) {
		struct qemu_mmio_buffer *request = disk->request[queue][slot];
		struct virtio_blk_outhdr *head = &disk->head[queue][slot];
		uint8_t *page = disk->page[queue][slot];
		uint32_t number = first + slot;

		*head = (struct virtio_blk_outhdr){.type = htole32(type),
						   .sector = htole64(number * SECTORS)};
		make_noise(page, number);
		disk->status[queue][slot] = 0xff;
		request[0] = (struct qemu_mmio_buffer){.out = head, .size = sizeof(*head)};
		request[1] = (struct qemu_mmio_buffer){
		    .out = out ? page : NULL, .in = out ? NULL : page, .size = QEMU_DISK_PAGE};
		request[2] = (struct qemu_mmio_buffer){.in = &disk->status[queue][slot], .size = 1};
		qemu_mmio_put(&disk->device, queue, slot, request, 3);
		if (!out)
			memset(page, 0, QEMU_DISK_PAGE);
	}
	qemu_mmio_kick(&disk->device, queue);
}

void qemu_disk_write(struct qemu_disk *disk)
{
	if (disk->written + QEMU_DISK_QUEUES * QEMU_MMIO_SLOTS > QEMU_DISK_PAGES)
		qemu_stage_fail(&disk->stage, "the disk is full");
	for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++) {
		qemu_disk_put(disk, queue, VIRTIO_BLK_T_OUT, disk->written);
		disk->written += QEMU_MMIO_SLOTS;
	}
}

unsigned int qemu_disk_in_flight(struct qemu_disk *disk)
{
	unsigned int count = 0;

	for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++)
		count += qemu_mmio_in_flight(&disk->device, queue);
	return count;
}

void qemu_disk_await(struct qemu_disk *disk, unsigned int queue)
{
	qemu_mmio_wait(&disk->device, queue);
	for (unsigned int slot = 0; slot < QEMU_MMIO_SLOTS; slot++) {
		qemu_mmio_fetch(&disk->device, queue, slot, disk->request[queue][slot], 3);
		if (disk->status[queue][slot] != VIRTIO_BLK_S_OK)
			qemu_stage_fail(&disk->stage, "vring %u, slot %u: status %u", queue, slot,
					disk->status[queue][slot]);
	}
}

void qemu_disk_settle(struct qemu_disk *disk)
{
	for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++)
		qemu_disk_await(disk, queue);
}

void qemu_disk_compare(struct qemu_disk *disk, unsigned int queue, uint32_t first)
{
	uint8_t wanted[QEMU_DISK_PAGE];

	for (unsigned int slot = 0; slot < QEMU_MMIO_SLOTS; slot++) {
		make_noise(wanted, first + slot);
		if (memcmp(wanted, disk->page[queue][slot], QEMU_DISK_PAGE) != 0)
			qemu_stage_fail(&disk->stage, "page %u is not what was written",
					first + slot);
	}
}

/* Read all that was written, and compare. */
static void verify(struct qemu_disk *disk)
{
	for (uint32_t first = 0; first < disk->written;
	     first += QEMU_DISK_QUEUES * QEMU_MMIO_SLOTS) {
		for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++)
			qemu_disk_put(disk, queue, VIRTIO_BLK_T_IN,
				      first + queue * QEMU_MMIO_SLOTS);
		qemu_disk_settle(disk);
		for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++)
			qemu_disk_compare(disk, queue, first + queue * QEMU_MMIO_SLOTS);
	}
}

void qemu_disk_close(struct qemu_disk *disk, const char *machine, const char *back_end)
{
	verify(disk);
	qemu_mmio_reset(&disk->device);
	qemu_stage_end(&disk->stage, machine, SIGTERM);
	close(disk->device.qtest->fd);
	while (open_fds(disk) > disk->fds)
		qemu_stage_nap(&disk->stage, "the proxy keeps descriptors");
	if (!disk->options->direct) {
		qemu_stage_end(&disk->stage, "proxy", SIGTERM);
		qemu_stage_end(&disk->stage, "bystander", SIGTERM);
	}
	qemu_stage_end(&disk->stage, back_end, SIGTERM);
	qemu_stage_close(&disk->stage);
	free(disk->image);
	free(disk->front);
	free(disk->back);
}
