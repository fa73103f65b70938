/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages on a socket: what a peer sends byte by byte, too large, or with too much. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/protocol/message_io.h"
#include "lib/util/util.h"

/* Two ends of a socket, and a message to receive at the second. */
struct wire {
	int from, to;
	struct vhu_message_buf message;
};

static void open_wire(struct wire *wire)
{
	int both[2];

	memset(wire, 0, sizeof(*wire));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
	wire->from = both[0];
	wire->to = both[1];
}

static void close_wire(struct wire *wire)
{
	vhu_message_drop(&wire->message);
	if (wire->from >= 0)
		close(wire->from);
	close(wire->to);
}

static int receive(struct wire *wire)
{
	return vhu_message_receive(&wire->message, wire->to);
}

/* Return how many descriptors this process has open. */
static unsigned open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* Begin a SET_VRING_NUM of vring 1 with 256 descriptors. */
static void begin(struct vhu_message_buf *message)
{
	vhu_message_begin(message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(message, VHU_FIELD_vring_size_index, 1);
	vhu_message_put(message, VHU_FIELD_vring_size_num, 256);
}

/* Send a header and @bytes of zeros, with @fds descriptors, as they are. */
static void send_raw(struct wire *wire, struct vhu_header header, size_t bytes, unsigned fds)
{
	static uint8_t room[VHU_HEADER_SIZE + VHU_MESSAGE_PAYLOAD_MAX];
	static int fd[VHU_PIECE_FDS_MAX];
	struct vhu_piece piece = {room, VHU_HEADER_SIZE + bytes, fd, fds};

	vhu_header_write(room, header, vhu_host_is_big_endian());
	assert_int_equal(vhu_piece_send(wire->from, &piece, 0), piece.size);
}

static void message_crosses_with_its_descriptors(void **state)
{
	struct wire wire;
	struct vhu_message_buf sent;
	unsigned before;
	int kept;

	(void)state;
	open_wire(&wire);
	before = open_fds();
	begin(&sent);
	sent.fd[sent.fds++] = 0;
	sent.fd[sent.fds++] = wire.from;
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), 0);
	assert_int_equal(receive(&wire), 1);
	assert_int_equal(wire.message.header.request, vhu_messages[VHU_MSG_SET_VRING_NUM].request);
	assert_int_equal(wire.message.header.flags, VHU_FLAGS_VERSION);
	assert_int_equal(vhu_message_get(&wire.message, VHU_FIELD_vring_size_index), 1);
	assert_int_equal(vhu_message_get(&wire.message, VHU_FIELD_vring_size_num), 256);
	assert_int_equal(wire.message.fds, 2);
	kept = vhu_message_take(&wire.message, 1);
	assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
	assert_int_equal(vhu_message_take(&wire.message, 1), -1);
	assert_int_equal(vhu_message_take(&wire.message, 2), -1);
	vhu_message_drop(&wire.message);
	assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
	close(kept);
	assert_int_equal(open_fds(), before);
	close_wire(&wire);
}

static void message_is_received_byte_by_byte_without_waiting(void **state)
{
	struct wire wire;
	struct vhu_message_buf sent;
	size_t size;

	(void)state;
	open_wire(&wire);
	begin(&sent);
	size = vhu_message_write(&sent);
	assert_int_equal(size, VHU_HEADER_SIZE + 8);
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(receive(&wire), 0);
		assert_int_equal(send(wire.from, sent.bytes + i, 1, 0), 1);
	}
	assert_int_equal(receive(&wire), 1);
	assert_memory_equal(wire.message.bytes, sent.bytes, size);
	close_wire(&wire);
}

static void next_message_keeps_its_bytes_and_descriptors(void **state)
{
	struct wire wire;
	struct vhu_message_buf sent;

	(void)state;
	open_wire(&wire);
	begin(&sent);
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), 0);
	sent.fd[sent.fds++] = 0;
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), 0);
	assert_int_equal(receive(&wire), 1);
	assert_int_equal(wire.message.fds, 0);
	vhu_message_drop(&wire.message);
	assert_int_equal(receive(&wire), 1);
	assert_int_equal(wire.message.fds, 1);
	close_wire(&wire);
}

