/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the proxy tells and does when it is asked: by SIGUSR1, at its control socket, by vhu ctl.
 *
 *	proxy_control [CASE...]
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/protocol/protocol.h"
#include "lib/util/util.h"
#include "tests/e2e/control/talk.h"

#define FEATURES (UINT64_C(1) << VHU_F_PROTOCOL_FEATURES | UINT64_C(1) << VHU_F_RING_PACKED)

/* Return the number of a message. */
static uint32_t request_of(enum vhu_message_id id)
{
	return vhu_messages[id].request;
}

/* Send a message of the front-end and see it arrive; @fd: with it, -1 none. */
static void pass(const struct control_fixture *fixture, enum vhu_message_id id, const void *payload,
		 uint32_t size, int fd)
{
	uint8_t bytes[4096];
	int fds[PEER_FDS_MAX];
	unsigned int count = 0;
	ssize_t want = PEER_HEADER_SIZE + (ssize_t)size, n = 0;

	peer_check(!peer_send_message(fixture->front, request_of(id), payload, size, &fd, fd >= 0),
		   "%s: not sent", vhu_messages[id].name);
	while (n < want) {
		ssize_t more = peer_receive(fixture->back, bytes, sizeof(bytes), fds, &count);

		peer_check(more > 0, "%s: did not arrive", vhu_messages[id].name);
		n += more;
		while (count)
			close(fds[--count]);
	}
}

/* The same of a message about vring 0 and a number. */
static void pass_vring(const struct control_fixture *fixture, enum vhu_message_id id,
		       uint32_t number)
{
	const uint32_t payload[2] = {0, number};

	pass(fixture, id, payload, sizeof(payload), -1);
}

