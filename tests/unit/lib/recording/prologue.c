/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what is kept of sessions, and what is let go of: answered requests that tell nothing,
 * closed sessions, and those that would need too much room. And that a flight recorder's ring has
 * whole records, the latest. */
#include "lib/recording/prologue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/recording/flight.h"
#include "lib/session/session.h"

static uint64_t time_ns;

/* Return a message of @session with @size bytes of payload that begins with the word @first; valid
 * until the next call. */
static const struct vhu_record *message(uint64_t session, enum vhu_message_id id, bool reply,
					uint32_t size, uint64_t first)
{
	static uint8_t bytes[VHU_HEADER_SIZE + 100000];
	static struct vhu_record record;
	struct vhu_header header = {vhu_messages[id].request,
				    VHU_FLAGS_VERSION | (reply ? VHU_FLAG_REPLY : 0), size};

	memset(bytes, 0, sizeof(bytes));
	vhu_header_write(bytes, header, vhu_host_is_big_endian());
	if (size >= sizeof(first))
		memcpy(bytes + VHU_HEADER_SIZE, &first, sizeof(first));
	record = (struct vhu_record){
	    .time_ns = ++time_ns,
	    .session = session,
	    .marks = vhu_host_is_big_endian() ? VHU_MARK_BIG_ENDIAN : 0,
	    .from_back_end = reply,
	    .message = bytes,
	    .message_size = VHU_HEADER_SIZE + size,
	    .message_sent = VHU_HEADER_SIZE + size,
	};
	return &record;
}

/* Return a record of @session of another type; it lasts until the next call. */
static const struct vhu_record *event(uint64_t session, enum vhu_record_type type)
{
	static struct vhu_record record;

	record = (struct vhu_record){.time_ns = ++time_ns, .session = session, .type = type};
	return &record;
}

/* The repeated records. */
struct prologue_expected {
	unsigned records, of[8]; /* by session */
	uint64_t last_ns;
	uint32_t most; /* bytes of a message */
	int answer;
};

/* Count a record. Returns what is asked for. */
static int count(void *context, const struct vhu_record *record, uint64_t number)
{
	struct prologue_expected *told = context;

	assert_true(number);
	assert_true(record->marks & VHU_MARK_EARLIER);
	assert_true(record->time_ns > told->last_ns);
	told->last_ns = record->time_ns;
	told->records++;
	told->of[record->session]++;
	if (record->message_size > told->most)
		told->most = record->message_size;
	return told->answer;
}

/* Return what a prologue gives. */
static struct prologue_expected tell(struct vhu_prologue *prologue)
{
	struct prologue_expected told = {0};

	assert_int_equal(vhu_prologue_tell(prologue, count, &told), 0);
	return told;
}

static void records_that_made_a_session_are_repeated_once(void **state)
{
	struct vhu_prologue *prologue = vhu_prologue_new();
	struct prologue_expected told = {.answer = -ENOSPC};

	(void)state;
	assert_int_equal(tell(prologue).records, 0);
	vhu_prologue_take(prologue, event(1, VHU_RECORD_OPENED));
	vhu_prologue_take(prologue, event(2, VHU_RECORD_OPENED));
	for (unsigned i = 0; i < 1000; i++) {
		vhu_prologue_take(prologue, message(1, VHU_MSG_GET_FEATURES, false, 0, 0));
		vhu_prologue_take(prologue,
				  message(1, VHU_MSG_GET_FEATURES, true, 8, UINT64_C(1) << 32));
		vhu_prologue_take(prologue,
				  message(1 + i % 2, VHU_MSG_SET_VRING_BASE, false, 8, i % 2));
		vhu_prologue_take(prologue, message(2, VHU_MSG_SET_OWNER, false, 0, 0));
		vhu_prologue_take(prologue, event(0, VHU_RECORD_ERROR));
		vhu_prologue_take(prologue, event(1, VHU_RECORD_VRING));
	}
	/* Opened, features asked for and offered, first (for what was guessed from them) and last,
	 * a ring; opened, a ring, its owner. */
	assert_int_equal(tell(prologue).of[1], 6);
	assert_int_equal(tell(prologue).of[2], 3);
	assert_int_equal(tell(prologue).of[0], 0);
	/* The receiver can stop it. */
	assert_int_equal(vhu_prologue_tell(prologue, count, &told), -ENOSPC);
	assert_int_equal(told.records, 1);
	vhu_prologue_take(prologue, event(1, VHU_RECORD_CLOSED));
	assert_int_equal(tell(prologue).of[1], 0);
	assert_int_equal(tell(prologue).of[2], 3);
	vhu_prologue_free(prologue);
	vhu_prologue_free(NULL);
}

