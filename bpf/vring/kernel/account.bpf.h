/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kick, a wake and a call are counted as, however they were seen.
 *
 * A kick and a call are stamped before the write is done: when it is done the reader may have run
 * already. A wake is stamped when the read has returned 8.
 */
#ifndef VHU_BPF_ACCOUNT_BPF_H
#define VHU_BPF_ACCOUNT_BPF_H

#include "bpf/vring/kernel/uprobes.bpf.h"

/* Add to a vring's histogram of @stage how long it is from @from to @to. */
static __always_inline void add(struct vhu_bpf_vring *vring, enum vhu_bpf_stage stage, __u64 from,
				__u64 to)
{
	count(vring->bucket[stage], &vring->greatest[stage], from, to);
}

/* Tell who runs. */
static __always_inline void tell_who(struct vhu_bpf_who *who)
{
	__u64 id = bpf_get_current_pid_tgid();

	who->pid = id >> 32;
	who->tid = (__u32)id;
	who->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

/* Tell an event; count it where there is no room. Of an eventfd that is being learnt there are more
 * than enough. */
static __always_inline void tell(__u32 what, const struct vhu_bpf_role *role,
				 const struct vhu_bpf_vring *vring, __u64 time, __u64 kick,
				 __u64 wake, const struct inside_times *inside)
{
	struct vhu_bpf_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		if (role->what != VHU_BPF_LEARN)
			__sync_fetch_and_add(&shared.dropped, 1);
		return;
	}
	event->time_ns = time;
	event->kick_ns = kick;
	event->wake_ns = wake;
	event->pop_ns = inside ? inside->pop : 0;
	event->push_ns = inside ? inside->push : 0;
	event->what = what;
	event->slot = role->slot;
	event->eventfd_id = role->eventfd_id;
	tell_who(&event->who);
	if (vring && what == VHU_EVENT_SLOW)
		event->kicker = vring->kicker;
	else
		__builtin_memset(&event->kicker, 0, sizeof(event->kicker));
	bpf_ringbuf_submit(event, what == VHU_EVENT_SLOW ? 0 : BPF_RB_NO_WAKEUP);
}

/* Return the vring that an eventfd belongs to. */
static __always_inline struct vhu_bpf_vring *vring_of(const struct vhu_bpf_role *role)
{
	__u32 index = role->slot;

	return bpf_map_lookup_elem(&vrings, &index);
}

/* If a vring's kick was replaced, forget the kicks that were not taken from the old one. */
static __always_inline void follow_epoch(struct vhu_bpf_vring *vring,
					 const struct vhu_bpf_role *role)
{
	if (vring->epoch == role->epoch)
		return;
	vring->epoch = role->epoch;
	vring->answered += vring->kicks - vring->taken;
	vring->taken = vring->kicks;
	vring->wake_seen = 0;
}

/* The front-end kicks. */
static __always_inline void on_kick(struct vhu_bpf_vring *vring, const struct vhu_bpf_role *role,
				    __u64 time)
{
	__u64 number;

	follow_epoch(vring, role);
	number = __sync_fetch_and_add(&vring->kicks, 1);
	vring->stamp[number % VHU_BPF_STAMPS] = time;
	vring->kick_context = role->context;
	if (config.slow_ns)
		tell_who(&vring->kicker);
	if (config.all_events)
		tell(VHU_EVENT_KICK, role, 0, time, 0, 0, 0);
}

/*
 * The back-end calls, and was not seen to take a kick: it may have begun to read before the probes
 * came, or read by a way that they do not see. Once it was seen, it always is.
 * Returns when the first kick came that is not in the eventfd any more; 0: none.
 */
static __always_inline __u64 take_unseen(struct vhu_bpf_vring *vring)
{
	__u64 waiting = vring->kicks - vring->taken, left, first;
	struct eventfd_ctx *context = (struct eventfd_ctx *)vring->kick_context;

	if (vring->wake_seen || !waiting || waiting > VHU_BPF_STAMPS || !context)
		return 0;
	left = BPF_CORE_READ(context, count);
	if (left >= waiting)
		return 0;
	first = vring->stamp[vring->taken % VHU_BPF_STAMPS];
	vring->taken += waiting - left;
	__sync_fetch_and_add(&vring->wakes, 1);
	__sync_fetch_and_add(&vring->coalesced, waiting - left - 1);
	return first;
}

/* The back-end calls: note whether just one kick came since the call before, taken or not. */
static __always_inline void take_turn(struct vhu_bpf_vring *vring)
{
	__u64 kicks = vring->kicks;

	vring->in_turn = kicks - vring->called == 1 ? vring->in_turn + 1 : 0;
	vring->called = kicks;
}

/* The back-end calls: that answers all kicks that were taken before. */
static __always_inline void on_call(struct vhu_bpf_vring *vring, const struct vhu_bpf_role *role,
				    __u64 time)
{
	/* Read before the wake is taken: from then on the next reader may overwrite both. */
	__u64 kick = vring->open_kick_ns, wake = __sync_lock_test_and_set(&vring->open_wake_ns, 0);
	struct inside_times inside = {};

	if (wake) {
		add(vring, VHU_WAKE_TO_CALL, wake, time);
	} else {
		kick = take_unseen(vring);
		__sync_fetch_and_add(kick ? &vring->calls : &vring->calls_without_kick, 1);
	}
	vring->answered = vring->taken;
	take_turn(vring);
	if (kick)
		add(vring, VHU_KICK_TO_CALL, kick, time);
	if (config.inside)
		inside = inside_call(role->slot, time);
	if (config.slow_ns && kick && time > kick && time - kick >= config.slow_ns)
		tell(VHU_EVENT_SLOW, role, vring, time, kick, wake, &inside);
	else if (config.all_events)
		tell(VHU_EVENT_CALL, role, 0, time, kick, wake, 0);
}

