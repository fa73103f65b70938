/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kicks, wakes and calls, where they were recorded: how many, how long they took, and when. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* A heat map's columns, and its rows: one for each power of two of ns. */
#define COLUMNS     60
#define ROWS        64
#define CELL_WIDTH  15
#define CELL_HEIGHT 14
#define LABELS      80

static const char *const measure[VHU_MEASURES] = {
    [VHU_KICK_TO_WAKE] = "kick to wake",
    [VHU_WAKE_TO_CALL] = "wake to call",
    [VHU_KICK_TO_CALL] = "kick to call",
};

/* Write the times of one measure of a vring as cells. */
static void put_times(FILE *to, const struct vhu_histogram *took)
{
	static const unsigned permille[] = {500, 900, 990, 1000};

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(permille); i++) {
		fputs("<td>", to);
		vhu_html_time(to, vhu_histogram_quantile(took, permille[i]));
	}
}

/* Write how often each vring was kicked and called. */
static void put_counts(FILE *to, const struct vhu_report_vrings *vrings)
{
	fputs("<div class=\"wide\"><table><tr><th scope=\"col\">vring<th scope=\"col\">kicks<th "
	      "scope=\"col\">wakes<th scope=\"col\">calls<th scope=\"col\">errors<th "
	      "scope=\"col\">lost, delayed, repeated by the proxy</tr>\n",
	      to);
	for (unsigned i = 0; i < vrings->vrings; i++) {
		const struct vhu_report_vring *vring = &vrings->vring[i];

		if (!vring->acts[VHU_ACT_KICK] && !vring->acts[VHU_ACT_WAKE] &&
		    !vring->acts[VHU_ACT_CALL] && !vring->acts[VHU_ACT_ERR])
			continue;
		fprintf(to, "<tr><th scope=\"row\">%u", i);
		for (unsigned act = 0; act < VHU_ACTS; act++)
			fprintf(to, "<td>%" PRIu64, vring->acts[act]);
		fprintf(to, "<td>%" PRIu64 ", %" PRIu64 ", %" PRIu64 "</tr>\n", vring->lost,
			vring->delayed, vring->repeated);
	}
	fputs("</table></div>\n", to);
}

/* Write how long things took, vring by vring. */
static void put_percentiles(FILE *to, const struct vhu_report_vrings *vrings)
{
	fputs(
	    "<div class=\"wide\"><table><tr><th scope=\"col\">vring<th scope=\"col\">time from<th "
	    "scope=\"col\">times<th scope=\"col\">p50<th scope=\"col\">p90<th "
	    "scope=\"col\">p99<th scope=\"col\">longest</tr>\n",
	    to);
	for (unsigned i = 0; i < vrings->vrings; i++)
		for (unsigned m = 0; m < VHU_MEASURES; m++) {
			const struct vhu_histogram *took = &vrings->vring[i].took[m];

			if (!took->count)
				continue;
			fprintf(to, "<tr><th scope=\"row\">%u<td>%s<td>%" PRIu64, i, measure[m],
				took->count);
			put_times(to, took);
			fputs("</tr>\n", to);
		}
	fputs("</table></div>\n", to);
}

/* Return a heat map's row of a time. */
static unsigned row_of(uint64_t ns)
{
	return ns ? (unsigned)(63 - __builtin_clzll(ns)) : 0;
}

/* A heat map: how many times fell into each cell. */
struct heat {
	uint32_t cell[COLUMNS][ROWS];
	uint32_t most;
	unsigned low, high; /* rows */
	uint64_t count;
};

/* Fill in a heat map. */
static void fill(struct heat *heat, const struct vhu_report_session *session, unsigned m)
{
	const struct vhu_report_vrings *vrings = &session->vrings;
	const uint64_t begin = session->stats.begin_ns;
	const uint64_t total = vhu_elapsed_ns(begin, session->stats.end_ns) + 1;

	*heat = (struct heat){.low = ROWS};
	for (uint32_t i = 0; i < vrings->samples; i++) {
		const struct vhu_report_sample *sample = &vrings->sample[i];
		double part = (double)vhu_elapsed_ns(begin, sample->time_ns) / (double)total;
		unsigned column = part < 1 ? (unsigned)(part * COLUMNS) : COLUMNS - 1;
		unsigned row = row_of(sample->ns);

		if (sample->measure != m)
			continue;
		heat->count++;
		if (++heat->cell[column][row] > heat->most)
			heat->most = heat->cell[column][row];
		heat->low = row < heat->low ? row : heat->low;
		heat->high = row > heat->high ? row : heat->high;
	}
}

/* Draw a heat map's cells: the more there are, the stronger. */
static void put_cells(FILE *to, const struct heat *heat)
{
	for (unsigned column = 0; column < COLUMNS; column++)
		for (unsigned row = heat->low; row <= heat->high; row++) {
			uint32_t count = heat->cell[column][row];

			if (!count)
				continue;
			fprintf(to,
				"<rect class=\"heat\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" "
				"fill-opacity=\"%.2f\"><title>%" PRIu32 " from ",
				LABELS + column * CELL_WIDTH, (heat->high - row) * CELL_HEIGHT,
				CELL_WIDTH - 1, CELL_HEIGHT - 1,
				0.15 + 0.85 * (row_of(count) + 1) / (row_of(heat->most) + 1),
				count);
			vhu_html_time(to, UINT64_C(1) << row);
			fputs(" on</title></rect>", to);
		}
}

/* Draw the heat map of a measure, if there is any. */
static void put_heat(FILE *to, const struct vhu_report_session *session, unsigned m)
{
	struct heat *heat = calloc(1, sizeof(*heat));
	unsigned height;

	if (!heat)
		return;
	fill(heat, session, m);
	if (heat->count) {
		height = (heat->high - heat->low + 1) * CELL_HEIGHT;
		fprintf(to,
			"<figure><figcaption>%s, all vrings, over the session (%" PRIu64
			" times)</figcaption><div class=\"wide\"><svg class=\"map\" viewBox=\"0 0 "
			"%u %u\" role=\"img\" aria-label=\"%s over time\">",
			measure[m], heat->count, LABELS + COLUMNS * CELL_WIDTH, height + 20,
			measure[m]);
		for (unsigned row = heat->low; row <= heat->high; row++) {
			fprintf(to, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">", LABELS - 8,
				(heat->high - row) * CELL_HEIGHT + 11);
			vhu_html_time(to, UINT64_C(1) << row);
			fputs("</text>", to);
		}
		put_cells(to, heat);
		fprintf(to,
			"<text x=\"%u\" y=\"%u\">0 s</text><text x=\"%u\" y=\"%u\" "
			"text-anchor=\"end\">",
			LABELS, height + 15, LABELS + COLUMNS * CELL_WIDTH, height + 15);
		vhu_html_time(to, vhu_elapsed_ns(session->stats.begin_ns, session->stats.end_ns));
		fputs("</text></svg></div></figure>\n", to);
	}
	free(heat);
}

void vhu_html_latency(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_report_vrings *vrings = &session->vrings;
	bool any = false;

	for (unsigned i = 0; i < vrings->vrings; i++)
		for (unsigned act = 0; act < VHU_ACTS; act++)
			any |= vrings->vring[i].acts[act] != 0;
	if (!any)
		return;
	fputs("<h3>Kicks and calls</h3>\n", to);
	put_counts(to, vrings);
	if (!vrings->samples)
		return;
	put_percentiles(to, vrings);
	for (unsigned m = 0; m < VHU_MEASURES; m++)
		put_heat(to, session, m);
}
