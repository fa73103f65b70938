/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows that messages are put together from events of sending and taking: whole ones and parts,
 * peeks, addresses that are used again, events that are lost. */
#include "lib/attach/stream.h"
#include "lib/attach/stream_sent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/attach/cutter.h"
#include "lib/protocol/field.h"

/* A direction whose messages are written down, as "3(8)" for id 3 with 8 bytes. */
struct direction {
	struct vhu_stream stream;
	struct vhu_cutter cutter;
	uint32_t sent, taken; /* numbers of the last events */
	char log[2048];
};

/* Write down something. */
static void __attribute__((format(printf, 2, 3)))
note(struct direction *direction, const char *format, ...)
{
	size_t length = strlen(direction->log);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(direction->log + length, sizeof(direction->log) - length, format, arguments);
	va_end(arguments);
}

static void see_message(struct vhu_cutter *cutter, const struct vhu_cut_message *message)
{
	struct vhu_header header = vhu_header_read(message->bytes, vhu_host_is_big_endian());

	note(cutter->context, " %u(%u", header.request, header.size);
	for (uint32_t i = VHU_HEADER_SIZE; i < message->kept; i++)
		assert_int_equal(message->bytes[i], (uint8_t)(header.request + i));
	if (message->fds)
		note(cutter->context, ",%u of %u fds", message->described, message->fds);
	note(cutter->context, message->partial ? ",partial)" : ")");
}

static void see_lost(struct vhu_cutter *cutter, uint64_t bytes, uint64_t time_ns)
{
	(void)time_ns;
	note(cutter->context, " lost %u", (unsigned)bytes);
}

static const struct vhu_cutter_owner cutter_owner = {.message = see_message, .lost = see_lost};

static void see_bytes(struct vhu_stream *stream, const uint8_t *bytes, size_t size, bool first,
		      uint64_t time_ns, struct vhu_stream_fds *fds)
{
	struct direction *direction = stream->context;

	vhu_cutter_take(&direction->cutter, bytes, size, first, time_ns, fds);
}

static void see_gap(struct vhu_stream *stream, uint64_t size, uint64_t time_ns)
{
	struct direction *direction = stream->context;

	vhu_cutter_gap(&direction->cutter, size, time_ns);
}

static const struct vhu_stream_owner stream_owner = {.bytes = see_bytes, .gap = see_gap};

/* Begin a direction. */
static void begin(struct direction *direction, bool sees_sending, bool in_step, unsigned queued)
{
	memset(direction, 0, sizeof(*direction));
	vhu_stream_begin(&direction->stream, &stream_owner, direction, sees_sending, queued);
	vhu_cutter_begin(&direction->cutter, &cutter_owner, direction, VHU_FRONT_END, in_step);
}

/* End it, and compare what was written down. */
static void end(struct direction *direction, const char *expected)
{
	vhu_stream_end(&direction->stream, 1);
	vhu_cutter_end(&direction->cutter, 1);
	assert_string_equal(direction->log, expected);
	vhu_stream_free(&direction->stream);
	vhu_cutter_free(&direction->cutter);
}

/* Return a message of id @request with @size bytes of payload; it lasts until the next call. */
static const uint8_t *message(uint32_t request, uint32_t size)
{
	static uint8_t bytes[100000];

	vhu_header_write(bytes, (struct vhu_header){request, VHU_FLAGS_VERSION, size},
			 vhu_host_is_big_endian());
	for (uint32_t i = VHU_HEADER_SIZE; i < VHU_HEADER_SIZE + size; i++)
		bytes[i] = (uint8_t)(request + i);
	return bytes;
}

/* Send a buffer with a message; the SENT event holds @copied bytes of it. */
static void send_part(struct direction *direction, uint64_t buffer, uint32_t request, uint32_t size,
		      uint32_t copied)
{
	const struct vhu_attach_event event = {
	    .what = VHU_ATTACH_SENT,
	    .buffer = buffer,
	    .number = ++direction->sent,
	    .length = VHU_HEADER_SIZE + size,
	    .copied = copied,
	};

	vhu_stream_take(&direction->stream, &event, message(request, size));
}

/* The same with all bytes. */
static void send_whole(struct direction *direction, uint64_t buffer, uint32_t request,
		       uint32_t size)
{
	send_part(direction, buffer, request, size, VHU_HEADER_SIZE + size);
}

/* The same, with no further event. @begun: since when the direction is watched. */
static void send_told(struct direction *direction, uint64_t buffer, uint32_t request, uint32_t size,
		      uint32_t begun)
{
	const struct vhu_attach_event event = {
	    .what = VHU_ATTACH_SENT,
	    .time_ns = direction->sent + 1,
	    .buffer = buffer,
	    .number = ++direction->sent,
	    .length = VHU_HEADER_SIZE + size,
	    .copied = VHU_HEADER_SIZE + size,
	    .told = 1,
	    .begun = begun,
	};

	vhu_stream_take(&direction->stream, &event, message(request, size));
}

