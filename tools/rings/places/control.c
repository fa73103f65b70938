/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of a running proxy. It is asked which ones are open, and for the records that made
 * each of them what it is; these are read as those of a capture are.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/control/socket.h"
#include "tools/ctl/line.h"
#include "tools/ctl/meet.h"
#include "tools/rings/places/places.h"

/* A conversation with a proxy. */
struct vhu_rings_control_talk {
	const struct vhu_rings_request *request;
	const char *path;
	FILE *proxy;
};

/* Connect to the proxy. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said. */
static int connect_to(struct vhu_rings_control_talk *talk)
{
	const struct vhu_command *command = talk->request->command;
	char error[VHU_ENDPOINT_ERROR];
	int code = vhu_control_meet(talk->path, &talk->proxy, error);

	if ((code == -ENOENT || code == -ECONNREFUSED) && talk->request->pid &&
	    !talk->request->control)
		return vhu_fail(command,
				"process %" PRIu32
				": no vhu proxy and no vhu attach has recorded its sessions from "
				"their beginning: name a capture (-r), a proxy's control socket "
				"(-s) or QEMU's monitor (--qmp), or watch for the next time: vhu "
				"attach --latency --stall 5s",
				talk->request->pid);
	if (code == -ENOENT || code == -ECONNREFUSED)
		return vhu_fail(command,
				"%s: %s: name a capture (-r), a proxy's control socket (-s) or "
				"QEMU's monitor (--qmp)",
				talk->path, strerror(-code));
	return code ? vhu_fail(command, "%s", error) : VHU_EXIT_DONE;
}

/* Ask a question. Returns the answer; NULL with what is wrong said. */
static json_t *ask(struct vhu_rings_control_talk *talk, const char *question)
{
	const struct vhu_command *command = talk->request->command;
	const char *error;
	char why[VHU_CONTROL_WHY], *line = NULL;
	json_t *answer;
	size_t room = 0;

	/* A proxy that serves no more clients has said so, and has closed. */
	if ((send(fileno(talk->proxy), question, strlen(question), MSG_NOSIGNAL) < 0 &&
	     errno != EPIPE) ||
	    vhu_answer_line(fileno(talk->proxy), &line, &room) <= 0) {
		vhu_fail(command, "%s: %s", talk->path, vhu_control_why(talk->proxy, why));
		free(line);
		return NULL;
	}
	answer = json_loads(line, 0, NULL);
	free(line);
	if (json_is_true(json_object_get(answer, "ok")))
		return answer;
	error = json_string_value(json_object_get(answer, "error"));
	vhu_fail(command, "%s: %s", talk->path,
		 error ? error : "what answers is not a vhu proxy's control socket");
	json_decref(answer);
	return NULL;
}

/* Return the value of a hexadecimal digit, -1 for anything else. */
static int digit(char at)
{
	const char *digits = "0123456789abcdef", *found = at ? strchr(digits, at) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Turn hexadecimal digits into bytes, in place. Returns how many; -1 if it is something else. */
static ssize_t unhex(char *text)
{
	size_t size = 0;

	for (; text[2 * size]; size++) {
		int high = digit(text[2 * size]), low = high < 0 ? -1 : digit(text[2 * size + 1]);

		if (low < 0)
			return -1;
		text[size] = (char)(high << 4 | low);
	}
	return (ssize_t)size;
}

/* Feed a record of an answer. Returns 0; -EBADMSG if it is not a record; -ENOMEM. */
static int feed(struct vhu_sessions *known, struct vhu_rings_sessions *sessions,
		const json_t *answer)
{
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_annotation note;
	struct vhu_record record;
	const char *hex = json_string_value(json_object_get(answer, "bytes"));
	const char *time = json_string_value(json_object_get(answer, "time_ns"));
	json_int_t number = json_integer_value(json_object_get(answer, "number"));
	char *bytes = hex ? strdup(hex) : NULL;
	ssize_t size = bytes ? unhex(bytes) : -1;
	int ret = -EBADMSG;

	if (size >= 0 && time && number > 0 &&
	    !vhu_record_decode(&record, fd, (const uint8_t *)bytes, (size_t)size, (size_t)size)) {
		record.time_ns = strtoull(time, NULL, 10);
		ret = vhu_session_feed(known, &record, (uint64_t)number, &note);
		if (!ret)
			ret = vhu_rings_sessions_see(sessions, &record, (uint64_t)number, &note);
	}
	free(bytes);
	return ret;
}

/* Read one session. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said. */
static int read_session(struct vhu_rings_control_talk *talk, struct vhu_rings_sessions *sessions,
			json_int_t number)
{
	struct vhu_sessions *known = vhu_sessions_new(false);
	struct vhu_annotation note;
	char question[96];
	json_t *answer, *record;
	int ret = known ? 0 : -ENOMEM;
	size_t i;

	snprintf(question, sizeof(question),
		 "{\"verb\":\"records\",\"session\":%" JSON_INTEGER_FORMAT "}\n", number);
	answer = known ? ask(talk, question) : NULL;
	json_array_foreach(json_object_get(answer, "records"), i, record)
	{
		if (!ret)
			ret = feed(known, sessions, record);
	}
	while (answer && !ret && vhu_session_finish(known, &note))
		ret = vhu_rings_sessions_see(sessions, NULL, 0, &note);
	vhu_sessions_free(known);
	if (ret)
		vhu_fail(talk->request->command, "%s: session %" JSON_INTEGER_FORMAT ": %s",
			 talk->path, number,
			 ret == -ENOMEM ? "out of memory" : "the proxy's answer is no record");
	json_decref(answer);
	return !ret && answer ? VHU_EXIT_DONE : VHU_EXIT_FAILED;
}

/* Return a number of an answer; 0 without it. */
static uint64_t number_in(const json_t *answer, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(answer, key));
}

