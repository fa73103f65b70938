/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu ctl: asks a running vhu proxy what it is doing, and tells it what to do.
 *
 * The proxy makes what people read; here words become a question, and the answer is printed. What
 * there is to ask is the table of verbs below; docs/control.md has the language.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/cli/near.h"
#include "lib/util/util.h"
#include "proxy/control/socket.h"
#include "tools/commands.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/http.h"
#include "tools/ctl/line.h"
#include "tools/ctl/meet.h"

enum {
	KEY_JSON = 256,
	KEY_SESSION,
	KEY_CHANNEL,
	KEY_MESSAGE,
	KEY_PATH,
	KEY_PID,
	KEY_OPENMETRICS,
	KEY_HTTP
};

static const struct vhu_option option[] = {
    {'s', "control", "SOCKET", "the proxy's control socket, if not the default one"},
    {'s', "socket", "SOCKET", NULL}, /* an older name */
    {KEY_JSON, "json", NULL, "print answers and records as JSON, one object a line"},
    {KEY_SESSION, "session", "N", "follow, faults release: only this session"},
    {KEY_CHANNEL, "channel", "NAME", "follow: only this channel: front-end, back-end or gpu"},
    {KEY_MESSAGE, "message", "NAME", "follow: only this message and its replies; may be repeated"},
    {KEY_PATH, "path", "PATH", "sessions: only those with this socket on one side"},
    {KEY_PID, "pid", "PID", "sessions: only those with this process on one side"},
    {KEY_OPENMETRICS, "openmetrics", NULL, "metrics: use the OpenMetrics format"},
    {KEY_HTTP, "http", NULL, "metrics: answer one HTTP request from standard input"},
    {0},
};

static const struct vhu_example example[] = {
    {"vhu ctl sessions", "show all open sessions"},
    {"vhu ctl follow --session 3 --message SET_VRING_CALL", "show these messages as they pass"},
    {"vhu ctl --json sessions | jq '.sessions[].waiting_request'",
     "which requests wait for a reply, and for how long"},
    {"vhu ctl faults add 'front SET_VRING_KICK nth=3: delay 50ms'",
     "delay the third SET_VRING_KICK from now on"},
    {"vhu ctl call 3 0", "signal the call of vring 0: if the guest goes on, a call was lost"},
    {"vhu ctl close 3 'moved away'", "close a session and record the reason"},
    {0},
};

/* Words that a verb takes after its name. */
struct vhu_ctl_word {
	const char *key; /* of the question; NULL: there is no such word */
	bool number;
	bool needed;
};

#define WORDS_MAX 2

static const struct verb {
	const char *name;
	struct vhu_ctl_word word[WORDS_MAX + 1];
	const char *options; /* that it takes, with blanks around each */
	bool follows;        /* its answer goes on until the proxy ends */
	const char *asks;    /* what the proxy calls it; NULL: the same */
} verbs[] = {
    {"sessions", {{NULL}}, " path pid ", false},
    {"session", {{"session", true, true}}, "", false},
    {"follow", {{NULL}}, " session channel message ", true},
    {"close", {{"session", true, true}, {"reason", false, false}}, "", false},
    {"faults", {{NULL}}, "", false},
    {"faults list", {{NULL}}, "", false, "faults"},
    {"faults add", {{"fault", false, true}}, "", false},
    {"faults remove", {{"number", true, true}}, "", false},
    {"faults clear", {{NULL}}, "", false},
    {"faults release", {{"number", true, false}}, " session ", false},
    {"kick", {{"session", true, true}, {"vring", true, true}}, "", false},
    {"call", {{"session", true, true}, {"vring", true, true}}, "", false},
    {"stall", {{"time", false, false}}, "", false},
    {"metrics", {{NULL}}, " openmetrics http ", false},
    {"files next", {{NULL}}, "", false},
    {"version", {{NULL}}, "", false},
    {"help", {{NULL}}, "", false},
};

/* What was asked for. */
struct vhu_ctl_request {
	const struct vhu_command *command;
	const char *socket;
	bool json;
	bool http, open_metrics;
	json_t *question;
	const struct verb *verb;
};

/* Return whether @verb takes the option called @name. */
static bool takes_option(const struct verb *verb, const char *name)
{
	char blanks[32];

	snprintf(blanks, sizeof(blanks), " %s ", name);
	return strstr(verb->options, blanks) != NULL;
}