/* A buffer was sent, and whoever took it was quicker. */
static void send_gone(struct direction *direction)
{
	const struct vhu_attach_event event = {.what = VHU_ATTACH_SENT,
					       .number = ++direction->sent};

	vhu_stream_take(&direction->stream, &event, NULL);
}

/* @length bytes of a buffer that has a message are taken, after @consumed before. */
static void take(struct direction *direction, uint64_t buffer, uint32_t request, uint32_t size,
		 uint32_t consumed, uint32_t length)
{
	const struct vhu_attach_event event = {
	    .what = VHU_ATTACH_TAKEN,
	    .buffer = buffer,
	    .number = ++direction->taken,
	    .length = length,
	    .consumed = consumed,
	    .copied = consumed + length,
	    .whole = VHU_HEADER_SIZE + size,
	};

	vhu_stream_take(&direction->stream, &event, message(request, size));
}

/* Say how the buffers stand that were sent. */
static void pass_taken(struct direction *direction, unsigned queued, unsigned waiting,
		       uint64_t noted_ns)
{
	static uint64_t time_ns = 100;
	const struct vhu_stream_standing standing = {
	    .queued = queued,
	    .waiting = waiting,
	    .noted_ns = noted_ns,
	    .from_ns = ++time_ns,
	    .time_ns = ++time_ns,
	};

	vhu_stream_pass_taken(&direction->stream, &standing);
}

/* The header is taken, and then the payload. */
static void take_whole(struct direction *direction, uint64_t buffer, uint32_t request,
		       uint32_t size)
{
	take(direction, buffer, request, size, 0, VHU_HEADER_SIZE);
	if (size)
		take(direction, buffer, request, size, VHU_HEADER_SIZE, size);
}

static void message_is_known_from_its_sent_event(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	assert_string_equal(it.log, " 1(0)");
	send_whole(&it, 2, 2, 8);
	take_whole(&it, 1, 1, 0);
	take_whole(&it, 2, 2, 8);
	end(&it, " 1(0) 2(8)");
}

static void whole_sent_event_passes_at_once(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	for (unsigned i = 0; i < 3 * VHU_STREAM_DONE_MAX; i++)
		send_told(&it, 1, 1, 0, 0);
	assert_false(vhu_stream_waits(&it.stream));
	assert_false(vhu_stream_has_unread(&it.stream));
	it.log[0] = '\0';
	/* Another one's address, and the same bytes, taken before its SENT event. */
	take_whole(&it, 1, 1, 0);
	send_gone(&it);
	send_told(&it, 1, 2, 8, 0);
	end(&it, " 1(0) 2(8)");
}

static void taking_after_a_sent_event_is_not_a_peek(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_told(&it, 1, 2, 8, 0);
	/* The sender found nothing queued, and had taken the time before. */
	send_gone(&it);
	take_whole(&it, 1, 2, 8);
	assert_false(vhu_stream_waits(&it.stream));
	send_told(&it, 2, 3, 0, 0);
	/* So with one that has the address and the bytes of that. */
	take_whole(&it, 1, 2, 8);
	send_gone(&it);
	send_told(&it, 2, 3, 0, 0);
	end(&it, " 2(8) 2(8) 3(0) 2(8) 3(0)");
}

static void unreported_buffer_is_skipped_once_later_ones_are_taken(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_told(&it, 1, 1, 0, 0);
	it.sent++; /* of message 2, and its being taken is lost, too */
	send_told(&it, 3, 3, 0, 0);
	send_told(&it, 4, 4, 0, 0);
	assert_string_equal(it.log, " 1(0)");
	pass_taken(&it, 2, 2, 100);
	assert_string_equal(it.log, " 1(0)");
	/* Those that were sent at 3 and 4 were not there yet when it was counted. */
	pass_taken(&it, 1, 0, 2);
	assert_string_equal(it.log, " 1(0)");
	pass_taken(&it, 1, 1, 100);
	assert_string_equal(it.log, " 1(0) lost 0 3(0) 4(0)");
	it.sent++;
	vhu_stream_expect(&it.stream, 0, it.sent);
	assert_true(vhu_stream_waits(&it.stream));
	/* Nothing is queued: it was not sent just now, if that is so twice. */
	pass_taken(&it, 0, 0, 100);
	assert_true(vhu_stream_waits(&it.stream));
	pass_taken(&it, 0, 0, 100);
	assert_false(vhu_stream_waits(&it.stream));
	end(&it, " 1(0) lost 0 3(0) 4(0) lost 0");
}

