/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that snapshots of vrings survive encoding and decoding, that the documented example is what
 * the code reads and writes, and that no input makes the decoder read past its end: every input
 * here ends where an unmapped page begins.
 *
 *	test_snapshot docs/capture-format.md
 */
#include "lib/capture/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "lib/util/util.h"
#include "tests/unit/lib/capture/example.h"

/* Bytes of a record before its TLVs, and where their size is. */
#define BEFORE  40
#define TLVS_AT 36
#define ROOM    (512 * 1024)

static const char *document;
static uint8_t *wall; /* the first byte that cannot be read */
static uint8_t encoded[ROOM];
static struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];

static const struct vhu_snapshot_request request = {
    .head = 5,
    .id = 5,
    .taken = true,
    .descriptors = 2,
    .buffers = 2,
    .readable = 16,
    .writable = 513,
    .header = "virtio-blk request: type IN (0), ioprio 0, sector 2048",
    .listed = 2,
    .buffer = {{0x1000, 16, 1, false, false, false}, {0x2000, 513, 2, false, false, false}},
};
static const struct vhu_record documented = {
    .type = VHU_RECORD_SNAPSHOT,
    .session = 3,
    .snapshot =
	{
	    .reason = VHU_SNAPSHOT_STALL,
	    .has = VHU_SNAPSHOT_HAS_RING | VHU_SNAPSHOT_HAS_IN_FLIGHT | VHU_SNAPSHOT_HAS_KICK |
		   VHU_SNAPSHOT_HAS_BACK_END,
	    .vring = 1,
	    .hangs = true,
	    .verdict = "D3",
	    .alternatives = "",
	    .title = "the back-end does not listen to the kick",
	    .text = "3 buffers wait, the kick was not read",
	    .size = 128,
	    .available = 7,
	    .used = 4,
	    .waiting = 3,
	    .in_flight = 1,
	    .kick = {9, 1},
	    .back_end = {4690, 'T', 0},
	    .requests = 1,
	    .request = &request,
	},
};

/* Encode a record without a message. Returns its size in `encoded`. */
static size_t encode(const struct vhu_record *record)
{
	size_t size = vhu_record_encode(record, encoded);

	assert_in_range(size, BEFORE, VHU_RECORD_HEAD_MAX);
	return size;
}

/* Decode @size bytes, the whole packet. Returns what the decoder does. */
static int decode(struct vhu_record *record, const uint8_t *from, size_t size)
{
	memset(record, 0xaa, sizeof(*record));
	return vhu_record_decode(record, fd, memcpy(wall - size, from, size), size, size);
}

/* Check that two texts are the same; NULL is "". */
static void check_text(const char *is, const char *wanted)
{
	assert_non_null(is);
	assert_string_equal(is, wanted ? wanted : "");
}

static void check_request(const struct vhu_snapshot_request *is,
			  const struct vhu_snapshot_request *wanted)
{
	assert_int_equal(is->head, wanted->head);
	assert_int_equal(is->id, wanted->id);
	assert_int_equal(is->taken, wanted->taken);
	assert_int_equal(is->descriptors, wanted->descriptors);
	assert_int_equal(is->buffers, wanted->buffers);
	assert_int_equal(is->readable, wanted->readable);
	assert_int_equal(is->writable, wanted->writable);
	check_text(is->header, wanted->header);
	check_text(is->fault, wanted->fault);
	assert_int_equal(is->listed, wanted->listed);
	for (unsigned i = 0; i < wanted->listed; i++) {
		const struct vhu_snapshot_buffer *buffer = &is->buffer[i];

		assert_int_equal(buffer->address, wanted->buffer[i].address);
		assert_int_equal(buffer->size, wanted->buffer[i].size);
		assert_int_equal(buffer->flags, wanted->buffer[i].flags);
		assert_int_equal(buffer->indirect, wanted->buffer[i].indirect);
		assert_int_equal(buffer->not_mapped, wanted->buffer[i].not_mapped);
		assert_int_equal(buffer->untranslated, wanted->buffer[i].untranslated);
	}
}

