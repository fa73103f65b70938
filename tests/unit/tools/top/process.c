/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The share of a processor, by /proc/PID/stat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <unistd.h>

#include "tools/top/sources/process.h"

static void the_line_is_read_whatever_the_name(void **state)
{
	struct vhu_top_process process = {0};

	(void)state;
	assert_true(vhu_top_process_parse(
	    &process, "12 (a) R (b) T 1 2 3 4 5 6 7 8 9 10 111 222 13 14 15 16 17 18 777 20 21\n"));
	assert_int_equal(process.state, 'T');
	assert_int_equal(process.ticks, 333);
	assert_int_equal(process.start, 777);
	assert_false(vhu_top_process_parse(&process, "12 (a) R 1 2"));
	assert_false(vhu_top_process_parse(&process, ""));
}

/* Have @top one session whose back-end is process @pid. */
static struct vhu_top_session *session_of(struct vhu_top *top, uint32_t pid)
{
	struct vhu_top_source *source = vhu_top_source(top, "a");
	struct vhu_top_session *session = vhu_top_session_begin(source, 1, 1);

	session->peer[VHU_TOP_BACK].pid = pid;
	return session;
}

static void a_busy_process_has_a_share(void **state)
{
	struct vhu_top top = {0};
	struct vhu_top_processes processes = {0};
	struct vhu_top_session *session = session_of(&top, (uint32_t)getpid());
	const clock_t begun = clock();

	(void)state;
	vhu_top_processes_look(&processes, &top, 1000000000);
	assert_false(session->cpu_known);
	while (clock() - begun < CLOCKS_PER_SEC / 10)
		;
	/* A tenth of a second of a processor, in a second as the caller counts it. */
	vhu_top_processes_look(&processes, &top, 2000000000);
	assert_true(session->cpu_known);
	assert_in_range(session->cpu, 5, 30);
	assert_false(session->stopped);
	/* One that is gone has none, and is forgotten with its session. */
	session->peer[VHU_TOP_BACK].pid = 0x7fffffff;
	vhu_top_processes_look(&processes, &top, 3000000000);
	assert_false(session->cpu_known);
	assert_int_equal(processes.count, 1);
	vhu_top_processes_free(&processes);
	vhu_top_free(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_line_is_read_whatever_the_name),
	    cmocka_unit_test(a_busy_process_has_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
