/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that records survive encoding and decoding, that the documented examples are what the code
 * reads and writes, and that no input makes the decoder read past its end: every input here ends
 * where an unmapped page begins.
 *
 *	test_record docs/capture-format.md
 */
#include "lib/capture/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"
#include "tests/unit/lib/capture/example.h"

#define TAGS_SIZE  20
#define FIXED_SIZE 20
#define ROOM       (512 * 1024)

static const char *document;
static uint8_t *wall; /* the first byte that cannot be read */
static uint8_t encoded[ROOM];
static struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];

static const struct vhu_record opened = {
    .type = VHU_RECORD_OPENED,
    .session = 3,
    .front_end = {true, 4711, 107, 107, "qemu-system-x86", "/run/vm0.sock"},
    .back_end = {true, 4690, 0, 0, "qemu-storage-da", "/run/blk0.sock"},
};
static const struct vhu_record closed = {
    .type = VHU_RECORD_CLOSED, .session = 3, .text = "front-end closed"};
static struct vhu_fd_info ram = {
    .kind = VHU_FD_MEMFD,
    .has = VHU_FD_HAS_INODE | VHU_FD_HAS_SIZE | VHU_FD_HAS_SEALS,
    .inode = 1042,
    .device = 1,
    .size = 64 << 20,
    .seals = 7,
    .flags = 0x8002,
    .name = "/memfd:ram (deleted)",
};
static struct vhu_fd_info event = {
    .kind = VHU_FD_EVENTFD,
    .has = VHU_FD_HAS_EVENTFD | VHU_FD_HAS_COUNT | VHU_FD_HAS_SEMAPHORE,
    .eventfd_id = 9,
    .flags = 0x802,
};
static const uint8_t memory_message[52] = {[0] = 37, [4] = 9, [8] = 40, [31] = 4, [41] = 0x7f};
static const uint8_t kick_message[20] = {[0] = 12, [4] = 1, [8] = 8};
static const struct vhu_record memory = {
    .session = 3,
    .message = memory_message,
    .message_size = sizeof(memory_message),
    .message_sent = sizeof(memory_message),
    .fds = 1,
    .fd = &ram,
};
static const struct vhu_record kick = {
    .session = 3,
    .message = kick_message,
    .message_size = sizeof(kick_message),
    .message_sent = sizeof(kick_message),
    .fds = 1,
    .fd = &event,
    .segments = 2,
    .segment = {12, 8},
};
static const struct vhu_record vring = {
    .type = VHU_RECORD_VRING,
    .session = 3,
    .vring =
	{
	    .act = VHU_ACT_CALL,
	    .has = VHU_VRING_HAS_KICK_TO_WAKE | VHU_VRING_HAS_WAKE_TO_CALL |
		   VHU_VRING_HAS_KICK_TO_CALL,
	    .vring = 1,
	    .eventfd_id = 11,
	    .pid = 4690,
	    .tid = 4695,
	    .cpu = 2,
	    .comm = "qemu-storage-da",
	    .kick_to_wake = 2000,
	    .wake_to_call = 10500,
	    .kick_to_call = 12500,
	},
};
static const struct vhu_record earlier = {
    .marks = VHU_MARK_EARLIER,
    .session = 3,
    .message = kick_message,
    .message_size = sizeof(kick_message),
    .message_sent = sizeof(kick_message),
    .fds = 1,
    .fd = &event,
};
static const struct vhu_record lost = {
    .type = VHU_RECORD_ERROR,
    .marks = VHU_MARK_LOST,
    .text = "7 records were lost from 2023-11-14T22:13:20Z to 2023-11-14T22:13:29Z: No space left "
	    "on device",
};
static const struct {
	const char *name;
	const struct vhu_record *record;
} example[] = {
    {"opened", &opened}, {"memory", &memory},   {"kick", &kick}, {"closed", &closed},
    {"vring", &vring},   {"earlier", &earlier}, {"lost", &lost},
};

/* Put @size bytes where the next one cannot be read. Returns where they are. */
static const uint8_t *at_the_wall(const uint8_t *from, size_t size)
{
	return memcpy(wall - size, from, size);
}

