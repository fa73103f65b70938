/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures for tests: sample records, files in memory, and a look at a file's blocks. */
#include "tests/unit/lib/capture/sample.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/util.h"

static struct vhu_record sample;

const struct vhu_record *sample_opened(uint64_t session)
{
	sample = (struct vhu_record){
	    .time_ns = SAMPLE_TIME_NS,
	    .type = VHU_RECORD_OPENED,
	    .session = session,
	    .front_end = {true, 4711, 107, 107, "qemu-system-x86", "/run/vm0.sock"},
	    .back_end = {true, 4690, 0, 0, "qemu-storage-da", "/run/blk0.sock"},
	};
	return &sample;
}

const struct vhu_record *sample_message(uint64_t session, unsigned number, uint32_t size)
{
	static uint8_t bytes[VHU_PCAPNG_SNAPLEN_DEFAULT * 2];
	static struct vhu_fd_info fd[2] = {
	    {.kind = VHU_FD_MEMFD,
	     .has = VHU_FD_HAS_SIZE,
	     .size = 64 << 20,
	     .name = "/memfd:ram (deleted)"},
	    {.kind = VHU_FD_EVENTFD, .has = VHU_FD_HAS_EVENTFD, .eventfd_id = 9},
	};

	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number + i * 7);
	sample = (struct vhu_record){
	    .time_ns = SAMPLE_TIME_NS + number,
	    .from_back_end = number % 2,
	    .session = session,
	    .message = size ? bytes : NULL,
	    .message_size = size,
	    .message_sent = size,
	    .fds = 2,
	    .fd = fd,
	};
	return &sample;
}

const struct vhu_record *sample_closed(uint64_t session)
{
	sample = (struct vhu_record){
	    .time_ns = SAMPLE_TIME_NS,
	    .type = VHU_RECORD_CLOSED,
	    .session = session,
	    .text = "front-end closed",
	};
	return &sample;
}

void check_sample(const struct vhu_record *is, const struct vhu_record *wanted, uint32_t kept)
{
	assert_int_equal(is->time_ns, wanted->time_ns);
	assert_int_equal(is->type, wanted->type);
	assert_int_equal(is->from_back_end, wanted->from_back_end);
	assert_int_equal(is->session, wanted->session);
	assert_int_equal(is->message_size, kept);
	assert_int_equal(is->message_sent, wanted->message_sent);
	if (kept)
		assert_memory_equal(is->message, wanted->message, kept);
	assert_int_equal(is->fds, wanted->fds);
	for (unsigned i = 0; i < wanted->fds; i++)
		assert_int_equal(is->fd[i].kind, wanted->fd[i].kind);
	assert_string_equal(is->text, wanted->text ? wanted->text : "");
	assert_string_equal(is->front_end.path,
			    wanted->front_end.path ? wanted->front_end.path : "");
}

int make_file(void)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

const char *path_of(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

struct vhu_pcapng_reader *open_reader(int fd, bool follow)
{
	struct vhu_pcapng_reader *reader = NULL;
	char error[VHU_PCAPNG_ERROR_SIZE] = "";

	if (vhu_pcapng_reader_open(&reader, path_of(fd), follow, error))
		fail_msg("%s", error);
	return reader;
}

unsigned write_capture(int fd, unsigned messages)
{
	struct vhu_pcapng_writer *writer;
	unsigned records;

	assert_int_equal(vhu_pcapng_writer_open(&writer, fd, 0, "vhu test"), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(1)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_opened(2)), 0);
	for (unsigned i = 0; i < messages; i++)
		assert_int_equal(vhu_pcapng_write(writer, sample_message(1 + i % 2, i, 20)), 0);
	assert_int_equal(vhu_pcapng_write(writer, sample_closed(1)), 0);
	records = (unsigned)vhu_pcapng_writer_counts(writer).records;
	assert_int_equal(vhu_pcapng_writer_close(writer), 0);
	return records;
}

int read_to_end(struct vhu_pcapng_reader *reader, unsigned *records)
{
	const struct vhu_record *record;
	int ret;

	for (*records = 0; (ret = vhu_pcapng_read(reader, &record)) == 1;)
		(*records)++;
	/* It has ended for good, and says so in one line. */
	assert_int_equal(vhu_pcapng_read(reader, &record), ret);
	assert_true(*vhu_pcapng_reader_error(reader));
	assert_null(strchr(vhu_pcapng_reader_error(reader), '\n'));
	return ret;
}

void check_refused(const char *path, int ret, const char *why)
{
	struct vhu_pcapng_reader *reader;
	char error[VHU_PCAPNG_ERROR_SIZE] = "";

	assert_int_equal(vhu_pcapng_reader_open(&reader, path, false, error), ret);
	if (!strstr(error, why) || strchr(error, '\n'))
		fail_msg("%s: %s", path, error);
}

/* Read an integer of four bytes of the file behind @fd. */
static uint32_t read_32(int fd, size_t at)
{
	uint32_t value;

	assert_int_equal(pread(fd, &value, sizeof(value), (off_t)at), sizeof(value));
	return value;
}

/* Read the value of eight bytes of the option at @at. */
static uint64_t read_option(int fd, size_t at, uint16_t code)
{
	uint64_t value;

	assert_int_equal(read_32(fd, at) & 0xffff, code);
	assert_int_equal(read_32(fd, at) >> 16, sizeof(value));
	assert_int_equal(pread(fd, &value, sizeof(value), (off_t)at + 4), sizeof(value));
	return value;
}

struct blocks count_blocks(int fd)
{
	struct blocks blocks = {0};
	struct stat st;
	size_t at = 0;

	assert_int_equal(fstat(fd, &st), 0);
	while (at < (size_t)st.st_size) {
		uint32_t type = read_32(fd, at), size = read_32(fd, at + 4);

		assert_int_equal(size % 4, 0);
		assert_true(size >= 12 && at + size <= (size_t)st.st_size);
		assert_int_equal(read_32(fd, at + size - 4), size);
		blocks.sections += type == 0x0a0d0d0a;
		blocks.interfaces += type == 1;
		blocks.packets += type == 6;
		if (type == 5) {
			blocks.statistics++;
			assert_true(read_32(fd, at + 8) < blocks.interfaces);
			blocks.received += read_option(fd, at + 20, 4);
			blocks.dropped += read_option(fd, at + 32, 5);
		}
		if (type == 6)
			assert_true(read_32(fd, at + 8) < blocks.interfaces);
		at += size;
		if (blocks.all < VHU_ARRAY_SIZE(blocks.end))
			blocks.end[blocks.all++] = at;
	}
	return blocks;
}
