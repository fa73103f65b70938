/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the golden capture out of the table: a session for each message, each layout that its
 * payloads can have, and each number of descriptors; every field filled with a value of its own.
 *
 *	generate [--big-endian] FILE
 *
 * Then a session of what is no message: vring events, and records that are told again after some
 * were lost.
 *
 * What the tools say of the capture is compared with what is kept beside this file, so a row of the
 * table that nobody looked at yet makes the comparison fail.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng.h"
#include "lib/protocol/walk.h"

/* 2023-07-04 12:36:00 UTC, when GET_BACKEND_SPECS was proposed; each record is 1 ms later. */
#define FIRST_NS UINT64_C(1688474160000000000)
#define STEP_NS  UINT64_C(1000000)

#define PAYLOAD_MAX 20000
#define REGIONS     2
#define BLOCK       2

struct maker {
	struct vhu_pcapng_writer *writer;
	uint64_t session, time_ns;
	uint16_t marks; /* of messages, besides the byte order */
	bool big_endian, failed;
};

/* What one case is about. */
struct golden {
	const struct vhu_message *message;
	const struct vhu_shape *shape[2]; /* of the request, of the reply */
	unsigned fds[2];
};

/* Write the @size lower bytes of @value. */
static void put(uint8_t *to, unsigned size, uint64_t value, bool big)
{
	for (unsigned i = 0; i < size; i++)
		to[i] |= (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
}

/* Return how many elements or bytes a field that counts others is to say, 0 for other fields. */
static uint64_t count_told(enum vhu_field_id id)
{
	if (id == VHU_FIELD_config_size)
		return vhu_config_layout(BLOCK)->size;
	for (unsigned f = 0; f < VHU_FIELDS; f++)
		if (vhu_fields[f].kind == VHU_ARRAY && vhu_fields[f].counted_by == id)
			return REGIONS;
	return 0;
}

/* Return a value for field number @place of a layout: one that its names know, or one that tells
 * the fields apart. */
static uint64_t value_for(enum vhu_field_id id, unsigned place, unsigned fds)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint64_t bits = 0;

	if (count_told(id))
		return count_told(id);
	if (id == VHU_FIELD_config_offset || !strcmp(field->path, "reserved"))
		return 0;
	if (id == VHU_FIELD_crypto_asym_op_code)
		return VHU_CRYPTO_SERVICE_AKCIPHER << 8;
	if (field->show == VHU_BOOL)
		return fds == 0;
	for (unsigned i = 0; field->names != VHU_NAMES_none && i < vhu_names_count; i++) {
		const struct vhu_name *name = &vhu_names[i];

		if (name->set != field->names || name->device)
			continue;
		if (!vhu_name_sets[field->names].bits)
			return name->value;
		bits |= UINT64_C(1) << name->value;
	}
	if (bits)
		return bits;
	return field->show == VHU_HEX ? 0x1000 * (uint64_t)(place + 1) : place + 1;
}

/* Fill in a layout at @to. @fds: descriptors with the message. Returns its size in bytes. */
static uint32_t fill(const struct maker *maker, const struct vhu_layout *layout, unsigned fds,
		     uint8_t *to)
{
	uint32_t size = layout->size;

	for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
		const struct vhu_field *field = &vhu_fields[f];
		uint8_t *at = to + field->offset;
		uint64_t value;

		switch (field->kind) {
		case VHU_UINT:
		case VHU_INT:
		case VHU_LE:
			value = value_for(f, f - layout->first, fds);
			if (field->mask)
				value = value << __builtin_ctzll(field->mask) & field->mask;
			put(at, field->size, value, field->kind != VHU_LE && maker->big_endian);
			break;
		case VHU_STRUCT:
			fill(maker, &vhu_layouts[field->layout], fds, at);
			break;
		case VHU_ARRAY:
			for (unsigned i = 0; i < REGIONS; i++)
				fill(maker, &vhu_layouts[field->layout], fds, at + i * field->size);
			size = field->offset + REGIONS * field->size > size
				   ? field->offset + REGIONS * field->size
				   : size;
			break;
		case VHU_CONFIG:
			size += fill(maker, vhu_config_layout(BLOCK), fds, at);
			break;
		case VHU_TEXT:
			snprintf((char *)at, field->size, "golden");
			break;
		case VHU_BYTES:
			for (uint32_t i = 0; i < (field->size ? field->size : 5); i++)
				at[i] = field->show == VHU_SECRET ? 0 : (uint8_t)i;
			size += field->size ? 0 : 5;
			break;
		case VHU_MAC:
		case VHU_UUID:
			for (uint32_t i = 0; i < field->size; i++)
				at[i] = (uint8_t)(0x50 + i);
			break;
		case VHU_PADDING:
			break;
		}
	}
	return size;
}

