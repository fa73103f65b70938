/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single actions of faults on a message: one function each. */
#include "proxy/fault/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"

void vhu_fault_edit_tell(struct vhu_fault_edit_work *work, const char *format, ...)
{
	char part[VHU_RECORD_TEXT_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(part, sizeof(part), format, arguments);
	va_end(arguments);
	if (work->told == work->fault->id)
		vhu_line_printf(&work->text, ", %s", part);
	else
		vhu_line_printf(&work->text, "%sfault %u: %s", work->text.length ? "; " : "",
				work->fault->id, part);
	work->told = work->fault->id;
}

/* Tell the person, once a fault, why it is not followed, made as printf makes it. */
static __attribute__((format(printf, 2, 3))) void cannot(struct vhu_fault_edit_work *work,
							 const char *format, ...)
{
	char why[160];
	va_list arguments;

	if (work->fault->said)
		return;
	work->fault->said = true;
	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	vhu_proxy_session_say(work->link->session, "fault %u: %s", work->fault->id, why);
}

/* Read an integer of the message, header included. */
static uint64_t integer_at(const struct vhu_fault_edit_work *work, uint32_t offset, uint32_t size)
{
	return vhu_integer_read(work->relay->buffer + offset, size, vhu_host_is_big_endian());
}

/* Write one. */
static void put_integer(struct vhu_fault_edit_work *work, uint32_t offset, uint32_t size,
			uint64_t value)
{
	vhu_integer_write(work->relay->buffer + offset, size, vhu_host_is_big_endian(), value);
}

/* Where the header has its flags and its size. */
enum { AT_FLAGS = 4, AT_SIZE = 8 };

/* Let the message wait for a time. */
static void do_delay(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const uint64_t ns = vhu_faults_delay(&work->link->session->proxy->faults, work->fault,
					     action, work->message.session);
	char text[VHU_DURATION_TEXT_SIZE];

	work->plan->delay_ns += ns;
	vhu_fault_edit_tell(work, "delayed %s", vhu_duration_text(ns, text));
}

/* The person, or a fault's removal, lets a message go. */
static void let_go(struct vhu_fault_held *held)
{
	struct vhu_relay_plan *plan = vhu_container_of(held, struct vhu_relay_plan, held);

	vhu_relay_let_go(plan->relay);
}

/* Hold the message until it is let go. */
static void do_hold(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	struct vhu_relay_plan *plan = work->plan;

	plan->hold_ns = action->from;
	vhu_fault_edit_tell(work, "held");
	if (plan->hold)
		return;
	plan->hold = true;
	plan->held.session = work->message.session;
	plan->held.fault = work->fault->id;
	plan->held.release = let_go;
	vhu_faults_hold(&work->link->session->proxy->faults, &plan->held);
}

/* Do not pass the message on. */
static void do_drop(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	(void)action;
	work->plan->drop = true;
	vhu_fault_edit_tell(work, "dropped");
}

/* Send the message several times. */
static void do_duplicate(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	work->plan->copies += (unsigned)action->from;
	work->plan->fault = work->fault->id;
}

/* Send the message in pieces. */
static void do_split(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	struct vhu_relay_plan *plan = work->plan;
	char text[VHU_FAULT_PIECES_MAX * 12] = "";
	struct vhu_line line = vhu_line_in(text, sizeof(text));

	plan->pieces = action->pieces;
	memcpy(plan->piece, action->piece, sizeof(plan->piece));
	plan->pause_ns = action->from;
	for (unsigned i = 0; i < action->pieces; i++)
		vhu_line_printf(&line, "%s%" PRIu32, i ? ", " : "", action->piece[i]);
	vhu_fault_edit_tell(work, "split at %s", text);
}

/* Let others go first. */
static void do_reorder(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	work->plan->behind = (unsigned)action->from;
	vhu_fault_edit_tell(work, "sent after the next %" PRIu64, action->from);
}

/* Send only the message's beginning. */
static void do_truncate(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const uint64_t size = work->relay->got;

	if (action->from >= size) {
		cannot(work, "truncate %" PRIu64 ": the message has %" PRIu64 " bytes",
		       action->from, size);
		return;
	}
	if (!action->from)
		work->plan->drop = true;
	else
		vhu_relay_truncate(work->relay, action->from);
	vhu_fault_edit_tell(work, "truncated from %" PRIu64 " to %" PRIu64 " bytes", size,
			    action->from);
}

/* Give the message a payload of another size. */
static void do_resize(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const uint64_t before = work->relay->got - VHU_HEADER_SIZE;

	/* What was truncated stays so. */
	if (work->relay->got < VHU_HEADER_SIZE || before == action->from)
		return;
	if (vhu_relay_resize(work->relay, (uint32_t)action->from)) {
		cannot(work, "resize %" PRIu64 ": no memory", action->from);
		return;
	}
	put_integer(work, AT_SIZE, 4, action->from);
	vhu_fault_edit_tell(work, "payload resized from %" PRIu64 " to %" PRIu64, before,
			    action->from);
}

/* Let the header tell another size. */
static void do_size(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const uint64_t before = integer_at(work, AT_SIZE, 4);

	if (work->relay->got < VHU_HEADER_SIZE || before == action->from)
		return;
	put_integer(work, AT_SIZE, 4, action->from);
	vhu_fault_edit_tell(work, "header.size %" PRIu64 " -> %" PRIu64, before, action->from);
}

/* Close the connection before or after the message. */
static void do_cut(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const bool after = action->command == VHU_FAULT_CUT_AFTER;

	work->plan->fault = work->fault->id;
	work->plan->cut_after |= after;
	work->plan->cut_before |= !after;
	vhu_fault_edit_tell(work, "connection cut %s it", after ? "after" : "before");
}

/* A part of an integer of a message. */
struct vhu_fault_part {
	const char *name;
	uint32_t offset, size; /* of the integer, from the message's first byte */
	uint64_t mask;         /* 0: all of it */
	bool big_endian, hex;
};

/* Set @part to @value. */
static void set_part(struct vhu_fault_edit_work *work, const struct vhu_fault_part *part,
		     uint64_t value)
{
	uint8_t *bytes = work->relay->buffer + part->offset;
	const uint64_t mask = part->mask ? part->mask : UINT64_MAX;
	const unsigned shift = (unsigned)__builtin_ctzll(mask);
	const uint64_t all = vhu_integer_read(bytes, part->size, part->big_endian);
	const uint64_t before = (all & mask) >> shift;

	if (before == value)
		return;
	vhu_integer_write(bytes, part->size, part->big_endian,
			  (all & ~mask) | (value << shift & mask));
	if (part->hex)
		vhu_fault_edit_tell(work, "%s 0x%" PRIx64 " -> 0x%" PRIx64, part->name, before,
				    value);
	else
		vhu_fault_edit_tell(work, "%s %" PRIu64 " -> %" PRIu64, part->name, before, value);
}

/* Set bytes of the message, whatever they are. */
static void set_bytes(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const struct vhu_fault_field *field = &action->field;
	char name[24];

	if ((uint64_t)field->offset + field->size > work->relay->got) {
		cannot(work, "set: the message has only %" PRIu64 " bytes", work->relay->got);
		return;
	}
	snprintf(name, sizeof(name), "u%" PRIu32 "[%" PRIu32 "]", 8 * field->size,
		 field->offset - VHU_HEADER_SIZE);
	set_part(work,
		 &(struct vhu_fault_part){
		     .name = field->path ? field->path : name,
		     .offset = field->offset,
		     .size = field->size,
		     .mask = field->mask,
		     .big_endian = vhu_host_is_big_endian(),
		     .hex = true,
		 },
		 action->from);
}

/* Set fields of the table. */
static void do_set(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const struct vhu_fault_field *field = &action->field;
	struct vhu_fault_message now = work->message;
	struct vhu_fault_walk walk;
	struct vhu_item item;
	bool found = false;

	if (field->place == VHU_FAULT_BYTES) {
		set_bytes(work, action);
		return;
	}
	now.bytes = work->relay->buffer;
	now.size = (uint32_t)work->relay->got;
	if (vhu_fault_walk_start(&walk, work->fault, &now)) {
		while (vhu_fault_walk_next(&walk, field, &item)) {
			set_part(work,
				 &(struct vhu_fault_part){
				     .name = field->path,
				     .offset = VHU_HEADER_SIZE + item.offset,
				     .size = item.size,
				     .mask = item.field->mask,
				     .big_endian = item.big_endian,
				     .hex = item.field->show == VHU_HEX,
				 },
				 action->from);
			found = true;
		}
	}
	if (!found)
		cannot(work, "set: the message has no %s", field->path);
}

/* Return whether the peer that sent a request waits for an acknowledgement. */
static bool ack_is_due(const struct vhu_fault_edit_work *work)
{
	return work->relay->header.flags & VHU_FLAG_NEED_REPLY &&
	       (!work->row || work->row->reply_rule == VHU_REPLY_ACK);
}

/* Answer a request in its receiver's place, or give a reply another value. */
static void do_reply(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	if (!work->reply && action->command == VHU_FAULT_ERROR_REPLY && !ack_is_due(work)) {
		cannot(work, "error: no acknowledgement is due: passed on");
		return;
	}
	if (!work->reply) {
		work->plan->drop = work->plan->answer = true;
		work->plan->value = action->from;
		work->plan->fault = work->fault->id;
		vhu_fault_edit_tell(work, "answered by the proxy");
		return;
	}
	if (work->relay->got != VHU_HEADER_SIZE + 8)
		do_resize(work, &(struct vhu_fault_action){.from = 8});
	if (work->relay->got == VHU_HEADER_SIZE + 8)
		set_part(work,
			 &(struct vhu_fault_part){
			     .name = "reply",
			     .offset = VHU_HEADER_SIZE,
			     .size = 8,
			     .big_endian = vhu_host_is_big_endian(),
			     .hex = true,
			 },
			 action->from);
}

/* Leave out a descriptor, or all. */
static void do_lose_fd(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	struct vhu_relay *relay = work->relay;

	if (action->from == UINT64_MAX ? !relay->fds : action->from >= relay->fds) {
		cannot(work, "lose-fd: no such descriptor among %u", relay->fds);
		return;
	}
	if (action->from != UINT64_MAX) {
		vhu_relay_lose_fd(relay, (unsigned)action->from);
		vhu_fault_edit_tell(work, "lost descriptor %" PRIu64, action->from);
		return;
	}
	vhu_fault_edit_tell(work, "lost %u descriptor%s", relay->fds, relay->fds == 1 ? "" : "s");
	while (relay->fds)
		vhu_relay_lose_fd(relay, relay->fds - 1);
}

/* Add a descriptor. */
static void do_extra_fd(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	struct vhu_relay *relay = work->relay;
	const int null_fd = work->link->session->proxy->faults.null_fd;
	const bool copy = !action->from && relay->fds;
	int fd;

	if (copy || null_fd > 0)
		fd = fcntl(copy ? relay->fd[relay->fds - 1] : null_fd, F_DUPFD_CLOEXEC, 3);
	else
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		cannot(work, "extra-fd: %s", strerror(errno));
		return;
	}
	if (vhu_relay_add_fd(relay, fd)) {
		close(fd);
		cannot(work, "extra-fd: the message has %u already", relay->fds);
		return;
	}
	vhu_fault_edit_tell(work, "extra descriptor: %s", copy ? "a copy" : "/dev/null");
}

