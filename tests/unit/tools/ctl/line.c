/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines from a socket whose other end sends what it likes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/ctl/line.h"

/* The other end, which is another process. */
struct other {
	pid_t pid;
	int fd; /* ours */
};

/* Send @text again and again, @pause_us apart, @times times. */
static struct other begin(const char *text, unsigned pause_us, unsigned times)
{
	const struct timeval patience = {.tv_usec = 200000};
	struct other other;
	int fd[2];

	assert_false(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	assert_false(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	other = (struct other){.pid = fork(), .fd = fd[0]};
	assert_true(other.pid >= 0);
	if (other.pid == 0) {
		close(fd[0]);
		while (times-- && send(fd[1], text, strlen(text), MSG_NOSIGNAL) > 0)
			usleep(pause_us);
		_exit(0);
	}
	close(fd[1]);
	return other;
}

/* End the other end. */
static void end(const struct other *other)
{
	close(other->fd);
	kill(other->pid, SIGKILL);
	waitpid(other->pid, NULL, 0);
}

static void lines_come_one_by_one(void **state)
{
	const struct other other = begin("one\n\ntwo\nhal", 0, 1);
	char *line = NULL;
	size_t room = 0;

	(void)state;
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), 4);
	assert_string_equal(line, "one\n");
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), 1);
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), 4);
	assert_string_equal(line, "two\n");
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), -1);
	assert_int_equal(errno, 0);
	free(line);
	end(&other);
}

/* A byte now and then keeps no one waiting: each of them is in time, the line is not. */
static void slow_line_ends(void **state)
{
	const struct other other = begin("x", 10000, 3000);
	char *line = NULL;
	size_t room = 0;

	(void)state;
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), -1);
	assert_int_equal(errno, EAGAIN);
	free(line);
	end(&other);
}

static void endless_line_takes_bounded_memory(void **state)
{
	static char text[60001];
	struct other other;
	char *line = NULL;
	size_t room = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	other = begin(text, 0, 4000);
	assert_int_equal(vhu_answer_line(other.fd, &line, &room), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_true(room < 256u << 20);
	free(line);
	end(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_come_one_by_one),
	    cmocka_unit_test(slow_line_ends),
	    cmocka_unit_test(endless_line_takes_bounded_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