static void more_descriptors_than_fit_are_closed_and_refused(void **state)
{
	const struct vhu_header header = {1, VHU_FLAGS_VERSION, 0};
	static const unsigned fds[] = {VHU_MESSAGE_FDS_MAX + 1, VHU_PIECE_FDS_MAX};
	struct wire wire;
	unsigned before;

	(void)state;
	open_wire(&wire);
	before = open_fds();
	for (unsigned i = 0; i < 2; i++) {
		send_raw(&wire, header, 0, fds[i]);
		assert_int_equal(receive(&wire), -EPROTO);
		assert_int_equal(wire.message.fds, VHU_MESSAGE_FDS_MAX);
		vhu_message_drop(&wire.message);
		assert_int_equal(open_fds(), before);
	}
	send_raw(&wire, header, 0, VHU_MESSAGE_FDS_MAX);
	assert_int_equal(receive(&wire), 1);
	assert_int_equal(wire.message.fds, VHU_MESSAGE_FDS_MAX);
	close_wire(&wire);
}

static void descriptors_of_all_pieces_are_limited_together(void **state)
{
	uint8_t head[VHU_HEADER_SIZE];
	int fd[2] = {0};
	struct wire wire;
	unsigned before;

	(void)state;
	open_wire(&wire);
	before = open_fds();
	vhu_header_write(head, (struct vhu_header){1, VHU_FLAGS_VERSION, 0},
			 vhu_host_is_big_endian());
	for (unsigned i = 0; i < VHU_HEADER_SIZE; i++) {
		struct vhu_piece piece = {head + i, 1, fd, i < 9 ? 2 : 0};

		assert_int_equal(vhu_piece_send(wire.from, &piece, 0), 1);
	}
	assert_int_equal(receive(&wire), -EPROTO);
	assert_int_equal(wire.message.fds, VHU_MESSAGE_FDS_MAX);
	vhu_message_drop(&wire.message);
	assert_int_equal(open_fds(), before);
	close_wire(&wire);
}

static void descriptors_lost_for_want_of_room_are_noticed(void **state)
{
	struct rlimit limit, low;
	struct wire wire;
	unsigned before;
	int lowest = dup(0);

	(void)state;
	close(lowest);
	open_wire(&wire);
	before = open_fds();
	send_raw(&wire, (struct vhu_header){1, VHU_FLAGS_VERSION, 0}, 0, 4);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){(rlim_t)lowest + 4, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(receive(&wire), -EPROTO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(wire.message.fds, 2);
	vhu_message_drop(&wire.message);
	assert_int_equal(open_fds(), before);
	close_wire(&wire);
}

static void impossible_headers_are_refused(void **state)
{
	static const struct {
		struct vhu_header header;
		int result;
	} row[] = {
	    {{1, VHU_FLAGS_VERSION, UINT32_MAX}, -EMSGSIZE},
	    {{1, VHU_FLAGS_VERSION, VHU_MESSAGE_PAYLOAD_MAX + 1}, -EMSGSIZE},
	    {{1, VHU_FLAGS_VERSION, VHU_MESSAGE_PAYLOAD_MAX}, 0},
	    {{1, 0, 0}, -EPROTO},
	    {{1, 2, 0}, -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct wire wire;

		open_wire(&wire);
		send_raw(&wire, row[i].header, 0, 0);
		assert_int_equal(receive(&wire), row[i].result);
		/* What decoders see of it is within the room for it. */
		assert_true(vhu_message_payload(&wire.message).captured <= VHU_MESSAGE_PAYLOAD_MAX);
		close_wire(&wire);
	}
}

static void end_of_connection_is_told_from_nothing_yet(void **state)
{
	struct wire wire;

	(void)state;
	open_wire(&wire);
	assert_int_equal(receive(&wire), 0);
	assert_int_equal(send(wire.from, "\1", 1, 0), 1);
	assert_int_equal(receive(&wire), 0);
	close(wire.from);
	wire.from = -1;
	assert_int_equal(receive(&wire), -EPIPE);
	close_wire(&wire);
	/* The same with bytes that the peer has not read. */
	open_wire(&wire);
	assert_int_equal(send(wire.to, "\1", 1, 0), 1);
	close(wire.from);
	wire.from = -1;
	assert_int_equal(receive(&wire), -EPIPE);
	close_wire(&wire);
}

static void part_of_a_message_sent_is_told_from_none(void **state)
{
	const int tiny = 1;
	struct wire wire;
	struct vhu_message_buf sent;
	int error = 0;

	(void)state;
	begin(&sent);
	sent.header.size = VHU_MESSAGE_PAYLOAD_MAX;
	/* The fuller a tiny queue is: all of the message, a part of it, nothing. */
	for (unsigned before = 0; !error; before++) {
		open_wire(&wire);
		assert_int_equal(setsockopt(wire.from, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof(tiny)),
				 0);
		for (unsigned i = 0; i < before; i++)
			assert_int_equal(send(wire.from, "", 1, MSG_DONTWAIT), 1);
		error = vhu_message_send(&sent, wire.from, MSG_DONTWAIT);
		close_wire(&wire);
	}
	assert_int_equal(error, -ENOBUFS);
}

static void what_has_no_room_is_not_sent(void **state)
{
	const struct vhu_piece most = {.size = 1, .fds = VHU_PIECE_FDS_MAX + 1};
	struct wire wire;
	struct vhu_message_buf sent;

	(void)state;
	open_wire(&wire);
	assert_int_equal(vhu_piece_send(wire.from, &most, 0), -EMSGSIZE);
	begin(&sent);
	sent.header.size = VHU_MESSAGE_PAYLOAD_MAX + 1;
	assert_int_equal(vhu_message_write(&sent), 0);
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), -EMSGSIZE);
	sent.header.size = VHU_MESSAGE_PAYLOAD_MAX;
	sent.fds = VHU_MESSAGE_FDS_MAX + 1;
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), -EMSGSIZE);
	assert_int_equal(receive(&wire), 0);
	/* A full socket: all of a message or nothing. */
	sent.fds = 0;
	while (!vhu_message_send(&sent, wire.from, MSG_DONTWAIT))
		;
	assert_int_equal(vhu_message_send(&sent, wire.from, MSG_DONTWAIT), -EAGAIN);
	while (receive(&wire) == 1)
		vhu_message_drop(&wire.message);
	assert_int_equal(wire.message.got, 0);
	close(wire.to);
	wire.to = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(vhu_message_send(&sent, wire.from, 0), -EPIPE);
	close_wire(&wire);
}

