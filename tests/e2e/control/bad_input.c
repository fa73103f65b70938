/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket and clients that it could do without: what they send, do not read, and are.
 * Whatever they do, the session beside them goes on.
 *
 *	proxy_control_bad [CASE...]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/control/talk.h"

#include "lib/util/util.h"

/* More than the proxy serves at a time. */
#define CROWD 40

/* Each line that is no question has one answer that says why, and the next is taken. */
static void answers_garbage(void)
{
	static const struct {
		const char *line, *why;
	} row[] = {
	    {"{", "not JSON"},
	    {"\x01\x02\xff", "not JSON"},
	    {"{\"verb\":\"version\"} {}", "not JSON"},
	    {"{\"verb\":\"version\",\"verb\":\"help\"}", "not JSON"},
	    {"7", "not JSON"},
	    {"[]", "not a JSON object"},
	    {"{}", "which \"verb\"?"},
	    {"{\"verb\":7}", "which \"verb\"?"},
	    {"{\"verb\":\"frobnicate\"}", "no such verb"},
	    {"{\"verb\":\"version\",\"id\":[]}", "\"id\""},
	    {"{\"verb\":\"version\",\"as\":\"xml\"}", "\"as\""},
	    {"{\"verb\":\"version\",\"session\":1}", "does not belong here"},
	    {"{\"verb\":\"session\"}", "which \"session\"?"},
	    {"{\"verb\":\"session\",\"session\":0}", "no number"},
	    {"{\"verb\":\"session\",\"session\":\"1\"}", "no number"},
	    {"{\"verb\":\"session\",\"session\":99999999999999999999}", "not JSON"},
	    {"{\"verb\":\"sessions\",\"path\":1}", "\"path\""},
	    {"{\"verb\":\"close\",\"session\":1,\"reason\":{}}", "\"reason\""},
	    {"{\"verb\":\"follow\",\"channel\":\"side\"}", "\"channel\""},
	    {"{\"verb\":\"follow\",\"message\":[1]}", "\"message\""},
	    {"{\"verb\":\"follow\",\"message\":\"NO_SUCH\"}", "no such message"},
	    {"{\"verb\":\"unfollow\"}", "does not follow"},
	    {"{\"verb\":\"faults add\",\"fault\":1}", "\"fault\""},
	    {"{\"verb\":\"faults remove\",\"number\":4294967297}", "no fault"},
	};
	struct control_fixture fixture;
	struct control_client *client;

	control_open(&fixture);
	client = control_connect(&fixture);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		control_refused(client, row[i].line, row[i].why);
	/* Lines that are nothing have no answer. */
	control_send(client, "\n \r\n\t");
	json_decref(control_ask(client, "{\"verb\":\"version\"}"));
	peer_exchange(fixture.front, fixture.back, 1);
	control_leave(client);
	control_close(&fixture);
}

/* Structures that are deeper than any parser goes, and noise with ends of lines in it. */
static void survives_noise(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	char line[60001];
	uint32_t noise = 1;
	json_t *answer;

	control_open(&fixture);
	client = control_connect(&fixture);
	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	control_refused(client, line, "not JSON");
	for (unsigned int round = 0; round < 50; round++) {
		for (size_t i = 0; i < 1000; i++) {
			noise = noise * 1664525 + 1013904223;
			line[i] = (char)(noise >> 24);
		}
		peer_check(send(client->fd, line, 1000, MSG_NOSIGNAL) == 1000, "takes no noise");
	}
	control_send(client, "\n{\"verb\":\"version\",\"id\":\"at last\"}");
	do {
		answer = control_receive(client);
		peer_check(answer, "the proxy gives up");
		json_decref(answer);
	} while (!strstr(client->line, "at last") && !json_object_get(answer, "version"));
	peer_exchange(fixture.front, fixture.back, 1);
	control_leave(client);
	control_close(&fixture);
}

/* A line that does not end is answered, and that is all. */
static void refuses_long_lines(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	static char line[70000];
	json_t *answer;

	control_open(&fixture);
	client = control_connect(&fixture);
	memset(line, ' ', sizeof(line));
	peer_check(send(client->fd, line, sizeof(line), MSG_NOSIGNAL) > 0, "not sent");
	answer = control_receive(client);
	peer_check(answer && strstr(control_text(answer, "error"), "too long"), "not refused");
	json_decref(answer);
	peer_check(!control_receive(client), "goes on");
	peer_exchange(fixture.front, fixture.back, 1);
	control_leave(client);
	control_close(&fixture);
}

