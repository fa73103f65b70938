/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `vhu proxy` leaves nothing open: thousands of sessions one after another, each with
 * descriptors and a channel, and as many descriptors open at the end as at the beginning.
 *
 *	proxy_sessions [COUNT]
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* Sessions before the first count, so that whatever is made once has been made. */
#define SETTLED        100
/* KiB that the memory may grow by over all sessions: less than 1 byte each would be 10. */
#define GROWTH_MAX_KIB 512

/* Pass two eventfds. */
static void pass_fds(int front, int back, const int *fds)
{
	int got[PEER_FDS_MAX];
	unsigned int nfds;
	uint8_t bytes[PEER_HEADER_SIZE + 8];

	peer_check(!peer_send_message(front, 12, "\0\0\0\0\0\0\0", 8, fds, 2), "not sent");
	peer_check(peer_readable(back, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(back, bytes, sizeof(bytes), got, &nfds) == sizeof(bytes) &&
		       nfds == 2,
		   "two descriptors were sent, %u came", nfds);
	close(got[0]);
	close(got[1]);
}

/* Pass a channel's socket and use it. @order: who closes what first. */
static void use_channel(int front, int back, unsigned int order)
{
	struct peer_header header = {order & 1 ? 21 : 33, 1, 0};
	int pair[2], got[PEER_FDS_MAX];
	unsigned int nfds;

	peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair: %s",
		   strerror(errno));
	peer_check(!peer_send(front, &header, sizeof(header), &pair[1], 1), "not sent");
	close(pair[1]);
	peer_check(peer_readable(back, PEER_PATIENCE_MS), "nothing came");
	peer_check(peer_receive(back, &header, sizeof(header), got, &nfds) == sizeof(header) &&
		       nfds == 1,
		   "no channel came");
	peer_exchange(got[0], pair[0], order);
	close(order & 2 ? got[0] : pair[0]);
	if (order & 4)
		peer_expect_end(order & 2 ? pair[0] : got[0], "the channel");
	close(order & 2 ? pair[0] : got[0]);
}

/* Run one session. */
static void run_session(const struct proxy *proxy, int listener, unsigned int number,
			const int *fds)
{
	int front = peer_connect(proxy->front);
	int back = peer_accept(listener);

	peer_exchange(front, back, number);
	pass_fds(front, back, fds);
	if (number % 2)
		use_channel(front, back, number / 2);
	close(number % 3 ? front : back);
	if (number % 5)
		peer_expect_end(number % 3 ? back : front, "the other side");
	close(number % 3 ? back : front);
}

/* Return how many sessions the capture saw open and close. */
static unsigned int count_sessions(const char *path)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	unsigned int opened = 0, closed = 0;
	char error[256];
	int rc;

	peer_check(!vhu_pcapng_reader_open(&reader, path, false, error), "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1) {
		if (record->channel != VHU_FRONT_END)
			continue;
		opened += record->type == VHU_RECORD_OPENED;
		closed += record->type == VHU_RECORD_CLOSED;
	}
	peer_check(!rc, "%s: %s", path, vhu_pcapng_reader_error(reader));
	vhu_pcapng_reader_close(reader);
	peer_check(opened == closed, "%u sessions were opened, %u closed", opened, closed);
	return opened;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10000;
	unsigned int open_fds = 0, sessions;
	unsigned long rss = 0;
	long growth;
	struct proxy proxy;
	int listener, fds[2] = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&proxy);
	listener = peer_listen(proxy.back);
	proxy_start(&proxy, proxy.capture);
	proxy_wait_capture(&proxy);
	open_fds = proxy_fds(&proxy);
	for (unsigned int i = 0; i < count; i++) {
		run_session(&proxy, listener, i, fds);
		if (i + 1 == SETTLED)
			rss = proxy_memory_kib(&proxy, "VmRSS");
	}
	proxy_fds_settle(&proxy, open_fds);
	growth = (long)proxy_memory_kib(&proxy, "VmRSS") - (long)rss;
	printf("%u sessions: %u descriptors open before and %u after; memory grew by %ld KiB\n",
	       count, open_fds, proxy_fds(&proxy), growth);
#ifndef __SANITIZE_ADDRESS__
	/* The sanitizer keeps what was freed; it finds leaks in its own way. */
	peer_check(count <= SETTLED || growth <= GROWTH_MAX_KIB, "memory grew by %ld KiB", growth);
#endif
	close(listener);
	proxy_stop(&proxy);
	sessions = count_sessions(proxy.capture);
	peer_check(sessions == count, "the capture holds %u sessions of %u", sessions, count);
	return 0;
}
