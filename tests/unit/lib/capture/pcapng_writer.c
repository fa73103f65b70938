/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows what the writer of captures makes of records, of full disks and of pipes whose reader is
 * slow or gone.
 *
 *	unit.capture.pcapng_writer docs/capture-format.md
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/unit/lib/capture/example.h"
#include "tests/unit/lib/capture/sample.h"

static const char *document;

/* Begin a capture on @fd. */
static struct vhu_pcapng_writer *open_writer(int fd, uint32_t snaplen)
{
	struct vhu_pcapng_writer *writer = NULL;

	assert_int_equal(vhu_pcapng_writer_open(&writer, fd, snaplen, "vhu test"), 0);
	return writer;
}

/* Return how many bytes the file behind @fd has. */
static off_t size_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

/* Check that the next record of @reader is @wanted, wholly kept. */
static void check_next(struct vhu_pcapng_reader *reader, const struct vhu_record *wanted)
{
	const struct vhu_record *record;

	assert_int_equal(vhu_pcapng_read(reader, &record), 1);
	check_sample(record, wanted, wanted->message_size);
}

/* Check that @reader is at the end and saw nothing wrong; close it. */
static void check_end(struct vhu_pcapng_reader *reader)
{
	const struct vhu_record *record;

	assert_int_equal(vhu_pcapng_read(reader, &record), 0);
	assert_int_equal(vhu_pcapng_read(reader, &record), 0);
	assert_int_equal(vhu_pcapng_reader_damaged(reader), 0);
	assert_int_equal(vhu_pcapng_reader_foreign(reader), 0);
	vhu_pcapng_reader_close(reader);
}

static void a_capture_without_records_is_one(void **state)
{
	int fd = make_file();
	struct blocks blocks;

	(void)state;
	assert_int_equal(vhu_pcapng_writer_close(open_writer(fd, 0)), 0);
	assert_int_equal(vhu_pcapng_writer_close(NULL), 0);
	check_end(open_reader(fd, false));
	blocks = count_blocks(fd);
	assert_int_equal(blocks.sections, 1);
	assert_int_equal(blocks.interfaces, 1);
	assert_int_equal(blocks.statistics, 1);
	close(fd);
}

static void records_come_back_as_they_were(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct vhu_pcapng_reader *reader;

	(void)state;
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), 0);
	for (unsigned i = 0; i < 2000; i++) {
		off_t before = size_of(fd);

		assert_int_equal(vhu_pcapng_write(writer, sample_message(1, i, i)), 0);
		assert_true(size_of(fd) > before + i);
	}
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(1)), 0);
	assert_int_equal(vhu_pcapng_writer_counts(writer).records, 2002);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, 0);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);

	reader = open_reader(fd, false);
	check_next(reader, sample_opened(1));
	for (unsigned i = 0; i < 2000; i++) {
		check_next(reader, sample_message(1, i, i));
		assert_int_equal(vhu_pcapng_reader_number(reader), i + 2);
	}
	check_next(reader, sample_closed(1));
	check_end(reader);
	close(fd);
}

static void a_session_has_one_interface_until_it_closes(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct blocks blocks;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (uint64_t session = 0; session <= 3; session++)
			assert_int_equal(vhu_pcapng_write(writer, sample_message(session, i, 8)),
					 0);
	assert_int_equal(count_blocks(fd).interfaces, 1 + 3);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(2)), 0);
	assert_int_equal(count_blocks(fd).statistics, 1);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(2, 0, 8)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(3, 0, 8)), 0);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	blocks = count_blocks(fd);
	assert_int_equal(blocks.interfaces, 1 + 3 + 1);
	assert_int_equal(blocks.statistics, 1 + 3 + 1);
	assert_int_equal(blocks.packets, 15);
	assert_int_equal(blocks.received, 15);
	assert_int_equal(blocks.dropped, 0);
	close(fd);
}

static void only_messages_are_cut(void **state)
{
	uint8_t head[VHU_RECORD_HEAD_MAX];
	const uint32_t before = (uint32_t)vhu_record_encode(sample_message(1, 0, 0), head);
	const struct {
		uint32_t limit, size, kept;
	} cut[] = {
	    {1, 20, 0},
	    {before - 1, 20, 0},
	    {before, 20, 0},
	    {before + 1, 20, 1},
	    {before + 19, 20, 19},
	    {before + 20, 20, 20},
	    {262144, 300000, 262144 - before},
	    {0, 300000, 262144 - before},
	    {UINT32_MAX, 300000, 262144 - before},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(cut); i++) {
		int fd = make_file();
		struct vhu_pcapng_writer *writer = open_writer(fd, cut[i].limit);
		struct vhu_pcapng_reader *reader;
		const struct vhu_record *record;

		assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 0, cut[i].size)), 0);
		assert_int_equal(vhu_pcapng_writer_close(writer), 0);
		reader = open_reader(fd, false);
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
		check_sample(record, sample_message(1, 0, cut[i].size), cut[i].kept);
		check_end(reader);
		close(fd);
	}
}