static void bytes_that_passed_unwatched_are_lost(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_told(&it, 1, 1, 0, 7);
	send_told(&it, 1, 2, 8, 7);
	it.sent = 0;
	send_told(&it, 1, 3, 8, 9);
	assert_true(vhu_stream_is_told(&it.stream, 9, 1));
	assert_false(vhu_stream_is_told(&it.stream, 9, 2));
	send_told(&it, 1, 4, 0, 9);
	end(&it, " 1(0) 2(8) lost 0 3(8) 4(0)");
}

static void the_rest_of_a_long_message_is_taken(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_part(&it, 1, 5, 9000, 4095);
	send_whole(&it, 2, 3, 0);
	assert_string_equal(it.log, "");
	take_whole(&it, 1, 5, 9000);
	end(&it, " 5(9000) 3(0)");
}

static void long_message_taken_before_its_sent_event_is_whole(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_part(&it, 1, 5, 9000, 4095);
	take_whole(&it, 1, 5, 9000);
	/* The same bytes at the same address. */
	take_whole(&it, 1, 5, 9000);
	send_part(&it, 1, 5, 9000, 4095);
	send_part(&it, 2, 3, 0, 12);
	end(&it, " 5(9000) 5(9000) 3(0)");
}

static void events_of_taking_alone_give_the_stream(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, false, true, 0);
	take_whole(&it, 1, 2, 8);
	take_whole(&it, 1, 3, 8);
	take_whole(&it, 2, 4, 0);
	end(&it, " 2(8) 3(8) 4(0)");
}

static void a_peek_changes_nothing(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 2, 8);
	take(&it, 1, 2, 8, 0, 20);
	take(&it, 1, 2, 8, 0, 12);
	take_whole(&it, 1, 2, 8);
	send_whole(&it, 1, 3, 8);
	take(&it, 1, 3, 8, 0, 20);
	take_whole(&it, 1, 3, 8);
	end(&it, " 2(8) 3(8)");
}

static void buffer_taken_before_its_sent_event_is_kept(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 2, 8);
	take_whole(&it, 1, 2, 8);
	/* At the same address, and the sender finds nothing queued any more. */
	take_whole(&it, 1, 3, 8);
	send_gone(&it);
	/* At another one. */
	take_whole(&it, 2, 4, 8);
	send_gone(&it);
	/* It has the same bytes as the one before. */
	take_whole(&it, 2, 4, 8);
	send_gone(&it);
	send_whole(&it, 1, 5, 0);
	take_whole(&it, 1, 5, 0);
	end(&it, " 2(8) 3(8) 4(8) 4(8) 5(0)");
}

static void buffer_sent_while_it_is_taken_passes_once(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	take(&it, 1, 2, 8, 0, 12);
	/* The receiver has not noted yet how much it took. */
	send_whole(&it, 1, 2, 8);
	take(&it, 1, 2, 8, 12, 8);
	take_whole(&it, 1, 3, 8);
	send_whole(&it, 1, 3, 8);
	assert_false(vhu_stream_has_unread(&it.stream));
	send_whole(&it, 1, 4, 0);
	assert_true(vhu_stream_has_unread(&it.stream));
	end(&it, " 2(8) 3(8) 4(0)");
}

static void buffer_taken_early_without_sent_event_is_lost(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	take_whole(&it, 1, 1, 0);
	it.taken++;
	send_gone(&it);
	send_whole(&it, 1, 3, 8);
	assert_true(vhu_stream_waits(&it.stream));
	take_whole(&it, 1, 3, 8);
	end(&it, " 1(0) lost 0 3(8)");
}

static void last_sent_buffer_without_event_is_lost(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	take_whole(&it, 1, 1, 0);
	vhu_stream_expect(&it.stream, 0, 1);
	assert_false(vhu_stream_waits(&it.stream));
	vhu_stream_expect(&it.stream, 0, 2);
	assert_true(vhu_stream_waits(&it.stream));
	end(&it, " 1(0) lost 0");
}

static void taking_replaces_a_lost_sent_event(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	it.sent++; /* of message 2 */
	send_whole(&it, 3, 3, 8);
	assert_string_equal(it.log, " 1(0)");
	take_whole(&it, 1, 1, 0);
	take_whole(&it, 2, 2, 8);
	take_whole(&it, 3, 3, 8);
	end(&it, " 1(0) 2(8) 3(8)");
}

static void lost_events_of_taking_change_nothing(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	send_whole(&it, 2, 2, 8);
	it.taken += 3;
	send_whole(&it, 1, 3, 8);
	take_whole(&it, 1, 3, 8);
	end(&it, " 1(0) 2(8) 3(8)");
}

static void after_a_gap_the_next_header_is_found(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	it.sent++;
	it.taken += 2;
	send_whole(&it, 3, 3, 8);
	take_whole(&it, 1, 1, 0);
	take_whole(&it, 3, 3, 8);
	end(&it, " 1(0) lost 0 3(8)");
}

