/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture of a soak, compared with what became of its sessions. */
#include "tests/e2e/proxy/soak/capture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/capture/pcapng/pcapng.h"

/* Of a session of the capture. */
struct recorded {
	uint32_t number;               /* as the soak numbers it, plus 1; 0 not known yet */
	uint32_t messages[SOAK_SIDES]; /* whole ones */
	bool opened, closed;
};

struct soak_reading {
	const struct soak_outcome *outcome;
	uint32_t sessions;
	struct recorded *recorded; /* by the capture's number */
	uint64_t room, messages;
	uint64_t *seen_as; /* by the soak's number: the capture's */
};

/* Return what is known of session @number of the capture. */
static struct recorded *find(struct soak_reading *reading, uint64_t number)
{
	if (number >= reading->room) {
		uint64_t room = 2 * number + 64;

		reading->recorded = reallocarray(reading->recorded, room, sizeof(struct recorded));
		peer_check(reading->recorded, "out of memory");
		memset(reading->recorded + reading->room, 0,
		       (room - reading->room) * sizeof(struct recorded));
		reading->room = room;
	}
	return &reading->recorded[number];
}

/* Learn from a record's first message which session it is. Returns whether that is known. */
static bool learn(struct soak_reading *reading, struct recorded *session,
		  const struct vhu_record *record)
{
	struct soak_message key;

	if (session->number)
		return true;
	if (record->message_size < PEER_HEADER_SIZE + SOAK_KEY)
		return false;
	key = soak_read_key(record->message);
	peer_check(key.session < reading->sessions, "capture: session %u was never", key.session);
	peer_check(!reading->seen_as[key.session], "capture: session %u is there twice",
		   key.session);
	session->number = key.session + 1;
	reading->seen_as[key.session] = record->session;
	return true;
}

/* See that a record's message is the next of its direction. */
static void check_message(struct soak_reading *reading, const struct vhu_record *record)
{
	static uint8_t expected[SOAK_MESSAGE_MAX];
	struct recorded *session = find(reading, record->session);
	uint32_t from = record->from_back_end ? SOAK_BACK : SOAK_FRONT;
	struct soak_message message;

	if (!learn(reading, session, record)) {
		peer_check(record->marks & (VHU_MARK_PARTIAL | VHU_MARK_TRUNCATED),
			   "capture: a message of %u bytes", record->message_size);
		return;
	}
	message = soak_message(session->number - 1, from, session->messages[from]);
	soak_write(&message, expected);
	peer_check(record->message_sent <= message.size &&
		       !memcmp(record->message, expected, record->message_size),
		   "capture: session %u: message %u of side %u is another", session->number - 1,
		   message.number, from);
	if (record->marks & (VHU_MARK_PARTIAL | VHU_MARK_TRUNCATED))
		return;
	peer_check(record->message_sent == message.size && record->fds == message.fds,
		   "capture: session %u: message %u of side %u has %llu bytes and %u descriptors",
		   session->number - 1, message.number, from,
		   (unsigned long long)record->message_sent, record->fds);
	session->messages[from]++;
	reading->messages++;
}

/* See that all that arrived is there. */
static void check_whole(const struct soak_reading *reading)
{
	static const struct recorded nothing;

	for (uint32_t i = 0; i < reading->sessions; i++) {
		const struct recorded *session =
		    reading->seen_as[i] ? &reading->recorded[reading->seen_as[i]] : &nothing;

		for (uint32_t from = 0; from < SOAK_SIDES; from++)
			peer_check(session->messages[from] >= reading->outcome[i].arrived[from] &&
				       session->messages[from] <= reading->outcome[i].sent[from],
				   "capture: session %u, side %u: %u messages; sent %u, arrived %u",
				   i, from, session->messages[from], reading->outcome[i].sent[from],
				   reading->outcome[i].arrived[from]);
	}
	for (uint64_t i = 0; i < reading->room; i++)
		peer_check(reading->recorded[i].opened == reading->recorded[i].closed,
			   "capture: session %llu has no end", (unsigned long long)i);
}

uint64_t soak_capture_check(const char *path, const struct soak_outcome *outcome, uint32_t sessions)
{
	struct soak_reading reading = {.outcome = outcome, .sessions = sessions};
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	int rc;

	reading.seen_as = calloc(sessions, sizeof(*reading.seen_as));
	peer_check(reading.seen_as, "out of memory");
	peer_check(!vhu_pcapng_reader_open(&reader, path, false, error), "%s: %s", path, error);
	while ((rc = vhu_pcapng_read(reader, &record)) == 1) {
		if (record->type == VHU_RECORD_MESSAGE)
			check_message(&reading, record);
		else if (record->type == VHU_RECORD_OPENED)
			find(&reading, record->session)->opened = true;
		else if (record->type == VHU_RECORD_CLOSED)
			find(&reading, record->session)->closed = true;
	}
	peer_check(!rc, "%s: %s", path, vhu_pcapng_reader_error(reader));
	peer_check(!vhu_pcapng_reader_damaged(reader), "%s: damaged records", path);
	vhu_pcapng_reader_close(reader);
	check_whole(&reading);
	free(reading.seen_as);
	free(reading.recorded);
	return reading.messages;
}
