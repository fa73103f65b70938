/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that send what they should not, or stop in the middle of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "tests/e2e/proxy/bad_input/bad_input.h"

/* Megabytes of a message that claims to have 4096. */
#define HUGE_MIB 48

/* End a session from its front-end and see the other end. */
static void end_session(int front, int back)
{
	close(front);
	peer_expect_end(back, "back-end");
	close(back);
}

/* Return how many KiB the proxy's memory ever was, beyond @before. */
static long grown_kib(const struct bad *bad, unsigned long before)
{
	return (long)proxy_memory_kib(&bad->proxy, "VmHWM") - (long)before;
}

/* A size of 4 GiB: the header passes though its payload does not come, then what comes of it. */
void bad_huge_size(void)
{
	struct peer_header header = {40, 1, 0xffffffff};
	static uint8_t part[1 << 20];
	struct bad bad;
	unsigned long before;
	int front, back;

	bad_begin(&bad, true);
	before = proxy_memory_kib(&bad.proxy, "VmHWM");
	bad_session(&bad, &front, &back);
	peer_check(!peer_send(front, &header, sizeof(header), NULL, 0), "header: not sent");
	peer_expect(back, &header, sizeof(header), "the header of 4 GiB");
	for (int i = 0; i < HUGE_MIB; i++) {
		for (size_t j = 0; j < sizeof(part); j++)
			part[j] = (uint8_t)(j * 7 + (size_t)i + (j >> 8));
		/* In pieces that the sockets' buffers hold, as one process does both. */
		for (size_t j = 0; j < sizeof(part); j += 65536) {
			peer_check(!peer_send(front, part + j, 65536, NULL, 0), "not sent");
			peer_expect(back, part + j, 65536, "payload of 4 GiB");
		}
	}
	bad_bystander(&bad);
	peer_check(grown_kib(&bad, before) < 4096, "memory grew by %ld KiB",
		   grown_kib(&bad, before));
	end_session(front, back);
	bad_one_line(&bad, "session 2");
	bad_end(&bad);
}

void bad_half_header(void)
{
	for (size_t size = 1; size < PEER_HEADER_SIZE; size += 5) {
		struct bad bad;
		int front, back;

		bad_begin(&bad, true);
		bad_session(&bad, &front, &back);
		peer_check(!peer_send(front, "half a header", size, NULL, 0), "not sent");
		close(front);
		peer_expect(back, "half a header", size, "half a header");
		peer_expect_end(back, "back-end");
		close(back);
		bad_one_line(&bad, "session 2");
		bad_end(&bad);
	}
}

/* The sender's half message passes, its descriptor with it. */
void bad_half_payload(void)
{
	struct {
		struct peer_header header;
		uint8_t payload[600];
	} message = {{37, 1, 1000}, {1, 2, 3}};
	int front, back, memfd = memfd_create("half", MFD_CLOEXEC), fds[PEER_FDS_MAX];
	struct stat sent, received;
	uint8_t first[PEER_HEADER_SIZE];
	struct bad bad;
	unsigned int nfds;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	/* From the back-end this time. */
	peer_check(!peer_send(back, &message, sizeof(message), &memfd, 1), "not sent");
	close(back);
	peer_check(peer_receive(front, first, sizeof(first), fds, &nfds) == PEER_HEADER_SIZE &&
		       nfds == 1,
		   "the header did not come with its descriptor");
	fstat(memfd, &sent);
	fstat(fds[0], &received);
	peer_check(sent.st_ino == received.st_ino, "another descriptor came");
	close(fds[0]);
	close(memfd);
	peer_expect(front, message.payload, sizeof(message.payload), "half a payload");
	peer_expect_end(front, "front-end");
	close(front);
	bad_one_line(&bad, "session 2");
	bad_end(&bad);
}

