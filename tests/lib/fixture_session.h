/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A proxy of one session in this process, for tests: between two inherited connections whose other
 * ends are the test's, with all records kept.
 */
#ifndef VHU_TESTS_SESSION_STAND_H
#define VHU_TESTS_SESSION_STAND_H

#include "proxy/session/pair.h"

#define STAND_RECORDS_MAX 256
#define STAND_BYTES_MAX   2048

/* What is kept of a record. */
struct kept {
	struct vhu_record record;
	uint8_t bytes[STAND_BYTES_MAX];
	char text[VHU_RECORD_TEXT_MAX + 1], comm[2][32], path[2][64];
};

/* A proxy of one session between two inherited connections. */
struct fixture_session {
	struct vhu_proxy proxy;
	struct vhu_pair pair;
	struct vhu_timer timer;
	char text[2][16];
	int peer[2];
	struct kept kept[STAND_RECORDS_MAX];
	unsigned records;
};

/* What was said last, "" nothing since fixture_begin. */
extern char fixture_said[1024];

/* Begin: the session is open, and recorded as such. Returns what fixture_end frees. */
struct fixture_session *fixture_begin(bool with_keys);

/* End what is left of it. */
void fixture_end(struct fixture_session *fixture);

/* Keep a record: what the sinks of a fixture do, which is @context. */
void fixture_take(void *context, const struct vhu_record *record);

/* Let the proxy run for a moment. */
void fixture_turn(struct fixture_session *fixture);

/* Let the proxy run until it has made @records records. */
void fixture_run(struct fixture_session *fixture, unsigned records);

/* Add a fault. Returns its number. */
unsigned fixture_fault(struct fixture_session *fixture, const char *text);

/* Close a side. */
void fixture_leave(struct fixture_session *fixture, enum vhu_side side);

/* Send a message, with a descriptor if that is not -1. */
void fixture_transmit(int to, uint32_t request, const void *payload, uint32_t size, int fd);

/* Receive a header's bytes. Returns the descriptor that came with them, -1 without. */
int fixture_receive(int from);

/* Hold a record against what it should be. */
void fixture_is(const struct fixture_session *fixture, unsigned number, enum vhu_record_type type,
		enum vhu_channel channel, bool from_back_end);

#endif
