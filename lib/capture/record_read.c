/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records, read: every byte comes from somebody else. */
#include <errno.h>

#include "lib/capture/snapshot_layout.h"
#include "lib/capture/take.h"

/* Read a vring event from its TLV's value. */
static void get_vring(struct input *in, struct vhu_vring_event *event)
{
	uint8_t act = take_8(in);

	take_8(in);
	event->act = act < VHU_ACTS ? (enum vhu_vring_act)act : VHU_ACTS;
	event->has = take_16(in);
	event->vring = take_32(in);
	event->eventfd_id = take_32(in);
	event->pid = take_32(in);
	event->tid = take_32(in);
	event->cpu = take_32(in);
	event->kick_to_wake = take_64(in);
	event->wake_to_call = take_64(in);
	event->kick_to_call = take_64(in);
	event->comm = take_text(in);
	if (event->has & VHU_VRING_HAS_FATE) {
		uint8_t fate;

		event->signals = take_64(in);
		fate = take_8(in);
		event->fate = fate < VHU_FATES ? (enum vhu_vring_fate)fate : VHU_FATES;
	}
}

/* Read a descriptor from its TLV's value. A kind of a later version becomes "other". */
static void get_fd(struct input *in, struct vhu_fd_info *fd)
{
	uint8_t kind = take_8(in);
	uint16_t set;

	take_8(in);
	set = take_16(in);
	*fd = (struct vhu_fd_info){
	    .kind = kind < VHU_FD_KINDS ? kind : VHU_FD_OTHER,
	    .has = set & (FD_NAMED - 1),
	    .flags = take_32(in),
	    .name = "",
	};
	if (set & VHU_FD_HAS_INODE) {
		fd->inode = take_64(in);
		fd->device = take_64(in);
	}
	if (set & VHU_FD_HAS_SIZE)
		fd->size = take_64(in);
	if (set & VHU_FD_HAS_SEALS)
		fd->seals = take_32(in);
	if (set & VHU_FD_HAS_PAGE_SIZE)
		fd->page_size = take_64(in);
	if (set & VHU_FD_HAS_EVENTFD)
		fd->eventfd_id = take_32(in);
	if (set & VHU_FD_HAS_COUNT)
		fd->eventfd_count = take_64(in);
	if (set & VHU_FD_HAS_SEMAPHORE)
		fd->semaphore = take_8(in);
	if (set & FD_NAMED)
		fd->name = take_text(in);
}

/* Read a peer from its TLV's value. */
static void get_peer(struct input *in, struct vhu_peer *peer)
{
	peer->known = take_32(in) & PEER_KNOWN;
	peer->pid = take_32(in);
	peer->uid = take_32(in);
	peer->gid = take_32(in);
	peer->comm = take_text(in);
	peer->path = take_text(in);
}

/* Read segment sizes from their TLV's value; more than there is room for go into the last one. */
static void get_segments(struct input *in, struct vhu_record *record)
{
	record->segments = 0;
	while (in->left && !in->over) {
		uint32_t size = take_32(in);

		if (record->segments < VHU_RECORD_SEGMENTS_MAX)
			record->segment[record->segments++] = size;
		else
			record->segment[VHU_RECORD_SEGMENTS_MAX - 1] += size;
	}
}

/*
 * Read the next TLV of a record, passing over types of later versions, and in a known one over
 * what later versions append to it.
 * @fd: room for VHU_RECORD_FDS_MAX descriptors.
 * Returns whether it is well formed.
 */
static bool get_tlv(struct input *in, struct vhu_record *record, struct vhu_fd_info *fd)
{
	uint16_t type = take_16(in), size = take_16(in);
	const uint8_t *value = take(in, size);
	struct input part = {value, size, false};

	if (in->over)
		return false;
	switch (type) {
	case TLV_FD:
		if (record->fds == VHU_RECORD_FDS_MAX)
			return false;
		get_fd(&part, &fd[record->fds++]);
		break;
	case TLV_SEGMENTS:
		get_segments(&part, record);
		break;
	case TLV_FRONT_END:
		get_peer(&part, &record->front_end);
		break;
	case TLV_BACK_END:
		get_peer(&part, &record->back_end);
		break;
	case TLV_TEXT:
		record->text = take_text(&part);
		break;
	case TLV_VRING:
		get_vring(&part, &record->vring);
		break;
	case TLV_SNAPSHOT:
	case TLV_VERDICT:
	case TLV_REQUEST:
		vhu_snapshot_decode(&record->snapshot, type, &part);
		break;
	}
	return !part.over;
}

