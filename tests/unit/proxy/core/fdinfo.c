/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions of real descriptors and peers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/fdinfo.h"

static char name[VHU_FDINFO_NAME];

/* Describe @fd, close it, and hold what every description has against it. */
static struct vhu_fd_info describe(int fd)
{
	struct vhu_fd_info info;
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	vhu_fdinfo_read(fd, &info, name);
	assert_ptr_equal(info.name, name);
	assert_int_equal(info.flags, fcntl(fd, F_GETFL));
	if (info.has & VHU_FD_HAS_INODE) {
		assert_int_equal(info.inode, st.st_ino);
		assert_int_equal(info.device, st.st_dev);
	}
	close(fd);
	return info;
}

static void a_memfd_has_name_size_and_seals(void **state)
{
	int fd = memfd_create("pc.ram", MFD_ALLOW_SEALING);
	struct vhu_fd_info info;

	(void)state;
	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	info = describe(fd);
	assert_int_equal(info.kind, VHU_FD_MEMFD);
	assert_int_equal(info.has, VHU_FD_HAS_INODE | VHU_FD_HAS_SIZE | VHU_FD_HAS_SEALS);
	assert_int_equal(info.size, 64 << 20);
	assert_int_equal(info.seals, F_SEAL_SHRINK | F_SEAL_GROW);
	assert_string_equal(info.name, "/memfd:pc.ram (deleted)");
}

static void huge_pages_are_told(void **state)
{
	int fd = memfd_create("huge", MFD_HUGETLB | MFD_HUGE_2MB);
	struct vhu_fd_info info;

	(void)state;
	if (fd < 0) {
		print_message("no huge pages of 2 MiB: %s\n", strerror(errno));
		skip();
	}
	info = describe(fd);
	assert_int_equal(info.kind, VHU_FD_MEMFD);
	assert_true(info.has & VHU_FD_HAS_PAGE_SIZE);
	assert_int_equal(info.page_size, 2 << 20);
}

static void an_eventfd_has_its_id_and_count(void **state)
{
	int fd = eventfd(27, EFD_NONBLOCK | EFD_SEMAPHORE), other = eventfd(0, 0);
	struct vhu_fd_info info = describe(fd), next = describe(other);

	(void)state;
	assert_int_equal(info.kind, VHU_FD_EVENTFD);
	assert_true(info.has & VHU_FD_HAS_EVENTFD);
	assert_true(info.has & VHU_FD_HAS_COUNT);
	assert_int_equal(info.eventfd_count, 27);
	assert_true(info.flags & O_NONBLOCK);
	if (info.has & VHU_FD_HAS_SEMAPHORE) {
		assert_true(info.semaphore);
		assert_false(next.semaphore);
	}
	/* All eventfds share an inode, which would make them look the same. */
	assert_false(info.has & VHU_FD_HAS_INODE);
	assert_int_not_equal(info.eventfd_id, next.eventfd_id);
	assert_int_equal(next.eventfd_count, 0);
}

static void a_count_is_read_in_hexadecimal(void **state)
{
	int fd = eventfd(0, 0);
	const uint64_t count = 0xfedcba9876543210;
	struct vhu_fd_info info;

	(void)state;
	assert_int_equal(write(fd, &count, sizeof(count)), sizeof(count));
	info = describe(fd);
	assert_int_equal(info.eventfd_count, count);
}

static void a_file_has_its_path_and_size(void **state)
{
	char folder[] = "/tmp/vhu-describe-XXXXXX", path[64];
	struct vhu_fd_info info;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 4711), 0);
	info = describe(fd);
	assert_int_equal(info.kind, VHU_FD_FILE);
	assert_int_equal(info.size, 4711);
	assert_string_equal(info.name, path);
	unlink(path);

	info = describe(open(folder, O_RDONLY));
	assert_int_equal(info.kind, VHU_FD_FILE);
	assert_false(info.has & VHU_FD_HAS_SIZE);
	rmdir(folder);
}

static void long_names_are_cut(void **state)
{
	char folder[] = "/tmp/vhu-describe-XXXXXX", path[600];
	struct vhu_fd_info info;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/%0250d", folder, 1);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	info = describe(fd);
	unlink(path);
	rmdir(folder);
	assert_int_equal(strlen(info.name), VHU_RECORD_TEXT_MAX);
	assert_memory_equal(info.name, path, VHU_RECORD_TEXT_MAX);
}

