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

#include "lib/capture/pcapng/pcapng.h"
#include "tests/e2e/proxy/bad_input/bad_input.h"

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
		messages +=
		    record->type == VHU_RECORD_MESSAGE && !(record->marks & VHU_MARK_EARLIER);
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
static void mount_small(struct proxy *proxy, char folder[PROXY_PATH_MAX],
			char capture[PROXY_PATH_MAX])
{
	proxy_prepare(proxy);
	snprintf(folder, PROXY_PATH_MAX, "%.60s/full", proxy->folder);
	snprintf(capture, PROXY_PATH_MAX, "%.70s/capture.pcapng", folder);
	mkdir(folder, 0700);
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=256k")) {
		printf("needs the right to mount a small file system (root): %s\n",
		       strerror(errno));
		exit(PROXY_EXIT_SKIPPED);
	}
	/* What there is no room for is lost. */
	proxy->ends_with = 1;
}

void bad_capture_full(void)
{
	struct bad bad = {0};
	char folder[PROXY_PATH_MAX], capture[PROXY_PATH_MAX];

	mount_small(&bad.proxy, folder, capture);
	bad_begin_prepared(&bad, capture);
	flood_and_end(&bad, capture, strerror(ENOSPC));
	umount(folder);
}

/* What a capture with a gap holds. */
struct gap {
	unsigned long lost, gaps; /* as the records say that stand for them */
	unsigned long records;    /* that are none of these, and not repeated */
	bool told[8];             /* sessions, by number, that are repeated after the last gap */
};

/* Read the capture at @path, which has to be whole. */
static struct gap read_gap(const char *path)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	struct gap gap = {0};
	char error[256];
	int rc;

	peer_check(!vhu_pcapng_reader_open(&reader, path, false, error), "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1) {
		if (record->marks & VHU_MARK_LOST) {
			peer_check(record->type == VHU_RECORD_ERROR && !record->session,
				   "the record of a gap is of type %d", record->type);
			gap.lost += strtoul(record->text, NULL, 10);
			gap.gaps++;
			memset(gap.told, 0, sizeof(gap.told));
		} else if (!(record->marks & VHU_MARK_EARLIER)) {
			gap.records++;
		} else if (record->type == VHU_RECORD_OPENED && record->session < 8) {
			gap.told[record->session] = true;
		}
	}
	peer_check(!rc, "%s: %s", path, vhu_pcapng_reader_error(reader));
	vhu_pcapng_reader_close(reader);
	return gap;
}

/* Let the bystander talk until records are lost. */
static void talk_until_lost(struct bad *bad)
{
	for (int i = 0; i < 10000; i++) {
		bad_bystander(bad);
		if (i % 64 == 0 && strstr(proxy_log(&bad->proxy), "records are being lost"))
			return;
	}
	peer_check(false, "nothing is lost: %s", proxy_log(&bad->proxy));
}

