/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting peers of a pair: which side waits for which, how long, and in what order. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/session/pair.h"
#include "tests/lib/fixture/pair.h"

/* Long enough for somebody who waits to have looked again, not long for a test. */
#define A_WHILE_MS 150

/* Return whether nothing happens on @fd for a while. */
static bool is_quiet(int fd)
{
	struct pollfd ask = {.fd = fd, .events = POLLIN};

	return poll(&ask, 1, A_WHILE_MS) == 0;
}

/* Accept somebody at @listener. */
static int accept_at(int listener)
{
	int fd = accept(listener, NULL, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* The other side must be closed without a byte. */
static void is_ended(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
}

static void first_peer_is_joined_once_the_other_side_is_there(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct fixture_pair fixture = {.patience_ns = VHU_PAIR_FOR_EVER};
		int peer[3][2], listener;

		fixture.way[side] = LISTEN;
		fixture.way[!side] = ABSENT;
		fixture_start(&fixture);
		for (uint32_t n = 0; n < 3; n++) {
			peer[n][side] = connect_to(fixture_path[side]);
			assert_int_equal(write(peer[n][side], (uint32_t[3]){n, 1}, 12), 12);
		}
		assert_true(is_quiet(peer[0][side]));
		listener = listen_at(fixture_path[!side]);
		for (uint32_t n = 0; n < 3; n++) {
			uint32_t got[3];

			peer[n][!side] = accept_at(listener);
			assert_int_equal(recv(peer[n][!side], got, sizeof(got), MSG_WAITALL), 12);
			assert_int_equal(got[0], n);
			exchange(peer[n], n);
		}
		for (uint32_t n = 0; n < 3; n++)
			part(peer[n], n % 2);
		/* And once more, after it was away. */
		close(listener);
		unlink(fixture_path[!side]);
		peer[0][side] = connect_to(fixture_path[side]);
		assert_true(is_quiet(peer[0][side]));
		fixture.fd[!side] = listen_at(fixture_path[!side]);
		peer[0][!side] = accept_at(fixture.fd[!side]);
		exchange(peer[0], 7);
		part(peer[0], 0);
		fixture_stop(&fixture, false);
	}
}

static void patience_has_an_end(void **state)
{
	struct fixture_pair fixture = {.way = {LISTEN, ABSENT}, .patience_ns = 200000000};
	int peer[2];

	(void)state;
	fixture_start(&fixture);
	for (int turn = 0; turn < 2; turn++)
		is_ended(connect_to(fixture_path[0]));
	/* Earlier failures do not turn away a peer that comes while the back-end listens. */
	fixture.fd[1] = listen_at(fixture_path[1]);
	peer[0] = connect_to(fixture_path[0]);
	peer[1] = accept_at(fixture.fd[1]);
	exchange(peer, 1);
	part(peer, 1);
	fixture_stop(&fixture, false);
}

static void without_patience_nobody_waits(void **state)
{
	struct fixture_pair fixture = {.way = {LISTEN, ABSENT}};

	(void)state;
	fixture_start(&fixture);
	is_ended(connect_to(fixture_path[0]));
	fixture.fd[1] = listen_at(fixture_path[1]);
	fixture_stop(&fixture, false);
}

static void two_that_listen_are_called_again_and_again(void **state)
{
	struct fixture_pair fixture = {.way = {ABSENT, ABSENT}, .patience_ns = VHU_PAIR_FOR_EVER};
	int peer[2], listener;

	(void)state;
	fixture_start(&fixture);
	listener = listen_at(fixture_path[0]);
	for (int turn = 0; turn < 3; turn++) {
		peer[0] = accept_at(listener);
		assert_true(is_quiet(peer[0]));
		fixture.fd[1] = listen_at(fixture_path[1]);
		peer[1] = accept_at(fixture.fd[1]);
		exchange(peer, (uint32_t)turn);
		/* One at a time. */
		assert_true(is_quiet(listener));
		close(fixture.fd[1]);
		unlink(fixture_path[1]);
		part(peer, turn % 2);
	}
	/* Who leaves while it waits is called again as well. */
	close(accept_at(listener));
	peer[0] = accept_at(listener);
	fixture.fd[1] = listen_at(fixture_path[1]);
	peer[1] = accept_at(fixture.fd[1]);
	exchange(peer, 8);
	part(peer, 0);
	fixture.fd[0] = listener;
	fixture_stop(&fixture, false);
}

static void waiting_peer_without_a_partner_is_given_up(void **state)
{
	static const struct {
		enum fixture_way way[2];
		uint64_t patience_ns;
	} row[] = {
	    {{ABSENT, ABSENT}, 0},
	    {{ABSENT, CONNECT}, 0},
	    {{CONNECT, ABSENT}, 0},
	    {{ABSENT, CONNECT}, 150000000},
	    {{CONNECT, ABSENT}, 150000000},
	    {{CONNECTED, ABSENT}, 0},
	    {{ABSENT, CONNECTED}, 150000000},
	};

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		struct fixture_pair fixture = {.way = {row[i].way[0], row[i].way[1]},
					       .patience_ns = row[i].patience_ns};

		fixture_start(&fixture);
		assert_int_equal(fixture_wait(&fixture), 3);
		for (int side = 0; side < 2; side++) {
			close(fixture.fd[side]);
			unlink(fixture_path[side]);
		}
	}
}

