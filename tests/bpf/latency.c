/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu latency against the truth: counts are exact, times within the histogram's error and between a
 * process's own stamps on either side of each system call.
 *
 *	latency CASE        with VHU naming the program, HOOKS the set of hooks to force
 *
 * With COUNTS_ONLY set, times are not looked at: in an emulated machine they mean nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/util/util.h"
#include "tests/bpf/lib/tool.h"

/* What a stage is of: what was done at its two ends, each with its stamps. */
struct ends {
	const char *key;
	const uint64_t (*from)[SAMPLES_MAX], (*to)[SAMPLES_MAX];
};

/* Hold a stage against the truth: between the least and the most that it can have taken, but for
 * the 4 percent that the histogram may err. */
static void check_stage(const char *json, unsigned vring, const struct ends *ends, size_t count)
{
	static const struct {
		unsigned permille;
		const char *key;
	} row[] = {{500, "p50_ns"}, {900, "p90_ns"}};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		unsigned permille = row[i].permille;
		uint64_t got = tool_number(json, vring, ends->key, row[i].key);
		uint64_t least = quantile(ends->from[AFTER], ends->to[BEFORE], count, permille);
		uint64_t most = quantile(ends->from[BEFORE], ends->to[AFTER], count, permille);

		tool_expect(got + least / 25 + 1 >= least, ends->key, got, least);
		tool_expect(got <= most + most / 25 + 1, ends->key, got, most);
	}
}

/* Hold a ring's stages against the truth. */
static void check_times(const char *json, unsigned vring, const struct pair *pair)
{
	struct truth *truth = pair->truth;
	const struct ends stage[] = {
	    {"kick_to_wake", truth->kick_ns, truth->wake_ns},
	    {"wake_to_call", truth->wake_ns, truth->call_ns},
	    {"kick_to_call", truth->kick_ns, truth->call_ns},
	};

	/* Who slept in the read was not woken before the kick. */
	for (uint32_t i = 0; i < pair->plan.rounds; i++)
		if (truth->wake_ns[BEFORE][i] < truth->kick_ns[BEFORE][i])
			truth->wake_ns[BEFORE][i] = truth->kick_ns[BEFORE][i];
	for (size_t i = 0; i < VHU_ARRAY_SIZE(stage); i++)
		check_stage(json, vring, &stage[i], pair->plan.rounds);
}

/* Hold a ring's counts against the truth. */
static void check_counts(const char *json, unsigned vring, const struct pair *pair)
{
	const struct truth *truth = pair->truth;
	const struct plan *plan = &pair->plan;
	uint64_t lost = plan->lose_every ? plan->rounds / plan->lose_every : 0;
	/* Each call answers what was taken before it: the last round alone can remain. */
	uint64_t waiting = plan->lose_every && plan->rounds % plan->lose_every == 0;

	tool_expect(truth->calls == (1 + plan->extra_calls) * (uint64_t)plan->rounds - lost,
		    "the truth", truth->calls, plan->rounds);
	tool_expect(tool_number(json, vring, NULL, "kicks") == truth->kicks, "kicks",
		    tool_number(json, vring, NULL, "kicks"), truth->kicks);
	tool_expect(tool_number(json, vring, NULL, "wakes") == truth->wakes, "wakes",
		    tool_number(json, vring, NULL, "wakes"), truth->wakes);
	tool_expect(tool_number(json, vring, NULL, "calls") == truth->calls, "calls",
		    tool_number(json, vring, NULL, "calls"), truth->calls);
	tool_expect(tool_number(json, vring, NULL, "coalesced") == truth->kicks - truth->wakes,
		    "coalesced", tool_number(json, vring, NULL, "coalesced"),
		    truth->kicks - truth->wakes);
	tool_expect(tool_number(json, vring, NULL, "wakes_without_kick") == 0, "wakes without kick",
		    tool_number(json, vring, NULL, "wakes_without_kick"), 0);
	tool_expect(tool_number(json, vring, NULL, "calls_without_kick") ==
			(uint64_t)plan->extra_calls * plan->rounds,
		    "calls without kick", tool_number(json, vring, NULL, "calls_without_kick"),
		    (uint64_t)plan->extra_calls * plan->rounds);
	tool_expect(tool_number(json, vring, NULL, "waiting") == waiting, "waiting",
		    tool_number(json, vring, NULL, "waiting"), waiting);
	tool_expect(!waiting || tool_number(json, vring, NULL, "oldest_ns") > 0,
		    "age of the oldest", 0, 1);
}

