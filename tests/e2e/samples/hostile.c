/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile front-end and guest: messages of every kind with any payload, rings that say anything.
 *
 *   sample_hostile SOCKET SEED SESSIONS
 *
 * Most of what it says is nearly right, so that it gets far: rings are set up, kicked, and filled
 * with descriptors that are mostly in memory. It never waits for replies. After each session the
 * back-end must still answer a plain question. The same seed says the same.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"

#include "lib/util/util.h"

#define MEMORY_SIZE     (1 << 20)
#define GUEST_BASE      UINT64_C(0x40000000)
#define USER_BASE       UINT64_C(0x7f0000000000)
#define RINGS           4
#define RING_MEMORY     (64 << 10) /* of each; its areas are at thirds of it */
/* The in-flight area is in the same memory, which the specification permits. */
#define AREA_OFFSET     (512 << 10)
#define AREA_SIZE       (80 << 10)
#define AREA_QUEUE_SIZE 512
#define MESSAGES_MAX    60
#define ANSWER_MILLIS   10000
#define CUT_MICROS      1000

#define BIT(feature) (UINT64_C(1) << (feature))

static uint64_t state; /* of the generator */

/* What a session has. */
struct hostile_session {
	int socket;
	int memory; /* a memfd */
	uint8_t *map;
	int kick[RINGS];
	uint16_t avail[RINGS];
	bool packed;
};

/* Return a random number below @below. */
static uint64_t any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* Return true once in @times. */
static bool once_in(unsigned times)
{
	return any(times) == 0;
}

/* Return a number of the kind that breaks things. */
static uint64_t awkward(void)
{
	static const uint64_t numbers[] = {0,          1,          2,          0xff,
					   0x100,      0x7fff,     0x8000,     0xffff,
					   0x10000,    0x7fffffff, 1u << 31,   UINT32_MAX,
					   UINT64_MAX, 1ull << 63, GUEST_BASE, USER_BASE};

	return once_in(4) ? any(UINT64_MAX) : numbers[any(VHU_ARRAY_SIZE(numbers))];
}

