/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/show/state.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/stats/stats.h"

/* Write a length of time in a column. */
static void put_time(uint64_t ns, int width)
{
	char text[VHU_DURATION_TEXT_SIZE];

	printf(" %*s", width, vhu_duration_text(ns, text));
}

/* Write who is at one side. */
static void put_peer(const char *label, const struct vhu_stats_peer *peer)
{
	const struct vhu_peer shown = {
	    .known = peer->known,
	    .pid = peer->pid,
	    .comm = peer->comm,
	    .path = peer->path,
	};

	vhu_show_peer(stdout, label, &shown);
}

/* Write when it was. */
static void put_when(const struct vhu_stats *stats)
{
	time_t seconds = (time_t)(stats->begin_ns / VHU_NS_PER_S);
	char text[VHU_DURATION_TEXT_SIZE], when[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	vhu_show_label(stdout, "time");
	if (!stats->begin_ns) {
		printf("all of it earlier; still open\n");
		return;
	}
	printf("%s.%03" PRIu64 ", for %s", when, stats->begin_ns % VHU_NS_PER_S / 1000000,
	       vhu_duration_text(stats->end_ns - stats->begin_ns, text));
	if (stats->clock_backs)
		printf("; the clock went back %" PRIu64 " time%s", stats->clock_backs,
		       stats->clock_backs > 1 ? "s" : "");
	if (stats->sessions == 1) {
		printf(stats->closed ? "; closed" : "; still open");
		if (*stats->reason) {
			printf(": ");
			vhu_show_foreign(stdout, stats->reason);
		}
	}
	putchar('\n');
}

/* Write how much there is. */
static void put_counts(const struct vhu_stats *stats)
{
	const char *between = "";

	vhu_show_label(stdout, "messages");
	printf("%" PRIu64 ": %" PRIu64 " from the front-end, %" PRIu64 " from the back-end",
	       stats->from[0] + stats->from[1], stats->from[0], stats->from[1]);
	if (stats->unknown)
		printf("; %" PRIu64 " not known", stats->unknown);
	if (stats->earlier)
		printf("; %" PRIu64 " earlier, not counted", stats->earlier);
	printf("\n");
	vhu_show_label(stdout, "findings");
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--) {
		if (!stats->found[i])
			continue;
		printf("%s%" PRIu64 " %s%s", between, stats->found[i],
		       vhu_severity_name((enum vhu_severity)i), stats->found[i] > 1 ? "s" : "");
		between = ", ";
	}
	printf("%s\n", *between ? "" : "none");
	if (!stats->snapshots)
		return;
	vhu_show_label(stdout, "snapshots");
	printf("%" PRIu64 " of vrings, %" PRIu64 " on which one hangs", stats->snapshots,
	       stats->hangs);
	printf("%s%s\n", stats->hangs ? "; the last: " : "", stats->hang);
}

/* Write the parts of the set-up. */
static void put_setup(const struct vhu_stats *stats)
{
	const struct vhu_stats_setup *setup = &stats->setup;

	printf("\n  %-14s %9s %9s %9s  messages\n", "set-up", "begins", "takes", "waiting");
	for (unsigned i = 0; i < VHU_PHASES; i++) {
		const struct vhu_stats_phase *phase = &setup->phase[i];

		if (!phase->first)
			continue;
		printf("  %-14s", vhu_stats_phase_name((enum vhu_stats_phase_id)i));
		put_time(vhu_elapsed_ns(stats->begin_ns, phase->begin_ns), 9);
		put_time(vhu_elapsed_ns(phase->begin_ns, phase->end_ns), 9);
		put_time(phase->waiting_ns, 9);
		printf("  %" PRIu64 " to %" PRIu64 "\n", phase->first, phase->last);
	}
	if (!setup->first_kick)
		return;
	printf("  %-14s", "first kick");
	put_time(vhu_elapsed_ns(stats->begin_ns, setup->first_kick_ns), 9);
	printf(" %9s %9s  %" PRIu64 "\n", "", "", setup->first_kick);
}

/* Write how often each message passed, and how long its answers took. */
static void put_messages(const struct vhu_stats *stats)
{
	printf("\n  %-34s %8s %8s %9s %9s %9s %9s\n", "message", "requests", "replies", "p50",
	       "p90", "p99", "max");
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const struct vhu_histogram *delay = stats->delay[i];

		if (!stats->requests[i] && !stats->replies[i])
			continue;
		printf("  %-34s %8" PRIu64, vhu_messages[i].name, stats->requests[i]);
		if (stats->replies[i])
			printf(" %8" PRIu64, stats->replies[i]);
		if (delay) {
			put_time(vhu_histogram_quantile(delay, 500), 9);
			put_time(vhu_histogram_quantile(delay, 900), 9);
			put_time(vhu_histogram_quantile(delay, 990), 9);
			put_time(delay->greatest, 9);
		}
		putchar('\n');
	}
}

/* Write what was recorded of kicks, wakes and calls. */
static void put_events(const struct vhu_stats *stats)
{
	bool headed = false;

	for (unsigned i = 0; i < VHU_STATS_VRINGS; i++) {
		const struct vhu_stats_vring *vring = stats->vring[i];
		const struct vhu_histogram *time;

		if (!vring)
			continue;
		if (!headed)
			printf("\n  %-10s %9s %9s %9s   %-12s %9s %9s %9s %9s\n", "vring", "kicks",
			       "wakes", "calls", "kick to call", "p50", "p90", "p99", "max");
		headed = true;
		printf("  %-10u %9" PRIu64 " %9" PRIu64 " %9" PRIu64, i,
		       vring->signals[VHU_ACT_KICK], vring->signals[VHU_ACT_WAKE],
		       vring->signals[VHU_ACT_CALL]);
		time = &vring->time[VHU_STATS_KICK_TO_CALL];
		if (time->count) {
			printf("   %12" PRIu64, time->count);
			put_time(vhu_histogram_quantile(time, 500), 9);
			put_time(vhu_histogram_quantile(time, 900), 9);
			put_time(vhu_histogram_quantile(time, 990), 9);
			put_time(time->greatest, 9);
		}
		putchar('\n');
	}
	if (stats->events_left_out)
		printf("  and %" PRIu64 " events of other vrings or kinds\n",
		       stats->events_left_out);
}

void vhu_stats_text(const struct vhu_stats *stats, const struct vhu_state *state)
{
	if (state) {
		printf("session %" PRIu64 "\n", state->id);
		put_peer("front-end", &stats->peer[0]);
		put_peer("back-end", &stats->peer[1]);
		vhu_show_device(stdout, state);
	} else {
		printf("all %" PRIu64 " session%s\n", stats->sessions,
		       stats->sessions == 1 ? "" : "s");
	}
	put_when(stats);
	put_counts(stats);
	if (state && !stats->earlier)
		put_setup(stats);
	put_messages(stats);
	put_events(stats);
	if (state)
		vhu_show_state(stdout, state);
}
