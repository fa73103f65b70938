/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender and the receiver of one direction. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "tests/e2e/proxy/transparency/fds.h"
#include "tests/e2e/proxy/transparency/session.h"
#include "tests/e2e/proxy/transparency/stream.h"

/* Put message @message behind the others in the buffer. */
static void stage_one(struct sender *sender, const struct passed_message *message)
{
	struct staged *staged = &sender->staged[sender->batch++];

	staged->start = sender->size;
	staged->opens = message->opens;
	staged->nfds = message->nfds;
	for (unsigned int i = 0; i < message->nfds; i++)
		staged->fd[i] = fds_get(message->fd[i]);
	if (message->opens) {
		staged->nfds = 1;
		staged->fd[0] = session_open_channel(sender->session, message->channel);
	}
	memcpy(sender->buffer + sender->size, message->bytes, message->size);
	sender->size += message->size;
}

/* Fill the empty buffer with the next few messages; with none when a channel has to end first. */
static void stage(struct sender *sender)
{
	static struct passed_message message;
	unsigned int wanted = 1 + message_below(&sender->random, STREAM_BATCH);

	sender->size = sender->sent = 0;
	sender->batch = 0;
	while (sender->batch < wanted && sender->number < sender->stream.count &&
	       sender->size + MESSAGE_SIZE_MAX <= sizeof(sender->buffer)) {
		message_make(&message, &sender->stream, sender->number);
		if (message.opens && !session_channel_free(sender->session, message.channel))
			break;
		stage_one(sender, &message);
		sender->number++;
	}
}

/*
 * Choose where the next piece ends. A piece may hold the end of one message and the beginning of
 * another, but descriptors go with the first byte of theirs, so a message with some begins a piece.
 * *@at: the message that begins here, or NULL. Returns the piece's size.
 */
static size_t next_piece(struct sender *sender, struct staged **at)
{
	size_t end = sender->size, left;

	*at = NULL;
	for (unsigned int i = 0; i < sender->batch; i++) {
		struct staged *staged = &sender->staged[i];

		if (staged->start == sender->sent)
			*at = staged;
		else if (staged->start > sender->sent && staged->nfds && staged->start < end)
			end = staged->start;
	}
	left = end - sender->sent;
	switch (message_below(&sender->random, 5)) {
	case 0:
		return 1 + message_below(&sender->random, (uint32_t)left);
	case 1:
		return 1 + message_below(&sender->random, left < 20 ? (uint32_t)left : 20);
	case 2:
		/* Header and payload in two sends, as libvhost-user does. */
		return *at ? PEER_HEADER_SIZE : left;
	default:
		return left;
	}
}

int stream_send(struct sender *sender, int fd)
{
	struct vhu_piece piece = {0};
	struct staged *at;
	ssize_t n;

	if (sender->sent == sender->size)
		stage(sender);
	if (!sender->batch || sender->sent == sender->size)
		return 0;
	piece.bytes = sender->buffer + sender->sent;
	piece.size = next_piece(sender, &at);
	if (at) {
		piece.fd = at->fd;
		piece.fds = at->nfds;
	}
	n = vhu_piece_send(fd, &piece, MSG_DONTWAIT);
	if (n == -EAGAIN)
		return 0;
	peer_check(n > 0, "%s: message %u: cannot send: %s", message_stream_name(&sender->stream),
		   sender->number - 1, strerror((int)-n));
	if (at && at->opens)
		close(at->fd[0]);
	sender->sent += (size_t)n;
	return 1;
}

bool stream_sent_all(const struct sender *sender)
{
	return sender->number == sender->stream.count && sender->sent == sender->size;
}

