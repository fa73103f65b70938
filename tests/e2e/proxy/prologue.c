/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that a capture that is cut anywhere reads as the whole does: the first part, which says
 * that it goes on, breaks no rule that the whole does not break; and in the second part, which
 * begins with the prologue, each record means the same, leaves its session in the same
 * state, and breaks no rule that it does not break in the whole.
 *
 *	proxy_prologue CAPTURE...
 */
#include "lib/recording/prologue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/session/session.h"
#include "tests/lib/state_differs.h"

#define FINDINGS_MAX 4096

/* A record of its own, with all that it points to. */
struct copy {
	struct vhu_record record;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	uint8_t *bytes;
};

/* A rule that was broken, and the place of the record in the whole capture. */
struct broken {
	const struct vhu_rule *rule;
	size_t at;
};

/* One reading: the records that are fed, and what is found. */
struct prologue_reading {
	struct vhu_sessions *sessions;
	struct broken broken[FINDINGS_MAX];
	size_t found;
};

static struct copy *copies;
static size_t records;
static unsigned failures, cuts;
static const char *path;

/* Say what is wrong. */
static void fail(size_t cut, const char *what, const struct broken *broken)
{
	const struct vhu_record *record = &copies[broken->at].record;

	failures++;
	printf("%s: cut before record %zu: %s V%u %s at record %zu (type %d, session %llu)\n", path,
	       cut + 1, what, broken->rule->id, broken->rule->name, broken->at + 1,
	       (int)record->type, (unsigned long long)record->session);
}

/* Read the capture at `path`. */
static void read_all(void)
{
	static uint8_t head[VHU_RECORD_HEAD_MAX];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];

	records = 0;
	if (vhu_pcapng_reader_open(&reader, path, false, error)) {
		printf("%s: %s\n", path, error);
		exit(1);
	}
	while (vhu_pcapng_read(reader, &record) == 1) {
		size_t size = vhu_record_encode(record, head);
		struct copy *copy;

		copies = reallocarray(copies, records + 1, sizeof(*copies));
		copy = &copies[records++];
		copy->bytes = malloc(size + record->message_size);
		memcpy(copy->bytes, head, size);
		if (record->message_size)
			memcpy(copy->bytes + size, record->message, record->message_size);
		copy->record = *record;
		copy->record.message_size = (uint32_t)(size + record->message_size);
		copy->record.message_sent += size;
	}
	vhu_pcapng_reader_close(reader);
	/* They have moved while there came more. */
	for (size_t i = 0; i < records; i++)
		vhu_record_decode(&copies[i].record, copies[i].fd, copies[i].bytes,
				  copies[i].record.message_size, copies[i].record.message_sent);
}

/* Free what was read. */
static void forget_all(void)
{
	for (size_t i = 0; i < records; i++)
		free(copies[i].bytes);
	free(copies);
	copies = NULL;
}

/* Keep what is found. @other: place of the record, where the finding tells no number. */
static void note_findings(struct prologue_reading *reading, const struct vhu_annotation *note)
{
	for (unsigned i = 0; i < note->findings && reading->found < FINDINGS_MAX; i++) {
		uint64_t number = note->finding[i].number;

		reading->broken[reading->found++] = (struct broken){
		    note->finding[i].rule,
		    number && number <= records ? number - 1 : records - 1,
		};
	}
}

/* Feed a record, whose place in the whole is @at: its number follows from that. Returns what it
 * means. */
static struct vhu_annotation feed(struct prologue_reading *reading, const struct vhu_record *record,
				  size_t at)
{
	struct vhu_annotation note;

	vhu_session_feed(reading->sessions, record, at + 1, &note);
	note_findings(reading, &note);
	return note;
}

/* Feed a record of the prologue, which counts the records of sessions. Returns 0. */
static int feed_told(void *context, const struct vhu_record *record, uint64_t number)
{
	size_t at = 0;

	while ((number -= copies[at].record.session != 0))
		at++;
	feed(context, record, at);
	return 0;
}

