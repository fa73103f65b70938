/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured with and without probes: nanoseconds for each round of
 *
 *	pair     write and read of one eventfd
 *	trip     a kick, 10 us of work and a call between two processes
 *	getppid  a system call that has nothing to do with eventfds
 *	null     a byte to /dev/null
 *	queue    a request taken by one function (bench_pop) and given back by another (bench_push)
 *	static   the same with static probes (vhu:queue_pop, vhu:queue_push) in their place
 *
 * Prints its rings on a line, as options of vhu latency, and on the next its own process id and its
 * other side's. Then it reads lines "WHAT ROUNDS" and prints each one's result.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef VHU_HAVE_SDT
#include <sys/sdt.h>

#include "lib/util/util.h"
#else
#define DTRACE_PROBE2(...) ((void)0)
#define DTRACE_PROBE3(...) ((void)0)
#endif

#define WORK_NS 10000

/* Return the id of an eventfd. */
static unsigned id_of(int fd)
{
	char path[64], line[128];
	unsigned id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file) && sscanf(line, "eventfd-id: %u", &id) != 1)
		;
	if (file)
		fclose(file);
	return id;
}

/* Signal an eventfd, or take it. Ends where that fails. */
static void signal_fd(int fd)
{
	uint64_t value = 1;

	if (write(fd, &value, sizeof(value)) != sizeof(value))
		exit(1);
}

static void take_fd(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		exit(1);
}

/* Be the other side of a trip, for ever. */
static void answer(int kick, int call)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint64_t start;

		take_fd(kick);
		start = vhu_now_ns();
		while (vhu_now_ns() - start < WORK_NS)
			;
		signal_fd(call);
	}
}

/* Take a request, and give it back. */
static __attribute__((noinline, used)) void *bench_pop(void *queue)
{
	__asm__ volatile("" : "+r"(queue) : : "memory");
	return queue;
}

static __attribute__((noinline, used)) void bench_push(void *queue, void *request)
{
	__asm__ volatile("" : : "r"(queue), "r"(request) : "memory");
}

/* Do one thing of @what. @kick: a ring's own where its other side is to take it. */
static void do_one(char what, int kick, int call, int null)
{
	switch (what) {
	case 'p':
		signal_fd(kick);
		take_fd(kick);
		break;
	case 't':
		signal_fd(kick);
		take_fd(call);
		break;
	case 'g':
		syscall(SYS_getppid);
		break;
	case 'q':
		bench_push(&null, bench_pop(&null));
		break;
	case 's':
		DTRACE_PROBE2(vhu, queue_pop, 1, 0);
		DTRACE_PROBE3(vhu, queue_push, 1, 0, 0);
		break;
	default:
		if (write(null, "", 1) != 1)
			exit(1);
	}
}

int main(void)
{
	/* The other side takes the kicks of trips alone, so pairs have an eventfd of their own. */
	int kick = eventfd(0, 0), call = eventfd(0, 0), own = eventfd(0, 0);
	int null = open("/dev/null", O_WRONLY);
	char line[64];
	pid_t other;

	if (kick < 0 || call < 0 || own < 0 || null < 0)
		return 2;
	other = fork();
	if (!other)
		answer(kick, call);
	printf("--eventfd kick=%u,call=%u --eventfd kick=%u\n%d %d\n", id_of(kick), id_of(call),
	       id_of(own), getpid(), other);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char *at = strchr(line, ' ');
		uint64_t rounds = at ? strtoull(at, NULL, 10) : 0, start;
		int mine = line[0] == 't' ? kick : own;

		if (!rounds)
			return 2;
		/* Caches and branches know it then. */
		for (uint64_t i = 0; i < rounds / 10; i++)
			do_one(line[0], mine, call, null);
		start = vhu_now_ns();
		for (uint64_t i = 0; i < rounds; i++)
			do_one(line[0], mine, call, null);
		printf("%.1f\n", (double)(vhu_now_ns() - start) / (double)rounds);
		fflush(stdout);
	}
	kill(other, SIGKILL);
	return 0;
}