/* Check that two snapshots are the same, one by one. */
static void check_snapshot(const struct vhu_vring_snapshot *is,
			   const struct vhu_vring_snapshot *wanted)
{
	struct vhu_snapshot_request next;
	size_t cursor = 0;

	assert_int_equal(is->reason, wanted->reason);
	assert_int_equal(is->has, wanted->has);
	assert_int_equal(is->vring, wanted->vring);
	assert_int_equal(is->hangs, wanted->hangs);
	check_text(is->verdict, wanted->verdict);
	check_text(is->alternatives, wanted->alternatives);
	check_text(is->title, wanted->title);
	check_text(is->text, wanted->text);
	assert_int_equal(is->packed, wanted->packed);
	assert_int_equal(is->error, wanted->error);
	assert_int_equal(is->size, wanted->size);
	assert_int_equal(is->available, wanted->available);
	assert_int_equal(is->used, wanted->used);
	assert_int_equal(is->waiting, wanted->waiting);
	assert_int_equal(is->driver_flags, wanted->driver_flags);
	assert_int_equal(is->driver_event, wanted->driver_event);
	assert_int_equal(is->device_flags, wanted->device_flags);
	assert_int_equal(is->device_event, wanted->device_event);
	assert_int_equal(is->in_flight, wanted->in_flight);
	assert_int_equal(is->kick.id, wanted->kick.id);
	assert_int_equal(is->kick.count, wanted->kick.count);
	assert_int_equal(is->call.id, wanted->call.id);
	assert_int_equal(is->call.count, wanted->call.count);
	assert_int_equal(is->front_end.pid, wanted->front_end.pid);
	assert_int_equal(is->front_end.state, wanted->front_end.state);
	assert_int_equal(is->front_end.unread, wanted->front_end.unread);
	assert_int_equal(is->back_end.pid, wanted->back_end.pid);
	assert_int_equal(is->back_end.state, wanted->back_end.state);
	assert_int_equal(is->back_end.unread, wanted->back_end.unread);
	assert_int_equal(is->pending_request, wanted->pending_request);
	assert_int_equal(is->pending_of_back_end, wanted->pending_of_back_end);
	assert_int_equal(is->pending_ns, wanted->pending_ns);
	assert_int_equal(is->age_ns, wanted->age_ns);
	assert_int_equal(is->requests, wanted->requests);
	for (unsigned i = 0; i < wanted->requests; i++) {
		assert_true(vhu_snapshot_request_next(is, &cursor, &next));
		check_request(&next, &wanted->request[i]);
	}
	assert_false(vhu_snapshot_request_next(is, &cursor, &next));
}

/* Encode @record, decode it again and check that it is the same. */
static void round_trip(const struct vhu_record *record)
{
	struct vhu_record again;
	static uint8_t first[ROOM];
	size_t size = encode(record);

	assert_int_equal(decode(&again, encoded, size), 0);
	assert_int_equal(again.type, VHU_RECORD_SNAPSHOT);
	check_snapshot(&again.snapshot, &record->snapshot);
	/* What was decoded is encoded again as it was. */
	memcpy(first, encoded, size);
	assert_int_equal(encode(&again), size);
	assert_memory_equal(encoded, first, size);
}

static void the_documented_example_is_what_is_read_and_written(void **state)
{
	struct vhu_record record;
	uint8_t bytes[1024];
	size_t size = read_example(document, "snapshot", bytes, sizeof(bytes));

	(void)state;
	assert_in_range(size, BEFORE, sizeof(bytes) - 1);
	assert_int_equal(decode(&record, bytes, size), 0);
	check_snapshot(&record.snapshot, &documented.snapshot);
	assert_int_equal(encode(&documented), size);
	assert_memory_equal(encoded, bytes, size);
}