/* Return the number in the kernel of an eventfd. */
static unsigned long eventfd_id(int fd)
{
	char path[64], line[256];
	unsigned long id = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	peer_check(file, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		found |= sscanf(line, "eventfd-id: %lu", &id) == 1;
	fclose(file);
	peer_check(found, "%s: has no eventfd-id", path);
	return id;
}

/* Let a device be set up as far as its first vring. Returns the vring's kick. */
static int set_up(const struct control_fixture *fixture)
{
	const uint64_t features = FEATURES, vring = 0;
	int kick = eventfd(0, EFD_CLOEXEC);

	peer_exchange(fixture->front, fixture->back, FEATURES);
	pass(fixture, VHU_MSG_SET_FEATURES, &features, sizeof(features), -1);
	pass_vring(fixture, VHU_MSG_SET_VRING_NUM, 256);
	pass_vring(fixture, VHU_MSG_SET_VRING_BASE, 7);
	pass(fixture, VHU_MSG_SET_VRING_KICK, &vring, sizeof(vring), kick);
	return kick;
}

/* Send messages to a side that does not read, until the proxy holds some. */
static void hold_up(const struct control_fixture *fixture, struct control_client *client)
{
	static const char bytes[65536];
	const struct peer_header header = {request_of(VHU_MSG_SET_CONFIG), 1, 1 << 26};
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	long long held = 0, unread = 0;

	peer_check(!peer_send(fixture->front, &header, sizeof(header), NULL, 0), "not sent");
	while (!held || !unread) {
		json_t *answer;

		peer_check(peer_now_ms() < limit, "nothing is held up");
		while (send(fixture->front, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
		answer = control_ask(client, "{\"verb\":\"session\",\"session\":1}");
		held = control_number(answer, "sessions.0.channels.0.front_end.held_bytes");
		unread = control_number(answer, "sessions.0.channels.0.front_end.unread_bytes");
		json_decref(answer);
	}
}

/* Compare the status of a set-up session with a waiting request with the truth. */
static void check_session(const json_t *session, int kick)
{
	peer_check(control_number(session, "front_end.pid") == getpid(), "another front-end");
	peer_check(control_number(session, "back_end.pid") == getpid(), "another back-end");
	peer_check(control_number(session, "channels.0.front_end.messages") == 6, "messages");
	peer_check(control_number(session, "channels.0.front_end.sent_bytes") == 6 * 12 + 4 * 8,
		   "bytes: %lld", control_number(session, "channels.0.front_end.sent_bytes"));
	peer_check(control_number(session, "channels.0.front_end.descriptors") == 1, "fds");
	peer_check(control_number(session, "channels.0.back_end.messages") == 1, "replies");
	peer_check(!strcmp(control_text(session, "waiting_request.message"),
			   vhu_messages[VHU_MSG_GET_QUEUE_NUM].name),
		   "another request waits");
	peer_check(!strcmp(control_text(session, "waiting_request.from"), "front-end"),
		   "of another");
	peer_check(control_number(session, "waiting_request.for_ns") > 0, "waits for no time");
	/* Two sockets and the kick. */
	peer_check(control_number(session, "descriptors") == 3, "descriptors");
	peer_check(strtoull(control_text(session, "negotiated_features.acked"), NULL, 10) ==
		       FEATURES,
		   "features");
	peer_check(
	    !strcmp(control_text(session, "negotiated_features.acked_names.1"), "RING_PACKED"),
	    "names of features");
	peer_check(control_number(session, "vrings.0.size") == 256, "size");
	peer_check(control_number(session, "vrings.0.base") == 7, "base");
	peer_check(json_is_true(control_at(session, "vrings.0.started")), "not started");
	peer_check(control_number(session, "vrings.0.kick.eventfd_id") ==
		       (long long)eventfd_id(kick),
		   "another eventfd");
}

/* The status of a session is complete, on the socket and on SIGUSR1. */
static void tells_what_a_session_does(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	char line[128];
	json_t *answer;
	int kick;

	control_open(&fixture);
	client = control_connect(&fixture);
	kick = set_up(&fixture);
	pass(&fixture, VHU_MSG_GET_QUEUE_NUM, NULL, 0, -1);
	answer = control_ask(client, "{\"verb\":\"session\",\"session\":1,\"id\":\"x\"}");
	peer_check(!strcmp(control_text(answer, "id"), "x"), "another id");
	check_session(control_at(answer, "sessions.0"), kick);
	json_decref(answer);

	hold_up(&fixture, client);
	kill(fixture.proxy.pid, SIGUSR1);
	proxy_log_wait(&fixture.proxy, "1 of 1 sessions open");
	proxy_log_wait(&fixture.proxy, "session 1");
	snprintf(line, sizeof(line), "for the answer to %s of the front-end, for",
		 vhu_messages[VHU_MSG_GET_QUEUE_NUM].name);
	proxy_log_wait(&fixture.proxy, line);
	proxy_log_wait(&fixture.proxy, "held up");
	proxy_log_wait(&fixture.proxy, "RING_PACKED");
	snprintf(line, sizeof(line), "eventfd %lu", eventfd_id(kick));
	proxy_log_wait(&fixture.proxy, line);
	close(kick);
	control_leave(client);
	control_close(&fixture);
}

/* Kicks are counted while the proxy stands between. */
static void tells_of_kicks(void)
{
	const uint64_t one = 1;
	struct control_fixture fixture;
	struct control_client *client;
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	long long passed = 0;
	json_t *answer;
	int kick;

	control_open_with(&fixture, "--interpose-eventfds");
	client = control_connect(&fixture);
	kick = set_up(&fixture);
	peer_check(write(kick, &one, sizeof(one)) == sizeof(one), "no kick: %s", strerror(errno));
	while (!passed) {
		peer_check(peer_now_ms() < limit, "the kick is not counted");
		answer = control_ask(client, "{\"verb\":\"session\",\"session\":1}");
		passed = control_number(answer, "sessions.0.interposed.0.kick.signals");
		peer_check(control_number(answer, "sessions.0.interposed.0.vring") == 0,
			   "of another");
		json_decref(answer);
	}
	answer = control_ask(client, "{\"verb\":\"session\",\"session\":1,\"as\":\"text\"}");
	peer_check(strstr(control_text(answer, "text"), "vring 0: 1 kick"), "not told: %s",
		   control_text(answer, "text"));
	json_decref(answer);
	close(kick);
	control_leave(client);
	control_close(&fixture);
}

/* All sessions are listed, in order, or those asked for, also when one asks with one's last breath.
 */
static void lists_sessions(void)
{
	static const char last[] = "{\"verb\":\"sessions\",\"as\":\"text\"}";
	struct control_fixture fixture;
	struct control_client *client;
	int first[2];
	json_t *answer;

	control_open(&fixture);
	client = control_connect(&fixture);
	first[0] = fixture.front;
	first[1] = fixture.back;
	for (int i = 0; i < 5; i++)
		control_session(&fixture);
	answer = control_ask(client, "{\"verb\":\"sessions\"}");
	peer_check(json_array_size(control_at(answer, "sessions")) == 6, "not six");
	for (int i = 0; i < 6; i++) {
		char path[64];

		snprintf(path, sizeof(path), "sessions.%d.session", i);
		peer_check(control_number(answer, path) == i + 1, "not in order");
	}
	json_decref(answer);
	answer = control_ask(client, "{\"verb\":\"sessions\",\"path\":\"%s\",\"pid\":%d}",
			     fixture.proxy.back, getpid());
	peer_check(json_array_size(control_at(answer, "sessions")) == 6, "not these six");
	json_decref(answer);
	answer = control_ask(client, "{\"verb\":\"sessions\",\"pid\":%d}", getppid());
	peer_check(json_array_size(control_at(answer, "sessions")) == 0, "not none");
	json_decref(answer);

	close(first[0]);
	peer_expect_end(first[1], "the session that its front-end left");
	/* The last line needs no end. */
	peer_check(!peer_send(client->fd, last, strlen(last), NULL, 0), "takes no line");
	shutdown(client->fd, SHUT_WR);
	answer = control_receive(client);
	peer_check(!strncmp(control_text(answer, "text"), "session 2\n", 10), "not the second");
	peer_check(!control_receive(client), "goes on");
	json_decref(answer);
	control_leave(client);
	control_close(&fixture);
}

/* Receive the next record that is followed. Returns what it is sent in, to be freed. */
static json_t *next_record(struct control_client *client, const char *key)
{
	json_t *line = control_receive(client);

	peer_check(line && json_object_get(line, key), "no record, but %s",
		   line ? client->line : "the end");
	return line;
}

/* Several clients that follow get the same record, each with its own id; one that wants texts
 * between them changes nothing of that. */
static void followers_get_one_record_each_with_its_id(void)
{
	struct control_fixture fixture;
	struct control_client *client[3];
	json_t *got[3];

	control_open(&fixture);
	for (int i = 0; i < 3; i++)
		client[i] = control_connect(&fixture);
	json_decref(control_ask(client[0], "{\"verb\":\"follow\",\"id\":7}"));
	json_decref(control_ask(client[1], "{\"verb\":\"follow\",\"as\":\"text\"}"));
	json_decref(control_ask(client[2], "{\"verb\":\"follow\",\"id\":\"x\"}"));
	for (unsigned turn = 0; turn < 2; turn++) {
		pass_vring(&fixture, VHU_MSG_SET_VRING_NUM, 100 + turn);
		for (int i = 0; i < 3; i++)
			got[i] = next_record(client[i], i == 1 ? "text" : "record");
		peer_check(control_number(got[0], "id") == 7 && !json_object_get(got[1], "id") &&
			       !strcmp(control_text(got[2], "id"), "x"),
			   "another's id");
		peer_check(json_equal(control_at(got[0], "record"), control_at(got[2], "record")),
			   "different records");
		peer_check(control_number(got[0], "record.payload.size") == 100 + turn,
			   "not that message");
		for (int i = 0; i < 3; i++)
			json_decref(got[i]);
	}
	control_close(&fixture);
	for (int i = 0; i < 3; i++)
		control_leave(client[i]);
}

/* What is followed is what vhu dump shows of the capture, also where that hangs on what had passed
 * before. */
static void follows_as_dump_shows(void)
{
	struct control_fixture fixture;
	struct control_client *all, *some;
	const uint64_t features = FEATURES;
	uint8_t reply[PEER_HEADER_SIZE + 8] = {0};
	char path[PROXY_PATH_MAX + 8], *line = NULL;
	size_t room = 0, from = 0, compared = 0;
	json_t *answer, *got[8];
	FILE *dump;

	control_open(&fixture);
	all = control_connect(&fixture);
	some = control_connect(&fixture);
	peer_exchange(fixture.front, fixture.back, FEATURES);
	pass(&fixture, VHU_MSG_GET_QUEUE_NUM, NULL, 0, -1);
	json_decref(control_ask(all, "{\"verb\":\"follow\",\"id\":7}"));
	json_decref(control_ask(some,
				"{\"verb\":\"follow\",\"as\":\"text\",\"channel\":\"front-end\","
				"\"message\":[\"%s\"],\"session\":1}",
				vhu_messages[VHU_MSG_SET_FEATURES].name));
	/* The answer to what was asked before. */
	memcpy(reply, &(struct peer_header){request_of(VHU_MSG_GET_QUEUE_NUM), 5, 8}, 12);
	peer_check(!peer_send(fixture.back, reply, sizeof(reply), NULL, 0), "not sent");
	peer_expect(fixture.front, reply, sizeof(reply), "reply");
	pass(&fixture, VHU_MSG_SET_FEATURES, &features, sizeof(features), -1);
	pass_vring(&fixture, VHU_MSG_SET_VRING_NUM, 100);
	answer = next_record(some, "text");
	peer_check(strstr(control_text(answer, "text"), vhu_messages[VHU_MSG_SET_FEATURES].name),
		   "not that message: %s", control_text(answer, "text"));
	json_decref(answer);
	json_decref(control_ask(some, "{\"verb\":\"unfollow\"}"));
	for (int i = 0; i < 3; i++)
		got[i] = next_record(all, "record");
	peer_check(control_number(got[0], "id") == 7, "another id");
	peer_check(control_number(got[0], "record.request_number") == 4, "answers another");
	peer_check(strcmp(control_text(got[1], "record.offered"), "0") != 0, "nothing was offered");
	control_close(&fixture);
	got[3] = next_record(all, "record");
	answer = next_record(all, "end");
	peer_check(strstr(control_text(answer, "end"), "stopped"), "ends for another reason");
	json_decref(answer);
	peer_check(!control_receive(all), "goes on");

	snprintf(path, sizeof(path), "%s.json", fixture.proxy.capture);
	peer_check(!proxy_shell("'%s' dump --json - <'%s' >'%s'", proxy_vhu(),
				fixture.proxy.capture, path),
		   "vhu dump fails");
	dump = fopen(path, "re");
	peer_check(dump, "%s: %s", path, strerror(errno));
	while (getline(&line, &room, dump) > 0) {
		json_t *shown = json_loads(line, 0, NULL);

		/* Behind what the capture says of itself. */
		if (++from > 5) {
			peer_check(compared < 4 &&
				       json_equal(control_at(got[compared], "record"), shown),
				   "vhu dump shows record %zu differently: %s", from, line);
			json_decref(got[compared++]);
		}
		json_decref(shown);
	}
	peer_check(compared == 4, "%zu records were followed", compared);
	free(line);
	fclose(dump);
	control_leave(all);
	control_leave(some);
}

/* A session is closed, for a reason that its capture has. */
static void closes_a_session(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	int first[2];

	control_open(&fixture);
	client = control_connect(&fixture);
	first[0] = fixture.front;
	first[1] = fixture.back;
	control_session(&fixture);
	peer_exchange(first[0], first[1], 1);
	json_decref(
	    control_ask(client, "{\"verb\":\"close\",\"session\":1,\"reason\":\"it was time\"}"));
	peer_expect_end(first[0], "closed session");
	peer_expect_end(first[1], "closed session");
	peer_exchange(fixture.front, fixture.back, 2);
	control_refused(client, "{\"verb\":\"close\",\"session\":1}", "no session 1");
	control_leave(client);
	control_close(&fixture);
	peer_check(!proxy_shell("'%s' dump '%s' | grep -q ' 1 .*closed on request: it was time'",
				proxy_vhu(), fixture.proxy.capture),
		   "the capture has no reason");
	close(first[0]);
	close(first[1]);
}

/* Rules begin and end to hold while a session goes on. */
static void changes_rules(void)
{
	const struct peer_header owner = {request_of(VHU_MSG_SET_OWNER), 1, 0};
	struct control_fixture fixture;
	struct control_client *client;
	json_t *answer;

	control_open(&fixture);
	client = control_connect(&fixture);
	peer_exchange(fixture.front, fixture.back, 1);
	answer = control_ask(client, "{\"verb\":\"faults add\",\"fault\":\"front %s: drop\"}",
			     vhu_messages[VHU_MSG_GET_QUEUE_NUM].name);
	peer_check(control_number(answer, "added") == 1, "another number");
	json_decref(answer);
	control_refused(client, "{\"verb\":\"faults add\",\"fault\":\"front: nothing\"}", "column");
	peer_check(
	    !peer_send_message(fixture.front, request_of(VHU_MSG_GET_QUEUE_NUM), NULL, 0, NULL, 0),
	    "not sent");
	peer_check(!peer_send(fixture.front, &owner, sizeof(owner), NULL, 0), "not sent");
	peer_expect(fixture.back, &owner, sizeof(owner), "what follows a message that is dropped");
	answer = control_ask(client, "{\"verb\":\"faults\"}");
	peer_check(control_number(answer, "faults.0.applied") == 1, "not applied once");
	json_decref(answer);
	json_decref(control_ask(client, "{\"verb\":\"faults remove\",\"number\":1}"));
	control_refused(client, "{\"verb\":\"faults remove\",\"number\":1}", "no fault 1");
	pass(&fixture, VHU_MSG_GET_QUEUE_NUM, NULL, 0, -1);
	answer = control_ask(client, "{\"verb\":\"faults clear\"}");
	peer_check(json_integer_value(control_at(answer, "removed")) == 0, "there was another");
	json_decref(answer);
	control_leave(client);
	control_close(&fixture);
}

/* Ask a proxy that was started with @option for the next file, and look for @said. */
static void ask_for_file(const char *option, const char *said)
{
	struct control_fixture fixture;
	struct control_client *client;
	json_t *answer;

	control_open_with(&fixture, option);
	client = control_connect(&fixture);
	peer_exchange(fixture.front, fixture.back, 1);
	answer = control_ask(client, "{\"verb\":\"files next\"}");
	peer_check(strstr(control_text(answer, "said"), said), "%s: %s", option,
		   control_text(answer, "said"));
	json_decref(answer);
	control_leave(client);
	control_close(&fixture);
}

static void begins_the_next_file(void)
{
	ask_for_file("--ring-buffer=packets:1000", "was begun: asked for by vhu ctl");
}

static void writes_the_flight_recorder(void)
{
	ask_for_file("--flight-recorder", "3 records: asked for by vhu ctl");
}

static void has_nothing_to_write(void)
{
	struct control_fixture fixture;
	struct control_client *client;

	control_open(&fixture);
	client = control_connect(&fixture);
	control_refused(client, "{\"verb\":\"files next\"}", "nothing to write out");
	control_leave(client);
	control_close(&fixture);
}

/* Run vhu ctl, which must exit with @status and print what @pattern matches. */
static void ctl(const struct control_fixture *fixture, int status, const char *words,
		const char *pattern)
{
	int got = proxy_shell("'%s' ctl -s '%s' %s >'%s/out' 2>&1", proxy_vhu(), fixture->socket,
			      words, fixture->proxy.folder);

	if (got == status &&
	    !proxy_shell("grep -q -e '%s' '%s/out'", pattern, fixture->proxy.folder))
		return;
	proxy_shell("cat '%s/out' >&2", fixture->proxy.folder);
	peer_die("vhu ctl %s: exit status %d, and not \"%s\"", words, got, pattern);
}

/* vhu ctl asks all this, and says what is wrong with what it is asked. */
static void ctl_asks(void)
{
	struct control_fixture fixture;
	int kick;

	control_open(&fixture);
	kick = set_up(&fixture);
	ctl(&fixture, 0, "sessions", "RING_PACKED");
	ctl(&fixture, 0, "session 1", "^session 1$");
	ctl(&fixture, 0, "--json sessions --path /nowhere",
	    "^{\"schema\":\"control/1\",\"ok\":true,\"sessions\":\\[\\]}$");
	ctl(&fixture, 0, "version", "^vhu .*, pid [0-9]*$");
	ctl(&fixture, 0, "help", "^sessions  ");
	ctl(&fixture, 0, "faults add 'front GET_CONFIG nth=2: drop'", "^fault 1 added$");
	ctl(&fixture, 0, "rules list", "^1: front GET_CONFIG nth=2: drop");
	ctl(&fixture, 0, "rules clear", "^1 fault removed$");
	ctl(&fixture, 1, "session 7", "^vhu ctl: no session 7 is open$");
	ctl(&fixture, 1, "follow --message NO_SUCH", "no such message");
	ctl(&fixture, 2, "session x", "x: not a session number (see vhu ctl --help)$");
	ctl(&fixture, 2, "session", "which session?");
	ctl(&fixture, 2, "", "which command?");
	ctl(&fixture, 2, "frobnicate", "no such command");
	ctl(&fixture, 2, "close 1 2 3", "3: unexpected argument");
	ctl(&fixture, 2, "close --channel gpu 1", "not an option of close");
	ctl(&fixture, 0, "close 1 enough", "^session 1 closed$");
	peer_expect_end(fixture.front, "closed session");
	close(kick);
	control_close(&fixture);
	ctl(&fixture, 1, "sessions", "start a vhu proxy with --control");
}

/* vhu ctl prints what it follows until the proxy ends. */
static void ctl_follows(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	uint64_t mark = 0;
	FILE *follower;
	char line[4096];

	control_open(&fixture);
	snprintf(line, sizeof(line), "exec '%s' ctl -s '%s' --json follow 2>&1", proxy_vhu(),
		 fixture.socket);
	follower = popen(line, "r");
	peer_check(follower, "no pipe");
	/* It follows from some moment on. */
	do {
		peer_exchange(fixture.front, fixture.back, ++mark);
		peer_check(peer_now_ms() < limit, "nothing is followed");
	} while (!peer_readable(fileno(follower), 50));
	client = control_connect(&fixture);
	json_decref(control_ask(client, "{\"verb\":\"close\",\"session\":1}"));
	control_leave(client);
	control_close(&fixture);
	while (fgets(line, sizeof(line), follower) && line[0] == '{') {
		json_t *record = json_loads(line, 0, NULL);

		peer_check(record, "no record: %s", line);
		control_number(record, "number");
		json_decref(record);
	}
	peer_check(strstr(line, "vhu ctl: the proxy was stopped"), "ends with %s", line);
	peer_check(!pclose(follower), "vhu ctl fails");
}

/* vhu ctl does not take just anything for a proxy. */
static void ctl_meets_others(void)
{
	static const char *const answer[] = {"", "no JSON\n", "[1]\n", "{\"ok\":false}\n",
					     "{\"ok\":true,\"text\":7}\n"};
	static const char *const complaint[] = {"closed the connection", "not a vhu proxy",
						"not a vhu proxy", "refused", ""};
	struct proxy place;
	int listener;

	proxy_prepare(&place);
	listener = peer_listen(place.back);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(answer); i++) {
		char command[512], line[4096] = "";
		FILE *asker;
		int fd;

		snprintf(command, sizeof(command), "exec '%s' ctl -s '%s' sessions 2>&1",
			 proxy_vhu(), place.back);
		asker = popen(command, "r");
		peer_check(asker, "no pipe");
		fd = peer_accept(listener);
		peer_check(peer_readable(fd, PEER_PATIENCE_MS), "nothing is asked");
		peer_send(fd, answer[i], strlen(answer[i]), NULL, 0);
		shutdown(fd, SHUT_WR);
		if (!fgets(line, sizeof(line), asker))
			line[0] = '\0';
		peer_check(strstr(line, complaint[i]), "%s: %s", answer[i], line);
		peer_check(!!pclose(asker) == !!*complaint[i], "%s: exit status", answer[i]);
		close(fd);
	}
	close(listener);
}

int main(int argc, char **argv)
{
	static const struct control_case cases[] = {
	    CONTROL_CASE(tells_what_a_session_does),
	    CONTROL_CASE(tells_of_kicks),
	    CONTROL_CASE(lists_sessions),
	    CONTROL_CASE(follows_as_dump_shows),
	    CONTROL_CASE(followers_get_one_record_each_with_its_id),
	    CONTROL_CASE(closes_a_session),
	    CONTROL_CASE(changes_rules),
	    CONTROL_CASE(begins_the_next_file),
	    CONTROL_CASE(writes_the_flight_recorder),
	    CONTROL_CASE(has_nothing_to_write),
	    CONTROL_CASE(ctl_asks),
	    CONTROL_CASE(ctl_follows),
	    CONTROL_CASE(ctl_meets_others),
	    {0},
	};

	return control_run(cases, argc, argv);
}
