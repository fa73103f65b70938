/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stage: the processes that take part in a session, their folder and the time they have.
 *
 * Whatever goes wrong on it ends the program with one line and the log of each party; nothing
 * that was started outlives the program, not even when it is killed.
 *
 * Ownership: the stage owns the folder and the processes; names and paths handed to it stay the
 * caller's and must outlive it.
 */
#ifndef VHU_E2E_QEMU_STAGE_H
#define VHU_E2E_QEMU_STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#define QEMU_STAGE_PARTIES 8

struct qemu_party {
	const char *name; /* also its log's: NAME.log in the folder */
	pid_t pid;        /* 0 when it has ended; its place is free then */
	int gone;         /* end of file once it and all that it started have ended */
};

struct qemu_stage {
	char folder[108];
	double deadline; /* CLOCK_MONOTONIC, in seconds */
	struct qemu_party party[QEMU_STAGE_PARTIES];
	unsigned int parties;
};

/* Make a fresh folder for @stage, and give everything that happens on it @seconds in all. */
void qemu_stage_open(struct qemu_stage *stage, unsigned int seconds);

/* Return the path of @name in the stage's folder; the caller frees it. */
char *qemu_stage_path(const struct qemu_stage *stage, const char *name);

/* Start the party @name as the program and arguments in @argv (NULL at the end), output to its log.
 */
void qemu_stage_start(struct qemu_stage *stage, const char *name, char *const argv[]);

/* Wait until somebody listens on the socket @path, which party @name is expected to do. */
void qemu_stage_await(struct qemu_stage *stage, const char *name, const char *path);

/* Return a socket that listens on @path. */
int qemu_stage_listen(struct qemu_stage *stage, const char *path);

/* Accept the connection that party @name makes to @listener, close the latter; return the former.
 */
int qemu_stage_accept(struct qemu_stage *stage, const char *name, int listener);

/* Return a connection to the socket @path, where somebody listens. */
int qemu_stage_connect(struct qemu_stage *stage, const char *path);

/* Wait until @fd can be read; fail when party @name ends before or time is up. */
void qemu_stage_readable(struct qemu_stage *stage, const char *name, int fd);

/* Let a moment pass between two looks at something that sends no event when it changes. Fail when
 * time is up; @doing says what took so long. */
void qemu_stage_nap(struct qemu_stage *stage, const char *doing);

/* Fail when time is up; @doing says what took so long. */
void qemu_stage_check_time(struct qemu_stage *stage, const char *doing);

/* Send @signal to party @name and wait for its end; it must exit with 0. */
void qemu_stage_end(struct qemu_stage *stage, const char *name, int signal);

/* Run the program and arguments in @argv (NULL at the end), output to @name's log; it must exit
 * with 0. */
void qemu_stage_run(struct qemu_stage *stage, const char *name, char *const argv[]);

/* Return the process of party @name. */
pid_t qemu_stage_pid(struct qemu_stage *stage, const char *name);

/* Send @signal to party @name, which does not end by that; it has stopped after SIGSTOP. */
void qemu_stage_signal(struct qemu_stage *stage, const char *name, int signal);

/* Kill party @name, and wait until it is gone. */
void qemu_stage_kill(struct qemu_stage *stage, const char *name);

/* Return how often @text stands in the log of party @name, of all that had this name. */
unsigned int qemu_stage_said(const struct qemu_stage *stage, const char *name, const char *text);

/* Remove the folder. All parties have been ended. */
void qemu_stage_close(struct qemu_stage *stage);

/* Print one line, then the logs; end the parties and the program, with status 1. */
_Noreturn void qemu_stage_fail(struct qemu_stage *stage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