/* Encode @record with its message. Returns its size in `encoded`. */
static size_t encode(const struct vhu_record *record)
{
	size_t size = vhu_record_encode(record, encoded);

	assert_in_range(size, TAGS_SIZE + FIXED_SIZE, VHU_RECORD_HEAD_MAX);
	if (record->message_size)
		memcpy(encoded + size, record->message, record->message_size);
	return size + record->message_size;
}

/* Check that two texts are the same; NULL is "". */
static void check_text(const char *is, const char *wanted)
{
	assert_non_null(is);
	assert_string_equal(is, wanted ? wanted : "");
}

static void check_fd(const struct vhu_fd_info *is, const struct vhu_fd_info *wanted)
{
	assert_int_equal(is->kind, wanted->kind);
	assert_int_equal(is->has, wanted->has);
	assert_int_equal(is->flags, wanted->flags);
	assert_int_equal(is->inode, wanted->has & VHU_FD_HAS_INODE ? wanted->inode : 0);
	assert_int_equal(is->device, wanted->has & VHU_FD_HAS_INODE ? wanted->device : 0);
	assert_int_equal(is->size, wanted->has & VHU_FD_HAS_SIZE ? wanted->size : 0);
	assert_int_equal(is->seals, wanted->has & VHU_FD_HAS_SEALS ? wanted->seals : 0);
	assert_int_equal(is->page_size, wanted->has & VHU_FD_HAS_PAGE_SIZE ? wanted->page_size : 0);
	assert_int_equal(is->eventfd_id, wanted->has & VHU_FD_HAS_EVENTFD ? wanted->eventfd_id : 0);
	assert_int_equal(is->eventfd_count,
			 wanted->has & VHU_FD_HAS_COUNT ? wanted->eventfd_count : 0);
	assert_int_equal(is->semaphore, wanted->has & VHU_FD_HAS_SEMAPHORE && wanted->semaphore);
	check_text(is->name, wanted->name);
}

static void check_peer(const struct vhu_peer *is, const struct vhu_peer *wanted)
{
	assert_int_equal(is->known, wanted->known);
	assert_int_equal(is->pid, wanted->pid);
	assert_int_equal(is->uid, wanted->uid);
	assert_int_equal(is->gid, wanted->gid);
	check_text(is->comm, wanted->comm);
	check_text(is->path, wanted->path);
}

/* Check a vring event; a record of another type has none. */
static void check_vring(const struct vhu_vring_event *is, const struct vhu_vring_event *wanted,
			bool there)
{
	static const struct vhu_vring_event none = {.act = VHU_ACTS, .comm = ""};

	if (!there)
		wanted = &none;
	assert_int_equal(is->act, wanted->act);
	assert_int_equal(is->has, wanted->has);
	assert_int_equal(is->vring, wanted->vring);
	assert_int_equal(is->eventfd_id, wanted->eventfd_id);
	assert_int_equal(is->pid, wanted->pid);
	assert_int_equal(is->tid, wanted->tid);
	assert_int_equal(is->cpu, wanted->cpu);
	assert_int_equal(is->kick_to_wake, wanted->kick_to_wake);
	assert_int_equal(is->wake_to_call, wanted->wake_to_call);
	assert_int_equal(is->kick_to_call, wanted->kick_to_call);
	assert_int_equal(is->signals, wanted->signals);
	assert_int_equal(is->fate, wanted->fate);
	check_text(is->comm, wanted->comm);
}

