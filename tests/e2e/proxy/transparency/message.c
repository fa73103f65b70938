/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The random messages of the transparency test. */
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "tests/e2e/proxy/transparency/fds.h"
#include "tests/e2e/proxy/transparency/message.h"

/* Sizes that real messages have, so that what looks real is sent too. */
static const uint32_t real_sizes[] = {0,  0,  0,  4,  8,  8,   8,   8,    16,  20,
				      24, 32, 40, 40, 72, 256, 268, 1072, 2056};

/* Where the ends of buffers and of the range are. */
static const uint32_t edge_sizes[] = {1,     11,    12,    13,    4083,  4084,  4085, 4096,
				      16384, 32768, 65523, 65524, 65525, 65535, 65536};

uint64_t message_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t message_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((message_random(state) >> 32) * limit >> 32);
}

/* Return a random payload size: mostly small, now and then up to the largest. */
static uint32_t random_size(uint64_t *state)
{
	uint32_t dice = message_below(state, 1000);

	if (dice < 500)
		return real_sizes[message_below(state, VHU_ARRAY_SIZE(real_sizes))];
	if (dice < 800)
		return message_below(state, 256);
	if (dice < 950)
		return message_below(state, 4096);
	if (dice < 970)
		return edge_sizes[message_below(state, VHU_ARRAY_SIZE(edge_sizes))];
	return message_below(state, MESSAGE_PAYLOAD_MAX + 1);
}

/* Return a random number of descriptors: mostly none, now and then as many as can be. */
static unsigned int random_nfds(uint64_t *state)
{
	uint32_t dice = message_below(state, 1000);

	if (dice < 700)
		return 0;
	if (dice < 880)
		return 1;
	if (dice < 980)
		return 2 + message_below(state, 7);
	if (dice < 994)
		return message_below(state, 65);
	if (dice < 998)
		return message_below(state, PEER_FDS_MAX + 1);
	return PEER_FDS_MAX;
}

/* Return a random id: half the time one that the specification may have, else any. */
static uint32_t random_request(uint64_t *state)
{
	switch (message_below(state, 8)) {
	case 0:
		return (uint32_t)message_random(state);
	case 1:
		return message_below(state, 256);
	default:
		return message_below(state, 50);
	}
}

/* Return random flags: the usual ones, or anything. */
static uint32_t random_flags(uint64_t *state)
{
	static const uint32_t usual[] = {1, 1, 1, 5, 9, 0xd, 0, 4};

	if (message_below(state, 4))
		return usual[message_below(state, 8)];
	return (uint32_t)message_random(state);
}

/* Set the header in @message->bytes and its size. */
static void set_header(struct passed_message *message, uint32_t request, uint32_t flags,
		       uint32_t size)
{
	struct peer_header header = {request, flags, size};

	memcpy(message->bytes, &header, sizeof(header));
	message->size = PEER_HEADER_SIZE + size;
}

/* Choose the descriptors of @message. @sockets: whether sockets may be among them; not where the
 * proxy would rightly take one for a channel's. */
static void choose_fds(struct passed_message *message, uint64_t *state, bool sockets)
{
	message->nfds = random_nfds(state);
	for (unsigned int i = 0; i < message->nfds; i++) {
		uint32_t index = message_below(state, FDS_POOL);

		while (!sockets && fds_is_socket(index))
			index = (index + 1) % FDS_POOL;
		message->fd[i] = (uint16_t)index;
	}
}

/* Return whether message @number of @stream opens a channel, and which kind. */
static bool opens_channel(const struct message_stream *stream, unsigned int number,
			  enum vhu_channel *channel)
{
	if (stream->opened || stream->from_back_end || !stream->channel_every)
		return false;
	if (number % stream->channel_every != stream->channel_every - 1)
		return false;
	*channel = number / stream->channel_every % 2 ? VHU_GPU : VHU_BACK_END;
	return true;
}

void message_make(struct passed_message *message, const struct message_stream *stream,
		  unsigned int number)
{
	uint64_t state = stream->seed;
	uint32_t request, flags, size;
	bool carries_channel;

	/* Every part of the stream's name and the number stir the state. */
	state = message_random(&state) + stream->session;
	state = message_random(&state) + (uint64_t)stream->opened * 2 + stream->from_back_end;
	state = message_random(&state) + number;

	message->nfds = 0;
	message->opens = opens_channel(stream, number, &message->channel);
	if (message->opens) {
		set_header(message,
			   message->channel == VHU_GPU ? MESSAGE_GPU_SET_SOCKET
						       : MESSAGE_SET_BACKEND_REQ_FD,
			   message_below(&state, 2) ? 1 : 9, 0);
		return;
	}
	request = random_request(&state);
	flags = random_flags(&state);
	/* The first message tells its stream from all others. */
	size = number ? random_size(&state) : 32;
	set_header(message, request, flags, size);
	carries_channel =
	    !stream->opened && !stream->from_back_end &&
	    (request == MESSAGE_SET_BACKEND_REQ_FD || request == MESSAGE_GPU_SET_SOCKET);
	choose_fds(message, &state, !carries_channel);
	for (uint32_t i = 0; i < size; i += 8) {
		uint64_t bytes = message_random(&state);

		memcpy(message->bytes + PEER_HEADER_SIZE + i, &bytes, size - i < 8 ? size - i : 8);
	}
}

const char *message_stream_name(const struct message_stream *stream)
{
	static char name[128];
	static const char *const channels[] = {
	    [VHU_FRONT_END] = "main socket",
	    [VHU_BACK_END] = "back-end channel",
	    [VHU_GPU] = "GPU channel",
	};
	int n = snprintf(name, sizeof(name), "session %u, ", stream->session);

	if (stream->opened)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "%s (opened as number %u), ",
			      channels[stream->channel], stream->opened);
	snprintf(name + n, sizeof(name) - (size_t)n, "%s",
		 stream->from_back_end ? "back-end to front-end" : "front-end to back-end");
	return name;
}
