/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pair of endpoints: every topology, with real peers on both sides. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/session/pair_life.h"
#include "tests/lib/fixture/pair.h"

static void every_topology_serves(void **state)
{
	(void)state;
	for (int front = 0; front < WAYS; front++) {
		for (int back = 0; back < WAYS; back++) {
			bool once = front == CONNECTED || back == CONNECTED ||
				    (front == CONNECT && back == CONNECT);
			struct fixture_pair fixture = start(front, back);
			int peer[2];

			for (int turn = 0; turn < (once ? 1 : 3); turn++) {
				meet(&fixture, peer);
				exchange(peer, (uint32_t)turn);
				part(peer, turn % 2);
			}
			fixture_stop(&fixture, once);
		}
	}
}

static void peer_that_stops_sending_still_receives(void **state)
{
	struct fixture_pair fixture = start(LISTEN, CONNECT);
	int peer[2];
	char byte;

	(void)state;
	for (int side = 0; side < 2; side++) {
		meet(&fixture, peer);
		assert_int_equal(write(peer[side], "half", 4), 4);
		assert_int_equal(shutdown(peer[side], SHUT_WR), 0);
		for (int i = 0; i < 4; i++)
			assert_int_equal(read(peer[!side], &byte, 1), 1);
		assert_int_equal(read(peer[!side], &byte, 1), 0);
		assert_int_equal(write(peer[!side], (uint32_t[3]){1}, 12), 12);
		for (int i = 0; i < 12; i++)
			assert_int_equal(read(peer[side], &byte, 1), 1);
		part(peer, !side);
	}
	fixture_stop(&fixture, false);
}

static void a_side_that_closes_ends_the_other_that_does_not_read(void **state)
{
	struct fixture_pair fixture = start(LISTEN, CONNECT);
	int peer[2];

	(void)state;
	for (int half = 0; half < 2; half++) {
		for (int side = 0; side < 2; side++) {
			struct pollfd other;
			char byte;

			meet(&fixture, peer);
			exchange(peer, 1);
			if (half) {
				shutdown(peer[side], SHUT_WR);
				assert_int_equal(read(peer[!side], &byte, 1), 0);
			}
			close(peer[side]);
			other = (struct pollfd){.fd = peer[!side]};
			assert_int_equal(poll(&other, 1, -1), 1);
			assert_true(other.revents & POLLHUP);
			close(peer[!side]);
		}
	}
	fixture_stop(&fixture, false);
}

static void peer_that_stops_receiving_is_sent_nothing_more(void **state)
{
	struct fixture_pair fixture = start(LISTEN, CONNECT);
	int peer[2];

	(void)state;
	meet(&fixture, peer);
	exchange(peer, 1);
	assert_int_equal(shutdown(peer[1], SHUT_RD), 0);
	/* The proxy learns it by sending, the sender from the proxy. */
	while (send(peer[0], (uint32_t[3]){1}, 12, MSG_NOSIGNAL) == 12)
		;
	assert_int_equal(errno, EPIPE);
	close(peer[0]);
	close(peer[1]);
	fixture_stop(&fixture, false);
}

static void sessions_live_side_by_side(void **state)
{
	enum { SESSIONS = 20 };
	static const enum fixture_way ways[][2] = {
	    {LISTEN, CONNECT}, {CONNECT, LISTEN}, {LISTEN, LISTEN}};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(ways); i++) {
		struct fixture_pair fixture = start(ways[i][0], ways[i][1]);
		int peer[SESSIONS][2];

		for (uint32_t n = 0; n < SESSIONS; n++) {
			meet(&fixture, peer[n]);
			exchange(peer[n], n);
		}
		for (uint32_t n = 0; n < SESSIONS; n++)
			exchange(peer[n], n);
		for (uint32_t n = 0; n < SESSIONS; n += 2)
			part(peer[n], 0);
		for (uint32_t n = 1; n < SESSIONS; n += 2) {
			exchange(peer[n], n);
			part(peer[n], 1);
		}
		fixture_stop(&fixture, false);
	}
}

static void waiters_are_paired_in_order_of_arrival(void **state)
{
	struct fixture_pair fixture = start(LISTEN, LISTEN);
	int peer[3][2];

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		peer[n][0] = connect_to(fixture_path[0]);
		assert_int_equal(write(peer[n][0], &(uint32_t[3]){n}, 12), 12);
	}
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t got[3];

		peer[n][1] = connect_to(fixture_path[1]);
		assert_int_equal(recv(peer[n][1], got, sizeof(got), MSG_WAITALL), sizeof(got));
		assert_int_equal(got[0], n);
		exchange(peer[n], n);
	}
	for (uint32_t n = 0; n < 3; n++)
		part(peer[n], 0);
	fixture_stop(&fixture, false);
}

static void waiter_that_left_gets_no_partner(void **state)
{
	struct fixture_pair fixture = start(LISTEN, LISTEN);
	int gone = connect_to(fixture_path[0]), peer[2];

	(void)state;
	close(gone);
	meet(&fixture, peer);
	exchange(peer, 7);
	part(peer, 0);
	fixture_stop(&fixture, false);
}

static void a_circle_is_refused(void **state)
{
	char error[VHU_ENDPOINT_ERROR];
	struct vhu_proxy proxy = {0};
	struct vhu_pair pair = {0};

	(void)state;
	assert_int_equal(symlink("front", "back"), 0);
	assert_int_equal(
	    vhu_endpoint_parse(&pair.end[0], "listen:front", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(
	    vhu_endpoint_parse(&pair.end[1], "connect:back", VHU_ENDPOINT_LISTEN, error), 0);
	assert_int_equal(vhu_pair_open(&pair, &proxy, error), -ELOOP);
	assert_non_null(strstr(error, "same socket"));
	assert_int_equal(access("front", F_OK), -1);
	unlink("back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_topology_serves),
	    cmocka_unit_test(peer_that_stops_sending_still_receives),
	    cmocka_unit_test(a_side_that_closes_ends_the_other_that_does_not_read),
	    cmocka_unit_test(peer_that_stops_receiving_is_sent_nothing_more),
	    cmocka_unit_test(sessions_live_side_by_side),
	    cmocka_unit_test(waiters_are_paired_in_order_of_arrival),
	    cmocka_unit_test(waiter_that_left_gets_no_partner),
	    cmocka_unit_test(a_circle_is_refused),
	};

	/* Peers that wait for what does not come must not wait for ever. */
	alarm(60);
	return cmocka_run_group_tests(tests, fixture_folder, fixture_folder_end);
}