static void check_record(const struct vhu_record *is, const struct vhu_record *wanted)
{
	assert_int_equal(is->type, wanted->type);
	assert_int_equal(is->channel, wanted->channel);
	assert_int_equal(is->from_back_end, wanted->from_back_end);
	assert_int_equal(is->marks, wanted->marks);
	assert_int_equal(is->session, wanted->session);
	assert_int_equal(is->message_size, wanted->message_size);
	assert_int_equal(is->message_sent, wanted->message_sent);
	if (wanted->message_size)
		assert_memory_equal(is->message, wanted->message, wanted->message_size);
	else
		assert_null(is->message);
	assert_int_equal(is->fds, wanted->fds);
	for (unsigned i = 0; i < wanted->fds; i++)
		check_fd(&is->fd[i], &wanted->fd[i]);
	assert_int_equal(is->segments, wanted->segments);
	assert_memory_equal(is->segment, wanted->segment, wanted->segments * sizeof(uint32_t));
	check_peer(&is->front_end, &wanted->front_end);
	check_peer(&is->back_end, &wanted->back_end);
	check_text(is->text, wanted->text);
	check_vring(&is->vring, &wanted->vring, wanted->type == VHU_RECORD_VRING);
}

/* Decode @size bytes, the whole packet. Returns what the decoder does. */
static int decode(struct vhu_record *record, const uint8_t *from, size_t size)
{
	/* What a record does not say must not be left over from the one before. */
	memset(record, 0xaa, sizeof(*record));
	memset(fd, 0xaa, sizeof(fd));
	return vhu_record_decode(record, fd, at_the_wall(from, size), size, size);
}

/* Encode @record, decode it again and check that it is the same. */
static void round_trip(const struct vhu_record *record)
{
	struct vhu_record again;
	size_t size = encode(record);

	assert_int_equal(decode(&again, encoded, size), 0);
	check_record(&again, record);
}

static void the_documented_examples_are_what_is_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(example); i++) {
		struct vhu_record record;
		uint8_t documented[1024];
		size_t size =
		    read_example(document, example[i].name, documented, sizeof(documented));

		assert_in_range(size, TAGS_SIZE + FIXED_SIZE, sizeof(documented) - 1);
		assert_int_equal(decode(&record, documented, size), 0);
		check_record(&record, example[i].record);
		assert_int_equal(encode(example[i].record), size);
		assert_memory_equal(encoded, documented, size);
	}
}

static void all_that_is_known_of_a_descriptor_comes_back(void **state)
{
	struct vhu_fd_info one = {
	    .inode = UINT64_MAX - 1,
	    .device = 0x0123456789abcdef,
	    .size = 1ull << 63,
	    .seals = 0x89abcdef,
	    .flags = UINT32_MAX,
	    .page_size = 1 << 30,
	    .eventfd_id = 0x76543210,
	    .semaphore = true,
	    .eventfd_count = UINT64_MAX,
	};
	const struct vhu_record record = {.session = 1, .fds = 1, .fd = &one};

	(void)state;
	for (unsigned kind = 0; kind < VHU_FD_KINDS; kind++) {
		for (unsigned has = 0; has < 1 << 8; has++) {
			one.kind = kind;
			one.has = has & 0x7f;
			one.name = has & 0x80 ? "/a name" : "";
			round_trip(&record);
		}
	}
}

static void every_field_of_a_record_comes_back(void **state)
{
	struct vhu_record record = {
	    .channel = VHU_GPU,
	    .from_back_end = true,
	    .marks = 0xffff,
	    .session = UINT64_MAX,
	    .segments = VHU_RECORD_SEGMENTS_MAX,
	    .front_end = {.path = "fd:7"},
	    .back_end = {true, UINT32_MAX, 1, 2, "", ""},
	    .text = "why",
	};

	(void)state;
	for (unsigned i = 0; i < record.segments; i++)
		record.segment[i] = UINT32_MAX - i;
	for (unsigned type = 0; type < VHU_RECORD_TYPES; type++) {
		record.type = type;
		round_trip(&record);
	}
}

/* Append a TLV to a record without message in `encoded`. Returns its new size. */
static size_t append_tlv(size_t size, unsigned type, const void *value, size_t value_size)
{
	uint8_t *tlvs = encoded + TAGS_SIZE + FIXED_SIZE - 4;
	size_t all = size - TAGS_SIZE - FIXED_SIZE + 4 + value_size;
	const uint8_t head[4] = {type >> 8, type & 0xff, value_size >> 8, value_size & 0xff};

	memcpy(encoded + size, head, sizeof(head));
	memcpy(encoded + size + sizeof(head), value, value_size);
	for (int i = 0; i < 4; i++)
		tlvs[i] = (uint8_t)(all >> (8 * (3 - i)));
	return size + sizeof(head) + value_size;
}