static void a_message_with_a_hole_is_lost_whole(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_part(&it, 1, 5, 9000, 4095);
	send_whole(&it, 2, 3, 8);
	/* The rest of it was spliced out. */
	take_whole(&it, 2, 3, 8);
	end(&it, " lost 9012 3(8)");
}

static void sent_buffer_that_is_never_taken_passes(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	send_whole(&it, 1, 1, 0);
	take_whole(&it, 1, 1, 0);
	assert_false(vhu_stream_has_unread(&it.stream));
	send_whole(&it, 2, 2, 8);
	assert_true(vhu_stream_has_unread(&it.stream));
	end(&it, " 1(0) 2(8)");
}

static void buffers_queued_before_the_watch_come_first(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, false, 2);
	send_whole(&it, 3, 3, 0);
	assert_string_equal(it.log, "");
	take_whole(&it, 1, 1, 0);
	take_whole(&it, 2, 2, 8);
	take_whole(&it, 3, 3, 0);
	end(&it, " 1(0) 2(8) 3(0)");
}

static void in_the_middle_the_next_header_is_looked_for(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, false, 0);
	/* The payload of a message whose header was sent before. */
	vhu_stream_take(&it.stream,
			&(struct vhu_attach_event){.what = VHU_ATTACH_SENT,
						   .buffer = 9,
						   .number = ++it.sent,
						   .length = 8,
						   .copied = 8},
			message(77, 8) + VHU_HEADER_SIZE);
	send_whole(&it, 1, 2, 8);
	end(&it, " lost 8 2(8)");
}

static void a_sender_that_closes_in_a_message_leaves_a_part(void **state)
{
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	vhu_stream_take(&it.stream,
			&(struct vhu_attach_event){.what = VHU_ATTACH_SENT,
						   .buffer = 1,
						   .number = ++it.sent,
						   .length = 14,
						   .copied = 14},
			message(2, 8));
	end(&it, " 2(8,partial)");
}

static void descriptors_stay_with_their_message(void **state)
{
	static const struct vhu_attach_file file = {.inode = 7};
	struct vhu_attach_event event = {.what = VHU_ATTACH_SENT, .length = 20, .copied = 20};
	struct direction it;

	(void)state;
	begin(&it, true, true, 0);
	for (unsigned i = 0; i < 3; i++) {
		event = (struct vhu_attach_event){
		    .what = VHU_ATTACH_FD, .buffer = 1 + i, .fds = 0, .number = it.sent + 1};
		/* The description of the second one's second is lost. */
		vhu_stream_take(&it.stream, &event, (const uint8_t *)&file);
		event.what = VHU_ATTACH_SENT;
		event.number = ++it.sent;
		event.length = event.copied = 20;
		event.fds = i == 1 ? 2 : 1;
		vhu_stream_take(&it.stream, &event, message(12, 8));
	}
	send_whole(&it, 9, 1, 0);
	end(&it, " 12(8,1 of 1 fds) 12(8,1 of 2 fds) 12(8,1 of 1 fds) 1(0)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(message_is_known_from_its_sent_event),
	    cmocka_unit_test(whole_sent_event_passes_at_once),
	    cmocka_unit_test(taking_after_a_sent_event_is_not_a_peek),
	    cmocka_unit_test(unreported_buffer_is_skipped_once_later_ones_are_taken),
	    cmocka_unit_test(bytes_that_passed_unwatched_are_lost),
	    cmocka_unit_test(the_rest_of_a_long_message_is_taken),
	    cmocka_unit_test(long_message_taken_before_its_sent_event_is_whole),
	    cmocka_unit_test(events_of_taking_alone_give_the_stream),
	    cmocka_unit_test(a_peek_changes_nothing),
	    cmocka_unit_test(buffer_taken_before_its_sent_event_is_kept),
	    cmocka_unit_test(buffer_sent_while_it_is_taken_passes_once),
	    cmocka_unit_test(buffer_taken_early_without_sent_event_is_lost),
	    cmocka_unit_test(last_sent_buffer_without_event_is_lost),
	    cmocka_unit_test(taking_replaces_a_lost_sent_event),
	    cmocka_unit_test(lost_events_of_taking_change_nothing),
	    cmocka_unit_test(after_a_gap_the_next_header_is_found),
	    cmocka_unit_test(a_message_with_a_hole_is_lost_whole),
	    cmocka_unit_test(sent_buffer_that_is_never_taken_passes),
	    cmocka_unit_test(buffers_queued_before_the_watch_come_first),
	    cmocka_unit_test(in_the_middle_the_next_header_is_looked_for),
	    cmocka_unit_test(a_sender_that_closes_in_a_message_leaves_a_part),
	    cmocka_unit_test(descriptors_stay_with_their_message),
	};

	return cmocka_run_group_tests_name("attach-stream", tests, NULL, NULL);
}
