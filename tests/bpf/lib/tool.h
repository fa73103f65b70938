/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu latency as tests run it: one at a time, told by --json. The environment variable VHU names
 * the program, and HOOKS the set of hooks to force, if any.
 */
#ifndef VHU_TESTS_BPF_TOOL_H
#define VHU_TESTS_BPF_TOOL_H

#include "tests/bpf/lib/pingpong.h"

#define TOOL_SKIP 77

/* What was noted. */
extern unsigned tool_failures;

/*
 * Skip if the probes cannot be had; if they can, the tool reports the unknown id instead. Probes
 * that attach and see nothing end the test as failed. With COUNTS_ONLY set, as in an emulated
 * machine, where asking takes seconds, they must be had.
 */
void tool_need(void);

/* End the test as skipped, and say what it lacks. */
_Noreturn void tool_skip(const char *why);

/* Note and tell a failure unless @good. */
void tool_expect(bool good, const char *what, uint64_t got, uint64_t wanted);

/* Start vhu latency with @argument (NULL-terminated). */
void tool_start(const char *const *argument);
/* Return whether it has eventfd @id open: it holds what it watches. */
bool tool_holds(uint32_t id);
/* Read its next line of JSON. Returns it, NULL at the end. */
char *tool_line(void);
/* Wait until it watches two eventfds: until it has told of an interval that began after it had both
 * open. Needs --interval. */
void tool_wait(int kick_fd, int call_fd);
/* End it. Returns its last line. */
char *tool_end(void);

/* Find a number in a line: of the ring with index @vring, below @stage unless NULL. */
uint64_t tool_number(const char *json, unsigned vring, const char *stage, const char *key);

#endif
