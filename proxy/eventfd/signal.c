/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifiers: what comes on a wire is counted, timed, recorded, and lost or changed by faults. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/eventfd/eventfd.h"
#include "proxy/eventfd/interposer.h"

/* Between a signal and its repetition, so that whoever waits for it wakes twice. */
#define SIGNAL_REPEAT_NS 1000000u

/* How long a call may come after the one that answered its kick together with another. */
#define SIGNAL_SPARE_NS VHU_NS_PER_S

/* A signal, or several that are treated alike. */
struct signal {
	struct vhu_interposer *interposer;
	struct vhu_interposer_vring *ring;
	struct vhu_eventfd_relay *wire;
	uint64_t count;
	enum vhu_vring_fate fate;
	unsigned fault; /* that decided its fate; 0: none */
	bool timed;     /* a call that answers kicks */
	uint64_t kick_to_call;
};

/* Record a signal of a vring. @id: of the front-end's eventfd. */
static void record_signal(struct vhu_session_common *session, uint32_t vring,
			  enum vhu_vring_role role, uint32_t id, const struct signal *signal)
{
	const struct vhu_peer *peer = &session->peer[role == VHU_KICK ? VHU_FRONT : VHU_BACK];
	const bool ours = signal->fate == VHU_FATE_SENT;
	struct vhu_record record = {.type = VHU_RECORD_VRING};
	struct vhu_vring_event *event = &record.vring;
	char text[32];

	if (signal->fault) {
		snprintf(text, sizeof(text), "fault %u", signal->fault);
		record.text = text;
	}
	record.time_ns = vhu_realtime_ns();
	event->act = role == VHU_KICK   ? VHU_ACT_KICK
		     : role == VHU_CALL ? VHU_ACT_CALL
					: VHU_ACT_ERR;
	event->has = VHU_VRING_HAS_FATE | (signal->timed ? VHU_VRING_HAS_KICK_TO_CALL : 0);
	event->vring = vring;
	event->eventfd_id = id;
	event->pid = ours ? (uint32_t)getpid() : peer->pid;
	event->comm = ours ? "vhu" : peer->comm;
	event->kick_to_call = signal->kick_to_call;
	event->signals = signal->count;
	event->fate = signal->fate;
	vhu_proxy_session_record(session, VHU_FRONT_END, &record);
}

/* A call, unless it is lost, answers all kicks that came before. */
static void signal_answers(struct signal *signal)
{
	struct vhu_interposer_vring *ring = signal->ring;
	const uint64_t now = vhu_now_ns();
	/* A back-end that was kicked twice may call twice. */
	const uint64_t spare = now - ring->spare_ns < SIGNAL_SPARE_NS ? ring->spare_kicks : 0;
	const uint64_t open = ring->turns.open;
	const uint64_t kicks = open + spare;
	const uint64_t left = signal->count < kicks ? kicks - signal->count : 0;

	if (signal->count > kicks)
		ring->calls_without_kick += signal->count - kicks;
	/* Those of long ago have had their calls. */
	ring->spare_kicks = open && left > open ? open : left;
	vhu_turns_call(&ring->turns, signal->count);
	if (!open)
		return;
	ring->spare_ns = now;
	signal->timed = true;
	signal->kick_to_call = now - ring->turns.open_ns;
	vhu_histogram_add(&ring->kick_to_call, signal->kick_to_call, 1);
}

/* Count @signal, and record it if that was asked for. */
static void signal_note(struct signal *signal)
{
	struct vhu_interposer_vring *ring = signal->ring;
	struct vhu_interposer_count *count = &ring->count[signal->wire->role];
	/* Those that are lost are recorded in any case, and what passes first behind them. */
	const bool record = signal->interposer->notify->record || signal->fate == VHU_FATE_LOST ||
			    ring->lost_by[signal->wire->role];

	count->signals += signal->count;
	ring->lost_by[signal->wire->role] = signal->fate == VHU_FATE_LOST ? signal->fault : 0;
	if (signal->fate == VHU_FATE_LOST)
		count->lost += signal->count;
	else if (signal->fate == VHU_FATE_DELAYED)
		count->delayed += signal->count;
	else if (signal->fate == VHU_FATE_REPEATED)
		count->repeated += signal->count;
	else if (signal->fate == VHU_FATE_SENT)
		count->sent += signal->count;
	if (signal->wire->role == VHU_KICK && signal->fate == VHU_FATE_SENT) {
		/* A call may come of it, or none. */
		ring->spare_kicks += signal->count;
		ring->spare_ns = vhu_now_ns();
	} else if (signal->wire->role == VHU_KICK) {
		vhu_turns_kick(&ring->turns, signal->count, vhu_now_ns());
	} else if (signal->wire->role == VHU_CALL && signal->fate != VHU_FATE_LOST) {
		signal_answers(signal);
	}
	if (record || signal->fate == VHU_FATE_SENT)
		record_signal(signal->interposer->session, ring->vring, signal->wire->role,
			      signal->wire->id, signal);
	vhu_metrics_signals(signal->interposer->session->metrics, ring->vring, signal->wire->role,
			    signal->count, signal->fate == VHU_FATE_LOST ? signal->count : 0,
			    signal->timed ? signal->kick_to_call : 0);
}

