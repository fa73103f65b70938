/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about descriptors and memory. */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/protocol/line.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/state/learn.h"
#include "lib/util/util.h"

#define TABLE_REGIONS_MAX 8 /* VHOST_MEMORY_BASELINE_NREGIONS */

/* Which kinds of descriptor a message can carry, where it says. A device node is "other". */
#define KIND(kind) (1u << VHU_FD_##kind)
#define SIGNALS    (KIND(EVENTFD) | KIND(PIPE))
#define MAPPABLE   (KIND(MEMFD) | KIND(FILE) | KIND(DMABUF) | KIND(OTHER))
static const struct {
	enum vhu_message_id message;
	bool reply;
	unsigned kinds;
	const char *wanted;
} kinds_of[] = {
    {VHU_MSG_SET_VRING_KICK, false, SIGNALS, "an eventfd or a pipe"},
    /* User-mode Linux is called by a socket. */
    {VHU_MSG_SET_VRING_CALL, false, SIGNALS | KIND(SOCKET), "an eventfd or a pipe"},
    {VHU_MSG_SET_VRING_ERR, false, SIGNALS | KIND(SOCKET), "an eventfd or a pipe"},
    {VHU_MSG_SET_LOG_FD, false, SIGNALS, "an eventfd or a pipe"},
    {VHU_MSG_SET_MEM_TABLE, false, MAPPABLE, "memory"},
    {VHU_MSG_ADD_MEM_REG, false, MAPPABLE, "memory"},
    {VHU_MSG_SET_LOG_BASE, false, MAPPABLE, "memory"},
    {VHU_MSG_GET_INFLIGHT_FD, true, MAPPABLE, "memory"},
    {VHU_MSG_SET_INFLIGHT_FD, false, MAPPABLE, "memory"},
    {VHU_MSG_BACKEND_SHMEM_MAP, false, MAPPABLE, "memory"},
    {VHU_MSG_BACKEND_VRING_HOST_NOTIFIER_MSG, false, MAPPABLE, "memory"},
    {VHU_MSG_SET_BACKEND_REQ_FD, false, KIND(SOCKET), "a socket"},
    {VHU_MSG_GPU_SET_SOCKET, false, KIND(SOCKET), "a socket"},
    {VHU_MSG_POSTCOPY_ADVISE, true, KIND(USERFAULTFD), "a userfaultfd"},
    {VHU_MSG_SET_DEVICE_STATE_FD, false, KIND(PIPE) | KIND(SOCKET) | KIND(FILE) | KIND(MEMFD),
     "what can be read and written"},
    {VHU_MSG_SET_DEVICE_STATE_FD, true, KIND(PIPE) | KIND(SOCKET) | KIND(FILE) | KIND(MEMFD),
     "what can be read and written"},
    {VHU_MSG_GPU_DMABUF_SCANOUT, false, KIND(DMABUF), "a dma-buf"},
    {VHU_MSG_GPU_DMABUF_SCANOUT2, false, KIND(DMABUF), "a dma-buf"},
};

/* Look at how many descriptors a message carries. */
static void check_count(struct vhu_check_context *check)
{
	const struct vhu_message *message = check->note->message;
	unsigned min = message->fds[check->note->reply].min,
		 max = message->fds[check->note->reply].max;
	unsigned fds = check->record->fds;

	/* What ends an exchange in postcopy has no regions. */
	if (!check->note->reply && check->note->layout == &vhu_layouts[VHU_LAYOUT_ack])
		min = max = 0;
	else if (max == VHU_FDS_REGIONS)
		min = max = (unsigned)vhu_get(check, check->note->layout->first);
	if (fds < min || fds > max)
		vhu_report(check, VHU_RULE_AT_501, 0, "%s%s carries %u descriptor%s, not %u%s",
			   message->name, check->note->reply ? " reply" : "", fds,
			   fds == 1 ? "" : "s", fds < min ? min : max,
			   min == max  ? ""
			   : fds < min ? " or more"
				       : " or fewer");
}

/* Look at what kind of descriptor a message carries. */
static void check_kind(struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;
	unsigned row = 0, rows = VHU_ARRAY_SIZE(kinds_of);

	while (row < rows &&
	       (kinds_of[row].message != note->message->id || kinds_of[row].reply != note->reply))
		row++;
	for (unsigned i = 0; row < rows && i < check->record->fds; i++) {
		const struct vhu_fd_info *fd = &check->record->fd[i];
		char text[128];
		struct vhu_line line = vhu_line_in(text, sizeof(text));

		/* Skip a kind of a later version, and another kind without a name. */
		if ((unsigned)fd->kind >= VHU_FD_KINDS || (kinds_of[row].kinds >> fd->kind & 1) ||
		    (fd->kind == VHU_FD_OTHER && !(fd->name && *fd->name)))
			continue;
		if (fd->kind == VHU_FD_OTHER)
			vhu_line_foreign(&line, fd->name, sizeof(text) / 2, "");
		else
			vhu_fd_text(fd, text, sizeof(text));
		vhu_report(check, VHU_RULE_AT_503, 0, "%s%s carries %s, which is not %s",
			   note->message->name, note->reply ? " reply" : "", text,
			   kinds_of[row].wanted);
		return;
	}
}

