/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay between real sockets: what passes when, and with what. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/protocol/message_io.h"
#include "proxy/relay/plan.h"
#include "proxy/relay/relay.h"

#define FDS_MAX   VHU_RECORD_FDS_MAX
#define PAYLOAD   20u
#define MESSAGE   (VHU_HEADER_SIZE + PAYLOAD)
#define LONG_SIZE (3u << 20)

/* A relay between two ends that the test holds, and what it told its owner. */
struct relay_fixture {
	struct vhu_loop loop;
	struct vhu_relay relay;
	int sender, receiver; /* the test's ends */
	int inner[2];         /* the relay's */
	unsigned received, passed, runs;
	int instead; /* what `opens` returns */
	int taken;   /* what it replaced */
	unsigned asked;
	uint16_t marks;
	uint64_t sent;
	unsigned fds, segments;
	uint32_t segment[VHU_RECORD_SEGMENTS_MAX];
	uint64_t inode[FDS_MAX];
};

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

/* Nothing has come to @fd. */
static void nothing_came(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static int on_opens(struct vhu_relay *relay)
{
	struct relay_fixture *bench = relay->context;

	bench->asked++;
	bench->taken = relay->fd[0];
	return bench->instead;
}

static void on_received(struct vhu_relay *relay)
{
	struct relay_fixture *bench = relay->context;
	const struct vhu_record *record = &relay->record;

	/* The last of the message is still here. */
	assert_true(vhu_relay_held(relay) > 0 || record->marks);
	for (unsigned i = 0; i < relay->fds; i++)
		assert_int_equal(fcntl(relay->fd[i], F_GETFD), FD_CLOEXEC);
	bench->received++;
	bench->marks = record->marks;
	bench->sent = record->message_sent;
	bench->fds = record->fds;
	bench->segments = record->segments;
	memcpy(bench->segment, record->segment, sizeof(bench->segment));
	for (unsigned i = 0; i < record->fds; i++)
		bench->inode[i] = record->fd[i].inode;
	assert_ptr_equal(record->message, relay->buffer);
	assert_true(record->time_ns > 0);
}

static void on_passed(struct vhu_relay *relay)
{
	struct relay_fixture *bench = relay->context;

	/* Whatever has passed is recorded. */
	assert_int_equal(bench->received, ++bench->passed);
	assert_int_equal(vhu_relay_held(relay), 0);
}

static void on_run(struct vhu_relay *relay)
{
	struct relay_fixture *bench = relay->context;

	bench->runs++;
	vhu_relay_run(relay);
	bench->loop.stop = true;
}

/* Put a relay between two socket pairs. */
static void begin(struct relay_fixture *bench)
{
	static const struct vhu_relay_owner owner = {on_opens, on_received, on_passed, on_run};
	int in[2], out[2];

	memset(bench, 0, sizeof(*bench));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, in), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
	bench->sender = in[0];
	bench->inner[0] = in[1];
	bench->inner[1] = out[0];
	bench->receiver = out[1];
	bench->instead = -1;
	assert_int_equal(vhu_loop_start(&bench->loop), 0);
	assert_int_equal(vhu_relay_start(&bench->relay, &bench->loop, in[1], out[0]), 0);
	bench->relay.owner = &owner;
	bench->relay.context = bench;
	bench->relay.describe = true;
}

/* Take it away; it must not leave anything open. */
static void end(struct relay_fixture *bench)
{
	vhu_relay_close(&bench->relay);
	vhu_loop_end(&bench->loop);
	close(bench->inner[0]);
	close(bench->inner[1]);
	if (bench->sender >= 0)
		close(bench->sender);
	if (bench->receiver >= 0)
		close(bench->receiver);
}

/* Send bytes and descriptors at once. */
static void transmit(int fd, const void *bytes, size_t size, const int *fds, unsigned count)
{
	const struct vhu_piece piece = {(void *)bytes, size, (int *)fds, count};

	assert_int_equal(vhu_piece_send(fd, &piece, 0), size);
}

