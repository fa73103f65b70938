/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A back-end with two rings, whose pops and pushes can be watched, and its front-end: the truth
 * that the stages of vhu latency are held against.
 *
 *	inside HOW GO ROUNDS REQUESTS [later]
 *
 * HOW: "static" or "library" functions, or "usdt". Each round a ring is kicked, REQUESTS are taken
 * off it and given back, the last one first, and it is called; "later": given back and called by
 * another thread than the one that takes.
 *
 * Prints "kick=ID,call=ID" for each ring, waits until the file GO is there, and prints as JSON,
 * ring by ring, how often each thing was done and the median time of each stage: the least that it
 * can have been and the most, for what a probe sees lies between the stamps on either side.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/bpf/lib/pingpong.h"
#include "tests/bpf/lib/queue.h"

#ifdef VHU_HAVE_SDT
#include <sys/sdt.h>
#else
#define DTRACE_PROBE2(...) ((void)0)
#define DTRACE_PROBE3(...) ((void)0)
#endif

#define RINGS      2
#define SAMPLES    20000
#define TO_POP_NS  200000
#define BETWEEN_NS 300000
#define TO_PUSH_NS 400000
#define TO_CALL_NS 800000

static int kick[RINGS], call[RINGS], handed;
static struct queue queue[RINGS];
static enum { STATIC, LIBRARY, USDT } how;
static unsigned rounds, requests;
static bool later;
static uint64_t popped_ns[STAMPS][QUEUE_SIZE];
static struct queue_request *taken[QUEUE_SIZE];
static struct queue *current;

/* What was done on each ring, and how long it took. */
static struct truth_of {
	unsigned wakes, pops, pushes, calls;
	uint64_t to_pop[STAMPS][SAMPLES], to_push[STAMPS][SAMPLES], to_call[STAMPS][SAMPLES];
} truth[RINGS];

/* The same as the library's, with symbols that only a symbol table has. */
static __attribute__((noinline, used)) struct queue_request *
static_queue_pop(void *device, struct queue *from, size_t size)
{
	__asm__ volatile("" : : "r"(device), "r"(size) : "memory");
	return from->left ? &from->request[--from->left] : NULL;
}

static __attribute__((noinline, used)) void
static_queue_push(void *device, struct queue *to, struct queue_request *request, unsigned length)
{
	__asm__ volatile("" : : "r"(device), "r"(to), "r"(request) : "memory");
	request->id += length;
}

/* Let time pass. */
static void pass(uint64_t ns)
{
	uint64_t start = vhu_now_ns();

	while (vhu_now_ns() - start < ns)
		;
}

/* Take a request. Returns it or NULL. */
static struct queue_request *pop(struct queue *from)
{
	struct queue_request *request = how == LIBRARY
					    ? library_queue_pop(NULL, from, sizeof(*request))
					    : static_queue_pop(NULL, from, sizeof(*request));

	if (request && how == USDT)
		DTRACE_PROBE2(vhu, queue_pop, from->number, (unsigned)(request - from->request));
	return request;
}

/* Give a request back. */
static void push(struct queue *to, struct queue_request *request)
{
	if (how == LIBRARY)
		library_queue_push(NULL, to, request, 1);
	else
		static_queue_push(NULL, to, request, 1);
	if (how == USDT)
		DTRACE_PROBE3(vhu, queue_push, to->number, (unsigned)(request - to->request), 1);
}

/* Write to an eventfd, or read it. Ends where that fails. */
static void signal_fd(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		exit(1);
}

static void take_fd(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		exit(1);
}

/* Note a sample of a stage, which has stamps at either end: the least that it took, and the most.
 */
static void note(uint64_t stage[STAMPS][SAMPLES], unsigned at, const uint64_t from[STAMPS],
		 const uint64_t to[STAMPS])
{
	stage[BEFORE][at] = to[BEFORE] - from[AFTER];
	stage[AFTER][at] = to[AFTER] - from[BEFORE];
}

/* Give all back, the last one first, and call. */
static void finish(void)
{
	struct truth_of *of = &truth[current->number];
	uint64_t first[STAMPS], at[STAMPS];

	pass(TO_PUSH_NS);
	for (unsigned i = requests; i--;) {
		const uint64_t popped[] = {popped_ns[BEFORE][i], popped_ns[AFTER][i]};

		at[BEFORE] = vhu_now_ns();
		push(current, taken[i]);
		at[AFTER] = vhu_now_ns();
		note(of->to_push, of->pushes++, popped, at);
		if (i == requests - 1)
			memcpy(first, at, sizeof(first));
	}
	pass(TO_CALL_NS);
	at[BEFORE] = vhu_now_ns();
	signal_fd(call[current->number]);
	at[AFTER] = vhu_now_ns();
	note(of->to_call, of->calls++, first, at);
}

