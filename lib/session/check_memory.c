/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about descriptors and memory. */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/session/internal.h"

#define TABLE_REGIONS_MAX 8 /* VHOST_MEMORY_BASELINE_NREGIONS */
#define LOG_PAGE 4096
#define INFLIGHT_DESCRIPTOR 16 /* the smaller of split and packed */

/* Return whether a descriptor can be mapped as memory. */
static bool is_mappable(enum vhu_fd_kind kind)
{
	return kind == VHU_FD_MEMFD || kind == VHU_FD_FILE || kind == VHU_FD_DMABUF ||
	       kind == VHU_FD_OTHER;
}

/* Return whether a descriptor can be a kick, call or err. */
static bool is_signal(enum vhu_fd_kind kind)
{
	return kind == VHU_FD_EVENTFD || kind == VHU_FD_PIPE;
}

/* Look at how many descriptors a message carries. */
static void check_count(struct vhu_look *look)
{
	const struct vhu_message *message = look->note->message;
	unsigned min = message->fds[look->note->reply].min, max = message->fds[look->note->reply].max;
	unsigned fds = look->record->fds;

	if (max == VHU_FDS_REGIONS) {
		/* What ends an exchange in postcopy has no regions. */
		if (look->note->layout->size && vhu_fields[look->note->layout->first].names)
			min = max = 0;
		else
			min = max = (unsigned)vhu_get(look, look->note->layout->first);
	}
	if (fds < min || fds > max)
		vhu_report(look, VHU_RULE_AT_501, 0, "%s%s carries %u descriptor%s, not %u%s",
			   message->name, look->note->reply ? " reply" : "", fds, fds == 1 ? "" : "s",
			   fds < min ? min : max, min == max ? "" : fds < min ? " or more" : " or fewer");
}

/* Look at what kind of descriptor a message carries. */
static void check_kind(struct vhu_look *look)
{
	const struct vhu_record *record = look->record;
	int at = vhu_look_at(look);
	bool signals = at == VHU_REQUEST(SET_VRING_KICK) || at == VHU_REQUEST(SET_VRING_CALL) ||
		       at == VHU_REQUEST(SET_VRING_ERR) || at == VHU_REQUEST(SET_LOG_FD);
	bool maps = at == VHU_REQUEST(SET_MEM_TABLE) || at == VHU_REQUEST(ADD_MEM_REG) ||
		    at == VHU_REQUEST(SET_LOG_BASE) || at == VHU_REQUEST(SET_INFLIGHT_FD) ||
		    at == VHU_REPLY_TO(GET_INFLIGHT_FD);
	bool sockets = look->note->message->opens != VHU_FRONT_END;

	for (unsigned i = 0; i < record->fds; i++) {
		enum vhu_fd_kind kind = record->fd[i].kind;

		if ((signals && !is_signal(kind)) || (maps && !is_mappable(kind)) ||
		    (sockets && kind != VHU_FD_SOCKET)) {
			vhu_report(look, VHU_RULE_AT_503, 0, "%s carries %s %s as %s",
				   look->note->message->name,
				   kind == VHU_FD_EVENTFD || kind == VHU_FD_OTHER ? "an" : "a",
				   vhu_fd_kind_name(kind),
				   signals ? "what should be an eventfd"
				   : maps  ? "memory"
					   : "a channel");
			return;
		}
	}
}

/* Look for another role of the eventfd that a ring's kick or call is to be. */
static void check_roles(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	int at = vhu_look_at(look);
	enum vhu_vring_role role = at == VHU_REQUEST(SET_VRING_KICK)   ? VHU_KICK
				   : at == VHU_REQUEST(SET_VRING_CALL) ? VHU_CALL
								       : VHU_ERR;

	if (role == VHU_ERR || !look->record->fds || !(look->record->fd[0].has & VHU_FD_HAS_EVENTFD))
		return;
	for (unsigned i = 0; i < state->vrings; i++) {
		enum vhu_vring_role other = role == VHU_KICK ? VHU_CALL : VHU_KICK;
		const struct vhu_vring_fd *fd = &state->vring[i].fd[other];

		if (!state->vring[i].started || !fd->has_eventfd ||
		    fd->eventfd_id != look->record->fd[0].eventfd_id)
			continue;
		vhu_report(look, VHU_RULE_AT_504, fd->number,
			   "eventfd %" PRIu32 " is the %s of vring %d and the %s of vring %u",
			   fd->eventfd_id, role == VHU_KICK ? "kick" : "call", look->note->vring,
			   role == VHU_KICK ? "call" : "kick", i);
	}
}

