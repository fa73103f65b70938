/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of a page. What comes from a capture goes through vhu_html_text and what is built on it:
 * none of it is ever taken for markup, and none turns the direction of what stands around it.
 */
#ifndef VHU_TOOLS_REPORT_HTML_HTML_H
#define VHU_TOOLS_REPORT_HTML_HTML_H

#include <stdint.h>
#include <stdio.h>

struct vhu_report;
struct vhu_report_session;
struct vhu_state;

/* Write a text, whatever it holds. */
void vhu_html_text(FILE *to, const char *text);

/* Write what printf would print, as a text. */
void vhu_html_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write a text as a sentence. Numbers of messages, "(17)" and "message 17", become links to the
 * messages of capture @capture. */
void vhu_html_linked(FILE *to, unsigned capture, const char *text);

/* Write a link to a message, with its number as the text. */
void vhu_html_message(FILE *to, unsigned capture, uint64_t number);

/* Write the id of a message's row, without quotes: "m17", in the second capture "m2.17". */
void vhu_html_message_id(FILE *to, unsigned capture, uint64_t number);

/* Write the name of a capture, without its folder. */
void vhu_html_capture(FILE *to, const char *path);

/* Write a length of time. */
void vhu_html_time(FILE *to, uint64_t ns);

/* Return HTML of what was negotiated and set up in a session, to be freed; NULL out of memory. */
char *vhu_html_state(const struct vhu_state *state);

/* Write the overview: each session, how it ended, and why. */
void vhu_html_overview(FILE *to, const struct vhu_report *report);

/* Write the section of a session. */
void vhu_html_session(FILE *to, const struct vhu_report *report, uint32_t session);

/* Write the parts of such a section: findings; how its set-up went; how long replies took. */
void vhu_html_findings(FILE *to, const struct vhu_report *report, uint32_t session);
void vhu_html_setup(FILE *to, const struct vhu_report_session *session);
void vhu_html_replies(FILE *to, const struct vhu_report_session *session);

/* The memory and the vrings in it; how these stood over time, and their snapshots; kicks and calls.
 */
void vhu_html_memory(FILE *to, const struct vhu_report_session *session);
void vhu_html_life(FILE *to, const struct vhu_report_session *session);
void vhu_html_latency(FILE *to, const struct vhu_report_session *session);

/* Write sessions side by side, if there are several. */
void vhu_html_compare(FILE *to, const struct vhu_report *report);

/* Write who a session is between, as one line. */
void vhu_html_between(FILE *to, const struct vhu_report_session *session);

/* Write the messages: a table of the first, and the data of all of them for the page's program.
 * Returns 0 or -ENOMEM. */
int vhu_html_messages(FILE *to, const struct vhu_report *report);

/* Write the whole page. Returns 0 or -ENOMEM; errors of @to are kept by it. */
int vhu_html_page(FILE *to, const struct vhu_report *report);

#endif