/* Whoever shuts down sending can still receive. */
void bad_half_close(void)
{
	struct bad bad;
	int end[2];

	bad_begin(&bad, true);
	for (int side = 0; side < 2; side++) {
		bad_session(&bad, &end[0], &end[1]);
		peer_check(!peer_send(end[side], "\1\0\0\0\1\0\0\0\0\0\0\0", 12, NULL, 0),
			   "not sent");
		shutdown(end[side], SHUT_WR);
		peer_expect(end[!side], "\1\0\0\0\1\0\0\0\0\0\0\0", 12, "before the shutdown");
		peer_expect_end(end[!side], "what was shut down");
		for (int i = 0; i < 3; i++) {
			peer_check(!peer_send(end[!side], "\2\0\0\0\1\0\0\0\1\0\0\0x", 13, NULL, 0),
				   "the other direction was closed too");
			peer_expect(end[side], "\2\0\0\0\1\0\0\0\1\0\0\0x", 13, "the answer");
		}
		bad_bystander(&bad);
		close(end[!side]);
		peer_expect_end(end[side], "the side that had shut down");
		close(end[side]);
	}
	bad_end(&bad);
}

/* Receive @size bytes and expect @count descriptors, like @sent, with the byte number @at. */
static void expect_fds_at(int fd, const uint8_t *bytes, size_t size, size_t at, const int *sent,
			  unsigned int count)
{
	int fds[PEER_FDS_MAX];
	unsigned int nfds;
	uint8_t byte;

	for (size_t i = 0; i < size; i++) {
		peer_check(peer_readable(fd, PEER_PATIENCE_MS), "byte %zu did not come", i);
		peer_check(peer_receive(fd, &byte, 1, fds, &nfds) == 1 && byte == bytes[i],
			   "byte %zu is not what was sent", i);
		peer_check(nfds == (i == at ? count : 0),
			   "%u descriptors came with byte %zu; %u were sent with byte %zu", nfds, i,
			   count, at);
		for (unsigned int j = 0; j < nfds; j++) {
			struct stat is, was;

			fstat(fds[j], &is);
			fstat(sent[j], &was);
			peer_check(is.st_ino == was.st_ino && is.st_dev == was.st_dev,
				   "descriptor %u is another", j);
			close(fds[j]);
		}
	}
}

/* Make @count different descriptors. */
static void make_fds(int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		fds[i] = memfd_create("mine", MFD_CLOEXEC);
		peer_check(fds[i] >= 0, "memfd: %s", strerror(errno));
	}
}

/* Close what make_fds made. */
static void close_fds(const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]);
}

/* Send one message cut at @at, with @count descriptors at the cut, and see it arrive so. */
static void send_fds_at(struct bad *bad, size_t at, unsigned int count)
{
	uint8_t message[PEER_HEADER_SIZE + 20] = {5, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 'p', 'a'};
	int front, back, fds[PEER_FDS_MAX];

	make_fds(fds, count);
	bad_session(bad, &front, &back);
	peer_check(!peer_send(front, message, at, NULL, 0), "not sent");
	/* Else the kernel might give the proxy both parts, and the descriptors, by one call. */
	peer_received(front);
	peer_check(!peer_send(front, message + at, sizeof(message) - at, fds, count), "not sent");
	/* Descriptors within a header come with its first byte: it is not sent in pieces. */
	expect_fds_at(back, message, sizeof(message), at < PEER_HEADER_SIZE ? 0 : at, fds, count);
	peer_exchange(front, back, at);
	close_fds(fds, count);
	end_session(front, back);
}

void bad_fds_in_payload(void)
{
	struct bad bad;

	bad_begin(&bad, true);
	send_fds_at(&bad, 12, 1);
	send_fds_at(&bad, 13, 2);
	send_fds_at(&bad, 25, PEER_FDS_MAX);
	send_fds_at(&bad, 31, 1);
	bad_end(&bad);
}

void bad_fds_in_header(void)
{
	struct peer_header header = {5, 1, 0};
	int front, back, fds[PEER_FDS_MAX], got[PEER_FDS_MAX];
	unsigned int nfds, all = 0;
	uint8_t bytes[PEER_HEADER_SIZE];
	size_t have = 0;
	struct bad bad;

	bad_begin(&bad, true);
	send_fds_at(&bad, 1, 3);
	send_fds_at(&bad, 11, 1);
	/* As many as there can be with every byte: more than one message can carry. */
	bad_session(&bad, &front, &back);
	make_fds(fds, PEER_FDS_MAX);
	for (size_t i = 0; i < sizeof(header); i++)
		peer_check(!peer_send(front, (uint8_t *)&header + i, 1, fds, PEER_FDS_MAX),
			   "not sent");
	while (have < sizeof(header)) {
		ssize_t n;

		peer_check(peer_readable(back, PEER_PATIENCE_MS), "byte %zu did not come", have);
		n = peer_receive(back, bytes + have, sizeof(header) - have, got, &nfds);
		peer_check(n > 0, "byte %zu did not come", have);
		have += (size_t)n;
		all += nfds;
		close_fds(got, nfds);
	}
	peer_check(!memcmp(bytes, &header, sizeof(header)), "the header is another");
	peer_check(all == PEER_FDS_MAX * sizeof(header), "%u descriptors came", all);
	close_fds(fds, PEER_FDS_MAX);
	end_session(front, back);
	bad_end(&bad);
}