static void every_field_of_a_vring_event_comes_back(void **state)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_VRING,
	    .session = UINT64_MAX,
	    .vring =
		{
		    .has = UINT16_MAX,
		    .vring = UINT32_MAX,
		    .eventfd_id = 0x01234567,
		    .pid = UINT32_MAX - 1,
		    .tid = UINT32_MAX - 2,
		    .cpu = UINT32_MAX - 3,
		    .comm = "fifteen letters",
		    .kick_to_wake = UINT64_MAX,
		    .wake_to_call = 0x0123456789abcdef,
		    .kick_to_call = 1ull << 63,
		    .signals = UINT64_MAX - 1,
		},
	};
	struct vhu_record again;

	(void)state;
	for (unsigned act = 0; act < VHU_ACTS; act++) {
		record.vring.act = act;
		round_trip(&record);
		assert_non_null(vhu_vring_act_name(act));
	}
	assert_null(vhu_vring_act_name(VHU_ACTS));
	for (unsigned fate = 0; fate < VHU_FATES; fate++) {
		record.vring.fate = fate;
		round_trip(&record);
		assert_non_null(vhu_vring_fate_name(fate));
	}
	assert_null(vhu_vring_fate_name(VHU_FATES));
	record.vring.fate = VHU_FATES + 1;
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	assert_int_equal(again.vring.fate, VHU_FATES);
	/* What a later version calls otherwise is not taken for what is known. */
	record.vring.act = VHU_ACTS + 1;
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	assert_int_equal(again.vring.act, VHU_ACTS);
	/* A longer name of a process is cut; none is "". */
	record.vring.comm = "fifteen letters and more";
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	check_text(again.vring.comm, "fifteen letters");
	record.vring.comm = NULL;
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	check_text(again.vring.comm, "");
}

static void a_vring_event_without_its_end_is_refused(void **state)
{
	struct vhu_record record;
	uint8_t value[64] = {2};
	size_t size = encode(&closed);

	(void)state;
	assert_int_equal(decode(&record, encoded, append_tlv(size, 32, value, 49)), 0);
	check_text(record.vring.comm, "");
	assert_int_equal(record.vring.act, VHU_ACT_CALL);
	for (size_t less = 0; less < 49; less++) {
		size = encode(&closed);
		assert_int_equal(decode(&record, encoded, append_tlv(size, 32, value, less)),
				 -EBADMSG);
	}
	/* A name without its NUL. */
	memset(value + 48, 'x', sizeof(value) - 48);
	size = encode(&closed);
	assert_int_equal(decode(&record, encoded, append_tlv(size, 32, value, sizeof(value))),
			 -EBADMSG);
}

static void the_largest_record_has_room(void **state)
{
	char text[VHU_RECORD_TEXT_MAX + 2];
	static struct vhu_fd_info all[VHU_RECORD_FDS_MAX + 1];
	struct vhu_record record = {
	    .segments = VHU_RECORD_SEGMENTS_MAX, .fds = VHU_RECORD_FDS_MAX, .fd = all};
	struct vhu_record again;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(all); i++)
		all[i] = (struct vhu_fd_info){.has = 0x7f, .inode = i, .name = text + 1};
	record.front_end = record.back_end = (struct vhu_peer){true, 1, 2, 3, "comm", text + 1};
	record.text = text + 1;
	round_trip(&record);

	/* What is longer is cut. */
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(all); i++)
		all[i].name = text;
	record.fds++;
	record.segments++;
	record.front_end.comm = record.front_end.path = record.text = text;
	assert_int_equal(decode(&again, encoded, encode(&record)), 0);
	assert_int_equal(again.fds, VHU_RECORD_FDS_MAX);
	assert_int_equal(again.segments, VHU_RECORD_SEGMENTS_MAX);
	check_text(again.fd[VHU_RECORD_FDS_MAX - 1].name, text + 1);
	check_text(again.front_end.comm, "xxxxxxxxxxxxxxx");
	check_text(again.front_end.path, text + 1);
	check_text(again.text, text + 1);
}