/* Return how many signals of a kind have reached the other side. */
static uint64_t passed(const json_t *count)
{
	const uint64_t signals = number_in(count, "signals"), lost = number_in(count, "lost");

	return signals > lost ? signals - lost : 0;
}

/* Take which eventfd the back-end has in place of the front-end's. */
static void take_eventfds(struct vhu_rings_vring *vring, enum vhu_vring_role role,
			  const json_t *count)
{
	const json_t *instead = json_object_get(count, "back_end_eventfd_id");

	vring->interposed[role] = instead != NULL;
	vring->instead[role] = (struct vhu_rings_eventfd){
	    instead != NULL, (uint32_t)number_in(count, "back_end_eventfd_id")};
}

/* Take what the proxy has counted of kicks and calls, and which eventfds it passed, if it stands
 * between them: its records of what was before have none. */
static void take_signals(struct vhu_rings_session *session, const json_t *interposed)
{
	const json_t *vring;
	size_t i;

	json_array_foreach(interposed, i, vring)
	{
		struct vhu_rings_vring *to =
		    vhu_rings_session_vring(session, (unsigned)number_in(vring, "vring"));
		const json_t *kicks = json_object_get(vring, "kick");
		const json_t *calls = json_object_get(vring, "call");

		if (!to)
			continue;
		take_eventfds(to, VHU_KICK, kicks);
		take_eventfds(to, VHU_CALL, calls);
		/* That there was none may mean that the proxy does not stand between them. */
		if (!passed(kicks) || !passed(calls))
			continue;
		to->signals = (struct vhu_ring_signals){
		    .known = true,
		    .kicks = passed(kicks),
		    .calls = passed(calls),
		    .in_turn = number_in(vring, "kicks_in_turn"),
		    .open_kicks = number_in(vring, "kicks_without_call"),
		    .open_ns = number_in(vring, "for_ns"),
		    .lost_kick = json_is_true(json_object_get(kicks, "last_lost")),
		    .lost_call = json_is_true(json_object_get(calls, "last_lost")),
		};
	}
}

/* Read the sessions that were asked for. Returns as read_session does. */
static int read_sessions(struct vhu_rings_control_talk *talk, struct vhu_rings_sessions *sessions)
{
	const struct vhu_rings_request *request = talk->request;
	char question[64] = "{\"verb\":\"sessions\"}\n";
	int status = VHU_EXIT_DONE;
	json_t *answer, *session;
	size_t i;

	if (request->pid)
		snprintf(question, sizeof(question),
			 "{\"verb\":\"sessions\",\"pid\":%" PRIu32 "}\n", request->pid);
	answer = ask(talk, question);
	if (!answer)
		return VHU_EXIT_FAILED;
	json_array_foreach(json_object_get(answer, "sessions"), i, session)
	{
		json_int_t number = json_integer_value(json_object_get(session, "session"));
		struct vhu_rings_session *read;

		if (status != VHU_EXIT_DONE ||
		    (request->session && (uint64_t)number != request->session))
			continue;
		status = read_session(talk, sessions, number);
		read = vhu_rings_sessions_find(sessions, (uint64_t)number);
		if (status == VHU_EXIT_DONE && read)
			take_signals(read, json_object_get(session, "interposed"));
	}
	json_decref(answer);
	return status;
}

int vhu_rings_places_control(const struct vhu_rings_request *request,
			     struct vhu_rings_sessions *sessions)
{
	char usual[VHU_CONTROL_PATH_MAX];
	struct vhu_rings_control_talk talk = {
	    .request = request,
	    .path = request->control ? request->control : vhu_control_path(usual),
	};
	int status = connect_to(&talk);

	if (status != VHU_EXIT_DONE)
		return status;
	status = read_sessions(&talk, sessions);
	snprintf(sessions->control, sizeof(sessions->control), "%s", talk.path);
	fclose(talk.proxy);
	return status;
}
