/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run of vhu proxy: it sets up what was asked for, serves until the end, and sums up. What is
 * asked for besides forwarding is begun by vhu_proxy_run_open_sinks, when all pairs are open and
 * none serves yet, and ended by vhu_proxy_run_close_sinks, when no session is left.
 */
#ifndef VHU_TOOLS_PROXY_RUN_RUN_H
#define VHU_TOOLS_PROXY_RUN_RUN_H

#include "lib/cli/options.h"
#include "lib/recording/file.h"
#include "lib/recording/flight.h"
#include "lib/session/session.h"
#include "lib/show/dump.h"
#include "proxy/control/socket.h"
#include "proxy/endpoint/socket_maker.h"
#include "proxy/session/pair.h"
#include "tools/proxy/request/request.h"
#include "tools/proxy/run/child.h"
#include "tools/proxy/run/pairs.h"
#include "tools/recording/watch.h"
#include "tools/stall/on_stall.h"

/* Room for what the summary says about the capture. */
#define VHU_PROXY_RUN_LOST_MAX 9000
/* Room for what is said of what was written out. */
#define VHU_PROXY_WRITTEN_MAX  5000

/* The flight recorder, and what it goes by. */
struct vhu_proxy_flight {
	bool on;
	struct vhu_flight recorder;
	uint64_t dumps;                     /* times that it was written out */
	struct vhu_recording_watch watch;   /* of what passes */
	struct vhu_recording_watch written; /* of what is written, while it is */
	struct vhu_timer timer;             /* set while there is something to write */
};

/* Everything that one run of the command holds. */
/* Options whose changes the line on a reload names. */
#define VHU_RELOAD_NAMED 6

struct vhu_proxy_run {
	const struct vhu_command *command;
	struct vhu_proxy_request *request;
	int argc; /* of the sub-command */
	char **argv;
	struct vhu_proxy proxy;
	struct vhu_proxy_run_pair *pairs; /* and those that were retired */
	struct vhu_socket_maker maker;    /* no socket: this process makes sockets */
	struct vhu_capture_file capture;
	struct vhu_proxy_flight flight;
	char comment[1024]; /* what was asked for, in the capture */
	struct vhu_proxy_child child;
	struct vhu_on_stall on_stall;
	uint64_t configured_stall_ns; /* from the configuration; vhu ctl may set another */
	/* how the last configuration that was read again has options that change at once */
	char *named[VHU_RELOAD_NAMED];
	struct vhu_watch signals;    /* readable once a signal came */
	bool signalled;              /* to end */
	struct vhu_control *control; /* NULL without */
	struct vhu_watch reader;     /* of a pipe that the capture goes to, for --end-with-reader */
	/* for SIGUSR1: sessions up to `last` are said, those up to `said` were */
	struct {
		struct vhu_timer timer;
		uint64_t said, last;
	} status;
	/* for --verbose */
	struct vhu_sessions *sessions;
	struct vhu_dump dump;
	uint64_t records;
	/* for --findings: whose session the latest was */
	struct {
		uint64_t session;
		struct vhu_metrics *metrics;
	} found;
};

/* Do what @request asks for. @argc, @argv: the sub-command's. Returns the exit status. */
int vhu_proxy_run(const struct vhu_command *command, struct vhu_proxy_request *request, int argc,
		  char **argv);

/* Make the pairs that were requested, and understand them. Returns VHU_EXIT_DONE; the exit status
 * with what is wrong said. */
int vhu_proxy_run_parse_pairs(struct vhu_proxy_run *run);

/* Open all pairs. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said, and none is open. */
int vhu_proxy_run_open_pairs(struct vhu_proxy_run *run);

/* Let all pairs begin to serve. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said. */
int vhu_proxy_run_start_pairs(struct vhu_proxy_run *run);

/* End all sessions for @reason, and close the pairs. */
void vhu_proxy_run_close_pairs(struct vhu_proxy_run *run, const char *reason);

/* Free all pairs, which are closed. */
void vhu_proxy_run_free_pairs(struct vhu_proxy_run *run);

