/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the vrings of a session stood over time, and their snapshots. */
#include <inttypes.h>

#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Vrings that are drawn, and changes that are named of each. */
#define VRINGS_SHOWN  64
#define CHANGES_NAMED 8

static const struct {
	const char *class, *name;
} life[VHU_LIVES] = {
    [VHU_LIFE_NONE] = {"", ""},
    [VHU_LIFE_SET_UP] = {"set-up", "set up"},
    [VHU_LIFE_STARTED] = {"started", "started, not enabled"},
    [VHU_LIFE_RUNNING] = {"running", "running"},
    [VHU_LIFE_STOPPED] = {"stopped", "stopped"},
};

/* Draw how a vring stood. */
static void put_bar(FILE *to, const struct vhu_report_session *session, unsigned vring)
{
	const struct vhu_report_vrings *vrings = &session->vrings;
	const uint64_t begin = session->stats.begin_ns;
	const double total = (double)vhu_elapsed_ns(begin, session->stats.end_ns) + 1;
	double from = 0, drawn = -1;
	uint8_t was = VHU_LIFE_NONE;

	fputs("<svg viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
	      to);
	for (uint32_t i = 0; i <= vrings->changes; i++) {
		const struct vhu_report_change *change = &vrings->change[i];
		const bool last = i == vrings->changes;
		double at = 1000;

		if (!last && change->vring != vring)
			continue;
		if (!last)
			at = 1000 * (double)vhu_elapsed_ns(begin, change->time_ns) / total;
		/* What was short is seen, too, but not each of what was short and near to it. */
		if (was != VHU_LIFE_NONE && was != VHU_LIFE_STOPPED &&
		    (at - from >= 0.5 || from - drawn >= 0.5)) {
			drawn = from;
			fprintf(to, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"16\"/>",
				life[was].class, from > 998 ? 998 : from,
				at - from < 2 ? 2 : at - from);
		}
		from = at;
		was = last ? VHU_LIFE_NONE : change->life;
	}
	for (uint32_t i = 0; i < vrings->snapshots; i++)
		if (vrings->snapshot[i].vring == vring)
			fprintf(to, "<rect class=\"%s\" x=\"%.2f\" width=\"4\" height=\"16\"/>",
				vrings->snapshot[i].hangs ? "hang" : "mark",
				1000 * (double)vhu_elapsed_ns(begin, vrings->snapshot[i].time_ns) /
				    total);
	fputs("</svg>", to);
}

/* Name how a vring stood, with the messages that made it so. */
static void put_changes(FILE *to, const struct vhu_report_session *session, unsigned vring)
{
	const struct vhu_report_vrings *vrings = &session->vrings;
	uint8_t was = VHU_LIFE_NONE;
	unsigned named = 0, left = 0;

	for (uint32_t i = 0; i < vrings->changes; i++) {
		const struct vhu_report_change *change = &vrings->change[i];

		if (change->vring != vring || change->life == VHU_LIFE_NONE)
			continue;
		if (named++ >= CHANGES_NAMED) {
			left++;
			continue;
		}
		fprintf(to, "%s%s (", named > 1 ? ", " : "",
			was == VHU_LIFE_RUNNING && change->life == VHU_LIFE_STARTED
			    ? "disabled"
			    : life[change->life].name);
		was = change->life;
		vhu_html_message(to, session->capture, change->number);
		fputs(")", to);
	}
	if (left)
		fprintf(to, " and %u more", left);
}

/* Write the snapshots of vrings. */
static void put_snapshots(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_report_vrings *vrings = &session->vrings;

	if (!vrings->snapshots)
		return;
	fprintf(to,
		"<h4>Snapshots of vrings</h4><p>%" PRIu64 " were taken; in %" PRIu32
		" of them the vring hangs.</p><ul class=\"findings\">\n",
		session->stats.snapshots, vrings->hangs);
	for (uint32_t i = 0; i < vrings->snapshots; i++) {
		const struct vhu_report_snapshot *snapshot = &vrings->snapshot[i];

		fprintf(to, "<li class=\"finding %s\"><p><b class=\"tag %s\">%s</b> ",
			snapshot->hangs ? "error" : "", snapshot->hangs ? "error" : "good",
			snapshot->hangs ? "hangs" : "works");
		vhu_html_text(to, snapshot->title);
		fputs(" (", to);
		vhu_html_message(to, session->capture, snapshot->number);
		fputs(", after ", to);
		vhu_html_time(to, vhu_elapsed_ns(session->stats.begin_ns, snapshot->time_ns));
		fputs(")</p><details><summary>What was seen</summary><pre>", to);
		vhu_html_text(to, snapshot->text);
		fputs("</pre></details></li>\n", to);
	}
	fputs("</ul>\n", to);
}

void vhu_html_life(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_report_vrings *vrings = &session->vrings;

	if (!vrings->changes && !vrings->snapshots)
		return;
	fputs("<h3>Life of the vrings</h3>\n<p class=\"legend\">", to);
	for (unsigned i = VHU_LIFE_SET_UP; i < VHU_LIFE_STOPPED; i++)
		fprintf(to,
			"<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><rect class=\"%s\" "
			"width=\"16\" height=\"16\"/></svg> %s ",
			life[i].class, life[i].name);
	fputs("</p>\n<div class=\"wide\"><table class=\"bars\"><tr><th scope=\"col\">vring<th "
	      "scope=\"col\" class=\"chart\">from the session's begin to its end<th "
	      "scope=\"col\">by message</tr>\n",
	      to);
	for (unsigned i = 0; i < vrings->vrings && i < VRINGS_SHOWN; i++) {
		fprintf(to, "<tr><th scope=\"row\">%u<td class=\"chart\">", i);
		put_bar(to, session, i);
		fputs("<td>", to);
		put_changes(to, session, i);
		fputs("</tr>\n", to);
	}
	fputs("</table></div>\n", to);
	if (vrings->vrings > VRINGS_SHOWN)
		fprintf(to, "<p>%u more vrings are not drawn.</p>\n",
			vrings->vrings - VRINGS_SHOWN);
	put_snapshots(to, session);
}
