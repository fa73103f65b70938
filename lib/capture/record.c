/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record's encoding: exported-PDU tags, a fixed part, TLVs. docs/capture-format.md says it
 * byte by byte, and a test decodes the examples there.
 */
#include "lib/capture/record.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The tag of an exported PDU that names the dissector, and the tag that ends the tags. */
#define TAG_END       0
#define TAG_DISSECTOR 12

#define FIXED_SIZE    20
#define TLV_HEAD_SIZE 4
#define COMM_MAX      15 /* TASK_COMM_LEN without its NUL */

/* The types of TLVs. 33 to 47 are kept for what a vring event has to tell. */
enum tlv {
	TLV_FD = 1,
	TLV_SEGMENTS = 2,
	TLV_FRONT_END = 3,
	TLV_BACK_END = 4,
	TLV_TEXT = 5,
	TLV_VRING = 32,
};

/* In the set of an fd's TLV: a name follows. The lower bits are enum vhu_fd_has. */
#define FD_NAMED   (1 << 7)
/* In the set of a peer's TLV: pid, uid, gid and comm are told. */
#define PEER_KNOWN (1 << 0)

/* The tags as we write them; the name is padded to a multiple of 4. */
static const uint8_t tags[] = {0,   TAG_DISSECTOR, 0,   12,  'v', 'h', 'o', 's', 't', '_',
			       'u', 's',           'e', 'r', 0,   0,   0,   0,   0,   0};

/* Bytes not yet read. One read past the end and all later ones give zeros; `over` tells. */
struct input {
	const uint8_t *at;
	size_t left;
	bool over;
};

/* Take @size bytes off @in. Returns where they are, or NULL where there are fewer left. */
static const uint8_t *take(struct input *in, size_t size)
{
	const uint8_t *at = in->at;

	if (size > in->left) {
		in->left = 0;
		in->over = true;
		return NULL;
	}
	in->at += size;
	in->left -= size;
	return at;
}

/* Take an integer of one byte; 0 past the end. */
static uint8_t take_8(struct input *in)
{
	const uint8_t *at = take(in, 1);

	return at ? *at : 0;
}

