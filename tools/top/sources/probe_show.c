/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What probes make known of the sessions of a back-end or a socket, put together: vhu attach --list
 * names the sessions, vhu latency counts on the vrings that have traffic, and vhu rings has
 * verdicts on vrings, also on those without.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cli/device.h"
#include "lib/util/util.h"
#include "tools/top/sources/probe.h"

/* vhu latency concludes which eventfds are a vring's after 1 to 3 s of traffic, and says so after
 * the interval. */
#define LEARN_NS (3 * VHU_NS_PER_S + VHU_NS_PER_S / 2)

/* Return for how long traffic of a pair was listened to. */
static uint64_t listened(const struct vhu_top_probe *probe, const struct vhu_top_pair *pair,
			 uint64_t now_ns)
{
	const uint64_t began =
	    probe->listens_ns > pair->since_ns ? probe->listens_ns : pair->since_ns;

	return probe->listens_ns && now_ns > began ? now_ns - began : 0;
}

bool vhu_top_probe_listens(const struct vhu_top_probe *probe, const struct vhu_top_pair *pair,
			   uint64_t now_ns)
{
	return listened(probe, pair, now_ns) < LEARN_NS + probe->among->delay_ns;
}

/* Return the session of a number, begun if nothing was said of it yet; NULL out of memory. */
static struct vhu_top_session *session_of(struct vhu_top_probe *probe, uint64_t number,
					  uint64_t now_ns)
{
	for (unsigned i = 0; i < probe->source->sessions; i++)
		if (probe->source->session[i]->number == number && probe->source->session[i]->seen)
			return probe->source->session[i];
	return vhu_top_session_begin(probe->source, number, now_ns);
}

/* Return the virtio device that a command line calls @word; 0: not known. */
static uint32_t device_of(const char *word)
{
	return strcmp(word, "blk") ? vhu_device_parse(word) : VIRTIO_ID_BLOCK;
}

/* Begin the session of a pair. @back: which side is the back-end. */
static void begin(struct vhu_top_probe *probe, struct vhu_top_pair *pair, unsigned back,
		  uint64_t now_ns)
{
	struct vhu_top_session *session;
	uint64_t since_ns = now_ns;

	if (!pair->number)
		pair->number = ++probe->among->pairs.numbered;
	session = session_of(probe, pair->number, now_ns);
	pair->busy = false;
	if (!session)
		return;
	session->peer[VHU_TOP_FRONT] = pair->peer[!back];
	session->peer[VHU_TOP_BACK] = pair->peer[back];
	memcpy(session->peer[VHU_TOP_FRONT].path, pair->socket, VHU_TOP_NAME);
	memcpy(session->device, pair->device, sizeof(session->device));
	session->device_id = device_of(pair->device);
	session->silence = (struct vhu_top_silence){
	    .known = true,
	    .listens = vhu_top_probe_listens(probe, pair, now_ns),
	    .for_ns = listened(probe, pair, now_ns),
	    .signalled = vhu_top_pair_signalled(pair, &since_ns),
	};
	session->silence.signalled_ns = now_ns - since_ns;
	*session->hint = '\0';
}

/* Return the pair that a vring with this kick eventfd belongs to: the probe's only one, or the only
 * one that has the eventfd. NULL: not known. */
static struct vhu_top_pair *pair_with(const struct vhu_top_probe *probe, uint32_t kick)
{
	struct vhu_top_pairs *pairs = &probe->among->pairs;
	struct vhu_top_pair *only = NULL, *has = NULL;
	unsigned fitting = 0, having = 0, back;

	for (unsigned i = 0; i < pairs->count; i++) {
		struct vhu_top_pair *pair = &pairs->pair[i];

		if (!vhu_top_pair_fits(pair, probe->pid, probe->socket, &back))
			continue;
		only = pair;
		fitting++;
		if (vhu_top_pair_has(pair, kick)) {
			has = pair;
			having++;
		}
	}
	return fitting == 1 ? only : having == 1 ? has : NULL;
}

/* Return what vhu rings said of the vring with this kick eventfd; NULL: nothing. */
static const struct vhu_top_verdict *verdict_with(const struct vhu_top_asked *asked, uint32_t kick)
{
	for (unsigned i = 0; asked && i < asked->verdicts; i++)
		if (asked->verdict[i].has_kick && asked->verdict[i].kick == kick)
			return &asked->verdict[i];
	return NULL;
}