/*
 * The back-end takes kicks.
 * @value: how many, as the eventfd counted them.
 */
static __always_inline void on_wake(struct vhu_bpf_vring *vring, const struct vhu_bpf_role *role,
				    __u64 value, __u64 time)
{
	__u64 first = 0, from, waiting;

	follow_epoch(vring, role);
	from = vring->taken;
	waiting = vring->kicks - from;
	vring->wake_seen = 1;
	/* More than were seen: they came before the probes, or by a way that these do not see. */
	if (value > waiting)
		value = waiting;
	if (value) {
		__u64 oldest = waiting > VHU_BPF_STAMPS ? vring->kicks - VHU_BPF_STAMPS : from;

		first = vring->stamp[oldest % VHU_BPF_STAMPS];
		vring->taken = from + value;
		if (value > 1)
			__sync_fetch_and_add(&vring->coalesced, value - 1);
		add(vring, VHU_KICK_TO_WAKE, first, time);
	} else {
		__sync_fetch_and_add(&vring->wakes_without_kick, 1);
	}
	if (!vring->open_wake_ns) {
		vring->open_kick_ns = first;
		vring->open_wake_ns = time;
	}
	if (config.inside)
		inside_wake(role->slot, time);
	if (config.all_events)
		tell(VHU_EVENT_WAKE, role, 0, time, first, 0, 0);
}

/* Return what the eventfd with a file or a context at @address stands for, NULL for strangers. */
static __always_inline struct vhu_bpf_role *role_at(__u64 address)
{
	struct vhu_bpf_set *set;
	__u32 low, index;

	/* Written so, half of it is a number, even where the verifier knows that it is an address.
	 */
	__asm__ volatile("%0 = %1" : "=w"(low) : "w"((__u32)address));
	index = VHU_BPF_SPREAD(low);
	set = bpf_map_lookup_elem(&sets, &index);
	/* 0 is what free places hold, and the file of a descriptor that is not open. */
	if (!address || !set)
		return 0;
	for (int i = 0; i < VHU_BPF_PLACES; i++)
		if (set->known[i].address == address)
			return &set->known[i].role;
	return shared.elsewhere ? bpf_map_lookup_elem(&roles, &address) : 0;
}

/* Return what the eventfd with this context stands for by its id, NULL for strangers. */
static __always_inline struct vhu_bpf_role *role_by_id(const struct eventfd_ctx *context)
{
	__u32 id = (__u32)BPF_CORE_READ(context, id);

	return bpf_map_lookup_elem(&ids, &id);
}

/* Return what the eventfd with this context stands for, NULL for strangers. */
static __always_inline struct vhu_bpf_role *role_of_context(const struct eventfd_ctx *context)
{
	struct vhu_bpf_role *role = role_at((__u64)context);

	return role || !shared.ids ? role : role_by_id(context);
}

/* Return what the eventfd with this file stands for, NULL for strangers and what is no eventfd. */
static __always_inline struct vhu_bpf_role *role_of_file(const struct file *file)
{
	struct vhu_bpf_role *role = role_at((__u64)file);

	if (role || !shared.ids || (__u64)BPF_CORE_READ(file, f_op) != shared.eventfd_operations)
		return role;
	return role_by_id(BPF_CORE_READ(file, private_data));
}

/* An eventfd, which stands for @role, is about to be signalled. */
static __always_inline void on_signal(const struct vhu_bpf_role *role)
{
	struct vhu_bpf_vring *vring;
	__u64 time;

	if (!role)
		return;
	time = bpf_ktime_get_ns();
	if (role->what == VHU_BPF_LEARN) {
		if (config.learning)
			tell(VHU_EVENT_LEARN_WRITE, role, 0, time, 0, 0, 0);
		return;
	}
	vring = vring_of(role);
	if (!vring)
		return;
	if (role->what == VHU_BPF_KICK)
		on_kick(vring, role, time);
	else
		on_call(vring, role, time);
}

/*
 * A known eventfd was read.
 * @buffer: of the reading process, what was read; NULL where that is not known.
 */
static __always_inline void on_read(const struct vhu_bpf_role *role, const struct file *file,
				    const void *buffer)
{
	__u64 time = bpf_ktime_get_ns(), waiting, value = 1;
	struct vhu_bpf_vring *vring;

	if (role->what == VHU_BPF_LEARN && config.learning)
		tell(VHU_EVENT_LEARN_READ, role, 0, time, 0, 0, 0);
	if (role->what != VHU_BPF_KICK)
		return;
	vring = vring_of(role);
	if (!vring)
		return;
	/* A read takes one kick at least: only of several it is a question how many, and asking
	 * costs as much as all else here. */
	waiting = vring->kicks - vring->taken;
	if (waiting > 1 && buffer) {
		bpf_probe_read_user(&value, sizeof(value), buffer);
	} else if (waiting > 1) {
		/* What the eventfd holds now came since; all else was taken. */
		struct eventfd_ctx *context = BPF_CORE_READ(file, private_data);
		__u64 left = BPF_CORE_READ(context, count);

		value = waiting > left ? waiting - left : 0;
	}
	on_wake(vring, role, value, time);
}

#endif
