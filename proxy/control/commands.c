/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked on the control socket. A verb is a function here and a row of the table below;
 * docs/control.md says what it answers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/recording/prologue.h"
#include "lib/ringwatch/stall.h"
#include "lib/show/dump.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/control/request.h"
#include "proxy/control/status.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/watchdog/watchdog.h"

/* Room for what is said of files. */
#define VERB_LINE_MAX 8192

/* Find the session that a question names. Returns it; NULL with why. */
static struct vhu_proxy_session *command_session(struct vhu_request *request)
{
	struct vhu_proxy_session *session;
	uint64_t number;

	if (vhu_request_number(request, "session", &number))
		return NULL;
	session = vhu_status_find(request->from->control->proxy, number);
	if (!session)
		vhu_request_fail(request, "no session %" PRIu64 " is open", number);
	return session;
}

/* Add the status of @session. */
static void command_put_session(struct vhu_request *request, const char *key,
				const struct vhu_proxy_session *session)
{
	struct vhu_status status;

	vhu_status_gather(&status, session);
	if (request->text)
		vhu_status_text(request->lines, &status);
	else
		vhu_status_json(&request->json, key, &status,
				json_is_true(json_object_get(request->question, "brief")));
}

/* session: all of one session. */
static int command_one_session(struct vhu_request *request)
{
	const struct vhu_proxy_session *session = command_session(request);

	if (!session || (request->text && vhu_request_open_text(request)))
		return -EINVAL;
	if (!request->text)
		vhu_json_array(&request->json, "sessions");
	command_put_session(request, NULL, session);
	if (!request->text)
		vhu_json_array_end(&request->json);
	return request->text ? vhu_request_put_text(request) : 0;
}

/* Return whether a session is one of those that a question is about. */
static bool command_wants(const struct vhu_request *request,
			  const struct vhu_proxy_session *session)
{
	const char *path = vhu_request_string(request, "path");
	json_int_t pid = json_integer_value(json_object_get(request->question, "pid"));
	bool has_path = false, has_pid = false;

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_peer *peer = &session->common.peer[side];

		has_path |= path && !strcmp(path, peer->path);
		has_pid |= peer->known && pid == (json_int_t)peer->pid;
	}
	return (!path || has_path) && (!pid || has_pid);
}

/* Add the next session to the list, or end it: one a turn, for there may be many. Returns as verbs
 * do. */
static int command_next_session(struct vhu_request *request)
{
	struct vhu_proxy_session *session =
	    vhu_status_next(request->from->control->proxy, request->at);

	if (session && session->common.number <= request->last) {
		request->at = session->common.number;
		if (command_wants(request, session))
			command_put_session(request, NULL, session);
		return VHU_REQUEST_MORE;
	}
	if (request->text)
		return vhu_request_put_text(request);
	vhu_json_array_end(&request->json);
	return 0;
}

/* sessions: all of all sessions, or of some. */
static int command_sessions(struct vhu_request *request)
{
	const json_t *path = json_object_get(request->question, "path");
	uint64_t pid;

	if (path && !json_is_string(path))
		return vhu_request_fail(request, "\"path\" is no string");
	if (vhu_request_number(request, "pid", &pid) ||
	    (request->text && vhu_request_open_text(request)))
		return -EINVAL;
	if (!request->text)
		vhu_json_array(&request->json, "sessions");
	request->last = request->from->control->proxy->sessions;
	request->more = command_next_session;
	return VHU_REQUEST_MORE;
}

/* close: end a session. */
static int command_close(struct vhu_request *request)
{
	struct vhu_proxy_session *session = command_session(request);
	const json_t *reason = json_object_get(request->question, "reason");
	char text[VHU_RECORD_TEXT_MAX + 1];
	uint64_t number;

	if (!session)
		return -EINVAL;
	if (reason && !json_is_string(reason))
		return vhu_request_fail(request, "\"reason\" is no string");
	snprintf(text, sizeof(text), "closed on request%s%s", reason ? ": " : "",
		 reason ? json_string_value(reason) : "");
	number = session->common.number;
	vhu_proxy_session_say(&session->common, "%s", text);
	vhu_proxy_session_end(session, text);
	vhu_json_unsigned(&request->json, "closed_session", number);
	return request->text ? vhu_request_say(request, "session %" PRIu64 " closed\n", number) : 0;
}