/*
 * Take the exported-PDU tags off @in, if there are any: they begin with a byte of 0, a record with
 * its version.
 * Returns 0; -ENOMSG where they name another dissector or none; -EBADMSG where they overrun.
 */
static int take_tags(struct input *in)
{
	bool ours = false;

	if (in->left >= sizeof(vhu_record_tags) &&
	    !memcmp(in->at, vhu_record_tags, sizeof(vhu_record_tags))) {
		take(in, sizeof(vhu_record_tags));
		return 0;
	}
	if (!in->left || *in->at)
		return 0;
	for (;;) {
		uint16_t tag = take_16(in), size = take_16(in);
		const uint8_t *value = take(in, size);

		if (in->over)
			return -EBADMSG;
		if (tag == TAG_END)
			return ours ? 0 : -ENOMSG;
		if (tag == TAG_DISSECTOR)
			ours =
			    size >= sizeof(VHU_RECORD_DISSECTOR) - 1 &&
			    strnlen((const char *)value, size) ==
				sizeof(VHU_RECORD_DISSECTOR) - 1 &&
			    !memcmp(value, VHU_RECORD_DISSECTOR, sizeof(VHU_RECORD_DISSECTOR) - 1);
	}
}

/*
 * Read the fixed part.
 * @tlvs: gets the size of the TLVs.
 * Returns 0, -EBADMSG.
 */
static int get_fixed(struct input *in, struct vhu_record *record, uint32_t *tlvs)
{
	static const struct vhu_peer no_peer = {.comm = "", .path = ""};
	uint8_t version = take_8(in), type = take_8(in), channel = take_8(in), back = take_8(in);

	record->version = version;
	if (version != VHU_RECORD_VERSION || channel >= VHU_CHANNELS || back > 1)
		return -EBADMSG;
	record->type = type;
	record->channel = channel;
	record->from_back_end = back;
	record->marks = take_16(in);
	take_16(in);
	record->session = take_64(in);
	*tlvs = take_32(in);
	record->fds = 0;
	record->segments = 0;
	record->front_end = no_peer;
	record->back_end = no_peer;
	record->text = "";
	record->vring = (struct vhu_vring_event){.act = VHU_ACTS, .comm = ""};
	vhu_snapshot_begin(&record->snapshot);
	return 0;
}

int vhu_record_decode(struct vhu_record *record, struct vhu_fd_info *fd, const uint8_t *from,
		      size_t size, size_t sent)
{
	struct input in = {from, size, false}, part;
	/* What overruns a packet that was cut was only cut. */
	int overrun = sent > size ? -ENODATA : -EBADMSG;
	uint32_t tlvs = 0;
	int ret = take_tags(&in);

	if (ret)
		return ret == -EBADMSG ? overrun : ret;
	if (in.left && in.at != from && *in.at > VHU_RECORD_VERSION) {
		record->version = *in.at;
		return -EPROTONOSUPPORT;
	}
	if (in.left < FIXED_SIZE)
		return in.left && *in.at != VHU_RECORD_VERSION ? -EBADMSG : overrun;
	ret = get_fixed(&in, record, &tlvs);
	if (ret)
		return ret;
	part = (struct input){take(&in, tlvs), tlvs, false};
	if (in.over)
		return overrun;
	record->fd = fd;
	record->snapshot.tlvs = part.at;
	record->snapshot.tlvs_size = tlvs;
	while (part.left)
		if (!get_tlv(&part, record, fd))
			return -EBADMSG;
	record->message = in.left ? in.at : NULL;
	record->message_size = in.left < UINT32_MAX ? (uint32_t)in.left : UINT32_MAX;
	record->message_sent = sent > size ? in.left + (sent - size) : in.left;
	return 0;
}
