/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, as people and programs read it. */
#include "tools/latency/show/output.h"

#include <inttypes.h>
#include <string.h>

#include "bpf/vring/counts.h"
#include "bpf/vring/events.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/latency/show/stages.h"
#include "tools/latency/vrings/interval.h"

/* The longest bar of a histogram. */
#define BAR    50
/* Lines of a histogram: powers of two. */
#define POWERS 64

/* Write a duration, or a dash if it is not known. */
static void put_time(FILE *to, int width, bool known, uint64_t ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	fprintf(to, " %*s", width, known ? vhu_duration_text(ns, text) : "-");
}

/* Write one stage's percentiles, those of @permille. */
static void put_quantiles(FILE *to, const struct vhu_latency_vring *vring,
			  const struct vhu_latency_stage *which, const unsigned *permille,
			  unsigned count)
{
	struct vhu_histogram histogram = vhu_latency_stage_histogram(vring, which);

	for (unsigned i = 0; i < count; i++)
		put_time(to, 8, histogram.count, vhu_histogram_quantile(&histogram, permille[i]));
	vhu_histogram_free(&histogram);
}

/* Write the head of a table. */
static void put_head(FILE *to, const struct vhu_latency_vrings *vrings, bool interval)
{
	const int width = interval ? 27 : 18;

	fprintf(to, "%7s %5s %10s %10s %9s %10s %7s %8s", "session", "vring",
		interval ? "kicks/s" : "kicks", interval ? "wakes/s" : "wakes", "coalesced",
		interval ? "calls/s" : "calls", "waiting", "oldest");
	for (size_t i = 0; i < VHU_LATENCY_STAGES; i++)
		if (vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			fprintf(to, " |%16s%*s", vhu_latency_stage[i].name, width - 16, "");
	fprintf(to, "\n%74s", "");
	for (size_t i = 0; i < VHU_LATENCY_STAGES; i++)
		if (vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			fprintf(to, " |%9s%9s%s", "p50", "p99", interval ? "      max" : "");
	fputc('\n', to);
}

uint64_t vhu_latency_rate(uint64_t count, uint64_t ns)
{
	return ns ? (uint64_t)((double)count * VHU_NS_PER_S / (double)ns + 0.5) : count;
}

void vhu_latency_table(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
		       uint64_t interval_ns)
{
	static const unsigned shown[] = {500, 990, 1000};
	static struct vhu_latency_vring part;
	const unsigned columns = interval_ns ? 3 : 2;

	put_head(to, vrings, interval_ns);
	for (unsigned i = 0; i < vrings->count; i++) {
		const struct vhu_latency_vring *vring = vrings->vring[i];
		const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);
		const struct vhu_bpf_vring *counts;

		if (!vring->ever_wired)
			continue;
		if (interval_ns) {
			vhu_latency_interval(&part, vring);
			vring = &part;
		}
		counts = &vring->counts;
		fprintf(to,
			"%7" PRIu64 " %5" PRIu32 " %10" PRIu64 " %10" PRIu64 " %9" PRIu64
			" %10" PRIu64 " %7" PRIu64,
			vring->session, vring->index, vhu_latency_rate(counts->kicks, interval_ns),
			vhu_latency_rate(counts->wakes, interval_ns), counts->coalesced,
			vhu_latency_rate(counts->calls, interval_ns),
			waiting.untaken + waiting.taken);
		put_time(to, 8, waiting.oldest_ns, waiting.for_ns);
		for (size_t at = 0; at < VHU_LATENCY_STAGES; at++) {
			if (!vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[at]))
				continue;
			fprintf(to, " |");
			put_quantiles(to, vring, &vhu_latency_stage[at], shown, columns);
		}
		fprintf(to, "%s%s\n", vring->polled ? "  (polled)" : "",
			vhu_latency_vring_is_wired(vring) ? "" : "  (ended)");
	}
}

/* Draw a histogram, a line for each power of two. */
static void put_bars(FILE *to, const struct vhu_latency_vring *vring,
		     const struct vhu_latency_stage *which)
{
	uint64_t power[POWERS] = {0}, most = 0, greatest;
	const uint64_t *bucket = vhu_latency_stage_buckets(vring, which, &greatest);
	int first = POWERS, last = -1;

	for (unsigned i = 0; i < VHU_HISTOGRAM_BUCKETS; i++) {
		uint64_t end, least = vhu_histogram_range(i, &end);
		int at = least ? 63 - __builtin_clzll(least) : 0;

		if (!bucket[i])
			continue;
		power[at] += bucket[i];
		first = at < first ? at : first;
		last = at > last ? at : last;
		most = power[at] > most ? power[at] : most;
	}
	for (int at = first; at <= last; at++) {
		char from[VHU_DURATION_TEXT_SIZE], end[VHU_DURATION_TEXT_SIZE];
		int bar = (int)((double)power[at] / (double)most * BAR + 0.5);

		fprintf(to, "  %10s .. %-10s %10" PRIu64 " |%.*s\n",
			vhu_duration_text(at ? UINT64_C(1) << at : 0, from),
			vhu_duration_text((UINT64_C(1) << at) * 2, end), power[at], bar,
			"##################################################");
	}
}

