/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions side by side: what differs between them, after a reconnect or a migration. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Sessions that stand side by side. */
#define SESSIONS_MAX 6
#define TEXT_MAX     1200

/* What is compared: each writes its value of a session, beside the first one. */
typedef void (*value_of)(const struct vhu_report *report, const struct vhu_report_session *session,
			 const struct vhu_report_session *first, char to[TEXT_MAX]);

static void put_peer(const struct vhu_stats_peer *peer, char to[TEXT_MAX])
{
	if (peer->known)
		snprintf(to, TEXT_MAX, "%s (pid %" PRIu32 ")", peer->comm, peer->pid);
	else
		snprintf(to, TEXT_MAX, "%s", peer->path);
}
static void capture(const struct vhu_report *report, const struct vhu_report_session *session,
		    const struct vhu_report_session *first, char to[TEXT_MAX])
{
	(void)first;
	snprintf(to, TEXT_MAX, "%s", report->capture[session->capture].path);
}
static void front_end(const struct vhu_report *report, const struct vhu_report_session *session,
		      const struct vhu_report_session *first, char to[TEXT_MAX])
{
	(void)report;
	(void)first;
	put_peer(&session->stats.peer[0], to);
}
static void back_end(const struct vhu_report *report, const struct vhu_report_session *session,
		     const struct vhu_report_session *first, char to[TEXT_MAX])
{
	(void)report;
	(void)first;
	put_peer(&session->stats.peer[1], to);
}
static void device(const struct vhu_report *report, const struct vhu_report_session *session,
		   const struct vhu_report_session *first, char to[TEXT_MAX])
{
	const char *name = vhu_device_name(session->device);

	(void)report;
	(void)first;
	snprintf(to, TEXT_MAX, "%s", name ? name : "not known");
}

/* Write bits and, if they have names, those that differ from the first session's. */
static void put_bits(enum vhu_names_id names, uint64_t bits, uint64_t first,
		     const struct vhu_context *context, char to[TEXT_MAX])
{
	char more[400] = "", less[400] = "";

	if (context && bits & ~first)
		vhu_bits_text(names, bits & ~first, context, more, sizeof(more));
	if (context && first & ~bits)
		vhu_bits_text(names, first & ~bits, context, less, sizeof(less));
	snprintf(to, TEXT_MAX, "0x%" PRIx64 "%s%s%s%s", bits, *more ? "; more: " : "", more,
		 *less ? "; less: " : "", less);
}
#define BITS(function, set, member, field)                                                         \
	static void function(const struct vhu_report *report,                                      \
			     const struct vhu_report_session *session,                             \
			     const struct vhu_report_session *first, char to[TEXT_MAX])            \
	{                                                                                          \
		const struct vhu_context context = {.device = session->device,                     \
						    .dialect = session->dialect};                  \
                                                                                                   \
		(void)report;                                                                      \
		put_bits(vhu_fields[VHU_FIELD_##field].names, session->set.member.value,           \
			 first->set.member.value,                                                  \
			 session->device == first->device ? &context : NULL, to);                  \
	}
BITS(features_offered, features, offered, features_features)
BITS(features_acked, features, acked, features_features)
BITS(protocol_offered, protocol_features, offered, protocol_features_protocol_features)
BITS(protocol_acked, protocol_features, acked, protocol_features_protocol_features)

static void memory(const struct vhu_report *report, const struct vhu_report_session *session,
		   const struct vhu_report_session *first, char to[TEXT_MAX])
{
	uint64_t total = 0;

	(void)report;
	(void)first;
	for (unsigned i = 0; i < session->vrings.regions; i++)
		total += session->vrings.region[i].size;
	snprintf(to, TEXT_MAX, "0x%" PRIx64 " bytes, regions: %u", total, session->vrings.regions);
}
static void vrings(const struct vhu_report *report, const struct vhu_report_session *session,
		   const struct vhu_report_session *first, char to[TEXT_MAX])
{
	unsigned ran = 0;

	(void)report;
	(void)first;
	for (unsigned i = 0; i < session->vrings.vrings; i++)
		for (uint32_t c = 0; c < session->vrings.changes; c++)
			if (session->vrings.change[c].vring == i &&
			    session->vrings.change[c].life == VHU_LIFE_RUNNING) {
				ran++;
				break;
			}
	snprintf(to, TEXT_MAX, "%u set up, %u ran", session->vrings.vrings, ran);
}
static void until_running(const struct vhu_report *report, const struct vhu_report_session *session,
			  const struct vhu_report_session *first, char to[TEXT_MAX])
{
	char text[VHU_DURATION_TEXT_SIZE];

	(void)report;
	(void)first;
	snprintf(to, TEXT_MAX, "%s",
		 session->running_ns
		     ? vhu_duration_text(
			   vhu_elapsed_ns(session->stats.begin_ns, session->running_ns), text)
		     : "never");
}
static void end(const struct vhu_report *report, const struct vhu_report_session *session,
		const struct vhu_report_session *first, char to[TEXT_MAX])
{
	(void)report;
	(void)first;
	snprintf(to, TEXT_MAX, "%s", session->stats.closed ? session->stats.reason : "still open");
}

/* Write a row, marked if its values differ. */
static void put_row(FILE *to, const struct vhu_report *report, const char *title, value_of value,
		    const struct vhu_report_session *const *session, unsigned count)
{
	char(*text)[TEXT_MAX] = calloc(count, sizeof(*text));
	bool differs = false;

	if (!text)
		return;
	for (unsigned i = 0; i < count; i++) {
		value(report, session[i], session[0], text[i]);
		differs |= strcmp(text[i], text[0]) != 0;
	}
	fprintf(to, "<tr%s><th scope=\"row\">%s%s", differs ? " class=\"differs\"" : "", title,
		differs ? " <span class=\"hidden\">(differs)</span>" : "");
	for (unsigned i = 0; i < count; i++) {
		fputs("<td>", to);
		vhu_html_text(to, text[i]);
	}
	fputs("</tr>\n", to);
	free(text);
}

void vhu_html_compare(FILE *to, const struct vhu_report *report)
{
	static const struct {
		const char *title;
		value_of value;
	} row[] = {
	    {"capture", capture},
	    {"front-end", front_end},
	    {"back-end", back_end},
	    {"device", device},
	    {"virtio features offered", features_offered},
	    {"virtio features acked", features_acked},
	    {"protocol features offered", protocol_offered},
	    {"protocol features acked", protocol_acked},
	    {"memory", memory},
	    {"vrings", vrings},
	    {"until a vring ran", until_running},
	    {"end", end},
	};
	const struct vhu_report_session *session[SESSIONS_MAX];
	unsigned count = 0;

	for (uint32_t i = 0; i < report->sessions && count < SESSIONS_MAX; i++)
		if (report->session[i].section)
			session[count++] = &report->session[i];
	if (count < 2)
		return;
	fputs("<section id=\"compare\"><h2>Side by side</h2>\n<p class=\"quiet\">Rows that differ "
	      "are "
	      "marked.</p>\n<div class=\"wide\"><table class=\"compare\"><tr><td>",
	      to);
	for (unsigned i = 0; i < count; i++)
		fprintf(to, "<th scope=\"col\"><a href=\"#s%td\">Session %" PRIu64 "</a>",
			session[i] - report->session + 1, session[i]->id);
	fputs("</tr>\n", to);
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (row[i].value != capture || report->captures > 1)
			put_row(to, report, row[i].title, row[i].value, session, count);
	fputs("</table></div></section>\n", to);
}
