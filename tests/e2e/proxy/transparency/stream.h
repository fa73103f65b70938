/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of one connection of the transparency test: a sender that cuts its bytes anywhere,
 * and a receiver that reads as real peers do and compares.
 */
#ifndef VHU_TESTS_TRANSPARENCY_STREAM_H
#define VHU_TESTS_TRANSPARENCY_STREAM_H

#include "tests/e2e/proxy/transparency/message.h"

/* How many messages a sender may put into one run of bytes. */
#define STREAM_BATCH 8

struct passed_session;

/* A message in the sender's buffer. */
struct staged {
	size_t start;
	unsigned int nfds;
	bool opens; /* fd[0] is the sender's to close once it is sent */
	int fd[PEER_FDS_MAX];
};

struct sender {
	struct message_stream stream;
	struct passed_session *session;
	uint64_t random;     /* for the cuts; not for the messages */
	unsigned int number; /* of the next message to put into the buffer */
	size_t size, sent;   /* of the buffer */
	unsigned int batch;  /* messages in it */
	struct staged staged[STREAM_BATCH];
	uint8_t buffer[2 * MESSAGE_SIZE_MAX];
};

struct receiver {
	struct message_stream stream;
	struct passed_session *session;
	uint64_t random;      /* for the naps */
	unsigned int number;  /* of the message that comes */
	size_t have;          /* bytes of it that have come */
	int64_t nap_until_ms; /* it does not read before, so that the proxy's buffers fill */
	bool ended;           /* the end was seen */
	struct passed_message expected;
};

/*
 * Send a piece of what there is on @fd, which does not block.
 * Returns 1 when something was sent, 0 when the socket is full or a channel has to end first.
 */
int stream_send(struct sender *sender, int fd);

/* Return whether all was sent. */
bool stream_sent_all(const struct sender *sender);

/*
 * Receive what there is on @fd, which does not block, up to the end of one message or the end of
 * the stream, and compare it with what was sent. Returns 1 when a message is whole or the end was
 * seen, 0 when there is no more now.
 */
int stream_receive(struct receiver *receiver, int fd);

/* Return whether all was received. */
bool stream_received_all(const struct receiver *receiver);

#endif
