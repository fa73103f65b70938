/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures that cannot be written: forwarding goes on, and what is lost is counted and said. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/pcapng.h"
#include "tests/e2e/proxy_bad_input.h"

/* Messages that are sent over a capture without room, and the bytes of each. */
#define FLOOD_MESSAGES 500
#define FLOOD_SIZE     4000

/* Begin a session and send more than the capture has room for; all of it must arrive. */
static void flood(struct bad *bad)
{
	static uint8_t payload[FLOOD_SIZE];
	uint8_t expected[PEER_HEADER_SIZE + FLOOD_SIZE];
	struct peer_header header = {2, 1, FLOOD_SIZE};
	int front, back;

	bad_session(bad, &front, &back);
	for (int i = 0; i < FLOOD_MESSAGES; i++) {
		memset(payload, i, sizeof(payload));
		memcpy(expected, &header, sizeof(header));
		memcpy(expected + sizeof(header), payload, sizeof(payload));
		peer_check(!peer_send_message(front, 2, payload, sizeof(payload), NULL, 0),
			   "message %d: forwarding stopped", i);
		peer_expect(back, expected, sizeof(expected), "message over a full disk");
	}
	close(front);
	peer_expect_end(back, "back-end");
	close(back);
}

/* Return the number behind @before in @text. */
static unsigned long number_before(const char *text, const char *word)
{
	const char *at = strcasestr(text, word);

	peer_check(at, "nothing about \"%s\": %s", word, text);
	while (at > text && at[-1] == ' ')
		at--;
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return strtoul(at, NULL, 10);
}

/* Return how many messages of the capture at @path can be read; it must be whole. */
static unsigned long count_messages(const char *path)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	unsigned long messages = 0;
	char error[256];
	int rc;

	peer_check(!vhu_pcapng_reader_open(&reader, path, false, error), "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1)
		messages += record->type == VHU_RECORD_MESSAGE &&
			    !(record->marks & VHU_MARK_EARLIER);
	peer_check(!rc, "%s: %s", path, vhu_pcapng_reader_error(reader));
	vhu_pcapng_reader_close(reader);
	return messages;
}

/* Flood, end, and see that the loss was said at once, and counted right at the end. */
static void flood_and_end(struct bad *bad, const char *capture, const char *why)
{
	unsigned long kept, lost;
	const char *line;

	flood(bad);
	line = bad_one_line(bad, why);
	peer_check(strstr(line, capture), "the line does not name the capture: %s", line);
	bad_end(bad);
	kept = count_messages(capture);
	lost = number_before(proxy_log(&bad->proxy) + bad->proxy.log_seen, "lost");
	peer_check(kept > 0 && kept < FLOOD_MESSAGES, "the capture holds %lu messages", kept);
	/* Records that open and close a session may be lost too. */
	peer_check(kept + lost >= FLOOD_MESSAGES + 2 * bad->exchanges &&
		       kept + lost <= FLOOD_MESSAGES + 2 * bad->exchanges + 4,
		   "%lu of %lu messages are in the capture, said to be lost are %lu", kept,
		   FLOOD_MESSAGES + 2 * (unsigned long)bad->exchanges, lost);
}

void bad_capture_unwritable(void)
{
	struct proxy proxy;
	char path[PROXY_PATH_MAX];

	proxy_prepare(&proxy);
	snprintf(path, sizeof(path), "%.60s/none/capture.pcapng", proxy.folder);
	bad_refused(&proxy, (const char *[]){"proxy", "-w", path, proxy.front, proxy.back, NULL}, 1,
		    path);
	unlink(proxy.log);
	bad_refused(&proxy,
		    (const char *[]){"proxy", "-w", proxy.folder, proxy.front, proxy.back, NULL}, 1,
		    proxy.folder);
	unlink(proxy.log);
	bad_refused(&proxy,
		    (const char *[]){"proxy", "-w", "/dev/full", proxy.front, proxy.back, NULL}, 1,
		    "/dev/full");
	peer_check(access(proxy.front, F_OK), "%s was left behind", proxy.front);
}

/* A file system of 256 KiB, in a mount namespace of its own. */
void bad_capture_full(void)
{
	struct bad bad = {0};
	char folder[PROXY_PATH_MAX], capture[PROXY_PATH_MAX];

	proxy_prepare(&bad.proxy);
	snprintf(folder, sizeof(folder), "%.60s/full", bad.proxy.folder);
	snprintf(capture, sizeof(capture), "%.70s/capture.pcapng", folder);
	mkdir(folder, 0700);
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=256k")) {
		printf("needs the right to mount a small file system (root): %s\n",
		       strerror(errno));
		exit(PROXY_EXIT_SKIPPED);
	}
	bad_begin_prepared(&bad, capture);
	flood_and_end(&bad, capture, strerror(ENOSPC));
	umount(folder);
}

/* A limit on the size of files, which also sends SIGXFSZ. */
void bad_capture_limit(void)
{
	struct rlimit limit = {256 * 1024, 256 * 1024}, before;
	struct bad bad = {0};

	getrlimit(RLIMIT_FSIZE, &before);
	limit.rlim_max = before.rlim_max;
	proxy_prepare(&bad.proxy);
	setrlimit(RLIMIT_FSIZE, &limit);
	bad_begin_prepared(&bad, bad.proxy.capture);
	setrlimit(RLIMIT_FSIZE, &before);
	flood_and_end(&bad, bad.proxy.capture, strerror(EFBIG));
}

/* Make a named pipe, have it read by a child that takes only the first bytes. Returns the reading
 * end, which keeps the pipe full, or -1 once nobody reads. */
static int begin_with_pipe(struct bad *bad, bool keep)
{
	int reader;

	*bad = (struct bad){0};
	proxy_prepare(&bad->proxy);
	peer_check(!mkfifo(bad->proxy.capture, 0600), "mkfifo: %s", strerror(errno));
	reader = open(bad->proxy.capture, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	peer_check(reader >= 0, "%s: %s", bad->proxy.capture, strerror(errno));
	bad_begin_prepared(bad, bad->proxy.capture);
	if (keep)
		return reader;
	close(reader);
	return -1;
}

/* Whoever reads the capture goes away (Wireshark was closed). */
void bad_capture_reader_gone(void)
{
	struct bad bad;

	begin_with_pipe(&bad, false);
	flood(&bad);
	bad_one_line(&bad, strerror(EPIPE));
	bad_end(&bad);
	number_before(proxy_log(&bad.proxy) + bad.proxy.log_seen, "lost");
}

/* Whoever reads the capture stops reading: sessions must not stop with it. */
void bad_capture_reader_stuck(void)
{
	struct bad bad;
	int reader = begin_with_pipe(&bad, true);

	flood(&bad);
	bad_bystander(&bad);
	close(reader);
	bad_end(&bad);
	number_before(proxy_log(&bad.proxy), "lost");
}