/* One that asks and asks and does not read is not listened to any more, takes no memory for it, and
 * gets all its answers when it does read. */
static void asks_and_never_reads(void)
{
	static const char question[] = "{\"verb\":\"help\"}\n";
	struct control_fixture fixture;
	struct control_client *client;
	unsigned long before, after;
	unsigned int asked = 0;
	json_t *answer;

	control_open(&fixture);
	client = control_connect(&fixture);
	json_decref(control_ask(client, "{\"verb\":\"help\"}"));
	before = proxy_memory_kib(&fixture.proxy, "VmRSS");
	for (unsigned int quiet = 0; quiet < 20;) {
		ssize_t n =
		    send(client->fd, question, strlen(question), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			peer_check(n == (ssize_t)strlen(question), "a part of a question");
			peer_check(++asked < 1000000, "is listened to without end");
			quiet = 0;
			continue;
		}
		peer_check(errno == EAGAIN, "takes no question: %s", strerror(errno));
		peer_exchange(fixture.front, fixture.back, asked);
		quiet++;
	}
	after = proxy_memory_kib(&fixture.proxy, "VmRSS");
	peer_check(after < before + 16384, "%lu KiB for answers", after - before);
	for (unsigned int i = 0; i < asked; i++) {
		answer = control_receive(client);
		peer_check(answer, "%u of %u answers", i, asked);
		json_decref(answer);
	}
	json_decref(control_ask(client, "{\"verb\":\"version\"}"));
	control_leave(client);
	control_close(&fixture);
}

/* A follower that does not read loses records, and learns how many. */
static void follows_and_never_reads(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	long long got = 0, lost = 0, passed = 0;
	int64_t limit;

	control_open(&fixture);
	client = control_connect(&fixture);
	json_decref(control_ask(client, "{\"verb\":\"follow\",\"session\":1}"));
	for (; passed < 8000; passed += 2)
		peer_exchange(fixture.front, fixture.back, (uint64_t)passed);
	limit = peer_now_ms() + PEER_PATIENCE_MS;
	while (got + lost < passed) {
		json_t *line, *told;

		peer_check(peer_now_ms() < limit, "%lld records and %lld lost of %lld", got, lost,
			   passed);
		/* The count of lost records comes before the next record that fits. */
		if (!memchr(client->line, '\n', client->got) && !peer_readable(client->fd, 20)) {
			peer_exchange(fixture.front, fixture.back, (uint64_t)passed);
			passed += 2;
			continue;
		}
		line = control_receive(client);
		peer_check(line, "the connection is closed");
		told = json_object_get(line, "lost");
		lost += json_integer_value(told);
		got += !told;
		json_decref(line);
	}
	peer_check(lost && got + lost == passed, "%lld records and %lld lost of %lld", got, lost,
		   passed);
	control_leave(client);
	control_close(&fixture);
}

/* Clients beyond the limit are refused with a reason, and admitted after others leave. */
static void refuses_a_crowd(void)
{
	struct control_fixture fixture;
	struct control_client *client[CROWD];
	unsigned int served = 0, refused = 0, before;
	json_t *answer;

	control_open(&fixture);
	before = proxy_fds(&fixture.proxy);
	for (unsigned int i = 0; i < CROWD; i++) {
		client[i] = control_connect(&fixture);
		send(client[i]->fd, "{\"verb\":\"version\"}\n", 19, MSG_NOSIGNAL);
		answer = control_receive(client[i]);
		peer_check(answer, "no answer");
		if (json_is_true(json_object_get(answer, "ok")))
			served++;
		else if (strstr(control_text(answer, "error"), "too many clients"))
			refused++;
		json_decref(answer);
	}
	peer_check(served == 32 && refused == CROWD - 32, "%u served, %u refused", served, refused);
	peer_exchange(fixture.front, fixture.back, 1);
	for (unsigned int i = 0; i < CROWD; i++)
		control_leave(client[i]);
	proxy_fds_settle(&fixture.proxy, before);
	client[0] = control_connect(&fixture);
	json_decref(control_ask(client[0], "{\"verb\":\"version\"}"));
	control_leave(client[0]);
	control_close(&fixture);
}

