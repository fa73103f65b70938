/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened on a vring: who did what, and how long after what led to it. */
#include "dissector/tree/event.h"

#include <string.h>

static int hf_act = -1, hf_vring = -1, hf_eventfd = -1, hf_pid = -1, hf_tid = -1, hf_cpu = -1;
static int hf_comm = -1, hf_kick_to_wake = -1, hf_wake_to_call = -1, hf_kick_to_call = -1;
static int hf_signals = -1, hf_fate = -1;

static value_string acts[VHU_ACTS + 1], fates[VHU_FATES + 1];

/* Times are numbers, so that an I/O graph draws their averages and maxima. */
#define TIME(hf, label, filter)                                                                    \
	{                                                                                          \
		&hf,                                                                               \
		{                                                                                  \
			label, "vhost_user.vring." filter, FT_RELATIVE_TIME, BASE_NONE, NULL, 0,   \
			    NULL, HFILL                                                            \
		}                                                                                  \
	}

static hf_register_info fields[] = {
    {&hf_act, {"Event", "vhost_user.vring.event", FT_UINT8, BASE_DEC, VALS(acts), 0, NULL, HFILL}},
    {&hf_vring, {"Vring", "vhost_user.vring", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_eventfd,
     {"Eventfd", "vhost_user.vring.eventfd", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_pid, {"Process", "vhost_user.vring.pid", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_tid, {"Thread", "vhost_user.vring.tid", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_cpu, {"Processor", "vhost_user.vring.cpu", FT_UINT32, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_comm, {"Command", "vhost_user.vring.comm", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL}},
    TIME(hf_kick_to_wake, "Kick to wake", "kick_to_wake"),
    TIME(hf_wake_to_call, "Wake to call", "wake_to_call"),
    TIME(hf_kick_to_call, "Kick to call", "kick_to_call"),
    {&hf_signals,
     {"Signals", "vhost_user.vring.signals", FT_UINT64, BASE_DEC, NULL, 0, NULL, HFILL}},
    {&hf_fate, {"Fate", "vhost_user.vring.fate", FT_UINT8, BASE_DEC, VALS(fates), 0, NULL, HFILL}},
};

void vhu_event_register(int proto)
{
	for (unsigned i = 0; i < VHU_ACTS; i++)
		acts[i] = (value_string){i, vhu_vring_act_name((enum vhu_vring_act)i)};
	for (unsigned i = 0; i < VHU_FATES; i++)
		fates[i] = (value_string){i, vhu_vring_fate_name((enum vhu_vring_fate)i)};
	proto_register_field_array(proto, fields, array_length(fields));
}

/* Add a time where it is known. */
static void add_time(proto_tree *tree, tvbuff_t *tvb, int head, int hf, bool known, uint64_t ns)
{
	nstime_t time = {(time_t)(ns / 1000000000), (int)(ns % 1000000000)};

	if (known)
		proto_tree_add_time(tree, hf, tvb, 0, head, &time);
}

void vhu_event_add(proto_tree *tree, tvbuff_t *tvb, const uint8_t *bytes, int head,
		   const struct vhu_vring_event *event)
{
	proto_tree_add_uint(tree, hf_act, tvb, 0, head, event->act);
	proto_tree_add_uint(tree, hf_vring, tvb, 0, head, event->vring);
	proto_tree_add_uint(tree, hf_eventfd, tvb, 0, head, event->eventfd_id);
	proto_tree_add_uint(tree, hf_pid, tvb, 0, head, event->pid);
	proto_tree_add_uint(tree, hf_tid, tvb, 0, head, event->tid);
	proto_tree_add_uint(tree, hf_cpu, tvb, 0, head, event->cpu);
	if (*event->comm)
		proto_tree_add_item(tree, hf_comm, tvb, (int)((const uint8_t *)event->comm - bytes),
				    (int)strlen(event->comm), ENC_UTF_8);
	add_time(tree, tvb, head, hf_kick_to_wake, event->has & VHU_VRING_HAS_KICK_TO_WAKE,
		 event->kick_to_wake);
	add_time(tree, tvb, head, hf_wake_to_call, event->has & VHU_VRING_HAS_WAKE_TO_CALL,
		 event->wake_to_call);
	add_time(tree, tvb, head, hf_kick_to_call, event->has & VHU_VRING_HAS_KICK_TO_CALL,
		 event->kick_to_call);
	if (!(event->has & VHU_VRING_HAS_FATE))
		return;
	proto_tree_add_uint64(tree, hf_signals, tvb, 0, head, event->signals);
	proto_tree_add_uint(tree, hf_fate, tvb, 0, head, event->fate);
}
