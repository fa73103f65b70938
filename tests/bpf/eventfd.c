/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that kicks which the kernel makes for a virtual machine, and calls that it takes for one,
 * come through `vhu proxy --interpose-eventfds`: KVM's ioeventfd and irqfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bpf/lib/machine.h"
#include "tests/lib/fixture/eventfd.h"

static int kicked, called;

/* Be the back-end, as a thread. */
static void *serve(void *with)
{
	for (int i = 0; i < MACHINE_KICKS; i++) {
		fixture_take(kicked);
		fixture_signal(called, 1);
	}
	return with;
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), kick, call;
	struct fixture_eventfd fixture;
	unsigned interrupts;
	pthread_t thread;
	char line[64];

	if (kvm < 0) {
		printf("lacks /dev/kvm\n");
		return PROXY_EXIT_SKIPPED;
	}
	fixture_begin(&fixture, "", NULL);
	kick = fixture_new_eventfd(0);
	call = fixture_new_eventfd(0);
	kicked = fixture_wire(&fixture, SET_KICK, 0, kick);
	called = fixture_wire(&fixture, SET_CALL, 0, call);
	peer_check(!pthread_create(&thread, NULL, serve, NULL), "no thread");
	interrupts = machine_run(kvm, kick, call);
	pthread_join(thread, NULL);
	peer_check(interrupts == MACHINE_KICKS, "%u interrupts", interrupts);
	fixture_close(&fixture.front);
	snprintf(line, sizeof(line), "vring 0: %d kicks; %d calls;", MACHINE_KICKS, MACHINE_KICKS);
	proxy_log_wait(&fixture.proxy, line);
	fixture_end(&fixture);
	return 0;
}
