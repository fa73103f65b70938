/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/cli/duration.h"
#include "lib/protocol/text.h"
#include "tools/stats.h"

#define LABEL_WIDTH 13
#define LINE_WIDTH  100
#define NS          UINT64_C(1000000000)

/* Of tables. */
#define CELL_MAX       80
#define COLUMNS_MAX    16
#define COLUMNS(title) (sizeof(title) / sizeof((title)[0]))

/* Begin a line of what is said of a session. */
static void put_label(const char *label)
{
	printf("  %-*s", LABEL_WIDTH, label);
}

/* Write a text that a capture brings, without what a terminal would act on. */
static void put_foreign(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* Write a length of time in a column. */
static void put_time(uint64_t ns, int width)
{
	char text[VHU_DURATION_TEXT_SIZE];

	printf(" %*s", width, vhu_duration_text(ns, text));
}

/* Write words of a list, which are separated by ", ", in lines below each other. */
static void put_wrapped(const char *words)
{
	size_t column = LABEL_WIDTH + 2;

	while (*words) {
		size_t length = strcspn(words, " ");

		if (column + length > LINE_WIDTH && column > LABEL_WIDTH + 2) {
			printf("\n  %*s", LABEL_WIDTH, "");
			column = LABEL_WIDTH + 2;
		} else if (column > LABEL_WIDTH + 2) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)length, words);
		column += length;
		words += length + (words[length] == ' ');
	}
	putchar('\n');
}

/* Write who is at one side. */
static void put_peer(const char *label, const struct vhu_stats_peer *peer)
{
	put_label(label);
	if (peer->known) {
		put_foreign(*peer->comm ? peer->comm : "?");
		printf(" (pid %" PRIu32 ")", peer->pid);
	}
	if (*peer->path) {
		printf("%s", peer->known ? " at " : "");
		put_foreign(peer->path);
	}
	printf("%s\n", peer->known || *peer->path ? "" : "not known");
}

/* Write which device and dialect it is. */
static void put_device(const struct vhu_state *state)
{
	const char *device = vhu_device_name(state->context.device);

	put_label("device");
	if (state->context.device && device)
		printf("%s", device);
	else if (state->context.device)
		printf("virtio device %" PRIu32, state->context.device);
	else
		printf("not known");
	printf(", dialect %s\n", state->context.dialect == VHU_ANY
				     ? "not known"
				     : vhu_dialect_name(state->context.dialect));
}

/* Write when it was. */
static void put_when(const struct vhu_stats *stats)
{
	time_t seconds = (time_t)(stats->begin_ns / NS);
	char text[VHU_DURATION_TEXT_SIZE], when[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	put_label("time");
	printf("%s.%03" PRIu64 ", for %s", when, stats->begin_ns % NS / 1000000,
	       vhu_duration_text(stats->end_ns - stats->begin_ns, text));
	if (stats->sessions == 1) {
		printf(stats->closed ? "; closed" : "; still open");
		if (*stats->reason) {
			printf(": ");
			put_foreign(stats->reason);
		}
	}
	putchar('\n');
}

/* Write how much there is. */
static void put_counts(const struct vhu_stats *stats)
{
	const char *between = "";

	put_label("messages");
	printf("%" PRIu64 ": %" PRIu64 " from the front-end, %" PRIu64 " from the back-end",
	       stats->from[0] + stats->from[1], stats->from[0], stats->from[1]);
	if (stats->unknown)
		printf("; %" PRIu64 " not known", stats->unknown);
	printf("\n");
	put_label("findings");
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--) {
		if (!stats->found[i])
			continue;
		printf("%s%" PRIu64 " %s%s", between, stats->found[i],
		       vhu_severity_name((enum vhu_severity)i), stats->found[i] > 1 ? "s" : "");
		between = ", ";
	}
	printf("%s\n", *between ? "" : "none");
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
		put_time(phase->begin_ns - stats->begin_ns, 9);
		put_time(phase->end_ns - phase->begin_ns, 9);
		put_time(phase->waiting_ns, 9);
		printf("  %" PRIu64 " to %" PRIu64 "\n", phase->first, phase->last);
	}
	if (!setup->first_kick)
		return;
	printf("  %-14s", "first kick");
	put_time(setup->first_kick_ns - stats->begin_ns, 9);
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

/* Write a set of features: what was offered and taken. */
static void put_features(const char *title, enum vhu_names_id set,
			 const struct vhu_feature_set *features, const struct vhu_context *context)
{
	uint64_t left = features->offered & ~features->taken;
	char names[4096];

	if (!features->offered_by && !features->taken_by)
		return;
	printf("\n  %s", title);
	if (features->offered_by)
		printf(", offered 0x%" PRIx64 " (message %" PRIu64 ")", features->offered,
		       features->offered_by);
	if (features->taken_by)
		printf(", taken 0x%" PRIx64 " (message %" PRIu64 ")", features->taken,
		       features->taken_by);
	putchar('\n');
	if (features->taken) {
		vhu_bits_text(set, features->taken, context, names, sizeof(names));
		put_label("taken");
		put_wrapped(names);
	}
	if (left) {
		vhu_bits_text(set, left, context, names, sizeof(names));
		put_label("not taken");
		put_wrapped(names);
	}
}