/* Add what vhu rings said to what is known of a vring. */
static void judge(struct vhu_top_told *told, const struct vhu_top_verdict *verdict)
{
	told->index = verdict->vring;
	/* It may have been a while ago: traffic since then counts more. */
	if (!told->counted || told->waiting) {
		told->stalled = verdict->hangs;
		memcpy(told->verdict, verdict->id, sizeof(told->verdict));
	}
}

/* Show what vhu latency said of a vring. */
static void show_line(struct vhu_top_probe *probe, const struct vhu_top_probe_line *line,
		      uint64_t now_ns)
{
	struct vhu_top_pair *pair = pair_with(probe, line->kick);
	struct vhu_top_session *session =
	    session_of(probe, pair ? pair->number : UINT64_MAX - line->session, now_ns);
	const struct vhu_top_verdict *verdict;
	struct vhu_top_told told = line->told;

	if (!session)
		return;
	if (pair) {
		pair->busy = true;
	} else {
		session->unnumbered = true;
		session->peer[VHU_TOP_BACK].pid = probe->pid;
		/* A session that has just begun, or two of the same two processes. */
		probe->among->list_again = line->session;
	}
	verdict = verdict_with(
	    vhu_top_verdicts_of(&probe->among->verdicts, session->peer[VHU_TOP_BACK].pid),
	    line->kick);
	if (verdict)
		judge(&told, verdict);
	vhu_top_session_vring(session, &told);
}

/* Return whether vhu latency has said something of the vring with this kick eventfd. */
static bool has_line(const struct vhu_top_probe *probe, uint32_t kick)
{
	for (unsigned i = 0; i < probe->now.count; i++)
		if (probe->now.line[i].kick == kick)
			return true;
	return false;
}

/* Return whether vhu rings may know more of a session: nothing is seen of it, or a vring waits. */
static bool wants_verdicts(const struct vhu_top_session *session)
{
	bool counted = false;

	for (unsigned i = 0; i < session->vrings; i++) {
		const struct vhu_top_vring *vring = session->vring[i];

		if (vring->seen && vring->now.waiting)
			return true;
		counted |= vring->seen && vring->now.counted;
	}
	return !counted;
}

/* Show what vhu rings said of a session's vrings that have no traffic. */
static void show_verdicts(struct vhu_top_probe *probe, struct vhu_top_session *session)
{
	const struct vhu_top_asked *asked =
	    vhu_top_verdicts_of(&probe->among->verdicts, session->peer[VHU_TOP_BACK].pid);

	if (!asked)
		return;
	if (wants_verdicts(session))
		memcpy(session->hint, asked->why, sizeof(session->hint));
	for (unsigned i = 0; i < asked->verdicts; i++) {
		const struct vhu_top_verdict *verdict = &asked->verdict[i];
		struct vhu_top_told told = {.started = true};
		const struct vhu_top_pair *pair = pair_with(probe, verdict->kick);

		if ((pair ? pair->number != session->number
			  : verdict->front != session->peer[VHU_TOP_FRONT].pid) ||
		    (verdict->has_kick && has_line(probe, verdict->kick)))
			continue;
		if (verdict->has_vring) {
			judge(&told, verdict);
			vhu_top_session_vring(session, &told);
		} else {
			session->silence.hangs = verdict->hangs;
			memcpy(session->silence.verdict, verdict->id,
			       sizeof(session->silence.verdict));
		}
	}
}

void vhu_top_probe_show(struct vhu_top_probe *probe, uint64_t now_ns)
{
	struct vhu_top_pairs *pairs = &probe->among->pairs;
	unsigned back;

	if (probe->down || !(pairs->known || probe->now.count))
		return;
	for (unsigned i = 0; i < pairs->count; i++)
		if (vhu_top_pair_fits(&pairs->pair[i], probe->pid, probe->socket, &back))
			begin(probe, &pairs->pair[i], back, now_ns);
	for (unsigned i = 0; i < probe->now.count; i++)
		show_line(probe, &probe->now.line[i], now_ns);
	for (unsigned i = 0; i < probe->source->sessions; i++) {
		struct vhu_top_session *session = probe->source->session[i];

		if (!session->seen)
			continue;
		if (session->peer[VHU_TOP_BACK].pid && wants_verdicts(session))
			vhu_top_verdicts_want(&probe->among->verdicts,
					      session->peer[VHU_TOP_BACK].pid);
		if (!session->unnumbered)
			show_verdicts(probe, session);
		vhu_top_session_end(session);
	}
	vhu_top_source_end(probe->source, now_ns);
	if (!probe->pid && *probe->socket != '@' && access(probe->socket, F_OK))
		snprintf(probe->source->error, sizeof(probe->source->error), "%s", strerror(errno));
}
