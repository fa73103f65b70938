/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu top makes of sessions without a proxy: those with traffic, and those that hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/util/util.h"
#include "tools/top/sources/probe.h"

/* Take a line of vhu latency at @now_ns. Returns what came of it. */
static int take_line(struct vhu_top_probe *probe, const char *text, uint64_t now_ns)
{
	json_t *line = json_loads(text, 0, NULL);
	int ret = vhu_top_probe_take(probe, line, now_ns);

	json_decref(line);
	return ret;
}

/* Probes of one back-end. */
struct probe_fixture {
	struct vhu_top top;
	struct vhu_top_probes probes;
	struct vhu_top_probe probe;
};

static void open_fixture(struct probe_fixture *fixture)
{
	*fixture = (struct probe_fixture){.top = {.stall_ns = 1000}};
	fixture->probe.pid = 7;
	fixture->probe.source = vhu_top_source(&fixture->top, "pid 7");
	fixture->probe.among = &fixture->probes;
}

static void close_fixture(struct probe_fixture *fixture)
{
	free(fixture->probe.now.line);
	free(fixture->probe.batch.line);
	for (unsigned i = 0; i < fixture->probes.verdicts.count; i++)
		free(fixture->probes.verdicts.asked[i].verdict);
	free(fixture->probes.verdicts.asked);
	vhu_top_pairs_free(&fixture->probes.pairs);
	vhu_top_free(&fixture->top);
}

/* Take a list of sessions, whose lines are @text. */
static void list(struct probe_fixture *fixture, const char *const *text, unsigned lines,
		 uint64_t now_ns)
{
	for (unsigned i = 0; i < lines; i++) {
		json_t *line = json_loads(text[i], 0, NULL);

		assert_non_null(line);
		vhu_top_pairs_take(&fixture->probes.pairs, line, now_ns);
		json_decref(line);
	}
	vhu_top_pairs_end(&fixture->probes.pairs);
}

/* Return the session of front-end @pid, or NULL. */
static struct vhu_top_session *session_of(const struct probe_fixture *fixture, uint32_t pid)
{
	const struct vhu_top_source *source = fixture->probe.source;

	for (unsigned i = 0; i < source->sessions; i++)
		if (source->session[i]->peer[VHU_TOP_FRONT].pid == pid)
			return source->session[i];
	return NULL;
}

static void lines_of_probes_are_taken_by_their_time(void **state)
{
	struct probe_fixture fixture;
	struct vhu_top_probe *probe = &fixture.probe;
	const struct vhu_top_session *session;
	const struct vhu_top_vring *vring;

	(void)state;
	open_fixture(&fixture);
	assert_int_equal(take_line(probe, "{\"type\":\"start\"}", 1), 0);
	assert_int_equal(
	    take_line(probe,
		      "{\"type\":\"interval\",\"time_ns\":\"100\",\"session\":0,\"vring\":3,"
		      "\"interval_ns\":500000000,\"kicks\":10,\"calls\":8,\"waiting\":2,"
		      "\"waiting_taken\":1,\"oldest_ns\":2000,\"kick_to_call\":{\"count\":8,"
		      "\"p50_ns\":5,\"p99_ns\":6,\"max_ns\":7}}",
		      2),
	    0);
	assert_int_equal(take_line(probe,
				   "{\"type\":\"interval\",\"time_ns\":\"100\",\"session\":0,"
				   "\"vring\":4,\"interval_ns\":500000000,\"ended\":true}",
				   2),
			 0);
	/* A line of another time ends those. */
	assert_int_equal(take_line(probe,
				   "{\"type\":\"interval\",\"time_ns\":\"200\",\"session\":5,"
				   "\"vring\":0,\"interval_ns\":500000000,\"polled\":true}",
				   3),
			 0);
	vhu_top_probe_show(probe, 3);
	assert_true(probe->source->here);
	assert_int_equal(probe->source->sessions, 1);
	session = probe->source->session[0];
	assert_true(session->unnumbered);
	assert_int_equal(session->peer[VHU_TOP_BACK].pid, 7);
	assert_int_equal(session->vrings, 1);
	vring = session->vring[0];
	assert_true(vring->rated && vring->timed && vring->now.untaken);
	assert_int_equal(vring->kicks_per_s, 20);
	assert_int_equal(vring->calls_per_s, 16);
	assert_int_equal(vring->max_ns, 7);
	vhu_top_session_judge(&fixture.top, probe->source->session[0]);
	assert_int_equal(vring->state, VHU_TOP_STALLED);
	vhu_top_probe_whole(probe);
	vhu_top_probe_show(probe, 4);
	assert_int_equal(probe->source->sessions, 1);
	assert_true(probe->source->session[0]->vring[0]->now.polling);
	/* That session is not in the list. */
	assert_true(fixture.probes.list_again);

	/* Nonsense does no harm. */
	assert_int_equal(take_line(probe, "[]", 5), -EBADMSG);
	assert_int_equal(take_line(probe, "not JSON", 5), -EBADMSG);
	assert_int_equal(take_line(probe, "{\"type\":\"interval\"}", 5), -EBADMSG);
	assert_int_equal(take_line(probe, "{\"type\":\"interval\",\"time_ns\":\"x\"}", 5),
			 -EBADMSG);
	assert_int_equal(take_line(probe, "{\"type\":\"counts\",\"rings\":7}", 5), 0);
	close_fixture(&fixture);
}