/* The kernel drops descriptors without bytes: nothing of it may be seen later. */
void bad_fds_without_bytes(void)
{
	struct peer_header header = {1, 1, 0};
	int front, back, memfd = memfd_create("alone", MFD_CLOEXEC);
	const struct vhu_piece piece = {.fd = &memfd, .fds = 1};
	struct bad bad;
	ssize_t n;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	for (int i = 0; i < 3; i++) {
		n = vhu_piece_send(front, &piece, 0);
		peer_check(n == 0, "sendmsg: %s", strerror((int)-n));
		peer_check(!peer_send(front, &header, sizeof(header), NULL, 0), "not sent");
		expect_fds_at(back, (uint8_t *)&header, sizeof(header), 0, NULL, 0);
	}
	close(memfd);
	end_session(front, back);
	bad_end(&bad);
}

/* More descriptors than the proxy may open: the session ends loudly, and only that one. */
void bad_fds_truncated(void)
{
	int front, back, fds[PEER_FDS_MAX], got[PEER_FDS_MAX];
	struct bad bad = {0};
	const char *line;
	unsigned int nfds = 0;
	uint8_t byte;

	proxy_prepare(&bad.proxy);
	bad.proxy.max_fds = 40;
	bad_begin_prepared(&bad, bad.proxy.capture);
	for (int turn = 0; turn < 3; turn++) {
		bad_session(&bad, &front, &back);
		make_fds(fds, 100);
		peer_check(!peer_send_message(front, 5, "12345678", 8, fds, 100), "not sent");
		close_fds(fds, 100);
		/* A message that lost descriptors must not arrive as if it had had fewer. */
		peer_check(peer_readable(back, PEER_PATIENCE_MS), "the session goes on");
		peer_check(peer_receive(back, &byte, 1, got, &nfds) <= 0 && !nfds,
			   "something of the message arrived");
		peer_expect_end(front, "front-end");
		close(front);
		close(back);
		line = bad_one_line(&bad, "RLIMIT_NOFILE");
		peer_check(strstr(line, "session") && strstr(line, "40"),
			   "does not say which session and how many: %s", line);
	}
	bad_session(&bad, &front, &back);
	peer_exchange(front, back, 5);
	end_session(front, back);
	bad_end(&bad);
}

/* More sessions than the proxy may have descriptors for: those that fit go on, the others come in
 * when there is room, and stderr is not flooded. */
void bad_too_many_sessions(void)
{
	struct bad bad = {0};
	int front[40], back;
	unsigned int lines = 0;

	proxy_prepare(&bad.proxy);
	bad.proxy.max_fds = 30;
	bad_begin_prepared(&bad, bad.proxy.capture);
	for (int i = 0; i < 40; i++)
		front[i] = peer_connect(bad.proxy.front);
	usleep(300000);
	bad_bystander(&bad);
	for (const char *log = proxy_log(&bad.proxy); (log = strchr(log, '\n')); log++)
		lines++;
	peer_check(lines > 0, "nothing was said about sessions that do not fit");
	peer_check(lines <= 2, "%u lines were said: %s", lines, proxy_log(&bad.proxy));
	for (int i = 0; i < 40; i++)
		close(front[i]);
	while (peer_readable(bad.listener, 200)) {
		back = peer_accept(bad.listener);
		close(back);
	}
	bad_session(&bad, &front[0], &back);
	peer_exchange(front[0], back, 6);
	end_session(front[0], back);
	bad_end(&bad);
}