/* Look for another role of the eventfd that a ring's kick or call is to be. */
static void check_roles(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	int at = vhu_check_message(check);
	enum vhu_vring_role role = at == VHU_REQUEST(SET_VRING_KICK)   ? VHU_KICK
				   : at == VHU_REQUEST(SET_VRING_CALL) ? VHU_CALL
								       : VHU_ERR;

	if (role == VHU_ERR || !check->record->fds ||
	    !(check->record->fd[0].has & VHU_FD_HAS_EVENTFD))
		return;
	for (unsigned i = 0; i < state->vrings; i++) {
		enum vhu_vring_role other = role == VHU_KICK ? VHU_CALL : VHU_KICK;
		const struct vhu_vring_fd *fd = &state->vring[i].fd[other];

		/* What was set before the device stopped may be closed, and its id another's. */
		if (!(state->vring[i].started.value || fd->number > state->stopped.by) ||
		    !fd->has_eventfd || fd->eventfd_id != check->record->fd[0].eventfd_id)
			continue;
		vhu_report(check, VHU_RULE_AT_504, fd->number,
			   "eventfd %" PRIu32
			   " becomes the %s of vring %d, and is the %s of vring %u",
			   fd->eventfd_id, vhu_vring_role_name(role), check->note->vring,
			   vhu_vring_role_name(other), i);
	}
}

void vhu_rules_descriptors(struct vhu_check_context *check)
{
	if (!(check->record->marks & VHU_MARK_TRUNCATED))
		check_count(check);
	if (!check->record->fds)
		return;
	check_kind(check);
	check_roles(check);
	if (check->note->message->id == VHU_MSG_SET_BACKEND_REQ_FD &&
	    check->state->backend_channel.by)
		vhu_report(check, VHU_RULE_AT_517, check->state->backend_channel.by,
			   "%s again, after message %" PRIu64, check->note->message->name,
			   check->state->backend_channel.by);
	if (check->note->message->opens == VHU_GPU && check->state->context.device &&
	    check->state->context.device != VIRTIO_ID_GPU)
		vhu_report(check, VHU_RULE_AT_620, 0, "%s, and this is a %s device",
			   check->note->message->name,
			   vhu_device_name(check->state->context.device));
}

/* Return whether two ranges overlap; ranges that wrap around do not here. */
static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Report a region that goes beyond the end of all addresses. Returns whether it does. */
static bool check_wraps(struct vhu_check_context *check, const struct vhu_region *region,
			unsigned index, const char *what, uint64_t from)
{
	if (from + region->size - 1 >= from)
		return false;
	vhu_report(check, VHU_RULE_AT_507, 0,
		   "region %u, 0x%" PRIx64 " bytes at %s 0x%" PRIx64 ", goes beyond 2^64", index,
		   region->size, what, from);
	return true;
}