/* files next: write out what there is of a capture. */
static int command_files_next(struct vhu_request *request)
{
	const struct vhu_control_owner *owner = &request->from->control->owner;
	char line[VERB_LINE_MAX];
	int error = owner->write_out(owner->context, line, sizeof(line));

	if (error)
		return vhu_request_fail(request, "%s", line);
	vhu_json_string(&request->json, "said", line);
	return request->text ? vhu_request_say(request, "%s\n", line) : 0;
}

/* Add a record to the list, if it is of the session that the question is about. */
static int command_put_record(void *context, const struct vhu_record *record, uint64_t number)
{
	struct vhu_request *request = context;
	uint8_t *bytes;
	char time[24];
	size_t size;

	if (record->session != request->at)
		return 0;
	bytes = malloc(VHU_RECORD_HEAD_MAX + record->message_size);
	if (!bytes)
		return -ENOMEM;
	size = vhu_record_encode(record, bytes);
	if (record->message_size)
		memcpy(bytes + size, record->message, record->message_size);
	snprintf(time, sizeof(time), "%" PRIu64, record->time_ns);
	vhu_json_object(&request->json, NULL);
	vhu_json_unsigned(&request->json, "number", number);
	vhu_json_string(&request->json, "time_ns", time);
	vhu_json_bytes(&request->json, "bytes", bytes, size + record->message_size);
	vhu_json_object_end(&request->json);
	free(bytes);
	return 0;
}

/* What shows records as text. */
struct records_text {
	struct vhu_request *request;
	struct vhu_sessions *sessions;
	struct vhu_dump dump;
};

/* Add a record as vhu dump shows it, if it is of the session that the question is about. */
static int command_put_record_text(void *context, const struct vhu_record *record, uint64_t number)
{
	struct records_text *text = context;
	struct vhu_record shown = *record;
	struct vhu_annotation note;
	int ret;

	if (!shown.text)
		shown.text = "";
	ret = vhu_session_feed(text->sessions, &shown, number, &note);
	if (!ret && record->session == text->request->at)
		vhu_dump_text(&text->dump, &shown, number, &note);
	return ret;
}

/* Add the records of the session that the question is about as text. Returns as verbs do. */
static int command_records_text(struct vhu_request *request, struct vhu_prologue *prologue)
{
	struct records_text text = {.request = request};
	int ret = vhu_request_open_text(request);

	if (ret)
		return ret;
	text.dump.to = request->lines;
	text.sessions = vhu_sessions_new(false);
	ret = text.sessions ? vhu_prologue_tell(prologue, command_put_record_text, &text) : -ENOMEM;
	vhu_sessions_free(text.sessions);
	return ret ? vhu_request_fail(request, "out of memory") : vhu_request_put_text(request);
}

/* records: the records that made a session what it is. */
static int command_records(struct vhu_request *request)
{
	const struct vhu_proxy_session *session = command_session(request);
	struct vhu_prologue *prologue = request->from->control->proxy->prologue;

	if (!session)
		return -EINVAL;
	if (!prologue)
		return vhu_request_fail(request, "the proxy keeps no records");
	request->at = session->common.number;
	if (request->text)
		return command_records_text(request, prologue);
	vhu_json_array(&request->json, "records");
	if (vhu_prologue_tell(prologue, command_put_record, request))
		return vhu_request_fail(request, "out of memory");
	vhu_json_array_end(&request->json);
	return 0;
}

