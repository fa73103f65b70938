/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two processes that kick and call one another. */
#include "tests/bpf/lib/pingpong.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Say what failed and end. */
static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void pair_open(struct pair *pair, const struct plan *plan)
{
	pair->plan = *plan;
	pair->kick = eventfd(0, EFD_CLOEXEC);
	pair->call = eventfd(0, EFD_CLOEXEC);
	pair->truth = mmap(NULL, sizeof(*pair->truth), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pair->kick < 0 || pair->call < 0 || pair->truth == MAP_FAILED)
		fail("eventfd");
}

void pair_close(struct pair *pair)
{
	close(pair->kick);
	close(pair->call);
	munmap(pair->truth, sizeof(*pair->truth));
}

uint32_t eventfd_id(int fd)
{
	char path[64], line[128];
	unsigned id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file) && sscanf(line, "eventfd-id: %u", &id) != 1)
		;
	fclose(file);
	return id;
}

/* Signal an eventfd. */
static void signal_fd(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		fail("write");
}

/* Let time pass without giving the processor up: what is measured is exact then. */
static void pass(uint64_t ns)
{
	uint64_t start = vhu_now_ns();

	if (ns > 500000) {
		struct timespec pause = {.tv_nsec = (long)(ns - 200000)};

		nanosleep(&pause, NULL);
	}
	while (vhu_now_ns() - start < ns)
		;
}

/* Serve one pair, as a thread of the back-end. */
static void *serve(void *with)
{
	struct pair *pair = with;
	struct truth *truth = pair->truth;
	unsigned seed = 1;

	for (uint32_t round = 0; round < pair->plan.rounds; round++) {
		uint64_t value, delay = pair->plan.delay_us;

		/* Where kicks are to be coalesced, all of them come first. */
		while (truth->turn <= round && (pair->plan.kicks > 1 || pair->plan.awake))
			sched_yield();
		truth->wake_ns[BEFORE][round % SAMPLES_MAX] = vhu_now_ns();
		if (read(pair->kick, &value, sizeof(value)) != sizeof(value))
			fail("read");
		truth->wake_ns[AFTER][round % SAMPLES_MAX] = vhu_now_ns();
		truth->wakes++;
		if (pair->plan.random)
			delay = (uint64_t)rand_r(&seed) % (delay + 1);
		pass(delay * 1000);
		truth->call_ns[BEFORE][round % SAMPLES_MAX] = vhu_now_ns();
		if (!pair->plan.lose_every || (round + 1) % pair->plan.lose_every) {
			signal_fd(pair->call);
			truth->calls++;
		}
		truth->call_ns[AFTER][round % SAMPLES_MAX] = vhu_now_ns();
		for (uint32_t i = 0; i < pair->plan.extra_calls; i++) {
			signal_fd(pair->call);
			truth->calls++;
		}
		truth->finished = round + 1;
	}
	return NULL;
}

pid_t back_end_start(struct pair *pair, unsigned count)
{
	pthread_t thread[RINGS_MAX];
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&thread[i], NULL, serve, &pair[i]))
			fail("pthread_create");
	for (;;)
		pause();
}

void front_end_run(struct pair *pair)
{
	const struct timespec rest = {.tv_nsec = 1000 * (long)pair->plan.pause_us};
	struct truth *truth = pair->truth;

	for (uint32_t round = 0; round < pair->plan.rounds; round++) {
		uint64_t value;

		truth->kick_ns[BEFORE][round % SAMPLES_MAX] = vhu_now_ns();
		for (uint32_t i = 0; i < pair->plan.kicks; i++) {
			signal_fd(pair->kick);
			truth->kicks++;
		}
		truth->kick_ns[AFTER][round % SAMPLES_MAX] = vhu_now_ns();
		truth->turn = round + 1;
		if (pair->plan.lose_every || pair->plan.extra_calls) {
			while (truth->finished <= round)
				sched_yield();
			continue;
		}
		if (read(pair->call, &value, sizeof(value)) != sizeof(value))
			fail("read");
		if (pair->plan.pause_us)
			nanosleep(&rest, NULL);
	}
	while (truth->finished < pair->plan.rounds)
		sched_yield();
}

/* Order numbers, for qsort. */
static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

uint64_t quantile(const uint64_t *from, const uint64_t *to, size_t count, unsigned permille)
{
	uint64_t *value = calloc(count, sizeof(*value)), result;
	size_t rank = (count * permille + 999) / 1000;

	if (!value)
		fail("calloc");
	for (size_t i = 0; i < count; i++)
		value[i] = to[i] > from[i] ? to[i] - from[i] : 0;
	qsort(value, count, sizeof(*value), by_value);
	result = value[rank ? rank - 1 : 0];
	free(value);
	return result;
}