/* End the program, saying what went wrong. */
static void fail(const char *what)
{
	printf("sample_hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Connect to the back-end. Returns the socket. */
static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("the back-end does not listen");
	return fd;
}

/* Send a message as it is; throw replies away, so that the back-end can go on sending. */
static void send_it(struct hostile_session *session, struct vhu_message_buf *message)
{
	char sink[4096];

	vhu_message_send(message, session->socket, MSG_DONTWAIT);
	while (recv(session->socket, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
	for (unsigned i = 0; i < message->fds; i++)
		if (message->fd[i] != session->memory)
			close(message->fd[i]);
}

/* Begin a message of a row as it should be. */
static void begin(struct vhu_message_buf *message, enum vhu_message_id id)
{
	const struct vhu_shapes *shapes = &vhu_shapes[vhu_messages[id].shape[0]];

	vhu_message_begin(message, id, shapes->shape[shapes->shapes - 1].layout);
	/* What is refused without that ends the session. */
	if (!once_in(20))
		message->header.flags |= VHU_FLAG_NEED_REPLY;
}

/* Send a message with one field. */
static void send_field(struct hostile_session *session, enum vhu_message_id id,
		       enum vhu_field_id field, uint64_t value)
{
	struct vhu_message_buf message;

	begin(&message, id);
	vhu_message_put(&message, field, value);
	send_it(session, &message);
}

/* Send a message about a ring, with a number. */
static void send_ring(struct hostile_session *session, enum vhu_message_id id, uint32_t ring,
		      uint32_t num)
{
	struct vhu_message_buf message;

	begin(&message, id);
	vhu_message_put(&message, VHU_FIELD_vring_size_index, ring);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, num);
	send_it(session, &message);
}

/* Share the memory, in two regions that touch. */
static void share_memory(struct hostile_session *session)
{
	const struct vhu_field *row = &vhu_fields[VHU_FIELD_mem_table_region];
	struct vhu_message_buf message;

	begin(&message, VHU_MSG_SET_MEM_TABLE);
	vhu_message_put(&message, VHU_FIELD_mem_table_regions, 2);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t base = row->offset + i * row->size;
		uint64_t at = i * (MEMORY_SIZE / 2);

		vhu_message_put_at(&message, VHU_FIELD_region_guest_address, base, GUEST_BASE + at);
		vhu_message_put_at(&message, VHU_FIELD_region_size, base, MEMORY_SIZE / 2);
		vhu_message_put_at(&message, VHU_FIELD_region_user_address, base, USER_BASE + at);
		vhu_message_put_at(&message, VHU_FIELD_region_mmap_offset, base, at);
		message.header.size += row->size;
		message.fd[message.fds++] = session->memory;
	}
	send_it(session, &message);
}

/* Write anything into the in-flight area. */
static void scribble_area(struct hostile_session *session)
{
	uint8_t *area = session->map + AREA_OFFSET;

	for (unsigned i = 0; i < 256; i++) {
		uint16_t number = (uint16_t)(once_in(8) ? awkward() : any(4));

		memcpy(area + 2 * any(AREA_SIZE / 2), &number, sizeof(number));
	}
	/* Most often as if it were in use: version 1, of whichever ring. */
	if (!once_in(4))
		area[sizeof(uint64_t)] = 1;
}

/* Share an in-flight area that a dead back-end is said to have left. */
static void share_area(struct hostile_session *session)
{
	struct vhu_message_buf message;

	scribble_area(session);
	begin(&message, VHU_MSG_SET_INFLIGHT_FD);
	vhu_message_put(&message, VHU_FIELD_inflight_mmap_size, AREA_SIZE);
	vhu_message_put(&message, VHU_FIELD_inflight_mmap_offset, AREA_OFFSET);
	vhu_message_put(&message, VHU_FIELD_inflight_num_queues, RINGS);
	vhu_message_put(&message, VHU_FIELD_inflight_queue_size, AREA_QUEUE_SIZE);
	message.fd[message.fds++] = session->memory;
	send_it(session, &message);
}

/* Set a ring up, more or less. */
static void set_up_ring(struct hostile_session *session, uint32_t ring)
{
	uint64_t at = USER_BASE + (uint64_t)ring * RING_MEMORY;
	uint32_t num = once_in(8) ? (uint32_t)awkward() : 1u << any(10);
	struct vhu_message_buf message;

	send_ring(session, VHU_MSG_SET_VRING_NUM, ring, num);
	send_ring(session, VHU_MSG_SET_VRING_BASE, ring,
		  once_in(4)        ? (uint32_t)awkward()
		  : session->packed ? 0x80008000
				    : 0);
	begin(&message, VHU_MSG_SET_VRING_ADDR);
	vhu_message_put(&message, VHU_FIELD_vring_addr_index, ring);
	vhu_message_put(&message, VHU_FIELD_vring_addr_descriptor, at);
	vhu_message_put(&message, VHU_FIELD_vring_addr_available, at + RING_MEMORY / 2);
	vhu_message_put(&message, VHU_FIELD_vring_addr_used,
			once_in(10) ? awkward() : at + RING_MEMORY / 4 * 3);
	send_it(session, &message);
	begin(&message, VHU_MSG_SET_VRING_KICK);
	vhu_message_put(&message, VHU_FIELD_vring_fd_index, ring);
	if (once_in(8))
		vhu_message_put(&message, VHU_FIELD_vring_fd_nofd, 1);
	else
		message.fd[message.fds++] = dup(session->kick[ring]);
	send_it(session, &message);
	send_ring(session, VHU_MSG_SET_VRING_ENABLE, ring, 1);
}

/* Return an address of a buffer: mostly one in memory. */
static uint64_t any_address(void)
{
	return once_in(10) ? awkward() : GUEST_BASE + any(MEMORY_SIZE);
}

/* Write descriptors that link to, and refer to, whatever there may be. Where they are read as
 * packed ones the same bytes are other fields. */
static void scribble_ring(struct hostile_session *session, uint32_t ring)
{
	uint8_t *base = session->map + (size_t)ring * RING_MEMORY;
	struct vring_desc *desc = (struct vring_desc *)base;
	struct vring_avail *avail = (struct vring_avail *)(base + RING_MEMORY / 2);

	for (unsigned i = 0; i < 64; i++) {
		desc[any(512)] = (struct vring_desc){
		    .addr = any_address(),
		    .len = once_in(8) ? (uint32_t)awkward() : 16 * (uint32_t)any(64),
		    .flags = (uint16_t)(once_in(8) ? awkward() : any(8)),
		    .next = (uint16_t)(session->packed ? any(4) | (once_in(2) ? 0x80 : 0x8000)
						       : any(520)),
		};
		avail->ring[any(512)] = (uint16_t)any(520);
	}
	avail->flags = (uint16_t)any(3);
	session->avail[ring] = (uint16_t)(session->avail[ring] + any(5));
	avail->idx = once_in(20) ? (uint16_t)awkward() : session->avail[ring];
}

/* Kick a ring. */
static void kick(struct hostile_session *session, uint32_t ring)
{
	const uint64_t one = 1;

	if (write(session->kick[ring], &one, sizeof(one)) < 0)
		errno = 0;
}

/* Add descriptors of some kind to a message. */
static void add_fds(struct hostile_session *session, struct vhu_message_buf *message,
		    unsigned count)
{
	for (unsigned i = 0; i < count && i < VHU_MESSAGE_FDS_MAX; i++)
		message->fd[message->fds++] = once_in(3)   ? session->memory
					      : once_in(2) ? eventfd(0, EFD_CLOEXEC)
							   : memfd_create("small", MFD_CLOEXEC);
}

/* Send a message of any kind, its payload made of awkward numbers; once in a while its size or its
 * descriptors are wrong too. */
static void send_any(struct hostile_session *session)
{
	const struct vhu_message *row = &vhu_messages[any(VHU_MESSAGES)];
	struct vhu_message_buf message;

	if (row->channel != VHU_FRONT_END)
		return;
	begin(&message, row->id);
	for (uint32_t i = 0; i + 4 <= message.header.size; i += once_in(2) ? 4 : 8) {
		uint64_t number = once_in(2) ? any(8) : awkward();

		memcpy(message.payload + i, &number, i + 8 <= message.header.size ? 8 : 4);
	}
	add_fds(session, &message,
		once_in(8) ? (unsigned)any(VHU_MESSAGE_FDS_MAX + 1) : row->fds[0].max % 9);
	if (once_in(20))
		message.header.size = (uint32_t)any(VHU_MESSAGE_PAYLOAD_MAX);
	if (once_in(50))
		message.header.flags = (uint32_t)awkward();
	if (once_in(50))
		message.header.request = (uint32_t)awkward();
	send_it(session, &message);
}

/* Take memory away under the back-end's feet, and give it back. Nothing of it is touched here
 * meanwhile. */
static void cut_memory(struct hostile_session *session)
{
	if (ftruncate(session->memory, (off_t)any(MEMORY_SIZE)))
		fail("memory");
	for (uint32_t i = 0; i < RINGS; i++)
		kick(session, i);
	usleep(CUT_MICROS);
	if (ftruncate(session->memory, MEMORY_SIZE))
		fail("memory");
}

/* Do one of the things that a session consists of. */
static void do_something(struct hostile_session *session)
{
	uint32_t ring = (uint32_t)any(RINGS);

	switch (any(8)) {
	case 0:
		set_up_ring(session, ring);
		break;
	case 1:
	case 2:
	case 3:
		scribble_ring(session, ring);
		if (once_in(3))
			scribble_area(session);
		kick(session, ring);
		break;
	case 4:
		send_ring(session, VHU_MSG_GET_VRING_BASE, ring, 0);
		break;
	case 5:
		if (once_in(10))
			cut_memory(session);
		share_memory(session);
		break;
	default:
		if (once_in(3))
			send_any(session);
	}
}

/* Play one session. */
static void play(const char *path)
{
	struct hostile_session session = {.socket = dial(path), .packed = once_in(2)};
	uint64_t features = BIT(32) | BIT(VHU_F_PROTOCOL_FEATURES);
	unsigned messages = (unsigned)any(MESSAGES_MAX);

	session.memory = memfd_create("memory", MFD_CLOEXEC);
	if (ftruncate(session.memory, MEMORY_SIZE))
		fail("memory");
	session.map =
	    mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, session.memory, 0);
	if (session.map == MAP_FAILED)
		fail("memory");
	features |= session.packed ? BIT(VHU_F_RING_PACKED) : 0;
	features |= once_in(3) ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0;
	features |= once_in(3) ? 0 : BIT(VIRTIO_RING_F_INDIRECT_DESC);
	for (unsigned i = 0; i < RINGS; i++)
		session.kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!once_in(10))
		send_field(&session, VHU_MSG_SET_PROTOCOL_FEATURES,
			   VHU_FIELD_protocol_features_protocol_features,
			   BIT(VHU_PF_MQ) | BIT(VHU_PF_REPLY_ACK) | BIT(VHU_PF_CONFIG) |
			       BIT(VHU_PF_INFLIGHT_SHMFD) | BIT(VHU_PF_RESET_DEVICE) |
			       BIT(VHU_PF_CONFIGURE_MEM_SLOTS) | BIT(VHU_PF_STATUS) |
			       (any(2) ? BIT(VHU_PF_LOG_SHMFD) | BIT(VHU_PF_BACKEND_REQ) : 0));
	if (once_in(4))
		share_area(&session);
	if (!once_in(10))
		send_field(&session, VHU_MSG_SET_FEATURES, VHU_FIELD_features_features, features);
	if (!once_in(10))
		share_memory(&session);
	if (once_in(2))
		share_area(&session);
	for (uint32_t i = 0; i < RINGS; i++) {
		scribble_ring(&session, i);
		set_up_ring(&session, i);
	}
	while (messages-- > 0)
		do_something(&session);
	for (unsigned i = 0; i < RINGS; i++)
		close(session.kick[i]);
	close(session.socket);
	munmap(session.map, MEMORY_SIZE);
	close(session.memory);
}

/* Make sure that the back-end answers a plain question of a new front-end. */
static void ask(const char *path)
{
	struct vhu_message_buf question, answer = {0};
	int fd = dial(path), got = 0;
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	vhu_message_begin(&question, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	if (vhu_message_send(&question, fd, 0))
		fail("the back-end takes no question");
	while (got == 0 && poll(&wait, 1, ANSWER_MILLIS) > 0)
		got = vhu_message_receive(&answer, fd);
	if (got != 1 || answer.header.size != sizeof(uint64_t))
		fail("the back-end does not answer any more");
	vhu_message_drop(&answer);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned long sessions = argc == 4 ? strtoul(argv[3], NULL, 0) : 0;

	if (sessions == 0) {
		fprintf(stderr, "usage: sample_hostile SOCKET SEED SESSIONS\n");
		return 2;
	}
	state = strtoull(argv[2], NULL, 0) * 2 + 1;
	for (unsigned long i = 0; i < sessions; i++) {
		play(argv[1]);
		ask(argv[1]);
	}
	printf("%lu sessions, and the back-end still answers\n", sessions);
	return 0;
}
