/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `vhu proxy` must withstand: the cases, and what they have in common. In each of them a
 * second session, the bystander, goes on undisturbed, and no descriptor is left behind.
 */
#ifndef VHU_TESTS_PROXY_BAD_INPUT_H
#define VHU_TESTS_PROXY_BAD_INPUT_H

#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

struct bad {
	struct proxy proxy;
	int listener;     /* the back-end's */
	int front, back;  /* of the bystander, session 1 */
	unsigned int fds; /* that the proxy has open with only that */
	uint64_t exchanges;
};

/* Start the proxy and the bystander. @records: with -w proxy.capture. */
void bad_begin(struct bad *bad, bool records);

/* The same in what proxy_prepare made ready already. @capture: where to record, "" nowhere. */
void bad_begin_prepared(struct bad *bad, const char *capture);

/* Begin a session. */
void bad_session(struct bad *bad, int *front, int *back);

/* See that the bystander lives. */
void bad_bystander(struct bad *bad);

/*
 * See that the bystander lives, that every other descriptor of the proxy is closed again, and that
 * it ends well.
 */
void bad_end(struct bad *bad);

/* Wait for a line on stderr with @text; it must come just once. Returns it, until the next call. */
const char *bad_one_line(struct bad *bad, const char *text);

/* Run `vhu proxy` with @args, which end with NULL; it must exit with @status by itself, having said
 * one line with @text, that begins with its name. */
void bad_refused(struct proxy *proxy, const char *const *args, int status, const char *text);

/* The cases, each a function that ends the test where something is wrong. CMakeLists.txt reads this
 * list too. */
#define BAD_CASES(X)                                                                               \
	X(no_folder)                                                                               \
	X(stale_socket)                                                                            \
	X(foreign_file)                                                                            \
	X(foreign_link)                                                                            \
	X(long_path)                                                                               \
	X(in_use)                                                                                  \
	X(usage)                                                                                   \
	X(endpoint_fd)                                                                             \
	X(no_back_end)                                                                             \
	X(back_end_late)                                                                           \
	X(socket_replaced)                                                                         \
	X(terminated)                                                                              \
	X(capture_unwritable)                                                                      \
	X(capture_full)                                                                            \
	X(capture_resumes)                                                                         \
	X(capture_limit)                                                                           \
	X(capture_reader_gone)                                                                     \
	X(capture_reader_stuck)                                                                    \
	X(capture_reader_resumes)                                                                  \
	X(huge_size)                                                                               \
	X(half_header)                                                                             \
	X(half_payload)                                                                            \
	X(half_close)                                                                              \
	X(fds_in_payload)                                                                          \
	X(fds_in_header)                                                                           \
	X(fds_without_bytes)                                                                       \
	X(fds_truncated)                                                                           \
	X(too_many_sessions)                                                                       \
	X(reset)                                                                                   \
	X(slow_reader)                                                                             \
	X(channel_not_socket)                                                                      \
	X(channels_twice)                                                                          \
	X(fds_flood)                                                                               \
	X(channels_flood)                                                                          \
	X(channel_lingers)                                                                         \
	X(channel_adds)                                                                            \
	X(sessions_flood)                                                                          \
	X(guests_flood)                                                                            \
	X(stuck_sessions)                                                                          \
	X(words_escaped)                                                                           \
	X(words_flood)                                                                             \
	X(words_stuck)

#define BAD_DECLARE(name) void bad_##name(void);
BAD_CASES(BAD_DECLARE)
#undef BAD_DECLARE

#endif
