/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session that is looked into. */
#include "tools/top/screen/detail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"

/* Between two looks at the vrings: each reads memory for 100 ms and more. */
#define RINGS_EVERY_NS VHU_NS_PER_S
/* Ids of questions. */
#define ID_STATE       "state"
#define ID_RECORDS     "records"
#define ID_FOLLOW      "follow"

const char *vhu_top_detail_page_name(enum vhu_top_detail_page page)
{
	static const char *const name[VHU_TOP_PAGES] = {
	    [VHU_TOP_PAGE_STATE] = "State",
	    [VHU_TOP_PAGE_VRINGS] = "Vrings",
	    [VHU_TOP_PAGE_MESSAGES] = "Messages",
	};

	return name[page];
}

/* Show a text in the place of what a page has. */
static void replace(struct vhu_top_page *page, const char *text)
{
	vhu_top_page_clear(page);
	vhu_top_page_add(page, text);
}

/* Take an answer, or a record that is followed. */
static void take(void *with, const json_t *answer)
{
	struct vhu_top_detail *detail = with;
	const char *id = json_string_value(json_object_get(answer, "id"));
	const char *text = json_string_value(json_object_get(answer, "text"));
	const char *error = json_string_value(json_object_get(answer, "error"));
	const json_int_t lost = json_integer_value(json_object_get(answer, "lost"));
	char line[64];

	if (!id)
		return;
	if (!strcmp(id, ID_STATE)) {
		replace(&detail->page[VHU_TOP_PAGE_STATE], text ? text : error ? error : "");
		detail->ended = !text;
	} else if (lost) {
		snprintf(line, sizeof(line), "... %" JSON_INTEGER_FORMAT " more", lost);
		vhu_top_page_add(&detail->page[VHU_TOP_PAGE_MESSAGES], line);
	} else if (text) {
		vhu_top_page_add(&detail->page[VHU_TOP_PAGE_MESSAGES], text);
	}
}

/* Ask the proxy one thing about the session. */
static int ask(struct vhu_top_detail *detail, const char *id, const char *verb)
{
	char question[128];

	snprintf(question, sizeof(question),
		 "{\"id\":\"%s\",\"verb\":\"%s\",\"session\":%" PRIu64 ",\"as\":\"text\"}", id,
		 verb, detail->row.session);
	return vhu_top_talk_ask(&detail->talk, question);
}

/* Connect to the proxy, and follow the session. */
static void connect_to(struct vhu_top_detail *detail)
{
	char error[VHU_ENDPOINT_ERROR];

	if (vhu_top_talk_open(&detail->talk, detail->row.path, error)) {
		replace(&detail->page[VHU_TOP_PAGE_STATE], error);
		return;
	}
	ask(detail, ID_STATE, "session");
	ask(detail, ID_RECORDS, "records");
	ask(detail, ID_FOLLOW, "follow");
}

/* Take a line of vhu rings. */
static void take_rings(void *with, char *line)
{
	struct vhu_top_detail *detail = with;

	vhu_top_page_add(&detail->fresh, *line ? line : " ");
}

/* Take a line of vhu attach. */
static void take_message(void *with, char *line)
{
	struct vhu_top_detail *detail = with;

	vhu_top_page_add(&detail->page[VHU_TOP_PAGE_MESSAGES], line);
}

/* Start vhu rings for the session. */
static void look_at_rings(struct vhu_top_detail *detail)
{
	char number[24];
	const char *const words[] = {"rings", "-s", detail->row.path, "--session", number, NULL};
	const char *const by_pid[] = {"rings", "-p", number, NULL};

	if (detail->row.probed && !detail->row.back_pid)
		return;
	snprintf(number, sizeof(number), "%" PRIu64,
		 detail->row.probed ? detail->row.back_pid : detail->row.session);
	vhu_top_child_start(&detail->rings, detail->row.probed ? by_pid : words);
}

