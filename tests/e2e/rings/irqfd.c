/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into the sample front-end, has KVM take its calls as it does for a virtual machine:
 * each call is an irqfd, which the kernel reads. The front-end does not poll it, and looks at its
 * vrings each millisecond instead.
 *
 * The front-end makes two eventfds for each vring: the kick, then the call.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE 5 /* of interrupts */

static int call = -1;

int eventfd(unsigned int count, int flags)
{
	static int vm = -1, made;
	int fd = (int)syscall(SYS_eventfd2, count, flags);
	struct kvm_irqfd interrupt = {.fd = (uint32_t)fd, .gsi = LINE};

	if (fd < 0 || ++made != 2)
		return fd;
	vm = ioctl(open("/dev/kvm", O_RDWR | O_CLOEXEC), KVM_CREATE_VM, 0);
	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) || ioctl(vm, KVM_IRQFD, &interrupt)) {
		perror("irqfd");
		exit(77);
	}
	call = fd;
	return fd;
}

int ppoll(struct pollfd *list, nfds_t count, const struct timespec *time, const sigset_t *mask)
{
	struct timespec soon = {.tv_nsec = 1000000};

	for (nfds_t i = 0; i < count; i++)
		if (list[i].fd == call)
			list[i].fd = -1;
	if (time && time->tv_sec == 0 && time->tv_nsec < soon.tv_nsec)
		soon = *time;
	return (int)syscall(SYS_ppoll, list, count, &soon, mask, 8);
}
