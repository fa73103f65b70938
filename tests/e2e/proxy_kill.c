/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `kill -9` of `vhu proxy` in the middle of traffic leaves a capture that opens, here
 *and in Wireshark's tools, and holds every message that had been forwarded.
 *
 *	proxy_kill [ROUNDS]
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/capture/pcapng.h"
#include "tests/e2e/proxy_peer.h"
#include "tests/e2e/proxy_run.h"

#define PAYLOAD_MAX 20000

/* One direction: messages that carry their number, of sizes that follow from it. */
struct traffic {
	int from, to;
	uint32_t sent, received; /* messages */
	size_t left;             /* bytes of the message that is sent */
	size_t have;             /* bytes of the message that comes */
	uint8_t message[PEER_HEADER_SIZE + PAYLOAD_MAX];
	uint8_t coming[PEER_HEADER_SIZE + PAYLOAD_MAX];
};

/* Make message @number. Returns its size. */
static size_t make(uint8_t *message, uint32_t number, bool from_back_end)
{
	/* Mostly small; now and then more than a page. */
	uint32_t size = number % 16 ? 4 + number % 60 : number * 977 % PAYLOAD_MAX;
	struct peer_header header = {number, from_back_end ? 5 : 1, size < 4 ? 4 : size};

	memcpy(message, &header, sizeof(header));
	memset(message + sizeof(header), (int)(number * 31), header.size);
	return sizeof(header) + header.size;
}

/* Send on as much as goes. Returns whether the other side is still there. */
static bool send_some(struct traffic *traffic, bool from_back_end)
{
	for (;;) {
		size_t size = make(traffic->message, traffic->sent, from_back_end);
		ssize_t n;

		if (!traffic->left)
			traffic->left = size;
		n = send(traffic->from, traffic->message + size - traffic->left, traffic->left,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN;
		traffic->left -= (size_t)n;
		traffic->sent += !traffic->left;
	}
}

/* Receive what there is and compare it. Returns whether the other side is still there. */
static bool receive_some(struct traffic *traffic, bool from_back_end)
{
	static uint8_t expected[PEER_HEADER_SIZE + PAYLOAD_MAX];

	for (;;) {
		size_t size = make(expected, traffic->received, from_back_end);
		size_t want =
		    (traffic->have < PEER_HEADER_SIZE ? PEER_HEADER_SIZE : size) - traffic->have;
		ssize_t n = recv(traffic->to, traffic->coming + traffic->have, want, MSG_DONTWAIT);

		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		traffic->have += (size_t)n;
		if (traffic->have < size)
			continue;
		peer_check(!memcmp(traffic->coming, expected, size), "message %u is another",
			   traffic->received);
		traffic->received++;
		traffic->have = 0;
	}
}

/* Let traffic flow both ways, kill the proxy after @until messages, and take what still comes. */
static void flow_and_kill(struct proxy *proxy, struct traffic *traffic, uint32_t until)
{
	bool killed = false, going = true;

	while (going) {
		struct pollfd fds[2] = {{traffic[0].from, POLLIN | POLLOUT, 0},
					{traffic[1].from, POLLIN | POLLOUT, 0}};

		peer_check(poll(fds, 2, PEER_PATIENCE_MS) > 0, "nothing moved");
		going = false;
		for (int i = 0; i < 2; i++) {
			if (!killed)
				send_some(&traffic[i], i);
			going |= receive_some(&traffic[i], i);
		}
		if (!killed && traffic[0].received + traffic[1].received >= until) {
			kill(proxy->pid, SIGKILL);
			killed = true;
		}
	}
	peer_check(proxy_wait(proxy) == 128 + SIGKILL, "the proxy ended by itself: %s",
		   proxy_log(proxy));
}

/* See that the capture holds what was received, in order and exact. Returns how many packets it
 * has. */
static unsigned long check_capture(const struct proxy *proxy, const struct traffic *traffic)
{
	static uint8_t expected[PEER_HEADER_SIZE + PAYLOAD_MAX];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	uint32_t recorded[2] = {0, 0};
	unsigned long packets;
	char error[256];

	peer_check(!vhu_pcapng_reader_open(&reader, proxy->capture, false, error), "%s: %s",
		   proxy->capture, error);
	while (vhu_pcapng_read(reader, &record) == 1) {
		uint32_t *number = &recorded[record->from_back_end];
		size_t size;

		if (record->type != VHU_RECORD_MESSAGE)
			continue;
		size = make(expected, *number, record->from_back_end);
		peer_check(record->message_size == size && !memcmp(record->message, expected, size),
			   "capture: message %u of the %s is another", *number,
			   record->from_back_end ? "back-end" : "front-end");
		++*number;
	}
	packets = vhu_pcapng_reader_number(reader);
	vhu_pcapng_reader_close(reader);
	for (int i = 0; i < 2; i++)
		peer_check(recorded[i] >= traffic[i].received,
			   "%u messages of the %s arrived, the capture holds %u",
			   traffic[i].received, i ? "back-end" : "front-end", recorded[i]);
	return packets;
}

/*
 * Run @command on the capture, a pipeline that ends in the number of packets: it must see @packets.
 * A signal may cut a write of more than a page, so the last record (of a message that was not sent
 * on any more) may be cut short, which the command may say.
 */
static void check_by(const struct proxy *proxy, const char *command, unsigned long packets)
{
	peer_check(!proxy_shell("cd %s && test \"$({ %s; } 2>complaint | tr -dc 0-9)\" = %lu && "
				"! grep -v -e 'cut short' -e ' error occurred after reading' "
				"-e 'continue anyway' -e 'Running as user' complaint",
				proxy->folder, command, packets),
		   "%s: does not see %lu packets in %s", command, packets, proxy->capture);
}

/* One kill. */
static void run_round(const struct proxy *place, uint32_t until)
{
	struct traffic *traffic = calloc(2, sizeof(*traffic));
	struct proxy proxy = *place;
	unsigned long packets;
	int listener, front, back;
	char dump[256];

	peer_check(traffic, "out of memory");
	proxy_shell("rm -f %s/*", proxy.folder);
	listener = peer_listen(proxy.back);
	proxy_start(&proxy, proxy.capture);
	front = peer_connect(proxy.front);
	back = peer_accept(listener);
	traffic[0].from = traffic[1].to = front;
	traffic[1].from = traffic[0].to = back;
	flow_and_kill(&proxy, traffic, until);
	close(front);
	close(back);
	close(listener);
	packets = check_capture(&proxy, traffic);
	snprintf(dump, sizeof(dump), "%s dump capture.pcapng | wc -l", proxy_vhu());
	check_by(&proxy, dump, packets);
	if (!proxy_shell("command -v capinfos >/dev/null"))
		check_by(&proxy, "capinfos -rTcM capture.pcapng | cut -f2", packets);
	if (!proxy_shell("command -v tshark >/dev/null"))
		check_by(&proxy, "tshark -r capture.pcapng | wc -l", packets);
	free(traffic);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10;
	struct proxy place;

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&place);
	for (unsigned int i = 0; i < rounds; i++)
		run_round(&place, 100 + i * 173);
	printf("%u times killed, nothing lost\n", rounds);
	return 0;
}