/* Run rings one after another, found by the ids of their eventfds. */
static void run_given(const struct plan *plan, unsigned rings)
{
	const char *argument[2 * RINGS_MAX + 3] = {"--interval", "100ms"};
	static char id[RINGS_MAX][64];
	struct pair pair[RINGS_MAX];
	const char *json;
	pid_t back;

	for (unsigned i = 0; i < rings; i++) {
		pair_open(&pair[i], &plan[i]);
		snprintf(id[i], sizeof(id[i]), "kick=%u,call=%u", eventfd_id(pair[i].kick),
			 eventfd_id(pair[i].call));
		argument[2 + 2 * i] = "--eventfd";
		argument[3 + 2 * i] = id[i];
	}
	back = back_end_start(pair, rings);
	tool_start(argument);
	for (unsigned i = 0; i < rings; i++)
		tool_wait(pair[i].kick, pair[i].call);
	for (unsigned i = 0; i < rings; i++)
		front_end_run(&pair[i]);
	json = tool_end();
	for (unsigned i = 0; i < rings; i++) {
		check_counts(json, i, &pair[i]);
		if (plan[i].kicks == 1 && !plan[i].lose_every && !plan[i].extra_calls &&
		    !getenv("COUNTS_ONLY"))
			check_times(json, i, &pair[i]);
	}
	kill(back, SIGKILL);
	waitpid(back, NULL, 0);
	for (unsigned i = 0; i < rings; i++)
		pair_close(&pair[i]);
}

/* Have the kernel itself signal an eventfd @times times, whenever an asynchronous read ends. */
static void signal_inside(int fd, unsigned times)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	aio_context_t context = 0;
	char byte;
	struct iocb block = {
	    .aio_lio_opcode = IOCB_CMD_PREAD,
	    .aio_fildes = (uint32_t)zero,
	    .aio_buf = (uint64_t)(uintptr_t)&byte,
	    .aio_nbytes = 1,
	    .aio_flags = IOCB_FLAG_RESFD,
	    .aio_resfd = (uint32_t)fd,
	};
	struct iocb *list[] = {&block};
	struct io_event event;

	if (zero < 0 || syscall(SYS_io_setup, 1, &context))
		tool_skip("lacks asynchronous I/O in the kernel");
	while (times--)
		if (syscall(SYS_io_submit, context, 1, list) != 1 ||
		    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
			exit(1);
	syscall(SYS_io_destroy, context);
	close(zero);
}

/* Kick from inside the kernel: all sets of hooks but that of system calls see it, and that one says
 * that it does not. */
static void run_inside(void)
{
	static const struct plan plan = {.rounds = 1, .kicks = 1};
	const char *hooks = getenv("HOOKS"), *json;
	const char *argument[] = {"--interval", "100ms", "--eventfd", NULL, NULL};
	struct pair pair;
	char id[64];
	bool sees;

	pair_open(&pair, &plan);
	snprintf(id, sizeof(id), "kick=%u,call=%u", eventfd_id(pair.kick), eventfd_id(pair.call));
	argument[3] = id;
	tool_start(argument);
	tool_wait(pair.kick, pair.call);
	signal_inside(pair.kick, 100);
	json = tool_end();
	sees = strstr(json, "\"blind\":\"\"");
	tool_expect(!hooks || sees == !strstr(hooks, "syscalls"), "says what it sees", sees, !sees);
	tool_expect(tool_number(json, 0, NULL, "kicks") == (sees ? 100 : 0), "kicks from inside",
		    tool_number(json, 0, NULL, "kicks"), sees ? 100 : 0);
}

/* Write the message that gives vring 0 a descriptor. */
static void put_fd(struct vhu_pcapng_writer *writer, uint32_t request, int fd)
{
	uint8_t message[20] = {(uint8_t)request, 0, 0, 0, 1, 0, 0, 0, 8};
	struct vhu_fd_info info = {
	    .kind = VHU_FD_EVENTFD,
	    .has = VHU_FD_HAS_EVENTFD,
	    .eventfd_id = eventfd_id(fd),
	};
	struct vhu_record record = {
	    .time_ns = vhu_now_ns(),
	    .session = 1,
	    .message = message,
	    .message_size = sizeof(message),
	    .message_sent = sizeof(message),
	    .fds = 1,
	    .fd = &info,
	};

	vhu_pcapng_write(writer, &record);
}

