/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that have the proxy hold as much as they can: descriptors, channels, sessions, memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/session/pair.h"
#include "tests/e2e/proxy/bad_input/bad_input.h"

/* Of Linux 6.5. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* Wait until the proxy has exactly @count descriptors open. */
static void wait_for_fds(const struct bad *bad, unsigned count)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;

	while (proxy_fds(&bad->proxy) != count) {
		peer_check(peer_now_ms() < limit, "the proxy has %u descriptors, not %u",
			   proxy_fds(&bad->proxy), count);
		usleep(5000);
	}
}

/* Send a message without blocking. Returns whether there was room for it. */
static bool send_if_room(int fd, uint32_t request, const int *fds, unsigned nfds)
{
	int error;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	error = peer_send_message(fd, request, "\0\0\0\0\0\0\0", 8, fds, nfds);
	peer_check(!error || error == -EAGAIN || error == -ETOOMANYREFS, "not sent: %s",
		   strerror(-error));
	return !error;
}

/* Receive one message with @nfds descriptors, and close those. */
static void receive_fds(int fd, unsigned nfds)
{
	uint8_t bytes[PEER_HEADER_SIZE + 8];
	int got[PEER_FDS_MAX];
	unsigned came;

	peer_check(peer_readable(fd, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(fd, bytes, sizeof(bytes), got, &came) == sizeof(bytes) &&
		       came == nfds,
		   "%u descriptors came, not %u", came, nfds);
	for (unsigned i = 0; i < came; i++)
		close(got[i]);
}

/* Many messages, each with the most descriptors, to a side that does not read: the proxy holds few,
 * few are under way, and all arrive in the end. */
void bad_fds_flood(void)
{
	int front, back, fds[PEER_FDS_MAX], unread = 0, memfd = memfd_create("flood", MFD_CLOEXEC);
	unsigned sent = 0, messages;
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	for (unsigned i = 0; i < PEER_FDS_MAX; i++)
		fds[i] = memfd;
	for (unsigned quiet = 0; quiet < 10; quiet++) {
		while (send_if_room(front, 5, fds, PEER_FDS_MAX)) {
			sent++;
			quiet = 0;
		}
		usleep(10000);
	}
	bad_bystander(&bad);
	peer_check(!ioctl(back, FIONREAD, &unread), "FIONREAD: %s", strerror(errno));
	messages = (unsigned)unread / (PEER_HEADER_SIZE + 8);
	peer_check(sent > messages && messages <= 4, "%u messages are under way of %u", messages,
		   sent);
	peer_check(proxy_fds(&bad.proxy) <= bad.fds + 2 + VHU_SESSION_FDS_MAX,
		   "the proxy holds %u descriptors", proxy_fds(&bad.proxy) - bad.fds);
	for (unsigned i = 0; i < sent; i++)
		receive_fds(back, PEER_FDS_MAX);
	peer_exchange(front, back, 1);
	close(front);
	close(back);
	close(memfd);
	bad_end(&bad);
}

/* Send a channel's socket. @mine: gets the front-end's end of it. Returns what arrived. */
static int send_channel(int front, int back, int *mine, bool *untouched)
{
	struct peer_header header = {21, 1, 0};
	int pair[2], got[PEER_FDS_MAX];
	struct stat was, is;
	unsigned nfds;

	peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair: %s",
		   strerror(errno));
	peer_check(!peer_send(front, &header, sizeof(header), &pair[1], 1), "not sent");
	peer_check(peer_readable(back, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(back, &header, sizeof(header), got, &nfds) == sizeof(header) &&
		       nfds == 1,
		   "no channel came");
	peer_check(!fstat(pair[1], &was) && !fstat(got[0], &is), "fstat");
	*untouched = was.st_ino == is.st_ino;
	*mine = pair[0];
	close(pair[1]);
	return got[0];
}

/* More channels than the proxy stands in for: the others pass untouched, and all of them work. */
void bad_channels_flood(void)
{
	enum { CHANNELS = 3 * VHU_SESSION_LINKS_MAX };
	int front, back, mine[CHANNELS], theirs[CHANNELS];
	unsigned through = 0;
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	for (unsigned i = 0; i < CHANNELS; i++) {
		bool untouched;

		theirs[i] = send_channel(front, back, &mine[i], &untouched);
		through += !untouched;
	}
	peer_check(through == VHU_SESSION_LINKS_MAX - 1, "%u channels are interposed", through);
	for (unsigned i = 0; i < CHANNELS; i++)
		peer_exchange(theirs[i], mine[i], i);
	wait_for_fds(&bad, bad.fds + 2 * VHU_SESSION_LINKS_MAX);
	bad_one_line(&bad, "is not recorded");
	for (unsigned i = 0; i < CHANNELS; i++) {
		close(mine[i]);
		close(theirs[i]);
	}
	peer_exchange(front, back, 1);
	close(front);
	close(back);
	bad_end(&bad);
}

/* A full channel to a side that does not read does not keep a session forever. */
void bad_channel_lingers(void)
{
	int front, back, mine, theirs;
	bool untouched;
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	theirs = send_channel(front, back, &mine, &untouched);
	for (unsigned quiet = 0; quiet < 5; quiet++) {
		while (send_if_room(theirs, 1, NULL, 0))
			quiet = 0;
		usleep(10000);
	}
	close(front);
	close(back);
	wait_for_fds(&bad, bad.fds);
	bad_end(&bad);
	close(mine);
	close(theirs);
}

/* A front-end that has kept the socket of a channel makes it add descriptors of processes to each
 * message that the proxy receives: none of them is kept. */
void bad_channel_adds(void)
{
	struct peer_header header = {21, 1, 0};
	int front, back, pair[2], got[PEER_FDS_MAX], on = 1;
	unsigned nfds;
	struct bad bad;

	bad_begin(&bad, true);
	bad_session(&bad, &front, &back);
	peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	peer_check(!peer_send(front, &header, sizeof(header), &pair[1], 1), "not sent");
	peer_check(peer_receive(back, &header, sizeof(header), got, &nfds) == sizeof(header) &&
		       nfds == 1,
		   "no channel came");
	setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (setsockopt(pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)))
		printf("no SO_PASSPIDFD here\n");
	for (unsigned i = 0; i < 200; i++)
		peer_exchange(got[0], pair[0], i);
	wait_for_fds(&bad, bad.fds + 4);
	close(got[0]);
	close(pair[0]);
	close(pair[1]);
	close(front);
	close(back);
	bad_end(&bad);
}

