/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu probe says and hears, as records: written to a capture if there is one, and fed to a
 * memory of sessions, whose findings about the back-end are kept.
 *
 * Ownership: a log owns its writer, its sessions and its findings; the capture's descriptor stays
 * the caller's.
 */
#ifndef VHU_TOOLS_PROBE_CONNECTION_LOG_H
#define VHU_TOOLS_PROBE_CONNECTION_LOG_H

#include "lib/capture/pcapng/pcapng.h"
#include "lib/session/session.h"

/* More are counted, not kept. */
#define VHU_PROBE_FINDINGS_MAX 32

/* Why a connection ended, in the words of captures: first the side that closed. */
#define VHU_PROBE_WE_CLOSED   "front-end closed"
#define VHU_PROBE_THEY_CLOSED "back-end closed"

struct vhu_probe_log {
	struct vhu_pcapng_writer *writer; /* NULL: no capture */
	struct vhu_sessions *sessions;
	uint64_t number;  /* of the record last made */
	uint64_t session; /* of the connection made last */
	uint64_t last_ns; /* when the last record was made, since the epoch */
	bool lost;        /* a record could not be written, or be understood for lack of memory */
	struct vhu_finding finding[VHU_PROBE_FINDINGS_MAX]; /* about the back-end */
	unsigned findings;
	enum vhu_dialect dialect; /* of the connection, as far as known */
	bool insists;             /* what is sent now may not be refused: that would be a finding */
};

/* One message, as it passed. */
struct vhu_probe_passed {
	bool from_back_end;
	const uint8_t *bytes;
	size_t size; /* bytes that passed */
	uint16_t marks;
	const int *fd; /* what passed with it */
	unsigned fds;
};

/*
 * Begin a log.
 * @capture: a descriptor for a capture; -1: none. @comment: for the capture's header.
 * Returns 0 or -errno; end it by vhu_probe_log_close in either case.
 */
int vhu_probe_log_open(struct vhu_probe_log *log, int capture, const char *comment);

/* Note that a connection was made: a session begins. @path: of its socket. */
void vhu_probe_log_opened(struct vhu_probe_log *log, int socket, const char *path);

/* Note a message. */
void vhu_probe_log_message(struct vhu_probe_log *log, const struct vhu_probe_passed *passed);

/* Note that the connection ended. @reason: VHU_PROBE_WE_CLOSED or VHU_PROBE_THEY_CLOSED. */
void vhu_probe_log_closed(struct vhu_probe_log *log, const char *reason);

/* Forget the findings so far. */
void vhu_probe_log_forget(struct vhu_probe_log *log);

/* End a log. Returns 0, or -EIO where something was lost. */
int vhu_probe_log_close(struct vhu_probe_log *log);

#endif