/* Watch the messages of a session without a proxy, and say what is known of it. */
static void watch(struct vhu_top_detail *detail)
{
	struct vhu_top_page *state = &detail->page[VHU_TOP_PAGE_STATE];
	const bool by_pid = detail->row.back_pid != 0;
	char number[24], line[4 * VHU_TOP_PLAIN];
	const char *const words[] = {"attach", "-q", by_pid ? "--pid" : "--socket",
				     by_pid ? number : detail->row.path, NULL};

	snprintf(number, sizeof(number), "%" PRIu32, detail->row.back_pid);
	snprintf(line, sizeof(line), "socket     %s\nback-end   %s (pid %s)", detail->row.name,
		 detail->row.back_end, by_pid ? number : "not known");
	vhu_top_page_add(state, line);
	vhu_top_page_add(state, "No proxy is in the path: what was said before is not known, and "
				"messages are shown from now on.");
	vhu_top_child_start(&detail->attach, words);
}

void vhu_top_detail_open(struct vhu_top_detail *detail, const struct vhu_top_row *row)
{
	vhu_top_detail_close(detail);
	detail->row = *row;
	detail->open = true;
	detail->talk = (struct vhu_top_talk){.lines = {.fd = -1}, .take = take, .with = detail};
	detail->page[VHU_TOP_PAGE_MESSAGES].grows = true;
	detail->page[VHU_TOP_PAGE_MESSAGES].follows = true;
	if (detail->row.probed)
		watch(detail);
	else
		connect_to(detail);
	look_at_rings(detail);
}

void vhu_top_detail_tick(struct vhu_top_detail *detail, uint64_t now_ns)
{
	if (!detail->open || detail->ended)
		return;
	if (detail->talk.proxy && !detail->talk.asked)
		ask(detail, ID_STATE, "session");
	if (!detail->rings.pid && now_ns - detail->rings_ns > RINGS_EVERY_NS)
		look_at_rings(detail);
}

void vhu_top_detail_fds(const struct vhu_top_detail *detail, int fd[VHU_TOP_DETAIL_FDS])
{
	const bool runs = detail->open && detail->rings.pid;

	fd[0] = detail->open ? vhu_top_talk_fd(&detail->talk) : -1;
	fd[1] = runs ? detail->rings.out.fd : -1;
	fd[2] = runs ? detail->rings.err.fd : -1;
	fd[3] = detail->open && detail->attach.pid ? detail->attach.out.fd : -1;
	fd[4] = detail->open && detail->attach.pid ? detail->attach.err.fd : -1;
}

void vhu_top_detail_read(struct vhu_top_detail *detail, uint64_t now_ns)
{
	struct vhu_top_page *vrings = &detail->page[VHU_TOP_PAGE_VRINGS];

	if (!detail->open)
		return;
	if (detail->talk.proxy && vhu_top_talk_read(&detail->talk)) {
		vhu_top_talk_close(&detail->talk);
		vhu_top_page_add(&detail->page[VHU_TOP_PAGE_MESSAGES], "The proxy has gone.");
		detail->ended = true;
	}
	vhu_top_child_read(&detail->attach, take_message, take_message, detail);
	if (!detail->rings.pid ||
	    vhu_top_child_read(&detail->rings, take_rings, take_rings, detail))
		return;
	detail->rings_ns = now_ns;
	vhu_top_page_clear(vrings);
	vrings->line = detail->fresh.line;
	vrings->lines = detail->fresh.lines;
	detail->fresh = (struct vhu_top_page){0};
}

void vhu_top_detail_close(struct vhu_top_detail *detail)
{
	const enum vhu_top_detail_page shown = detail->shown;

	if (detail->open)
		vhu_top_talk_close(&detail->talk);
	vhu_top_child_stop(&detail->rings);
	vhu_top_child_stop(&detail->attach);
	for (unsigned i = 0; i < VHU_TOP_PAGES; i++)
		vhu_top_page_clear(&detail->page[i]);
	vhu_top_page_clear(&detail->fresh);
	/* Who looks into one after the other wants the same of each. */
	*detail = (struct vhu_top_detail){.shown = shown};
}
