/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_expose SECONDS FILE... - answer each HTTP request with a file: the first for SECONDS, then
 * the next, and the last for ever. Prints the port of 127.0.0.1 that it listens at. Each connection
 * has a process of its own, and one answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Say what failed and exit. */
static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_expose: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Read a request to its end. Returns whether it is whole. */
static int read_request(int fd)
{
	char request[8192];
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(request) - 1 &&
	       (n = read(fd, request + got, sizeof(request) - 1 - got)) > 0) {
		got += (size_t)n;
		request[got] = '\0';
		if (strstr(request, "\r\n\r\n"))
			return 1;
	}
	return 0;
}

/* Answer the request on @fd with the file at @path. */
static void answer(int fd, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (file < 0 || fstat(file, &st))
		die(path);
	if (!read_request(fd))
		return;
	dprintf(fd,
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
		"Content-Length: %lld\r\nConnection: close\r\n\r\n",
		(long long)st.st_size);
	while (sendfile(fd, file, NULL, (size_t)st.st_size) > 0)
		;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	const time_t start = time(NULL);
	const long seconds = argc > 2 ? atol(argv[1]) : 0;
	const pid_t parent = getpid();

	if (seconds < 1) {
		fprintf(stderr, "usage: bench_expose SECONDS FILE...\n");
		return 2;
	}
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, SOMAXCONN) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		die("cannot listen");
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR) {
		long at = (long)(time(NULL) - start) / seconds;

		if (fd >= 0 && fork() == 0) {
			/* It ends with its parent. */
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() == parent)
				answer(fd, argv[2 + (at < argc - 3 ? at : argc - 3)]);
			_exit(0);
		}
		if (fd >= 0)
			close(fd);
	}
	die("cannot accept");
}
