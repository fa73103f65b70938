/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far the times that vhu latency tells are from the truth, event by event.
 *
 *	VHU=PROGRAM [HOOKS=SET] bench_accuracy [ROUNDS]
 *
 * Two processes kick and call one another, with a known work between, and stamp what they do by the
 * clock that the probes use; `vhu latency -w` writes each event. For each round the times told are
 * held against those of the processes. Printed are, for each length of work and each stage, the
 * median of the time itself, of the difference (told less true) and of its amount, and the amount's
 * 99th percentile; nanoseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/util/util.h"
#include "tests/bpf/lib/tool.h"

enum { KICK_TO_WAKE, WAKE_TO_CALL, KICK_TO_CALL, STAGES };

static const char *const stage_name[STAGES] = {"kick to wake", "wake to call", "kick to call"};

/* The reported times of one round; UINT64_MAX if missing. */
static uint64_t told[STAGES][SAMPLES_MAX];

/* Read the reported events. Returns how many calls there are. */
static size_t read_events(const char *path)
{
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	size_t calls = 0;

	if (vhu_pcapng_reader_open(&reader, path, false, error)) {
		fprintf(stderr, "%s: %s\n", path, error);
		exit(1);
	}
	while (vhu_pcapng_read(reader, &record) > 0) {
		const struct vhu_vring_event *event = &record->vring;

		if (record->type != VHU_RECORD_VRING || event->act != VHU_ACT_CALL ||
		    calls == SAMPLES_MAX)
			continue;
		told[KICK_TO_WAKE][calls] =
		    event->has & VHU_VRING_HAS_KICK_TO_WAKE ? event->kick_to_wake : UINT64_MAX;
		told[WAKE_TO_CALL][calls] =
		    event->has & VHU_VRING_HAS_WAKE_TO_CALL ? event->wake_to_call : UINT64_MAX;
		told[KICK_TO_CALL][calls++] =
		    event->has & VHU_VRING_HAS_KICK_TO_CALL ? event->kick_to_call : UINT64_MAX;
	}
	vhu_pcapng_reader_close(reader);
	return calls;
}

/* Order numbers, for qsort. */
static int by_value(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

/* Return a quantile of @count numbers, which it sorts. */
static int64_t take_quantile(int64_t *value, size_t count, unsigned percent)
{
	qsort(value, count, sizeof(*value), by_value);
	return value[count * percent / 100 < count ? count * percent / 100 : count - 1];
}

/* Print how far one stage is off. */
static void compare(const struct truth *truth, unsigned stage, size_t count, uint32_t delay_us)
{
	static int64_t difference[SAMPLES_MAX], amount[SAMPLES_MAX], time[SAMPLES_MAX];
	const uint64_t *from =
	    stage == WAKE_TO_CALL ? truth->wake_ns[AFTER] : truth->kick_ns[BEFORE];
	const uint64_t *to = stage == KICK_TO_WAKE ? truth->wake_ns[AFTER] : truth->call_ns[BEFORE];
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t true_ns = (int64_t)(to[i] - from[i]);

		if (told[stage][i] == UINT64_MAX)
			continue;
		time[known] = true_ns;
		difference[known] = (int64_t)told[stage][i] - true_ns;
		amount[known] = llabs(difference[known]);
		known++;
	}
	if (!known)
		return;
	printf("| %" PRIu32 " us | %s | %zu | %" PRId64 " | %" PRId64 " | %" PRId64 " | %" PRId64
	       " |\n",
	       delay_us, stage_name[stage], known, take_quantile(time, known, 50),
	       take_quantile(difference, known, 50), take_quantile(amount, known, 50),
	       take_quantile(amount, known, 99));
}

/* Run one length of work. */
static void run(uint32_t delay_us, uint32_t rounds)
{
	const struct plan plan = {.rounds = rounds, .kicks = 1, .delay_us = delay_us};
	char path[] = "/tmp/vhu-accuracy-XXXXXX", id[64];
	const char *argument[] = {"--interval", "100ms", "-w", path, "--eventfd", id, NULL};
	int file = mkstemp(path);
	struct pair pair;
	size_t calls;
	pid_t back;

	if (file < 0)
		exit(1);
	close(file);
	pair_open(&pair, &plan);
	snprintf(id, sizeof(id), "kick=%u,call=%u", eventfd_id(pair.kick), eventfd_id(pair.call));
	back = back_end_start(&pair, 1);
	tool_start(argument);
	tool_wait(pair.kick, pair.call);
	front_end_run(&pair);
	tool_end();
	calls = read_events(path);
	unlink(path);
	if (calls != rounds)
		printf("%zu of %" PRIu32 " calls were reported\n", calls, rounds);
	else
		for (unsigned stage = 0; stage < STAGES; stage++)
			compare(pair.truth, stage, calls, delay_us);
	kill(back, SIGKILL);
	waitpid(back, NULL, 0);
	pair_close(&pair);
}

int main(int argc, char **argv)
{
	static const uint32_t delays[] = {0, 10, 100, 1000};
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000;

	if (!rounds || rounds > SAMPLES_MAX)
		return 2;
	tool_need();
	puts("| work | stage | events | time | difference | its amount | 99 % |");
	puts("|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < VHU_ARRAY_SIZE(delays); i++)
		run(delays[i], rounds);
	return tool_failures ? 1 : 0;
}