/* Check that the next read from @pipe gets one write: @blocks blocks, the first of type @type. */
static void check_write(int pipe, unsigned blocks, uint32_t type)
{
	uint32_t words[1024];
	ssize_t size = read(pipe, words, sizeof(words)), at = 0;

	assert_true(size > 0);
	assert_int_equal(words[0], type);
	for (; blocks; blocks--) {
		assert_true(at < size);
		at += words[at / 4 + 1];
	}
	assert_int_equal(at, size);
}

static void a_record_is_one_write(void **state)
{
	int ends[2];
	struct vhu_pcapng_writer *writer;

	(void)state;
	/* What is read from such a pipe at once is what was written at once. */
	assert_int_equal(pipe2(ends, O_DIRECT), 0);
	writer = open_writer(ends[1], 0);
	check_write(ends[0], 2, 0x0a0d0d0a);
	/* The session's interface and the packet; the packet; the packet and the statistics. */
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 0, 20)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(1)), 0);
	check_write(ends[0], 2, 1);
	check_write(ends[0], 1, 6);
	check_write(ends[0], 2, 6);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	close(ends[0]);
	close(ends[1]);
}

/* Allow files to grow to @size bytes; RLIM_INFINITY: as they like. */
static void limit_files(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_costs_only_what_came_meanwhile(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct vhu_pcapng_reader *reader;
	unsigned lost = 0;
	off_t whole;

	(void)state;
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 0, 50)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(4, 0, 50)), 0);
	whole = size_of(fd);
	/* Wherever in a block the room ends; session 2 has no interface yet. */
	for (int room = 0; room < 150; room += 10, lost += 3) {
		limit_files((rlim_t)(whole + room));
		assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 0, 100)), -EFBIG);
		assert_int_equal(vhu_pcapng_write(writer, sample_message(2, 0, 100)), -EFBIG);
		assert_int_equal(vhu_pcapng_write(writer, sample_message(4, 0, 100)), -EFBIG);
		assert_int_equal(size_of(fd), whole);
	}
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(2)), -EFBIG);
	lost++;
	limit_files(RLIM_INFINITY);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 1, 50)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(2, 2, 50)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(1)), 0);
	assert_int_equal(vhu_pcapng_writer_counts(writer).records, 5);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, lost);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	assert_int_equal(count_blocks(fd).received, 5 + lost);
	assert_int_equal(count_blocks(fd).dropped, lost);

	reader = open_reader(fd, false);
	check_next(reader, sample_message(1, 0, 50));
	check_next(reader, sample_message(4, 0, 50));
	check_next(reader, sample_message(1, 1, 50));
	check_next(reader, sample_message(2, 2, 50));
	check_next(reader, sample_closed(1));
	check_end(reader);
	close(fd);
}

static void records_that_are_held_are_written_at_once(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct vhu_pcapng_reader *reader;
	off_t before = size_of(fd);

	(void)state;
	vhu_pcapng_hold(writer);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(vhu_pcapng_write(writer, sample_message(1 + i % 2, i, 100)), 0);
	assert_int_equal(size_of(fd), before);
	/* More than there is room for goes when it has to. */
	for (unsigned i = 20; i < 40; i++)
		assert_int_equal(vhu_pcapng_write(writer, sample_message(1 + i % 2, i, 60000)), 0);
	assert_true(size_of(fd) > before + 15 * 60000 && size_of(fd) < before + 20 * 60000);
	assert_int_equal(vhu_pcapng_release(writer), 0);
	assert_int_equal(vhu_pcapng_release(writer), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(3, 40, 100)), 0);
	assert_int_equal(vhu_pcapng_writer_size(writer), size_of(fd));
	assert_int_equal(vhu_pcapng_writer_counts(writer).records, 41);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	assert_int_equal(count_blocks(fd).interfaces, 4);

	reader = open_reader(fd, false);
	for (unsigned i = 0; i < 40; i++)
		check_next(reader, sample_message(1 + i % 2, i, i < 20 ? 100 : 60000));
	check_next(reader, sample_message(3, 40, 100));
	check_end(reader);
	close(fd);
}

