/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proxy answers, also one that answers nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tools/top/sources/answer.h"

#define TAKES(source, ...) take(source, #__VA_ARGS__)

/* Take an answer. Returns what came of it. */
static int take(struct vhu_top_source *source, const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);
	int ret;

	assert_non_null(answer);
	ret = vhu_top_answer_take(source, answer, 1);
	json_decref(answer);
	return ret;
}

static void all_keys_are_taken(void **state)
{
	struct vhu_top top = {0};
	struct vhu_top_source *source = vhu_top_source(&top, "a");
	const struct vhu_top_session *session;
	const struct vhu_top_told *told;

	(void)state;
	assert_int_equal(
	    TAKES(source, {
		    "ok" : true,
		    "sessions" : [ {
			    "session" : 3,
			    "age_ns" : "9007199254740993",
			    "front_end" : {"pid" : 7, "comm" : "qemu", "path" : "/vm.sock"},
			    "back_end" : {"path" : "/disk.sock"},
			    "channels" : [
				    {"front_end" : {"messages" : 5}, "back_end" : {"messages" : 4}},
				    {"front_end" : {"messages" : 2}, "back_end" : {}}
			    ],
			    "waiting_request" : {"message" : "GET_CONFIG", "for_ns" : 12},
			    "device_id" : 2,
			    "device" : "BLOCK",
			    "vrings" : [
				    {"vring" : 1, "started" : true, "kick" : {"polling" : false}},
				    {"vring" : 4, "started" : true, "kick" : {"polling" : true}}
			    ],
			    "interposed" : [ {
				    "vring" : 1,
				    "kick" : {"signals" : 20},
				    "call" : {"signals" : 18},
				    "kicks_without_call" : 2,
				    "for_ns" : 99,
				    "kick_to_call" : {"count" : 3, "max_ns" : 70},
				    "kick_to_call_buckets" : [ [ 10, 2 ], [ 68, 1 ] ]
			    } ],
			    "watched" :
				[ {"vring" : 4, "stalled" : true, "verdict" : {"id" : "D3"}} ]
		    } ]
	    }),
	    0);
	assert_true(source->here);
	assert_int_equal(source->sessions, 1);
	session = source->session[0];
	assert_int_equal(session->number, 3);
	assert_int_equal(session->clock_ns, UINT64_C(9007199254740993));
	assert_string_equal(session->peer[VHU_TOP_FRONT].comm, "qemu");
	assert_string_equal(session->peer[VHU_TOP_BACK].path, "/disk.sock");
	assert_int_equal(session->peer[VHU_TOP_BACK].pid, 0);
	assert_int_equal(session->messages, 11);
	assert_string_equal(session->waiting_for, "GET_CONFIG");
	assert_int_equal(session->waiting_ns, 12);
	assert_int_equal(session->vrings, 2);
	told = &session->vring[0]->now;
	assert_int_equal(told->index, 1);
	assert_true(told->counted && told->started && !told->polling && !told->stalled);
	assert_int_equal(told->kicks, 20);
	assert_int_equal(told->calls, 18);
	assert_int_equal(told->waiting, 2);
	assert_int_equal(told->waiting_ns, 99);
	assert_int_equal(told->delay.count, 3);
	assert_int_equal(told->delay.greatest, 70);
	told = &session->vring[1]->now;
	assert_true(!told->counted && told->polling && told->stalled);
	assert_string_equal(told->verdict, "D3");
	vhu_top_free(&top);
}

static void nonsense_does_no_harm(void **state)
{
	static const char *const refused[] = {
	    "{}",
	    "{\"ok\":false,\"error\":\"no\"}",
	    "{\"ok\":true}",
	    "{\"ok\":true,\"sessions\":{}}",
	};
	struct vhu_top top = {0};
	struct vhu_top_source *source = vhu_top_source(&top, "a");

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(take(source, refused[i]), -EBADMSG);
	assert_false(source->here);
	assert_int_equal(
	    TAKES(source, {
		    "ok" : true,
		    "sessions" : [
			    1, null, [], "x",
			    {"session" : "y", "vrings" : 3, "channels" : 7, "front_end" : []}, {
				    "session" : -5,
				    "age_ns" : -1,
				    "vrings" : [ 0, {}, {"vring" : -1} ],
				    "interposed" : [
					    5, {
						    "vring" : 0,
						    "kick_to_call_buckets" : [
							    1, [], [ -1, 5 ], [ 9, -2 ],
							    [ "a", 1 ], [5]
						    ]
					    }
				    ]
			    }
		    ]
	    }),
	    0);
	vhu_top_free(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_keys_are_taken),
	    cmocka_unit_test(nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
