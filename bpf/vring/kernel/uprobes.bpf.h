/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a back-end does between wake and call: it takes requests off a vring (pop) and gives them
 * back (push), seen by probes in its own code.
 *
 * A pop belongs to the vring with the index that the probe passes, if the probe passes one and the
 * process has just one such vring; otherwise to the vring whose kick this thread took last. A push
 * belongs to the vring that its request was popped from.
 */
#ifndef VHU_BPF_UPROBES_BPF_H
#define VHU_BPF_UPROBES_BPF_H

#include "bpf/vring/kernel/histogram.bpf.h"

/* The index of a probe that passes none. */
#define NO_VRING 0xffffffff

/* When the back-end took the first request since the last call, and gave back the first; 0: not. */
struct inside_times {
	__u64 pop, push;
};

/* Return the slot of the vring that a probe in this thread's code is about, VHU_BPF_VRINGS if that
 * is not known. */
static __always_inline __u32 slot_here(__u32 index)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 thread = (__u32)id, *found = 0;
	struct vhu_bpf_vring_key key = {.pid = id >> 32, .index = index};

	if (index != NO_VRING)
		found = bpf_map_lookup_elem(&slots, &key);
	if (!found)
		found = bpf_map_lookup_elem(&threads, &thread);
	return found ? *found : VHU_BPF_VRINGS;
}

/* Return the stages of the vring in @slot. */
static __always_inline struct vhu_bpf_inside *inside_of(__u32 slot)
{
	return bpf_map_lookup_elem(&insides, &slot);
}

/* Note how long it is from @from to @to in a histogram of @stage. */
static __always_inline void add_inside(struct vhu_bpf_inside *inside, enum vhu_bpf_inner stage,
				       __u64 from, __u64 to)
{
	count(inside->bucket[stage], &inside->greatest[stage], from, to);
}

/* The back-end takes a request off a vring. @id: unique in its process and vring. */
static __always_inline void on_pop(__u32 index, __u64 id)
{
	__u64 time = bpf_ktime_get_ns(), wake;
	struct vhu_bpf_request request = {.time = time, .slot = slot_here(index)};
	struct vhu_bpf_request_key key = {.id = id, .index = index};
	struct vhu_bpf_inside *inside = inside_of(request.slot);

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
static __always_inline bool on_push(__u32 index, __u64 id)
{
	__u64 time = bpf_ktime_get_ns();
	struct vhu_bpf_request_key key = {.id = id, .index = index};
	struct vhu_bpf_inside *inside;
	struct vhu_bpf_request *request;

	key.pid = bpf_get_current_pid_tgid() >> 32;
	request = bpf_map_lookup_elem(&requests, &key);
	if (!request)
		return false;
	inside = inside_of(request->slot);
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
static __always_inline void on_lone_push(__u32 index)
{
	struct vhu_bpf_inside *inside = inside_of(slot_here(index));
	__u64 time = bpf_ktime_get_ns();

	if (!inside) {
		__sync_fetch_and_add(&shared.unplaced, 1);
		return;
	}
	__sync_fetch_and_add(&inside->pushes, 1);
	if (!inside->push_ns)
		inside->push_ns = time;
}

/* This thread took the kick of the vring in @slot. */
static __always_inline void inside_wake(__u32 slot, __u64 time)
{
	struct vhu_bpf_inside *inside = inside_of(slot);
	__u32 thread = (__u32)bpf_get_current_pid_tgid();
	__u32 *known = bpf_map_lookup_elem(&threads, &thread);

	if (known)
		*known = slot;
	else
		bpf_map_update_elem(&threads, &thread, &slot, BPF_ANY);
	if (inside)
		inside->wake_ns = time;
}

/* The back-end of the vring in @slot calls. Returns what it did since the call before. */
static __always_inline struct inside_times inside_call(__u32 slot, __u64 time)
{
	struct vhu_bpf_inside *inside = inside_of(slot);
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
