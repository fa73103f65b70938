/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the samples meet besides each other.
 *
 *   sample_peer silent|garbage|closing|flood SOCKET
 *	listens, and is no back-end: says nothing, says nonsense, closes at once, never stops
 *   sample_peer mute|babble SOCKET
 *	connects, and is no front-end: leaves within a header, says nonsense
 *   sample_peer listening|connected BACK-END... -- FRONT-END... WORD
 *	starts a back-end that inherits descriptor 3, a socket that listens or that is connected,
 *	and a front-end whose last word is replaced by where that is found; returns the worse
 *	status of the two
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define INHERITED 3

/* End the program, saying what went wrong. */
static void fail(const char *what)
{
	fprintf(stderr, "sample_peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Return a socket that listens at @path, or is connected to it. */
static int open_socket(const char *path, int listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (fd < 0)
		fail("socket");
	if (!listens && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(path);
	if (listens && (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4)))
		fail(path);
	return fd;
}

/* Be a broken back-end to one front-end after the other, until a signal comes. */
static void listen_and_spoil(const char *kind, const char *path)
{
	static const char nonsense[] = "HTTP/1.0 400 Bad Request\r\n\r\n";
	int listener = open_socket(path, 1);

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			fail("accept");
		if (!strcmp(kind, "closing")) {
			close(fd);
			continue;
		}
		if (!strcmp(kind, "garbage") && write(fd, nonsense, sizeof(nonsense)) < 0)
			fail("write");
		while (!strcmp(kind, "flood") &&
		       send(fd, nonsense, sizeof(nonsense), MSG_NOSIGNAL) > 0)
			;
		/* Silence: the socket stays open. */
	}
}

/* Be a broken front-end. */
static void connect_and_spoil(const char *kind, const char *path)
{
	static const char nonsense[] = "GET / HTTP/1.0\r\n\r\n";
	int fd = open_socket(path, 0);
	size_t size = strcmp(kind, "mute") ? sizeof(nonsense) : 5;

	if (write(fd, nonsense, size) != (ssize_t)size)
		fail("write");
	close(fd);
}

/* Start a program whose descriptor 3 is @inherited, if it is one. Returns its process id. */
static pid_t start(char **argv, int inherited)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	/* It may have that number already, and is to be closed on exec. */
	if (inherited == INHERITED)
		fcntl(INHERITED, F_SETFD, 0);
	else if (inherited >= 0 && dup2(inherited, INHERITED) < 0)
		fail("dup2");
	execv(argv[0], argv);
	fail(argv[0]);
	return -1;
}

/* Wait for a process. Returns its exit status, 1 if a signal ended it. */
static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Let a back-end and a front-end meet at an inherited socket. Returns the worse status. */
static int inherit(int connected, int argc, char **argv)
{
	char path[] = "inherited.sock";
	char **second = argv;
	int listener = open_socket(path, 1), back_status, front_status, fd = listener;
	pid_t back, front;

	while (*second && strcmp(*second, "--"))
		second++;
	if (!*second)
		fail("no --");
	*second++ = NULL;
	argv[argc - 1] = path;
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	front = start(second, -1);
	if (connected) {
		fd = accept(listener, NULL, NULL);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	back = start(argv, fd);
	close(fd);
	front_status = status_of(front);
	/* The one that was connected ends by itself. */
	if (!connected)
		kill(back, SIGTERM);
	back_status = status_of(back);
	unlink(path);
	return back_status > front_status ? back_status : front_status;
}

int main(int argc, char **argv)
{
	if (argc > 4 && (!strcmp(argv[1], "listening") || !strcmp(argv[1], "connected")))
		return inherit(!strcmp(argv[1], "connected"), argc - 2, argv + 2);
	if (argc != 3) {
		fprintf(stderr, "usage: sample_peer KIND SOCKET\n");
		return 2;
	}
	if (!strcmp(argv[1], "mute") || !strcmp(argv[1], "babble"))
		connect_and_spoil(argv[1], argv[2]);
	else
		listen_and_spoil(argv[1], argv[2]);
	return 0;
}