/* A side that closes without reading what it was sent. */
void bad_reset(void)
{
	struct bad bad;
	int end[2];

	bad_begin(&bad, true);
	for (int i = 0; i < 20; i++) {
		int closer = i % 2;

		bad_session(&bad, &end[0], &end[1]);
		for (int j = 0; j < 10; j++)
			peer_send_message(end[!closer], 99, "unread", 6, NULL, 0);
		if (i >= 10)
			peer_check(peer_readable(end[closer], PEER_PATIENCE_MS), "nothing came");
		close(end[closer]);
		peer_expect_end(end[!closer], "the side that had sent");
		close(end[!closer]);
	}
	bad_end(&bad);
}

/* A side that does not read stalls its own session only, with bounded memory; nothing is lost. */
void bad_slow_reader(void)
{
	uint8_t expected[PEER_HEADER_SIZE + 8];
	struct peer_header header = {2, 1, 8};
	unsigned long before;
	uint64_t sent = 0, received = 0;
	struct bad bad;
	int front, back;

	bad_begin(&bad, true);
	before = proxy_memory_kib(&bad.proxy, "VmHWM");
	bad_session(&bad, &front, &back);
	fcntl(front, F_SETFL, O_NONBLOCK);
	memcpy(expected, &header, sizeof(header));
	/* Until nothing went for a moment: every buffer is full. */
	for (int quiet = 0; quiet < 10;) {
		memcpy(expected + sizeof(header), &sent, sizeof(sent));
		if (peer_send(front, expected, sizeof(expected), NULL, 0)) {
			quiet++;
			usleep(10000);
		} else {
			quiet = 0;
			sent++;
			peer_check(sent < 1000000, "nothing holds the sender back");
		}
	}
	bad_bystander(&bad);
	peer_check(grown_kib(&bad, before) < 2048, "memory grew by %ld KiB",
		   grown_kib(&bad, before));
	for (; received < sent; received++) {
		memcpy(expected + sizeof(header), &received, sizeof(received));
		peer_expect(back, expected, sizeof(expected), "what was stalled");
	}
	end_session(front, back);
	bad_end(&bad);
}

/* What should carry a channel's socket carries something else, and passes as it is. */
void bad_channel_not_socket(void)
{
	uint8_t message[PEER_HEADER_SIZE] = {21, 0, 0, 0, 1};
	int front, back, fds[4];
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	make_fds(fds, 2);
	peer_check(!pipe(fds + 2), "pipe: %s", strerror(errno));
	for (unsigned int count = 0; count <= 4; count++) {
		message[0] = count % 2 ? 21 : 33;
		peer_check(!peer_send(front, message, sizeof(message), fds + 4 - count, count),
			   "not sent");
		expect_fds_at(back, message, sizeof(message), 0, fds + 4 - count, count);
	}
	close_fds(fds, 4);
	peer_exchange(front, back, 21);
	end_session(front, back);
	bad_end(&bad);
}

/* A second channel of the same kind while the first is open; both work, each on its own. */
void bad_channels_twice(void)
{
	uint8_t message[PEER_HEADER_SIZE] = {21, 0, 0, 0, 1};
	int front, back, mine[2], theirs[2], fds[PEER_FDS_MAX], pair[2];
	unsigned int nfds;
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	for (int i = 0; i < 2; i++) {
		peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
		mine[i] = pair[0];
		peer_check(!peer_send(front, message, sizeof(message), &pair[1], 1), "not sent");
		close(pair[1]);
		peer_check(peer_readable(back, PEER_PATIENCE_MS), "nothing came");
		peer_check(peer_receive(back, message, sizeof(message), fds, &nfds) == 12 &&
			       nfds == 1,
			   "the channel's socket did not come");
		theirs[i] = fds[0];
	}
	for (int i = 0; i < 4; i++) {
		peer_exchange(theirs[i % 2], mine[i % 2], (uint64_t)i);
		peer_exchange(mine[i % 2], theirs[i % 2], (uint64_t)i);
	}
	close(theirs[0]);
	peer_expect_end(mine[0], "the first channel");
	peer_exchange(theirs[1], mine[1], 5);
	close(mine[1]);
	peer_expect_end(theirs[1], "the second channel");
	peer_exchange(front, back, 6);
	close(mine[0]);
	close(theirs[1]);
	end_session(front, back);
	bad_end(&bad);
}
