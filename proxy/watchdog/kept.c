/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the watchdog keeps of the descriptors that pass; kept.h has the whole. */
#include "proxy/watchdog/kept.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/protocol/walk.h"

/* Return a descriptor of @fd's file of our own, that cannot write if the kernel
 * allows that; -1 without one. */
static int reopen(int fd)
{
	char path[48];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int vhu_watchdog_kept_file(const struct vhu_watchdog_kept *kept, uint64_t inode, uint64_t device)
{
	for (unsigned i = 0; i < kept->files; i++)
		if (kept->file[i].inode == inode && kept->file[i].device == device)
			return kept->file[i].fd;
	return -1;
}

/* Keep a file. */
static void keep_file(struct vhu_watchdog_kept *kept, int fd, const struct vhu_fd_info *info)
{
	struct vhu_watchdog_file file = {
	    .inode = info->inode, .device = info->device, .fresh = true};

	if (!(info->has & VHU_FD_HAS_INODE) ||
	    (info->kind != VHU_FD_MEMFD && info->kind != VHU_FD_FILE))
		return;
	for (unsigned i = 0; i < kept->files; i++) {
		if (kept->file[i].inode == file.inode && kept->file[i].device == file.device) {
			kept->file[i].fresh = true;
			return;
		}
	}
	if (kept->files == VHU_WATCHDOG_FILES_MAX)
		return;
	file.fd = reopen(fd);
	if (file.fd >= 0)
		kept->file[kept->files++] = file;
}

/* Return the payload of a relay's message. */
static struct vhu_payload payload_of(const struct vhu_relay *relay)
{
	return (struct vhu_payload){relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				    relay->header.size, vhu_host_is_big_endian()};
}

/* Return a field of a payload, 0 if it has not got it. */
static uint64_t field(const struct vhu_payload *payload, enum vhu_field_id id)
{
	uint64_t value = 0;

	return vhu_field_read(payload, id, 0, &value) ? value : 0;
}

/* Note where the in-flight area is. */
static void note_area(struct vhu_watchdog_kept *kept, const struct vhu_relay *relay)
{
	const struct vhu_payload payload = payload_of(relay);
	const struct vhu_fd_info *info = relay->record.fd;

	kept->area = (struct vhu_watchdog_area){
	    .inode = info->inode,
	    .device = info->device,
	    .offset = field(&payload, VHU_FIELD_inflight_mmap_offset),
	    .size = field(&payload, VHU_FIELD_inflight_mmap_size),
	    .queues = (unsigned)field(&payload, VHU_FIELD_inflight_num_queues),
	};
}

void vhu_watchdog_keep(struct vhu_watchdog_kept *kept, const struct vhu_relay *relay)
{
	const uint32_t request = relay->header.request;

	/* Descriptors of a message that came in pieces are gone by now. */
	if (!relay->size || relay->got != relay->size || relay->size > VHU_RELAY_KEEP ||
	    relay->described != relay->fds)
		return;
	for (unsigned i = 0; i < relay->fds; i++)
		keep_file(kept, relay->fd[i], &relay->record.fd[i]);
	if (relay->fds && request == vhu_messages[VHU_MSG_SET_INFLIGHT_FD].request)
		note_area(kept, relay);
}

/* Return whether the session has memory in a file. */
static bool is_used(const struct vhu_watchdog_kept *kept, const struct vhu_watchdog_file *file,
		    const struct vhu_state *state)
{
	if (kept->area.queues && kept->area.inode == file->inode &&
	    kept->area.device == file->device)
		return true;
	for (unsigned i = 0; i < state->regions; i++)
		if (state->region[i].has_fd && state->region[i].fd.inode == file->inode &&
		    state->region[i].fd.device == file->device)
			return true;
	return false;
}

void vhu_watchdog_keep_less(struct vhu_watchdog_kept *kept, const struct vhu_state *state)
{
	unsigned left = 0;

	for (unsigned i = 0; i < kept->files; i++) {
		struct vhu_watchdog_file file = kept->file[i];

		if (!file.fresh && !is_used(kept, &file, state)) {
			close(file.fd);
			continue;
		}
		file.fresh = false;
		kept->file[left++] = file;
	}
	kept->files = left;
}

unsigned vhu_watchdog_kept_fds(const struct vhu_watchdog_kept *kept)
{
	return kept->files;
}

void vhu_watchdog_kept_free(struct vhu_watchdog_kept *kept)
{
	for (unsigned i = 0; i < kept->files; i++)
		close(kept->file[i].fd);
	kept->files = 0;
}