static void what_is_held_and_has_no_room_leaves_nothing(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct vhu_pcapng_reader *reader;
	off_t before;

	(void)state;
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 0, 100)), 0);
	before = size_of(fd);
	limit_files((rlim_t)before + 300);
	vhu_pcapng_hold(writer);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 1, 100)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(2, 2, 100)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(3, 3, 100)), 0);
	assert_int_equal(vhu_pcapng_release(writer), -EFBIG);
	assert_int_equal(size_of(fd), before);
	limit_files(RLIM_INFINITY);
	/* Session 2 has its interface now, and session 4 another. */
	assert_int_equal(vhu_pcapng_write(writer, sample_message(4, 4, 100)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(2, 5, 100)), 0);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	assert_int_equal(count_blocks(fd).interfaces, 4);

	reader = open_reader(fd, false);
	check_next(reader, sample_message(1, 0, 100));
	check_next(reader, sample_message(4, 4, 100));
	check_next(reader, sample_message(2, 5, 100));
	check_end(reader);
	close(fd);
}

static void repeated_records_are_not_counted(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	struct vhu_record earlier = *sample_message(1, 0, 100);
	struct vhu_record lost = {.type = VHU_RECORD_ERROR, .marks = VHU_MARK_LOST, .text = "lost"};
	struct vhu_record continued = {.type = VHU_RECORD_CONTINUED, .text = "next"};

	(void)state;
	earlier.marks |= VHU_MARK_EARLIER;
	assert_int_equal(vhu_pcapng_write(writer, &earlier), 0);
	assert_int_equal(vhu_pcapng_write(writer, &lost), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 1, 100)), 0);
	vhu_pcapng_lose(writer, sample_message(1, 2, 100), -ENOSPC);
	vhu_pcapng_lose(writer, sample_message(2, 3, 100), -ENOSPC);
	assert_int_equal(vhu_pcapng_write(writer, &continued), 0);
	assert_int_equal(vhu_pcapng_writer_counts(writer).records, 1);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, 2);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	assert_int_equal(count_blocks(fd).packets, 4);
	assert_int_equal(count_blocks(fd).received, 3);
	assert_int_equal(count_blocks(fd).dropped, 2);
	close(fd);
}

static void what_stands_before_a_capture_is_left_alone(void **state)
{
	char path[] = "/tmp/vhu-test-XXXXXX";
	int fd = mkstemp(path), appending;
	struct vhu_pcapng_writer *writer;
	char before[4];

	(void)state;
	assert_true(fd >= 0);
	appending = open(path, O_RDWR | O_APPEND);
	assert_true(appending >= 0);
	unlink(path);
	assert_int_equal(write(fd, "mine", 4), 4);
	for (int i = 0; i < 2; i++) {
		off_t end;

		writer = open_writer(i ? appending : fd, 0);
		end = size_of(fd);
		limit_files((rlim_t)end + 20);
		assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), -EFBIG);
		limit_files(RLIM_INFINITY);
		assert_int_equal(size_of(fd), end);
		assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), 0);
		assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	}
	assert_int_equal(pread(fd, before, 4, 0), 4);
	assert_memory_equal(before, "mine", 4);
	close(appending);
	close(fd);
}

static void a_device_that_is_full_is_tried_again(void **state)
{
	int fd = make_file(), full = open("/dev/full", O_WRONLY), kept = dup(fd);
	struct vhu_pcapng_writer *writer = open_writer(fd, 0), *none = NULL;

	(void)state;
	assert_true(full >= 0 && kept >= 0);
	assert_int_equal(vhu_pcapng_writer_open(&none, full, 0, NULL), -ENOSPC);
	assert_int_equal(vhu_pcapng_writer_open(&none, -1, 0, NULL), -EBADF);
	assert_null(none);
	assert_int_equal(dup2(full, fd), fd);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), -ENOSPC);
	assert_int_equal(dup2(kept, fd), fd);
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), 0);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, 5);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	assert_int_equal(count_blocks(fd).dropped, 5);
	close(full);
	close(kept);
	close(fd);
}

static void a_pipe_without_reader_fails_at_once_and_for_good(void **state)
{
	int ends[2];
	struct vhu_pcapng_writer *writer;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	writer = open_writer(ends[1], 0);
	close(ends[0]);
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), -EPIPE);
	/* Not even tried: there is nothing to be tried on any more. */
	close(ends[1]);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(1)), -EPIPE);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, 2);
	assert_int_equal(vhu_pcapng_writer_close(writer), -EPIPE);
}

/* Move what is in the pipe @from to the end of the file @to, without waiting. */
static void drain(int from, int to)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)got), got);
}