/* Do to @signal what no fault speaks of: pass it on. */
static void signal_pass(struct signal *signal)
{
	if (!signal->count)
		return;
	signal->fate = VHU_FATE_PASSED;
	signal->fault = 0;
	/* Noted before it passes: what follows from it is noted after it. */
	signal_note(signal);
	vhu_eventfd_relay_pass(signal->wire, signal->count, 0);
}

/* Do to one signal what faults say. */
static void signal_change(struct signal *signal, const struct vhu_fault_effect *effect)
{
	signal->count = 1;
	signal->fault = effect->fault->id;
	signal->fate = effect->lose       ? VHU_FATE_LOST
		       : effect->repeat   ? VHU_FATE_REPEATED
		       : effect->delay_ns ? VHU_FATE_DELAYED
					  : VHU_FATE_PASSED;
	signal_note(signal);
	if (effect->lose)
		return;
	for (uint64_t i = 0; i <= effect->repeat; i++)
		vhu_eventfd_relay_pass(signal->wire, 1, effect->delay_ns + i * SIGNAL_REPEAT_NS);
}

void vhu_interposer_taken(struct vhu_eventfd_relay *wire, uint64_t count)
{
	struct vhu_interposer *interposer = wire->context;
	struct vhu_session_common *session = interposer->session;
	struct signal signal = {
	    .interposer = interposer, .ring = interposer->ring[wire->vring], .wire = wire};
	struct vhu_fault_event event = {
	    .session = session->number,
	    .role = wire->role,
	    .vring = wire->vring,
	};
	uint64_t looked = 0, pass = 0;

	/* The kick that a call answers may be there and not taken yet. */
	if (wire->role == VHU_CALL && signal.ring->wire[VHU_KICK])
		vhu_eventfd_relay_pump(signal.ring->wire[VHU_KICK]);
	/* Those that are treated alike go together. */
	while (session->proxy->faults.first && wire->role != VHU_ERR && looked < count &&
	       looked < VHU_INTERPOSER_ONE_BY_ONE) {
		struct vhu_fault_effect effect;

		looked++;
		if (!vhu_faults_event(&session->proxy->faults, &session->faults, &event, &effect)) {
			pass++;
			continue;
		}
		signal.count = pass;
		signal_pass(&signal);
		pass = 0;
		signal_change(&signal, &effect);
	}
	signal.count = pass + (count - looked);
	signal_pass(&signal);
}

int vhu_interposer_send(struct vhu_session_common *session, struct vhu_interposer *interposer,
			uint32_t vring, enum vhu_vring_role role, uint32_t *id)
{
	struct vhu_interposer_vring *ring = interposer ? interposer->ring[vring] : NULL;
	const struct vhu_kept_eventfd kept =
	    vhu_kept_eventfds_find(&session->eventfds, vring, role);
	struct signal signal = {
	    .interposer = interposer,
	    .ring = ring,
	    .wire = ring ? ring->wire[role] : NULL,
	    .count = 1,
	    .fate = VHU_FATE_SENT,
	};
	int error;

	if (signal.wire) {
		*id = signal.wire->id;
		signal_note(&signal);
		vhu_eventfd_relay_pass(signal.wire, 1, 0);
		return 0;
	}
	if (kept.fd < 0)
		return -ENOENT;
	*id = kept.id;
	error = vhu_eventfd_add(kept.fd, 1);
	if (!error)
		record_signal(session, vring, role, kept.id, &signal);
	return error;
}
