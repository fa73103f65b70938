/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows what the reader of captures makes of files that are cut, damaged, foreign or still being
 * written.
 *
 *	unit.capture.pcapng_reader
 *	unit.capture.pcapng_reader make FILE   make a capture that other tools can be tried on
 *	unit.capture.pcapng_reader count FILE  say what the reader makes of a capture
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lib/capture/sample.h"

static void a_capture_cut_anywhere_gives_its_whole_records(void **state)
{
	static uint8_t bytes[16384];
	int whole = make_file();
	struct blocks blocks;
	unsigned records, block = 0;
	ssize_t size;

	(void)state;
	write_capture(whole, 6);
	blocks = count_blocks(whole);
	size = pread(whole, bytes, sizeof(bytes), 0);
	assert_in_range(size, 1, sizeof(bytes) - 1);
	assert_int_equal(blocks.end[blocks.all - 1], size);
	for (size_t cut = 0; cut <= (size_t)size; cut++) {
		int fd = make_file();
		struct vhu_pcapng_reader *reader;
		bool between = cut == blocks.end[block];

		assert_int_equal(write(fd, bytes, cut), cut);
		if (cut < 12) {
			check_refused(path_of(fd), -EBADMSG, cut ? "not a capture" : "empty");
		} else {
			reader = open_reader(fd, false);
			assert_int_equal(read_to_end(reader, &records), between ? 0 : -EBADMSG);
			if (between)
				assert_int_equal(records, count_blocks(fd).packets);
			else
				assert_non_null(
				    strstr(vhu_pcapng_reader_error(reader), "cut short"));
			assert_int_equal(vhu_pcapng_reader_number(reader), records);
			vhu_pcapng_reader_close(reader);
		}
		block += between;
		close(fd);
	}
	assert_int_equal(block, blocks.all);
	close(whole);
}

static void file_that_is_not_a_capture_is_refused_in_one_line(void **state)
{
	static const uint8_t section[28] = {10,   13,   13,   10,   28, 0, 0,    0,    0x4e, 0x3c,
					    0x2b, 0x1a, 1,    0,    0,  0, 0xff, 0xff, 0xff, 0xff,
					    0xff, 0xff, 0xff, 0xff, 28, 0, 0,    0};
	int fd = make_file();

	(void)state;
	check_refused("/nowhere/at/all", -ENOENT, "No such file");
	check_refused("/tmp", -EISDIR, "directory");
	check_refused("/dev/null", -EBADMSG, "empty");
	check_refused("/proc/self/exe", -EBADMSG, "not a capture in pcapng or pcap");
	assert_int_equal(write(fd, "short", 5), 5);
	check_refused(path_of(fd), -EBADMSG, "not a capture");
	/* A section in no known byte order. */
	assert_int_equal(pwrite(fd, section, sizeof(section), 0), sizeof(section));
	check_refused(path_of(fd), -EBADMSG, "not a capture");
	close(fd);
}

/* Write a classic pcap of @link with one record whole, one cut and one of another dissector. */
static void make_pcap(int fd, int link)
{
	static const uint8_t other[] = {0, 12, 0, 4, 'h', 't', 't', 'p', 0, 0, 0, 0, 1, 2, 3};
	const struct vhu_record *record = sample_closed(1);
	pcap_t *pcap =
	    pcap_open_dead_with_tstamp_precision(link, 65536, PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *dumper = pcap_dump_fopen(pcap, fdopen(dup(fd), "w"));
	struct pcap_pkthdr head = {{SAMPLE_TIME_NS / 1000000000, SAMPLE_TIME_NS % 1000000000}};
	uint8_t bytes[VHU_RECORD_HEAD_MAX];

	assert_non_null(dumper);
	head.caplen = head.len = (bpf_u_int32)vhu_record_encode(record, bytes);
	pcap_dump((u_char *)dumper, &head, bytes);
	head.caplen = 30;
	pcap_dump((u_char *)dumper, &head, bytes);
	head.caplen = head.len = sizeof(other);
	pcap_dump((u_char *)dumper, &head, other);
	pcap_dump_close(dumper);
	pcap_close(pcap);
}

static void packets_that_are_not_ours_are_counted(void **state)
{
	static const int link[] = {252, DLT_EN10MB};

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = make_file();
		struct vhu_pcapng_reader *reader;
		const struct vhu_record *record;
		unsigned records;

		make_pcap(fd, link[i]);
		reader = open_reader(fd, false);
		if (!i) {
			assert_int_equal(vhu_pcapng_read(reader, &record), 1);
			check_sample(record, sample_closed(1), 0);
		}
		assert_int_equal(read_to_end(reader, &records), 0);
		assert_int_equal(records, 0);
		assert_int_equal(vhu_pcapng_reader_number(reader), 3);
		assert_int_equal(vhu_pcapng_reader_foreign(reader), i ? 3 : 1);
		assert_int_equal(vhu_pcapng_reader_damaged(reader), i ? 0 : 1);
		vhu_pcapng_reader_close(reader);
		close(fd);
	}
}

