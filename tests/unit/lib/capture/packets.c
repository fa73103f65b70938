/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows what the reader of captures makes of packets that others wrote: other link types, byte
 * orders and resolutions of time, later versions, compressed and damaged files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/lib/capture/sample.h"

static void a_compressed_file_is_refused_with_the_program_to_use(void **state)
{
	static const struct {
		const char *program;
		uint8_t begin[6];
	} compressed[] = {
	    {"gzip -dc", {0x1f, 0x8b, 8, 8, 1, 2}},
	    {"zstd -dc", {0x28, 0xb5, 0x2f, 0xfd, 4, 0x88}},
	    {"lz4 -dc", {0x04, 0x22, 0x4d, 0x18, 0x64, 0x40}},
	    {"xz -dc", {0xfd, '7', 'z', 'X', 'Z', 0}},
	    {"bzip2 -dc", {'B', 'Z', 'h', '9', '1', 'A'}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++) {
		int fd = make_file();

		assert_int_equal(write(fd, compressed[i].begin, 6), 6);
		check_refused(path_of(fd), -EBADMSG, compressed[i].program);
		close(fd);
	}
}

/* Read what is behind @fd and check that it ends as damaged, after @wanted records, for @why. */
static void check_damaged(int fd, unsigned wanted, const char *why)
{
	struct vhu_pcapng_reader *reader = open_reader(fd, false);
	unsigned records;

	assert_int_equal(read_to_end(reader, &records), -EBADMSG);
	assert_int_equal(records, wanted);
	if (!strstr(vhu_pcapng_reader_error(reader), why))
		fail_msg("%s, not %s", vhu_pcapng_reader_error(reader), why);
	vhu_pcapng_reader_close(reader);
	close(fd);
}

static void damage_is_said_where_it_is(void **state)
{
	static const struct {
		uint32_t block[8];
		const char *why;
	} bad[] = {
	    {{6, 32, 99, 0, 0, 0, 0, 32}, "damaged after packet 6: a packet is of no interface"},
	    {{6, 32, 0, 0, 0, 1, 1, 32}, "damaged after packet 6: a packet overruns its block"},
	    {{6, 32, 0, 0, 0, 0, 0, 36}, "damaged after packet 6: a block's two lengths differ"},
	    {{6, 8, 0, 0, 0, 0, 0, 8}, "damaged after packet 6: a block has an impossible length"},
	    {{6, 31, 0, 0, 0, 0, 0, 31},
	     "damaged after packet 6: a block has an impossible length"},
	    {{6, 0xfffffff0}, "damaged after packet 6: a block is too long"},
	    {{1, 16, 252, 16, 0, 0, 0, 0}, "damaged after packet 6: an interface block is too"},
	    {{6, 28, 0, 0, 0, 0, 28, 0}, "damaged after packet 6: a packet block is too short"},
	    {{0x0a0d0d0a, 32, 0x1a2b3c4e, 1, 0, 0, 0, 32}, "a section is in no known byte order"},
	    {{5, 0xfffffff0}, "damaged after packet 6: a block is too long"},
	    {{7, 0xfffffff0}, "cut short in the middle of a block, after packet 6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = make_file();
		unsigned wanted = write_capture(fd, 3);

		assert_int_equal(write(fd, bad[i].block, 32), 32);
		check_damaged(fd, wanted, bad[i].why);
	}
}

static void packets_of_other_link_types_are_passed_over(void **state)
{
	/* Ethernet, whose packets are cut at 64 bytes; its number is that after our last. */
	static const uint32_t interface[5] = {1, 20, 1, 64, 20};
	uint32_t packet[10] = {6, 40, 0, 1, 2, 8, 1500, 0x11111111, 0x22222222, 40};
	/* Older kinds of blocks for packets; the simple one is of the first interface, ours. */
	static const uint32_t simple[5] = {3, 20, 4, 0x33333333, 20};
	uint32_t old[9] = {2, 36, 0, 1, 2, 4, 4, 0x44444444, 36};
	int fd = make_file();
	unsigned records, wanted = write_capture(fd, 3);
	struct vhu_pcapng_reader *reader;

	(void)state;
	packet[2] = old[2] = count_blocks(fd).interfaces;
	assert_int_equal(lseek(fd, 0, SEEK_END) > 0, 1);
	assert_int_equal(write(fd, interface, sizeof(interface)), sizeof(interface));
	assert_int_equal(write(fd, packet, sizeof(packet)), sizeof(packet));
	assert_int_equal(write(fd, simple, sizeof(simple)), sizeof(simple));
	assert_int_equal(write(fd, old, sizeof(old)), sizeof(old));
	wanted += write_capture(fd, 4);
	reader = open_reader(fd, false);
	assert_int_equal(read_to_end(reader, &records), 0);
	assert_int_equal(records, wanted);
	assert_int_equal(vhu_pcapng_reader_foreign(reader), 2);
	assert_int_equal(vhu_pcapng_reader_damaged(reader), 1);
	assert_int_equal(vhu_pcapng_reader_number(reader), wanted + 3);
	vhu_pcapng_reader_close(reader);
	close(fd);
}

/* Turn the bytes of @count integers of @size bytes around. Returns where the next are. */
static uint8_t *turn(uint8_t *at, unsigned count, unsigned size)
{
	for (; count; count--, at += size)
		for (unsigned i = 0; i < size / 2; i++) {
			uint8_t byte = at[i];

			at[i] = at[size - 1 - i];
			at[size - 1 - i] = byte;
		}
	return at;
}

/* Bring a block into the other byte order. Returns where the next one is. */
static uint8_t *turn_block(uint8_t *at)
{
	uint32_t type, size, captured;
	uint8_t *end, *options;

	memcpy(&type, at, 4);
	memcpy(&size, at + 4, 4);
	memcpy(&captured, at + 20, 4);
	end = at + size - 4;
	turn(at, 2, 4);
	if (type == 0x0a0d0d0a)
		options = turn(turn(at + 8, 1, 4), 2, 2) + 8;
	else if (type == 1)
		options = turn(turn(at + 8, 2, 2), 1, 4);
	else if (type == 6)
		options = turn(at + 8, 5, 4) + (captured + 3) / 4 * 4;
	else
		options = turn(at + 8, 3, 4);
	while (options < end) {
		uint16_t length;

		memcpy(&length, options + 2, 2);
		options = turn(options, 2, 2) + (length + 3) / 4 * 4;
	}
	return turn(end, 1, 4);
}

static void a_section_of_the_other_byte_order_is_read(void **state)
{
	static uint8_t bytes[16384];
	int fd = make_file(), turned = make_file();
	unsigned wanted = write_capture(fd, 3);
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;

	(void)state;
	assert_in_range(size, 1, sizeof(bytes) - 1);
	assert_int_equal(write(turned, bytes, (size_t)size), size);
	for (uint8_t *at = bytes; at < bytes + size;)
		at = turn_block(at);
	assert_int_equal(write(turned, bytes, (size_t)size), size);
	assert_int_equal(write_capture(turned, 3), wanted);
	reader = open_reader(turned, false);
	for (unsigned i = 0; i < 3 * wanted; i++) {
		unsigned message = i % wanted - 2;

		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
		if (message < 3)
			check_sample(record, sample_message(1 + message % 2, message, 20), 20);
	}
	assert_int_equal(vhu_pcapng_read(reader, &record), 0);
	vhu_pcapng_reader_close(reader);
	close(turned);
	close(fd);
}

static void times_are_read_in_every_resolution(void **state)
{
	static const struct {
		uint8_t resolution; /* as in if_tsresol */
		int64_t offset;     /* seconds, as in if_tsoffset */
		uint64_t time, ns;
	} known[] = {
	    {9, 0, SAMPLE_TIME_NS, SAMPLE_TIME_NS},
	    {6, 0, 1700000000123456, 1700000000123456000},
	    {0, 0, 1700000000, 1700000000000000000},
	    {12, 0, 1700000000123456, 1700000000123},
	    {127, 0, UINT64_MAX, 0},
	    {0x80 | 10, 0, 1024 + 512, 1500000000},
	    {0x80, 0, 3, 3000000000},
	    {0xff, 0, UINT64_MAX, 0},
	    {9, 2, 5, 2000000005},
	    {9, -2, 2000000005, 5},
	    /* What does not fit becomes the nearest time that does. */
	    {9, -2, 5, 0},
	    {9, INT64_MIN, UINT64_MAX, 0},
	    {9, INT64_MAX, 0, UINT64_MAX},
	    {0, 0, UINT64_MAX, UINT64_MAX},
	};
	static const uint32_t section[7] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28};
	uint8_t bytes[VHU_RECORD_HEAD_MAX] = {0};
	uint32_t size = (uint32_t)vhu_record_encode(sample_closed(1), bytes),
		 padded = (size + 3) & ~3u;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const uint32_t offset[2] = {(uint32_t)known[i].offset,
					    (uint32_t)((uint64_t)known[i].offset >> 32)};
		const uint32_t interface[10] = {
		    1,         40,        252, 0, 1 << 16 | 9, known[i].resolution, 8 << 16 | 14,
		    offset[0], offset[1], 40};
		const uint32_t packet[7] = {
		    6,    32 + padded, 0, (uint32_t)(known[i].time >> 32), (uint32_t)known[i].time,
		    size, size};
		struct vhu_pcapng_reader *reader;
		const struct vhu_record *record;
		int fd = make_file();

		assert_int_equal(write(fd, section, sizeof(section)), sizeof(section));
		assert_int_equal(write(fd, interface, sizeof(interface)), sizeof(interface));
		assert_int_equal(write(fd, packet, sizeof(packet)), sizeof(packet));
		assert_int_equal(write(fd, bytes, padded), padded);
		assert_int_equal(write(fd, &packet[1], 4), 4);
		reader = open_reader(fd, false);
		assert_int_equal(vhu_pcapng_read(reader, &record), 1);
		assert_int_equal(record->time_ns, known[i].ns);
		assert_int_equal(vhu_pcapng_read(reader, &record), 0);
		vhu_pcapng_reader_close(reader);
		close(fd);
	}
}

