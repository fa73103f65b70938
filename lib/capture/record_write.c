/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records, written. */
#include "lib/capture/put.h"
#include "lib/capture/snapshot_layout.h"

/* Append the TLV of a descriptor. */
static uint8_t *put_fd(uint8_t *from, const struct vhu_fd_info *fd)
{
	bool named = fd->name && *fd->name;
	uint8_t *to = from + TLV_HEAD_SIZE;

	to = put_8(to, fd->kind);
	to = put_8(to, 0);
	to = put_16(to, (uint16_t)((fd->has & (FD_NAMED - 1)) | (named ? FD_NAMED : 0)));
	to = put_32(to, fd->flags);
	if (fd->has & VHU_FD_HAS_INODE)
		to = put_64(put_64(to, fd->inode), fd->device);
	if (fd->has & VHU_FD_HAS_SIZE)
		to = put_64(to, fd->size);
	if (fd->has & VHU_FD_HAS_SEALS)
		to = put_32(to, fd->seals);
	if (fd->has & VHU_FD_HAS_PAGE_SIZE)
		to = put_64(to, fd->page_size);
	if (fd->has & VHU_FD_HAS_EVENTFD)
		to = put_32(to, fd->eventfd_id);
	if (fd->has & VHU_FD_HAS_COUNT)
		to = put_64(to, fd->eventfd_count);
	if (fd->has & VHU_FD_HAS_SEMAPHORE)
		to = put_8(to, fd->semaphore);
	if (named)
		to = put_text(to, fd->name, VHU_RECORD_TEXT_MAX);
	return put_tlv_head(from, TLV_FD, to);
}

/* Append the TLV of a vring event. */
static uint8_t *put_vring(uint8_t *from, const struct vhu_vring_event *event)
{
	uint8_t *to = from + TLV_HEAD_SIZE;

	to = put_8(to, (uint8_t)event->act);
	to = put_8(to, 0);
	to = put_16(to, event->has);
	to = put_32(put_32(to, event->vring), event->eventfd_id);
	to = put_32(put_32(put_32(to, event->pid), event->tid), event->cpu);
	to = put_64(to, event->kick_to_wake);
	to = put_64(to, event->wake_to_call);
	to = put_64(to, event->kick_to_call);
	to = put_text(to, event->comm, COMM_MAX);
	if (event->has & VHU_VRING_HAS_FATE)
		to = put_8(put_64(to, event->signals), (uint8_t)event->fate);
	return put_tlv_head(from, TLV_VRING, to);
}

/* Append the TLV of a peer, unless nothing is known of it. */
static uint8_t *put_peer(uint8_t *from, enum vhu_tlv type, const struct vhu_peer *peer)
{
	uint8_t *to = from + TLV_HEAD_SIZE;

	if (!peer->known && !(peer->path && *peer->path))
		return from;
	to = put_32(to, peer->known ? PEER_KNOWN : 0);
	to = put_32(to, peer->pid);
	to = put_32(to, peer->uid);
	to = put_32(to, peer->gid);
	to = put_text(to, peer->comm, COMM_MAX);
	to = put_text(to, peer->path, VHU_RECORD_TEXT_MAX);
	return put_tlv_head(from, type, to);
}

/* Append the TLV of the segment sizes, unless they are unknown. */
static uint8_t *put_segments(uint8_t *from, const struct vhu_record *record)
{
	uint8_t *to = from + TLV_HEAD_SIZE;

	if (!record->segments)
		return from;
	for (unsigned i = 0; i < record->segments && i < VHU_RECORD_SEGMENTS_MAX; i++)
		to = put_32(to, record->segment[i]);
	return put_tlv_head(from, TLV_SEGMENTS, to);
}

size_t vhu_record_encode(const struct vhu_record *record, uint8_t *to)
{
	uint8_t *fixed = to + sizeof(vhu_record_tags), *tlvs = fixed + FIXED_SIZE, *end = tlvs;

	memcpy(to, vhu_record_tags, sizeof(vhu_record_tags));
	/* A snapshot comes without descriptors: there is no room for both. */
	for (unsigned i = 0;
	     record->type != VHU_RECORD_SNAPSHOT && i < record->fds && i < VHU_RECORD_FDS_MAX; i++)
		end = put_fd(end, &record->fd[i]);
	end = put_segments(end, record);
	end = put_peer(end, TLV_FRONT_END, &record->front_end);
	end = put_peer(end, TLV_BACK_END, &record->back_end);
	if (record->text && *record->text)
		end =
		    put_tlv_head(end, TLV_TEXT,
				 put_text(end + TLV_HEAD_SIZE, record->text, VHU_RECORD_TEXT_MAX));
	if (record->type == VHU_RECORD_VRING)
		end = put_vring(end, &record->vring);
	if (record->type == VHU_RECORD_SNAPSHOT)
		end = vhu_snapshot_encode(&record->snapshot, end);

	fixed = put_8(fixed, VHU_RECORD_VERSION);
	fixed = put_8(fixed, record->type);
	fixed = put_8(fixed, record->channel);
	fixed = put_8(fixed, record->from_back_end);
	fixed = put_16(fixed, record->marks);
	fixed = put_16(fixed, 0);
	fixed = put_64(fixed, record->session);
	put_32(fixed, (uint32_t)(end - tlvs));
	return (size_t)(end - to);
}
