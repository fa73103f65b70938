/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section of a session. */
#include <inttypes.h>

#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Findings of a session that are listed. */
#define FINDINGS_SHOWN 200

/* Write a side. */
static void put_side(FILE *to, const char *side, const struct vhu_stats_peer *peer)
{
	if (peer->known)
		vhu_html_print(to, "%s %s (pid %" PRIu32 ")", side, *peer->comm ? peer->comm : "?",
			       peer->pid);
	else if (*peer->path)
		vhu_html_print(to, "%s at %s", side, peer->path);
	else
		vhu_html_print(to, "%s not known", side);
}

void vhu_html_between(FILE *to, const struct vhu_report_session *session)
{
	put_side(to, "front-end", &session->stats.peer[0]);
	fputs(" &harr; ", to);
	put_side(to, "back-end", &session->stats.peer[1]);
}

/* Write the line of a message if the report holds that message. */
static void put_line(FILE *to, const struct vhu_report *report, unsigned capture, uint64_t number)
{
	uint32_t at = vhu_report_row_of(report, capture, number);

	if (at == VHU_REPORT_NONE)
		return;
	fputs("<li>", to);
	vhu_html_message(to, capture, number);
	fputs(" <code>", to);
	if (report->row[at].type == VHU_RECORD_MESSAGE)
		fputs(report->row[at].flags & VHU_ROW_FROM_BACK_END ? "&larr; " : "&rarr; ", to);
	vhu_html_text(to, report->texts.text[report->row[at].text]);
	fputs("</code></li>\n", to);
}

/* Write a finding with the messages that it is about. */
static void put_finding(FILE *to, const struct vhu_report *report, unsigned capture,
			const struct vhu_finding *finding)
{
	const struct vhu_rule *rule = finding->rule;
	const char *severity = vhu_severity_name(rule->severity);

	fprintf(to, "<li class=\"finding %s\"><p><b class=\"tag %s\">%s</b> ", severity, severity,
		severity);
	vhu_html_linked(to, capture, finding->text);
	fputs("</p><ul class=\"lines\">", to);
	for (unsigned i = VHU_FINDING_OTHERS_MAX; i-- > 0;)
		if (finding->other[i] && finding->other[i] != finding->number)
			put_line(to, report, capture, finding->other[i]);
	put_line(to, report, capture, finding->number);
	fprintf(to, "</ul><details><summary>Rule V%u %s</summary><p>", rule->id, rule->name);
	vhu_html_text(to, rule->title);
	fputs("</p><p>", to);
	vhu_html_text(to, rule->basis);
	fputs("</p><p class=\"quiet\">", to);
	vhu_html_print(to, "Section %s; %s.", rule->section, vhu_wording_text(rule->wording));
	fputs("</p></details></li>\n", to);
}

void vhu_html_findings(FILE *to, const struct vhu_report *report, uint32_t session)
{
	const unsigned capture = report->session[session].capture;
	unsigned shown = 0, more = 0;

	fputs("<h3>Findings</h3>\n<ul class=\"findings\">\n", to);
	/* The worst come first. */
	for (int severity = VHU_SEVERITIES - 1; severity >= 0; severity--)
		for (uint32_t i = 0; i < report->findings; i++) {
			const struct vhu_report_finding *finding = &report->finding[i];

			if (finding->session != session ||
			    (int)finding->finding.rule->severity != severity)
				continue;
			if (shown < FINDINGS_SHOWN)
				put_finding(to, report, capture, &finding->finding);
			more += shown++ >= FINDINGS_SHOWN;
		}
	fputs("</ul>\n", to);
	if (!shown)
		fputs("<p>None: no rule of the protocol was broken.</p>\n", to);
	if (more)
		fprintf(to, "<p>%u more are not listed: <code>vhu check</code> has them.</p>\n",
			more);
}

/* Write a bar of a chart of @total ns. */
static void put_bar(FILE *to, const char *class, unsigned y, uint64_t begin, uint64_t length,
		    uint64_t total)
{
	double x = total ? 1000.0 * (double)begin / (double)total : 0;
	double width = total ? 1000.0 * (double)length / (double)total : 0;

	fprintf(to, "<rect class=\"%s\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"16\"/>", class,
		x > 997 ? 997 : x, y, width < 3 ? 3 : width);
}

