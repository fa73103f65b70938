/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes first, messages or signals, and whose signals are when a vring or a session ends. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fixture_eventfd.h"

/* A kick does not come before a message that was sent before it, wherever the proxy stands when it
 * finds both. */
void notifier_kicks_follow(void)
{
	const struct peer_header ask[2] = {{GET_FEATURES, 1, 0}, {GET_FEATURES, 1, 0}};
	struct fixture_eventfd stand;
	int kick = stand_eventfd(0), kicked;
	uint8_t bytes[sizeof(ask)];

	stand_begin(&stand, "", NULL);
	kicked = stand_wire(&stand, SET_KICK, 0, kick);
	for (int i = 0; i < 40; i++) {
		stand_freeze(&stand);
		for (int j = 0; j < 2; j++)
			peer_check(!peer_send(stand.front, &ask[j], sizeof(ask[j]), NULL, 0),
				   "not sent");
		stand_signal(kick, 1);
		stand_thaw(&stand);
		stand_take(kicked);
		peer_check(recv(stand.back, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes),
			   "kick %d overtook a message", i);
	}
	stand_end(&stand);
}

/* A message of the back-end does not come before a call that was made before it. */
void notifier_calls_precede(void)
{
	struct fixture_eventfd stand;
	int call = stand_eventfd(0), called;
	const struct {
		struct peer_header header;
		uint32_t features[2];
	} answer = {{GET_FEATURES, 5, 8}, {0}};

	stand_begin(&stand, "", NULL);
	called = stand_wire(&stand, SET_CALL, 0, call);
	for (int i = 0; i < 40; i++) {
		stand_freeze(&stand);
		peer_check(!peer_send(stand.back, &answer, sizeof(answer), NULL, 0), "not sent");
		stand_signal(called, 1);
		peer_check(!peer_send(stand.back, &answer, sizeof(answer), NULL, 0), "not sent");
		stand_thaw(&stand);
		peer_expect(stand.front, &answer, sizeof(answer), "the answer");
		peer_expect(stand.front, &answer, sizeof(answer), "the answer");
		peer_check(stand_now(call) == 1, "answer %d overtook a call", i);
		/* Another phase of how many messages the proxy takes at once. */
		if (i % 2)
			stand_exchange(&stand);
	}
	stand_end(&stand);
}

/* Nor does the end of what the back-end sends. */
void notifier_calls_precede_the_end(void)
{
	const struct peer_header answer = {GET_FEATURES, 5, 0};
	struct fixture_eventfd stand;

	stand_begin(&stand, "", NULL);
	for (int i = 0; i < 20; i++) {
		int call = stand_eventfd(0), called = stand_wire(&stand, SET_CALL, 0, call);

		for (int j = 0; j < i; j++)
			stand_exchange(&stand);
		stand_freeze(&stand);
		peer_check(!peer_send(stand.back, &answer, sizeof(answer), NULL, 0), "not sent");
		stand_signal(called, 1);
		shutdown(stand.back, SHUT_WR);
		stand_thaw(&stand);
		peer_expect(stand.front, &answer, sizeof(answer), "the answer");
		peer_expect_end(stand.front, "the front-end");
		peer_check(stand_now(call) == 1, "the end overtook call %d", i);
		close(call);
		close(called);
		stand_close(&stand.front);
		stand_close(&stand.back);
		stand_session(&stand);
	}
	stand_end(&stand);
}

/* A vring that stops, or is told to be without a kick, leaves the kick to the front-end, with what
 * nobody took. */
void notifier_stops(void)
{
	struct fixture_eventfd stand;
	int kick = stand_eventfd(0), kicked;

	stand_begin(&stand, "", NULL);
	for (int i = 0; i < 4; i++) {
		kicked = stand_wire(&stand, SET_KICK, 1, kick);
		stand_signal(kick, 2);
		stand_take_all(kicked, 2);
		stand_signal(kick, 3);
		peer_check(peer_readable(kicked, PEER_PATIENCE_MS), "no kick came");
		if (i % 2)
			stand_stop(&stand, 1);
		else
			stand_unwire(&stand, SET_KICK, 1);
		peer_check(stand_now(kick) == 3, "kicks were not put back");
		stand_signal(kick, 4);
		stand_exchange(&stand);
		peer_check(stand_now(kick) == 4, "kicks are still taken");
		peer_check(!stand_now(kicked), "the back-end has them as well");
		close(kicked);
		proxy_fds_settle(&stand.proxy, stand.fds + 1);
	}
	/* What it had before is not there any more when it comes again. */
	kicked = stand_wire(&stand, SET_KICK, 1, kick);
	stand_signal(kick, 1);
	stand_take_all(kicked, 1);
	stand_end(&stand);
}

/* While the back-end cannot know yet of another call, it calls by the old one, and is heard. */
void notifier_late_calls(void)
{
	struct fixture_eventfd stand;
	int old = stand_eventfd(0), new = stand_eventfd(0), called, renewed;

	stand_begin(&stand, "", NULL);
	called = stand_wire(&stand, SET_CALL, 0, old);
	stand_ask(&stand);
	renewed = stand_wire(&stand, SET_CALL, 0, new);
	for (int i = 0; i < 2; i++) {
		stand_signal(called, 5);
		peer_check(stand_take(old) == 5, "a late call was lost");
		/* The answer to an earlier question tells nothing. */
		if (!i)
			stand_answer(&stand);
	}
	stand_signal(renewed, 6);
	peer_check(stand_take(new) == 6, "a call was lost");
	/* From here on it must know. */
	stand_exchange(&stand);
	proxy_fds_settle(&stand.proxy, stand.fds + 3);
	stand_signal(renewed, 7);
	peer_check(stand_take(new) == 7, "a call was lost");
	/* To and fro, as a VMM does that masks an interrupt, and nobody ever answers anything. */
	for (int i = 0; i < 500; i++) {
		int fd = stand_wire(&stand, SET_CALL, 0, i % 2 ? new : old);

		stand_signal(fd, 1);
		peer_check(stand_take(i % 2 ? new : old) == 1, "call %d was lost", i);
		close(fd);
	}
	peer_check(proxy_fds(&stand.proxy) <= stand.fds + 5, "descriptors gather: %u were %u",
		   proxy_fds(&stand.proxy), stand.fds);
	stand_end(&stand);
}

/* A back-end that goes leaves what it has not taken to the next. */
void notifier_successors(void)
{
	struct fixture_eventfd stand;
	int kick = stand_eventfd(0), call = stand_eventfd(0), kicked, called;

	stand_begin(&stand, "", NULL);
	for (unsigned int i = 1; i <= 3; i++) {
		kicked = stand_wire(&stand, SET_KICK, 0, kick);
		called = stand_wire(&stand, SET_CALL, 0, call);
		peer_check(stand_now(kicked) == i - 1, "it does not find what was left");
		stand_signal(kick, i);
		peer_check(peer_readable(kicked, PEER_PATIENCE_MS), "no kick came");
		stand_signal(called, i);
		close(kicked);
		close(called);
		stand_close(&stand.back);
		peer_expect_end(stand.front, "the front-end");
		/* It called, and was heard, before it went. */
		peer_check(stand_now(call) == i, "a call was lost");
		peer_check(stand_info(kick, "eventfd-count:", 16) == i, "kicks were lost");
		stand_close(&stand.front);
		stand_session(&stand);
	}
	stand_end(&stand);
}