/* Clients that are killed, and that leave in the middle of everything, leave nothing behind. */
static void outlives_clients(void)
{
	struct control_fixture fixture;
	unsigned int before;

	control_open(&fixture);
	before = proxy_fds(&fixture.proxy);
	for (unsigned int i = 0; i < 20; i++) {
		struct control_client *client = control_connect(&fixture);
		char ready;
		int told[2];
		pid_t pid;

		peer_check(!pipe(told), "pipe: %s", strerror(errno));
		pid = fork();
		peer_check(pid >= 0, "fork: %s", strerror(errno));
		if (!pid) {
			json_decref(control_ask(client, "{\"verb\":\"follow\"}"));
			if (i % 2)
				send(client->fd, "{\"verb\":\"sessions\"}\n{\"ver", 25,
				     MSG_NOSIGNAL);
			peer_check(write(told[1], "", 1) == 1, "pipe: %s", strerror(errno));
			pause();
		}
		control_leave(client);
		peer_check(read(told[0], &ready, 1) == 1, "pipe: %s", strerror(errno));
		close(told[0]);
		close(told[1]);
		if (i % 3)
			peer_exchange(fixture.front, fixture.back, i);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		peer_exchange(fixture.front, fixture.back, i);
	}
	proxy_fds_settle(&fixture.proxy, before);
	control_close(&fixture);
}

/* Only the proxy's own user and root are served, whatever the file's mode has become. */
static void serves_nobody_else(void)
{
	struct control_fixture fixture;
	struct control_client *client;
	json_t *answer;
	struct stat st;
	int status;
	pid_t pid;

	control_open(&fixture);
	peer_check(!stat(fixture.socket, &st) && (st.st_mode & 07777) == 0600, "mode %o",
		   st.st_mode & 07777);
	if (geteuid()) {
		control_close(&fixture);
		printf("not root: other users are not tried\n");
		return;
	}
	peer_check(!chmod(fixture.proxy.folder, 0755), "chmod: %s", strerror(errno));
	pid = fork();
	peer_check(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		peer_check(!setuid(65534), "setuid: %s", strerror(errno));
		_exit(peer_try_connect(fixture.socket) == -EACCES ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	peer_check(!status, "somebody else can connect");
	peer_check(!chmod(fixture.socket, 0777), "chmod: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		peer_check(!setuid(65534), "setuid: %s", strerror(errno));
		client = control_connect(&fixture);
		answer = control_receive(client);
		_exit(answer &&
			      strstr(control_text(answer, "error"), "only the proxy's own user") &&
			      !control_receive(client)
			  ? 0
			  : 1);
	}
	waitpid(pid, &status, 0);
	peer_check(!status, "somebody else is served");
	peer_exchange(fixture.front, fixture.back, 1);
	control_close(&fixture);
}

/* A file that is not the proxy's is neither replaced nor removed. */
static void leaves_files_alone(void)
{
	struct control_fixture fixture;
	const char *args[] = {
	    "proxy", "--control", fixture.socket, fixture.proxy.front, fixture.proxy.back, NULL};
	struct stat st;
	int fd;

	control_open(&fixture);
	proxy_log(&fixture.proxy);
	peer_check(!unlink(fixture.socket), "%s: %s", fixture.socket, strerror(errno));
	fd = open(fixture.socket, O_WRONLY | O_CREAT | O_EXCL, 0600);
	peer_check(fd >= 0 && write(fd, "mine", 4) == 4, "%s: %s", fixture.socket, strerror(errno));
	close(fd);
	proxy_stop(&fixture.proxy);
	peer_check(!stat(fixture.socket, &st) && st.st_size == 4, "my file is gone");

	proxy_spawn(&fixture.proxy, args);
	peer_check(proxy_wait(&fixture.proxy) == 1, "begins where a file is");
	proxy_log_wait(&fixture.proxy, "control.sock: exists and is not a socket: not touched");
	peer_check(!stat(fixture.socket, &st) && st.st_size == 4, "my file is gone");

	peer_check(!unlink(fixture.socket), "%s: %s", fixture.socket, strerror(errno));
	fd = peer_listen(fixture.socket);
	proxy_spawn(&fixture.proxy, args);
	peer_check(proxy_wait(&fixture.proxy) == 1, "begins where another listens");
	proxy_log_wait(&fixture.proxy, "already in use");
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct control_case cases[] = {
	    CONTROL_CASE(answers_garbage),         CONTROL_CASE(survives_noise),
	    CONTROL_CASE(refuses_long_lines),      CONTROL_CASE(asks_and_never_reads),
	    CONTROL_CASE(follows_and_never_reads), CONTROL_CASE(refuses_a_crowd),
	    CONTROL_CASE(outlives_clients),        CONTROL_CASE(serves_nobody_else),
	    CONTROL_CASE(leaves_files_alone),      {0},
	};

	return control_run(cases, argc, argv);
}
