/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page: one file that fetches nothing. Its style and its programs are those of page/, which the
 * build puts into the command; the policy in its head lets these run, by their hashes, and nothing
 * else. What a capture holds stands in the page as escaped text, or packed
 * (tools/report/gather/pack.h).
 */
#include <inttypes.h>

#include "tools/report/assets.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Write the policy: what may run, and what may style. */
static void put_policy(FILE *to)
{
	fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
	      "script-src",
	      to);
	for (unsigned i = 0; i < vhu_report_scripts; i++)
		fprintf(to, " 'sha256-%s'", vhu_report_script[i].sha256);
	fprintf(to, "; style-src 'sha256-%s'\">\n", vhu_report_style.sha256);
}

/* Write the names of the captures. */
static void put_paths(FILE *to, const struct vhu_report *report)
{
	for (unsigned i = 0; i < report->captures && i < 3; i++) {
		fputs(i ? ", " : "", to);
		vhu_html_capture(to, report->capture[i].path);
	}
	if (report->captures > 3)
		fprintf(to, " and %u more", report->captures - 3);
}

/* Write what stands before the sections. */
static void put_head(FILE *to, const struct vhu_report *report)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", to);
	put_policy(to);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      to);
	put_paths(to, report);
	fprintf(to, " - vhu report</title>\n<style>%s</style>\n</head>\n<body>\n",
		(const char *)vhu_report_style.text);
	fputs("<header><p class=\"brand\">vhu report</p><h1>", to);
	put_paths(to, report);
	fputs("</h1><nav aria-label=\"Sections\"><a href=\"#overview\">Overview</a>", to);
	for (uint32_t i = 0; i < report->sessions; i++) {
		const struct vhu_report_session *session = &report->session[i];

		if (!session->section)
			continue;
		fprintf(to, " <a href=\"#s%u\">Session %" PRIu64, i + 1, session->id);
		if (report->captures > 1) {
			fputs(" of ", to);
			vhu_html_capture(to, report->capture[session->capture].path);
		}
		fputs("</a>", to);
	}
	fputs(" <a href=\"#messages\">Messages</a> <a href=\"#words\">Words</a></nav>"
	      "<div id=\"tools\"></div></header>\n<main>\n",
	      to);
}

/* Write what the words mean, for those who see them for the first time. */
static void put_words(FILE *to)
{
	fputs(
	    "<section id=\"words\"><h2>Words</h2>\n<dl>"
	    "<dt>vhost-user<dd>A protocol that lets a virtual machine's program hand a device to "
	    "another program, over a Unix socket."
	    "<dt>front-end<dd>The side of the virtual machine: QEMU, cloud-hypervisor and others. "
	    "It asks first."
	    "<dt>back-end<dd>The side of the device: a storage daemon, virtiofsd, DPDK and others."
	    "<dt>vring<dd>A queue in the guest's memory that carries requests between guest "
	    "and device. It has to be set up, started and enabled before the device serves it."
	    "<dt>kick, call<dd>The guest kicks a vring to say that there is work; the device calls "
	    "to say that work is done. Both are signals on an eventfd."
	    "<dt>region<dd>A part of the guest's memory that the front-end shares with the "
	    "back-end."
	    "<dt>feature<dd>Something that the back-end offers and the front-end acks, by a bit."
	    "<dt>reply, acknowledgement<dd>Some requests have an answer of their own; with the "
	    "feature REPLY_ACK the front-end may ask for one on others (NEED_REPLY)."
	    "</dl></section>\n",
	    to);
}

int vhu_html_page(FILE *to, const struct vhu_report *report)
{
	int error;

	put_head(to, report);
	vhu_html_overview(to, report);
	for (uint32_t i = 0; i < report->sessions; i++)
		if (report->session[i].section)
			vhu_html_session(to, report, i);
	vhu_html_compare(to, report);
	error = vhu_html_messages(to, report);
	put_words(to);
	fputs("</main>\n<footer>Made by vhu " VHU_VERSION
	      ". This page holds all of its data and fetches nothing.</footer>\n",
	      to);
	for (unsigned i = 0; i < vhu_report_scripts; i++)
		fprintf(to, "<script>%s</script>\n", (const char *)vhu_report_script[i].text);
	fputs("</body>\n</html>\n", to);
	return error;
}