/* Ask for an acknowledgement. */
static void do_need_reply(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	const uint64_t flags = integer_at(work, AT_FLAGS, 4);

	(void)action;
	if (work->relay->got < VHU_HEADER_SIZE)
		return;
	if (work->reply || work->link->channel == VHU_GPU) {
		cannot(work, "need-reply: only requests outside the GPU channel carry this flag");
		return;
	}
	if (flags & VHU_FLAG_NEED_REPLY)
		return;
	put_integer(work, AT_FLAGS, 4, flags | VHU_FLAG_NEED_REPLY);
	vhu_fault_edit_tell(work, "NEED_REPLY set");
	if (!work->row || work->row->reply_rule == VHU_REPLY_ACK)
		work->plan->asks = work->fault->id;
}

/* What is done, and whether it can be done to a message that passes before it is whole. */
static const struct {
	void (*act)(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action);
	bool any_time;
} doing[VHU_FAULT_VERBS] = {
    [VHU_FAULT_DELAY] = {do_delay, true},
    [VHU_FAULT_HOLD] = {do_hold, true},
    [VHU_FAULT_DROP] = {do_drop},
    [VHU_FAULT_DUPLICATE] = {do_duplicate},
    [VHU_FAULT_SPLIT] = {do_split},
    [VHU_FAULT_REORDER] = {do_reorder},
    [VHU_FAULT_TRUNCATE] = {do_truncate},
    [VHU_FAULT_RESIZE] = {do_resize},
    [VHU_FAULT_SIZE] = {do_size},
    [VHU_FAULT_CUT_BEFORE] = {do_cut, true},
    [VHU_FAULT_CUT_AFTER] = {do_cut, true},
    [VHU_FAULT_SET] = {do_set},
    [VHU_FAULT_REPLY] = {do_reply},
    [VHU_FAULT_ERROR_REPLY] = {do_reply},
    [VHU_FAULT_LOSE_FD] = {do_lose_fd},
    [VHU_FAULT_EXTRA_FD] = {do_extra_fd},
    [VHU_FAULT_NEED_REPLY] = {do_need_reply},
};

bool vhu_fault_edit_stops(const struct vhu_fault_edit_work *work,
			  const struct vhu_fault_action *action)
{
	if (!work->whole && !doing[action->command].any_time)
		return false;
	switch (action->command) {
	case VHU_FAULT_DROP:
	case VHU_FAULT_CUT_BEFORE:
		return true;
	case VHU_FAULT_REPLY:
		return !work->reply;
	case VHU_FAULT_ERROR_REPLY:
		return !work->reply && ack_is_due(work);
	default:
		return false;
	}
}

void vhu_fault_edit_do(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action)
{
	if (work->whole || doing[action->command].any_time)
		doing[action->command].act(work, action);
	else
		cannot(work, "%s: the message passes before it is whole: left as it is",
		       vhu_fault_verb_name(action->command));
}