static void what_later_versions_add_is_passed_over(void **state)
{
	static const uint8_t zeros[300];
	static const uint8_t longer_fd[] = {99, 0, 0x80, 0x90, 0, 0, 0, 2,   0,   0,
					    0,  7, 'n',  0,    9, 9, 9, 'n', 'e', 'w'};
	struct vhu_record record;
	size_t size = encode(&closed);

	(void)state;
	size = append_tlv(size, 6, "new", 3);
	size = append_tlv(size, 40, "", 0);
	size = append_tlv(size, 0xffff, zeros, sizeof(zeros));
	size = append_tlv(size, 1, longer_fd, sizeof(longer_fd));
	size = append_tlv(size, 5, "later\0and more", 14);
	encoded[TAGS_SIZE + 1] = 200;  /* type */
	encoded[TAGS_SIZE + 4] = 0xff; /* marks */
	encoded[TAGS_SIZE + 6] = 0xff; /* reserved */
	assert_int_equal(decode(&record, encoded, size), 0);
	assert_int_equal(record.type, 200);
	assert_int_equal(record.session, 3);
	assert_int_equal(record.fds, 1);
	assert_int_equal(record.fd[0].kind, VHU_FD_OTHER);
	assert_int_equal(record.fd[0].eventfd_id, 7);
	assert_int_equal(record.fd[0].has, VHU_FD_HAS_EVENTFD);
	check_text(record.fd[0].name, "n");
	check_text(record.text, "later");
}

static void more_segments_than_kept_are_summed_up(void **state)
{
	uint8_t sizes[40 * 4] = {0};
	struct vhu_record record;
	size_t size = encode(&closed);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		sizes[i * 4 + 3] = 10;
	size = append_tlv(size, 2, sizes, sizeof(sizes));
	assert_int_equal(decode(&record, encoded, size), 0);
	assert_int_equal(record.segments, VHU_RECORD_SEGMENTS_MAX);
	assert_int_equal(record.segment[VHU_RECORD_SEGMENTS_MAX - 2], 10);
	assert_int_equal(record.segment[VHU_RECORD_SEGMENTS_MAX - 1], 90);
}

static void what_is_no_record_is_refused(void **state)
{
	static const uint8_t fd_value[8] = {0};
	static const struct {
		unsigned at;
		uint8_t value;
	} wrong[] = {{0, 0}, {2, VHU_CHANNELS}, {3, 2}, {16, 1}, {19, 20}, {19, 22}};
	struct vhu_record record;
	size_t size = encode(&closed);

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(wrong); i++) {
		uint8_t *at = encoded + TAGS_SIZE + wrong[i].at, was = *at;

		*at = wrong[i].value;
		assert_int_equal(decode(&record, encoded, size), -EBADMSG);
		*at = was;
	}
	for (unsigned version = 2; version < 256; version++) {
		encoded[TAGS_SIZE] = (uint8_t)version;
		assert_int_equal(decode(&record, encoded, size), -EPROTONOSUPPORT);
		assert_int_equal(record.version, version);
		/* The version alone is enough; without the tags it may be anything. */
		assert_int_equal(decode(&record, encoded, TAGS_SIZE + 1), -EPROTONOSUPPORT);
		assert_int_equal(decode(&record, encoded + TAGS_SIZE, size - TAGS_SIZE), -EBADMSG);
	}
	encoded[TAGS_SIZE] = VHU_RECORD_VERSION;
	assert_int_equal(decode(&record, encoded, 0), -EBADMSG);
	/* A text without its NUL, segments that end within one, a peer without its texts. */
	assert_int_equal(decode(&record, encoded, append_tlv(size, 5, "text", 4)), -EBADMSG);
	assert_int_equal(decode(&record, encoded, append_tlv(size, 2, "\0\0\0\0\0", 5)), -EBADMSG);
	assert_int_equal(decode(&record, encoded, append_tlv(size, 3, "\0\0\0\0", 4)), -EBADMSG);
	/* A TLV's head that the TLVs end within. */
	size = append_tlv(size, 6, "", 0);
	for (unsigned less = 1; less < 4; less++) {
		encoded[TAGS_SIZE + FIXED_SIZE - 1] -= 1;
		assert_int_equal(decode(&record, encoded, size - less), -EBADMSG);
	}
	size = encode(&closed);
	/* One descriptor more than the kernel passes. */
	for (unsigned i = 0; i < VHU_RECORD_FDS_MAX; i++)
		size = append_tlv(size, 1, fd_value, sizeof(fd_value));
	assert_int_equal(decode(&record, encoded, size), 0);
	size = append_tlv(size, 1, fd_value, sizeof(fd_value));
	assert_int_equal(decode(&record, encoded, size), -EBADMSG);
}