static void every_field_comes_back(void **state)
{
	static struct vhu_snapshot_request requests[VHU_SNAPSHOT_REQUESTS_MAX];
	static char text[VHU_SNAPSHOT_TEXT_MAX + 1], header[VHU_RECORD_TEXT_MAX + 1];
	struct vhu_record record = {
	    .type = VHU_RECORD_SNAPSHOT,
	    .snapshot =
		{
		    .has = UINT16_MAX,
		    .vring = UINT32_MAX,
		    .verdict = text,
		    .alternatives = text,
		    .title = text,
		    .text = text,
		    .packed = true,
		    .error = UINT32_MAX - 1,
		    .size = UINT32_MAX - 2,
		    .available = 0x8001,
		    .used = 0x1234,
		    .waiting = UINT32_MAX - 3,
		    .driver_flags = 1,
		    .driver_event = 0x8002,
		    .device_flags = 3,
		    .device_event = 4,
		    .in_flight = UINT32_MAX - 4,
		    .kick = {UINT32_MAX - 5, UINT64_MAX - 1},
		    .call = {UINT32_MAX - 6, UINT64_MAX - 2},
		    .front_end = {UINT32_MAX - 7, 'D', UINT64_MAX - 3},
		    .back_end = {UINT32_MAX - 8, 'X', UINT64_MAX - 4},
		    .pending_request = UINT32_MAX - 9,
		    .pending_of_back_end = true,
		    .pending_ns = UINT64_MAX - 5,
		    .age_ns = UINT64_MAX - 6,
		    .requests = VHU_SNAPSHOT_REQUESTS_MAX,
		    .request = requests,
		},
	};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memset(header, 'y', sizeof(header) - 1);
	for (unsigned i = 0; i < VHU_SNAPSHOT_REQUESTS_MAX; i++) {
		requests[i] = (struct vhu_snapshot_request){
		    .head = (uint16_t)i,
		    .id = (uint16_t)(UINT16_MAX - i),
		    .taken = i % 2,
		    .descriptors = UINT32_MAX - i,
		    .buffers = UINT32_MAX - i - 1,
		    .readable = UINT64_MAX - i,
		    .writable = i,
		    .header = header,
		    .fault = header,
		    .listed = VHU_SNAPSHOT_BUFFERS_MAX,
		};
		for (unsigned k = 0; k < VHU_SNAPSHOT_BUFFERS_MAX; k++)
			requests[i].buffer[k] = (struct vhu_snapshot_buffer){
			    UINT64_MAX - k, UINT32_MAX - i, (uint16_t)(0x8000 + k),
			    k % 2,          i % 2,          i % 3 == 1};
	}
	for (unsigned reason = 0; reason < VHU_SNAPSHOT_REASONS; reason++) {
		record.snapshot.reason = reason;
		round_trip(&record);
		assert_non_null(vhu_snapshot_reason_name(reason));
	}
	assert_null(vhu_snapshot_reason_name(VHU_SNAPSHOT_REASONS));
}

static void what_exceeds_the_room_is_cut(void **state)
{
	static struct vhu_snapshot_request requests[VHU_SNAPSHOT_REQUESTS_MAX + 1];
	char text[VHU_SNAPSHOT_TEXT_MAX + 3];
	struct vhu_record again, record = {
				     .type = VHU_RECORD_SNAPSHOT,
				     .snapshot = {.reason = VHU_SNAPSHOT_REASONS + 1,
						  .text = text,
						  .requests = VHU_ARRAY_SIZE(requests),
						  .request = requests},
				 };
	struct vhu_snapshot_request first;
	size_t cursor = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* There is no room for descriptors beside it. */
	for (unsigned i = 0; i < VHU_RECORD_FDS_MAX; i++)
		fd[i] = (struct vhu_fd_info){.has = 0x7f, .name = text};
	record.fds = VHU_RECORD_FDS_MAX;
	record.fd = fd;
	requests[0].listed = VHU_SNAPSHOT_BUFFERS_MAX + 1;
	requests[0].header = text;
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	assert_int_equal(again.fds, 0);
	assert_int_equal(again.snapshot.reason, VHU_SNAPSHOT_REASONS);
	assert_int_equal(strlen(again.snapshot.text), VHU_SNAPSHOT_TEXT_MAX);
	assert_int_equal(again.snapshot.requests, VHU_SNAPSHOT_REQUESTS_MAX);
	assert_true(vhu_snapshot_request_next(&again.snapshot, &cursor, &first));
	assert_int_equal(first.listed, VHU_SNAPSHOT_BUFFERS_MAX);
	assert_int_equal(strlen(first.header), VHU_RECORD_TEXT_MAX);
}