static void states_are_as_the_latest_record_leaves_them(void **state)
{
	(void)state;
	for (unsigned only_states = 0; only_states < 2; only_states++) {
		struct vhu_prologue *prologue = vhu_prologue_new();

		if (only_states)
			vhu_prologue_only_states(prologue);
		for (uint64_t session = 1; session < 4; session++)
			vhu_prologue_take(prologue, event(session, VHU_RECORD_OPENED));
		/* Asked seldom, often and never. */
		for (uint64_t i = 1; i < 1000; i++) {
			for (uint64_t session = 1; session < 4; session++)
				vhu_prologue_take(prologue, message(session, VHU_MSG_SET_FEATURES,
								    false, 8, i * session));
			assert_int_equal(vhu_prologue_state(prologue, 2)->features.acked.value,
					 2 * i);
			if (i % 300 == 0)
				assert_int_equal(
				    vhu_prologue_state(prologue, 1)->features.acked.value, i);
		}
		for (uint64_t session = 1; session < 4; session++)
			vhu_prologue_take(prologue,
					  message(session, VHU_MSG_GET_FEATURES, false, 0, 0));
		assert_int_equal(
		    vhu_prologue_state(prologue, 1)->channel[VHU_FRONT_END].pending.count, 1);
		/* Of each: that it began, the features that it took, and the request. */
		assert_int_equal(tell(prologue).records, only_states ? 0 : 9);
		for (uint64_t session = 1; session < 4; session++) {
			vhu_prologue_take(prologue, event(session, VHU_RECORD_CLOSED));
			assert_null(vhu_prologue_state(prologue, session));
		}
		assert_int_equal(tell(prologue).records, 0);
		vhu_prologue_free(prologue);
	}
}

static void changing_offers_are_repeated_within_a_limit(void **state)
{
	struct vhu_prologue *prologue = vhu_prologue_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		vhu_prologue_take(prologue, message(1, VHU_MSG_GET_FEATURES, false, 0, 0));
		vhu_prologue_take(prologue, message(1, VHU_MSG_GET_FEATURES, true, 8, i));
	}
	/* Each that the device was guessed from, and the last; each was asked for. */
	assert_int_equal(tell(prologue).records, 2 * (VHU_GUESSES_MAX + 1));
	vhu_prologue_free(prologue);
}

static void requests_wait_with_all_that_is_kept_of_them(void **state)
{
	struct vhu_prologue *prologue = vhu_prologue_new();

	(void)state;
	vhu_prologue_take(prologue, event(1, VHU_RECORD_OPENED));
	vhu_prologue_take(prologue, message(1, VHU_MSG_GET_CONFIG, false, 90000, 0));
	vhu_prologue_take(prologue, message(1, VHU_MSG_GET_QUEUE_NUM, false, 0, 0));
	assert_int_equal(tell(prologue).records, 3);
	assert_int_equal(tell(prologue).most, VHU_PROLOGUE_MESSAGE_MAX);
	assert_int_equal(vhu_prologue_state(prologue, 1)->channel[VHU_FRONT_END].pending.count, 2);
	assert_null(vhu_prologue_state(prologue, 2));
	vhu_prologue_free(prologue);
}

static void a_session_has_only_so_much_room(void **state)
{
	struct vhu_prologue *prologue = vhu_prologue_new();
	struct prologue_expected told;

	(void)state;
	for (uint64_t session = 1; session < 3; session++) {
		vhu_prologue_take(prologue, event(session, VHU_RECORD_OPENED));
		vhu_prologue_take(prologue, message(session, VHU_MSG_SET_OWNER, false, 0, 0));
	}
	/* Rings that there are, in messages that there are not. */
	for (uint64_t vring = 0; vring < 256; vring++) {
		vhu_prologue_take(prologue, message(1, VHU_MSG_SET_VRING_NUM, false, 4096, vring));
		vhu_prologue_take(prologue, message(1, VHU_MSG_SET_VRING_BASE, false, 4096, vring));
	}
	told = tell(prologue);
	assert_int_equal(told.of[1], 0);
	assert_int_equal(told.of[2], 2);
	/* The next one is another. */
	vhu_prologue_take(prologue, event(1, VHU_RECORD_CLOSED));
	vhu_prologue_take(prologue, event(1, VHU_RECORD_OPENED));
	assert_int_equal(tell(prologue).of[1], 1);
	vhu_prologue_free(prologue);
}

