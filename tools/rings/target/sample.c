/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of vrings: the memory, the counters of the eventfds, the processes. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/protocol/field.h"
#include "lib/util/util.h"
#include "tools/rings/process/proxy.h"
#include "tools/rings/process/queues.h"
#include "tools/rings/target/past.h"

/* Between looks; a back-end that is woken reads its kick within this. Nanoseconds. */
#define LOOK_NS    UINT64_C(7000000)
/* Of so many looks at vrings one is at the processes too. */
#define LOOKS_EACH 4
/* For so long a vring that seems to hang is looked at further. */
#define CONFIRM_NS UINT64_C(300000000)

/* Read the counter of a vring's kick or call. @side: who is to read it, whose descriptor counts. */
static struct vhu_ring_counter counter_of(const struct vhu_rings_target *target,
					  enum vhu_vring_role role, unsigned side)
{
	const struct vhu_rings_vring *vring = target->vring;
	const struct vhu_rings_eventfd *eventfd = vhu_rings_vring_eventfd(vring, role, side);
	const struct vhu_rings_process *reader = target->memory->process[side];
	const struct vhu_rings_open *open = NULL;
	struct vhu_ring_counter counter = {0};

	if (eventfd->known && reader && !reader->error)
		open = vhu_rings_process_eventfd(reader, eventfd->id);
	if (open)
		counter = vhu_rings_process_counter(reader, open);
	counter.interposed = vring->interposed[role];
	counter.instead_of = vring->fd[role].id;
	return counter;
}

/* Make out what a sample says of a process. */
static struct vhu_ring_process process_of(const struct vhu_rings_process *process, uint64_t unread)
{
	if (!process)
		return (struct vhu_ring_process){0};
	return (struct vhu_ring_process){true, process->pid, process->state, unread};
}

/* Read the indexes of a vring as the front-end sees them, if it may see others than the file has.
 */
static void read_view(const struct vhu_rings_target *target, struct vhu_ring_sample *sample)
{
	const struct vhu_rings_process *front = target->memory->process[VHU_RINGS_FRONT];
	const struct vhu_ring_mappings *mappings = &target->evidence.mappings;
	/* The flags of both areas are in front of the index. */
	uint64_t at_available = target->vring->available + 2, at_used = target->vring->used + 2;
	uint8_t available[2], used[2];
	char path[64];
	int fd;

	if (!mappings->private_map || mappings->back_end || sample->ring_error ||
	    sample->ring.packed || !vhu_rings_target_user(target, &at_available) ||
	    !vhu_rings_target_user(target, &at_used))
		return;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/mem", front->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	sample->view_known = pread(fd, available, 2, (off_t)at_available) == 2 &&
			     pread(fd, used, 2, (off_t)at_used) == 2;
	close(fd);
	if (!sample->view_known)
		return;
	sample->view_available = (uint16_t)vhu_integer_read(available, 2, sample->ring.big_endian);
	sample->view_used = (uint16_t)vhu_integer_read(used, 2, sample->ring.big_endian);
}

/* Take a sample of a vring. */
static void sample(struct vhu_rings_target *target, unsigned which,
		   const struct vhu_rings_queues *queues)
{
	struct vhu_ring_sample *to = &target->evidence.sample[which];
	const struct vhu_rings_session *session = target->session;

	if (which)
		*to = (struct vhu_ring_sample){
		    .ring = to->ring,
		    .call_holders_known = to[-1].call_holders_known,
		    .holds_call = to[-1].holds_call,
		    .holds_old_call = to[-1].holds_old_call,
		};
	to->time_ns = vhu_now_ns();
	vhu_ring_sample_read(&target->place, to);
	/* Where not all memory is known an address outside of it means nothing. */
	if ((session->regions_partly || target->memory->missing) &&
	    to->look.fault == VHU_RING_FAULT_UNMAPPED)
		to->look.fault = VHU_RING_FAULT_NONE;
	to->kick = counter_of(target, VHU_KICK, VHU_RINGS_BACK);
	to->call = counter_of(target, VHU_CALL, VHU_RINGS_FRONT);
	to->front_end =
	    process_of(target->memory->process[VHU_RINGS_FRONT],
		       vhu_rings_queues_unread(queues, target->memory, VHU_RINGS_FRONT));
	to->back_end = process_of(target->memory->process[VHU_RINGS_BACK],
				  vhu_rings_queues_unread(queues, target->memory, VHU_RINGS_BACK));
	to->proxy = process_of(target->memory->proxy, 0);
	to->pending = session->pending;
	read_view(target, to);
}

