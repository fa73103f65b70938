/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares a capture with what the transparency test sent. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tests/e2e/proxy/transparency/capture.h"
#include "tests/e2e/proxy/transparency/fds.h"
#include "tests/e2e/proxy/transparency/session.h"

/* How far the capture came in one direction of one kind of channel of one session. */
struct track {
	struct message_stream stream;
	unsigned int number; /* of the message that must come next */
	uint64_t time_ns;    /* of the last message */
};

struct check {
	const struct message_stream *common;
	unsigned int sessions;
	struct track *track;           /* of [session][channel][direction] */
	unsigned int *opened, *closed; /* records of [session][channel] */
	unsigned long messages;
	uint64_t frame;
};

/* End the test with what is wrong at the record that was read. */
#define complain(check, format, ...)                                                               \
	peer_die("capture, frame %lu: " format, (unsigned long)(check)->frame, ##__VA_ARGS__)

/* Return the track of @session (from 1), @channel and direction. */
static struct track *track_of(struct check *check, uint64_t session, unsigned int channel,
			      bool from_back_end)
{
	return &check->track[((session - 1) * VHU_CHANNELS + channel) * 2 + from_back_end];
}

/* Set up all tracks where their streams begin. Kinds of channels alternate, from the back-end's. */
static void begin_tracks(struct check *check)
{
	for (unsigned int s = 1; s <= check->sessions; s++)
		for (unsigned int c = 0; c < VHU_CHANNELS; c++)
			for (unsigned int from_back_end = 0; from_back_end < 2; from_back_end++) {
				struct track *track = track_of(check, s, c, from_back_end);

				track->stream = *check->common;
				track->stream.session = s;
				track->stream.channel = c;
				track->stream.from_back_end = from_back_end;
				track->stream.opened = c == VHU_FRONT_END  ? 0
						       : c == VHU_BACK_END ? 1
									   : 2;
				if (c != VHU_FRONT_END)
					track->stream.count = SESSION_CHANNEL_MESSAGES;
			}
}

/* Compare the bytes. Key material may be masked by zeros, where the record says so. */
static void compare_bytes(struct check *check, const struct vhu_record *record,
			  const struct track *track, const struct passed_message *expected)
{
	const char *name = message_stream_name(&track->stream);
	bool masked = record->marks & VHU_MARK_REDACTED;

	if (record->marks & ~(VHU_MARK_REDACTED))
		complain(check, "%s: message %u: marks are %#x", name, track->number,
			 record->marks);
	if (record->message_size != expected->size || record->message_sent != expected->size)
		complain(check, "%s: message %u has %u bytes (%lu passed), %u were sent", name,
			 track->number, record->message_size, (unsigned long)record->message_sent,
			 expected->size);
	for (uint32_t i = 0; i < expected->size; i++) {
		if (record->message[i] == expected->bytes[i])
			continue;
		if (masked && record->message[i] == 0 && i >= PEER_HEADER_SIZE)
			continue;
		complain(check, "%s: message %u: byte %u is %02x, %02x was sent", name,
			 track->number, i, record->message[i], expected->bytes[i]);
	}
}

/* Compare the descriptions of the descriptors. */
static void compare_fds(struct check *check, const struct vhu_record *record,
			const struct track *track, const struct passed_message *expected)
{
	const char *name = message_stream_name(&track->stream);

	if (record->fds != expected->nfds + expected->opens)
		complain(check, "%s: message %u has %u descriptors, %u were sent", name,
			 track->number, record->fds, expected->nfds);
	if (expected->opens && record->fd[0].kind != VHU_FD_SOCKET)
		complain(check, "%s: message %u: its socket is described as %s", name,
			 track->number, vhu_fd_kind_name(record->fd[0].kind));
	for (unsigned int i = 0; i < expected->nfds; i++) {
		const char *differs = fds_differ_described(expected->fd[i], &record->fd[i]);

		if (differs)
			complain(check, "%s: message %u: descriptor %u %s", name, track->number, i,
				 differs);
	}
}

/* Compare one message and go on to the next of its track. */
static void check_message(struct check *check, const struct vhu_record *record)
{
	static struct passed_message expected;
	struct track *track =
	    track_of(check, record->session, record->channel, record->from_back_end);

	if (track->number == track->stream.count)
		complain(check, "%s: one message more than was sent",
			 message_stream_name(&track->stream));
	message_make(&expected, &track->stream, track->number);
	/* Only within a track: one that waits for its receiver is passed by others. */
	if (record->time_ns < track->time_ns)
		complain(check, "%s: message %u is older than the one before it",
			 message_stream_name(&track->stream), track->number);
	track->time_ns = record->time_ns;
	compare_bytes(check, record, track, &expected);
	compare_fds(check, record, track, &expected);
	track->number++;
	/* The next channel of the kind begins when the last has ended. */
	if (track->stream.opened && track->number == track->stream.count) {
		track->stream.opened += 2;
		track->number = 0;
	}
	check->messages++;
}

/* Look at one record. */
static void check_record(struct check *check, const struct vhu_record *record)
{
	size_t session;

	if (record->session < 1 || record->session > check->sessions ||
	    (unsigned int)record->channel >= VHU_CHANNELS)
		complain(check, "session %lu, channel %d: there was none",
			 (unsigned long)record->session, (int)record->channel);
	session = (record->session - 1) * VHU_CHANNELS + record->channel;
	switch (record->type) {
	case VHU_RECORD_MESSAGE:
		check_message(check, record);
		break;
	case VHU_RECORD_OPENED:
		check->opened[session]++;
		if (record->channel == VHU_FRONT_END &&
		    (!record->front_end.known || record->front_end.pid != (uint32_t)getpid()))
			complain(check, "the front-end of session %lu has pid %u, this test is %d",
				 (unsigned long)record->session, record->front_end.pid, getpid());
		break;
	case VHU_RECORD_CLOSED:
		check->closed[session]++;
		break;
	default:
		complain(check, "%s: %s", vhu_record_type_name(record->type), record->text);
	}
}

/* See that nothing is missing at the end of the capture. */
static void check_complete(struct check *check)
{
	unsigned int every = check->common->channel_every;
	unsigned int channels = every ? check->common->count / every : 0;

	for (unsigned int s = 1; s <= check->sessions; s++)
		for (unsigned int c = 0; c < VHU_CHANNELS; c++) {
			/* The first of two is a back-end's. */
			unsigned int pairs = (channels + (c == VHU_BACK_END)) / 2;
			unsigned int opened = check->opened[(s - 1) * VHU_CHANNELS + c];
			unsigned int closed = check->closed[(s - 1) * VHU_CHANNELS + c];

			for (unsigned int d = 0; d < 2; d++) {
				struct track *track = track_of(check, s, c, d);
				bool whole =
				    c == VHU_FRONT_END
					? track->number == track->stream.count
					: !track->number && track->stream.opened == c + 2 * pairs;

				peer_check(whole, "capture: %s: ends before message %u",
					   message_stream_name(&track->stream), track->number);
			}
			if (c == VHU_FRONT_END)
				pairs = 1;
			peer_check(opened == pairs && closed == pairs,
				   "capture: session %u: channel %u was opened %u times and closed "
				   "%u times, not %u",
				   s, c, opened, closed, pairs);
		}
}

unsigned long capture_check(const char *path, const struct message_stream *stream,
			    unsigned int sessions)
{
	struct check check = {.common = stream, .sessions = sessions};
	const struct vhu_record *record;
	struct vhu_pcapng_reader *reader;
	char error[256];
	int rc;

	check.track = calloc((size_t)sessions * VHU_CHANNELS * 2, sizeof(*check.track));
	check.opened = calloc((size_t)sessions * VHU_CHANNELS, sizeof(*check.opened));
	check.closed = calloc((size_t)sessions * VHU_CHANNELS, sizeof(*check.closed));
	peer_check(check.track && check.opened && check.closed, "out of memory");
	begin_tracks(&check);
	peer_check(!vhu_pcapng_reader_open(&reader, path, false, error), "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1) {
		check.frame = vhu_pcapng_reader_number(reader);
		check_record(&check, record);
	}
	peer_check(!rc, "%s: %s", path, vhu_pcapng_reader_error(reader));
	peer_check(!vhu_pcapng_reader_foreign(reader) && !vhu_pcapng_reader_damaged(reader),
		   "%s: has frames that are not ours", path);
	vhu_pcapng_reader_close(reader);
	check_complete(&check);
	free(check.track);
	free(check.opened);
	free(check.closed);
	return check.messages;
}