/* End the test with what is wrong with the message that comes. */
#define complain(receiver, format, ...)                                                            \
	do {                                                                                       \
		struct peer_header header_;                                                        \
		memcpy(&header_, (receiver)->expected.bytes, sizeof(header_));                     \
		peer_die("%s: message %u (id %u, flags %#x, size %u, %u fds): " format,            \
			 message_stream_name(&(receiver)->stream), (receiver)->number,             \
			 header_.request, header_.flags, header_.size, (receiver)->expected.nfds,  \
			 ##__VA_ARGS__);                                                           \
	} while (0)

/* Take the socket of a channel, which must be a new one in place of the one that was sent. */
static void take_channel(struct receiver *receiver, const int *fds, unsigned int nfds)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (nfds != 1)
		complain(receiver, "came with %u descriptors, a socket was sent", nfds);
	if (getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM)
		complain(receiver, "came with something that is no stream socket");
	session_channel_arrived(receiver->session, receiver->expected.channel, fds[0]);
}

/* Compare the descriptors that came, and close them. */
static void take_fds(struct receiver *receiver, const int *fds, unsigned int nfds)
{
	const struct passed_message *expected = &receiver->expected;

	if (receiver->have == 0 && expected->opens) {
		take_channel(receiver, fds, nfds);
		return;
	}
	if (receiver->have && nfds)
		complain(receiver, "%u descriptors came in the middle, with byte %zu", nfds,
			 receiver->have);
	if (receiver->have)
		return;
	if (nfds != expected->nfds)
		complain(receiver, "%u descriptors came, %u were sent", nfds, expected->nfds);
	for (unsigned int i = 0; i < nfds; i++) {
		const char *differs = fds_differ(expected->fd[i], fds[i]);

		if (differs)
			complain(receiver, "descriptor %u %s", i, differs);
		close(fds[i]);
	}
}

/* Compare @n bytes that came. */
static void take_bytes(struct receiver *receiver, const uint8_t *bytes, size_t n)
{
	const uint8_t *expected = receiver->expected.bytes + receiver->have;

	if (memcmp(bytes, expected, n)) {
		size_t i = 0;

		while (bytes[i] == expected[i])
			i++;
		complain(receiver, "byte %zu is %02x, %02x was sent", receiver->have + i, bytes[i],
			 expected[i]);
	}
	/* Real back-ends read a header in one go and take a part of one for an error. */
	if (receiver->have == 0 && n < PEER_HEADER_SIZE)
		complain(receiver, "only %zu bytes of the header came at once", n);
	receiver->have += n;
}

/* Go to the next message; now and then pause first. */
static void next_message(struct receiver *receiver)
{
	receiver->number++;
	receiver->have = 0;
	if (message_below(&receiver->random, 500) == 0)
		receiver->nap_until_ms = peer_now_ms() + message_below(&receiver->random, 40);
}

int stream_receive(struct receiver *receiver, int fd)
{
	static uint8_t bytes[MESSAGE_SIZE_MAX];
	bool past = receiver->number == receiver->stream.count;
	int fds[PEER_FDS_MAX];
	unsigned int nfds;

	if (receiver->have == 0 && !past)
		message_make(&receiver->expected, &receiver->stream, receiver->number);
	for (;;) {
		size_t want = receiver->have < PEER_HEADER_SIZE
				  ? PEER_HEADER_SIZE - receiver->have
				  : receiver->expected.size - receiver->have;
		ssize_t n = peer_receive(fd, bytes, past ? 1 : want, fds, &nfds);

		if (n == -EAGAIN)
			return 0;
		if (past && n > 0)
			peer_die("%s: something came after the last message",
				 message_stream_name(&receiver->stream));
		if (past && n == 0) {
			receiver->ended = true;
			return 1;
		}
		if (n <= 0)
			complain(receiver, "byte %zu: %s instead", receiver->have,
				 n ? strerror((int)-n) : "the end");
		take_fds(receiver, fds, nfds);
		take_bytes(receiver, bytes, (size_t)n);
		if (receiver->have == receiver->expected.size) {
			next_message(receiver);
			return 1;
		}
	}
}

bool stream_received_all(const struct receiver *receiver)
{
	return receiver->number == receiver->stream.count;
}