/* Write some more of the metrics, or end them. Returns as verbs do. */
static int command_more_metrics(struct vhu_request *request)
{
	bool more;

	request->exposition->to = request->lines;
	more = vhu_exposition_go_on(request->exposition);
	if (vhu_request_put_part(request))
		return -EINVAL;
	if (more)
		return VHU_REQUEST_MORE;
	vhu_json_text_end(&request->json);
	return 0;
}

/* metrics: what the proxy has counted since it started. */
static int command_metrics(struct vhu_request *request)
{
	const struct vhu_control *control = request->from->control;
	const json_t *open_metrics = json_object_get(request->question, "openmetrics");

	if (open_metrics && !json_is_boolean(open_metrics))
		return vhu_request_fail(request, "\"openmetrics\" is neither true nor false");
	request->exposition = calloc(1, sizeof(*request->exposition));
	if (!request->exposition)
		return vhu_request_fail(request, "out of memory");
	if (vhu_request_open_text(request))
		return -EINVAL;
	request->exposition->proxy = control->proxy;
	request->exposition->open_metrics = json_is_true(open_metrics);
	control->owner.count(control->owner.context, &request->exposition->capture);
	vhu_json_text(&request->json, "text");
	request->more = command_more_metrics;
	return VHU_REQUEST_MORE;
}

/* version: who answers here. */
static int command_version(struct vhu_request *request)
{
	if (request->text)
		return vhu_request_say(request, "vhu %s, pid %d\n", VHU_VERSION, getpid());
	vhu_json_string(&request->json, "version", VHU_VERSION);
	vhu_json_unsigned(&request->json, "pid", (uint64_t)getpid());
	return 0;
}

/* List those keys of a verb that a question must have, or that it may have. */
static void command_put_keys(struct vhu_json *json, const char *key, const char *keys, bool needed)
{
	char word[32];

	vhu_json_array(json, key);
	for (; *keys; keys += strspn(keys, " ")) {
		size_t length = strcspn(keys, " !");

		snprintf(word, sizeof(word), "%.*s", (int)length, keys);
		if ((keys[length] == '!') == needed)
			vhu_json_string(json, NULL, word);
		keys += strcspn(keys, " ");
	}
	vhu_json_array_end(json);
}

/* help: what can be asked. */
static int command_help(struct vhu_request *request)
{
	if (request->text) {
		if (vhu_request_open_text(request))
			return -EINVAL;
		for (const struct vhu_control_command *command = vhu_control_commands;
		     command->name; command++)
			fprintf(request->lines, "%-15s %s\n", command->name, command->help);
		return vhu_request_put_text(request);
	}
	vhu_json_array(&request->json, "verbs");
	for (const struct vhu_control_command *command = vhu_control_commands; command->name;
	     command++) {
		vhu_json_object(&request->json, NULL);
		vhu_json_string(&request->json, "verb", command->name);
		command_put_keys(&request->json, "needs", command->keys, true);
		command_put_keys(&request->json, "takes", command->keys, false);
		vhu_json_string(&request->json, "help", command->help);
		vhu_json_object_end(&request->json);
	}
	vhu_json_array_end(&request->json);
	return 0;
}

/* Signal a vring's kick or call once. */
static int signal_once(struct vhu_request *request, enum vhu_vring_role role)
{
	struct vhu_proxy_session *session = command_session(request);
	struct vhu_prologue *prologue = request->from->control->proxy->prologue;
	const char *name = vhu_vring_role_name(role);
	const struct vhu_state *state;
	struct vhu_interposer *interposer = NULL;
	const json_t *number = json_object_get(request->question, "vring");
	uint64_t vring;
	uint32_t id;
	int error;

	if (!session)
		return -EINVAL;
	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return vhu_request_fail(request, "\"vring\" is not a vring number");
	vring = (uint64_t)json_integer_value(number);
	state = prologue ? vhu_prologue_state(prologue, session->common.number) : NULL;
	if (!state || vring >= state->vrings)
		return vhu_request_fail(request, "session %" PRIu64 " has no vring %" PRIu64,
					session->common.number, vring);
	if (!state->vring[vring].started.value)
		return vhu_request_fail(request, "vring %" PRIu64 " is not started", vring);
	for (const struct vhu_link *link = session->links; link; link = link->next)
		if (link->interposer)
			interposer = link->interposer;
	error = vhu_interposer_send(&session->common, interposer, (uint32_t)vring, role, &id);
	if (error == -ENOENT)
		return vhu_request_fail(request, "vring %" PRIu64 " has no eventfd for its %s",
					vring, name);
	if (error)
		return vhu_request_fail(request,
					"vring %" PRIu64 ": its %s cannot be signalled: %s", vring,
					name, strerror(-error));
	vhu_proxy_session_say(&session->common, "vring %" PRIu64 ": one %s sent on request", vring,
			      name);
	vhu_json_unsigned(&request->json, "eventfd_id", id);
	if (!request->text)
		return 0;
	return vhu_request_say(request, "vring %" PRIu64 ": one %s sent by eventfd %" PRIu32 "\n",
			       vring, name, id);
}