/* Receive once, all there is up to @size. Returns the bytes; *@count descriptors are in @fds. */
static ssize_t receive(int fd, void *bytes, size_t size, int *fds, unsigned *count)
{
	struct vhu_piece piece = {bytes, size, fds, .fds_max = FDS_MAX};
	ssize_t n = vhu_piece_receive(fd, &piece, MSG_DONTWAIT);

	assert_false(piece.fds_lost);
	*count = piece.fds;
	return n;
}

/* Make @count memfds. */
static void make_fds(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		fds[i] = memfd_create("x", MFD_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void close_fds(const int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

/* Receive @size bytes and @count descriptors in one piece, with room for @room bytes: those that
 * were sent. */
static void came_first(struct relay_fixture *bench, size_t room, const uint8_t *bytes, size_t size,
		       const int *fds, unsigned count)
{
	static uint8_t got[LONG_SIZE];
	int came[FDS_MAX];
	unsigned n;

	assert_int_equal(receive(bench->receiver, got, room, came, &n), size);
	assert_memory_equal(got, bytes, size);
	assert_int_equal(n, count);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(inode_of(came[i]), inode_of(fds[i]));
	close_fds(came, n);
}

/* The same, and nothing else is there. */
static void came(struct relay_fixture *bench, const uint8_t *bytes, size_t size, const int *fds,
		 unsigned count)
{
	came_first(bench, LONG_SIZE, bytes, size, fds, count);
}

/* Write a message of some payload. Returns its size. */
static size_t make(uint8_t *bytes, uint32_t request, uint32_t payload)
{
	struct vhu_header header = {request, 1, payload};

	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	for (uint32_t i = 0; i < payload; i++)
		bytes[VHU_HEADER_SIZE + i] = (uint8_t)(request + i * 7 + (i >> 8));
	return VHU_HEADER_SIZE + payload;
}

static void a_message_in_two_pieces_leaves_in_one(void **state)
{
	unsigned before = open_fds();
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;
	int fds[3];

	(void)state;
	make_fds(fds, 3);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	for (size_t cut = 1; cut < MESSAGE; cut++) {
		transmit(bench.sender, bytes, cut, fds, 3);
		assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
		nothing_came(bench.receiver);
		transmit(bench.sender, bytes + cut, MESSAGE - cut, NULL, 0);
		assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
		came(&bench, bytes, MESSAGE, fds, 3);
		assert_int_equal(bench.passed, cut);
		assert_int_equal(bench.sent, MESSAGE);
		assert_int_equal(bench.marks, 0);
		assert_int_equal(bench.fds, 3);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(bench.inode[i], inode_of(fds[i]));
		assert_int_equal(bench.segments, 2);
		assert_int_equal(bench.segment[0], cut);
		assert_int_equal(bench.segment[1], MESSAGE - cut);
	}
	end(&bench);
	close_fds(fds, 3);
	assert_int_equal(open_fds(), before);
}

static void descriptors_within_a_header_come_with_its_first_byte(void **state)
{
	uint8_t bytes[MESSAGE], first;
	struct relay_fixture bench;
	int fds[2], got[FDS_MAX];
	unsigned n;

	(void)state;
	make_fds(fds, 2);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	for (size_t cut = 1; cut < VHU_HEADER_SIZE; cut++) {
		transmit(bench.sender, bytes, cut, fds, cut % 2);
		vhu_relay_run(&bench.relay);
		transmit(bench.sender, bytes + cut, MESSAGE - cut, fds + 1, 1);
		vhu_relay_run(&bench.relay);
		assert_int_equal(receive(bench.receiver, &first, 1, got, &n), 1);
		assert_int_equal(n, 1 + cut % 2);
		assert_int_equal(inode_of(got[n - 1]), inode_of(fds[1]));
		close_fds(got, n);
		came(&bench, bytes + 1, MESSAGE - 1, NULL, 0);
	}
	end(&bench);
	close_fds(fds, 2);
}

static void pieces_are_counted_as_they_were_sent(void **state)
{
	uint8_t bytes[MESSAGE], long_one[VHU_HEADER_SIZE + 100];
	size_t many = make(long_one, 6, 100);
	struct relay_fixture bench;
	int fds[1];

	(void)state;
	make_fds(fds, 1);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	transmit(bench.sender, bytes, MESSAGE, NULL, 0);
	vhu_relay_run(&bench.relay);
	assert_int_equal(bench.segments, 1);
	assert_int_equal(bench.segment[0], MESSAGE);
	/* The kernel does not read on past the end of what descriptors came with. */
	transmit(bench.sender, bytes, 20, NULL, 0);
	transmit(bench.sender, bytes + 20, 5, fds, 1);
	transmit(bench.sender, bytes + 25, MESSAGE - 25, NULL, 0);
	vhu_relay_run(&bench.relay);
	assert_int_equal(bench.passed, 2);
	assert_int_equal(bench.segments, 2);
	assert_int_equal(bench.segment[0], 25);
	assert_int_equal(bench.segment[1], MESSAGE - 25);
	/* What there is no room for is summed up in the last one. */
	for (size_t i = 0; i < many; i++) {
		transmit(bench.sender, long_one + i, 1, NULL, 0);
		vhu_relay_run(&bench.relay);
	}
	assert_int_equal(bench.passed, 3);
	assert_int_equal(bench.segments, VHU_RECORD_SEGMENTS_MAX);
	assert_int_equal(bench.segment[0], 1);
	assert_int_equal(bench.segment[VHU_RECORD_SEGMENTS_MAX - 1],
			 many - (VHU_RECORD_SEGMENTS_MAX - 1));
	end(&bench);
	close_fds(fds, 1);
}

static void a_busy_sender_leaves_others_their_turn(void **state)
{
	uint8_t bytes[VHU_HEADER_SIZE];
	struct relay_fixture bench;

	(void)state;
	make(bytes, 1, 0);
	begin(&bench);
	for (unsigned i = 0; i < 200; i++)
		transmit(bench.sender, bytes, sizeof(bytes), NULL, 0);
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
	assert_in_range(bench.passed, 1, 100);
	end(&bench);
}

static void descriptors_stay_with_their_message(void **state)
{
	static uint8_t bytes[100][MESSAGE];
	struct relay_fixture bench;
	int fds[100];

	(void)state;
	make_fds(fds, 100);
	begin(&bench);
	for (unsigned i = 0; i < 100; i++)
		transmit(bench.sender, bytes[i], make(bytes[i], i, i % (PAYLOAD + 1)), fds + i,
			 i % 3 == 1);
	while (bench.passed < 100)
		assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
	for (unsigned i = 0; i < 100; i++) {
		uint8_t got[MESSAGE];
		int one[FDS_MAX];
		unsigned n;

		assert_int_equal(receive(bench.receiver, got, VHU_HEADER_SIZE, one, &n),
				 VHU_HEADER_SIZE);
		assert_int_equal(n, i % 3 == 1);
		if (n)
			assert_int_equal(inode_of(one[0]), inode_of(fds[i]));
		close_fds(one, n);
		if (i % (PAYLOAD + 1))
			assert_int_equal(recv(bench.receiver, got + VHU_HEADER_SIZE,
					      i % (PAYLOAD + 1), MSG_DONTWAIT),
					 i % (PAYLOAD + 1));
		assert_memory_equal(got, bytes[i], VHU_HEADER_SIZE + i % (PAYLOAD + 1));
	}
	end(&bench);
	close_fds(fds, 100);
}

static void what_is_looked_at_ahead_passes_as_it_came(void **state)
{
	uint8_t bytes[30][VHU_HEADER_SIZE + 200];
	struct relay_fixture bench;
	int fds[1], unread;

	(void)state;
	make_fds(fds, 1);
	begin(&bench);
	bench.relay.ahead = true;
	for (unsigned round = 0; round < 3; round++) {
		/* Some of them together are longer than what is looked at. */
		for (unsigned i = 0; i < 30; i++) {
			size_t size = make(bytes[i], i, round * 100);

			transmit(bench.sender, bytes[i], size, fds, i == 20);
		}
		transmit(bench.sender, bytes[0], 5, NULL, 0);
		for (unsigned runs = 0; runs < 100 && bench.passed < 31 * round + 30; runs++)
			assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
		for (unsigned i = 0; i < 30; i++)
			came_first(&bench, VHU_HEADER_SIZE + round * 100, bytes[i],
				   VHU_HEADER_SIZE + round * 100, fds, i == 20);
		nothing_came(bench.receiver);
		assert_int_equal(bench.segments, 1);
		assert_int_equal(bench.segment[0], VHU_HEADER_SIZE + round * 100);
		transmit(bench.sender, bytes[0] + 5, VHU_HEADER_SIZE + round * 100 - 5, NULL, 0);
		vhu_relay_run(&bench.relay);
		came(&bench, bytes[0], VHU_HEADER_SIZE + round * 100, NULL, 0);
		assert_int_equal(bench.passed, 31 * (round + 1));
	}
	/* Where the receiver does not read one message is held, and no more. */
	while (vhu_relay_run(&bench.relay) == VHU_RELAY_READ)
		for (unsigned i = 0; i < 10; i++)
			transmit(bench.sender, bytes[0], sizeof(bytes[0]), NULL, 0);
	assert_int_equal(bench.relay.wants, VHU_RELAY_WRITE);
	assert_int_equal(vhu_relay_held(&bench.relay), sizeof(bytes[0]));
	assert_int_equal(ioctl(bench.inner[0], FIONREAD, &unread), 0);
	assert_int_equal(unread % sizeof(bytes[0]), 0);
	end(&bench);
	close_fds(fds, 1);
}

/* Any message may be altered. */
static bool on_speaks(struct vhu_relay *relay)
{
	(void)relay;
	return true;
}

/* Drop each message whose number ends in 3, send those twice whose number ends in 5, and let the
 * next go before those whose number ends in 7. */
static void on_alters(struct vhu_relay *relay)
{
	struct vhu_relay_plan *plan = vhu_relay_plan_of(relay);
	const unsigned digit = relay->header.request % 10;

	assert_non_null(plan);
	plan->drop = digit == 3;
	plan->copies = digit == 5;
	plan->behind = digit == 7;
}

/* A dropped message is reported like one that passes. */
static void on_dropped(struct vhu_relay *relay)
{
	struct relay_fixture *bench = relay->context;

	bench->passed++;
}

static void what_is_looked_at_ahead_is_altered_as_planned(void **state)
{
	static const uint8_t passes[] = {0, 1, 2, 4, 5, 5, 6, 8, 7, 9};
	struct vhu_relay_owner altering;
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;

	(void)state;
	begin(&bench);
	altering = *bench.relay.owner;
	altering.speaks = on_speaks;
	altering.alters = on_alters;
	altering.dropped = on_dropped;
	bench.relay.owner = &altering;
	bench.relay.ahead = true;
	for (unsigned i = 0; i < 30; i++) {
		make(bytes, i, PAYLOAD);
		transmit(bench.sender, bytes, MESSAGE, NULL, 0);
	}
	for (unsigned runs = 0; runs < 100 && bench.passed < 33; runs++)
		vhu_relay_run(&bench.relay);
	for (unsigned i = 0; i < 30; i++) {
		make(bytes, i / 10 * 10 + passes[i % 10], PAYLOAD);
		came_first(&bench, MESSAGE, bytes, MESSAGE, NULL, 0);
	}
	nothing_came(bench.receiver);
	end(&bench);
}

static void descriptors_within_a_payload_stay_at_their_byte(void **state)
{
	unsigned before = open_fds();
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;
	int fds[4];

	(void)state;
	make_fds(fds, 4);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	transmit(bench.sender, bytes, 15, fds, 1);
	vhu_relay_run(&bench.relay);
	transmit(bench.sender, bytes + 15, 5, fds + 1, 2);
	vhu_relay_run(&bench.relay);
	came(&bench, bytes, 15, fds, 1);
	came(&bench, bytes + 15, 5, fds + 1, 2);
	assert_int_equal(bench.received, 0);
	transmit(bench.sender, bytes + 20, MESSAGE - 20, fds + 3, 1);
	vhu_relay_run(&bench.relay);
	came(&bench, bytes + 20, MESSAGE - 20, fds + 3, 1);
	assert_int_equal(bench.passed, 1);
	assert_int_equal(bench.fds, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(bench.inode[i], inode_of(fds[i]));
	end(&bench);
	close_fds(fds, 4);
	assert_int_equal(open_fds(), before);
}

static void more_descriptors_than_a_message_carries_pass_all(void **state)
{
	unsigned before = open_fds(), all = 0;
	uint8_t bytes[MESSAGE], got[MESSAGE];
	int fds[FDS_MAX], some[FDS_MAX];
	struct relay_fixture bench;
	size_t have = 0;

	(void)state;
	make_fds(fds, FDS_MAX);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	for (size_t i = 0; i < MESSAGE; i++) {
		transmit(bench.sender, bytes + i, 1, fds, FDS_MAX);
		vhu_relay_run(&bench.relay);
		for (unsigned n;;) {
			ssize_t size =
			    receive(bench.receiver, got + have, MESSAGE - have, some, &n);

			if (size <= 0)
				break;
			have += (size_t)size;
			all += n;
			close_fds(some, n);
		}
	}
	assert_int_equal(have, MESSAGE);
	assert_memory_equal(got, bytes, MESSAGE);
	assert_int_equal(all, MESSAGE * FDS_MAX);
	assert_int_equal(bench.passed, 1);
	assert_int_equal(bench.fds, FDS_MAX);
	end(&bench);
	close_fds(fds, FDS_MAX);
	assert_int_equal(open_fds(), before);
}

static void a_payload_that_does_not_come_is_not_waited_for(void **state)
{
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;
	int fds[1];

	(void)state;
	make_fds(fds, 1);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	transmit(bench.sender, bytes, 14, fds, 1);
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_READ);
	nothing_came(bench.receiver);
	assert_int_equal(vhu_loop_run(&bench.loop), 0);
	assert_int_equal(bench.runs, 1);
	came(&bench, bytes, 14, fds, 1);
	/* From then on each piece passes as it comes. */
	transmit(bench.sender, bytes + 14, 3, NULL, 0);
	vhu_relay_run(&bench.relay);
	came(&bench, bytes + 14, 3, NULL, 0);
	assert_int_equal(bench.received, 0);
	transmit(bench.sender, bytes + 17, MESSAGE - 17, NULL, 0);
	vhu_relay_run(&bench.relay);
	came(&bench, bytes + 17, MESSAGE - 17, NULL, 0);
	assert_int_equal(bench.passed, 1);
	/* And the next message is gathered again. */
	transmit(bench.sender, bytes, 14, fds, 1);
	vhu_relay_run(&bench.relay);
	nothing_came(bench.receiver);
	end(&bench);
	close_fds(fds, 1);
}

static void long_messages_stream_through_a_bounded_buffer(void **state)
{
	static uint8_t bytes[VHU_HEADER_SIZE + LONG_SIZE], got[VHU_HEADER_SIZE + LONG_SIZE];
	size_t size = make(bytes, 8, LONG_SIZE), sent = 0, have = 0;
	unsigned stalls = 0;
	struct relay_fixture bench;

	(void)state;
	begin(&bench);
	while (have < size) {
		ssize_t n = send(bench.sender, bytes + sent, size - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		stalls += vhu_relay_run(&bench.relay) == VHU_RELAY_WRITE;
		assert_true(bench.relay.room <= VHU_RELAY_KEEP + VHU_RELAY_WINDOW);
		/* A reader that takes its time. */
		n = recv(bench.receiver, got + have, 50000, MSG_DONTWAIT);
		have += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(got, bytes, size);
	assert_true(stalls > 0);
	assert_int_equal(bench.passed, 1);
	assert_int_equal(bench.sent, size);
	/* An idle relay gives the room back when small messages pass again. */
	transmit(bench.sender, bytes, make(bytes, 1, 0), NULL, 0);
	vhu_relay_run(&bench.relay);
	assert_true(bench.relay.room <= 4096);
	end(&bench);
}

static void a_receiver_that_does_not_read_stops_the_sender(void **state)
{
	static uint8_t bytes[VHU_HEADER_SIZE + 5000];
	size_t size = make(bytes, 8, 5000);
	unsigned sent = 0;
	struct relay_fixture bench;

	(void)state;
	begin(&bench);
	while (send(bench.sender, bytes, size, MSG_DONTWAIT) == (ssize_t)size) {
		sent++;
		vhu_relay_run(&bench.relay);
	}
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_WRITE);
	assert_true(vhu_relay_held(&bench.relay) <= size);
	assert_true(sent > bench.passed);
	end(&bench);
}

static void what_was_sent_before_closing_passes(void **state)
{
	unsigned before = open_fds();

	(void)state;
	for (size_t cut = 1; cut <= MESSAGE; cut++) {
		uint8_t bytes[MESSAGE];
		struct relay_fixture bench;
		int fds[2];

		make_fds(fds, 2);
		make(bytes, 5, PAYLOAD);
		begin(&bench);
		transmit(bench.sender, bytes, cut, fds, 2);
		close(bench.sender);
		bench.sender = -1;
		while (vhu_relay_run(&bench.relay) == VHU_RELAY_READ)
			;
		assert_int_equal(bench.relay.wants, VHU_RELAY_ENDED);
		assert_int_equal(bench.relay.end, VHU_RELAY_SENDER_CLOSED);
		came(&bench, bytes, cut, fds, 2);
		assert_int_equal(bench.passed, 1);
		assert_int_equal(bench.marks, cut < MESSAGE ? VHU_MARK_PARTIAL : 0);
		assert_int_equal(bench.sent, cut);
		assert_int_equal(bench.fds, 2);
		end(&bench);
		close_fds(fds, 2);
	}
	assert_int_equal(open_fds(), before);
}

static void what_cannot_be_delivered_is_recorded_and_held(void **state)
{
	unsigned before = open_fds();
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;
	int fds[2];

	(void)state;
	make_fds(fds, 2);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	close(bench.receiver);
	bench.receiver = -1;
	transmit(bench.sender, bytes, MESSAGE, fds, 2);
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_ENDED);
	assert_int_equal(bench.relay.end, VHU_RELAY_TARGET_CLOSED);
	assert_int_equal(vhu_relay_held(&bench.relay), MESSAGE);
	assert_int_equal(bench.received, 1);
	assert_int_equal(bench.passed, 0);
	end(&bench);
	close_fds(fds, 2);
	assert_int_equal(open_fds(), before);
}

static void lost_descriptors_end_it(void **state)
{
	unsigned before = open_fds();
	struct rlimit limit, low;
	uint8_t bytes[MESSAGE];
	int fds[100], least;
	struct relay_fixture bench;

	(void)state;
	make_fds(fds, 100);
	make(bytes, 5, PAYLOAD);
	begin(&bench);
	transmit(bench.sender, bytes, MESSAGE, fds, 100);
	close_fds(fds, 100);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	least = dup(0);
	close(least);
	low = limit;
	low.rlim_cur = (rlim_t)least + 30;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	vhu_relay_run(&bench.relay);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(bench.relay.wants, VHU_RELAY_ENDED);
	assert_int_equal(bench.relay.end, VHU_RELAY_TRUNCATED);
	assert_int_equal(bench.marks, VHU_MARK_TRUNCATED);
	assert_in_range(bench.fds, 1, 99);
	assert_int_equal(bench.passed, 0);
	nothing_came(bench.receiver);
	end(&bench);
	assert_int_equal(open_fds(), before);
}

static void one_descriptor_can_be_replaced(void **state)
{
	unsigned before = open_fds();

	(void)state;
	for (unsigned count = 0; count <= 2; count++) {
		uint8_t bytes[MESSAGE];
		int fds[2], other[2];
		struct relay_fixture bench;

		make_fds(fds, 2);
		make_fds(other, 1);
		make(bytes, 21, PAYLOAD);
		begin(&bench);
		bench.instead = fcntl(other[0], F_DUPFD_CLOEXEC, 0);
		transmit(bench.sender, bytes, MESSAGE, fds, count);
		vhu_relay_run(&bench.relay);
		assert_int_equal(bench.asked, count == 1);
		came(&bench, bytes, MESSAGE, count == 1 ? other : fds, count);
		if (count == 1) {
			/* Recorded is what was sent, and that is the owner's now. */
			assert_int_equal(bench.inode[0], inode_of(fds[0]));
			assert_int_equal(inode_of(bench.taken), inode_of(fds[0]));
			close(bench.taken);
		} else {
			close(bench.instead);
		}
		end(&bench);
		close_fds(fds, 2);
		close_fds(other, 1);
		assert_int_equal(open_fds(), before);
	}
}

static void a_replacement_that_does_not_pass_is_closed(void **state)
{
	unsigned before = open_fds();
	uint8_t bytes[MESSAGE];
	struct relay_fixture bench;
	int fds[2];

	(void)state;
	make_fds(fds, 2);
	make(bytes, 21, PAYLOAD);
	begin(&bench);
	close(bench.receiver);
	bench.receiver = -1;
	bench.instead = fds[1];
	transmit(bench.sender, bytes, MESSAGE, fds, 1);
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_ENDED);
	close(bench.taken);
	end(&bench);
	close(fds[0]);
	assert_int_equal(open_fds(), before);
}

static void what_is_there_is_drained(void **state)
{
	uint8_t bytes[3 * MESSAGE];
	struct relay_fixture bench;

	(void)state;
	begin(&bench);
	make(bytes, 1, PAYLOAD);
	make(bytes + MESSAGE, 2, PAYLOAD);
	make(bytes + 2 * MESSAGE, 3, PAYLOAD);
	transmit(bench.sender, bytes, 2 * MESSAGE + 5, NULL, 0);
	bench.relay.draining = true;
	assert_int_equal(vhu_relay_run(&bench.relay), VHU_RELAY_ENDED);
	came(&bench, bytes, 2 * MESSAGE + 5, NULL, 0);
	assert_int_equal(bench.passed, 3);
	assert_int_equal(bench.marks, VHU_MARK_PARTIAL);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_in_two_pieces_leaves_in_one),
	    cmocka_unit_test(descriptors_within_a_header_come_with_its_first_byte),
	    cmocka_unit_test(pieces_are_counted_as_they_were_sent),
	    cmocka_unit_test(a_busy_sender_leaves_others_their_turn),
	    cmocka_unit_test(descriptors_stay_with_their_message),
	    cmocka_unit_test(what_is_looked_at_ahead_passes_as_it_came),
	    cmocka_unit_test(what_is_looked_at_ahead_is_altered_as_planned),
	    cmocka_unit_test(descriptors_within_a_payload_stay_at_their_byte),
	    cmocka_unit_test(more_descriptors_than_a_message_carries_pass_all),
	    cmocka_unit_test(a_payload_that_does_not_come_is_not_waited_for),
	    cmocka_unit_test(long_messages_stream_through_a_bounded_buffer),
	    cmocka_unit_test(a_receiver_that_does_not_read_stops_the_sender),
	    cmocka_unit_test(what_was_sent_before_closing_passes),
	    cmocka_unit_test(what_cannot_be_delivered_is_recorded_and_held),
	    cmocka_unit_test(lost_descriptors_end_it),
	    cmocka_unit_test(one_descriptor_can_be_replaced),
	    cmocka_unit_test(a_replacement_that_does_not_pass_is_closed),
	    cmocka_unit_test(what_is_there_is_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