static void tags_of_other_tools_are_passed_over(void **state)
{
	static const uint8_t other[] = {0, 12, 0, 4, 'h', 't', 't', 'p', 0, 0, 0, 0, 1};
	static const uint8_t longer[] = {0,   12,  0,   12,  'v', 'h', 'o', 's', 't', '_', 'u',
					 's', 'e', 'r', 's', 0,   0,   0,   0,   0,   1};
	static const uint8_t more[] = {0,   30,  0,   4,   0,   0,   0,   7,   0,   12,
				       0,   10,  'v', 'h', 'o', 's', 't', '_', 'u', 's',
				       'e', 'r', 0,   31,  0,   0,   0,   0,   0,   0};
	struct vhu_record record;
	uint8_t packet[256];
	size_t size = encode(&closed) - TAGS_SIZE;

	(void)state;
	memcpy(packet, more, sizeof(more));
	memcpy(packet + sizeof(more), encoded + TAGS_SIZE, size);
	assert_int_equal(decode(&record, packet, sizeof(more) + size), 0);
	check_record(&record, &closed);
	/* Taken off already, as a dissector is handed it. */
	assert_int_equal(decode(&record, encoded + TAGS_SIZE, size), 0);
	check_record(&record, &closed);
	/* Of another dissector. */
	assert_int_equal(decode(&record, other, sizeof(other)), -ENOMSG);
	assert_int_equal(decode(&record, longer, sizeof(longer)), -ENOMSG);
	assert_int_equal(decode(&record, other + 8, 4), -ENOMSG);
	assert_int_equal(decode(&record, other, 11), -EBADMSG);
}

static void a_record_cut_anywhere_is_told_from_a_damaged_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(example); i++) {
		const struct vhu_record *whole = example[i].record;
		size_t size = encode(whole), head = size - whole->message_size;

		for (size_t cut = 0; cut <= size; cut++) {
			const uint8_t *at = at_the_wall(encoded, cut);
			struct vhu_record record;
			int ret = vhu_record_decode(&record, fd, at, cut, size);

			assert_int_equal(ret, cut >= head ? 0 : -ENODATA);
			if (ret)
				assert_int_equal(decode(&record, encoded, cut), -EBADMSG);
			else
				assert_int_equal(record.message_size, cut - head);
			if (!ret)
				assert_int_equal(record.message_sent, whole->message_size);
		}
	}
}

static void no_byte_makes_the_decoder_read_past_its_end(void **state)
{
	struct vhu_record record;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(example); i++) {
		size_t size = encode(example[i].record);

		for (size_t at = 0; at < size; at++) {
			uint8_t was = encoded[at];

			for (unsigned value = 0; value < 256; value++) {
				int ret;

				encoded[at] = (uint8_t)value;
				ret = vhu_record_decode(&record, fd, at_the_wall(encoded, size),
							size, size);
				assert_true(!ret || ret == -EBADMSG || ret == -ENOMSG ||
					    ret == -EPROTONOSUPPORT);
				/* Every text ends before the wall. */
				if (!ret && record.fds)
					assert_true(strlen(record.fd[0].name) < size);
				if (!ret)
					assert_true(strlen(record.text) < size);
			}
			encoded[at] = was;
		}
	}
}

