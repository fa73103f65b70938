/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the records of vhu attach go: a capture, a flight recorder, standard output, standard
 * error.
 *
 * Ownership: the sinks own what they write to, from opening to closing.
 */
#ifndef VHU_TOOLS_ATTACH_SINKS_H
#define VHU_TOOLS_ATTACH_SINKS_H

#include "lib/recording/file.h"
#include "lib/recording/flight.h"
#include "lib/recording/sink.h"
#include "lib/show/dump.h"
#include "tools/attach/request.h"
#include "tools/recording/watch.h"

/* Room for what the summary says about the capture. */
#define VHU_ATTACH_WHERE_MAX 9000

struct vhu_attach_sinks {
	const struct vhu_command *command;
	const struct vhu_attach_request *request;
	struct vhu_sinks sinks;
	struct vhu_capture_file capture;
	struct vhu_flight flight;
	bool flies;                         /* the flight recorder is on */
	struct vhu_recording_watch watch;   /* of what passes, for the flight recorder */
	struct vhu_recording_watch written; /* of what it writes, while it does */
	uint64_t write_ns;                  /* when it is to write, by vhu_now_ns; 0 not */
	struct vhu_dump dump;               /* of what is shown or said */
	struct vhu_sessions *sessions;
	uint64_t records;
	char comment[1024];
};

/* Open what was asked for. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said. */
int vhu_attach_sinks_open(struct vhu_attach_sinks *sinks, const struct vhu_command *command,
			  const struct vhu_attach_request *request, int ends, int argc,
			  char **argv);

/* Take a record. */
void vhu_attach_sinks_take(struct vhu_attach_sinks *sinks, const struct vhu_record *record);

/* Write out what the flight recorder has, or begin the next file: somebody asked for it. */
void vhu_attach_sinks_write_out(struct vhu_attach_sinks *sinks);

/* Do what is due. */
void vhu_attach_sinks_tick(struct vhu_attach_sinks *sinks, uint64_t now_ns);

/* Return whether the reader of the output is gone. */
bool vhu_attach_sinks_are_left(const struct vhu_attach_sinks *sinks);

/* Close all. @running: sessions that have not ended. @where: gets what the summary says about the
 * capture, "" nothing. Returns whether all records could be written; the reader of a pipe may
 * leave. */
bool vhu_attach_sinks_close(struct vhu_attach_sinks *sinks, unsigned running,
			    char where[VHU_ATTACH_WHERE_MAX]);

#endif
