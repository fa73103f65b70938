/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kicks, wakes and calls that no read or write of a process makes: vhu latency must count them by
 * the hooks that see them, and say of the others that they do not.
 *
 *	kernel kvm          a virtual machine under KVM kicks by an ioeventfd and is called by an
 *	                    irqfd
 *	kernel uring        a back-end that takes its kicks by io_uring, and calls by write
 *
 * The environment is that of latency.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/bpf/lib/machine.h"
#include "tests/bpf/lib/tool.h"

#define ROUNDS  MACHINE_KICKS
/* Until the back-end answers. */
#define WORK_US 200

static int kick, call;
static atomic_uint wakes;

/* End where what must work does not. */
static void must(bool works, const char *what)
{
	if (works)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Call, after some work. */
static void answer(void)
{
	uint64_t start = vhu_now_ns(), one = 1;

	while (vhu_now_ns() - start < WORK_US * 1000)
		;
	must(write(call, &one, sizeof(one)) == sizeof(one), "call");
}

/* Be a back-end that reads, as a thread. */
static void *serve(void *with)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t value;

		must(read(kick, &value, sizeof(value)) == sizeof(value), "kick");
		wakes++;
		answer();
	}
	return with;
}

/* Run a virtual machine to its end, and the back-end beside it. @kvm: /dev/kvm. */
static void run_kvm(int kvm)
{
	unsigned interrupts;
	pthread_t thread;

	must(pthread_create(&thread, NULL, serve, NULL) == 0, "thread");
	interrupts = machine_run(kvm, kick, call);
	pthread_join(thread, NULL);
	tool_expect(interrupts == ROUNDS, "interrupts", interrupts, ROUNDS);
	tool_expect(wakes == ROUNDS, "wakes", wakes, ROUNDS);
}

/* A ring of one place for io_uring. */
struct uring {
	int fd;
	unsigned *tail, *done_head, *done_tail;
	struct io_uring_sqe *entry;
	const struct io_uring_cqe *result;
	unsigned mask, done_mask;
};

/* Map a part of it. */
static uint8_t *map_part(int fd, size_t size, uint64_t at)
{
	void *part =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)at);

	must(part != MAP_FAILED, "io_uring");
	return part;
}

/* Set it up; skips without it. */
static struct uring make_uring(void)
{
	struct io_uring_params p = {0};
	struct uring uring = {.fd = (int)syscall(SYS_io_uring_setup, 1, &p)};
	uint8_t *asked, *done;

	if (uring.fd < 0)
		tool_skip("lacks io_uring");
	asked = map_part(uring.fd, p.sq_off.array + p.sq_entries * sizeof(unsigned),
			 IORING_OFF_SQ_RING);
	done = map_part(uring.fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
			IORING_OFF_CQ_RING);
	uring.entry =
	    (void *)map_part(uring.fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	/* All there is stays in the first place. */
	*(unsigned *)(void *)(asked + p.sq_off.array) = 0;
	uring.tail = (void *)(asked + p.sq_off.tail);
	uring.done_head = (void *)(done + p.cq_off.head);
	uring.done_tail = (void *)(done + p.cq_off.tail);
	uring.done_mask = *(unsigned *)(void *)(done + p.cq_off.ring_mask);
	uring.result = (void *)(done + p.cq_off.cqes);
	return uring;
}

/* Take a kick by io_uring. */
static void take_by_uring(struct uring *uring)
{
	uint64_t value = 0;
	unsigned head = *uring->done_head;

	*uring->entry = (struct io_uring_sqe){
	    .opcode = IORING_OP_READ,
	    .fd = kick,
	    .off = UINT64_MAX,
	    .addr = (uintptr_t)&value,
	    .len = sizeof(value),
	};
	__atomic_store_n(uring->tail, *uring->tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, uring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1,
	     "io_uring_enter");
	must(__atomic_load_n(uring->done_tail, __ATOMIC_ACQUIRE) != head, "io_uring");
	must(uring->result[head & uring->done_mask].res == sizeof(value), "read by io_uring");
	__atomic_store_n(uring->done_head, head + 1, __ATOMIC_RELEASE);
	wakes++;
}

/* Be a back-end on io_uring, as a thread. */
static void *serve_by_uring(void *with)
{
	struct uring *uring = with;

	for (int i = 0; i < ROUNDS; i++) {
		take_by_uring(uring);
		answer();
	}
	return NULL;
}

/* Kick it, by write. */
static void run_uring(struct uring *uring)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, serve_by_uring, uring) == 0, "thread");
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t value = 1;

		must(write(kick, &value, sizeof(value)) == sizeof(value), "kick");
		must(read(call, &value, sizeof(value)) == sizeof(value), "call");
	}
	pthread_join(thread, NULL);
}

/* Hold what it told against what was done. @kicks, @wakes_seen: whether its hooks see them. */
static void check(const char *json, bool kicks, bool wakes_seen)
{
	uint64_t timed = tool_number(json, 0, "kick_to_wake", "count");
	uint64_t least = tool_number(json, 0, "kick_to_call", "count")
			     ? tool_number(json, 0, "kick_to_call", "p50_ns")
			     : 0;

	tool_expect(tool_number(json, 0, NULL, "kicks") == (kicks ? ROUNDS : 0), "kicks told",
		    tool_number(json, 0, NULL, "kicks"), kicks ? ROUNDS : 0);
	tool_expect(tool_number(json, 0, NULL, "wakes") == ROUNDS, "wakes told",
		    tool_number(json, 0, NULL, "wakes"), ROUNDS);
	tool_expect(tool_number(json, 0, NULL, "calls") == ROUNDS, "calls told",
		    tool_number(json, 0, NULL, "calls"), ROUNDS);
	tool_expect(tool_number(json, 0, NULL, "wakes_without_kick") == (kicks ? 0 : ROUNDS),
		    "wakes without kick", tool_number(json, 0, NULL, "wakes_without_kick"),
		    kicks ? 0 : ROUNDS);
	tool_expect(timed == (kicks && wakes_seen ? ROUNDS : 0), "kicks to wakes timed", timed,
		    kicks && wakes_seen ? ROUNDS : 0);
	tool_expect(!kicks || least * 100 >= WORK_US * 1000 * 95, "kick to call, at least", least,
		    WORK_US * 1000);
}

int main(int argc, char **argv)
{
	bool by_kvm = argc > 1 && !strcmp(argv[1], "kvm"), sees;
	const char *argument[] = {"--interval", "100ms", "--eventfd", NULL, NULL};
	struct uring uring = {.fd = -1};
	int kvm = -1;
	const char *json;
	char id[64];

	tool_need();
	if (by_kvm)
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	else
		uring = make_uring();
	if (by_kvm && kvm < 0)
		tool_skip("lacks /dev/kvm");
	kick = eventfd(0, EFD_CLOEXEC);
	call = eventfd(0, EFD_CLOEXEC);
	snprintf(id, sizeof(id), "kick=%u,call=%u", eventfd_id(kick), eventfd_id(call));
	argument[3] = id;
	tool_start(argument);
	tool_wait(kick, call);
	if (by_kvm)
		run_kvm(kvm);
	else
		run_uring(&uring);
	json = tool_end();
	sees = strstr(json, "\"blind\":\"\"");
	tool_expect(sees || strstr(json, by_kvm ? "KVM" : "io_uring"), "says what it does not see",
		    0, 1);
	if (by_kvm)
		check(json, sees, true);
	else
		check(json, true, sees);
	return tool_failures ? 1 : 0;
}