void vhu_html_setup(FILE *to, const struct vhu_report_session *session)
{
	static const char *const label[VHU_PHASES] = {
	    [VHU_PHASE_NEGOTIATE] = "Agree on features",
	    [VHU_PHASE_MEMORY] = "Share memory",
	    [VHU_PHASE_RINGS] = "Set up vrings",
	};
	const struct vhu_stats *stats = &session->stats;
	uint64_t total = 0;

	if (stats->earlier || !stats->setup.phase[VHU_PHASE_NEGOTIATE].first)
		return;
	for (unsigned i = 0; i < VHU_PHASES; i++)
		if (stats->setup.phase[i].first &&
		    vhu_elapsed_ns(stats->begin_ns, stats->setup.phase[i].end_ns) > total)
			total = vhu_elapsed_ns(stats->begin_ns, stats->setup.phase[i].end_ns);
	fputs("<h3>Set-up</h3>\n<div class=\"wide\"><table class=\"bars\"><tr><th "
	      "scope=\"col\">part<th scope=\"col\">begins<th scope=\"col\">takes<th "
	      "scope=\"col\">of that waiting for replies<th scope=\"col\">messages<th "
	      "scope=\"col\" class=\"chart\">from the session's begin to the end of its "
	      "set-up</tr>\n",
	      to);
	for (unsigned i = 0; i < VHU_PHASES; i++) {
		const struct vhu_stats_phase *phase = &stats->setup.phase[i];
		uint64_t begin = vhu_elapsed_ns(stats->begin_ns, phase->begin_ns);
		uint64_t length = vhu_elapsed_ns(phase->begin_ns, phase->end_ns);

		fprintf(to, "<tr><th scope=\"row\">%s", label[i]);
		if (!phase->first) {
			fputs("<td colspan=\"5\">not seen</tr>\n", to);
			continue;
		}
		fputs("<td>", to);
		vhu_html_time(to, begin);
		fputs("<td>", to);
		vhu_html_time(to, length);
		fputs("<td>", to);
		vhu_html_time(to, phase->waiting_ns);
		fputs("<td>", to);
		vhu_html_message(to, session->capture, phase->first);
		fputs("&ndash;", to);
		vhu_html_message(to, session->capture, phase->last);
		fputs("<td class=\"chart\"><svg viewBox=\"0 0 1000 16\" "
		      "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
		      to);
		put_bar(to, "bar", 0, begin, length, total);
		fputs("</svg></tr>\n", to);
	}
	fputs("</table></div>\n", to);
}

void vhu_html_replies(FILE *to, const struct vhu_report_session *session)
{
	static const unsigned permille[] = {500, 900, 990, 1000};
	const struct vhu_stats *stats = &session->stats;

	fputs("<h3>Messages and reply times</h3>\n<div class=\"wide\"><table><tr><th "
	      "scope=\"col\">message<th scope=\"col\">requests<th scope=\"col\">replies<th "
	      "scope=\"col\">p50<th scope=\"col\">p90<th scope=\"col\">p99<th "
	      "scope=\"col\">longest</tr>\n",
	      to);
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		if (!stats->requests[i] && !stats->replies[i])
			continue;
		fprintf(to, "<tr><th scope=\"row\">%s<td>%" PRIu64 "<td>%" PRIu64,
			vhu_messages[i].name, stats->requests[i], stats->replies[i]);
		for (unsigned p = 0; p < VHU_ARRAY_SIZE(permille); p++) {
			fputs("<td>", to);
			if (stats->delay[i])
				vhu_html_time(to,
					      vhu_histogram_quantile(stats->delay[i], permille[p]));
		}
		fputs("</tr>\n", to);
	}
	fputs("</table></div>\n", to);
}

void vhu_html_session(FILE *to, const struct vhu_report *report, uint32_t at)
{
	const struct vhu_report_session *session = &report->session[at];

	fprintf(to, "<section class=\"session\" id=\"s%" PRIu32 "\"><h2>", at + 1);
	vhu_html_print(to, "Session %" PRIu64, session->id);
	if (report->captures > 1) {
		fputs(" of ", to);
		vhu_html_capture(to, report->capture[session->capture].path);
	}
	fputs("</h2>\n<p class=\"quiet\">", to);
	vhu_html_between(to, session);
	fputs("</p>\n", to);
	vhu_html_findings(to, report, at);
	vhu_html_setup(to, session);
	vhu_html_life(to, session);
	vhu_html_latency(to, session);
	vhu_html_memory(to, session);
	if (session->state) {
		fputs("<h3>What was agreed</h3>\n", to);
		fputs(session->state, to);
	}
	vhu_html_replies(to, session);
	fputs("</section>\n", to);
}
