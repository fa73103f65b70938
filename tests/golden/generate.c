/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the golden captures from the table: a session for each message, each layout that its
 * payloads can have, and each number of descriptors; every field has a value of its own. Two more
 * sessions have what is no message: vring events and records repeated after a gap, and snapshots of
 * vrings.
 *
 *	generate [--big-endian] FILE	all sessions in one capture
 *	generate --each FOLDER		a capture for each:
 *					FOLDER/CHANNEL/MESSAGE[.ALTERNATIVE].pcapng
 *
 * A message's plain name stands for its likeliest layouts and fewest descriptors. An alternative
 * adds ".LAYOUT" of the request, ".reply-LAYOUT", ".fds" if it has the most descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/protocol/text.h"
#include "tests/golden/fill.h"

/* 2023-07-04 12:36:00 UTC, when GET_BACKEND_SPECS was proposed; each record is 1 ms later. */
#define FIRST_NS UINT64_C(1688474160000000000)
#define STEP_NS  UINT64_C(1000000)

struct maker {
	struct vhu_pcapng_writer *writer;
	int fd;
	const char *folder; /* of a capture for each session; NULL: all are in one */
	uint64_t session, time_ns;
	uint16_t marks; /* of messages, besides the byte order */
	bool big_endian, failed;
};

/* One session's subject. */
struct golden {
	const struct vhu_message *message;
	const struct vhu_shape *shape[2]; /* of the request, of the reply */
	unsigned fds[2];
	bool most_fds;
};

/* Begin a capture in the new file @path. */
static void open_capture(struct maker *maker, const char *path)
{
	maker->session = 0;
	maker->time_ns = FIRST_NS;
	maker->fd = open(path, O_WRONLY | O_CREAT | (maker->folder ? O_EXCL : O_TRUNC), 0666);
	if (maker->fd < 0 ||
	    vhu_pcapng_writer_open(&maker->writer, maker->fd, 0, "golden captures")) {
		perror(path);
		maker->failed = true;
	}
}

/* End the capture. */
static void close_capture(struct maker *maker)
{
	if (vhu_pcapng_writer_close(maker->writer) || close(maker->fd))
		maker->failed = true;
	maker->writer = NULL;
}

/* Begin the session @name of @room, a channel's name or another word, in a capture of its own if
 * each session has one. */
static void begin_session(struct maker *maker, const char *room, const char *name)
{
	char path[4096];

	if (maker->folder) {
		snprintf(path, sizeof(path), "%s/%s", maker->folder, room);
		if (mkdir(path, 0777) && errno != EEXIST) {
			perror(path);
			maker->failed = true;
		}
		snprintf(path, sizeof(path), "%s/%s/%s.pcapng", maker->folder, room, name);
		open_capture(maker, path);
	}
	maker->session++;
}

/* End a session. */
static void end_session(struct maker *maker)
{
	if (maker->folder)
		close_capture(maker);
}

/* Write a record at its time. */
static void give(struct maker *maker, struct vhu_record *record)
{
	record->session = maker->session;
	record->time_ns = maker->time_ns;
	maker->time_ns += STEP_NS;
	if (!maker->failed && vhu_pcapng_write(maker->writer, record))
		maker->failed = true;
}

/* Write one message with its payload as it is. */
static void give_message(struct maker *maker, const struct vhu_message *message, bool reply,
			 uint32_t flags, const uint8_t *payload, uint32_t size, unsigned fds)
{
	static uint8_t bytes[VHU_HEADER_SIZE + VHU_FILL_MAX];
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
	vhu_fill_fds(fd, fds);
	vhu_header_write(bytes, (struct vhu_header){message->request, flags, size},
			 maker->big_endian);
	memcpy(bytes + VHU_HEADER_SIZE, payload, size);
	give(maker, &record);
}

/* Write one message whose fields have values of their own. */
static void give_filled(struct maker *maker, const struct vhu_message *message, bool reply,
			uint32_t flags, const struct vhu_layout *layout, unsigned fds)
{
	static uint8_t payload[VHU_FILL_MAX];
	uint32_t size;

	memset(payload, 0, sizeof(payload));
	size = vhu_fill_payload(layout, fds, maker->big_endian, payload);
	give_message(maker, message, reply, flags, payload, size, fds);
}