/* Add a text or a number to the question. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is
 * wrong said. */
static int add(struct vhu_ctl_request *request, const char *key, const char *value, bool number)
{
	uint64_t amount;
	json_t *made;

	if (number) {
		/* Only vrings are counted from 0. */
		if (vhu_number_parse(value, !strcmp(key, "vring") ? 0 : 1, INT64_MAX, &amount))
			return vhu_usage(request->command, "%s: not a %s number", value, key);
		made = json_integer((json_int_t)amount);
	} else {
		made = json_string(value);
		if (!made)
			return vhu_usage(request->command, "%s: not UTF-8", key);
	}
	json_object_set_new(request->question, key, made);
	return VHU_EXIT_DONE;
}

/* Take one option. Returns as add does. */
static int take_option(struct vhu_ctl_request *request, int key, const char *argument)
{
	json_t *messages = json_object_get(request->question, "message"), *message;

	switch (key) {
	case 's':
		request->socket = argument;
		break;
	case KEY_JSON:
		request->json = true;
		break;
	case KEY_SESSION:
		return add(request, "session", argument, true);
	case KEY_OPENMETRICS:
		request->open_metrics = true;
		json_object_set_new(request->question, "openmetrics", json_true());
		break;
	case KEY_HTTP:
		request->http = true;
		break;
	case KEY_CHANNEL:
		return add(request, "channel", argument, false);
	case KEY_PATH:
		return add(request, "path", argument, false);
	case KEY_PID:
		return add(request, "pid", argument, true);
	case KEY_MESSAGE:
		message = json_string(argument);
		if (!message)
			return vhu_usage(request->command, "message: not UTF-8");
		if (!messages) {
			messages = json_array();
			json_object_set_new(request->question, "message", messages);
		}
		json_array_append_new(messages, message);
		break;
	}
	return VHU_EXIT_DONE;
}

/* See whether the options are those of the verb. Returns as add does. */
static int check_options(const struct vhu_ctl_request *request)
{
	const char *key;
	json_t *value;

	if (request->http && !takes_option(request->verb, "http"))
		return vhu_usage(request->command, "--http: not an option of %s",
				 request->verb->name);
	json_object_foreach(request->question, key, value)
	{
		if (!takes_option(request->verb, key))
			return vhu_usage(request->command, "--%s: not an option of %s", key,
					 request->verb->name);
	}
	return VHU_EXIT_DONE;
}

void vhu_complete_verbs(const struct vhu_complete *at, int words, char **word)
{
	char typed[64] = "";
	size_t length;

	for (int i = 0; i + 1 < words && strlen(typed) + strlen(word[i]) + 2 < sizeof(typed); i++)
		strcat(strcat(typed, word[i]), " ");
	length = strlen(typed);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(verbs); i++) {
		const struct verb *verb = &verbs[i];

		if (!strncmp(verb->name, typed, length) && !strchr(verb->name + length, ' '))
			vhu_complete_offer(at, verb->name + length, NULL);
		if (length == strlen(verb->name) + 1 && !strncmp(verb->name, typed, length - 1) &&
		    verb->word[0].key && !strcmp(verb->word[0].key, "session"))
			vhu_complete_sessions(at);
	}
}

/* Find the verb that the words begin with. Returns its number of words; 0 if no verb matches. */
static int find_verb(struct vhu_ctl_request *request, int words, char **word)
{
	const char *first = word[0];
	char name[64];

	/* Faults were called rules. */
	if (!strcmp(first, "rules"))
		first = "faults";
	for (int taking = words > 1 ? 2 : 1; taking; taking--) {
		snprintf(name, sizeof(name), "%s%s%s", first, taking > 1 ? " " : "",
			 taking > 1 ? word[1] : "");
		for (size_t i = 0; i < VHU_ARRAY_SIZE(verbs); i++) {
			if (strcmp(verbs[i].name, name))
				continue;
			request->verb = &verbs[i];
			return taking;
		}
	}
	return 0;
}

