/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring, its requests and the verdict on it as text and as JSON.
 *
 * Text functions return what snprintf would. JSON functions write members into the object that the
 * caller has opened, which may hold others (session).
 */
#ifndef VHU_RING_VERDICT_SHOW_H
#define VHU_RING_VERDICT_SHOW_H

#include "lib/ring/verdict/verdict.h"
#include "lib/util/json.h"

/* Room for any line of these functions. */
#define VHU_RING_SHOW_TEXT 1024

/* Write the numbers of a vring: "vring 0: split, size 128, available 3, used 0, 3 waiting, 1 in
 * flight, kick 1, call 0". */
int vhu_ring_numbers_text(const struct vhu_ring_evidence *evidence, char *to, size_t size);

/* Write the verdict: "vring 0: 3 buffers wait, ...: the back-end did not re-arm notification (D2)",
 * with its alternatives, ", or the ... (D4)", and what tells them apart. */
int vhu_ring_verdict_text(unsigned vring, const struct vhu_ring_verdict *verdict, char *to,
			  size_t size);

/* Write what to do about cause @id, which is the verdict's or one of its alternatives: "report it
 * to the back-end: ...; `vhu ctl -s CONTROL kick 1 0` unsticks the guest", if there is a proxy. */
int vhu_ring_advice_text(const struct vhu_ring_evidence *evidence,
			 const struct vhu_ring_verdict *verdict, enum vhu_ring_verdict_id id,
			 char *to, size_t size);

/* Write a request: "head 5, in flight, 2 buffers: 0x1000 16 (NEXT), 0x2000 512 (WRITE)". */
int vhu_ring_chain_text(const struct vhu_ring_chain *chain, bool packed, bool taken, char *to,
			size_t size);

/*
 * Write all that was read of a vring, and the verdict:
 *
 *	vring		its index; left out, with all about its memory, of a session without vrings
 *	verdict		{id, title, text, hangs, alternatives: [id], apart, advice};
 *			id: D1 to D21, D2b, moving, unread
 *	error		why the memory could not be read; then the next nine are left out
 *	format		"split" or "packed"
 *	size, available, used, waiting
 *	available_wrap, used_wrap	packed rings, whose available and used are rows of the ring
 *	waiting_least	if it differs from waiting: the used position is a guess
 *	used_known_by	"index", "inflight", "event", "guess"
 *	driver_events, device_events	{flags, event_index}: what each asks; the
 *			latter with EVENT_IDX only
 *	kick_wanted	"wanted", "suppressed", "stale", "taken"; if something waits
 *	call_wanted	"unknown", "suppressed", "ahead", "passed"
 *	in_flight, inflight_area	{descriptors, used, entries: [the oldest 64]};
 *			if the area is known
 *	broken		{head, fault, descriptor, address}: a chain that is
 *	kick, call	{eventfd_id, count, poller}; poller: "none", "level", "edge";
 *			if known
 *	front_end, back_end	{pid, state, unread}
 *	view		{available, used} as the front-end sees them
 *	pending		{request_number, message, age_ns, from}: a request without its reply
 *	vring_state	{started, enabled, polled, stopped_by, stopped_message, base, base_by}
 *	probes		{since_ns, until_ns, kicks, wakes, calls}
 *	waiting_since_ns
 *	dead_eventfds	{held, resets, since}
 *	mapping		{private, other_file, side}
 *	samples		[{monotonic_ns, available, used, waiting, kick_count, call_count}]
 */
void vhu_ring_evidence_json(struct vhu_json *json, const struct vhu_ring_evidence *evidence,
			    const struct vhu_ring_verdict *verdict);

/*
 * Write a request: {head, buffer_id, taken, descriptors, readable, writable, header, header_fields,
 * fault, buffers: [{address, size, flags, flags_names, indirect, mapped}]}.
 * @request: its header; NULL if it has none that is known, and then it is left out.
 */
void vhu_ring_chain_json(struct vhu_json *json, const struct vhu_ring_chain *chain, bool packed,
			 bool taken, const struct vhu_ring_request *request,
			 const struct vhu_context *context);

#endif