/* Return what of the meaning of a record, and of the state after it, is not the same. */
static const char *differs(const struct vhu_annotation *a, const struct vhu_annotation *b)
{
	if (a->message != b->message || a->layout != b->layout || a->vring != b->vring)
		return "which message it is";
	if (a->request_number != b->request_number || a->delay_ns != b->delay_ns)
		return "what it answers";
	if (a->offer != b->offer || a->places != b->places ||
	    memcmp(a->place, b->place, sizeof(a->place)))
		return "what it refers to";
	return state_differs(a->state, b->state);
}

/* Begin a reading. */
static struct prologue_reading *begin(void)
{
	struct prologue_reading *reading = calloc(1, sizeof(*reading));

	reading->sessions = vhu_sessions_new(false);
	return reading;
}

/* End a reading and forget it. */
static void end(struct prologue_reading *reading)
{
	vhu_sessions_free(reading->sessions);
	free(reading);
}

/*
 * Return whether the whole breaks a rule where a part does, or did so before the part began: some
 * rules report once a session, and so once a file.
 */
static bool has(const struct prologue_reading *whole, const struct broken *broken, size_t cut)
{
	uint64_t session = copies[broken->at].record.session;

	for (size_t i = 0; i < whole->found; i++) {
		const struct broken *one = &whole->broken[i];

		if (one->rule == broken->rule && copies[one->at].record.session == session &&
		    (one->at == broken->at || one->at < cut))
			return true;
	}
	return false;
}

/* Read to the end, then hold what was found in the part against what was in the whole. */
static void compare(struct prologue_reading *whole, struct prologue_reading *part, size_t cut)
{
	struct vhu_annotation note;

	while (vhu_session_finish(part->sessions, &note))
		note_findings(part, &note);
	for (size_t i = 0; i < part->found; i++)
		if (!has(whole, &part->broken[i], cut))
			fail(cut, "only the part breaks", &part->broken[i]);
}

/* Look at the first part of a capture that is cut before record @cut. */
static void check_first(struct prologue_reading *whole, size_t cut)
{
	const struct vhu_record continued = {.type = VHU_RECORD_CONTINUED, .text = "next"};
	struct prologue_reading *part = begin();

	for (size_t i = 0; i < cut; i++)
		feed(part, &copies[i].record, i);
	feed(part, &continued, records);
	compare(whole, part, 0);
	end(part);
}

/* Look at the second part of a capture that is cut before record @cut. */
static void check_second(struct prologue_reading *whole, size_t cut)
{
	struct vhu_prologue *prologue = vhu_prologue_new();
	struct prologue_reading *part = begin(), *again = begin();

	for (size_t i = 0; i < cut; i++) {
		vhu_prologue_take(prologue, &copies[i].record);
		feed(again, &copies[i].record, i);
	}
	vhu_prologue_tell(prologue, feed_told, part);
	for (size_t i = cut; i < records; i++) {
		struct vhu_annotation is = feed(part, &copies[i].record, i);
		struct vhu_annotation was = feed(again, &copies[i].record, i);
		const char *what = differs(&is, &was);

		if (!what)
			continue;
		failures++;
		printf("%s: cut before record %zu: at record %zu %s differs\n", path, cut + 1,
		       i + 1, what);
	}
	compare(whole, part, cut);
	end(again);
	end(part);
	vhu_prologue_free(prologue);
	cuts++;
}

int main(int argc, char **argv)
{
	struct vhu_annotation note;

	for (int i = 1; i < argc; i++) {
		struct prologue_reading *whole;

		path = argv[i];
		read_all();
		whole = begin();
		for (size_t at = 0; at < records; at++)
			feed(whole, &copies[at].record, at);
		while (vhu_session_finish(whole->sessions, &note))
			note_findings(whole, &note);
		for (size_t cut = 0; cut <= records; cut++) {
			check_first(whole, cut);
			check_second(whole, cut);
		}
		end(whole);
		forget_all();
	}
	printf("%d captures, %u cuts, %u differences\n", argc - 1, cuts, failures);
	return failures != 0;
}