void vhu_check_descriptors(struct vhu_look *look)
{
	if (look->record->marks & VHU_MARK_TRUNCATED)
		vhu_report(look, VHU_RULE_AT_502, 0, "descriptors were lost on the way");
	if (!look->note->message || !look->note->layout || (look->record->marks & VHU_MARK_PARTIAL))
		return;
	if (!(look->record->marks & VHU_MARK_TRUNCATED))
		check_count(look);
	if (!look->record->fds)
		return;
	check_kind(look);
	check_roles(look);
	if (look->note->message->id == VHU_MSG_SET_BACKEND_REQ_FD && look->state->backend_channel_by)
		vhu_report(look, VHU_RULE_AT_517, look->state->backend_channel_by,
			   "%s again, after message %" PRIu64, look->note->message->name,
			   look->state->backend_channel_by);
	if (look->note->message->opens == VHU_GPU && look->state->context.device &&
	    look->state->context.device != VIRTIO_ID_GPU)
		vhu_report(look, VHU_RULE_AT_620, 0, "%s to a %s device", look->note->message->name,
			   vhu_device_name(look->state->context.device));
}

/* Return whether two ranges overlap; ranges that wrap around do not here. */
static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Look at one region, number @index of its message, against those that are known already. */
static void check_region(struct vhu_look *look, const struct vhu_region *region, unsigned index,
			 const struct vhu_region *known, unsigned count)
{
	const struct vhu_fd_info *fd = &region->fd;

	if (region->size == 0) {
		vhu_report(look, VHU_RULE_AT_505, 0, "region %u is empty", index);
		return;
	}
	if (region->guest_address + region->size - 1 < region->guest_address ||
	    region->user_address + region->size - 1 < region->user_address ||
	    region->mmap_offset + region->size - 1 < region->mmap_offset) {
		vhu_report(look, VHU_RULE_AT_507, 0, "region %u of size 0x%" PRIx64 " goes beyond 2^64",
			   index, region->size);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		bool guest = overlap(region->guest_address, region->size, known[i].guest_address,
				     known[i].size);

		if (guest || overlap(region->user_address, region->size, known[i].user_address,
				     known[i].size))
			vhu_report(look, VHU_RULE_AT_506, known[i].number,
				   "region %u at %s address 0x%" PRIx64 " overlaps region %u", index,
				   guest ? "guest" : "user",
				   guest ? region->guest_address : region->user_address, i);
	}
	if (!region->has_fd)
		return;
	if ((fd->has & VHU_FD_HAS_SIZE) && fd->size &&
	    region->mmap_offset + region->size > fd->size)
		vhu_report(look, VHU_RULE_AT_507, 0,
			   "region %u ends at 0x%" PRIx64 " of a file of 0x%" PRIx64 " bytes", index,
			   region->mmap_offset + region->size, fd->size);
	if ((fd->flags & O_ACCMODE) == O_RDONLY ||
	    ((fd->has & VHU_FD_HAS_SEALS) && (fd->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))))
		vhu_report(look, VHU_RULE_AT_508, 0, "region %u is of a file that cannot be written",
			   index);
	if ((fd->has & VHU_FD_HAS_PAGE_SIZE) && fd->page_size &&
	    ((region->mmap_offset | region->size) & (fd->page_size - 1)))
		vhu_report(look, VHU_RULE_AT_512, 0,
			   "region %u, 0x%" PRIx64 " bytes at offset 0x%" PRIx64
			   ", is not aligned to its pages of 0x%" PRIx64,
			   index, region->size, region->mmap_offset, fd->page_size);
}

