/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes first, messages or signals, and whose signals are when a vring or a session ends. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fixture/eventfd.h"

/* A kick does not come before a message that was sent before it, wherever the proxy stands when it
 * finds both. */
void notifier_kicks_follow(void)
{
	const struct peer_header ask[2] = {{GET_FEATURES, 1, 0}, {GET_FEATURES, 1, 0}};
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(0), kicked;
	uint8_t bytes[sizeof(ask)];

	fixture_begin(&fixture, "", NULL);
	kicked = fixture_wire(&fixture, SET_KICK, 0, kick);
	for (int i = 0; i < 40; i++) {
		fixture_freeze(&fixture);
		for (int j = 0; j < 2; j++)
			peer_check(!peer_send(fixture.front, &ask[j], sizeof(ask[j]), NULL, 0),
				   "not sent");
		fixture_signal(kick, 1);
		fixture_thaw(&fixture);
		fixture_take(kicked);
		peer_check(recv(fixture.back, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes),
			   "kick %d overtook a message", i);
	}
	fixture_end(&fixture);
}

/* A message of the back-end does not come before a call that was made before it. */
void notifier_calls_precede(void)
{
	struct fixture_eventfd fixture;
	int call = fixture_new_eventfd(0), called;
	const struct {
		struct peer_header header;
		uint32_t features[2];
	} answer = {{GET_FEATURES, 5, 8}, {0}};

	fixture_begin(&fixture, "", NULL);
	called = fixture_wire(&fixture, SET_CALL, 0, call);
	for (int i = 0; i < 40; i++) {
		fixture_freeze(&fixture);
		peer_check(!peer_send(fixture.back, &answer, sizeof(answer), NULL, 0), "not sent");
		fixture_signal(called, 1);
		peer_check(!peer_send(fixture.back, &answer, sizeof(answer), NULL, 0), "not sent");
		fixture_thaw(&fixture);
		peer_expect(fixture.front, &answer, sizeof(answer), "the answer");
		peer_expect(fixture.front, &answer, sizeof(answer), "the answer");
		peer_check(fixture_now(call) == 1, "answer %d overtook a call", i);
		/* Another phase of how many messages the proxy takes at once. */
		if (i % 2)
			fixture_exchange(&fixture);
	}
	fixture_end(&fixture);
}

/* Nor does the end of what the back-end sends. */
void notifier_calls_precede_the_end(void)
{
	const struct peer_header answer = {GET_FEATURES, 5, 0};
	struct fixture_eventfd fixture;

	fixture_begin(&fixture, "", NULL);
	for (int i = 0; i < 20; i++) {
		int call = fixture_new_eventfd(0),
		    called = fixture_wire(&fixture, SET_CALL, 0, call);

		for (int j = 0; j < i; j++)
			fixture_exchange(&fixture);
		fixture_freeze(&fixture);
		peer_check(!peer_send(fixture.back, &answer, sizeof(answer), NULL, 0), "not sent");
		fixture_signal(called, 1);
		shutdown(fixture.back, SHUT_WR);
		fixture_thaw(&fixture);
		peer_expect(fixture.front, &answer, sizeof(answer), "the answer");
		peer_expect_end(fixture.front, "the front-end");
		peer_check(fixture_now(call) == 1, "the end overtook call %d", i);
		close(call);
		close(called);
		fixture_close(&fixture.front);
		fixture_close(&fixture.back);
		fixture_open_session(&fixture);
	}
	fixture_end(&fixture);
}

/* A vring that stops, or loses its kick by a message, leaves the kick to the front-end, with the
 * count that the back-end did not take. */
void notifier_stops(void)
{
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(0), kicked;

	fixture_begin(&fixture, "", NULL);
	for (int i = 0; i < 4; i++) {
		kicked = fixture_wire(&fixture, SET_KICK, 1, kick);
		fixture_signal(kick, 2);
		fixture_take_all(kicked, 2);
		fixture_signal(kick, 3);
		peer_check(peer_readable(kicked, PEER_PATIENCE_MS), "no kick came");
		if (i % 2)
			fixture_stop(&fixture, 1);
		else
			fixture_unwire(&fixture, SET_KICK, 1);
		peer_check(fixture_now(kick) == 3, "kicks were not put back");
		fixture_signal(kick, 4);
		fixture_exchange(&fixture);
		peer_check(fixture_now(kick) == 4, "kicks are still taken");
		peer_check(!fixture_now(kicked), "the back-end has them as well");
		close(kicked);
		proxy_fds_settle(&fixture.proxy, fixture.fds + 1);
	}
	/* What it had before is not there any more when it comes again. */
	kicked = fixture_wire(&fixture, SET_KICK, 1, kick);
	fixture_signal(kick, 1);
	fixture_take_all(kicked, 1);
	fixture_end(&fixture);
}

/* While the back-end cannot know yet of another call, it calls by the old one, and is heard. */
void notifier_late_calls(void)
{
	struct fixture_eventfd fixture;
	int old = fixture_new_eventfd(0), new = fixture_new_eventfd(0), called, renewed;

	fixture_begin(&fixture, "", NULL);
	called = fixture_wire(&fixture, SET_CALL, 0, old);
	fixture_ask(&fixture);
	renewed = fixture_wire(&fixture, SET_CALL, 0, new);
	for (int i = 0; i < 2; i++) {
		fixture_signal(called, 5);
		peer_check(fixture_take(old) == 5, "a late call was lost");
		/* The answer to an earlier question tells nothing. */
		if (!i)
			fixture_answer(&fixture);
	}
	fixture_signal(renewed, 6);
	peer_check(fixture_take(new) == 6, "a call was lost");
	/* From here on it must know. */
	fixture_exchange(&fixture);
	proxy_fds_settle(&fixture.proxy, fixture.fds + 3);
	fixture_signal(renewed, 7);
	peer_check(fixture_take(new) == 7, "a call was lost");
	/* To and fro, as a VMM does that masks an interrupt, with no answer ever. */
	for (int i = 0; i < 500; i++) {
		int fd = fixture_wire(&fixture, SET_CALL, 0, i % 2 ? new : old);

		fixture_signal(fd, 1);
		peer_check(fixture_take(i % 2 ? new : old) == 1, "call %d was lost", i);
		close(fd);
	}
	peer_check(proxy_fds(&fixture.proxy) <= fixture.fds + 5, "descriptors gather: %u were %u",
		   proxy_fds(&fixture.proxy), fixture.fds);
	fixture_end(&fixture);
}

/* A back-end that goes leaves what it has not taken to the next. */
void notifier_successors(void)
{
	struct fixture_eventfd fixture;
	int kick = fixture_new_eventfd(0), call = fixture_new_eventfd(0), kicked, called;

	fixture_begin(&fixture, "", NULL);
	for (unsigned int i = 1; i <= 3; i++) {
		kicked = fixture_wire(&fixture, SET_KICK, 0, kick);
		called = fixture_wire(&fixture, SET_CALL, 0, call);
		peer_check(fixture_now(kicked) == i - 1, "it does not find what was left");
		fixture_signal(kick, i);
		peer_check(peer_readable(kicked, PEER_PATIENCE_MS), "no kick came");
		fixture_signal(called, i);
		close(kicked);
		close(called);
		fixture_close(&fixture.back);
		peer_expect_end(fixture.front, "the front-end");
		/* It called, and was heard, before it went. */
		peer_check(fixture_now(call) == i, "a call was lost");
		peer_check(fixture_info(kick, "eventfd-count:", 16) == i, "kicks were lost");
		fixture_close(&fixture.front);
		fixture_open_session(&fixture);
	}
	fixture_end(&fixture);
}