/* Look at what all processes wait for. */
static void look_at_processes(struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->processes.count; i++)
		vhu_rings_process_look(targets->processes.process[i]);
}

/* Take the older or the newer sample of all vrings. */
static void sample_all(struct vhu_rings_targets *targets, unsigned which)
{
	struct vhu_rings_queues queues;

	look_at_processes(targets);
	vhu_rings_queues_read(&queues, targets);
	for (unsigned i = 0; i < targets->count; i++)
		sample(&targets->target[i], which, &queues);
	vhu_rings_queues_free(&queues);
}

/* Look at a vring between the samples. */
static void look(struct vhu_rings_target *target)
{
	const struct vhu_ring_counter kick = counter_of(target, VHU_KICK, VHU_RINGS_BACK);
	struct vhu_ring_snapshot ring;
	bool read = !vhu_ring_snapshot_read(&target->place, &ring);

	vhu_ring_watch_add(&target->evidence.watch, &target->evidence.sample[0], vhu_now_ns(),
			   read ? &ring : NULL, &kick);
	if (read)
		vhu_ring_snapshot_free(&ring);
}

/* Look at vrings until a time. @hanging: only at those that seem to hang. */
static void look_until(struct vhu_rings_targets *targets, uint64_t until, bool hanging)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	unsigned looks = 0;

	do {
		nanosleep(&pause, NULL);
		if (looks++ % LOOKS_EACH == 0)
			look_at_processes(targets);
		for (unsigned i = 0; i < targets->count; i++)
			if (!hanging || targets->target[i].verdict.hangs)
				look(&targets->target[i]);
	} while (vhu_now_ns() < until);
}

/* Find the control socket of the session's proxy, for what to do about a vring that hangs. */
static void find_control(struct vhu_rings_target *target)
{
	struct vhu_rings_memory *memory = target->memory;
	const uint32_t front_end = target->session->pid[VHU_RINGS_FRONT];
	struct vhu_rings_proxy proxy;

	if (!vhu_ring_verdict_unsticks(&target->verdict))
		return;
	if (!memory->sought && front_end && vhu_rings_proxy_of(front_end, true, &proxy))
		memory->control = realpath(proxy.control, NULL);
	memory->sought = true;
	target->evidence.control = memory->control;
	/* Another source may number the sessions otherwise. */
	target->evidence.at_control = memory->told ? target->session->kept.session : 0;
}

/* Judge all vrings by the samples that there are. Returns whether one seems to hang. */
static bool judge_all(struct vhu_rings_targets *targets)
{
	bool hangs = false;

	for (unsigned i = 0; i < targets->count; i++) {
		struct vhu_rings_target *target = &targets->target[i];
		const struct vhu_rings_memory *memory = target->memory;
		struct vhu_ring_evidence *evidence = &target->evidence;

		const struct vhu_rings_eventfd *kick =
		    vhu_rings_vring_eventfd(target->vring, VHU_KICK, VHU_RINGS_BACK);

		if (memory->process[VHU_RINGS_BACK] && kick->known)
			evidence->kick_poller =
			    vhu_rings_process_poller(memory->process[VHU_RINGS_BACK], kick->id);
		if (memory->process[VHU_RINGS_FRONT] && target->vring->fd[VHU_CALL].known)
			evidence->call_poller = vhu_rings_process_poller(
			    memory->process[VHU_RINGS_FRONT], target->vring->fd[VHU_CALL].id);
		if (targets->past)
			vhu_rings_past_tell(targets->past, target);
		target->verdict = vhu_ring_judge(evidence);
		hangs |= target->verdict.hangs;
	}
	return hangs;
}

void vhu_rings_targets_judge(struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->processes.count; i++)
		vhu_rings_process_begin(targets->processes.process[i]);
	sample_all(targets, 0);
	look_until(targets, vhu_now_ns() + VHU_RING_SAMPLES_APART, false);
	sample_all(targets, 1);
	if (!judge_all(targets))
		return;
	look_until(targets, vhu_now_ns() + CONFIRM_NS, true);
	sample_all(targets, 1);
	judge_all(targets);
	for (unsigned i = 0; i < targets->count; i++)
		find_control(&targets->target[i]);
}