/* Look at one region, number @index of its message, against those that are known already. */
static void check_region(struct vhu_check_context *check, const struct vhu_region *region,
			 unsigned index, const struct vhu_region *known, unsigned count)
{
	const struct vhu_fd_info *fd = &region->fd;
	/* Nobody uses the front-end's addresses then. */
	bool user = !vhu_taken(check, VHU_PF_GPA_ADDRESSES);

	if (region->size == 0) {
		vhu_report(check, VHU_RULE_AT_505, 0,
			   "region %u at guest address 0x%" PRIx64 " is empty", index,
			   region->guest_address);
		return;
	}
	if (check_wraps(check, region, index, "guest address", region->guest_address) ||
	    (user && check_wraps(check, region, index, "user address", region->user_address)) ||
	    check_wraps(check, region, index, "offset", region->mmap_offset))
		return;
	for (unsigned i = 0; i < count; i++) {
		bool guest = overlap(region->guest_address, region->size, known[i].guest_address,
				     known[i].size);

		if (guest || (user && overlap(region->user_address, region->size,
					      known[i].user_address, known[i].size)))
			vhu_report(check, VHU_RULE_AT_506,
				   known[i].number == check->number ? 0 : known[i].number,
				   "region %u, 0x%" PRIx64 " bytes at %s address 0x%" PRIx64
				   ", overlaps region %u at 0x%" PRIx64,
				   index, region->size, guest ? "guest" : "user",
				   guest ? region->guest_address : region->user_address, i,
				   guest ? known[i].guest_address : known[i].user_address);
	}
	if (!region->has_fd)
		return;
	if ((fd->has & VHU_FD_HAS_SIZE) && fd->size &&
	    region->mmap_offset + region->size > fd->size)
		vhu_report(check, VHU_RULE_AT_507, 0,
			   "region %u, 0x%" PRIx64 " bytes at offset 0x%" PRIx64
			   ", ends beyond its file of 0x%" PRIx64 " bytes",
			   index, region->size, region->mmap_offset, fd->size);
	if ((fd->flags & O_ACCMODE) == O_RDONLY)
		vhu_report(check, VHU_RULE_AT_508, 0,
			   "region %u is of a file that is open for reading alone", index);
	else if ((fd->has & VHU_FD_HAS_SEALS) && (fd->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		vhu_report(check, VHU_RULE_AT_508, 0,
			   "region %u is of a file that is sealed against writing, seals "
			   "0x%" PRIx32,
			   index, fd->seals);
	if ((fd->has & VHU_FD_HAS_PAGE_SIZE) && fd->page_size &&
	    ((region->mmap_offset | region->size) & (fd->page_size - 1)))
		vhu_report(check, VHU_RULE_AT_512, 0,
			   "region %u, 0x%" PRIx64 " bytes at offset 0x%" PRIx64
			   ", is not aligned to its pages of 0x%" PRIx64,
			   index, region->size, region->mmap_offset, fd->page_size);
}

/* Look at a memory table. */
static void check_table(struct vhu_check_context *check)
{
	const struct vhu_layout *layout = check->note->layout;
	const struct vhu_field *array = &vhu_fields[layout->first + layout->fields - 1];
	struct vhu_region region[TABLE_REGIONS_MAX];
	uint64_t regions = vhu_get(check, layout->first);

	if (array->kind != VHU_ARRAY)
		return;
	if (vhu_taken(check, VHU_PF_XEN_MMAP) && layout == &vhu_layouts[VHU_LAYOUT_mem_table] &&
	    regions && vhu_report_first(check, VHU_RULE_AT_206))
		vhu_report(check, VHU_RULE_AT_206, check->state->protocol_features.acked.by,
			   "bit %d was acked, and the regions of %s are not those of Xen: to one "
			   "side it is an older SHARED_OBJECT",
			   VHU_PF_XEN_MMAP, check->note->message->name);
	if (regions == 0)
		vhu_report(check, VHU_RULE_AT_505, 0, "the memory table has no regions");
	if (regions > TABLE_REGIONS_MAX)
		vhu_report(check, VHU_RULE_AT_515, 0,
			   "the memory table has %" PRIu64 " regions, more than %d", regions,
			   TABLE_REGIONS_MAX);
	for (unsigned i = 0; i < regions && i < TABLE_REGIONS_MAX; i++) {
		uint32_t base = array->offset + i * array->size;

		if (base + array->size > check->note->payload.captured)
			break;
		region[i] = vhu_check_region(check, base, i);
		check_region(check, &region[i], i, region, i);
	}
}

/* Look at a region that is added. */
static void check_added(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_field *field = &vhu_fields[VHU_FIELD_single_region_region];
	struct vhu_region region;

	if (check->note->payload.captured < field->offset + field->size)
		return;
	region = vhu_check_region(check, field->offset, 0);
	check_region(check, &region, state->regions, state->region, state->regions);
	if (state->mem_slots.by && state->regions >= state->mem_slots.value)
		vhu_report(check, VHU_RULE_AT_515, state->mem_slots.by,
			   "region %u is added, and the back-end has %" PRIu64 " slots",
			   state->regions, state->mem_slots.value);
}

/* Report a running ring that lies in a region which is removed. */
static void check_in_use(struct vhu_check_context *check, int region)
{
	const struct vhu_state *state = check->state;
	const bool guest = vhu_taken(check, VHU_PF_GPA_ADDRESSES);

	if (state->context.features >> VHU_F_ACCESS_PLATFORM & 1)
		return;
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];

		if (!vring->started.value || !vring->descriptor.by ||
		    (vhu_state_region(state, vring->descriptor.value, 1, guest) != region &&
		     vhu_state_region(state, vring->available.value, 1, guest) != region &&
		     vhu_state_region(state, vring->used.value, 1, guest) != region))
			continue;
		vhu_report(check, VHU_RULE_AT_519, vring->descriptor.by,
			   "%s of region %d, which holds vring %u; the vring runs since message "
			   "%" PRIu64,
			   check->note->message->name, region, i, vring->started.by);
		return;
	}
}

/* Look at a region that is removed. */
static void check_removed(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_field *field = &vhu_fields[VHU_FIELD_single_region_region];
	struct vhu_region region = vhu_check_region(check, field->offset, 1);

	if (!check->whole || check->note->payload.captured < field->offset + field->size)
		return;
	for (unsigned i = 0; i < state->regions; i++)
		if (state->region[i].guest_address == region.guest_address &&
		    state->region[i].size == region.size) {
			check_in_use(check, (int)i);
			return;
		}
	vhu_report(check, VHU_RULE_AT_516, 0,
		   "%s of 0x%" PRIx64 " bytes at guest address 0x%" PRIx64
		   ", where no such region is",
		   check->note->message->name, region.size, region.guest_address);
}

void vhu_rules_memory(struct vhu_check_context *check)
{
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_MEM_TABLE):
		check_table(check);
		break;
	case VHU_REQUEST(ADD_MEM_REG):
		check_added(check);
		break;
	case VHU_REQUEST(REM_MEM_REG):
		check_removed(check);
		break;
	}
}