/* Describe the descriptors of a message: kinds in turn. */
static void describe(struct vhu_fd_info *fd, unsigned fds)
{
	for (unsigned i = 0; i < fds; i++) {
		enum vhu_fd_kind kind = 1 + i % (VHU_FD_KINDS - 1);

		fd[i] = (struct vhu_fd_info){
		    .kind = kind,
		    .has = VHU_FD_HAS_INODE,
		    .inode = 100 + i,
		    .device = 0x1d,
		    .flags = 02,
		};
		if (kind != VHU_FD_EVENTFD) {
			fd[i].name = "/memfd:golden";
			fd[i].size = 0x100000;
			fd[i].has |= VHU_FD_HAS_SIZE;
		} else {
			fd[i].eventfd_id = 7 + i;
			fd[i].has |= VHU_FD_HAS_EVENTFD | VHU_FD_HAS_COUNT | VHU_FD_HAS_SEMAPHORE;
		}
	}
}

/* Write a record at its time. */
static void give(struct maker *maker, struct vhu_record *record)
{
	record->session = maker->session;
	record->time_ns = maker->time_ns;
	maker->time_ns += STEP_NS;
	if (vhu_pcapng_write(maker->writer, record))
		maker->failed = true;
}

/* Write one message with its payload as it is. */
static void give_message(struct maker *maker, const struct vhu_message *message, bool reply,
			 uint32_t flags, const uint8_t *payload, uint32_t size, unsigned fds)
{
	static uint8_t bytes[VHU_HEADER_SIZE + PAYLOAD_MAX];
	struct vhu_fd_info fd[16];
	struct vhu_record record = {
	    .type = VHU_RECORD_MESSAGE,
	    .channel = message->channel,
	    .from_back_end = reply == (message->channel == VHU_FRONT_END),
	    .marks = maker->marks | (maker->big_endian ? VHU_MARK_BIG_ENDIAN : 0),
	    .message = bytes,
	    .message_size = VHU_HEADER_SIZE + size,
	    .message_sent = VHU_HEADER_SIZE + size,
	    .fds = (uint16_t)fds,
	    .fd = fd,
	};

	if (message->channel != VHU_GPU)
		flags |= VHU_FLAGS_VERSION;
	if (reply)
		flags |= VHU_FLAG_REPLY;
	describe(fd, fds);
	vhu_header_write(bytes, (struct vhu_header){message->request, flags, size},
			 maker->big_endian);
	memcpy(bytes + VHU_HEADER_SIZE, payload, size);
	give(maker, &record);
}

/* Write one message whose fields have values of their own. */
static void give_filled(struct maker *maker, const struct vhu_message *message, bool reply,
			uint32_t flags, const struct vhu_layout *layout, unsigned fds)
{
	static uint8_t payload[PAYLOAD_MAX];
	uint32_t size;

	memset(payload, 0, sizeof(payload));
	size = fill(maker, layout, fds, payload);
	give_message(maker, message, reply, flags, payload, size, fds);
}

/* Write one message of a u64. */
static void give_u64(struct maker *maker, enum vhu_message_id id, bool reply, uint64_t value)
{
	uint8_t payload[8] = {0};

	put(payload, 8, value, maker->big_endian);
	give_message(maker, &vhu_messages[id], reply, 0, payload, 8, 0);
}

/* Write one message without a payload. */
static void give_empty(struct maker *maker, enum vhu_message_id id)
{
	give_message(maker, &vhu_messages[id], false, 0, (const uint8_t *)"", 0, 0);
}