static void captures_one_after_another_in_a_file_are_all_read(void **state)
{
	int fd = make_file();
	unsigned records, wanted = write_capture(fd, 3) + write_capture(fd, 5);
	struct vhu_pcapng_reader *reader = open_reader(fd, false);

	(void)state;
	assert_int_equal(read_to_end(reader, &records), 0);
	assert_int_equal(records, wanted);
	vhu_pcapng_reader_close(reader);
	close(fd);
}

static void standard_input_is_read(void **state)
{
	int ends[2], input = dup(STDIN_FILENO);
	struct vhu_pcapng_reader *reader;
	char error[VHU_PCAPNG_ERROR_SIZE];
	unsigned records, wanted;

	(void)state;
	for (int follow = 0; follow < 2; follow++) {
		assert_int_equal(pipe(ends), 0);
		wanted = write_capture(ends[1], 10);
		close(ends[1]);
		assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
		assert_int_equal(vhu_pcapng_reader_open(&reader, "-", follow, error), 0);
		/* A pipe ends with its writer, followed or not. */
		assert_int_equal(read_to_end(reader, &records), 0);
		assert_int_equal(records, wanted);
		vhu_pcapng_reader_close(reader);
		close(ends[0]);
	}
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	close(input);
}

/* In a process of its own, copy what is behind @from to the end of @to in pieces of every size. */
static pid_t copy_slowly(int from, int to)
{
	pid_t pid = fork();
	char bytes[400];
	size_t piece = 1;
	ssize_t got;
	off_t at = 0;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	while ((got = pread(from, bytes, piece, at)) > 0) {
		if (write(to, bytes, (size_t)got) != got)
			_exit(1);
		at += got;
		piece = piece % sizeof(bytes) + 1;
		usleep(100);
	}
	_exit(0);
}

static void a_file_that_grows_is_followed(void **state)
{
	char path[] = "/tmp/vhu-test-XXXXXX", error[VHU_PCAPNG_ERROR_SIZE];
	int whole = make_file(), fd = mkstemp(path), status;
	unsigned wanted = write_capture(whole, 500);
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	pid_t writer;

	(void)state;
	assert_true(fd >= 0);
	writer = copy_slowly(whole, fd);
	/* Not even the section header needs to be there yet. */
	if (vhu_pcapng_reader_open(&reader, path, true, error))
		fail_msg("%s", error);
	for (unsigned i = 0; i < wanted; i++) {
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
		if (i >= 2 && i < 502)
			check_sample(record, sample_message(1 + i % 2, i - 2, 20), 20);
	}
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	vhu_pcapng_reader_close(reader);
	unlink(path);
	close(fd);
	close(whole);
}

static void nothing(int signal)
{
	(void)signal;
}

