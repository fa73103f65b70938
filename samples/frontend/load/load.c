/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load: each queue's slots are kept busy, at the rate that is wanted, until enough is done.
 *
 * A turn collects what has come back, makes as much available as may be, and then waits for calls,
 * for the back-end's channel, for the end of the connection, or for the time of the next request.
 *
 * SIGINT is the end of the duration; a second one ends the program. The wait need not be woken by
 * it: there is always something under way or due.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "samples/common/clock.h"
#include "samples/frontend/frontend.h"

/* What the loop waits for, and where in the list that is. */
enum { ON_SOCKET, ON_CHANNEL, ON_QUEUE };

static volatile sig_atomic_t interrupted;

/* Begin no further requests. */
static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Bits that an increment spreads to; of the splitmix64 generator. */
uint64_t vhu_random(uint64_t *state)
{
	uint64_t number = *state += UINT64_C(0x9e3779b97f4a7c15);

	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

/* Return whether another request may begin now. @due: set to when, if not now but later. */
static bool may_begin(const struct vhu_frontend *frontend, uint64_t now, uint64_t *due)
{
	const struct vhu_frontend_options *options = &frontend->options;
	double next;

	*due = VHU_CLOCK_NEVER;
	if ((options->requests && frontend->begun >= options->requests) || now >= frontend->end)
		return false;
	if (options->rate == 0)
		return true;
	next = (double)(frontend->begun - frontend->begun % options->burst) * (double)VHU_NS_PER_S /
	       (double)options->rate;
	*due = frontend->start + (uint64_t)next;
	return *due <= now;
}

/* Check what has come back to a queue. */
static int collect(struct vhu_frontend *frontend, struct vhu_queue *queue, uint64_t now)
{
	struct vhu_used used;
	const char *wrong;
	int got;

	while ((got = queue->vring.format->collect(&queue->vring, &used)) > 0) {
		struct vhu_slot *slot = &queue->slot[used.slot];

		vhu_latency_add(&frontend->latency, now - slot->since);
		wrong = frontend->kind->check(frontend, slot, used.written);
		if (wrong)
			return vhu_say(frontend, "vring %u: request %u: %s", queue->index,
				       used.slot, wrong);
		frontend->done++;
		queue->idle[queue->idles++] = used.slot;
		queue->progress = now;
	}
	return got < 0 ? vhu_say(frontend,
				 "vring %u: the back-end gives back %u, which it does not have",
				 queue->index, used.slot)
		       : 0;
}

/* Kick a queue, if its device wants that. @always: even if not. */
static int kick(struct vhu_frontend *frontend, struct vhu_queue *queue, bool always)
{
	const uint64_t one = 1;
	bool wanted = queue->vring.unkicked > 0 && queue->vring.format->wants_kick(&queue->vring);
	struct vhu_message_buf request;

	queue->vring.unkicked = 0;
	if (!(wanted || always) || frontend->options.poll)
		return 0;
	queue->kicks++;
	if (queue->kick >= 0)
		return write(queue->kick, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN
			   ? 0
			   : vhu_say(frontend, "vring %u: cannot kick", queue->index);
	vhu_begin(&request, VHU_MSG_VRING_KICK);
	vhu_message_put(&request, VHU_FIELD_vring_index_index, queue->index);
	return vhu_ask(frontend, VHU_MSG_VRING_KICK, &request);
}

/* Make as many requests of a queue available as may be. Returns how many, or -1; *@due is when the
 * next one is, if there is room for it then. */
static int offer(struct vhu_frontend *frontend, struct vhu_queue *queue, uint64_t now,
		 uint64_t *due)
{
	int offered = 0;

	*due = VHU_CLOCK_NEVER;
	while (queue->idles > 0 && may_begin(frontend, now, due)) {
		unsigned n = queue->idle[--queue->idles];
		struct vhu_slot *slot = &queue->slot[n];

		frontend->kind->prepare(frontend, queue, n);
		if (queue->idles + 1 == frontend->options.depth)
			queue->progress = now;
		slot->since = vhu_now_ns();
		queue->vring.format->offer(&queue->vring, n, slot->part, slot->parts);
		frontend->begun++;
		offered++;
	}
	return kick(frontend, queue, false) ? -1 : offered;
}

/* Say what keeps a queue from getting on. Returns -1. */
static int stuck(struct vhu_frontend *frontend, struct vhu_queue *queue)
{
	struct pollfd kicked = {.fd = queue->kick, .events = POLLIN};
	unsigned out = frontend->options.depth - queue->idles;
	const char *why = "it was kicked and has not done them";
	struct vhu_used used;

	if (frontend->options.poll)
		why = "it has not looked at the vring";
	else if (queue->vring.format->collect(&queue->vring, &used) != 0)
		why = "it has done some of them and does not call";
	else if (poll(&kicked, 1, 0) > 0)
		why = "it does not read the kick";
	return vhu_say(frontend,
		       "vring %u: the back-end got nowhere with %u requests in %.3g s: %s",
		       queue->index, out, (double)frontend->options.timeout / VHU_NS_PER_S, why);
}

/* Return when a queue that gets nowhere is to be given up. */
static uint64_t patience_of(const struct vhu_frontend *frontend, const struct vhu_queue *queue)
{
	return queue->idles == frontend->options.depth
		   ? VHU_CLOCK_NEVER
		   : queue->progress + frontend->options.timeout;
}

/*
 * Go once through a queue.
 * @next: brought forward to when something is due.
 * Returns whether it got on, or -1.
 */
static int turn(struct vhu_frontend *frontend, struct vhu_queue *queue, uint64_t *next)
{
	uint64_t now = vhu_now_ns(), due;
	bool polls = frontend->options.poll;
	int offered;

	/* To collect without having been called, when all hope is lost, would hide a lost call. */
	if (!polls && !queue->called && patience_of(frontend, queue) <= now)
		return stuck(frontend, queue);
	queue->called = false;
	if (collect(frontend, queue, now))
		return -1;
	if (polls && patience_of(frontend, queue) <= now)
		return stuck(frontend, queue);
	offered = offer(frontend, queue, now, &due);
	if (offered < 0)
		return -1;
	*next = due < *next ? due : *next;
	due = patience_of(frontend, queue);
	*next = due < *next ? due : *next;
	if (polls || due == VHU_CLOCK_NEVER)
		return offered > 0;
	/* Ask for a call, which may be too late already. */
	return offered > 0 || queue->vring.format->arm(&queue->vring) || queue->called;
}

/* Return whether nothing is left to do or to wait for. */
static bool finished(const struct vhu_frontend *frontend)
{
	uint64_t due;

	if (frontend->done < frontend->begun)
		return false;
	return !may_begin(frontend, vhu_now_ns(), &due) && due == VHU_CLOCK_NEVER;
}

/* Read the calls that have come. */
static void read_calls(struct vhu_frontend *frontend, const struct pollfd *list)
{
	uint64_t count;

	for (unsigned i = 0; i < frontend->options.queues; i++) {
		struct vhu_queue *queue = &frontend->queue[i];

		if (list[i].revents && read(queue->call, &count, sizeof(count)) == sizeof(count)) {
			queue->calls += count;
			queue->called = true;
		}
	}
}

/*
 * Wait until something comes or is due.
 * Returns 0; 1: the back-end has gone; -1.
 */
static int wait_until(struct vhu_frontend *frontend, uint64_t due)
{
	struct pollfd list[ON_QUEUE + VHU_QUEUES_MAX] = {
	    [ON_SOCKET] = {.fd = frontend->socket, .events = POLLIN},
	    [ON_CHANNEL] = {.fd = frontend->back_channel, .events = POLLIN},
	};
	uint64_t now = vhu_now_ns();
	uint64_t span = due > now ? due - now : 0;
	struct timespec time = {
	    .tv_sec = (time_t)(span / VHU_NS_PER_S),
	    .tv_nsec = (long)(span % VHU_NS_PER_S),
	};
	char byte;

	for (unsigned i = 0; i < frontend->options.queues; i++)
		list[ON_QUEUE + i] =
		    (struct pollfd){.fd = frontend->queue[i].call, .events = POLLIN};
	if (ppoll(list, ON_QUEUE + frontend->options.queues, due == VHU_CLOCK_NEVER ? NULL : &time,
		  NULL) <= 0)
		return 0;
	read_calls(frontend, list + ON_QUEUE);
	if (list[ON_CHANNEL].revents && vhu_hear(frontend))
		return -1;
	if (!list[ON_SOCKET].revents)
		return 0;
	if (recv(frontend->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		return 1;
	return vhu_say(frontend, "%s: the back-end says something that it was not asked",
		       frontend->options.path);
}

/* Wait for another back-end. One that is about to die may still be connected to: try again. */
static int find_another(struct vhu_frontend *frontend)
{
	uint64_t deadline = vhu_now_ns() + frontend->options.timeout;
	int error;

	do {
		frontend->gone = false;
		frontend->patient = vhu_now_ns() < deadline;
		vhu_disconnect(frontend);
		error = vhu_connect(frontend, deadline) || vhu_session_begin(frontend) ? -1 : 0;
	} while (error && frontend->gone && frontend->patient);
	frontend->patient = false;
	return error;
}

/* The back-end has gone: give another one what is in flight. */
static int come_back(struct vhu_frontend *frontend)
{
	const char *path = frontend->options.path;

	if (!frontend->options.reconnect)
		return vhu_say(frontend,
			       "%s: the back-end closed the connection with %" PRIu64
			       " requests under way",
			       path, frontend->begun - frontend->done);
	if (frontend->inflight < 0)
		return vhu_say(frontend,
			       "%s: the back-end went, and did not track what was in flight", path);
	/* What it gave back before it went is done. */
	for (unsigned i = 0; i < frontend->options.queues; i++)
		if (collect(frontend, &frontend->queue[i], vhu_now_ns()))
			return -1;
	if (find_another(frontend))
		return -1;
	frontend->reconnects++;
	for (unsigned i = 0; i < frontend->options.queues; i++) {
		struct vhu_queue *queue = &frontend->queue[i];

		queue->progress = vhu_now_ns();
		if (kick(frontend, queue, true))
			return -1;
	}
	return 0;
}

/* Look at the device again: it says that it has changed. */
static int look_again(struct vhu_frontend *frontend)
{
	if (!frontend->config_changed)
		return 0;
	frontend->config_changed = false;
	frontend->config_changes++;
	return frontend->kind->look(frontend);
}

int vhu_load(struct vhu_frontend *frontend)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
	uint64_t duration = frontend->options.duration;
	int gone;

	sigaction(SIGINT, &action, NULL);
	frontend->start = vhu_now_ns();
	frontend->end = duration == VHU_CLOCK_NEVER ? duration : frontend->start + duration;
	for (;;) {
		uint64_t next = VHU_CLOCK_NEVER;

		if (interrupted)
			frontend->end = frontend->start;
		for (unsigned i = 0; i < frontend->options.queues; i++) {
			int busy = turn(frontend, &frontend->queue[i], &next);

			if (busy < 0)
				return -1;
			next = busy ? 0 : next;
		}
		if (look_again(frontend))
			return -1;
		if (finished(frontend))
			break;
		if (frontend->options.poll) {
			/* The back-end may need this processor. */
			sched_yield();
			next = 0;
		}
		gone = wait_until(frontend, next);
		if (gone < 0 || (gone > 0 && come_back(frontend)))
			return -1;
	}
	frontend->end = vhu_now_ns();
	return 0;
}