static void fields_are_written_as_they_are_read(void **state)
{
	static struct vhu_message_buf message;

	(void)state;
	for (unsigned id = 0; id < VHU_FIELDS; id++) {
		const struct vhu_field *field = &vhu_fields[id];

		if (field->kind != VHU_UINT && field->kind != VHU_LE)
			continue;
		memset(&message, 0, sizeof(message));
		message.header.size = VHU_MESSAGE_PAYLOAD_MAX;
		/* At an odd place, and with all bits next to it set. */
		memset(message.payload, 0xff, sizeof(message.payload));
		vhu_message_put_at(&message, (enum vhu_field_id)id, 3, 0);
		assert_int_equal(vhu_message_get_at(&message, (enum vhu_field_id)id, 3), 0);
		vhu_message_put_at(&message, (enum vhu_field_id)id, 3, UINT64_MAX);
		for (unsigned i = 0; i < sizeof(message.payload); i++)
			assert_int_equal(message.payload[i], 0xff);
		vhu_message_put_at(&message, (enum vhu_field_id)id, 3, 1);
		assert_int_equal(vhu_message_get_at(&message, (enum vhu_field_id)id, 3), 1);
	}
}

static void fields_beyond_the_room_are_left_out(void **state)
{
	static struct {
		struct vhu_message_buf message;
		uint8_t after[64];
	} both;
	const uint32_t last = VHU_MESSAGE_PAYLOAD_MAX - 8, num = VHU_FIELD_vring_size_num;

	(void)state;
	both.message.header.size = VHU_MESSAGE_PAYLOAD_MAX;
	vhu_message_put_at(&both.message, num, last, 7);
	assert_int_equal(vhu_message_get_at(&both.message, num, last), 7);
	for (uint32_t base = last + 1; base < last + 16; base++)
		vhu_message_put_at(&both.message, num, base, UINT64_MAX);
	vhu_message_put_at(&both.message, num, UINT32_MAX, UINT64_MAX);
	assert_int_equal(vhu_message_get_at(&both.message, num, last), 7);
	assert_int_equal(vhu_message_get_at(&both.message, num, UINT32_MAX), 0);
	assert_int_equal(both.message.fd[0], 0);
	both.message.header.size = 7;
	assert_int_equal(vhu_message_get(&both.message, num), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(message_crosses_with_its_descriptors),
	    cmocka_unit_test(message_is_received_byte_by_byte_without_waiting),
	    cmocka_unit_test(next_message_keeps_its_bytes_and_descriptors),
	    cmocka_unit_test(more_descriptors_than_fit_are_closed_and_refused),
	    cmocka_unit_test(descriptors_of_all_pieces_are_limited_together),
	    cmocka_unit_test(descriptors_lost_for_want_of_room_are_noticed),
	    cmocka_unit_test(impossible_headers_are_refused),
	    cmocka_unit_test(end_of_connection_is_told_from_nothing_yet),
	    cmocka_unit_test(part_of_a_message_sent_is_told_from_none),
	    cmocka_unit_test(what_has_no_room_is_not_sent),
	    cmocka_unit_test(fields_are_written_as_they_are_read),
	    cmocka_unit_test(fields_beyond_the_room_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