/* kick: kick the back-end once. */
static int command_kick(struct vhu_request *request)
{
	return signal_once(request, VHU_KICK);
}

/* call: call the front-end once. */
static int command_call(struct vhu_request *request)
{
	return signal_once(request, VHU_CALL);
}

/* stall: look for what stalls from now on, or say whether that is done. */
static int command_stall(struct vhu_request *request)
{
	struct vhu_proxy *proxy = request->from->control->proxy;
	const char *time = vhu_request_string(request, "time");
	uint64_t ns = 0;
	char text[VHU_DURATION_TEXT_SIZE];

	if (json_object_get(request->question, "time") && !time)
		return vhu_request_fail(request, "\"time\" is no string");
	if (time && strcmp(time, "off") != 0) {
		if (vhu_duration_parse(time, &ns))
			return vhu_request_fail(
			    request, "%s: not a time such as 5s or 500ms, and not off", time);
		if (ns < VHU_STALL_LEAST_NS)
			return vhu_request_fail(request, VHU_STALL_TOO_SHORT, time);
	}
	if (time) {
		proxy->watchdog.stall_ns = ns;
		vhu_watchdog_set(proxy);
	}
	ns = proxy->watchdog.stall_ns;
	vhu_json_unsigned(&request->json, "stall_ns", ns);
	if (!request->text)
		return 0;
	return ns ? vhu_request_say(request, "what stalls for %s is reported%s\n",
				    vhu_duration_text(ns, text),
				    proxy->notify ? ""
						  : ", but no missing call: that needs "
						    "--interpose-eventfds")
		  : vhu_request_say(request, "nothing counts as stalled\n");
}

const struct vhu_control_command vhu_control_commands[] = {
    {"help", "", "list what can be asked", command_help},
    {"version", "", "show the proxy's version and pid", command_version},
    {"sessions", "path pid brief", "show all open sessions", command_sessions},
    {"session", "session! brief", "show one session", command_one_session},
    {"records", "session!", "send the records that explain the state of a session",
     command_records},
    {"close", "session! reason", "close a session", command_close},
    {"follow", "session channel message", "send each record from now on", vhu_follow_begin},
    {"unfollow", "", "stop sending records", vhu_follow_end},
    {"files next", "", "write the flight recorder to a file, or begin the next file",
     command_files_next},
    {"kick", "session! vring!", "signal the kick of a vring once", command_kick},
    {"call", "session! vring!", "signal the call of a vring once", command_call},
    {"metrics", "openmetrics", "show counters in the format of Prometheus", command_metrics},
    {"stall", "time", "report what stalls for this time, or \"off\"", command_stall},
    {"faults", "", "list the faults", vhu_request_faults},
    {"faults add", "fault!", "add a fault", vhu_request_faults_add},
    {"faults remove", "number!", "remove a fault", vhu_request_faults_remove},
    {"faults clear", "", "remove all faults", vhu_request_faults_clear},
    {"faults release", "session number", "release held messages", vhu_request_faults_release},
    {0},
};