static void a_signal_ends_following(void **state)
{
	static const struct itimerval often = {{0, 5000}, {0, 5000}}, never;
	struct sigaction action = {.sa_handler = nothing};
	int fd = make_file(), empty = make_file();
	unsigned records, wanted = write_capture(fd, 3);
	struct vhu_pcapng_reader *reader = open_reader(fd, true), *none;
	char error[VHU_PCAPNG_ERROR_SIZE] = "";
	int ret;

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	ret = read_to_end(reader, &records);
	assert_int_equal(vhu_pcapng_reader_open(&none, path_of(empty), true, error), -EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(ret, -EINTR);
	assert_int_equal(records, wanted);
	assert_string_equal(error, "interrupted");
	vhu_pcapng_reader_close(reader);
	close(empty);
	close(fd);
}

static void followed_file_that_shrinks_is_reported(void **state)
{
	int fd = make_file();
	unsigned records, wanted = write_capture(fd, 3);
	struct vhu_pcapng_reader *reader = open_reader(fd, true);
	const struct vhu_record *record;

	(void)state;
	for (unsigned i = 0; i < wanted; i++)
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(read_to_end(reader, &records), -EBADMSG);
	assert_string_equal(vhu_pcapng_reader_error(reader), "shrank while it was being followed");
	vhu_pcapng_reader_close(reader);
	close(fd);
}

/* Make a capture for other tools, with one lost record. Returns the exit status. */
static int make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), full = open("/dev/full", O_WRONLY);
	int kept = dup(fd);
	struct vhu_pcapng_writer *writer;

	if (fd < 0 || kept < 0 || full < 0 || vhu_pcapng_writer_open(&writer, fd, 0, "vhu test"))
		return 1;
	for (unsigned i = 0; i < 30; i++) {
		if (i < 3)
			vhu_pcapng_write(writer, sample_opened(1 + i));
		vhu_pcapng_write(writer, sample_message(1 + i % 3, i, 20 + 10 * i));
	}
	dup2(full, fd);
	vhu_pcapng_write(writer, sample_message(1, 30, 20));
	dup2(kept, fd);
	vhu_pcapng_write(writer, sample_closed(1));
	return vhu_pcapng_writer_close(writer) ? 1 : 0;
}

/* Say what the reader makes of the capture at @path. Returns the exit status. */
static int count(const char *path)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	uint64_t records = 0, sessions = 0, kept = 0, sent = 0, fds = 0;
	int ret;

	if (vhu_pcapng_reader_open(&reader, path, false, error)) {
		printf("%s\n", error);
		return 1;
	}
	while ((ret = vhu_pcapng_read(reader, &record)) == 1) {
		records++;
		sessions = record->session > sessions ? record->session : sessions;
		kept += record->message_size;
		sent += record->message_sent;
		fds += record->fds;
	}
	printf("%s: records %" PRIu64 " sessions %" PRIu64 " kept %" PRIu64 " sent %" PRIu64
	       " fds %" PRIu64 " foreign %" PRIu64 " damaged %" PRIu64 "\n",
	       vhu_pcapng_reader_error(reader), records, sessions, kept, sent, fds,
	       vhu_pcapng_reader_foreign(reader), vhu_pcapng_reader_damaged(reader));
	vhu_pcapng_reader_close(reader);
	return ret ? 1 : 0;
}

/* Write the file @name of a capture that goes on: an earlier and a later message, and then records
 * that say that it goes on in @next and @more, NULL: nowhere. */
static void make_part(const char *name, const char *next, const char *more)
{
	struct vhu_record earlier = *sample_message(1, 0, 20);
	struct vhu_record on = {.type = VHU_RECORD_CONTINUED};
	struct vhu_pcapng_writer *writer;
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	earlier.marks |= VHU_MARK_EARLIER;
	assert_int_equal(vhu_pcapng_writer_open(&writer, fd, 0, "vhu test"), 0);
	assert_int_equal(vhu_pcapng_write(writer, &earlier), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_message(1, 1, 20)), 0);
	on.text = next;
	assert_int_equal(next ? vhu_pcapng_write(writer, &on) : 0, 0);
	on.text = more;
	assert_int_equal(more ? vhu_pcapng_write(writer, &on) : 0, 0);
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	close(fd);
}

