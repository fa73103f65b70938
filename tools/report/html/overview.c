/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The overview: each session, how far it came, how it ended, and why. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Sessions in the table of all. */
#define SESSIONS_SHOWN 500

/* Return how a session ended, as a class and as words. */
static const char *ending_of(const struct vhu_report_session *session, const char **words)
{
	switch (session->verdict) {
	case VHU_CAUSE_BADLY:
		*words = session->stats.closed               ? "ended badly"
			 : session->cause && *session->cause ? "hangs"
							     : "still open, with errors";
		return "badly";
	case VHU_CAUSE_UNSURE:
		*words = "ended early";
		return "unsure";
	default:
		*words = session->stats.closed ? "ended in order" : "still open at the end";
		return "well";
	}
}

/* Return the first of the worst findings of a session; NULL without findings. */
static const struct vhu_finding *worst_of(const struct vhu_report *report, uint32_t session)
{
	const struct vhu_finding *worst = NULL;

	for (uint32_t i = 0; i < report->findings; i++) {
		const struct vhu_finding *finding = &report->finding[i].finding;

		if (report->finding[i].session == session &&
		    (!worst || finding->rule->severity > worst->rule->severity))
			worst = finding;
	}
	return worst;
}

/* Write why a session ended badly: the first part of the line as a sentence, the others below. */
static void put_cause(FILE *to, const struct vhu_report_session *session)
{
	char *text = strdup(session->cause), *at = text, *end;
	bool listed = false;

	if (!text)
		return;
	fputs("<p class=\"lead\">Likeliest cause</p>\n<p class=\"cause\">", to);
	while (at) {
		end = strstr(at, "; ");
		if (end)
			*end = '\0';
		vhu_html_linked(to, session->capture, at);
		fputs(listed ? "</li>\n" : "</p>\n", to);
		at = end ? end + 2 : NULL;
		if (at)
			fputs(listed ? "<li>" : "<ul class=\"because\"><li>", to);
		listed |= at != NULL;
	}
	if (listed)
		fputs("</ul>\n", to);
	free(text);
}

/* Write what matters most of a session: the cause, or the worst finding. */
static void put_verdict(FILE *to, const struct vhu_report *report, uint32_t at)
{
	const struct vhu_report_session *session = &report->session[at];
	const struct vhu_finding *worst = worst_of(report, at);

	if (session->cause && *session->cause) {
		put_cause(to, session);
	} else if (worst) {
		const char *severity = vhu_severity_name(worst->rule->severity);

		fputs(worst->rule->severity == VHU_INFO
			  ? "<p class=\"lead\">No rule was broken; worth knowing</p>\n"
			  : "<p class=\"lead\">Worst finding</p>\n",
		      to);
		fprintf(to, "<p class=\"cause\"><b class=\"tag %s\">%s</b> ", severity, severity);
		vhu_html_linked(to, session->capture, worst->text);
		fputs("</p>\n", to);
	} else {
		fputs(
		    "<p class=\"cause\">No rule was broken, and the session ended in order.</p>\n",
		    to);
	}
}

/* Write how far a session came. */
static void put_steps(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_stats *stats = &session->stats;
	const bool running = session->running_ns != 0;
	const bool rings = running || stats->setup.phase[VHU_PHASE_RINGS].first;
	const bool memory = running || stats->setup.phase[VHU_PHASE_MEMORY].first;
	const struct {
		const char *name, *means;
		bool reached;
	} step[] = {
	    {"connected", "the two sides are connected", true},
	    {"features", "the two sides agree on what they can do",
	     stats->setup.phase[VHU_PHASE_NEGOTIATE].first || memory || rings},
	    {"memory", "the front-end shares the guest's memory", memory},
	    {"vrings", "the queues between guest and device are set up", rings},
	    {"running", "a vring is started and enabled: the device can work", running},
	    {"ended in order", "the session ended as it should",
	     stats->closed && session->verdict == VHU_CAUSE_WELL},
	};

	if (stats->earlier)
		return;
	fputs("<ol class=\"steps\" aria-label=\"How far the session came\">", to);
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(step); i++)
		fprintf(to,
			"<li class=\"%s\" title=\"%s\">%s<span class=\"hidden\">: %s</span></li>",
			step[i].reached ? "done" : "missing", step[i].means, step[i].name,
			step[i].reached ? "yes" : "no");
	fputs("</ol>\n", to);
}

/* Write a count of something. */
static void put_count(FILE *to, uint64_t count, const char *what)
{
	fprintf(to, "<span><b>%" PRIu64 "</b> %s%s</span> ", count, what, count == 1 ? "" : "s");
}

/* Write when a session was and how much there is of it. */
static void put_facts(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_stats *stats = &session->stats;

	fputs("<p class=\"facts\"><span><b>", to);
	vhu_html_time(to, vhu_elapsed_ns(stats->begin_ns, stats->end_ns));
	fputs("</b> long</span> ", to);
	put_count(to, stats->from[0] + stats->from[1], "message");
	for (int i = VHU_SEVERITIES - 1; i >= 0; i--)
		if (stats->found[i])
			put_count(to, stats->found[i], vhu_severity_name((enum vhu_severity)i));
	if (stats->hangs)
		put_count(to, stats->hangs, "snapshot of a hanging vring");
	if (*stats->reason)
		vhu_html_print(to, "closed: %s", stats->reason);
	fputs("</p>\n", to);
}