/* Take all that there is, after a wake at @woken. */
static void take(struct truth_of *of, const uint64_t woken[STAMPS])
{
	for (unsigned i = 0;; i++) {
		uint64_t at[STAMPS];

		at[BEFORE] = vhu_now_ns();
		taken[i] = pop(current);
		at[AFTER] = vhu_now_ns();
		if (!taken[i])
			return;
		if (!i)
			note(of->to_pop, of->wakes++, woken, at);
		popped_ns[BEFORE][i] = at[BEFORE];
		popped_ns[AFTER][i] = at[AFTER];
		of->pops++;
		pass(BETWEEN_NS);
	}
}

/* Give back what the other thread took, as a thread. */
static void *finish_later(void *with)
{
	for (unsigned i = 0; i < rounds; i++) {
		take_fd(handed);
		finish();
	}
	return with;
}

/* Serve both rings, as a thread. */
static void *serve(void *with)
{
	for (unsigned round = 0; round < rounds; round++) {
		struct pollfd watched[RINGS] = {{.fd = kick[0], .events = POLLIN},
						{.fd = kick[1], .events = POLLIN}};

		uint64_t woken[STAMPS];

		poll(watched, RINGS, -1);
		current = &queue[watched[0].revents ? 0 : 1];
		woken[BEFORE] = vhu_now_ns();
		take_fd(kick[current->number]);
		woken[AFTER] = vhu_now_ns();
		pass(TO_POP_NS);
		take(&truth[current->number], woken);
		if (later)
			signal_fd(handed);
		else
			finish();
	}
	return with;
}

/* Do what must not be taken for a kick: write as much to what is not open, and to a stranger. */
static void disturb(int stranger)
{
	uint64_t one = 1;

	if (write(-1, &one, sizeof(one)) >= 0)
		exit(1);
	signal_fd(stranger);
	take_fd(stranger);
}

/* Print the least and the most that the median of a stage can be. */
static void print_median(const char *name, const uint64_t stage[STAMPS][SAMPLES], size_t count)
{
	static const uint64_t zero[SAMPLES];

	printf(",\"%s\":[%" PRIu64 ",%" PRIu64 "]", name, quantile(zero, stage[BEFORE], count, 500),
	       quantile(zero, stage[AFTER], count, 500));
}

int main(int argc, char **argv)
{
	int stranger = eventfd(0, EFD_CLOEXEC);
	pthread_t thread[2];

	if (argc < 5)
		return 2;
	how = !strcmp(argv[1], "library") ? LIBRARY : !strcmp(argv[1], "usdt") ? USDT : STATIC;
	rounds = (unsigned)atoi(argv[3]);
	requests = (unsigned)atoi(argv[4]);
	later = argc > 5;
	if (requests > QUEUE_SIZE || rounds * requests > SAMPLES)
		return 2;
	handed = eventfd(0, EFD_CLOEXEC);
	for (unsigned i = 0; i < RINGS; i++) {
		kick[i] = eventfd(0, EFD_CLOEXEC);
		call[i] = eventfd(0, EFD_CLOEXEC);
		queue[i].number = i;
		printf("kick=%u,call=%u\n", eventfd_id(kick[i]), eventfd_id(call[i]));
	}
	fflush(stdout);
	while (access(argv[2], F_OK))
		usleep(10000);
	if (pthread_create(&thread[0], NULL, serve, NULL) ||
	    (later && pthread_create(&thread[1], NULL, finish_later, NULL)))
		return 1;
	for (unsigned round = 0; round < rounds; round++) {
		/* Twice as often the first as the second. */
		unsigned ring = round % 3 == 2;

		queue[ring].left = requests;
		disturb(stranger);
		signal_fd(kick[ring]);
		take_fd(call[ring]);
	}
	/* The last call comes before its stamp. */
	for (unsigned i = 0; i < (later ? 2 : 1); i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < RINGS; i++) {
		const struct truth_of *of = &truth[i];

		printf("{\"wakes\":%u,\"pops\":%u,\"pushes\":%u,\"calls\":%u", of->wakes, of->pops,
		       of->pushes, of->calls);
		print_median("wake_to_pop", of->to_pop, of->wakes);
		print_median("pop_to_push", of->to_push, of->pushes);
		print_median("push_to_call", of->to_call, of->calls);
		printf("}\n");
	}
	return 0;
}