static void record_of_a_later_version_is_shown_by_number(void **state)
{
	static uint8_t bytes[16384];

	(void)state;
	for (unsigned version = 2; version < 256; version += 253) {
		int fd = make_file();
		unsigned records, wanted = write_capture(fd, 3);
		ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
		struct vhu_pcapng_reader *reader;
		char text[80];
		uint8_t *last;

		assert_in_range(size, 1, sizeof(bytes) - 1);
		/* The last record is that which closes a session; it follows the tags. */
		last = memmem(bytes, (size_t)size, "\1\2\0\0", 4);
		assert_non_null(last);
		*last = (uint8_t)version;
		assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
		reader = open_reader(fd, false);
		assert_int_equal(read_to_end(reader, &records), -EPROTONOSUPPORT);
		assert_int_equal(records, wanted - 1);
		snprintf(text, sizeof(text),
			 "packet %u is a record of version %u, and this vhu "
			 "reads version 1",
			 wanted, version);
		assert_non_null(strstr(vhu_pcapng_reader_error(reader), text));
		vhu_pcapng_reader_close(reader);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_compressed_file_is_refused_with_the_program_to_use),
	    cmocka_unit_test(damage_is_said_where_it_is),
	    cmocka_unit_test(packets_of_other_link_types_are_passed_over),
	    cmocka_unit_test(a_section_of_the_other_byte_order_is_read),
	    cmocka_unit_test(times_are_read_in_every_resolution),
	    cmocka_unit_test(record_of_a_later_version_is_shown_by_number),
	};

	return cmocka_run_group_tests_name("packets", tests, NULL, NULL);
}