/* Write what waits, and what that may mean. */
static void put_waiting(FILE *to, const struct vhu_latency_vring *vring,
			const struct vhu_latency_waiting *waiting)
{
	const uint64_t all = waiting->untaken + waiting->taken;
	char text[VHU_DURATION_TEXT_SIZE];

	fprintf(to, "  %" PRIu64 " kick%s without a call%s", all, all == 1 ? "" : "s",
		vring->ended_ns ? " when the vring ended" : " yet");
	if (waiting->oldest_ns)
		fprintf(to, ", the oldest for %s", vhu_duration_text(waiting->for_ns, text));
	fprintf(to, ": %" PRIu64 " not taken by the back-end, %" PRIu64 " taken\n",
		waiting->untaken, waiting->taken);
	if (vring->left_known && !vring->left)
		fprintf(to, "  all buffers are used: its call was lost\n");
	else if (vring->left_known && waiting->taken)
		fprintf(to,
			"  %" PRIu32
			" buffer%s wait%s: the back-end took the kick and did not do %s\n",
			vring->left, vring->left == 1 ? "" : "s", vring->left == 1 ? "s" : "",
			vring->left == 1 ? "it" : "them");
}

/* Write which eventfd a vring has or had. */
static void put_eventfd(FILE *to, const char *which, const struct vhu_latency_fd *fd)
{
	fprintf(to, "%s eventfd ", which);
	if (fd->had)
		fprintf(to, "%" PRIu32, fd->id);
	else
		fprintf(to, "not known");
}

/* Write all there is about a vring. */
static void put_vring(FILE *to, const struct vhu_latency_vrings *vrings,
		      const struct vhu_latency_vring *vring, uint64_t now_ns, bool histogram)
{
	static const unsigned shown[] = {500, 900, 990, 999, 1000};
	const struct vhu_bpf_vring *counts = &vring->counts;
	const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);
	char text[VHU_DURATION_TEXT_SIZE], most[VHU_DURATION_TEXT_SIZE];

	if (vring->session)
		fprintf(to, "\nsession %" PRIu64 ", ", vring->session);
	else
		fprintf(to, "\n");
	fprintf(to, "vring %" PRIu32 ": ", vring->index);
	put_eventfd(to, "kick", &vring->fd[VHU_KICK]);
	put_eventfd(to, ", call", &vring->fd[VHU_CALL]);
	if (vring->seen)
		fprintf(to, " (paired by %u kicks, %u %% sure)", vring->seen, vring->sure);
	if (vring->kvm)
		fprintf(to, ", kick by KVM's list");
	fprintf(to, "%s%s\n", vring->polled ? ", polled: it gets no kicks" : "",
		vhu_latency_vring_is_wired(vring) ? "" : " (ended)");
	fprintf(to,
		"  %" PRIu64 " kicks, %" PRIu64 " wakes, %" PRIu64 " coalesced, %" PRIu64
		" wakes without kick\n  %" PRIu64 " calls, %" PRIu64 " without kick\n",
		counts->kicks, counts->wakes, counts->coalesced, counts->wakes_without_kick,
		counts->calls, counts->calls_without_kick);
	if (vhu_probes_has_inside(vrings->probes))
		fprintf(to, "  %" PRIu64 " pops, %" PRIu64 " pushes\n", vring->inside.pops,
			vring->inside.pushes);
	if (vring->session && vring->taken_up)
		fprintf(to, "  got %" PRIu64 " eventfds, each watched %s later, %s at most\n",
			vring->taken_up,
			vhu_duration_text(vring->unwatched_ns / vring->taken_up, text),
			vhu_duration_text(vring->unwatched_most_ns, most));
	if (waiting.untaken + waiting.taken)
		put_waiting(to, vring, &waiting);
	fprintf(to, "  %-12s%9s%9s%9s%9s%9s\n", "", "p50", "p90", "p99", "p99.9", "max");
	for (size_t i = 0; i < VHU_LATENCY_STAGES; i++) {
		if (!vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			continue;
		fprintf(to, "  %-12s", vhu_latency_stage[i].name);
		put_quantiles(to, vring, &vhu_latency_stage[i], shown, 5);
		fputc('\n', to);
	}
	for (size_t i = 0; histogram && i < VHU_LATENCY_STAGES; i++) {
		if (!vhu_latency_stage_is_watched(vrings, &vhu_latency_stage[i]))
			continue;
		fprintf(to, "  %s\n", vhu_latency_stage[i].name);
		put_bars(to, vring, &vhu_latency_stage[i]);
	}
}

void vhu_latency_summary(FILE *to, const struct vhu_latency_vrings *vrings, uint64_t now_ns,
			 bool histogram)
{
	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->ever_wired)
			put_vring(to, vrings, vrings->vring[i], now_ns, histogram);
}

void vhu_latency_unread(FILE *to, const struct vhu_learn *learn)
{
	struct vhu_learn_unread list[VHU_LEARN_MAX];
	unsigned count = learn ? vhu_learn_unread(learn, list, VHU_LEARN_MAX) : 0;

	for (unsigned i = 0; i < count; i++) {
		fprintf(to, "eventfd %" PRIu32, list[i].id);
		if (list[i].kvm)
			fprintf(to, ", the kick of vring %" PRIu32, list[i].vring);
		fprintf(to, ": ");
		if (list[i].kicks)
			fprintf(to, "%" PRIu64 " kick%s, and the back-end reads none",
				list[i].kicks, list[i].kicks == 1 ? "" : "s");
		if (list[i].count_known)
			fprintf(to,
				list[i].kicks ? " (its counter is %" PRIu64 ")"
					      : "its counter is %" PRIu64
						" and no process reads it",
				list[i].count);
		fputc('\n', to);
	}
}
