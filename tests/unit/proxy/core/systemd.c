/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a service manager passes on to a service, and what the service reports. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"
#include "proxy/core/systemd.h"
#include "proxy/endpoint/endpoint.h"

static char error[VHU_ENDPOINT_ERROR];

/* Say what was passed on, NULL for nothing. */
static void pass(const char *pid, const char *count, const char *names)
{
	char own[16];

	vhu_systemd_forget();
	snprintf(own, sizeof(own), "%d", getpid());
	if (pid)
		setenv("LISTEN_PID", *pid ? pid : own, 1);
	if (count)
		setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

static int find(const char *name)
{
	*error = '\0';
	return vhu_systemd_find(name, "text", error, sizeof(error));
}

static void sockets_are_found_by_name(void **state)
{
	(void)state;
	for (int fd = 3; fd < 7; fd++)
		assert_int_equal(dup2(0, fd), fd);
	pass("", "1", NULL);
	assert_int_equal(find(NULL), 3);
	assert_int_equal(find("vm"), -ENOENT);
	pass("", "4", "vm::disk.socket:vm");
	assert_int_equal(find(NULL), -ENOTUNIQ);
	assert_int_equal(find("disk.socket"), 5);
	assert_int_equal(find("disk"), -ENOENT);
	assert_int_equal(find("vm"), -ENOTUNIQ);
	assert_non_null(strstr(error, "text: several"));
	/* Fewer than there are names for, and more. */
	pass("", "1", "vm:disk.socket");
	assert_int_equal(find("vm"), 3);
	assert_int_equal(find("disk.socket"), -ENOENT);
	pass("", "3", "vm");
	assert_int_equal(find("vm"), 3);
	/* They are not for commands of ours. */
	assert_int_equal(fcntl(3, F_GETFD), 0);
	vhu_systemd_keep();
	for (int fd = 3; fd < 7; fd++)
		assert_int_equal(fcntl(fd, F_GETFD), fd < 6 ? FD_CLOEXEC : 0);
	for (int fd = 3; fd < 7; fd++)
		close(fd);
}

static void what_is_not_meant_for_us_is_not_taken(void **state)
{
	static const char *const row[][2] = {
	    {NULL, "1"}, {"1", "1"}, {"x", "1"}, {"", NULL},         {"", "0"},
	    {"", "-1"},  {"", "x"},  {"", "1 "}, {"", "2147483647"}, {"", "99999999999999999999"},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		pass(row[i][0], row[i][1], "vm");
		assert_int_equal(find(NULL), -ENOENT);
		assert_int_equal(find("vm"), -ENOENT);
		assert_non_null(strstr(error, "text: no socket was passed on"));
		vhu_systemd_keep();
	}
	pass("", "1", "vm");
	assert_int_equal(find("vm"), -EBADF);
}

/* COMMAND's environment says nothing of sockets that are the proxy's. */
static void forget_removes_all_variables(void **state)
{
	static const char *const name[] = {"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS",
					   "LISTEN_FDNAMES", "NOTIFY_SOCKET"};

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		setenv(name[i], "1", 1);
	vhu_systemd_forget();
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		assert_null(getenv(name[i]));
}

static void endpoints_are_written_so(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/vhu-XXXXXX"};
	struct vhu_endpoint endpoint;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(fd, 3);
	close(mkstemp(address.sun_path));
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pass("", "1", "vm.socket");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vhu_endpoint_parse(&endpoint, i ? "fd:vm.socket" : "activation",
						    VHU_ENDPOINT_LISTEN, error),
				 0);
		assert_int_equal(endpoint.kind, VHU_ENDPOINT_FD);
		assert_int_equal(endpoint.fd, fd);
	}
	assert_int_equal(vhu_endpoint_open(&endpoint, NULL, error), 0);
	assert_int_equal(endpoint.kind, VHU_ENDPOINT_LISTEN);
	/* It is called by its path, and its file is the service manager's. */
	assert_string_equal(endpoint.path, address.sun_path);
	vhu_endpoint_close(&endpoint);
	assert_int_equal(unlink(address.sun_path), 0);
	/* Files of such names. */
	assert_int_equal(vhu_endpoint_parse(&endpoint, "./activation", VHU_ENDPOINT_LISTEN, error),
			 0);
	assert_int_equal(endpoint.kind, VHU_ENDPOINT_LISTEN);
	assert_int_equal(vhu_endpoint_parse(&endpoint, "activations", VHU_ENDPOINT_CONNECT, error),
			 0);
	assert_int_equal(endpoint.kind, VHU_ENDPOINT_CONNECT);
}

static void the_service_manager_is_told(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[64], name[120];

	(void)state;
	/* A name without a file, of the kernel's choice. */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(size - sizeof(sa_family_t) - 1),
		 address.sun_path + 1);
	vhu_systemd_forget();
	assert_int_equal(vhu_systemd_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(vhu_systemd_notify("READY=1"), 0);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
	assert_memory_equal(got, "READY=1", 7);
	close(fd);
	assert_int_equal(vhu_systemd_notify("READY=1"), -ECONNREFUSED);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	assert_int_equal(vhu_systemd_notify("READY=1"), -EINVAL);
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(vhu_systemd_notify("READY=1"), -EINVAL);
	vhu_systemd_forget();
	assert_null(getenv("NOTIFY_SOCKET"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sockets_are_found_by_name),
	    cmocka_unit_test(what_is_not_meant_for_us_is_not_taken),
	    cmocka_unit_test(forget_removes_all_variables),
	    cmocka_unit_test(endpoints_are_written_so),
	    cmocka_unit_test(the_service_manager_is_told),
	};

	/* Close descriptors that the test was started with. */
	for (int fd = 3; fd < 16; fd++)
		close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
