/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of vhu top, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/top/table/view.h"

#define S UINT64_C(1000000000)

/* Add session @number, whose vrings have had so many kicks in the last second. */
static void add(struct vhu_top_source *source, uint64_t number, const char *path, unsigned vrings,
		const uint64_t *kicks)
{
	for (unsigned turn = 1; turn <= 2; turn++) {
		struct vhu_top_session *session = vhu_top_session_begin(source, number, turn * S);

		strcpy(session->peer[VHU_TOP_FRONT].path, path);
		strcpy(session->peer[VHU_TOP_BACK].comm, "Daemon");
		for (unsigned i = 0; i < vrings; i++) {
			struct vhu_top_told told = {.index = i, .started = true, .counted = true};

			told.kicks = turn == 1 ? 0 : kicks[i];
			assert_int_equal(vhu_top_session_vring(session, &told), 0);
		}
		vhu_top_session_end(session);
	}
}

/* Make a model: two sessions of a proxy, one without vrings; a proxy without sessions; one gone. */
static struct vhu_top make(void)
{
	static const uint64_t one[] = {5, 30}, other[] = {20};
	struct vhu_top top = {.stall_ns = S};
	struct vhu_top_source *source = vhu_top_source(&top, "/run/a.ctl");

	add(source, 1, "/run/one.sock", 2, one);
	add(source, 2, "/run/ev\033il.sock", 1, other);
	add(source, 3, "/run/none.sock", 0, NULL);
	vhu_top_source_end(source, S);
	vhu_top_source_end(vhu_top_source(&top, "/run/b.ctl"), S);
	vhu_top_source_end(vhu_top_source(&top, "/run/c.ctl"), S / 2);
	vhu_top_source_gone(vhu_top_source(&top, "/run/c.ctl"), "refused", S);
	return top;
}

/* Hold the rows' sessions and vrings against "1/0 2/0 ...", notes are "-". */
static void assert_rows(const struct vhu_top_view *view, const char *wanted)
{
	char text[256] = "", one[32];

	for (unsigned i = 0; i < view->rows; i++) {
		const struct vhu_top_row *row = view->row[i];

		if (row->note)
			strcpy(one, "- ");
		else
			snprintf(one, sizeof(one), "%d/%d ", (int)row->session, (int)row->vring);
		strcat(text, one);
	}
	assert_string_equal(text, wanted);
}

/* Sort by a column. */
static void sort(struct vhu_top_view *view, const char *column, bool reverse)
{
	assert_true(vhu_top_column_find(column) >= 0);
	view->sort = (unsigned)vhu_top_column_find(column);
	view->reverse = reverse;
	assert_int_equal(vhu_top_view_arrange(view), 0);
}

static void rows_are_sorted_by_any_column(void **state)
{
	struct vhu_top top = make();
	struct vhu_top_view view = {0};

	(void)state;
	assert_int_equal(vhu_top_view_take(&view, &top, 4 * S), 0);
	assert_int_equal(view.sources, 3);
	assert_int_equal(view.gone, 1);
	assert_int_equal(view.sessions, 3);
	assert_int_equal(view.vrings, 3);
	assert_int_equal(view.kicks_per_s, 55);
	sort(&view, "kicks", false);
	assert_rows(&view, "- - 1/1 2/0 1/0 3/-1 ");
	sort(&view, "kicks", true);
	assert_rows(&view, "- - 3/-1 1/0 2/0 1/1 ");
	sort(&view, "session", false);
	assert_rows(&view, "- - 1/0 1/1 2/0 3/-1 ");
	sort(&view, "name", false);
	assert_rows(&view, "- - 2/0 3/-1 1/0 1/1 ");
	for (unsigned i = 0; i < vhu_top_columns; i++) {
		char text[VHU_TOP_PLAIN];

		sort(&view, vhu_top_column[i].name, false);
		assert_int_equal(view.rows, 6);
		for (unsigned at = 2; at < view.rows; at++) {
			vhu_top_column[i].text(view.row[at], text, sizeof(text));
			assert_true(*text);
		}
	}
	assert_int_equal(vhu_top_column_find("nosuch"), -1);
	vhu_top_view_free(&view);
	vhu_top_free(&top);
}

static void a_filter_finds_names_and_states(void **state)
{
	struct vhu_top top = make();
	struct vhu_top_view view = {0};

	(void)state;
	top.source[0]->session[0]->vring[1]->state = VHU_TOP_STALLED;
	assert_int_equal(vhu_top_view_take(&view, &top, 4 * S), 0);
	sort(&view, "session", false);
	strcpy(view.filter, "daemon");
	vhu_top_view_arrange(&view);
	assert_rows(&view, "1/0 1/1 2/0 3/-1 ");
	strcpy(view.filter, "stalled");
	vhu_top_view_arrange(&view);
	assert_rows(&view, "1/1 ");
	strcpy(view.filter, "c.ctl");
	vhu_top_view_arrange(&view);
	assert_rows(&view, "- ");
	assert_string_equal(view.row[0]->name, "/run/c.ctl: gone for 3.00s: refused");
	/* A session without vrings has no state to be found by. */
	strcpy(view.filter, "off");
	vhu_top_view_arrange(&view);
	assert_rows(&view, "1/0 2/0 ");
	vhu_top_view_free(&view);
	vhu_top_free(&top);
}

static void rows_stay_when_the_model_goes_on(void **state)
{
	struct vhu_top top = make();
	struct vhu_top_view view = {0};

	(void)state;
	assert_int_equal(vhu_top_view_take(&view, &top, 4 * S), 0);
	vhu_top_free(&top);
	sort(&view, "session", false);
	assert_rows(&view, "- - 1/0 1/1 2/0 3/-1 ");
	assert_string_equal(view.row[4]->name, "/run/ev\\x1bil.sock");
	assert_string_equal(view.row[4]->path, "/run/a.ctl");
	vhu_top_view_free(&view);
}

static void a_folder_without_sources_says_what_it_waits_for(void **state)
{
	struct vhu_top top = {.among = "/run/vhu", .none = "waiting for one"};
	struct vhu_top_view view = {0};

	(void)state;
	assert_int_equal(vhu_top_view_take(&view, &top, S), 0);
	assert_int_equal(view.rows, 1);
	assert_true(view.row[0]->note);
	assert_string_equal(view.row[0]->path, "/run/vhu");
	assert_string_equal(view.row[0]->name, "/run/vhu: waiting for one");
	/* One that is there says for itself what it has. */
	vhu_top_source_end(vhu_top_source(&top, "/run/vhu/a.ctl"), S);
	assert_int_equal(vhu_top_view_take(&view, &top, S), 0);
	assert_int_equal(view.rows, 1);
	assert_string_equal(view.row[0]->name, "/run/vhu/a.ctl: no session is open");
	vhu_top_view_free(&view);
	vhu_top_free(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_sorted_by_any_column),
	    cmocka_unit_test(a_filter_finds_names_and_states),
	    cmocka_unit_test(rows_stay_when_the_model_goes_on),
	    cmocka_unit_test(a_folder_without_sources_says_what_it_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