/* Look at a memory table. */
static void check_table(struct vhu_look *look)
{
	const struct vhu_layout *layout = look->note->layout;
	const struct vhu_field *array = &vhu_fields[layout->first + layout->fields - 1];
	struct vhu_region region[TABLE_REGIONS_MAX];
	uint64_t regions = vhu_get(look, layout->first);

	if (array->kind != VHU_ARRAY)
		return;
	if (regions == 0)
		vhu_report(look, VHU_RULE_AT_505, 0, "the memory table has no regions");
	if (regions > TABLE_REGIONS_MAX)
		vhu_report(look, VHU_RULE_AT_515, 0, "the memory table has %" PRIu64 " regions",
			   regions);
	for (unsigned i = 0; i < regions && i < TABLE_REGIONS_MAX; i++) {
		uint32_t base = array->offset + i * array->size;

		if (base + array->size > look->note->payload.captured)
			break;
		region[i] = vhu_look_region(look, base, i);
		check_region(look, &region[i], i, region, i);
	}
}

/* Look at a region that is added. */
static void check_added(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_field *field = &vhu_fields[VHU_FIELD_single_region_region];
	struct vhu_region region;

	if (look->note->payload.captured < field->offset + field->size)
		return;
	region = vhu_look_region(look, field->offset, 0);
	check_region(look, &region, state->regions, state->region, state->regions);
	if (state->mem_slots_by && state->regions >= state->mem_slots)
		vhu_report(look, VHU_RULE_AT_515, state->mem_slots_by,
			   "region %u is added; the back-end has %" PRIu32 " slots", state->regions,
			   state->mem_slots);
}

/* Look at a region that is removed. */
static void check_removed(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_field *field = &vhu_fields[VHU_FIELD_single_region_region];
	struct vhu_region region = vhu_look_region(look, field->offset, 1);

	if (!look->whole || look->note->payload.captured < field->offset + field->size)
		return;
	for (unsigned i = 0; i < state->regions; i++)
		if (state->region[i].guest_address == region.guest_address &&
		    state->region[i].size == region.size)
			return;
	vhu_report(look, VHU_RULE_AT_516, 0,
		   "0x%" PRIx64 " bytes at guest address 0x%" PRIx64 " are removed and were never added",
		   region.size, region.guest_address);
}

/* Look at the log's size. */
static void check_log(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t size = vhu_get(look, VHU_FIELD_log_size), highest = 0;

	if (look->note->layout != &vhu_layouts[VHU_LAYOUT_log])
		return;
	for (unsigned i = 0; i < state->regions; i++) {
		uint64_t end = state->region[i].guest_address + state->region[i].size;

		highest = end > highest ? end : highest;
	}
	/* One bit a page, in whole bytes. */
	if (highest && size < (highest / LOG_PAGE + 7) / 8)
		vhu_report(look, VHU_RULE_AT_513, state->memory_by,
			   "the log has 0x%" PRIx64 " bytes; memory up to 0x%" PRIx64
			   " needs 0x%" PRIx64,
			   size, highest, (highest / LOG_PAGE + 7) / 8);
}

/* Look at an inflight area. */
static void check_inflight(struct vhu_look *look)
{
	uint64_t size = vhu_get(look, VHU_FIELD_inflight_mmap_size);
	uint64_t queues = vhu_get(look, VHU_FIELD_inflight_num_queues);
	uint64_t entries = vhu_get(look, VHU_FIELD_inflight_queue_size);
	bool sized = false;

	if (size < queues * entries * INFLIGHT_DESCRIPTOR)
		vhu_report(look, VHU_RULE_AT_509, 0,
			   "the inflight area has 0x%" PRIx64 " bytes; %" PRIu64 " queues of %" PRIu64
			   " need more than 0x%" PRIx64,
			   size, queues, entries, queues * entries * INFLIGHT_DESCRIPTOR);
	for (unsigned i = 0; i < look->state->vrings; i++)
		sized |= look->state->vring[i].size_by != 0;
	if (!sized && look->whole && vhu_report_first(look, VHU_RULE_AT_510))
		vhu_report(look, VHU_RULE_AT_510, 0, "%s before any vring has a size",
			   look->note->message->name);
}

void vhu_check_memory(struct vhu_look *look)
{
	if (!look->note->layout)
		return;
	switch (vhu_look_at(look)) {
	case VHU_REQUEST(SET_MEM_TABLE):
		check_table(look);
		break;
	case VHU_REQUEST(ADD_MEM_REG):
		check_added(look);
		break;
	case VHU_REQUEST(REM_MEM_REG):
		check_removed(look);
		break;
	case VHU_REQUEST(SET_LOG_BASE):
		check_log(look);
		break;
	case VHU_REQUEST(SET_INFLIGHT_FD):
		check_inflight(look);
		break;
	}
}
