/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a back-end does between wake and call: it takes requests off a vring (pop) and gives them
 * back (push), seen by probes in its own code.
 *
 * Whose vring a pop is: the one that its number tells, where the probe tells one and the process
 * has just one vring of that number; else the one whose kick this thread took last. A push is of
 * the vring that its request was popped from.
 */
#ifndef VHU_BPF_UPROBES_BPF_H
#define VHU_BPF_UPROBES_BPF_H

#include "histogram.bpf.h"

/* The probe does not tell which vring. */
#define NO_VRING 0xffffffff

/* When the back-end took the first request since the last call, and gave back the first; 0: not. */
struct inside_times {
	__u64 pop, push;
};

/* Return the ring that a probe in this thread's code is about, VHU_BPF_RINGS where that is not
 * known. */
static __always_inline __u32 ring_here(__u32 vring)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 thread = (__u32)id, *found = 0;
	struct vhu_bpf_vring key = {.pid = id >> 32, .vring = vring};

	if (vring != NO_VRING)
		found = bpf_map_lookup_elem(&vrings, &key);
	if (!found)
		found = bpf_map_lookup_elem(&threads, &thread);
	return found ? *found : VHU_BPF_RINGS;
}

/* Return the stages of a ring. */
static __always_inline struct vhu_bpf_inside *inside_of(__u32 ring)
{
	return bpf_map_lookup_elem(&insides, &ring);
}

/* Note how long it is from @from to @to in a histogram of @stage. */
static __always_inline void add_inside(struct vhu_bpf_inside *inside, enum vhu_bpf_inner stage,
				       __u64 from, __u64 to)
{
	count(inside->bucket[stage], &inside->greatest[stage], from, to);
}

/* The back-end takes a request off a vring. @id: tells it from others of its process and vring. */
static __always_inline void on_pop(__u32 vring, __u64 id)
{
	__u64 time = bpf_ktime_get_ns(), wake;
	struct request request = {.time = time, .ring = ring_here(vring)};
	struct request_key key = {.id = id, .vring = vring};
	struct vhu_bpf_inside *inside = inside_of(request.ring);

	if (!inside) {
		__sync_fetch_and_add(&shared.unplaced, 1);
		return;
	}
	key.pid = bpf_get_current_pid_tgid() >> 32;
	__sync_fetch_and_add(&inside->pops, 1);
	wake = __sync_lock_test_and_set(&inside->wake_ns, 0);
	if (wake)
		add_inside(inside, VHU_WAKE_TO_POP, wake, time);
	if (!inside->pop_ns)
		inside->pop_ns = time;
	if (bpf_map_update_elem(&requests, &key, &request, BPF_ANY))
		__sync_fetch_and_add(&shared.dropped, 1);
}

/*
 * The back-end gives a request back.
 * Returns whether it is known when it was taken.
 */
static __always_inline bool on_push(__u32 vring, __u64 id)
{
	__u64 time = bpf_ktime_get_ns();
	struct request_key key = {.id = id, .vring = vring};
	struct vhu_bpf_inside *inside;
	struct request *request;

	key.pid = bpf_get_current_pid_tgid() >> 32;
	request = bpf_map_lookup_elem(&requests, &key);
	if (!request)
		return false;
	inside = inside_of(request->ring);
	if (inside) {
		__sync_fetch_and_add(&inside->pushes, 1);
		add_inside(inside, VHU_POP_TO_PUSH, request->time, time);
		if (!inside->push_ns)
			inside->push_ns = time;
	}
	bpf_map_delete_elem(&requests, &key);
	return true;
}

/* The back-end gives a request back that it was not seen to take. */
static __always_inline void on_lone_push(__u32 vring)
{
	struct vhu_bpf_inside *inside = inside_of(ring_here(vring));
	__u64 time = bpf_ktime_get_ns();

	if (!inside) {
		__sync_fetch_and_add(&shared.unplaced, 1);
		return;
	}
	__sync_fetch_and_add(&inside->pushes, 1);
	if (!inside->push_ns)
		inside->push_ns = time;
}

/* This thread took the kick of a ring. */
static __always_inline void inside_wake(__u32 ring, __u64 time)
{
	struct vhu_bpf_inside *inside = inside_of(ring);
	__u32 thread = (__u32)bpf_get_current_pid_tgid();
	__u32 *known = bpf_map_lookup_elem(&threads, &thread);

	if (known)
		*known = ring;
	else
		bpf_map_update_elem(&threads, &thread, &ring, BPF_ANY);
	if (inside)
		inside->wake_ns = time;
}

/* A ring's back-end calls. Returns what it did since the call before. */
static __always_inline struct inside_times inside_call(__u32 ring, __u64 time)
{
	struct vhu_bpf_inside *inside = inside_of(ring);
	struct inside_times times = {};

	if (!inside)
		return times;
	times.pop = __sync_lock_test_and_set(&inside->pop_ns, 0);
	times.push = __sync_lock_test_and_set(&inside->push_ns, 0);
	if (times.push)
		add_inside(inside, VHU_PUSH_TO_CALL, times.push, time);
	return times;
}

#endif
