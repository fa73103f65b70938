/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes tried on an eventfd of our own. */
#include "bpf/vring/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/vring/counts.h"
#include "bpf/vring/eventfds.h"
#include "bpf/vring/internal.h"
#include "bpf/vring/roles.h"

/* The slot that is kept for this. */
#define SLOT (VHU_BPF_VRINGS - 1)

/*
 * Have the kernel signal @fd: an asynchronous read of a byte of /dev/zero ends so.
 * Returns whether it did.
 */
static bool signal_inside(int fd)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	aio_context_t context = 0;
	uint64_t value = 0;
	char byte;
	struct iocb block = {
	    .aio_lio_opcode = IOCB_CMD_PREAD,
	    .aio_fildes = (uint32_t)zero,
	    .aio_buf = (uint64_t)(uintptr_t)&byte,
	    .aio_nbytes = 1,
	    .aio_flags = IOCB_FLAG_RESFD,
	    .aio_resfd = (uint32_t)fd,
	};
	struct iocb *list[] = {&block};
	bool done = false;

	if (zero >= 0 && !syscall(SYS_io_setup, 1, &context)) {
		done = syscall(SYS_io_submit, context, 1, list) == 1;
		syscall(SYS_io_destroy, context); /* waits for it */
	}
	if (zero >= 0)
		close(zero);
	return done && read(fd, &value, sizeof(value)) == sizeof(value);
}

/* Find our own descriptor @fd among all. Returns 0; -ENXIO where it is not; -errno. */
static int find_own(struct vhu_probes *probes, int fd, struct vhu_bpf_eventfd *own)
{
	struct vhu_bpf_eventfd *list;
	int count, ret = -ENXIO;

	probes->shared->own_fd = (uint32_t)fd;
	/* Once to learn what an eventfd looks like, which those before it could not profit from. */
	count = vhu_probes_list(probes, &list);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		if (list[i].own && list[i].fd == (uint32_t)fd) {
			*own = list[i];
			ret = 0;
		}
	free(list);
	return ret;
}

/* Kick and take once. Returns 0 where just that was counted. */
static int kick_and_take(struct vhu_probes *probes, int fd)
{
	static struct vhu_bpf_vring vring;
	uint64_t value = 1;

	if (write(fd, &value, sizeof(value)) != sizeof(value) ||
	    read(fd, &value, sizeof(value)) != sizeof(value))
		return -errno;
	if (vhu_probes_counts(probes, SLOT, &vring))
		return -ENXIO;
	if (vring.kicks != 1 || vring.wakes != 1 || vring.wakes_without_kick)
		return -ENXIO;
	/* Not where it is known, for to end asynchronous I/O takes the kernel a while. */
	if (probes->hooks >= VHU_HOOKS_SYSCALLS)
		return 0;
	probes->sees_kernel = signal_inside(fd) ? 0 : -1;
	if (!probes->sees_kernel && !vhu_probes_counts(probes, SLOT, &vring))
		probes->sees_kernel = vring.kicks == 2;
	return 0;
}

int vhu_selftest_run(struct vhu_probes *probes)
{
	const struct vhu_bpf_role role = {.slot = SLOT, .what = VHU_BPF_KICK};
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct vhu_bpf_eventfd own;
	int ret;

	if (fd < 0)
		return -errno;
	ret = find_own(probes, fd, &own);
	if (!ret)
		ret = vhu_probes_assign(probes, &own, &role);
	if (!ret) {
		ret = kick_and_take(probes, fd);
		vhu_probes_forget(probes, &own);
	}
	close(fd);
	return ret;
}
