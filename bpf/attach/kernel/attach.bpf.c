/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sent and taken on watched local sockets, by trace points of the kernel that see buffers
 * before their descriptors are detached; how the sockets end; lists of sockets.
 *
 * A buffer is seen twice: when it is queued, in the sender's context, with its first contiguous
 * bytes; and when it is taken, in the receiver's context, with all its bytes. So the queueing shows
 * buffers that are never taken, and the taking shows buffers that are in several pieces.
 */
#include "bpf/attach/kernel/closing.bpf.h"
#include "bpf/attach/kernel/connecting.bpf.h"
#include "bpf/attach/kernel/describe.bpf.h"
#include "bpf/attach/kernel/list.bpf.h"

/* Return the last buffer of @sender that is still queued at @receiver; NULL without one. */
static __always_inline const struct sk_buff *last_of(const struct sock *sender,
						     const struct sock *receiver, bool typed)
{
	const struct sk_buff *buffer = READ(typed, receiver, sk_receive_queue.prev);

	/* Whoever takes it may have been quicker. */
	if (!buffer || !READ(typed, receiver, sk_receive_queue.qlen) ||
	    READ(typed, buffer, sk) != sender)
		return 0;
	return buffer;
}

/* Fill in what was sent. Returns how many bytes of it were copied to @bytes. */
static __always_inline __u32 fill_sent(void *context, const struct sk_buff *buffer,
				       struct vhu_attach_event *event, __u8 *bytes, bool typed)
{
	__u32 linear;

