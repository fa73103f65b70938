/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A back-end for the tests of vhu probe: its arguments set what it says and what it does
 * wrong:
 *
 *	probe_bad_backend SOCKET [KEY=VALUE ...] [FAULT[:MESSAGE] ...]
 *
 * Keys: dialect (upstream, standalone, probe), features, protocol (offered), device, config (bytes
 * of configuration), told (bytes it says that there are), min, max (vqs), clients (ends after so
 * many), queues (by GET_QUEUE_NUM), away (so many front-ends, the first, are not served), deaf
 *(those after so many are not served, and it goes on), vring (the largest size of one).
 *
 * Faults with a MESSAGE happen when that is to be answered, on each connection.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol/field.h"
#include "lib/protocol/message_io.h"
#include "lib/util/util.h"

#define PAYLOAD_MAX 4096
#define FAULTS_MAX  8
#define DRIP_MS     500
#define HANGS_UP    (-2)

enum what {
	SILENT,     /* do not answer */
	CLOSE,      /* close instead of answering */
	DIE,        /* of a signal */
	GARBAGE,    /* answer what is no message */
	HALF,       /* answer half a header, then nothing */
	HALF_CLOSE, /* the same, then close */
	CUT,        /* announce the payload, send half of it, then nothing */
	CUT_CLOSE,  /* the same, then close */
	DRIP,       /* send the answer byte by byte, slowly */
	SHORT,      /* a payload of 4 bytes less */
	LONG,       /* of 4 bytes more */
	EMPTY,      /* of none */
	HUGE,       /* of 4 GiB, it says */
	LARGE,      /* of 64 KiB, and sends them */
	OTHER,      /* the answer to the next message */
	TWICE,      /* the answer twice */
	NO_REPLY,   /* without the REPLY bit */
	VERSION,    /* of version 2 */
	NACK,       /* refuse */
	WITH_FDS,   /* with unwanted descriptors */
	HANG_UP,    /* close when a front-end connects */
	STRICT,     /* close when bit 18 is taken without STATUS */
	BUSY,       /* never accept, with others waiting */
	NOT_THERE,  /* listen, and never accept */
	HARD,       /* close instead of refusing */
	FAULT_KINDS
};

static const char *const fault_name[FAULT_KINDS] = {
    "silent", "close", "die",     "garbage", "half",  "half-close", "cut",   "cut-close", "drip",
    "short",  "long",  "empty",   "huge",    "large", "other",      "twice", "no-reply",  "version",
    "nack",   "fds",   "hang-up", "strict",  "busy",  "not-there",  "hard",
};

struct defect {
	enum what what;
	const struct vhu_message *message; /* NULL: any */
};

static struct {
	enum vhu_dialect dialect;
	uint64_t features, protocol, device, config, told, min, max, queues, clients, away, deaf,
	    vring;
	struct defect fault[FAULTS_MAX];
	unsigned faults;
} self = {
    .dialect = VHU_STANDALONE,
    .features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VHU_F_PROTOCOL_FEATURES,
    .protocol = UINT64_C(1) << VHU_PF_MQ | UINT64_C(1) << VHU_PF_REPLY_ACK |
		UINT64_C(1) << VHU_PF_CONFIG | UINT64_C(1) << VHU_PF_CONFIGURE_MEM_SLOTS |
		UINT64_C(1) << VHU_PF_STATUS | UINT64_C(1) << VHU_PF_STANDALONE,
    .device = 2,
    .config = 60,
    .told = 60,
    .min = 1,
    .max = 4,
    .queues = 4,
    .clients = UINT64_MAX,
    .deaf = UINT64_MAX,
    .vring = 32768,
};

/* Write an integer in this machine's byte order. */
static void put(uint8_t *to, uint64_t value, unsigned size)
{
	vhu_integer_write(to, size, vhu_host_is_big_endian(), value);
}

