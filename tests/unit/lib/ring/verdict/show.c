/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ring/verdict/show.h"
#include "tests/unit/lib/ring/image.h"

static void a_verdict_is_written_as_json(void **state)
{
	struct vhu_ring_verdict verdict;
	struct vhu_json json = {0};
	struct image image;
	char *text = NULL;
	size_t size;

	(void)state;
	image_open_waiting(&image, 0, 3);
	verdict = image_judge(&image);
	json.to = open_memstream(&text, &size);
	vhu_json_object(&json, NULL);
	vhu_ring_evidence_json(&json, &image.evidence, &verdict);
	vhu_json_object_end(&json);
	fclose(json.to);
	assert_non_null(strstr(text, "{\"vring\":0,\"verdict\":{\"id\":\"D1\","));
	assert_non_null(
	    strstr(text, "\"hangs\":true,\"alternatives\":[\"D4\",\"D20\"],\"apart\":"));
	assert_non_null(strstr(text, "\"format\":\"split\",\"size\":128,\"available\":3,\"used\":0,"
				     "\"waiting\":3,\"used_known_by\":\"index\""));
	assert_non_null(strstr(text, "\"kick_wanted\":\"wanted\",\"call_wanted\":\"unknown\""));
	assert_non_null(
	    strstr(text, "\"kick\":{\"eventfd_id\":10,\"count\":0,\"poller\":\"level\"}"));
	assert_non_null(strstr(text, "\"back_end\":{\"pid\":200,\"state\":\"S\",\"unread\":0}"));
	assert_non_null(strstr(text, "\"samples\":[{\"monotonic_ns\":0,\"available\":3,"));
	free(text);
	image_close(&image);
}

static void a_vring_is_written_in_a_line(void **state)
{
	struct vhu_ring_verdict verdict;
	char text[VHU_RING_SHOW_TEXT];
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	image.evidence.vring = 2;
	verdict = image_judge(&image);
	vhu_ring_numbers_text(&image.evidence, text, sizeof(text));
	assert_string_equal(text, "vring 2: split, size 128, available 3, used 0, 3 waiting, kick "
				  "0, call 0");
	vhu_ring_verdict_text(2, &verdict, text, sizeof(text));
	assert_non_null(strstr(
	    text, "did not kick (D1), or the back-end took the "
		  "buffers and has not completed them (D4), or the back-end read the kick and "
		  "took nothing (D20); to tell them apart: start `vhu latency`"));
	image_close(&image);
}

static void advice_names_the_command_that_unsticks_if_there_is_a_proxy(void **state)
{
	struct vhu_ring_verdict verdict;
	char text[VHU_RING_SHOW_TEXT];
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 3);
	verdict = image_judge(&image);
	assert_int_equal(verdict.alternative[1], VHU_RING_D20);
	assert_true(vhu_ring_verdict_unsticks(&verdict));
	vhu_ring_advice_text(&image.evidence, &verdict, VHU_RING_D20, text, sizeof(text));
	assert_null(strstr(text, "vhu ctl"));
	image.evidence.control = "/run/vm.ctl";
	vhu_ring_advice_text(&image.evidence, &verdict, VHU_RING_D20, text, sizeof(text));
	assert_non_null(strstr(text, "; `vhu ctl -s /run/vm.ctl kick` unsticks the guest"));
	image.evidence.at_control = 7;
	vhu_ring_advice_text(&image.evidence, &verdict, VHU_RING_D20, text, sizeof(text));
	assert_non_null(strstr(text, "; `vhu ctl -s /run/vm.ctl kick 7 0` unsticks the guest"));
	/* Nothing is to be signalled for the other cause. */
	vhu_ring_advice_text(&image.evidence, &verdict, VHU_RING_D1, text, sizeof(text));
	assert_null(strstr(text, "vhu ctl"));
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_verdict_is_written_as_json),
	    cmocka_unit_test(a_vring_is_written_in_a_line),
	    cmocka_unit_test(advice_names_the_command_that_unsticks_if_there_is_a_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