	event->buffer = (__u64)buffer;
	event->length = READ(typed, buffer, len);
	event->consumed = READ(typed, parms_of(buffer), consumed);
	describe_fds(context, buffer, event, typed);
	linear = event->length - READ(typed, buffer, data_len);
	if (linear > VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX;
	/* So every kernel's verifier believes that it fits. */
	asm volatile("" : "+r"(linear));
	if (linear >= VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX - 1;
	linear &= VHU_ATTACH_SENT_MAX - 1;
	if (bpf_probe_read_kernel(bytes, linear, READ(typed, buffer, data)))
		linear = 0;
	return linear;
}

/* Forget what was read of a buffer that was taken meanwhile: it may be another's. */
static __always_inline void forget_sent(struct vhu_attach_event *event)
{
	event->buffer = 0;
	event->length = event->consumed = event->fds = event->copied = 0;
}

/*
 * The SENT event mostly holds all of a buffer, and a TAKEN event would add nothing. So each of the
 * two hooks notes by the buffer's address what it reports, and the other one then keeps silent:
 *
 *	0		none has reported it
 *	buffer's	the event of sending has all of it; it is queued
 *	buffer's + 1	it was taken whole before its SENT event
 *
 * Two buffers may have one place: then both events come. A note may be left of a buffer that went
 * another way, as one that its receiver never read. The note holds the sender, too, so that it does
 * not silence what another sender has at the same address; of the same sender both events come.
 */
static __always_inline __u64 *told_of(const struct sk_buff *buffer)
{
	return &told[vhu_attach_place(low_of(buffer), TOLD_BITS)];
}

/* Return the note of a buffer. */
static __always_inline __u64 note_of(const struct sk_buff *buffer, const struct sock *sender)
{
	return (__u64)low_of(sender) << 32 | low_of(buffer);
}

/* Withdraw the note that a buffer's SENT event holds all of it. Returns whether no hook has relied
 * on the note. */
static __always_inline bool tell_later(const struct sk_buff *buffer, const struct sock *sender,
				       struct vhu_attach_watched *from)
{
	if (__sync_lock_test_and_set(told_of(buffer), 0) != note_of(buffer, sender))
		return false;
	__sync_fetch_and_add(&from->waiting, -1);
	return true;
}

/* Note that the event of its sending has all of a buffer, if nothing else is noted. */
static __always_inline void tell_now(const struct sock *sender, const struct sock *receiver,
				     const struct sk_buff *buffer, struct vhu_attach_watched *from,
				     struct vhu_attach_event *event, bool typed)
{
	__u64 *note = told_of(buffer), before = *note, own = note_of(buffer, sender);

	if (before == own && from->last_told == own) {
		/* Another thread has sent since, and its SENT event has reported its buffer. */
		forget_sent(event);
		return;
	}
	if ((__u32)before >> 1 == (__u32)own >> 1) {
		*note = 0;
		return;
	}
	if (before || __sync_val_compare_and_swap(note, 0, own))
		return;
	__sync_fetch_and_add(&from->waiting, 1);
	from->last_told = own;
	/* Who was quicker has told it. */
	event->told =
	    last_of(sender, receiver, typed) == buffer || !tell_later(buffer, sender, from);
}

/* Return whether a buffer's SENT event holds all of it, when its first @end bytes are taken; else
 * note that it is taken. */
static __always_inline bool was_told(const struct sk_buff *buffer, const struct sock *sender,
				     __u32 end)
{
	__u64 key = (__u64)sender, *note = told_of(buffer), own = note_of(buffer, sender);
	struct vhu_attach_watched *from;

	if (end < buffer->len)
		return *note == own;
	if (__sync_val_compare_and_swap(note, 0, own + 1) != own ||
	    __sync_lock_test_and_set(note, 0) != own)
		return false;
	from = bpf_map_lookup_elem(&watched, &key);
	if (from)
		__sync_fetch_and_add(&from->waiting, -1);
	return true;
}

/* Learn the cookies of both ends of a connection, when one sends and so both are there. */
static __always_inline void learn_cookies(struct vhu_attach_watched *from, struct sock *receiver)
{
	__u64 key = (__u64)receiver;
	struct vhu_attach_watched *to = bpf_map_lookup_elem(&watched, &key);
	/* Of pointers that come from a cast no cookie can be had. */
	const struct unix_sock *local = bpf_skc_to_unix_sock(receiver);

	if (local && local->peer)
		from->cookie = bpf_get_socket_cookie(local->peer);
	if (!to || to->id != (from->id ^ 1))
		return;
	to->cookie = bpf_get_socket_cookie(receiver);
	from->peer_learnt = 1;
}

/* Tell what was queued at @receiver, if that is watched. */
static __always_inline int tell_sent(void *context, const struct sock *sender,
				     struct sock *receiver, bool typed)
{
	const struct sk_buff *buffer = last_of(sender, receiver, typed);
	struct vhu_attach_watched *from =
	    find_or_adopt(sender, (__u64)READ(typed, sender, __sk_common.skc_cookie.counter),
			  receiver, buffer, buffer && !READ(typed, parms_of(buffer), consumed));
	struct vhu_attach_event *event;
	struct room *room;
	__u32 zero = 0;
	long result;

	room = bpf_map_lookup_elem(&rooms, &zero);
	if (!from || !room)
		return 0;
	if (typed && !from->peer_learnt)
		learn_cookies(from, receiver);
	event = &room->event;
	begin(event, VHU_ATTACH_SENT, sender, from);
	event->name = name_of(receiver, sender, typed);
	event->number = __sync_fetch_and_add(&from->sent, 1) + 1;
	if (buffer) {
		event->copied = fill_sent(context, buffer, event, room->bytes, typed);
		if (last_of(sender, receiver, typed) != buffer)
			forget_sent(event);
		else if (event->copied == event->length)
			tell_now(sender, receiver, buffer, from, event, typed);
	}
	zero = event->copied & (VHU_ATTACH_SENT_MAX - 1);
	result =
	    bpf_perf_event_output(context, &events, BPF_F_CURRENT_CPU, room, sizeof(*event) + zero);
	count_lost(result);
	if (result && buffer && event->told)
		tell_later(buffer, sender, from);
	return 0;
}

/* Functions of their own, so that others' messages do not pay for the registers and the stack that
 * these use. */
static __noinline int tell_sent_typed(void *context, const struct sock *sender,
				      struct sock *receiver)
{
	return tell_sent(context, sender, receiver, true);
}

static __noinline int tell_sent_untyped(void *context, const struct sock *sender,
					struct sock *receiver)
{
	return tell_sent(context, sender, receiver, false);
}

/* Something was queued at @receiver, in the context of the task that sends it. */
static __always_inline int on_sent(void *context, struct sock *receiver, bool typed)
{
	const struct unix_sock *local;
	struct sock *sender;

	if (is_stranger(receiver) || !is_local_stream(receiver, typed))
		return 0;
	local = local_of(receiver, typed);
	if (!local)
		return 0;
	sender = READ(typed, local, peer);
	if (!sender || !may_concern(local, sender, typed))
		return 0;
	return typed ? tell_sent_typed(context, sender, receiver)
		     : tell_sent_untyped(context, sender, receiver);
}

SEC("tp_btf/sk_data_ready")
int sent_tracepoint(__u64 *args)
{
	return on_sent(args, (struct sock *)args[0], true);
}

SEC("fentry/sock_def_readable")
int sent_fentry(__u64 *args)
{
	return on_sent(args, (struct sock *)args[0], true);
}

SEC("kprobe/sock_def_readable")
int sent_kprobe(struct pt_regs *regs)
{
	return on_sent(regs, (struct sock *)PT_REGS_PARM1(regs), false);
}

/* Tell what is taken of a buffer, unless the event of its sending has it. */
static __noinline int tell_taken(__u64 *args, struct sk_buff *buffer, struct sock *sender,
				 const struct sock *receiver)
{
	__u32 consumed = parms_of(buffer)->consumed, copied;
	struct vhu_attach_watched *from;
	struct vhu_attach_event event;

	if (was_told(buffer, sender, consumed + (__u32)args[1]))
		return 0;
	from = find_or_adopt(sender, (__u64)sender->__sk_common.skc_cookie.counter, receiver,
			     buffer, !consumed);
	if (!from)
		return 0;
	begin(&event, VHU_ATTACH_TAKEN, sender, from);
	event.name = name_of(sender, receiver, true);
	event.number = __sync_fetch_and_add(&from->taken, 1) + 1;
	event.buffer = (__u64)buffer;
	event.length = (__u32)args[1];
	event.consumed = consumed;
	event.whole = buffer->len;
	describe_fds(args, buffer, &event, true);
	copied = consumed + event.length;
	if (copied > event.whole)
		copied = event.whole;
	if (copied > VHU_ATTACH_TAKEN_MAX)
		copied = VHU_ATTACH_TAKEN_MAX;
	event.copied = copied;
	count_lost(bpf_skb_output(buffer, &events, BPF_F_CURRENT_CPU | (__u64)copied << 32, &event,
				  sizeof(event)));
	return 0;
}

SEC("tp_btf/skb_copy_datagram_iovec")
int taken(__u64 *args)
{
	struct sk_buff *buffer = (struct sk_buff *)args[0];
	struct sock *sender = buffer->sk;
	const struct unix_sock *local;
	const struct sock *receiver;

	if (!sender || is_stranger(sender) || !is_local_stream(sender, true))
		return 0;
	local = local_of(sender, true);
	if (!local)
		return 0;
	receiver = local->peer;
	return may_concern(local, receiver, true) ? tell_taken(args, buffer, sender, receiver) : 0;
}
