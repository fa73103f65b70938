/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured with and without probes: nanoseconds for each round of
 *
 *	pair     write and read of one eventfd
 *	trip     a kick, 10 us of work and a call between two processes
 *	getppid  a system call that has nothing to do with eventfds
 *	null     a byte to /dev/null
 *
 *	bench_latency WHAT ROUNDS GO
 *
 * Prints its eventfds' ids on a line ("kick=1,call=2"), waits until the file GO is there, and prints
 * the result.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WORK_NS 10000

/* Return the time. */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

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
		start = now_ns();
		while (now_ns() - start < WORK_NS)
			;
		signal_fd(call);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc == 4 ? argv[1] : "";
	uint64_t rounds = argc == 4 ? strtoull(argv[2], NULL, 10) : 0, start;
	int kick = eventfd(0, 0), call = eventfd(0, 0), null = open("/dev/null", O_WRONLY);
	bool trip = !strcmp(what, "trip"), pair = !strcmp(what, "pair"), byte = !strcmp(what, "null");
	pid_t other = 0;

	if (!rounds || kick < 0 || call < 0 || null < 0)
		return 2;
	/* A ring's eventfds are shared, in every case. */
	other = fork();
	if (!other && trip)
		answer(kick, call);
	if (!other)
		for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
			pause();
	printf("kick=%u,call=%u\n", id_of(kick), id_of(call));
	fflush(stdout);
	while (access(argv[3], F_OK))
		usleep(1000);
	start = now_ns();
	for (uint64_t i = 0; i < rounds; i++) {
		if (pair || trip)
			signal_fd(kick);
		if (pair)
			take_fd(kick);
		else if (trip)
			take_fd(call);
		else if (byte && write(null, "", 1) != 1)
			return 1;
		else if (!byte)
			syscall(SYS_getppid);
	}
	printf("%.1f\n", (double)(now_ns() - start) / (double)rounds);
	kill(other, SIGKILL);
	return 0;
}