/* Write which device a session is about. */
static void put_device(FILE *to, const struct vhu_report_session *session)
{
	const char *device = vhu_device_name(session->device);

	if (session->device && device)
		vhu_html_print(to, "virtio %s device", device);
	else if (session->device)
		fprintf(to, "virtio device %" PRIu32, session->device);
	else
		fputs("device not known", to);
}

/* Write which sessions ended in the same way. */
static void put_alike(FILE *to, const struct vhu_report *report, uint32_t at)
{
	uint64_t others = 0, last = 0;

	for (uint32_t i = at + 1; i < report->sessions; i++) {
		if (report->session[i].like != at)
			continue;
		if (others && others < 8)
			fprintf(to, "%s%" PRIu64, others == 1 ? "<p>Sessions " : ", ", last);
		last = report->session[i].id;
		others++;
	}
	if (others == 1)
		fprintf(to, "<p>Session %" PRIu64 " ended in the same way.</p>\n", last);
	else if (others && others <= 8)
		fprintf(to, " and %" PRIu64 " ended in the same way.</p>\n", last);
	else if (others)
		fprintf(to,
			" and %" PRIu64 " more, up to %" PRIu64 ", ended in the same way.</p>\n",
			others - 7, last);
}

/* Write the card of a session. */
static void put_card(FILE *to, const struct vhu_report *report, uint32_t at)
{
	const struct vhu_report_session *session = &report->session[at];
	const char *words, *class = ending_of(session, &words);

	fprintf(to,
		"<article class=\"card %s\"><h2><a href=\"#s%" PRIu32 "\">Session %" PRIu64
		"</a>: ",
		class, at + 1, session->id);
	put_device(to, session);
	fprintf(to, " <span class=\"badge %s\">%s</span></h2>\n<p class=\"between\">", class,
		words);
	vhu_html_between(to, session);
	fputs("</p>\n", to);
	put_verdict(to, report, at);
	put_alike(to, report, at);
	put_steps(to, session);
	put_facts(to, session);
	fputs("</article>\n", to);
}

/* Write a row of the table of all sessions. */
static void put_row(FILE *to, const struct vhu_report *report, uint32_t at)
{
	const struct vhu_report_session *session = &report->session[at];
	const struct vhu_report_capture *capture = &report->capture[session->capture];
	const uint64_t first_ns =
	    capture->first_row < report->rows ? report->row[capture->first_row].time_ns : 0;
	const char *words, *class = ending_of(session, &words);

	fputs("<tr><th scope=\"row\">", to);
	if (session->section)
		fprintf(to, "<a href=\"#s%" PRIu32 "\">%" PRIu64 "</a>", at + 1, session->id);
	else
		fprintf(to, "%" PRIu64, session->id);
	if (report->captures > 1) {
		fputs("<td>", to);
		vhu_html_text(to, capture->path);
	}
	fputs("<td>", to);
	vhu_html_time(to, vhu_elapsed_ns(first_ns, session->stats.begin_ns));
	fputs("<td>", to);
	vhu_html_time(to, vhu_elapsed_ns(session->stats.begin_ns, session->stats.end_ns));
	fprintf(to, "<td>%" PRIu64 "<td>%" PRIu64 "<td><span class=\"badge %s\">%s</span><td>",
		session->stats.from[0] + session->stats.from[1],
		session->stats.found[VHU_ERROR] + session->stats.found[VHU_WARNING], class, words);
	if (session->cause)
		vhu_html_linked(to, session->capture, session->cause);
	fputs("</tr>\n", to);
}

/* Write the table of all sessions. */
static void put_table(FILE *to, const struct vhu_report *report)
{
	fprintf(to,
		"<h2>All %" PRIu32 " sessions</h2>\n<div class=\"wide\"><table><tr><th "
		"scope=\"col\">session%s<th scope=\"col\">begins<th scope=\"col\">lasts<th "
		"scope=\"col\">messages<th scope=\"col\">errors, warnings<th "
		"scope=\"col\">end<th scope=\"col\">cause</tr>\n",
		report->sessions, report->captures > 1 ? "<th scope=\"col\">capture" : "");
	for (uint32_t i = 0; i < report->sessions && i < SESSIONS_SHOWN; i++)
		put_row(to, report, i);
	fputs("</table></div>\n", to);
	if (report->sessions > SESSIONS_SHOWN)
		fprintf(to, "<p>%u more are not listed: <code>vhu stats</code> has them.</p>\n",
			report->sessions - SESSIONS_SHOWN);
}

void vhu_html_overview(FILE *to, const struct vhu_report *report)
{
	fputs("<section id=\"overview\" aria-label=\"Overview\">\n", to);
	for (unsigned i = 0; i < report->captures; i++) {
		if (!report->capture[i].error)
			continue;
		fputs("<p class=\"card badly\" role=\"alert\">The capture is not whole: ", to);
		vhu_html_print(to, "%s: %s", report->capture[i].path, report->capture[i].error);
		fputs("</p>\n", to);
	}
	for (uint32_t i = 0; i < report->sessions; i++)
		if (report->session[i].section)
			put_card(to, report, i);
	if (!report->sessions)
		fputs("<p class=\"card\">There is no session in it.</p>\n", to);
	if (report->sessions > 1)
		put_table(to, report);
	fputs("</section>\n", to);
}
