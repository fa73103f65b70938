/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts `vhu proxy` for a test, in a folder of its own, and looks at it from outside: its open
 * descriptors, its memory, what it said on stderr.
 *
 * The environment's VHU names the command; without it bin/vhu is taken.
 */
#ifndef VHU_TESTS_PROXY_RUN_H
#define VHU_TESTS_PROXY_RUN_H

#include <stddef.h>
#include <sys/types.h>

#define PROXY_PATH_MAX     100
#define PROXY_LOG_MAX      65536
/* The exit status of a test that lacks something. */
#define PROXY_EXIT_SKIPPED 77

struct proxy {
	pid_t pid; /* 0 when it has ended */
	char folder[PROXY_PATH_MAX / 2];
	char front[PROXY_PATH_MAX];   /* the socket that it listens at */
	char back[PROXY_PATH_MAX];    /* the socket that it connects to */
	char capture[PROXY_PATH_MAX]; /* the file it writes */
	char log[PROXY_PATH_MAX];     /* its stderr */
	size_t log_seen;              /* how much of it proxy_log_wait has passed */
	const char *rule;             /* a rule for proxy_start; NULL without */
	int ends_with;                /* the exit status that proxy_stop expects */
	unsigned int max_fds;         /* RLIMIT_NOFILE for it; 0 leaves it alone */
	char text[PROXY_LOG_MAX];     /* what proxy_log read last */
};

/* Return the path of the command under test. */
const char *proxy_vhu(void);

/* Make the folder and the names in it. Nothing is started. The folder goes when the test ends,
 * unless it failed or VHU_KEEP is set. */
void proxy_prepare(struct proxy *proxy);

/* Start `vhu ARGS`; @args ends with NULL. Returns at once. */
void proxy_spawn(struct proxy *proxy, const char *const *args);

/* Start `vhu proxy [-w capture] front back`, @capture "" for none. Returns when it listens. */
void proxy_start(struct proxy *proxy, const char *capture);

/* Start `vhu ARGS`, a proxy between its front and back; @args ends with NULL. Returns when it
 * listens.
 */
void proxy_start_as(struct proxy *proxy, const char *const *args);

/* Wait until it ends by itself. Returns its exit status, 128 + signal if one ended it. */
int proxy_wait(struct proxy *proxy);

/* Send SIGTERM and wait; the exit status must be 0 and the listening socket's file gone. */
void proxy_stop(struct proxy *proxy);

/* Return everything it said on stderr so far; lasts until the next call. */
const char *proxy_log(struct proxy *proxy);

/* Wait until stderr has a line with @text after those seen by earlier calls, which becomes seen.
 * Returns that line (lasts until the next call); ends the test where none comes. */
const char *proxy_log_wait(struct proxy *proxy, const char *text);

/* Wait until the proxy has made its capture, the last file that it opens before it serves. */
void proxy_wait_capture(const struct proxy *proxy);

/* Return how many descriptors it has open, without the few that it uses to describe others. */
unsigned int proxy_fds(const struct proxy *proxy);

/* Wait until it has at most @count descriptors open; ends the test, listing them, where it keeps
 * more. */
void proxy_fds_settle(const struct proxy *proxy, unsigned int count);

/* Return a value of /proc/PID/status in KiB, as "VmRSS" or "VmHWM". */
unsigned long proxy_memory_kib(const struct proxy *proxy, const char *name);

/* Run @command by the shell. Returns its exit status; ends the test if a signal ended it. */
int proxy_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