/* Write one message of a u64. */
static void give_u64(struct maker *maker, enum vhu_message_id id, bool reply, uint64_t value)
{
	uint8_t payload[8] = {0};

	vhu_fill_integer(payload, 8, value, maker->big_endian);
	give_message(maker, &vhu_messages[id], reply, 0, payload, 8, 0);
}

/* Write one message without a payload. */
static void give_empty(struct maker *maker, enum vhu_message_id id)
{
	give_message(maker, &vhu_messages[id], false, 0, (const uint8_t *)"", 0, 0);
}

/* Write the negotiation that gives a case's message the meaning that the case is about. */
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

/* Return whether a shape is not its message's likeliest. @side: 0 the request's, 1 the reply's. */
static bool is_alternative(const struct golden *golden, unsigned side)
{
	const struct vhu_shapes *shapes = &vhu_shapes[golden->message->shape[side]];

	return golden->shape[side] != &shapes->shape[shapes->shapes - 1];
}

/* Begin a case's session under the name of its message and alternative. */
static void begin_case(struct maker *maker, const struct golden *golden)
{
	const struct vhu_message *message = golden->message;
	bool echoes = message->shape[0] == message->shape[1];
	bool other = is_alternative(golden, 0), other_reply = is_alternative(golden, 1) && !echoes;
	char name[256];

	snprintf(name, sizeof(name), "%s%s%s%s%s%s", message->name, other ? "." : "",
		 other ? vhu_layouts[golden->shape[0]->layout].id : "",
		 other_reply ? ".reply-" : "",
		 other_reply ? vhu_layouts[golden->shape[1]->layout].id : "",
		 golden->most_fds ? ".fds" : "");
	begin_session(maker, vhu_channel_name(message->channel), name);
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

	begin_case(maker, golden);
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
	end_session(maker);
}

/* Return a number of descriptors that a row may have, for a payload of @layout. */
static unsigned fds_of(uint8_t count, const struct vhu_layout *layout)
{
	if (count != VHU_FDS_REGIONS)
		return count;
	return layout->fields && vhu_fields[layout->first + layout->fields - 1].kind == VHU_ARRAY
		   ? VHU_FILL_ELEMENTS
		   : 0;
}

/* Write the cases of a request's layout and a reply's: with the fewest and the most descriptors. */
static void give_layouts(struct maker *maker, const struct vhu_message *message,
			 const struct vhu_shape *request, const struct vhu_shape *reply)
{
	struct golden golden = {.message = message, .shape = {request, reply}};

	for (unsigned most = 0; most < 2; most++) {
		golden.most_fds = most;
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
	/* The proxy adds what became of an event that it relays. */
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

/* Write a session that began before its file, and that continues after lost records. */
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
	uint64_t session;

	begin_session(maker, "records", "after_gap");
	session = maker->session;
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
	end_session(maker);
}

/* Write a session with snapshots of vrings. */
static void give_snapshots(struct maker *maker)
{
	struct vhu_record opened = {.type = VHU_RECORD_OPENED};
	struct vhu_record record = {.type = VHU_RECORD_SNAPSHOT};

	begin_session(maker, "records", "snapshots");
	give(maker, &opened);
	for (unsigned i = 0; vhu_fill_snapshot(&record.snapshot, i); i++)
		give(maker, &record);
	end_session(maker);
}

/* Write all sessions. */
static void give_all(struct maker *maker)
{
	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		give_row(maker, &vhu_messages[i]);
	give_snapshots(maker);
	/* Last, for its last record says that its capture ends. */
	give_later_session(maker);
}

int main(int argc, char **argv)
{
	const char *option = argc == 3 ? argv[1] : "", *to = argv[argc - 1];
	struct maker maker = {.big_endian = !strcmp(option, "--big-endian")};
	bool each = !strcmp(option, "--each");

	if (argc != 2 + (maker.big_endian || each)) {
		fprintf(stderr, "usage: generate [--big-endian] FILE | --each FOLDER\n");
		return 2;
	}
	if (each) {
		maker.folder = to;
		give_all(&maker);
	} else {
		open_capture(&maker, to);
		give_all(&maker);
		close_capture(&maker);
	}
	if (maker.failed)
		fprintf(stderr, "generate: cannot write the golden captures to %s\n", to);
	return maker.failed;
}