/* Return an update of the IOTLB that wants a reply; valid until the next call. */
static const struct vhu_record *iotlb_update(uint64_t session, uint64_t iova)
{
	static struct vhu_record record;
	static uint8_t bytes[VHU_HEADER_SIZE + 32];
	const uint64_t range[] = {iova, 0x1000, 0x700000000000 + iova};

	record = *message(session, VHU_MSG_IOTLB_MSG, false, 32, 0);
	memcpy(bytes, record.message, sizeof(bytes));
	vhu_header_write(bytes,
			 (struct vhu_header){vhu_messages[VHU_MSG_IOTLB_MSG].request,
					     VHU_FLAGS_VERSION | VHU_FLAG_NEED_REPLY, 32},
			 vhu_host_is_big_endian());
	memcpy(bytes + VHU_HEADER_SIZE, range, sizeof(range));
	bytes[VHU_HEADER_SIZE + sizeof(range)] = 3;     /* read, write */
	bytes[VHU_HEADER_SIZE + sizeof(range) + 1] = 2; /* update */
	record.message = bytes;
	return &record;
}

static void translations_and_their_replies_have_room(void **state)
{
	struct vhu_prologue *prologue = vhu_prologue_new();
	unsigned kept;

	(void)state;
	vhu_prologue_take(prologue, event(1, VHU_RECORD_OPENED));
	vhu_prologue_take(prologue, message(1, VHU_MSG_SET_PROTOCOL_FEATURES, false, 8,
					    UINT64_C(1) << VHU_PF_REPLY_ACK));
	for (uint64_t i = 0; i < 3 * VHU_TRANSLATIONS_MAX; i++) {
		vhu_prologue_take(prologue, iotlb_update(1, i << 12));
		vhu_prologue_take(prologue, message(1, VHU_MSG_IOTLB_MSG, true, 8, 0));
		/* As many as there may be. */
		if (i + 1 == VHU_TRANSLATIONS_MAX)
			assert_int_equal(tell(prologue).of[1], 2 + 2 * VHU_TRANSLATIONS_MAX);
	}
	kept = vhu_prologue_state(prologue, 1)->translations;
	assert_true(kept > VHU_TRANSLATIONS_MAX / 2 && kept <= VHU_TRANSLATIONS_MAX);
	assert_int_equal(tell(prologue).of[1], 2 + 2 * kept);
	vhu_prologue_free(prologue);
}

/* Pass over a record. */
static void ignore(void *context, const struct vhu_record *record)
{
	(void)context;
	(void)record;
}

static void a_ring_has_the_latest_records_and_whole_ones(void **state)
{
	const struct vhu_flight_options options = {.path = "flight", .bytes = VHU_FLIGHT_BYTES_MIN};
	struct vhu_flight flight;
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	uint64_t next = 0, first = 0;

	(void)state;
	assert_int_equal(vhu_flight_open(&flight, &options), 0);
	vhu_flight_take(&flight, event(1, VHU_RECORD_OPENED));
	/* Of all sizes, several times around. */
	for (uint64_t i = 0; i < 3000; i++) {
		const uint32_t size = (uint32_t)(8 + i * 7919 % (i % 100 ? 3000 : 90000));

		vhu_flight_take(&flight, message(1, VHU_MSG_SET_LOG_BASE, false, size, i));
		assert_true(flight.used <= options.bytes);
	}
	assert_true(flight.used > options.bytes / 2);
	assert_int_equal(vhu_flight_write(&flight, ignore, NULL), 0);
	assert_int_equal(flight.records, 0);
	assert_int_equal(
	    vhu_pcapng_reader_open(&reader, vhu_series_name(&flight.files), false, error), 0);
	while (vhu_pcapng_read(reader, &record) == 1 && record->type != VHU_RECORD_CONTINUED) {
		uint64_t is = 0;

		if (record->marks & VHU_MARK_EARLIER)
			continue;
		assert_int_equal(record->message_size, record->message_sent);
		memcpy(&is, record->message + VHU_HEADER_SIZE, sizeof(is));
		first = first ? first : is;
		assert_true(!next || is == next);
		next = is + 1;
	}
	assert_int_equal(next, 3000);
	assert_true(first > 1000);
	vhu_pcapng_reader_close(reader);
	unlink(vhu_series_name(&flight.files));
	vhu_flight_close(&flight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_that_made_a_session_are_repeated_once),
	    cmocka_unit_test(changing_offers_are_repeated_within_a_limit),
	    cmocka_unit_test(states_are_as_the_latest_record_leaves_them),
	    cmocka_unit_test(requests_wait_with_all_that_is_kept_of_them),
	    cmocka_unit_test(a_session_has_only_so_much_room),
	    cmocka_unit_test(translations_and_their_replies_have_room),
	    cmocka_unit_test(a_ring_has_the_latest_records_and_whole_ones),
	};
	char folder[] = "/tmp/vhu-prologue-XXXXXX";
	int failed;

	if (!mkdtemp(folder) || chdir(folder)) {
		perror(folder);
		return 1;
	}
	failed = cmocka_run_group_tests_name("recording-prologue", tests, NULL, NULL);
	if (!failed)
		rmdir(folder);
	return failed;
}