static const char *const two_sessions[] = {
    "{\"front_end\":{\"pid\":3,\"comm\":\"three\",\"inode\":30},"
    "\"back_end\":{\"pid\":7,\"comm\":\"back\"},\"socket\":\"/a\",\"device\":\"blk\"}",
    "{\"front_end\":{\"pid\":4,\"comm\":\"four\",\"inode\":40},"
    "\"back_end\":{\"pid\":7,\"comm\":\"back\"},\"socket\":\"/b\"}",
    "{\"front_end\":{\"pid\":5,\"inode\":50},\"back_end\":{\"pid\":8},\"socket\":\"/c\"}",
};

static void sessions_without_traffic_are_listed(void **state)
{
	struct vhu_top_eventfd *eventfd = calloc(1, sizeof(*eventfd));
	struct probe_fixture fixture;
	struct vhu_top_session *session;

	(void)state;
	open_fixture(&fixture);
	take_line(&fixture.probe, "{\"type\":\"start\"}", 1);
	list(&fixture, two_sessions, 3, 10);
	vhu_top_probe_show(&fixture.probe, 20);
	assert_int_equal(fixture.probe.source->sessions, 2);
	session = session_of(&fixture, 3);
	assert_int_equal(session->number, 1);
	assert_int_equal(session_of(&fixture, 4)->number, 2);
	assert_string_equal(session->peer[VHU_TOP_FRONT].path, "/a");
	assert_string_equal(session_of(&fixture, 4)->peer[VHU_TOP_FRONT].path, "/b");
	assert_int_equal(session->device_id, 2);
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->state, VHU_TOP_LISTENS);

	/* Later: nothing was seen of it, or an eventfd is signalled and not read. */
	vhu_top_probe_show(&fixture.probe, 10 * VHU_NS_PER_S);
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->state, VHU_TOP_QUIET);
	assert_int_equal(session->silence.for_ns, 10 * VHU_NS_PER_S - 10);
	*eventfd = (struct vhu_top_eventfd){.id = 9, .count = 1, .since_ns = VHU_NS_PER_S};
	fixture.probes.pairs.pair[0].eventfd = eventfd;
	fixture.probes.pairs.pair[0].eventfds = 1;
	vhu_top_probe_show(&fixture.probe, 10 * VHU_NS_PER_S);
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->state, VHU_TOP_WAITS);
	assert_int_equal(session->silence.signalled_ns, 9 * VHU_NS_PER_S);
	session->stopped = true;
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->state, VHU_TOP_STALLED);

	/* A session that has ended goes; the other keeps its number. */
	list(&fixture, two_sessions + 1, 2, 30);
	vhu_top_probe_show(&fixture.probe, 11 * VHU_NS_PER_S);
	assert_int_equal(fixture.probe.source->sessions, 1);
	assert_int_equal(session_of(&fixture, 4)->number, 2);
	close_fixture(&fixture);
}

