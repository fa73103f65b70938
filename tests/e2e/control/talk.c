/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A proxy with a control socket, and clients that talk to it, for tests. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/control/talk.h"

/* Wait until somebody listens at @path. */
static void await(struct proxy *proxy, const char *path)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;

	while (proxy_shell("grep -q '^[^ ]* [^ ]* [^ ]* 00010000 .* %s$' /proc/net/unix", path)) {
		peer_check(waitpid(proxy->pid, NULL, WNOHANG) == 0, "the proxy ended at once: %s",
			   proxy_log(proxy));
		peer_check(peer_now_ms() < limit, "no process listens at %s: %s", path,
			   proxy_log(proxy));
		usleep(10000);
	}
}

void control_open(struct control_fixture *fixture)
{
	control_open_with(fixture, "--quiet");
}

void control_open_with(struct control_fixture *fixture, const char *option)
{
	const char *args[] = {"proxy",
			      "-w",
			      fixture->proxy.capture,
			      "--control",
			      fixture->socket,
			      option,
			      fixture->proxy.front,
			      fixture->proxy.back,
			      NULL};

	proxy_prepare(&fixture->proxy);
	snprintf(fixture->socket, sizeof(fixture->socket), "%s/control.sock",
		 fixture->proxy.folder);
	fixture->listener = peer_listen(fixture->proxy.back);
	proxy_spawn(&fixture->proxy, args);
	await(&fixture->proxy, fixture->proxy.front);
	await(&fixture->proxy, fixture->socket);
	fixture->front = fixture->back = -1;
	control_session(fixture);
}

void control_session(struct control_fixture *fixture)
{
	fixture->front = peer_connect(fixture->proxy.front);
	fixture->back = peer_accept(fixture->listener);
}

void control_close(struct control_fixture *fixture)
{
	proxy_stop(&fixture->proxy);
	peer_check(access(fixture->socket, F_OK), "%s is still there", fixture->socket);
	close(fixture->listener);
	close(fixture->front);
	close(fixture->back);
}

struct control_client *control_connect(const struct control_fixture *fixture)
{
	struct control_client *client = calloc(1, sizeof(*client));

	peer_check(client, "out of memory");
	client->fd = peer_connect(fixture->socket);
	return client;
}

void control_leave(struct control_client *client)
{
	close(client->fd);
	free(client);
}

void control_send(struct control_client *client, const char *line)
{
	size_t size = strlen(line);

	peer_check(send(client->fd, line, size, MSG_NOSIGNAL) == (ssize_t)size &&
		       send(client->fd, "\n", 1, MSG_NOSIGNAL) == 1,
		   "the proxy takes no line: %s", strerror(errno));
}

json_t *control_receive(struct control_client *client)
{
	json_error_t error;
	json_t *json;
	char *end;

	while (!(end = memchr(client->line, '\n', client->got))) {
		ssize_t n;

		peer_check(client->got < sizeof(client->line), "a line without end");
		peer_check(peer_readable(client->fd, PEER_PATIENCE_MS), "the proxy says nothing");
		n = recv(client->fd, client->line + client->got, sizeof(client->line) - client->got,
			 0);
		if (n <= 0)
			return NULL;
		client->got += (size_t)n;
	}
	json = json_loadb(client->line, (size_t)(end - client->line), 0, &error);
	*end = '\0';
	peer_check(json, "not JSON: %s: %s", error.text, client->line);
	client->got -= (size_t)(end + 1 - client->line);
	memmove(client->line, end + 1, client->got);
	return json;
}

json_t *control_ask(struct control_client *client, const char *format, ...)
{
	char line[4096];
	va_list arguments;
	json_t *answer;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	control_send(client, line);
	answer = control_receive(client);
	peer_check(answer, "%s: no answer", line);
	peer_check(json_is_true(json_object_get(answer, "ok")), "%s: %s", line,
		   json_string_value(json_object_get(answer, "error")));
	return answer;
}

void control_refused(struct control_client *client, const char *question, const char *why)
{
	json_t *answer;

	control_send(client, question);
	answer = control_receive(client);
	peer_check(answer, "%.80s: no answer", question);
	peer_check(json_is_false(json_object_get(answer, "ok")), "%s: was done", question);
	peer_check(strstr(control_text(answer, "error"), why), "%s: refused, but for: %s", question,
		   control_text(answer, "error"));
	json_decref(answer);
}

const json_t *control_at(const json_t *json, const char *path)
{
	char copy[128], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, "."))) {
		json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10))
					   : json_object_get(json, key);
		peer_check(json, "there is no %s of %s", key, path);
	}
	return json;
}

long long control_number(const json_t *json, const char *path)
{
	json = control_at(json, path);
	peer_check(json_is_integer(json), "%s is no number", path);
	return json_integer_value(json);
}

const char *control_text(const json_t *json, const char *path)
{
	json = control_at(json, path);
	peer_check(json_is_string(json), "%s is no string", path);
	return json_string_value(json);
}

/* Run one case in a process of its own. Returns its exit status. */
static int run_case(const struct control_case *one)
{
	pid_t pid = fork();
	int status;

	peer_check(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		one->run();
		exit(0);
	}
	peer_check(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int control_run(const struct control_case *cases, int argc, char **argv)
{
	int failed = 0;

	signal(SIGPIPE, SIG_IGN);
	for (; cases->name; cases++) {
		bool wanted = argc == 1;
		int status;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], cases->name);
		if (!wanted)
			continue;
		status = run_case(cases);
		printf("%s: %s\n", cases->name, status ? "FAILED" : "passed");
		fflush(stdout);
		failed |= status;
	}
	return failed ? 1 : 0;
}