/* Write what has to pass before a case's message means what the case is about. */
static void set_up(struct maker *maker, const struct golden *golden)
{
	uint64_t protocol = golden->message->needs_protocol | UINT64_C(1) << VHU_PF_REPLY_ACK;
	uint64_t features = golden->message->needs_feature | UINT64_C(1) << VHU_F_PROTOCOL_FEATURES;
	bool postcopy = false;

	for (unsigned reply = 0; reply < 2; reply++) {
		enum vhu_when when = golden->shape[reply]->when;

		features |= when == VHU_IF_PACKED ? UINT64_C(1) << VHU_F_RING_PACKED : 0;
		protocol |= when == VHU_IF_XEN ? UINT64_C(1) << VHU_PF_XEN_MMAP : 0;
		protocol |= when == VHU_IF_LOG_SHMFD ? UINT64_C(1) << VHU_PF_LOG_SHMFD : 0;
		postcopy |= when == VHU_IF_POSTCOPY;
	}
	if (golden->message->dialect == VHU_STANDALONE || golden->message->dialect == VHU_PROBE)
		protocol |= UINT64_C(1) << VHU_PF_STATUS;
	/* What a block device offers, so that its configuration is known for one. */
	give_empty(maker, VHU_MSG_GET_FEATURES);
	give_u64(maker, VHU_MSG_GET_FEATURES, true, features | 0x6e44);
	give_u64(maker, VHU_MSG_SET_PROTOCOL_FEATURES, false, protocol);
	give_u64(maker, VHU_MSG_SET_FEATURES, false, features);
	if (postcopy)
		give_empty(maker, VHU_MSG_POSTCOPY_LISTEN);
}

/* Write a case as a session. */
static void give_case(struct maker *maker, const struct golden *golden)
{
	const struct vhu_message *message = golden->message;
	const struct vhu_layout *request = &vhu_layouts[golden->shape[0]->layout];
	const struct vhu_layout *reply = &vhu_layouts[golden->shape[1]->layout];
	bool acked = message->reply_rule == VHU_REPLY_ACK;
	char name[128];
	struct vhu_record session = {.type = VHU_RECORD_OPENED, .text = name};

	maker->session++;
	snprintf(name, sizeof(name), "%s, request as %s with %u fds, reply as %s with %u fds",
		 message->name, request->id, golden->fds[0], reply->id, golden->fds[1]);
	give(maker, &session);
	set_up(maker, golden);
	give_filled(maker, message, false, acked ? VHU_FLAG_NEED_REPLY : 0, request,
		    golden->fds[0]);
	if (message->reply_rule != VHU_REPLY_NEVER)
		give_filled(maker, message, true, 0, reply, golden->fds[1]);
	session.type = VHU_RECORD_CLOSED;
	session.text = "end of the case";
	give(maker, &session);
}

/* Return a number of descriptors that a row may have, for a payload of @layout. */
static unsigned fds_of(uint8_t count, const struct vhu_layout *layout)
{
	if (count != VHU_FDS_REGIONS)
		return count;
	return layout->fields && vhu_fields[layout->first + layout->fields - 1].kind == VHU_ARRAY
		   ? REGIONS
		   : 0;
}

/* Write the cases of a request's layout and a reply's: with the fewest and the most descriptors. */
static void give_layouts(struct maker *maker, const struct vhu_message *message,
			 const struct vhu_shape *request, const struct vhu_shape *reply)
{
	struct golden golden = {.message = message, .shape = {request, reply}};

	for (unsigned most = 0; most < 2; most++) {
		for (unsigned side = 0; side < 2; side++)
			golden.fds[side] =
			    fds_of(most ? message->fds[side].max : message->fds[side].min,
				   &vhu_layouts[golden.shape[side]->layout]);
		if (!most || message->fds[0].min != message->fds[0].max ||
		    message->fds[1].min != message->fds[1].max)
			give_case(maker, &golden);
	}
}

/* Return the reply's layout that belongs to a request's: the one on the same condition, or else the
 * likeliest. @side: 1; 0 to look for the request's that belongs to a reply's. */
static const struct vhu_shape *partner(const struct vhu_message *message, unsigned side,
				       enum vhu_when when)
{
	const struct vhu_shapes *shapes = &vhu_shapes[message->shape[side]];

	for (unsigned i = 0; i < shapes->shapes; i++)
		if (shapes->shape[i].when == when && when != VHU_IF_SIZE)
			return &shapes->shape[i];
	return &shapes->shape[shapes->shapes - 1];
}

/* Write all cases of a row. A message that is answered in its own layouts echoes them. */
static void give_row(struct maker *maker, const struct vhu_message *message)
{
	const struct vhu_shapes *request = &vhu_shapes[message->shape[0]];
	const struct vhu_shapes *reply = &vhu_shapes[message->shape[1]];
	bool echoes = message->shape[0] == message->shape[1];

	for (unsigned i = 0; i < request->shapes; i++)
		give_layouts(maker, message, &request->shape[i],
			     echoes ? &request->shape[i]
				    : partner(message, 1, request->shape[i].when));
	for (unsigned i = 0; !echoes && i + 1 < reply->shapes; i++)
		if (partner(message, 0, reply->shape[i].when)->when != reply->shape[i].when)
			give_layouts(maker, message, partner(message, 0, reply->shape[i].when),
				     &reply->shape[i]);
}