static void a_socket_for_something_else_is_no_session(void **state)
{
	static const char *const text[] = {
	    "{\"front_end\":{\"pid\":8,\"comm\":\"vmm\",\"inode\":1},\"back_end\":{\"pid\":7,"
	    "\"comm\":\"disk\",\"inode\":2},\"socket\":\"/run/a\"}",
	    "{\"front_end\":{\"pid\":8,\"comm\":\"vmm\",\"inode\":3},\"back_end\":{\"pid\":7,"
	    "\"comm\":\"disk\",\"inode\":4},\"socket\":\"/run/qmp\",\"other_use\":\"-qmp\"}",
	};
	struct probe_fixture fixture;

	(void)state;
	open_fixture(&fixture);
	list(&fixture, text, 2, 1000);
	assert_int_equal(fixture.probes.pairs.count, 1);
	assert_string_equal(fixture.probes.pairs.pair[0].socket, "/run/a");
	close_fixture(&fixture);
}

static void a_vring_is_of_the_session_that_has_its_kick(void **state)
{
	struct vhu_top_eventfd *eventfd = calloc(1, sizeof(*eventfd));
	struct probe_fixture fixture;

	(void)state;
	open_fixture(&fixture);
	list(&fixture, two_sessions, 2, 10);
	*eventfd = (struct vhu_top_eventfd){.id = 9};
	fixture.probes.pairs.pair[1].eventfd = eventfd;
	fixture.probes.pairs.pair[1].eventfds = 1;
	take_line(&fixture.probe,
		  "{\"type\":\"interval\",\"time_ns\":\"100\",\"session\":0,\"vring\":0,"
		  "\"interval_ns\":500000000,\"kick_eventfd_id\":9}",
		  20);
	take_line(&fixture.probe,
		  "{\"type\":\"interval\",\"time_ns\":\"100\",\"session\":0,\"vring\":1,"
		  "\"interval_ns\":500000000,\"kick_eventfd_id\":10}",
		  20);
	vhu_top_probe_whole(&fixture.probe);
	vhu_top_probe_show(&fixture.probe, 30);
	assert_int_equal(fixture.probe.source->sessions, 3);
	assert_int_equal(session_of(&fixture, 3)->vrings, 0);
	assert_int_equal(session_of(&fixture, 4)->vrings, 1);
	/* Whose the other is, is not known. */
	assert_true(session_of(&fixture, 0)->unnumbered);
	assert_int_equal(session_of(&fixture, 0)->vring[0]->now.index, 1);
	close_fixture(&fixture);
}

static void verdicts_are_shown_of_vrings_without_traffic(void **state)
{
	struct vhu_top_verdict *verdict = calloc(2, sizeof(*verdict));
	struct vhu_top_verdicts *verdicts;
	struct probe_fixture fixture;
	struct vhu_top_session *session;

	(void)state;
	open_fixture(&fixture);
	verdicts = &fixture.probes.verdicts;
	list(&fixture, two_sessions, 2, 10);
	vhu_top_probe_show(&fixture.probe, 20);
	assert_int_equal(verdicts->count, 1);
	assert_true(verdicts->asked[0].wanted);
	strcpy(verdicts->asked[0].why, "no capture");
	vhu_top_probe_show(&fixture.probe, 30);
	assert_string_equal(session_of(&fixture, 3)->hint, "no capture");

	*verdicts->asked[0].why = '\0';
	verdict[0] = (struct vhu_top_verdict){
	    .front = 3, .back = 7, .has_vring = true, .vring = 5, .hangs = true, .id = "D3"};
	verdict[1] = (struct vhu_top_verdict){.front = 4, .back = 7, .hangs = true, .id = "D14"};
	verdicts->asked[0].verdict = verdict;
	verdicts->asked[0].verdicts = 2;
	vhu_top_probe_show(&fixture.probe, 40);
	session = session_of(&fixture, 3);
	assert_string_equal(session->hint, "");
	assert_int_equal(session->vrings, 1);
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->vring[0]->now.index, 5);
	assert_int_equal(session->vring[0]->state, VHU_TOP_STALLED);
	assert_string_equal(session->vring[0]->now.verdict, "D3");
	/* A session that hangs before it has vrings. */
	session = session_of(&fixture, 4);
	vhu_top_session_judge(&fixture.top, session);
	assert_int_equal(session->vrings, 0);
	assert_int_equal(session->state, VHU_TOP_STALLED);
	assert_string_equal(session->silence.verdict, "D14");
	close_fixture(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_of_probes_are_taken_by_their_time),
	    cmocka_unit_test(sessions_without_traffic_are_listed),
	    cmocka_unit_test(a_socket_for_something_else_is_no_session),
	    cmocka_unit_test(a_vring_is_of_the_session_that_has_its_kick),
	    cmocka_unit_test(verdicts_are_shown_of_vrings_without_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