static void descriptors_are_told_in_a_few_words(void **state)
{
	static const struct {
		struct vhu_fd_info fd;
		const char *text;
	} told[] = {
	    {{.kind = VHU_FD_EVENTFD, .has = VHU_FD_HAS_EVENTFD, .eventfd_id = 9}, "eventfd 9"},
	    {{.kind = VHU_FD_EVENTFD, .name = "anon_inode:[eventfd]"}, "eventfd"},
	    {{.kind = VHU_FD_MEMFD,
	      .has = VHU_FD_HAS_SIZE,
	      .size = 64 << 20,
	      .name = "/memfd:pc.ram (deleted)"},
	     "memfd pc.ram 64M"},
	    {{.kind = VHU_FD_MEMFD, .has = VHU_FD_HAS_SIZE, .name = "/memfd: (deleted)"},
	     "memfd 0"},
	    {{.kind = VHU_FD_MEMFD, .name = "/memfd:\033[2J\177"}, "memfd ?[2J?"},
	    {{.kind = VHU_FD_MEMFD, .name = "/memfd:\xff\xc2\x9b\xc3\xa4"}, "memfd ???\xc3\xa4"},
	    {{.kind = VHU_FD_FILE, .has = VHU_FD_HAS_SIZE, .size = 1000, .name = "/a (deleted)"},
	     "file /a (deleted) 1000"},
	    {{.kind = VHU_FD_FILE, .has = VHU_FD_HAS_SIZE, .size = 1ull << 63}, "file 8E"},
	    {{.kind = VHU_FD_SOCKET, .name = "socket:[4711]"}, "socket"},
	    {{.kind = VHU_FD_DMABUF}, "dma-buf"},
	    {{.kind = VHU_FD_KINDS}, "other"},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(told); i++) {
		int size = vhu_fd_text(&told[i].fd, text, sizeof(text));

		assert_string_equal(text, told[i].text);
		assert_int_equal(size, strlen(text));
	}
	assert_int_equal(vhu_fd_text(&told[2].fd, text, 7), strlen(told[2].text));
	assert_string_equal(text, "memfd ");
	assert_int_equal(vhu_fd_text(&told[2].fd, NULL, 0), strlen(told[2].text));
}

static void types_have_names(void **state)
{
	(void)state;
	for (unsigned type = 0; type < VHU_RECORD_TYPES; type++)
		assert_non_null(vhu_record_type_name(type));
	assert_string_equal(vhu_record_type_name(VHU_RECORD_CLOSED), "closed");
	assert_null(vhu_record_type_name(VHU_RECORD_TYPES));
	for (unsigned kind = 0; kind < VHU_FD_KINDS; kind++)
		assert_non_null(vhu_fd_kind_name(kind));
	assert_string_equal(vhu_fd_kind_name(VHU_FD_KINDS), "other");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_documented_examples_are_what_is_read_and_written),
	    cmocka_unit_test(all_that_is_known_of_a_descriptor_comes_back),
	    cmocka_unit_test(every_field_of_a_record_comes_back),
	    cmocka_unit_test(every_field_of_a_vring_event_comes_back),
	    cmocka_unit_test(a_vring_event_without_its_end_is_refused),
	    cmocka_unit_test(the_largest_record_has_room),
	    cmocka_unit_test(what_later_versions_add_is_passed_over),
	    cmocka_unit_test(more_segments_than_kept_are_summed_up),
	    cmocka_unit_test(what_is_no_record_is_refused),
	    cmocka_unit_test(tags_of_other_tools_are_passed_over),
	    cmocka_unit_test(a_record_cut_anywhere_is_told_from_a_damaged_one),
	    cmocka_unit_test(no_byte_makes_the_decoder_read_past_its_end),
	    cmocka_unit_test(descriptors_are_told_in_a_few_words),
	    cmocka_unit_test(types_have_names),
	};
	uint8_t *room =
	    mmap(NULL, ROOM + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 2 || room == MAP_FAILED || mprotect(room + ROOM, 65536, PROT_NONE)) {
		fprintf(stderr, "usage: test_record docs/capture-format.md\n");
		return 2;
	}
	wall = room + ROOM;
	document = argv[1];
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