static void sockets_pipes_and_devices_are_told_apart(void **state)
{
	struct vhu_fd_info info;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	info = describe(fd[0]);
	assert_int_equal(info.kind, VHU_FD_PIPE);
	assert_int_equal(describe(fd[1]).kind, VHU_FD_PIPE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	info = describe(fd[0]);
	assert_int_equal(info.kind, VHU_FD_SOCKET);
	assert_int_equal(info.has, VHU_FD_HAS_INODE);
	assert_int_equal(describe(fd[1]).kind, VHU_FD_SOCKET);
	info = describe(open("/dev/null", O_RDWR));
	assert_int_equal(info.kind, VHU_FD_OTHER);
	assert_string_equal(info.name, "/dev/null");
}

static void a_userfaultfd_is_one(void **state)
{
	int fd = (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0) {
		print_message("no userfaultfd: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(describe(fd).kind, VHU_FD_USERFAULTFD);
}

static void a_dma_buf_is_one(void **state)
{
	int device = open("/dev/udmabuf", O_RDWR), memfd = memfd_create("dma", MFD_ALLOW_SEALING);
	struct udmabuf_create create = {.memfd = (uint32_t)memfd, .size = 8192};
	struct vhu_fd_info info;

	(void)state;
	if (device < 0) {
		close(memfd);
		print_message("no /dev/udmabuf: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(ftruncate(memfd, 8192), 0);
	assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	info = describe(ioctl(device, UDMABUF_CREATE, &create));
	close(device);
	close(memfd);
	assert_int_equal(info.kind, VHU_FD_DMABUF);
	assert_int_equal(info.size, 8192);
}

static void a_closed_descriptor_is_other(void **state)
{
	struct vhu_fd_info info;

	(void)state;
	vhu_fdinfo_read(1000000, &info, name);
	assert_int_equal(info.kind, VHU_FD_OTHER);
	assert_int_equal(info.has, 0);
	assert_string_equal(info.name, "");
}

/* Return how many descriptors this process has open. */
static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_number_is_described_as_what_has_it_now(void **state)
{
	const unsigned before = open_fds();
	struct vhu_fd_info info;
	int number = -1, fd;

	(void)state;
	vhu_fdinfo_start();
	for (unsigned round = 0; round < 3; round++) {
		fd = eventfd(round, 0);
		assert_true(number < 0 || fd == number);
		number = fd;
		info = describe(fd);
		assert_int_equal(info.kind, VHU_FD_EVENTFD);
		assert_int_equal(info.eventfd_count, round);
		fd = memfd_create("guest", 0);
		assert_int_equal(fd, number);
		assert_int_equal(ftruncate(fd, 4096), 0);
		info = describe(fd);
		assert_int_equal(info.kind, VHU_FD_MEMFD);
		assert_int_equal(info.size, 4096);
		assert_false(info.has & VHU_FD_HAS_EVENTFD);
		fd = eventfd(round, EFD_SEMAPHORE | EFD_NONBLOCK);
		assert_int_equal(fd, number);
		info = describe(fd);
		assert_int_equal(info.kind, VHU_FD_EVENTFD);
		assert_true(info.semaphore || !(info.has & VHU_FD_HAS_SEMAPHORE));
	}
	/* The descriptor is closed, and its number is unused. */
	vhu_fdinfo_read(number, &info, name);
	assert_int_equal(info.kind, VHU_FD_OTHER);
	assert_int_equal(info.has, 0);
	for (fd = 20; fd < 60; fd++) {
		number = eventfd(0, 0);
		assert_int_equal(dup2(number, fd), fd);
		close(number);
		assert_int_equal(describe(fd).kind, VHU_FD_EVENTFD);
	}
	assert_true(open_fds() < before + 16);
	vhu_fdinfo_end();
	assert_int_equal(open_fds(), before);
}

static void a_peer_is_who_made_its_end(void **state)
{
	char comm[VHU_FDINFO_COMM];
	struct vhu_peer peer;
	char own[16];
	int fd[2];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, own), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	vhu_fdinfo_peer(fd[0], "/run/vm.sock", &peer, comm);
	close(fd[0]);
	close(fd[1]);
	assert_true(peer.known);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.gid, getgid());
	assert_string_equal(peer.comm, own);
	assert_string_equal(peer.path, "/run/vm.sock");

	vhu_fdinfo_peer(-1, "gone", &peer, comm);
	assert_false(peer.known);
	assert_string_equal(peer.path, "gone");
	assert_string_equal(peer.comm, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_memfd_has_name_size_and_seals),
	    cmocka_unit_test(huge_pages_are_told),
	    cmocka_unit_test(an_eventfd_has_its_id_and_count),
	    cmocka_unit_test(a_count_is_read_in_hexadecimal),
	    cmocka_unit_test(a_file_has_its_path_and_size),
	    cmocka_unit_test(long_names_are_cut),
	    cmocka_unit_test(sockets_pipes_and_devices_are_told_apart),
	    cmocka_unit_test(a_userfaultfd_is_one),
	    cmocka_unit_test(a_dma_buf_is_one),
	    cmocka_unit_test(a_closed_descriptor_is_other),
	    cmocka_unit_test(a_number_is_described_as_what_has_it_now),
	    cmocka_unit_test(a_peer_is_who_made_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
