/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages: a table of the first ones, which is readable without scripts, and all of them as
 * packed columns; the page's script (page/) draws the sequence chart from these.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util/json.h"
#include "lib/util/util.h"
#include "tools/report/gather/pack.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Messages in the table. */
#define ROWS_SHOWN 200

/* Return the time of the first record of a row's capture. */
static uint64_t first_ns(const struct vhu_report *report, const struct vhu_report_row *row,
			 unsigned *capture)
{
	while (*capture + 1 < report->captures &&
	       (uint32_t)(row - report->row) >= report->capture[*capture + 1].first_row)
		++*capture;
	return report->row[report->capture[*capture].first_row].time_ns;
}

/* Write a row of the table. */
static void put_row(FILE *to, const struct vhu_report *report, const struct vhu_report_row *row,
		    unsigned *capture)
{
	static const char *const severity[] = {"", "info", "warning", "error"};
	uint64_t begin = first_ns(report, row, capture),
		 since = vhu_elapsed_ns(begin, row->time_ns);
	const char *arrow = row->type != VHU_RECORD_MESSAGE      ? ""
			    : row->flags & VHU_ROW_FROM_BACK_END ? "&larr;"
								 : "&rarr;";

	fputs("<tr id=\"", to);
	vhu_html_message_id(to, *capture, row->number);
	fprintf(to, "\"%s%s%s><th scope=\"row\">%" PRIu64, row->severity ? " class=\"" : "",
		severity[row->severity], row->severity ? "\"" : "", row->number);
	fprintf(to, "<td>%" PRIu64 ".%09" PRIu64, since / VHU_NS_PER_S, since % VHU_NS_PER_S);
	if (report->sessions > 1) {
		fputs("<td>", to);
		if (row->session != VHU_REPORT_NONE)
			fprintf(to, "%" PRIu64, report->session[row->session].id);
	}
	fprintf(to, "<td>%s<td class=\"arrow\">%s<td>",
		vhu_channel_name((enum vhu_channel)row->channel)
		    ? vhu_channel_name((enum vhu_channel)row->channel)
		    : "?",
		arrow);
	vhu_html_text(to, report->texts.text[row->text]);
	if (row->flags & VHU_ROW_NEVER_ANSWERED)
		fputs(" <b>never answered</b>", to);
	if (row->flags & VHU_ROW_NOT_YET_ANSWERED)
		fputs(" <b>not answered yet</b>", to);
	fputs("<td>", to);
	if (row->pair != VHU_REPORT_NONE && row->flags & VHU_ROW_REPLY)
		vhu_html_time(to, row->delay_ns);
	fputs("</tr>\n", to);
}

/* Write the table of the first messages. */
static void put_table(FILE *to, const struct vhu_report *report)
{
	unsigned capture = 0;

	fprintf(to,
		"<div class=\"wide\" id=\"first\"><table class=\"rows\"><tr><th "
		"scope=\"col\">number<th scope=\"col\">time, s%s<th scope=\"col\">channel<th "
		"scope=\"col\" class=\"arrow\">way<th scope=\"col\">message<th "
		"scope=\"col\">after</tr>\n",
		report->sessions > 1 ? "<th scope=\"col\">session" : "");
	for (uint32_t i = 0; i < report->rows && i < ROWS_SHOWN; i++)
		put_row(to, report, &report->row[i], &capture);
	fputs("</table>", to);
	if (report->rows > ROWS_SHOWN)
		fprintf(to,
			"<p>These are the first %d of %" PRIu32 ". The others need JavaScript.</p>",
			ROWS_SHOWN, report->rows);
	fputs("</div>\n", to);
}

/* Write a column of numbers: @value of each row. */
static void put_column(struct vhu_json *json, const char *key, const struct vhu_report *report,
		       int64_t (*value)(const struct vhu_report *report, uint32_t row))
{
	vhu_json_array(json, key);
	for (uint32_t i = 0; i < report->rows; i++)
		vhu_json_signed(json, NULL, value(report, i));
	vhu_json_array_end(json);
}

