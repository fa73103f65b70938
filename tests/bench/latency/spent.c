/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a command and prints two times in microseconds: the processor time that it took, and the
 * time from its start to its first output.
 *
 *	bench_spent COMMAND [ARGUMENT...]
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Be the command, with its output into @pipe. */
static void be(char **command, int pipe)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(pipe, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execvp(command[0], command);
	_exit(127);
}

/* Return a time in microseconds. */
static double us_of(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int argc, char **argv)
{
	uint64_t start = vhu_now_ns(), first = 0;
	struct rusage usage;
	int ends[2], status;
	char bytes[4096];
	pid_t pid;

	if (argc < 2 || pipe2(ends, O_CLOEXEC))
		return 2;
	pid = fork();
	if (pid == 0)
		be(argv + 1, ends[1]);
	close(ends[1]);
	while (pid > 0 && read(ends[0], bytes, sizeof(bytes)) > 0)
		first = first ? first : vhu_now_ns();
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status || !first)
		return 1;
	printf("%.0f %.0f\n", us_of(usage.ru_utime) + us_of(usage.ru_stime),
	       (double)(first - start) / 1e3);
	return 0;
}