/* Run a ring that a capture tells, and which gets other eventfds while that is followed. */
static void run_rewired(void)
{
	const struct plan plan = {.rounds = 500, .kicks = 1, .delay_us = 10};
	char path[] = "/tmp/vhu-latency-XXXXXX";
	const char *argument[] = {"--interval", "100ms", "-f", "-r", path, NULL};
	struct vhu_record opened = {
	    .type = VHU_RECORD_OPENED,
	    .session = 1,
	    .front_end = {.known = true, .pid = (uint32_t)getpid()},
	};
	struct vhu_pcapng_writer *writer;
	int file = mkstemp(path);
	struct pair pair[2];
	const char *json;
	pid_t back;

	pair_open(&pair[0], &plan);
	pair_open(&pair[1], &plan);
	back = back_end_start(pair, 2);
	if (file < 0 || vhu_pcapng_writer_open(&writer, file, 0, NULL))
		exit(1);
	vhu_pcapng_write(writer, &opened);
	tool_start(argument);
	for (unsigned i = 0; i < 2; i++) {
		put_fd(writer, vhu_messages[VHU_MSG_SET_VRING_CALL].request, pair[i].call);
		put_fd(writer, vhu_messages[VHU_MSG_SET_VRING_KICK].request, pair[i].kick);
		tool_wait(pair[i].kick, pair[i].call);
		front_end_run(&pair[i]);
	}
	tool_expect(!tool_holds(eventfd_id(pair[0].kick)), "the old kick is let go", 1, 0);
	json = tool_end();
	tool_expect(tool_number(json, 0, NULL, "kicks") == 1000, "kicks",
		    tool_number(json, 0, NULL, "kicks"), 1000);
	tool_expect(tool_number(json, 0, NULL, "wakes") == 1000, "wakes",
		    tool_number(json, 0, NULL, "wakes"), 1000);
	tool_expect(tool_number(json, 0, NULL, "calls") == 1000, "calls",
		    tool_number(json, 0, NULL, "calls"), 1000);
	kill(back, SIGKILL);
	waitpid(back, NULL, 0);
	vhu_pcapng_writer_close(writer);
	unlink(path);
}

/* Run rings that are found by their traffic: each kick is paired with its own call. */
static void run_passive(void)
{
	const struct plan plan = {
	    .rounds = UINT32_MAX,
	    .kicks = 1,
	    .delay_us = 50,
	    .random = true,
	    .pause_us = 50,
	};
	const char *argument[] = {"--interval", "200ms", "-p", NULL, NULL};
	char back_pid[16];
	struct pair pair[3];
	pid_t back, front[3];
	char *line;

	for (unsigned i = 0; i < 3; i++)
		pair_open(&pair[i], &plan);
	back = back_end_start(pair, 3);
	for (unsigned i = 0; i < 3; i++) {
		front[i] = fork();
		if (front[i])
			continue;
		front_end_run(&pair[i]);
		_exit(0);
	}
	snprintf(back_pid, sizeof(back_pid), "%d", back);
	argument[3] = back_pid;
	tool_start(argument);
	while ((line = tool_line()) && !strstr(line, "\"vring\":2,"))
		;
	tool_expect(line != NULL, "rings found", 0, 3);
	for (unsigned i = 0; line && i < 3; i++) {
		uint32_t kick = (uint32_t)tool_number(line, i, NULL, "kick_eventfd_id");
		uint32_t call = (uint32_t)tool_number(line, i, NULL, "call_eventfd_id");

		tool_expect(kick == eventfd_id(pair[i].kick), "kick", kick,
			    eventfd_id(pair[i].kick));
		tool_expect(call == eventfd_id(pair[i].call), "call", call,
			    eventfd_id(pair[i].call));
	}
	tool_end();
	for (unsigned i = 0; i < 3; i++)
		kill(front[i], SIGKILL);
	kill(back, SIGKILL);
}

/* The cases with rings that are given. */
static const struct {
	const char *name;
	unsigned rings;
	struct plan plan[RINGS_MAX];
} row[] = {
    {"delay_0", 1, {{5000, .kicks = 1}}},
    {"delay_10us", 1, {{5000, .kicks = 1, .delay_us = 10, .awake = true}}},
    {"delay_100us", 1, {{3000, .kicks = 1, .delay_us = 100, .awake = true}}},
    {"delay_1ms", 1, {{500, .kicks = 1, .delay_us = 1000}}},
    {"delay_random", 1, {{3000, .kicks = 1, .delay_us = 200, .random = true}}},
    {"coalesced", 1, {{2000, .kicks = 3}}},
    {"lost_calls", 1, {{2000, .kicks = 1, .lose_every = 4}}},
    {"calls_without_kick", 1, {{2000, .kicks = 1, .extra_calls = 2}}},
    {"rings", 3, {{1000, .kicks = 1}, {500, .kicks = 1, .delay_us = 100}, {500, .kicks = 2}}},
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	tool_need();
	if (!strcmp(name, "rewired"))
		run_rewired();
	else if (!strcmp(name, "inside"))
		run_inside();
	else if (!strcmp(name, "passive"))
		run_passive();
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (!strcmp(name, row[i].name))
			run_given(row[i].plan, row[i].rings);
	return tool_failures ? 1 : 0;
}