/* Fills in what stands in a column of row @row of a table. */
typedef void cell_of(const struct vhu_state *state, unsigned row, unsigned column,
		     char to[CELL_MAX]);

/* Write a table of @rows rows, each column as wide as its widest cell. */
static void put_table(const struct vhu_state *state, unsigned rows, const char *const *title,
		      unsigned columns, cell_of *cell)
{
	int width[COLUMNS_MAX] = {0};
	char text[CELL_MAX];

	/* The last column needs no width, and so leaves no blanks behind it. */
	for (unsigned column = 0; column + 1 < columns; column++) {
		width[column] = (int)strlen(title[column]) + 1;
		for (unsigned row = 0; row < rows; row++) {
			cell(state, row, column, text);
			if ((int)strlen(text) >= width[column])
				width[column] = (int)strlen(text) + 1;
		}
	}
	printf("\n ");
	for (unsigned column = 0; column < columns; column++)
		printf(" %-*s", width[column], title[column]);
	for (unsigned row = 0; row < rows; row++) {
		printf("\n ");
		for (unsigned column = 0; column < columns; column++) {
			cell(state, row, column, text);
			printf(" %-*s", width[column], text);
		}
	}
	putchar('\n');
}

/* Fill in a cell with a value and the message that told it, or a dash where none did. */
static void told_cell(char to[CELL_MAX], const char *value, uint64_t number)
{
	if (number)
		snprintf(to, CELL_MAX, "%.48s (%" PRIu64 ")", value, number);
	else
		snprintf(to, CELL_MAX, "-");
}

/* Fill in a cell with what a vring is kicked or called by. */
static void vring_fd_cell(char to[CELL_MAX], const struct vhu_vring_fd *fd)
{
	char text[40];

	if (fd->polling)
		snprintf(text, sizeof(text), "polling");
	else if (fd->has_eventfd)
		snprintf(text, sizeof(text), "eventfd %" PRIu32, fd->eventfd_id);
	else
		snprintf(text, sizeof(text), "%s", vhu_fd_kind_name(fd->kind));
	told_cell(to, text, fd->number);
}

static const char *const vring_title[] = {
    "vring", "size", "base", "ends at", "enabled", "started", "kick", "call", "err",
};

static void vring_cell(const struct vhu_state *state, unsigned row, unsigned column,
		       char to[CELL_MAX])
{
	const struct vhu_vring *vring = &state->vring[row];
	char text[24];

	switch (column) {
	case 0:
		snprintf(to, CELL_MAX, "%u", row);
		break;
	case 1:
		snprintf(text, sizeof(text), "%" PRIu32, vring->size);
		told_cell(to, text, vring->size_by);
		break;
	case 2:
		snprintf(text, sizeof(text), "0x%" PRIx32, vring->base);
		told_cell(to, text, vring->base_by);
		break;
	case 3:
		snprintf(text, sizeof(text), "0x%" PRIx32, vring->base_got);
		told_cell(to, text, vring->base_got_by);
		break;
	case 4:
		told_cell(to, vring->enabled ? "yes" : "no",
			  vring->enabled_by ? vring->enabled_by
			  : vring->enabled  ? vring->started_by
					    : 0);
		break;
	case 5:
		told_cell(to, vring->started ? "yes" : "stopped",
			  vring->started ? vring->started_by : vring->stopped_by);
		break;
	default:
		vring_fd_cell(to, &vring->fd[column - 6]);
		break;
	}
}

static const char *const region_title[] = {
    "region", "guest address", "size", "user address", "offset", "memory",
};

static void region_cell(const struct vhu_state *state, unsigned row, unsigned column,
			char to[CELL_MAX])
{
	const struct vhu_region *region = &state->region[row];
	const uint64_t value[] = {
	    row, region->guest_address, region->size, region->user_address, region->mmap_offset,
	};
	char text[CELL_MAX];

	if (column == 0) {
		snprintf(to, CELL_MAX, "%u", row);
	} else if (column < sizeof(value) / sizeof(value[0])) {
		snprintf(to, CELL_MAX, "0x%" PRIx64, value[column]);
	} else {
		vhu_fd_text(&region->fd, text, sizeof(text));
		told_cell(to, region->has_fd ? text : "no descriptor", region->number);
	}
}

void vhu_stats_text(const struct vhu_stats *stats, const struct vhu_state *state)
{
	if (state) {
		printf("session %" PRIu64 "\n", state->id);
		put_peer("front-end", &stats->peer[0]);
		put_peer("back-end", &stats->peer[1]);
		put_device(state);
	} else {
		printf("all %" PRIu64 " session%s\n", stats->sessions,
		       stats->sessions == 1 ? "" : "s");
	}
	put_when(stats);
	put_counts(stats);
	if (state)
		put_setup(stats);
	put_messages(stats);
	if (state) {
		put_features("virtio features", VHU_NAMES_virtio_features, &state->features,
			     &state->context);
		put_features("protocol features", VHU_NAMES_protocol_features,
			     &state->protocol_features, &state->context);
		if (state->vrings)
			put_table(state, state->vrings, vring_title, COLUMNS(vring_title),
				  vring_cell);
		if (state->regions)
			put_table(state, state->regions, region_title, COLUMNS(region_title),
				  region_cell);
	}
}