static void an_inherited_connection_waits_too(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct fixture_pair fixture = {.patience_ns = VHU_PAIR_FOR_EVER};
		int peer[2];

		fixture.way[side] = CONNECTED;
		fixture.way[!side] = ABSENT;
		fixture_start(&fixture);
		peer[side] = fixture.fd[side];
		assert_true(is_quiet(peer[side]));
		fixture.fd[side] = -1;
		fixture.fd[!side] = listen_at(fixture_path[!side]);
		peer[!side] = accept_at(fixture.fd[!side]);
		exchange(peer, 3);
		part(peer, side);
		fixture_stop(&fixture, true);
	}
}

static void an_inherited_connection_that_closes_ends_the_wait(void **state)
{
	static const enum fixture_way other[] = {LISTEN, ABSENT};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture_pair fixture = {.way = {CONNECTED, other[i]},
					       .patience_ns = VHU_PAIR_FOR_EVER};

		fixture_start(&fixture);
		close(fixture.fd[0]);
		assert_int_equal(fixture_wait(&fixture), 3);
	}
}

static void sessions_one_at_a_time_keep_the_order_of_arrival(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct fixture_pair fixture = {.one_at_a_time = true};
		int peer[4][2];

		fixture.way[side] = LISTEN;
		fixture.way[!side] = CONNECT;
		fixture_start(&fixture);
		for (uint32_t n = 0; n < 4; n++) {
			peer[n][side] = connect_to(fixture_path[side]);
			assert_int_equal(write(peer[n][side], (uint32_t[3]){n, 1}, 12), 12);
		}
		/* One of them gives up; the other side gets no connection for it. */
		close(peer[1][side]);
		for (uint32_t n = 0; n < 4; n += n ? 1 : 2) {
			uint32_t got[3];

			peer[n][!side] = accept_at(fixture.fd[!side]);
			assert_int_equal(recv(peer[n][!side], got, sizeof(got), MSG_WAITALL), 12);
			assert_int_equal(got[0], n);
			exchange(peer[n], n);
			assert_true(is_quiet(fixture.fd[!side]));
			part(peer[n], n == 2);
		}
		fixture_stop(&fixture, false);
	}
}

static void one_at_a_time_where_both_come(void **state)
{
	struct fixture_pair fixture = {.way = {LISTEN, LISTEN}, .one_at_a_time = true};
	int peer[2][2];

	(void)state;
	fixture_start(&fixture);
	for (int n = 0; n < 2; n++) {
		for (int side = 0; side < 2; side++)
			peer[n][side] = connect_to(fixture_path[side]);
	}
	exchange(peer[0], 1);
	assert_int_equal(write(peer[1][0], (uint32_t[3]){5, 1}, 12), 12);
	assert_true(is_quiet(peer[1][1]));
	part(peer[0], 0);
	assert_int_equal(recv(peer[1][1], (uint32_t[3]){0}, 12, MSG_WAITALL), 12);
	exchange(peer[1], 2);
	part(peer[1], 1);
	fixture_stop(&fixture, false);
}

static void one_that_fails_does_not_stop_the_next(void **state)
{
	struct fixture_pair fixture = {.way = {LISTEN, ABSENT}, .one_at_a_time = true};
	int peer[2];

	(void)state;
	fixture_start(&fixture);
	for (int turn = 0; turn < 3; turn++)
		is_ended(connect_to(fixture_path[0]));
	fixture.fd[1] = listen_at(fixture_path[1]);
	peer[0] = connect_to(fixture_path[0]);
	peer[1] = accept_at(fixture.fd[1]);
	exchange(peer, 1);
	part(peer, 1);
	fixture_stop(&fixture, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_peer_is_joined_once_the_other_side_is_there),
	    cmocka_unit_test(patience_has_an_end),
	    cmocka_unit_test(without_patience_nobody_waits),
	    cmocka_unit_test(two_that_listen_are_called_again_and_again),
	    cmocka_unit_test(waiting_peer_without_a_partner_is_given_up),
	    cmocka_unit_test(an_inherited_connection_waits_too),
	    cmocka_unit_test(an_inherited_connection_that_closes_ends_the_wait),
	    cmocka_unit_test(sessions_one_at_a_time_keep_the_order_of_arrival),
	    cmocka_unit_test(one_at_a_time_where_both_come),
	    cmocka_unit_test(one_that_fails_does_not_stop_the_next),
	};

	/* Peers that wait for what does not come must not wait for ever. */
	alarm(100);
	return cmocka_run_group_tests(tests, fixture_folder, fixture_folder_end);
}