/* Say that there is no verb as @word. Returns VHU_EXIT_USAGE. */
static int no_such_verb(const struct vhu_ctl_request *request, const char *word)
{
	struct vhu_near near = {.word = word};
	char hint[VHU_NEAR_MAX];

	for (size_t i = 0; i < VHU_ARRAY_SIZE(verbs); i++)
		vhu_near_look(&near, verbs[i].name);
	return vhu_usage(request->command, "%s: no such command%s", word,
			 vhu_near_hint(&near, hint));
}

/* Take the verb and its words. Returns as add does. */
static int take_words(struct vhu_ctl_request *request, int words, char **word)
{
	const struct vhu_ctl_word *taken;
	int status, taking;

	if (!words)
		return vhu_usage(request->command, "which command?");
	taking = find_verb(request, words, word);
	if (!taking)
		return no_such_verb(request, word[0]);
	words -= taking - 1;
	word += taking - 1;
	status = check_options(request);
	for (taken = request->verb->word; taken->key && status == VHU_EXIT_DONE; taken++) {
		if (--words > 0)
			status = add(request, taken->key, *++word, taken->number);
		else if (taken->needed)
			return vhu_usage(request->command, "%s: which %s?", request->verb->name,
					 taken->key);
	}
	if (status == VHU_EXIT_DONE && words > 1)
		return vhu_usage(request->command, "%s: unexpected argument", word[1]);
	return status;
}

/* Connect to the proxy. Returns a stream to it; NULL with what is wrong said. */
static FILE *connect_to(const struct vhu_ctl_request *request)
{
	char path[VHU_CONTROL_PATH_MAX], error[VHU_ENDPOINT_ERROR];
	const char *socket = request->socket ? request->socket : vhu_control_path(path);
	struct stat file;
	FILE *proxy = NULL;
	int code = vhu_control_meet(socket, &proxy, error);

	if (code == -ECONNREFUSED && !stat(socket, &file) && !S_ISSOCK(file.st_mode))
		vhu_fail(request->command, "%s: not a socket", socket);
	else if (code == -ENOENT || code == -ECONNREFUSED)
		vhu_fail(request->command, "%s: %s: start a vhu proxy with --control %s", socket,
			 strerror(-code), request->socket ? socket : "-");
	else if (code == -EAGAIN)
		vhu_fail(request->command, "too many others wait for the proxy");
	else if (code)
		vhu_fail(request->command, "%s", error);
	return proxy;
}

/* Send the question. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said. */
static int send_question(const struct vhu_ctl_request *request, FILE *proxy)
{
	char *line;
	int sent;

	json_object_set_new(
	    request->question, "verb",
	    json_string(request->verb->asks ? request->verb->asks : request->verb->name));
	if (!request->json)
		json_object_set_new(request->question, "as", json_string("text"));
	line = json_dumps(request->question, JSON_COMPACT);
	if (!line)
		return vhu_fail(request->command, "out of memory");
	sent = send(fileno(proxy), line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) &&
	       send(fileno(proxy), "\n", 1, MSG_NOSIGNAL) == 1;
	free(line);
	/* A proxy that serves no more clients has said so, and has closed. */
	return sent || errno == EPIPE
		   ? VHU_EXIT_DONE
		   : vhu_fail(request->command, "the proxy takes no question: %s", strerror(errno));
}

/* Print a record that is followed. */
static void print_record(const json_t *record)
{
	char *line = json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (line)
		puts(line);
	free(line);
}

/*
 * Print a line that came.
 * @end: set where nothing more is to be waited for.
 * Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said.
 */
static int print_answer(const struct vhu_ctl_request *request, const char *line,
			const json_t *answer, bool *end)
{
	const json_t *ok = json_object_get(answer, "ok"), *text = json_object_get(answer, "text");
	const json_t *lost = json_object_get(answer, "lost");
	const json_t *over = json_object_get(answer, "end");
	const json_t *record = json_object_get(answer, "record");

	*end = !request->verb->follows;
	if (ok && !json_is_true(ok)) {
		const char *error = json_string_value(json_object_get(answer, "error"));

		return vhu_fail(request->command, "%s", error ? error : "refused");
	}
	if (lost)
		vhu_fail(request->command, "%" JSON_INTEGER_FORMAT " records were lost here",
			 json_integer_value(lost));
	if (json_is_string(over)) {
		vhu_fail(request->command, "%s", json_string_value(over));
		*end = true;
	}
	if (record)
		print_record(record);
	else if (json_is_string(text) && request->http)
		vhu_ctl_http_answer(json_string_value(text), request->open_metrics);
	else if (json_is_string(text))
		printf("%s%s", json_string_value(text), request->verb->follows ? "\n" : "");
	else if (ok && request->json && !request->verb->follows)
		printf("%s", line);
	return VHU_EXIT_DONE;
}