/* The columns: differences to the row before where these are smaller. */
static int64_t number_of(const struct vhu_report *report, uint32_t i)
{
	return (int64_t)(report->row[i].number - (i ? report->row[i - 1].number : 0));
}
static int64_t time_of(const struct vhu_report *report, uint32_t i)
{
	return i ? (int64_t)(report->row[i].time_ns - report->row[i - 1].time_ns) : 0;
}
static int64_t session_of(const struct vhu_report *report, uint32_t i)
{
	return report->row[i].session == VHU_REPORT_NONE ? -1 : (int64_t)report->row[i].session;
}
static int64_t kind_of(const struct vhu_report *report, uint32_t i)
{
	const struct vhu_report_row *row = &report->row[i];

	return (row->type & 7) | (row->channel & 3) << 3 | (row->act & 7) << 5 | row->flags << 8;
}
static int64_t text_of(const struct vhu_report *report, uint32_t i)
{
	return report->row[i].text;
}
static int64_t pair_of(const struct vhu_report *report, uint32_t i)
{
	const uint32_t pair = report->row[i].pair;

	return pair == VHU_REPORT_NONE ? 0 : (int64_t)pair - (int64_t)i;
}
static int64_t delay_of(const struct vhu_report *report, uint32_t i)
{
	return (int64_t)report->row[i].delay_ns;
}
static int64_t vring_of(const struct vhu_report *report, uint32_t i)
{
	return report->row[i].vring;
}
static int64_t severity_of(const struct vhu_report *report, uint32_t i)
{
	return report->row[i].severity;
}

/* Write all that the program needs, but for the details. */
static void put_data(FILE *to, const struct vhu_report *report)
{
	struct vhu_json json = {.to = to};

	vhu_json_object(&json, NULL);
	vhu_json_array(&json, "captures");
	for (unsigned i = 0; i < report->captures; i++)
		vhu_json_unsigned(&json, NULL, report->capture[i].first_row);
	vhu_json_array_end(&json);
	vhu_json_array(&json, "sessions");
	for (uint32_t i = 0; i < report->sessions; i++)
		vhu_json_unsigned(&json, NULL, report->session[i].id);
	vhu_json_array_end(&json);
	vhu_json_array(&json, "texts");
	for (uint32_t i = 0; i < report->texts.count; i++)
		vhu_json_string(&json, NULL, report->texts.text[i]);
	vhu_json_array_end(&json);
	vhu_json_unsigned(&json, "block", VHU_DETAILS_BLOCK);
	put_column(&json, "number", report, number_of);
	put_column(&json, "time", report, time_of);
	put_column(&json, "session", report, session_of);
	put_column(&json, "kind", report, kind_of);
	put_column(&json, "text", report, text_of);
	put_column(&json, "pair", report, pair_of);
	put_column(&json, "delay", report, delay_of);
	put_column(&json, "vring", report, vring_of);
	put_column(&json, "severity", report, severity_of);
	vhu_json_object_end(&json);
}

/* Write the same packed. Returns 0 or -ENOMEM. */
static int put_packed(FILE *to, const struct vhu_report *report)
{
	char *text = NULL, *packed = NULL;
	size_t size = 0;
	FILE *data = open_memstream(&text, &size);

	if (!data)
		return -ENOMEM;
	put_data(data, report);
	if (!fclose(data))
		packed = vhu_pack(text, size);
	free(text);
	if (!packed)
		return -ENOMEM;
	fprintf(to, "<script type=\"text/plain\" id=\"data\">%s</script>\n", packed);
	free(packed);
	for (uint32_t i = 0; i < report->details.blocks; i++)
		fprintf(to, "<script type=\"text/plain\" id=\"details%" PRIu32 "\">%s</script>\n",
			i, report->details.block[i]);
	return 0;
}

int vhu_html_messages(FILE *to, const struct vhu_report *report)
{
	fputs("<section id=\"messages\"><h2>Messages</h2>\n", to);
	if (report->left_out)
		fprintf(to,
			"<p class=\"quiet\">The first %" PRIu32 " records; %" PRIu64
			" more are left out: <code>vhu report --messages</code> sets how many are "
			"kept.</p>\n",
			report->rows, report->left_out);
	fputs("<div id=\"app\" hidden></div>\n", to);
	put_table(to, report);
	fputs("</section>\n", to);
	return put_packed(to, report);
}