static void a_block_begun_on_a_pipe_is_finished_first(void **state)
{
	int ends[2], fd = make_file();
	struct vhu_pcapng_writer *writer;
	struct vhu_pcapng_reader *reader;
	unsigned written = 0, lost = 0, number[64];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	writer = open_writer(ends[1], 0);
	/* Larger than the pipe, and drained only now and then. */
	for (unsigned i = 0; i < 60; i++) {
		int ret = vhu_pcapng_write(writer, sample_message(1, i, 150000));

		if (ret)
			assert_int_equal(ret, -EAGAIN);
		else
			number[written++] = i;
		lost += !!ret;
		if (i % 2)
			drain(ends[0], fd);
	}
	assert_in_range(written, 10, 50);
	assert_int_equal(vhu_pcapng_writer_counts(writer).records, written);
	assert_int_equal(vhu_pcapng_writer_counts(writer).lost, lost);
	/* Finish the last one that was begun: the pipe takes 64 KiB at a time. */
	for (unsigned i = 0; i < 4; i++) {
		drain(ends[0], fd);
		if (vhu_pcapng_write(writer, sample_message(1, 100 + i, 0)))
			continue;
		number[written++] = 100 + i;
	}
	drain(ends[0], fd);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	drain(ends[0], fd);
	reader = open_reader(fd, false);
	for (unsigned i = 0; i < written; i++)
		check_next(reader, sample_message(1, number[i], number[i] < 100 ? 150000 : 0));
	check_end(reader);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

static void nothing(int signal)
{
	(void)signal;
}

static void a_signal_ends_the_wait_for_a_full_pipe(void **state)
{
	static const struct itimerval often = {{0, 5000}, {0, 5000}}, never;
	struct sigaction action = {.sa_handler = nothing};
	struct vhu_pcapng_writer *writer;
	int ends[2], ret = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	writer = open_writer(ends[1], 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (!ret)
		ret = vhu_pcapng_write(writer, sample_message(1, 0, 1000));
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(ret, -EINTR);
	close(ends[0]);
	assert_int_equal(vhu_pcapng_writer_close(writer), -EPIPE);
	close(ends[1]);
}

static void closed_sessions_take_no_memory(void **state)
{
	int fd = open("/dev/null", O_WRONLY);
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	size_t before = mallinfo2().uordblks;

	(void)state;
	for (uint64_t session = 1; session <= 100000; session++) {
		assert_int_equal(vhu_pcapng_write(writer, sample_opened(session)), 0);
		assert_int_equal(vhu_pcapng_write(writer, sample_closed(session)), 0);
	}
	assert_in_range(mallinfo2().uordblks, 0, before + 1000);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	close(fd);
}

static void the_documented_packet_is_what_is_written(void **state)
{
	int fd = make_file();
	struct vhu_pcapng_writer *writer = open_writer(fd, 0);
	uint8_t documented[1024], written[1024];
	size_t size = read_example(document, "packet", documented, sizeof(documented));
	struct blocks blocks;

	(void)state;
	assert_in_range(size, 32, sizeof(documented) - 1);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(3)), 0);
	blocks = count_blocks(fd);
	/* Before it the section, the capture's interface, the session's. */
	assert_int_equal(blocks.end[3] - blocks.end[2], size);
	assert_int_equal(pread(fd, written, size, (off_t)blocks.end[2]), size);
	if (htole32(1) == 1)
		assert_memory_equal(written, documented, size);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_capture_without_records_is_one),
	    cmocka_unit_test(records_come_back_as_they_were),
	    cmocka_unit_test(a_session_has_one_interface_until_it_closes),
	    cmocka_unit_test(only_messages_are_cut),
	    cmocka_unit_test(a_record_is_one_write),
	    cmocka_unit_test(a_full_disk_costs_only_what_came_meanwhile),
	    cmocka_unit_test(records_that_are_held_are_written_at_once),
	    cmocka_unit_test(what_is_held_and_has_no_room_leaves_nothing),
	    cmocka_unit_test(repeated_records_are_not_counted),
	    cmocka_unit_test(what_stands_before_a_capture_is_left_alone),
	    cmocka_unit_test(a_device_that_is_full_is_tried_again),
	    cmocka_unit_test(a_pipe_without_reader_fails_at_once_and_for_good),
	    cmocka_unit_test(a_block_begun_on_a_pipe_is_finished_first),
	    cmocka_unit_test(a_signal_ends_the_wait_for_a_full_pipe),
	    cmocka_unit_test(closed_sessions_take_no_memory),
	    cmocka_unit_test(the_documented_packet_is_what_is_written),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: unit.capture.pcapng_writer docs/capture-format.md\n");
		return 2;
	}
	document = argv[1];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("pcapng writer", tests, NULL, NULL);
}