/* Read exactly @size bytes. Returns whether they came. */
static bool read_all(int socket, uint8_t *to, size_t size)
{
	for (size_t got = 0; got < size;) {
		ssize_t more = read(socket, to + got, size - got);

		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	return true;
}

/* Return the fault there is for a message, or FAULT_KINDS. */
static enum what fault_of(uint32_t request)
{
	for (unsigned i = 0; i < self.faults; i++)
		if (self.fault[i].what < HANG_UP &&
		    (!self.fault[i].message || self.fault[i].message->request == request))
			return self.fault[i].what;
	return FAULT_KINDS;
}

/* Return whether a fault was asked for that is about no message. */
static bool has_fault(enum what what)
{
	for (unsigned i = 0; i < self.faults; i++)
		if (self.fault[i].what == what)
			return true;
	return false;
}

/* Make the answer to id 41, 42 or 43. Returns its payload's size, -1 for none. */
static int answer_proposal(uint32_t request, uint8_t *to)
{
	unsigned which = request - vhu_messages[VHU_MSG_GET_DEVICE_ID].request;
	const uint64_t single[] = {self.device, self.told, self.min};

	if (self.dialect == VHU_UPSTREAM)
		return 0;
	if (self.dialect == VHU_PROBE) {
		put(to, single[which], 4);
		return 4;
	}
	if (which)
		return -1;
	put(to, self.device, 4);
	put(to + 4, self.told, 4);
	put(to + 8, self.min, 4);
	put(to + 12, self.max, 4);
	return 16;
}

/* Make the answer to a request for configuration. Returns its payload's size. */
static int answer_config(const uint8_t *payload, uint8_t *to)
{
	uint64_t offset = vhu_integer_read(payload, 4, vhu_host_is_big_endian());
	uint64_t size = vhu_integer_read(payload + 4, 4, vhu_host_is_big_endian());

	if (offset + size > self.config)
		return 0;
	memcpy(to, payload, 12);
	memset(to + 12, 0, size);
	/* A disk of 2048 sectors with the given number of queues; no test looks at the rest.
	 */
	if (offset == 0 && size > 36) {
		to[12 + 1] = 8;
		to[12 + 34] = (uint8_t)self.queues;
	}
	return (int)(12 + size);
}

/* Make the answer to a message. Returns its payload's size, -1 where it has none; HANGS_UP. */
static int answer(const struct vhu_header *header, const uint8_t *payload, uint8_t *to)
{
	const struct vhu_message *row[VHU_DIALECTS];
	uint64_t value = 0;

	if (!vhu_message_find(VHU_FRONT_END, header->request, VHU_ANY, row))
		return -1;
	if (row[0]->id == VHU_MSG_SET_VRING_NUM &&
	    vhu_integer_read(payload + 4, 4, vhu_host_is_big_endian()) > self.vring) {
		if (has_fault(HARD))
			return HANGS_UP;
		value = 1;
	}
	switch (row[0]->id) {
	case VHU_MSG_GET_FEATURES:
		value = self.features;
		break;
	case VHU_MSG_GET_PROTOCOL_FEATURES:
		value = self.protocol;
		break;
	case VHU_MSG_GET_QUEUE_NUM:
		value = self.queues;
		break;
	case VHU_MSG_GET_MAX_MEM_SLOTS:
		value = 8;
		break;
	case VHU_MSG_GET_CONFIG:
		return answer_config(payload, to);
	case VHU_MSG_GET_SHMEM_CONFIG:
		/* Two regions, the first and the third. */
		put(to, 2, 4);
		put(to + 8, 4096, 8);
		put(to + 24, 1 << 21, 8);
		return 32;
	case VHU_MSG_GET_SHARED_OBJECT:
	case VHU_MSG_SET_DEVICE_STATE_FD:
	case VHU_MSG_CHECK_DEVICE_STATE:
		return answer_proposal(header->request, to);
	default:
		if (row[0]->reply_rule == VHU_REPLY_ACK && !(header->flags & VHU_FLAG_NEED_REPLY))
			return -1;
		break;
	}
	put(to, value, 8);
	return 8;
}

/* Send bytes, with descriptors where they are asked for. Returns whether all went. */
static bool send_bytes(int socket, const uint8_t *bytes, size_t size, bool with_fds)
{
	int fd[3] = {eventfd(0, 0), eventfd(0, 0), eventfd(0, 0)};
	const struct vhu_piece piece = {(void *)(uintptr_t)bytes, size, fd, with_fds ? 3 : 0};
	ssize_t sent = vhu_piece_send(socket, &piece, 0);

	for (int i = 0; i < 3; i++)
		close(fd[i]);
	return sent == (ssize_t)size;
}

/* Stay silent until the front-end goes. */
static void wait_for_end(int socket)
{
	uint8_t ignored[4096];

	while (read(socket, ignored, sizeof(ignored)) > 0)
		;
}

/* Change an answer as a fault wants it; *@size is its payload's. Returns whether it stays in order
 * with its header. */
static void spoil(enum what what, struct vhu_header *header, uint8_t *payload, size_t *size)
{
	switch (what) {
	case SHORT:
		*size -= *size < 4 ? *size : 4;
		break;
	case LONG:
		*size += 4;
		break;
	case EMPTY:
		*size = 0;
		break;
	case LARGE:
		*size = PAYLOAD_MAX * 16;
		break;
	case OTHER:
		header->request++;
		break;
	case NO_REPLY:
		header->flags &= ~VHU_FLAG_REPLY;
		break;
	case VERSION:
		header->flags ^= VHU_FLAGS_VERSION_MASK;
		break;
	case NACK:
		put(payload, 1, 8);
		*size = 8;
		break;
	default:
		break;
	}
	header->size = what == HUGE ? UINT32_MAX : (uint32_t)*size;
}

/* Send an answer, as a fault wants it. Returns whether the connection goes on. */
static bool send_answer(int socket, const struct vhu_header *asked, uint8_t *bytes, size_t size)
{
	enum what what = fault_of(asked->request);
	struct vhu_header header = {asked->request, VHU_FLAGS_VERSION | VHU_FLAG_REPLY, 0};
	static const uint8_t garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	spoil(what, &header, bytes + VHU_HEADER_SIZE, &size);
	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	size += VHU_HEADER_SIZE;
	if (what == CLOSE)
		return false;
	if (what == DIE)
		abort();
	if (what == GARBAGE)
		return send_bytes(socket, garbage, sizeof(garbage) - 1, false);
	if (what == HALF || what == HALF_CLOSE)
		size = VHU_HEADER_SIZE / 2;
	if (what == CUT || what == CUT_CLOSE)
		size = VHU_HEADER_SIZE + (size - VHU_HEADER_SIZE) / 2;
	for (size_t i = 0; what == DRIP && i < size; i++) {
		if (!send_bytes(socket, bytes + i, 1, false))
			return false;
		poll(NULL, 0, DRIP_MS);
	}
	if (what != SILENT && what != DRIP && !send_bytes(socket, bytes, size, what == WITH_FDS))
		return false;
	if (what == TWICE)
		send_bytes(socket, bytes, size, false);
	if (what == SILENT || what == HALF || what == CUT)
		wait_for_end(socket);
	return what != HALF_CLOSE && what != CUT_CLOSE;
}

/* Return whether a message takes bit 18 without STATUS. */
static bool breaks_dependency(const struct vhu_header *header, const uint8_t *payload)
{
	uint64_t taken = vhu_integer_read(payload, 8, vhu_host_is_big_endian());

	return header->request == vhu_messages[VHU_MSG_SET_PROTOCOL_FEATURES].request &&
	       (taken >> VHU_PF_STANDALONE & 1) && !(taken >> VHU_PF_STATUS & 1);
}

/* Talk to one front-end until it goes, or is to go. */
static void serve(int socket)
{
	static uint8_t bytes[VHU_HEADER_SIZE + 16 * PAYLOAD_MAX];
	uint8_t head[VHU_HEADER_SIZE], payload[PAYLOAD_MAX];

	while (read_all(socket, head, sizeof(head))) {
		struct vhu_header header = vhu_header_read(head, vhu_host_is_big_endian());
		int size;

		if (header.size > sizeof(payload) || !read_all(socket, payload, header.size))
			return;
		if (has_fault(STRICT) && breaks_dependency(&header, payload))
			return;
		memset(bytes, 0, sizeof(bytes));
		size = answer(&header, payload, bytes + VHU_HEADER_SIZE);
		if (size == HANGS_UP)
			return;
		if (size >= 0 && !send_answer(socket, &header, bytes, (size_t)size))
			return;
	}
}

/* Take an argument. Returns whether it makes sense. */
static bool take(char *argument)
{
	const struct {
		const char *key;
		uint64_t *value;
	} number[] = {
	    {"features", &self.features}, {"protocol", &self.protocol}, {"device", &self.device},
	    {"config", &self.config},     {"told", &self.told},         {"min", &self.min},
	    {"max", &self.max},           {"queues", &self.queues},     {"clients", &self.clients},
	    {"away", &self.away},         {"deaf", &self.deaf},         {"vring", &self.vring},
	};
	char *value = argument + strcspn(argument, "=:");
	bool is_fault = *value != '=';
	struct defect *fault = &self.fault[self.faults];

	if (*value)
		*value++ = '\0';
	for (size_t i = 0; !is_fault && i < VHU_ARRAY_SIZE(number); i++)
		if (!strcmp(argument, number[i].key)) {
			*number[i].value = strtoull(value, NULL, 0);
			return true;
		}
	for (int i = VHU_UPSTREAM; !is_fault && i < VHU_DIALECTS; i++)
		if (!strcmp(argument, "dialect") &&
		    !strcmp(value, vhu_dialect_name((enum vhu_dialect)i))) {
			self.dialect = (enum vhu_dialect)i;
			return true;
		}
	for (unsigned i = 0; is_fault && i < FAULT_KINDS && self.faults < FAULTS_MAX; i++) {
		if (strcmp(argument, fault_name[i]))
			continue;
		fault->what = (enum what)i;
		fault->message = *value ? vhu_message_by_name(value) : NULL;
		self.faults++;
		return !*value || fault->message;
	}
	return false;
}

/* Listen on @path. Returns the socket, or -1. It is there by that name when all is as it should be.
 */
static int listen_on(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), other;

	if (fd < 0 || strlen(path) + strlen(".new") >= sizeof(address.sun_path))
		return -1;
	sprintf(address.sun_path, "%s.new", path);
	unlink(address.sun_path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 0))
		return -1;
	/* Others wait until there is no more room. */
	while (has_fault(BUSY)) {
		other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(other, (struct sockaddr *)&address, sizeof(address)))
			break;
	}
	return rename(address.sun_path, path) ? -1 : fd;
}

int main(int argc, char **argv)
{
	int listener, client;

	for (int i = 2; i < argc; i++) {
		if (!take(argv[i])) {
			fprintf(stderr, "%s: %s: makes no sense\n", argv[0], argv[i]);
			return 2;
		}
	}
	listener = argc < 2 ? -1 : listen_on(argv[1]);
	if (listener < 0) {
		perror(argc < 2 ? argv[0] : argv[1]);
		return 2;
	}
	while (has_fault(BUSY) || has_fault(NOT_THERE))
		pause();
	for (uint64_t i = 0; i < self.clients; i++) {
		while (i >= self.deaf)
			pause();
		client = accept(listener, NULL, NULL);
		if (client < 0)
			return 1;
		if (i + 1 == self.clients)
			close(listener);
		if (!has_fault(HANG_UP) && i >= self.away)
			serve(client);
		close(client);
	}
	return 0;
}
