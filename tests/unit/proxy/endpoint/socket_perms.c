/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights: a socket that stands in for another one can be reached by those who could reach that. */
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
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/endpoint/endpoint.h"

#include "lib/util/util.h"

#define NOBODY 65534

static char folder[] = "/tmp/vhu-rights-XXXXXX";
static char error[VHU_ENDPOINT_ERROR];

/* user::rw- user:4711:rw- group::--- mask::rw- other::---, in the kernel's form. */
static const uint8_t list[] = {
    2,    0,    0,    0,                                                 /* version */
    0x01, 0,    0x06, 0,    0xff, 0xff, 0xff, 0xff, 0x02, 0,    0x06, 0, /* user, and a named one */
    0x67, 0x12, 0,    0,    0x04, 0,    0x00, 0,    0xff, 0xff, 0xff, 0xff, /* 4711; group */
    0x10, 0,    0x06, 0,    0xff, 0xff, 0xff, 0xff, 0x20, 0,    0x00, 0,    /* mask, others */
    0xff, 0xff, 0xff, 0xff,
};

/* Work in a folder of our own. */
static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chmod(folder, 0777) && !chdir(folder) ? 0 : -1;
}

/* It must be empty again. */
static int end(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder) ? -1 : 0;
}

/* Make the socket that is stood in for. */
static void make(mode_t mode, uid_t uid, gid_t gid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "back"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod("back", mode), 0);
	assert_int_equal(chown("back", uid, gid), 0);
	close(fd);
}

/* Listen at "front" with @rights, after reading those of "back". Returns its state. */
static struct stat stand_in(struct vhu_socket_perms *perms)
{
	struct vhu_endpoint front;
	struct stat st;

	vhu_socket_perms_read(perms, "back");
	assert_int_equal(vhu_endpoint_parse(&front, "front", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(vhu_endpoint_open(&front, perms, error), 0);
	assert_int_equal(stat("front", &st), 0);
	vhu_endpoint_close(&front);
	vhu_socket_perms_free(perms);
	return st;
}

static void modes_are_kept_whatever_the_umask(void **state)
{
	static const mode_t mode[] = {0777, 0666, 0660, 0600, 0755, 0007, 0};
	mode_t mask = umask(0077);

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(mode); i++) {
		struct vhu_socket_perms perms = {0};

		make(mode[i], geteuid(), getegid());
		assert_int_equal(stand_in(&perms).st_mode & 07777, mode[i]);
		assert_string_equal(error, "");
		unlink("back");
	}
	/* The umask is what it was, and counts where there is nothing to keep. */
	assert_int_equal(stand_in(&(struct vhu_socket_perms){0}).st_mode & 07777, 0700);
	assert_int_equal(umask(mask), 0077);
}

static void a_mode_that_was_asked_for_counts(void **state)
{
	struct vhu_socket_perms perms = {0};

	(void)state;
	assert_int_equal(vhu_socket_perms_ask_mode(&perms, "0620", error), 0);
	assert_int_equal(stand_in(&perms).st_mode & 07777, 0620);
	make(0777, geteuid(), getegid());
	assert_int_equal(stand_in(&perms).st_mode & 07777, 0620);
	unlink("back");
}

static void owners_are_kept(void **state)
{
	struct vhu_socket_perms perms = {0};
	struct stat st;

	(void)state;
	if (geteuid())
		skip();
	make(0660, 4711, 4712);
	st = stand_in(&perms);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	assert_int_equal(vhu_socket_perms_ask_owner(&perms, ":4713", error), 0);
	st = stand_in(&perms);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4713);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(vhu_socket_perms_ask_owner(&perms, "4714", error), 0);
	assert_int_equal(stand_in(&perms).st_uid, 4714);
	unlink("back");
}

