/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints: how they are written, and what they do with files that are there already. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"
#include "proxy/endpoint/endpoint.h"
#include "proxy/endpoint/socket_owner.h"

static char folder[] = "/tmp/vhu-endpoint-XXXXXX";
static char error[VHU_ENDPOINT_ERROR];

/* Work in a folder of our own. */
static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

/* It must be empty again. */
static int end(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder) ? -1 : 0;
}

/* Parse an endpoint that can be parsed. */
static struct vhu_endpoint parse(const char *text)
{
	struct vhu_endpoint endpoint;

	assert_int_equal(vhu_endpoint_parse(&endpoint, text, VHU_ENDPOINT_LISTEN, error), 0);
	return endpoint;
}

/* Bind a socket to @path, and listen if asked to. */
static int bind_at(const char *path, int type, bool listens)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listens)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Opening @text must fail with @code and say @what. */
static void refused(const char *text, int code, const char *what)
{
	struct vhu_endpoint endpoint = parse(text);

	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), -code);
	if (!strstr(error, what))
		fail_msg("nothing about \"%s\": %s", what, error);
	assert_null(strchr(error, '\n'));
}

static void kinds_and_paths_are_understood(void **state)
{
	static const struct {
		const char *text;
		enum vhu_endpoint_kind bare, kind;
		const char *path;
	} row[] = {
	    {"listen:a", VHU_ENDPOINT_CONNECT, VHU_ENDPOINT_LISTEN, "a"},
	    {"connect:a", VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_CONNECT, "a"},
	    {"a", VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_LISTEN, "a"},
	    {"a", VHU_ENDPOINT_CONNECT, VHU_ENDPOINT_CONNECT, "a"},
	    {"/run/a:b", VHU_ENDPOINT_CONNECT, VHU_ENDPOINT_CONNECT, "/run/a:b"},
	    {"listen:connect:a", VHU_ENDPOINT_CONNECT, VHU_ENDPOINT_LISTEN, "connect:a"},
	    {"./fd:0", VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_LISTEN, "./fd:0"},
	    {"fd:0", VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_FD, "fd:0"},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct vhu_endpoint endpoint;

		assert_int_equal(vhu_endpoint_parse(&endpoint, row[i].text, row[i].bare, error), 0);
		assert_int_equal(endpoint.kind, row[i].kind);
		assert_string_equal(endpoint.path, row[i].path);
		assert_int_equal(endpoint.fd, endpoint.kind == VHU_ENDPOINT_FD ? 0 : -1);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const row[] = {
	    "",      "listen:", "connect:", "fd:",           "fd:x",
	    "fd:-1", "fd:3x",   "fd:99999", "fd:4294967296", "fd:99999999999999999999"};
	struct vhu_endpoint endpoint;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		assert_true(vhu_endpoint_parse(&endpoint, row[i], VHU_ENDPOINT_LISTEN, error) < 0);
}

static void paths_fit_an_address_or_are_refused(void **state)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	struct vhu_endpoint endpoint;
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[most + 1] = '\0';
	assert_int_equal(vhu_endpoint_parse(&endpoint, path, VHU_ENDPOINT_LISTEN, error), -EINVAL);
	assert_non_null(strstr(error, "108 bytes"));
	path[most] = '\0';
	endpoint = parse(path);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(access(path, F_OK), 0);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_listener_is_reached_and_cleans_up(void **state)
{
	struct vhu_endpoint front = parse("listen:s"), back = parse("connect:s");
	int fd, peer;

	(void)state;
	assert_int_equal(vhu_endpoint_connect(&back, error), -ENOENT);
	assert_int_equal(vhu_endpoint_open(&front, NULL, error), 0);
	assert_int_equal(vhu_endpoint_open(&back, NULL, error), 0);
	fd = vhu_endpoint_connect(&back, error);
	assert_true(fd >= 0);
	peer = accept(front.fd, NULL, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(peer, error, sizeof(error)), 1);
	close(peer);
	close(fd);
	vhu_endpoint_close(&back);
	assert_int_equal(access("s", F_OK), 0);
	vhu_endpoint_close(&front);
	assert_int_equal(access("s", F_OK), -1);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct vhu_endpoint endpoint = parse("s");

	(void)state;
	close(bind_at("s", SOCK_STREAM, true));
	assert_int_equal(access("s", F_OK), 0);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(access("s", F_OK), -1);
}

static void what_is_held_is_left_alone(void **state)
{
	char in_use[64];
	struct stat st;
	pid_t pid;
	int fd;

	(void)state;
	snprintf(in_use, sizeof(in_use), "already in use by pid %d", getpid());
	for (int kind = 0; kind < 3; kind++) {
		/* It listens, it is about to, it is of another type. */
		fd = bind_at("s", kind == 2 ? SOCK_DGRAM : SOCK_STREAM, kind == 0);
		refused("s", EADDRINUSE, in_use);
		assert_int_equal(stat("s", &st), 0);
		assert_int_equal(vhu_socket_owner_find(st.st_dev, st.st_ino, &pid), 1);
		assert_int_equal(pid, getpid());
		assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
		/* Nobody has connected in order to find that out. */
		assert_int_equal(accept(fd, NULL, NULL), -1);
		if (kind == 0)
			assert_int_equal(errno, EAGAIN);
		close(fd);
		assert_int_equal(vhu_socket_owner_find(st.st_dev, st.st_ino, &pid), 0);
		unlink("s");
	}
}

static void file_that_is_not_a_socket_is_left_alone(void **state)
{
	struct stat before, after;

	(void)state;
	close(open("file", O_WRONLY | O_CREAT, 0600));
	close(bind_at("stale", SOCK_STREAM, true));
	assert_int_equal(symlink("stale", "link"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(lstat("link", &before), 0);
	refused("file", EEXIST, "not a socket");
	refused("link", EEXIST, "not a socket");
	refused("dangling", EEXIST, "not a socket");
	refused("/tmp", EEXIST, "not a socket");
	assert_int_equal(lstat("link", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(unlink("file") | unlink("stale") | unlink("link") | unlink("dangling"), 0);
}

static void missing_folders_are_named(void **state)
{
	(void)state;
	refused("none/s", ENOENT, "no such folder none:");
	refused("/none/at/all/s", ENOENT, "no such folder /none/at/all:");
}

static void only_the_own_file_is_removed(void **state)
{
	struct vhu_endpoint endpoint = parse("s");
	int fd;

	(void)state;
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	unlink("s");
	fd = bind_at("s", SOCK_STREAM, true);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(access("s", F_OK), 0);
	close(fd);
	unlink("s");
}

static void a_link_in_its_place_is_neither_followed_nor_removed(void **state)
{
	struct vhu_endpoint endpoint = parse("s");
	struct stat st;
	int fd;

	(void)state;
	fd = bind_at("other", SOCK_STREAM, true);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	/* One to a foreign socket, one to its own. */
	assert_int_equal(rename("s", "moved") | symlink("other", "s"), 0);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(lstat("s", &st) | lstat("moved", &st) | lstat("other", &st), 0);
	assert_int_equal(unlink("s") | unlink("moved"), 0);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(rename("s", "moved") | symlink("moved", "s"), 0);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(lstat("s", &st) | lstat("moved", &st), 0);
	assert_int_equal(unlink("s") | unlink("moved") | unlink("other"), 0);
	close(fd);
}

static void its_file_is_found_where_the_folder_went(void **state)
{
	struct vhu_endpoint endpoint = parse("folder/s");
	int fd;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(rename("folder", "moved") | mkdir("folder", 0700), 0);
	fd = bind_at("folder/s", SOCK_STREAM, true);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(access("moved/s", F_OK), -1);
	assert_int_equal(access("folder/s", F_OK), 0);
	close(fd);
	assert_int_equal(unlink("folder/s") | rmdir("folder") | rmdir("moved"), 0);
}

static void inherited_sockets_are_told_apart(void **state)
{
	struct vhu_endpoint endpoint;
	int pair[2], fd, on = 1, flags;
	socklen_t size = sizeof(on);
	char text[32];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	flags = fcntl(pair[0], F_GETFL);
	snprintf(text, sizeof(text), "fd:%d", pair[0]);
	endpoint = parse(text);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(endpoint.kind, VHU_ENDPOINT_FD);
	/* Ours alone, but its flags are everybody's. */
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair[0], F_GETFL), flags);
	assert_int_equal(getsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, &size), 0);
	assert_int_equal(on, 0);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(fcntl(pair[0], F_GETFD), -1);
	close(pair[1]);

	fd = bind_at("s", SOCK_STREAM, true);
	snprintf(text, sizeof(text), "fd:%d", fd);
	endpoint = parse(text);
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(endpoint.kind, VHU_ENDPOINT_LISTEN);
	vhu_endpoint_close(&endpoint);
	/* Whoever made it removes it. */
	assert_int_equal(unlink("s"), 0);
}

static void what_cannot_be_used_is_refused(void **state)
{
	const int fd[] = {
	    open("/dev/null", O_RDWR),
	    socket(AF_UNIX, SOCK_STREAM, 0),
	    socket(AF_UNIX, SOCK_SEQPACKET, 0),
	    socket(AF_INET, SOCK_STREAM, 0),
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(fd); i++) {
		char text[32];

		snprintf(text, sizeof(text), "fd:%d", fd[i]);
		refused(text, i == 0 ? ENOTSOCK : i == 1 ? ENOTCONN : EPROTOTYPE, text);
		close(fd[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_and_paths_are_understood),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(paths_fit_an_address_or_are_refused),
	    cmocka_unit_test(a_listener_is_reached_and_cleans_up),
	    cmocka_unit_test(a_stale_socket_is_replaced),
	    cmocka_unit_test(what_is_held_is_left_alone),
	    cmocka_unit_test(file_that_is_not_a_socket_is_left_alone),
	    cmocka_unit_test(missing_folders_are_named),
	    cmocka_unit_test(only_the_own_file_is_removed),
	    cmocka_unit_test(a_link_in_its_place_is_neither_followed_nor_removed),
	    cmocka_unit_test(its_file_is_found_where_the_folder_went),
	    cmocka_unit_test(inherited_sockets_are_told_apart),
	    cmocka_unit_test(what_cannot_be_used_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