/* Take an integer of two bytes; 0 past the end. */
static uint16_t take_16(struct input *in)
{
	const uint8_t *at = take(in, 2);
	uint16_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

/* Take an integer of four bytes; 0 past the end. */
static uint32_t take_32(struct input *in)
{
	const uint8_t *at = take(in, 4);
	uint32_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

/* Take an integer of eight bytes; 0 past the end. */
static uint64_t take_64(struct input *in)
{
	const uint8_t *at = take(in, 8);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

/* Take a text with its NUL. Returns it where it lies; "" and in->over where its NUL is missing. */
static const char *take_text(struct input *in)
{
	const char *text = (const char *)in->at;
	const uint8_t *nul = in->left ? memchr(in->at, 0, in->left) : NULL;

	if (!nul) {
		in->left = 0;
		in->over = true;
		return "";
	}
	take(in, (size_t)(nul - in->at) + 1);
	return text;
}

/* Append an integer of one byte. Returns where the next goes, as all append functions do. */
static uint8_t *put_8(uint8_t *to, uint8_t value)
{
	*to = value;
	return to + 1;
}

/* Append an integer of two bytes. */
static uint8_t *put_16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

/* Append an integer of four bytes. */
static uint8_t *put_32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

/* Append an integer of eight bytes. */
static uint8_t *put_64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	return (uint8_t *)mempcpy(to, &value, sizeof(value));
}

/* Append @text, which may be NULL, cut to @most bytes, and its NUL. */
static uint8_t *put_text(uint8_t *to, const char *text, size_t most)
{
	size_t size = text ? strnlen(text, most) : 0;

	if (size)
		memcpy(to, text, size);
	to[size] = 0;
	return to + size + 1;
}

/* Write the head of the TLV whose value fills [@from + TLV_HEAD_SIZE, @to). */
static uint8_t *put_tlv_head(uint8_t *from, enum tlv type, uint8_t *to)
{
	put_16(put_16(from, type), (uint16_t)(to - from - TLV_HEAD_SIZE));
	return to;
}

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
static uint8_t *put_peer(uint8_t *from, enum tlv type, const struct vhu_peer *peer)
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
	uint8_t *fixed = to + sizeof(tags), *tlvs = fixed + FIXED_SIZE, *end = tlvs;

	memcpy(to, tags, sizeof(tags));
	for (unsigned i = 0; i < record->fds && i < VHU_RECORD_FDS_MAX; i++)
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

/* Read a descriptor from its TLV's value. A kind of a later version is told as "other". */
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

	if (in->left >= sizeof(tags) && !memcmp(in->at, tags, sizeof(tags))) {
		take(in, sizeof(tags));
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
	static const struct vhu_peer nobody = {.comm = "", .path = ""};
	uint8_t version = take_8(in), type = take_8(in), channel = take_8(in), back = take_8(in);

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
	record->front_end = nobody;
	record->back_end = nobody;
	record->text = "";
	record->vring = (struct vhu_vring_event){.act = VHU_ACTS, .comm = ""};
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
	if (in.left < FIXED_SIZE)
		return in.left && *in.at != VHU_RECORD_VERSION ? -EBADMSG : overrun;
	ret = get_fixed(&in, record, &tlvs);
	if (ret)
		return ret;
	part = (struct input){take(&in, tlvs), tlvs, false};
	if (in.over)
		return overrun;
	record->fd = fd;
	while (part.left)
		if (!get_tlv(&part, record, fd))
			return -EBADMSG;
	record->message = in.left ? in.at : NULL;
	record->message_size = in.left < UINT32_MAX ? (uint32_t)in.left : UINT32_MAX;
	record->message_sent = sent > size ? in.left + (sent - size) : in.left;
	return 0;
}

const char *vhu_fd_kind_name(enum vhu_fd_kind kind)
{
	static const char *const name[VHU_FD_KINDS] = {
	    [VHU_FD_OTHER] = "other",
	    [VHU_FD_MEMFD] = "memfd",
	    [VHU_FD_EVENTFD] = "eventfd",
	    [VHU_FD_FILE] = "file",
	    [VHU_FD_SOCKET] = "socket",
	    [VHU_FD_PIPE] = "pipe",
	    [VHU_FD_USERFAULTFD] = "userfaultfd",
	    [VHU_FD_DMABUF] = "dma-buf",
	};

	return (unsigned)kind < VHU_FD_KINDS ? name[kind] : name[VHU_FD_OTHER];
}

const char *vhu_record_type_name(enum vhu_record_type type)
{
	static const char *const name[VHU_RECORD_TYPES] = {
	    [VHU_RECORD_MESSAGE] = "message", [VHU_RECORD_OPENED] = "opened",
	    [VHU_RECORD_CLOSED] = "closed",   [VHU_RECORD_ERROR] = "error",
	    [VHU_RECORD_VRING] = "vring",     [VHU_RECORD_CONTINUED] = "continued",
	};

	return (unsigned)type < VHU_RECORD_TYPES ? name[type] : NULL;
}

/*
 * Find the part of a descriptor's name that tells something: not the kind, which stands before it,
 * nor that the file has no directory entry, which goes for every memfd.
 * @size: gets its length; 0 for names made by the kernel, such as "socket:[4711]".
 * Returns where it begins.
 */
static const char *fd_name(const struct vhu_fd_info *fd, int *size)
{
	static const char prefix[] = "/memfd:", suffix[] = " (deleted)";
	const char *name = fd->name ? fd->name : "";
	size_t length;

	if (fd->kind == VHU_FD_MEMFD && !strncmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	else if (fd->kind != VHU_FD_MEMFD && *name != '/')
		name = "";
	length = strnlen(name, VHU_RECORD_TEXT_MAX);
	if (fd->kind == VHU_FD_MEMFD && length >= sizeof(suffix) - 1 &&
	    !memcmp(name + length - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1))
		length -= sizeof(suffix) - 1;
	*size = (int)length;
	return name;
}

const char *vhu_vring_act_name(enum vhu_vring_act act)
{
	static const char *const name[VHU_ACTS] = {
	    [VHU_ACT_KICK] = "kick",
	    [VHU_ACT_WAKE] = "wake",
	    [VHU_ACT_CALL] = "call",
	    [VHU_ACT_ERR] = "error",
	};

	return (unsigned)act < VHU_ACTS ? name[act] : NULL;
}

const char *vhu_vring_fate_name(enum vhu_vring_fate fate)
{
	static const char *const name[VHU_FATES] = {
	    [VHU_FATE_PASSED] = "passed on",
	    [VHU_FATE_LOST] = "lost",
	    [VHU_FATE_DELAYED] = "delayed",
	    [VHU_FATE_REPEATED] = "repeated",
	};

	return (unsigned)fate < VHU_FATES ? name[fate] : NULL;
}

int vhu_fd_text(const struct vhu_fd_info *fd, char *to, size_t size)
{
	static const char unit[] = "\0KMGTPE";
	const char *kind = vhu_fd_kind_name(fd->kind);
	uint64_t amount = fd->size;
	unsigned power = 0;
	char bytes[32] = "";
	int length, ret;
	const char *name = fd_name(fd, &length);

	if (fd->has & VHU_FD_HAS_EVENTFD)
		return snprintf(to, size, "%s %" PRIu32, kind, fd->eventfd_id);
	for (; amount && amount % 1024 == 0; power++)
		amount /= 1024;
	if (fd->has & VHU_FD_HAS_SIZE)
		snprintf(bytes, sizeof(bytes), " %" PRIu64 "%.1s", amount, unit + power);
	ret = snprintf(to, size, "%s%s%.*s%s", kind, length ? " " : "", length, name, bytes);
	/* A peer chooses the names of its memfds: they must not reach a terminal as commands. */
	for (size_t i = 0; i + 1 < size && to[i]; i++)
		if ((unsigned char)to[i] < ' ' || to[i] == 0x7f)
			to[i] = '?';
	return ret;
}