/* Let this process and the proxy have @count files open; ends the test where the system does not.
 */
static void allow_fds(rlim_t count)
{
	struct rlimit limit;

	peer_check(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	if (limit.rlim_max < count) {
		printf("no more than %lu files can be open here\n", (unsigned long)limit.rlim_max);
		exit(PROXY_EXIT_SKIPPED);
	}
	limit.rlim_cur = count;
	peer_check(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit: %s", strerror(errno));
}

/* More sessions at once than there can be, all idle: the others wait, and come in turn. */
void bad_sessions_flood(void)
{
	enum { FRONTS = VHU_PAIR_SESSIONS_MAX + 20, FIRST = VHU_PAIR_SESSIONS_MAX - 1 };
	static int front[FRONTS], back[FRONTS];
	struct bad bad;

	allow_fds(3 * FRONTS);
	bad_begin(&bad, true);
	for (unsigned i = 0; i < FRONTS; i++)
		front[i] = peer_connect(bad.proxy.front);
	/* The bystander is one of them. */
	for (unsigned i = 0; i < FIRST; i++)
		back[i] = peer_accept(bad.listener);
	bad_one_line(&bad, "who else comes waits");
	peer_check(!peer_readable(bad.listener, 0), "one more has begun");
	/* Some may be guests: they came while the back-end's queue was full. */
	proxy_fds_settle(&bad.proxy, bad.fds + 2 * FIRST + VHU_PAIR_WAITING_MAX);
	for (unsigned i = FIRST; i < FRONTS; i++) {
		close(front[i - FIRST]);
		peer_expect_end(back[i - FIRST], "one that ended");
		close(back[i - FIRST]);
		back[i] = peer_accept(bad.listener);
		peer_exchange(front[i], back[i], i);
	}
	for (unsigned i = FRONTS - FIRST; i < FRONTS; i++) {
		close(front[i]);
		close(back[i]);
	}
	bad_end(&bad);
}

/* Front-ends that wait for back-ends which do not come: few are let in, none is lost. */
void bad_guests_flood(void)
{
	enum { GUESTS = 3 * VHU_PAIR_WAITING_MAX };
	static int front[GUESTS];
	struct bad bad = {0};
	char listen_front[PROXY_PATH_MAX + 8], listen_back[PROXY_PATH_MAX + 8];
	const char *args[] = {"proxy", listen_front, listen_back, NULL};

	proxy_prepare(&bad.proxy);
	snprintf(listen_front, sizeof(listen_front), "listen:%s", bad.proxy.front);
	snprintf(listen_back, sizeof(listen_back), "listen:%s", bad.proxy.back);
	proxy_spawn(&bad.proxy, args);
	bad.front = peer_connect(bad.proxy.front);
	bad.back = peer_connect(bad.proxy.back);
	bad_bystander(&bad);
	bad.fds = proxy_fds(&bad.proxy);
	for (unsigned i = 0; i < GUESTS; i++)
		front[i] = peer_connect(bad.proxy.front);
	wait_for_fds(&bad, bad.fds + VHU_PAIR_WAITING_MAX);
	/* Some of those inside leave: others take their places. */
	for (unsigned i = 0; i < 10; i++)
		close(front[i]);
	bad_bystander(&bad);
	for (unsigned i = 10; i < GUESTS; i++) {
		int back = peer_connect(bad.proxy.back);

		peer_exchange(front[i], back, i);
		close(front[i]);
		peer_expect_end(back, "a back-end");
		close(back);
	}
	bad_bystander(&bad);
	wait_for_fds(&bad, bad.fds);
	close(bad.front);
	close(bad.back);
	proxy_stop(&bad.proxy);
}

/* Send of a message of 4 GiB as much as goes. */
static void send_endlessly(int fd)
{
	static uint8_t part[65536] = {40, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};

	while (send(fd, part, sizeof(part), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

/* Many sessions with full sockets in both directions and no reader: each takes bounded
 * memory. */
void bad_stuck_sessions(void)
{
	enum { SESSIONS = 100, KIB_EACH = 2 * (256 + 64 + 64) };
	int front[SESSIONS], back[SESSIONS];
	unsigned long before, after;
	struct bad bad;

	bad_begin(&bad, true);
	before = proxy_memory_kib(&bad.proxy, "VmHWM");
	for (unsigned i = 0; i < SESSIONS; i++)
		bad_session(&bad, &front[i], &back[i]);
	for (unsigned turn = 0; turn < 20; turn++) {
		for (unsigned i = 0; i < SESSIONS; i++) {
			send_endlessly(front[i]);
			send_endlessly(back[i]);
		}
		usleep(5000);
	}
	bad_bystander(&bad);
	after = proxy_memory_kib(&bad.proxy, "VmHWM");
	peer_check(after - before < SESSIONS * KIB_EACH, "memory grew by %lu KiB", after - before);
	for (unsigned i = 0; i < SESSIONS; i++) {
		close(front[i]);
		close(back[i]);
	}
	bad_end(&bad);
}