/* After room returns, the capture says what was lost, and later records are understood. */
void bad_capture_resumes(void)
{
	static const char zeros[192 * 1024];
	struct bad bad = {0};
	char folder[PROXY_PATH_MAX], capture[PROXY_PATH_MAX], ballast[PROXY_PATH_MAX];
	int front[3], back[3], fd;
	struct gap gap;
	unsigned long said;

	mount_small(&bad.proxy, folder, capture);
	snprintf(ballast, sizeof(ballast), "%.60s/ballast", folder);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	peer_check(write(fd, zeros, sizeof(zeros)) == sizeof(zeros), "%s: cannot be filled",
		   ballast);
	close(fd);
	bad_begin_prepared(&bad, capture);
	bad_session(&bad, &front[0], &back[0]);
	peer_exchange(front[0], back[0], 1);
	talk_until_lost(&bad);

	/* Session 3 comes and goes, 4 comes, a request waits. */
	bad_session(&bad, &front[1], &back[1]);
	close(front[1]);
	peer_expect_end(back[1], "the session in the gap");
	close(back[1]);
	bad_session(&bad, &front[2], &back[2]);
	peer_check(!peer_send_message(front[2], 1, NULL, 0, NULL, 0), "not sent");
	peer_expect(back[2], (const uint32_t[]){1, 1, 0}, 12, "request");
	peer_check(!unlink(ballast), "%s: %s", ballast, strerror(errno));
	bad_bystander(&bad);
	proxy_log_wait(&bad.proxy, "records are written again");

	peer_check(!peer_send(back[2], (const uint32_t[]){1, 5, 8, 0, 0}, 20, NULL, 0), "not sent");
	peer_expect(front[2], (const uint32_t[]){1, 5, 8, 0, 0}, 20, "reply");
	peer_exchange(front[0], back[0], 1);
	for (int i = 0; i < 3; i += 2) {
		close(front[i]);
		peer_expect_end(back[i], "back-end");
		close(back[i]);
	}
	bad_end(&bad);
	gap = read_gap(capture);
	said = number_before(proxy_log(&bad.proxy) + bad.proxy.log_seen, "lost");
	peer_check(gap.gaps == 1 && gap.lost && gap.lost == said,
		   "%lu gaps of %lu records are in the capture, said to be lost are %lu", gap.gaps,
		   gap.lost, said);
	/* 4 sessions open and close, and every exchange is two messages. */
	peer_check(gap.records + gap.lost == 8 + 2 * (bad.exchanges + 3),
		   "%lu records and %lu lost of %lu", gap.records, gap.lost,
		   8 + 2 * (unsigned long)(bad.exchanges + 3));
	peer_check(gap.told[1] && gap.told[2] && !gap.told[3] && gap.told[4],
		   "told again are sessions %d %d %d %d", gap.told[1], gap.told[2], gap.told[3],
		   gap.told[4]);
	/* That front-ends leave after an offer is no error. */
	peer_check(!proxy_shell("%s check --severity error %s 2>&1 | grep -q '^no findings'",
				proxy_vhu(), capture),
		   "the gap is misunderstood");
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
	bad.proxy.ends_with = 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	bad_begin_prepared(&bad, bad.proxy.capture);
	setrlimit(RLIMIT_FSIZE, &before);
	flood_and_end(&bad, bad.proxy.capture, strerror(EFBIG));
}

/* Make a named pipe, with a child that reads only the first bytes. Returns the reading
 * end, which keeps the pipe full, or -1 once no reader is left. */
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

/* The reader of the capture stops and then reads on: the capture says what was lost. */
void bad_capture_reader_resumes(void)
{
	struct bad bad;
	int reader = begin_with_pipe(&bad, true);
	struct gap gap;
	int64_t limit;
	unsigned long said;
	char path[PROXY_PATH_MAX];

	flood(&bad);
	proxy_log_wait(&bad.proxy, "it has no reader");
	limit = peer_now_ms() + PEER_PATIENCE_MS;
	snprintf(path, sizeof(path), "%.80s.read", bad.proxy.capture);
	/* All that is there, and what comes until the end. */
	proxy_shell("{ cat <%s >%s.part; mv %s.part %s; } &", bad.proxy.capture, path, path, path);
	while (!strstr(proxy_log(&bad.proxy), "written again") && peer_now_ms() < limit)
		bad_bystander(&bad);
	proxy_log_wait(&bad.proxy, "records are written again");
	close(reader);
	bad_end(&bad);
	said = number_before(proxy_log(&bad.proxy) + bad.proxy.log_seen, "lost");
	for (int ms = 0; access(path, F_OK) && ms < PEER_PATIENCE_MS; ms += 10)
		usleep(10000);
	gap = read_gap(path);
	peer_check(gap.gaps && gap.lost == said && gap.told[1],
		   "%lu gaps of %lu records are in what was read, said to be lost are %lu",
		   gap.gaps, gap.lost, said);
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