/* Read the configuration again, and go by it; say what that changes, or why it changes nothing. */
void vhu_proxy_run_reload(struct vhu_proxy_run *run);

/* Free what vhu_proxy_run_reload keeps. */
void vhu_proxy_run_forget_reloads(struct vhu_proxy_run *run);

/* Start the process that makes the sockets of pairs that a reload adds, if there can be such;
 * before the pairs are open. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said. */
int vhu_proxy_run_start_maker(struct vhu_proxy_run *run);

/* Where the capture is a pipe without a reader, wait for one. @held: see
 * vhu_capture_file_await_reader. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said. */
int vhu_proxy_run_await_reader(struct vhu_proxy_run *run, int *held);

/* Begin what was asked for besides forwarding. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why
 * said, and vhu_proxy_run_close_sinks is still to be called. */
int vhu_proxy_run_open_sinks(struct vhu_proxy_run *run);

/* End what vhu_proxy_run_open_sinks began.
 * @lost: gets what the summary is to say about the capture, "" for nothing.
 * Returns whether all records could be written; the reader of a pipe may leave. */
bool vhu_proxy_run_close_sinks(struct vhu_proxy_run *run, char *lost, size_t size);

/* Begin and end the flight recorder. @text: gets what the summary is to say about it, "" nothing.
 * Returns 0 or -errno. */
int vhu_proxy_flight_open(struct vhu_proxy_run *run);
void vhu_proxy_flight_close(struct vhu_proxy_run *run, char *text, size_t size);

/*
 * Write out what the flight recorder has; or go on with the next file of the capture.
 * @why: who wants it. @line: gets what is to be said. Returns 0; -errno; -EINVAL without either.
 */
int vhu_proxy_run_write_out(struct vhu_proxy_run *run, const char *why,
			    char line[VHU_PROXY_WRITTEN_MAX]);

/* Prepare what is done when something stalls, before the sandbox is entered. Returns VHU_EXIT_DONE
 * or VHU_EXIT_FAILED; vhu_on_stall_end is to be called in both cases. */
int vhu_proxy_run_watch_stalls(struct vhu_proxy_run *run);

/* Say on standard error what all sessions are doing, in the turns of the loop that follow. */
void vhu_proxy_run_say_status(struct vhu_proxy_run *run);

/* Give up all that serving does not need, unless told not to; where the system does not let this
 * be, that is said. */
void vhu_proxy_run_enter_sandbox(struct vhu_proxy_run *run);

/* Take over what is to be changed. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with why said, and
 * vhu_proxy_run_drop_faults is still to be called. */
int vhu_proxy_run_take_faults(struct vhu_proxy_run *run);

/* See whether the faults of @next, a new configuration, can take the place of those of the
 * configuration so far. Returns 0; -errno with a line in @error. */
int vhu_proxy_run_may_change_faults(const struct vhu_proxy_run *run,
				    const struct vhu_proxy_request *next,
				    char error[VHU_REQUEST_ERROR]);

/* Let them do that; those that are the same stay, with their counts. @added, @removed: get how
 * many. */
void vhu_proxy_run_change_faults(struct vhu_proxy_run *run, const struct vhu_proxy_request *next,
				 unsigned *added, unsigned *removed);

/* Say of each fault how often it was followed. */
void vhu_proxy_run_summarize_faults(const struct vhu_proxy_run *run);

/* End what vhu_proxy_run_take_faults began. */
void vhu_proxy_run_drop_faults(struct vhu_proxy_run *run);

/*
 * Let SIGINT and SIGTERM end the run in order, SIGHUP too unless it has a configuration, which it
 * reads again then, SIGUSR1 say what it is doing, and let nothing else end it that is only an error
 * of a call. Calls are not restarted, so that a full pipe cannot hold up the end. Returns 0 or
 * -errno; vhu_proxy_run_release_signals is to be called in both cases.
 */
int vhu_proxy_run_catch_signals(struct vhu_proxy_run *run);
void vhu_proxy_run_release_signals(struct vhu_proxy_run *run);

/* For a command that we start, before it runs: give signals and limits back as we found them. */
void vhu_proxy_run_restore(void);
void vhu_proxy_run_restore_signals(void);

#endif
