/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The random messages of the transparency test.
 *
 * A message is a pure function of the seed, its stream (one direction of one connection) and its
 * number in it: the sender, the receiver and the check of the capture each make it again, so
 * nothing has to be handed from one to another and nothing can be forgotten.
 */
#ifndef VHU_TESTS_TRANSPARENCY_MESSAGE_H
#define VHU_TESTS_TRANSPARENCY_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/protocol/protocol.h"
#include "tests/lib/peer.h"

#define MESSAGE_PAYLOAD_MAX 65536
#define MESSAGE_SIZE_MAX    (PEER_HEADER_SIZE + MESSAGE_PAYLOAD_MAX)

/* The two messages that carry a channel's socket. */
#define MESSAGE_SET_BACKEND_REQ_FD 21
#define MESSAGE_GPU_SET_SOCKET     33

/* One direction of one connection. */
struct message_stream {
	uint64_t seed;            /* of the run */
	unsigned int session;     /* number in the run */
	unsigned int opened;      /* 0: the main socket; else its channel's number in the session */
	enum vhu_channel channel; /* what kind of channel that is */
	bool from_back_end;
	unsigned int count;         /* messages in it */
	unsigned int channel_every; /* main, from the front-end: open a channel so often; 0 never */
};

struct passed_message {
	bool opens;               /* carries a new channel's socket, and only that */
	enum vhu_channel channel; /* which kind, if it opens one */
	uint32_t size;            /* of bytes[] */
	unsigned int nfds;
	uint16_t fd[PEER_FDS_MAX]; /* indexes into the pool of descriptors */
	uint8_t bytes[MESSAGE_SIZE_MAX];
};

/* A generator of random numbers (splitmix64): @state moves on with each number. */
uint64_t message_random(uint64_t *state);

/* Return a random number below @limit, which is not 0. */
uint32_t message_below(uint64_t *state, uint32_t limit);

/* Make message number @number of @stream. */
void message_make(struct passed_message *message, const struct message_stream *stream,
		  unsigned int number);

/* Name @stream for a complaint, as "session 3, front-end to back-end". Lasts until the next call.
 */
const char *message_stream_name(const struct message_stream *stream);

#endif