/* Become somebody who may not give files away, and stand in for a socket of root's. */
static _Noreturn void be_nobody(void)
{
	struct vhu_socket_perms perms = {0}, asked = {0};
	struct vhu_endpoint front;

	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(2);
	/* No other users than before may connect. */
	if ((stand_in(&perms).st_mode & 07777) != 0644 || !strstr(error, "front: does not belong"))
		_exit(3);
	if (vhu_socket_perms_ask_owner(&asked, "0", error) ||
	    vhu_endpoint_parse(&front, "front", VHU_ENDPOINT_LISTEN, error))
		_exit(4);
	if (vhu_endpoint_open(&front, &asked, error) != -EPERM || !strstr(error, "cannot belong") ||
	    !access("front", F_OK))
		_exit(5);
	_exit(0);
}

static void lost_permissions_are_reported_and_give_no_access(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	/* Others may read: that is all that the proxy's own group gets. */
	make(0664, 0, 0);
	pid = fork();
	if (!pid)
		be_nobody();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	unlink("back");
}

/* See that a label that "back" has is given to "front". */
static void label_is_kept(const char *name, const void *value, size_t size)
{
	struct vhu_socket_perms perms = {0};
	struct vhu_endpoint front;
	uint8_t got[256];

	vhu_socket_perms_read(&perms, "back");
	assert_int_equal(vhu_endpoint_parse(&front, "front", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(vhu_endpoint_open(&front, &perms, error), 0);
	assert_string_equal(error, "");
	assert_int_equal(getxattr("front", name, got, sizeof(got)), size);
	assert_memory_equal(got, value, size);
	vhu_endpoint_close(&front);
	vhu_socket_perms_free(&perms);
}

static void access_lists_are_kept_unless_a_mode_was_asked_for(void **state)
{
	struct vhu_socket_perms perms = {0};
	uint8_t got[256];

	(void)state;
	make(0600, geteuid(), getegid());
	if (setxattr("back", "system.posix_acl_access", list, sizeof(list), 0)) {
		print_message("lacks access control lists here: %s\n", strerror(errno));
		unlink("back");
		skip();
	}
	label_is_kept("system.posix_acl_access", list, sizeof(list));
	assert_int_equal(vhu_socket_perms_ask_mode(&perms, "0600", error), 0);
	assert_int_equal(stand_in(&perms).st_mode & 07777, 0600);
	assert_int_equal(getxattr("front", "system.posix_acl_access", got, sizeof(got)), -1);
	unlink("back");
}

static void security_labels_are_kept(void **state)
{
	static const char label[] = "system_u:object_r:svirt_image_t:s0";

	(void)state;
	make(0600, geteuid(), getegid());
	if (setxattr("back", "security.selinux", label, sizeof(label), 0)) {
		print_message("lacks the right to label files: %s\n", strerror(errno));
		unlink("back");
		skip();
	}
	label_is_kept("security.selinux", label, sizeof(label));
	unlink("back");
}

static void nonsense_is_refused(void **state)
{
	static const char *const mode[] = {"",     "x",     "-1",   "8",  "0800",
					   "1777", "07777", "660 ", "0x1"};
	static const char *const owner[] = {
	    "",      ":",         "root:",      "no such user", "-1",
	    ":none", "0:no such", "root:root:", "4294967295",   ":-1"};
	struct vhu_socket_perms perms = {0};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(mode); i++)
		assert_int_equal(vhu_socket_perms_ask_mode(&perms, mode[i], error), -EINVAL);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(owner); i++)
		assert_int_equal(vhu_socket_perms_ask_owner(&perms, owner[i], error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modes_are_kept_whatever_the_umask),
	    cmocka_unit_test(a_mode_that_was_asked_for_counts),
	    cmocka_unit_test(owners_are_kept),
	    cmocka_unit_test(lost_permissions_are_reported_and_give_no_access),
	    cmocka_unit_test(access_lists_are_kept_unless_a_mode_was_asked_for),
	    cmocka_unit_test(security_labels_are_kept),
	    cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