/* Write what happens on a ring: each act with the times that it knows. */
static void give_vring_events(struct maker *maker)
{
	static const uint16_t has[VHU_ACTS] = {
	    [VHU_ACT_WAKE] = VHU_VRING_HAS_KICK_TO_WAKE,
	    [VHU_ACT_CALL] = VHU_VRING_HAS_KICK_TO_WAKE | VHU_VRING_HAS_WAKE_TO_CALL |
			     VHU_VRING_HAS_KICK_TO_CALL,
	};

	for (unsigned act = 0; act < VHU_ACTS; act++) {
		struct vhu_record record = {
		    .type = VHU_RECORD_VRING,
		    .vring =
			{
			    .act = act,
			    .has = has[act],
			    .vring = 1,
			    .eventfd_id = 20 + act,
			    .pid = 4711 + act,
			    .tid = 4712 + act,
			    .cpu = act,
			    .comm = "golden",
			},
		};

		record.vring.kick_to_wake = has[act] & VHU_VRING_HAS_KICK_TO_WAKE ? 2000 : 0;
		record.vring.wake_to_call = has[act] & VHU_VRING_HAS_WAKE_TO_CALL ? 10500 : 0;
		record.vring.kick_to_call = has[act] & VHU_VRING_HAS_KICK_TO_CALL ? 12500 : 0;
		give(maker, &record);
	}
	/* What the proxy tells of those that it passes on. */
	for (unsigned fate = 0; fate < VHU_FATES; fate++) {
		struct vhu_record record = {
		    .type = VHU_RECORD_VRING,
		    .vring =
			{
			    .act = fate % 2 ? VHU_ACT_CALL : VHU_ACT_KICK,
			    .has = VHU_VRING_HAS_FATE,
			    .eventfd_id = 30,
			    .pid = 4711,
			    .comm = "golden",
			    .signals = 1 + fate,
			    .fate = fate,
			},
		};

		give(maker, &record);
	}
}

/* Write a session whose file began without it, and that goes on after a gap. */
static void give_later_session(struct maker *maker)
{
	struct vhu_record opened = {
	    .type = VHU_RECORD_OPENED,
	    .marks = VHU_MARK_EARLIER,
	    .front_end = {true, 4711, 107, 107, "golden", "/run/front.sock"},
	    .back_end = {true, 4712, 0, 0, "golden", "/run/back.sock"},
	};
	struct vhu_record closed = {.type = VHU_RECORD_CLOSED, .text = "front-end closed"};
	struct vhu_record continued = {
	    .type = VHU_RECORD_CONTINUED,
	    .text = "golden_00002_20230704123601.pcapng",
	};
	struct vhu_record lost = {
	    .type = VHU_RECORD_ERROR,
	    .marks = VHU_MARK_LOST,
	    .text = "7 records were lost from 2023-07-04T12:36:00Z to 2023-07-04T12:36:01Z: No "
		    "space left on device",
	};
	uint64_t session = ++maker->session;

	give(maker, &opened);
	maker->marks = VHU_MARK_EARLIER;
	give_empty(maker, VHU_MSG_GET_FEATURES);
	give_u64(maker, VHU_MSG_GET_FEATURES, true, UINT64_C(1) << VHU_F_PROTOCOL_FEATURES);
	maker->marks = 0;
	give_u64(maker, VHU_MSG_SET_FEATURES, false, UINT64_C(1) << VHU_F_PROTOCOL_FEATURES);
	maker->session = 0;
	give(maker, &lost);
	maker->session = session;
	give(maker, &opened);
	give_vring_events(maker);
	give(maker, &closed);
	maker->session = 0;
	give(maker, &continued);
}

int main(int argc, char **argv)
{
	struct maker maker = {.time_ns = FIRST_NS};
	int fd;

	maker.big_endian = argc > 1 && !strcmp(argv[1], "--big-endian");
	if (argc != 2 + maker.big_endian) {
		fprintf(stderr, "usage: generate [--big-endian] FILE\n");
		return 2;
	}
	fd = open(argv[argc - 1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || vhu_pcapng_writer_open(&maker.writer, fd, 0, "golden captures")) {
		perror(argv[argc - 1]);
		return 1;
	}
	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		give_row(&maker, &vhu_messages[i]);
	give_later_session(&maker);
	if (vhu_pcapng_writer_close(maker.writer) || close(fd) || maker.failed) {
		perror(argv[argc - 1]);
		return 1;
	}
	return 0;
}