static void a_later_version_may_add_to_each_part(void **state)
{
	struct vhu_record record;
	size_t size = encode(&documented), at = BEFORE;
	uint8_t longer[1024], *to = longer;

	(void)state;
	to = mempcpy(to, encoded, BEFORE);
	while (at < size) {
		uint16_t value = (uint16_t)(encoded[at + 2] << 8 | encoded[at + 3]);

		to = mempcpy(to, encoded + at, 4 + value);
		to[-value - 2] = (uint8_t)((value + 3) >> 8);
		to[-value - 1] = (uint8_t)(value + 3);
		to = mempcpy(to, "new", 3);
		at += 4 + value;
	}
	longer[TLVS_AT + 2] = (uint8_t)((to - longer - BEFORE) >> 8);
	longer[TLVS_AT + 3] = (uint8_t)(to - longer - BEFORE);
	assert_int_equal(decode(&record, longer, (size_t)(to - longer)), 0);
	check_snapshot(&record.snapshot, &documented.snapshot);
}

static void a_part_without_its_end_is_refused(void **state)
{
	struct vhu_record record;
	size_t size = encode(&documented), at = BEFORE;
	unsigned parts = 0;

	(void)state;
	for (; at < size; parts++) {
		uint16_t value = (uint16_t)(encoded[at + 2] << 8 | encoded[at + 3]);

		for (uint16_t less = 0; less < value; less++) {
			uint8_t part[1024];

			/* This part alone, cut. */
			memcpy(part, encoded, BEFORE);
			part[TLVS_AT + 2] = (uint8_t)((4 + less) >> 8);
			part[TLVS_AT + 3] = (uint8_t)(4 + less);
			memcpy(part + BEFORE, encoded + at, 4 + less);
			part[BEFORE + 2] = (uint8_t)(less >> 8);
			part[BEFORE + 3] = (uint8_t)less;
			assert_int_equal(decode(&record, part, BEFORE + 4u + less), -EBADMSG);
		}
		at += 4u + value;
	}
	assert_int_equal(parts, 3);
}

static void no_byte_makes_the_decoder_read_past_its_end(void **state)
{
	struct vhu_record record;
	size_t size = encode(&documented);

	(void)state;
	for (size_t at = 0; at < size; at++) {
		uint8_t was = encoded[at];

		for (unsigned value = 0; value < 256; value++) {
			struct vhu_snapshot_request next;
			size_t cursor = 0;
			char text[512];
			int ret;

			encoded[at] = (uint8_t)value;
			ret = decode(&record, encoded, size);
			assert_true(!ret || ret == -EBADMSG || ret == -ENOMSG ||
				    ret == -EPROTONOSUPPORT);
			if (ret)
				continue;
			vhu_snapshot_text(&record.snapshot, text, sizeof(text));
			while (vhu_snapshot_request_next(&record.snapshot, &cursor, &next))
				assert_true(strlen(next.header) < size);
		}
		encoded[at] = was;
	}
}

static void verdict_text_is_a_sentence(void **state)
{
	struct vhu_vring_snapshot snapshot = documented.snapshot;
	char text[512];

	(void)state;
	vhu_snapshot_text(&snapshot, text, sizeof(text));
	assert_string_equal(text, "vring 1: 3 buffers wait, the kick was not read: the back-end "
				  "does not listen to the kick (D3)");
	snapshot.alternatives = "D4 D2b";
	snapshot.text = "3 \033[2J wait";
	vhu_snapshot_text(&snapshot, text, sizeof(text));
	assert_string_equal(text, "vring 1: 3 \\x1b[2J wait: the back-end does not listen to the "
				  "kick (D3 or D4 or D2b)");
	snapshot.verdict = "moving";
	snapshot.text = "used went from 1 to 2";
	vhu_snapshot_text(&snapshot, text, sizeof(text));
	assert_string_equal(text, "vring 1: used went from 1 to 2");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_documented_example_is_what_is_read_and_written),
	    cmocka_unit_test(every_field_comes_back),
	    cmocka_unit_test(what_exceeds_the_room_is_cut),
	    cmocka_unit_test(a_later_version_may_add_to_each_part),
	    cmocka_unit_test(a_part_without_its_end_is_refused),
	    cmocka_unit_test(no_byte_makes_the_decoder_read_past_its_end),
	    cmocka_unit_test(verdict_text_is_a_sentence),
	};
	uint8_t *room =
	    mmap(NULL, ROOM + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 2 || room == MAP_FAILED || mprotect(room + ROOM, 65536, PROT_NONE)) {
		fprintf(stderr, "usage: test_snapshot docs/capture-format.md\n");
		return 2;
	}
	wall = room + ROOM;
	document = argv[1];
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
