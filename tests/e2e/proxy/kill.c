/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `kill -9` of `vhu proxy` in the middle of traffic leaves a capture that opens, here
 * and in Wireshark's tools, and holds every message that had been forwarded; in one file or, every
 * other time, in many, which are begun all the while.
 *
 *	proxy_kill [ROUNDS]
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

#define PAYLOAD_MAX 20000

static size_t written; /* files, of all rounds */

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

/* Read one file of the capture: what is in it has to follow what was in those before. Returns how
 * many packets it has; 0 where it was not begun yet. */
static unsigned long check_file(const char *path, bool last, uint32_t recorded[2])
{
	static uint8_t expected[PEER_HEADER_SIZE + PAYLOAD_MAX];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	unsigned long packets;
	bool begun = false;
	char error[256];
	int rc = vhu_pcapng_reader_open(&reader, path, false, error);

	/* The one before it holds all until this is begun. */
	if (rc && last)
		return 0;
	peer_check(!rc, "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1) {
		uint32_t *number = &recorded[record->from_back_end];
		size_t size;

		if (record->type != VHU_RECORD_MESSAGE || (record->marks & VHU_MARK_EARLIER)) {
			begun |= record->type == VHU_RECORD_OPENED;
			continue;
		}
		peer_check(begun, "%s: does not begin with how the session was opened", path);
		size = make(expected, *number, record->from_back_end);
		peer_check(record->message_size == size && !memcmp(record->message, expected, size),
			   "%s: message %u of the %s is another", path, *number,
			   record->from_back_end ? "back-end" : "front-end");
		++*number;
	}
	peer_check(!rc || last, "%s: %s", path, vhu_pcapng_reader_error(reader));
	packets = vhu_pcapng_reader_number(reader);
	vhu_pcapng_reader_close(reader);
	return packets;
}

/*
 * Run @command on a file, a pipeline that ends in the number of packets: it must see @packets.
 * A signal may cut a write of more than a page, so the last record (of a message that was not sent
 * on any more) may be cut short, which the command may say.
 */
__attribute__((format(printf, 3, 4))) static void check_by(const char *path, unsigned long packets,
							   const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	peer_check(!proxy_shell("test \"$({ %s; } 2>%s.complaint | tr -dc 0-9)\" = %lu && "
				"! grep -v -e 'cut short' -e ' error occurred after reading' "
				"-e 'continue anyway' -e 'Running as user' %s.complaint",
				command, path, packets, path),
		   "%s: does not see %lu packets in %s", command, packets, path);
}

/* See that the files of the capture, one or more, hold what was received, in order and exact. */
static void check_capture(const struct proxy *proxy, const struct traffic *traffic)
{
	bool capinfos = !proxy_shell("command -v capinfos >/dev/null");
	bool tshark = !proxy_shell("command -v tshark >/dev/null");
	uint32_t recorded[2] = {0, 0};
	char pattern[PROXY_PATH_MAX + 8];
	glob_t files;

	snprintf(pattern, sizeof(pattern), "%s/capture*.pcapng", proxy->folder);
	peer_check(!glob(pattern, 0, NULL, &files), "no files of a capture");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *path = files.gl_pathv[i];
		bool last = i + 1 == files.gl_pathc;
		unsigned long packets = check_file(path, last, recorded);

		if (!packets)
			continue;
		check_by(path, packets, "%s dump %s | wc -l", proxy_vhu(), path);
		/* Of many files these look at the last ones. */
		if (capinfos && i + 4 > files.gl_pathc)
			check_by(path, packets, "capinfos -rTcM %s | cut -f2", path);
		if (tshark && i + 2 > files.gl_pathc)
			check_by(path, packets, "tshark -r %s | wc -l", path);
	}
	for (int i = 0; i < 2; i++)
		peer_check(recorded[i] >= traffic[i].received,
			   "%u messages of the %s arrived, the capture holds %u",
			   traffic[i].received, i ? "back-end" : "front-end", recorded[i]);
	written += files.gl_pathc;
	globfree(&files);
}

/* One kill. @series: while files are begun one after the other. */
static void run_round(const struct proxy *place, uint32_t until, bool series)
{
	struct traffic *traffic = calloc(2, sizeof(*traffic));
	struct proxy proxy = *place;
	const char *const args[] = {"proxy",       "-w",        proxy.capture, "-b",
				    "filesize:20", proxy.front, proxy.back,    NULL};
	int listener, front, back;

	peer_check(traffic, "out of memory");
	proxy_shell("rm -f %s/*", proxy.folder);
	listener = peer_listen(proxy.back);
	if (series)
		proxy_start_as(&proxy, args);
	else
		proxy_start(&proxy, proxy.capture);
	front = peer_connect(proxy.front);
	back = peer_accept(listener);
	traffic[0].from = traffic[1].to = front;
	traffic[1].from = traffic[0].to = back;
	flow_and_kill(&proxy, traffic, until);
	close(front);
	close(back);
	close(listener);
	check_capture(&proxy, traffic);
	free(traffic);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10;
	struct proxy place;

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&place);
	for (unsigned int i = 0; i < rounds; i++)
		run_round(&place, 100 + i * 173, i % 2);
	printf("%u times killed, nothing lost in %zu files\n", rounds, written);
	return 0;
}