/* Print what comes until that is all. Returns the exit status. */
static int print_answers(const struct vhu_ctl_request *request, FILE *proxy)
{
	int status = VHU_EXIT_DONE;
	char why[VHU_CONTROL_WHY], *line = NULL;
	bool end = false;
	size_t room = 0;

	while (!end && status == VHU_EXIT_DONE &&
	       vhu_answer_line(fileno(proxy), &line, &room) > 0) {
		json_t *answer = json_loads(line, 0, NULL);

		if (request->verb->follows)
			vhu_control_wait_on(proxy);
		if (json_is_object(answer))
			status = print_answer(request, line, answer, &end);
		else
			status = vhu_fail(request->command,
					  "what answers is not a vhu proxy's control socket");
		json_decref(answer);
		if (fflush(stdout) && status == VHU_EXIT_DONE)
			status = vhu_fail(request->command, "standard output: %s", strerror(errno));
	}
	if (!end && status == VHU_EXIT_DONE)
		status = vhu_fail(request->command, "%s", vhu_control_why(proxy, why));
	free(line);
	return status;
}

/* Ask what was asked for. Returns the exit status. */
static int ask(const struct vhu_ctl_request *request)
{
	FILE *proxy = connect_to(request);
	int status;

	if (!proxy)
		return VHU_EXIT_FAILED;
	status = send_question(request, proxy);
	if (status == VHU_EXIT_DONE)
		status = print_answers(request, proxy);
	fclose(proxy);
	return status;
}

/* Answer a request by HTTP. Returns the exit status. */
static int answer_http(struct vhu_ctl_request *request)
{
	int status = vhu_ctl_http_read(&request->open_metrics);

	request->json = false;
	json_object_set_new(request->question, "openmetrics", json_boolean(request->open_metrics));
	if (!status)
		return vhu_fail(request->command, "--http: standard input ended without a request: "
						  "vhu-metrics.socket passes one");
	if (status != 200) {
		vhu_ctl_http_refuse(status);
		return VHU_EXIT_DONE;
	}
	status = ask(request);
	if (status == VHU_EXIT_FAILED && !ferror(stdout))
		vhu_ctl_http_refuse(503);
	return status;
}

/* Run the sub-command. Returns the exit status. */
static int run_ctl(const struct vhu_command *command, int argc, char **argv)
{
	struct vhu_ctl_request request = {.command = command, .question = json_object()};
	const char *argument;
	int key, status = VHU_EXIT_DONE;

	if (!request.question)
		return vhu_fail(command, "out of memory");
	while (status == VHU_EXIT_DONE &&
	       (key = vhu_options_next(command, argc, argv, &argument)) >= 0)
		status = take_option(&request, key, argument);
	if (status == VHU_EXIT_DONE && key == VHU_OPTIONS_ERROR)
		status = VHU_EXIT_USAGE;
	if (status == VHU_EXIT_DONE && key == VHU_OPTIONS_END) {
		status = take_words(&request, argc - optind, argv + optind);
		if (status == VHU_EXIT_DONE)
			status = request.http ? answer_http(&request) : ask(&request);
	}
	json_decref(request.question);
	return status;
}

const struct vhu_command vhu_command_ctl = {
    .name = "ctl",
    .arguments = "COMMAND [ARGUMENT ...]",
    .summary = "ask a running vhu proxy for its sessions, and give it orders",
    .about =
	"The proxy must run with --control. Without -s, vhu ctl looks for its socket at "
	"$VHU_CONTROL, $XDG_RUNTIME_DIR/vhu.sock or /run/vhu.sock, in this order.\n"
	"Commands: sessions, session N, follow, close N [REASON], faults [list], faults add "
	"FAULT, faults remove N, faults clear, faults release [N], kick N VRING, call N VRING, "
	"stall [TIME|off], metrics, files next, version, help.",
    .option = option,
    .example = example,
    .run = run_ctl,
};