/* Check that the next record is of @type, told again or not, and has @number. */
static void check_type(struct vhu_pcapng_reader *reader, enum vhu_record_type type, bool earlier,
		       uint64_t number)
{
	const struct vhu_record *record;

	assert_int_equal(vhu_pcapng_read(reader, &record), 1);
	assert_int_equal(record->type, type);
	assert_int_equal(!!(record->marks & VHU_MARK_EARLIER), earlier);
	assert_int_equal(vhu_pcapng_reader_number(reader), number);
}

static void a_capture_that_goes_on_elsewhere_is_followed_there(void **state)
{
	char folder[] = "/tmp/vhu-reader-XXXXXX", error[VHU_PCAPNG_ERROR_SIZE], path[64];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	make_part("1", "2", NULL);
	/* Elsewhere than in its folder, and nowhere: it is read on here. */
	make_part("2", "../1", "");
	make_part("3", "none", NULL);
	snprintf(path, sizeof(path), "%s/1", folder);
	assert_int_equal(vhu_pcapng_reader_open(&reader, path, true, error), 0);
	check_type(reader, VHU_RECORD_MESSAGE, true, 1);
	check_type(reader, VHU_RECORD_MESSAGE, false, 2);
	check_type(reader, VHU_RECORD_CONTINUED, false, 3);
	/* The repeated records were read before. */
	check_type(reader, VHU_RECORD_MESSAGE, false, 4);
	check_type(reader, VHU_RECORD_CONTINUED, false, 5);
	check_type(reader, VHU_RECORD_CONTINUED, false, 6);
	vhu_pcapng_reader_close(reader);

	assert_int_equal(vhu_pcapng_reader_open(&reader, "3", true, error), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
	assert_int_equal(vhu_pcapng_read(reader, &record), -ENOENT);
	assert_int_equal(vhu_pcapng_read(reader, &record), -ENOENT);
	assert_string_equal(vhu_pcapng_reader_error(reader),
			    "goes on in none: No such file or directory");
	vhu_pcapng_reader_close(reader);

	/* One that is not followed goes on in the file that was given, if that is it. */
	for (int i = 0; i < 3; i++) {
		char *const given[3][2] = {{"2", "3"}, {"3", "2"}, {"1", "2"}};

		assert_int_equal(vhu_pcapng_reader_open(&reader, "1", false, error), 0);
		vhu_pcapng_reader_go_on(reader, given[i], 2, false);
		for (int record_at = 0; record_at < (i ? 3 : 6); record_at++)
			assert_int_equal(vhu_pcapng_read(reader, &record), 1);
		assert_int_equal(vhu_pcapng_read(reader, &record), 0);
		assert_int_equal(vhu_pcapng_reader_gone_on(reader), i ? 0 : 1);
		assert_string_equal(vhu_pcapng_reader_path(reader), i ? "1" : "2");
		vhu_pcapng_reader_close(reader);
	}

	/* Without any it ends where it ends. */
	assert_int_equal(vhu_pcapng_reader_open(&reader, "1", false, error), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
	assert_int_equal(vhu_pcapng_read(reader, &record), 0);
	vhu_pcapng_reader_close(reader);
	unlink("1");
	unlink("2");
	unlink("3");
	assert_int_equal(chdir("/"), 0);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_capture_cut_anywhere_gives_its_whole_records),
	    cmocka_unit_test(file_that_is_not_a_capture_is_refused_in_one_line),
	    cmocka_unit_test(packets_that_are_not_ours_are_counted),
	    cmocka_unit_test(captures_one_after_another_in_a_file_are_all_read),
	    cmocka_unit_test(standard_input_is_read),
	    cmocka_unit_test(a_file_that_grows_is_followed),
	    cmocka_unit_test(a_signal_ends_following),
	    cmocka_unit_test(followed_file_that_shrinks_is_reported),
	    cmocka_unit_test(a_capture_that_goes_on_elsewhere_is_followed_there),
	};

	if (argc == 3 && !strcmp(argv[1], "make"))
		return make(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "count"))
		return count(argv[2]);
	return cmocka_run_group_tests_name("pcapng reader", tests, NULL, NULL);
}
