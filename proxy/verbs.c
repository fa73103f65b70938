/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked on the control socket. A verb is a function here and a row of the table below;
 * docs/control.md says what it answers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/ask.h"
#include "proxy/status.h"

/* Room for what is said of files. */
#define VERB_LINE_MAX 8192

/* Find the session that a question names. Returns it; NULL with why. */
static struct vhu_proxy_session *verb_session(struct vhu_ask *ask)
{
	struct vhu_proxy_session *session;
	uint64_t number;

	if (vhu_ask_number(ask, "session", &number))
		return NULL;
	session = vhu_status_find(ask->from->control->proxy, number);
	if (!session)
		vhu_ask_fail(ask, "no session %" PRIu64 " is open", number);
	return session;
}

/* Add the status of @session. */
static void verb_put_session(struct vhu_ask *ask, const char *key,
			     const struct vhu_proxy_session *session)
{
	struct vhu_status status;

	vhu_status_gather(&status, session);
	if (ask->text)
		vhu_status_text(ask->lines, &status);
	else
		vhu_status_json(&ask->json, key, &status);
}

/* session: all of one session. */
static int verb_one_session(struct vhu_ask *ask)
{
	const struct vhu_proxy_session *session = verb_session(ask);

	if (!session || (ask->text && vhu_ask_open_text(ask)))
		return -EINVAL;
	verb_put_session(ask, "session", session);
	return ask->text ? vhu_ask_put_text(ask) : 0;
}

/* Return whether a session is one of those that a question is about. */
static bool verb_wants(const struct vhu_ask *ask, const struct vhu_proxy_session *session)
{
	const char *path = vhu_ask_string(ask, "path");
	json_int_t pid = json_integer_value(json_object_get(ask->question, "pid"));
	bool has_path = false, has_pid = false;

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_peer *peer = &session->peer[side];

		has_path |= path && !strcmp(path, peer->path);
		has_pid |= peer->known && pid == (json_int_t)peer->pid;
	}
	return (!path || has_path) && (!pid || has_pid);
}

/* Add the next session to the list, or end it: one a turn, for there may be many. Returns as verbs
 * do. */
static int verb_next_session(struct vhu_ask *ask)
{
	struct vhu_proxy_session *session = vhu_status_next(ask->from->control->proxy, ask->at);

	if (session && session->number <= ask->last) {
		ask->at = session->number;
		if (verb_wants(ask, session))
			verb_put_session(ask, NULL, session);
		return VHU_ASK_MORE;
	}
	if (ask->text)
		return vhu_ask_put_text(ask);
	vhu_json_array_end(&ask->json);
	return 0;
}

/* sessions: all of all sessions, or of some. */
static int verb_sessions(struct vhu_ask *ask)
{
	const json_t *path = json_object_get(ask->question, "path");
	uint64_t pid;

	if (path && !json_is_string(path))
		return vhu_ask_fail(ask, "\"path\" is no string");
	if (vhu_ask_number(ask, "pid", &pid) || (ask->text && vhu_ask_open_text(ask)))
		return -EINVAL;
	if (!ask->text)
		vhu_json_array(&ask->json, "sessions");
	ask->last = ask->from->control->proxy->sessions;
	ask->more = verb_next_session;
	return VHU_ASK_MORE;
}

/* close: end a session. */
static int verb_close(struct vhu_ask *ask)
{
	struct vhu_proxy_session *session = verb_session(ask);
	const json_t *reason = json_object_get(ask->question, "reason");
	char text[VHU_RECORD_TEXT_MAX + 1];
	uint64_t number;

	if (!session)
		return -EINVAL;
	if (reason && !json_is_string(reason))
		return vhu_ask_fail(ask, "\"reason\" is no string");
	snprintf(text, sizeof(text), "closed on request%s%s", reason ? ": " : "",
		 reason ? json_string_value(reason) : "");
	number = session->number;
	vhu_proxy_session_say(session, "%s", text);
	vhu_proxy_session_end(session, text);
	vhu_json_unsigned(&ask->json, "closed", number);
	return ask->text ? vhu_ask_say(ask, "session %" PRIu64 " closed\n", number) : 0;
}

/* files next: write out what there is of a capture. */
static int verb_files_next(struct vhu_ask *ask)
{
	const struct vhu_control_owner *owner = &ask->from->control->owner;
	char line[VERB_LINE_MAX];
	int error = owner->write_out(owner->context, line, sizeof(line));

	if (error)
		return vhu_ask_fail(ask, "%s", line);
	vhu_json_string(&ask->json, "said", line);
	return ask->text ? vhu_ask_say(ask, "%s\n", line) : 0;
}

/* version: who answers here. */
static int verb_version(struct vhu_ask *ask)
{
	if (ask->text)
		return vhu_ask_say(ask, "vhu %s, pid %d\n", VHU_VERSION, getpid());
	vhu_json_string(&ask->json, "version", VHU_VERSION);
	vhu_json_unsigned(&ask->json, "pid", (uint64_t)getpid());
	return 0;
}

/* List those keys of a verb that a question must have, or that it may have. */
static void verb_put_keys(struct vhu_json *json, const char *key, const char *keys, bool needed)
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
static int verb_help(struct vhu_ask *ask)
{
	if (ask->text) {
		if (vhu_ask_open_text(ask))
			return -EINVAL;
		for (const struct vhu_verb *verb = vhu_verbs; verb->name; verb++)
			fprintf(ask->lines, "%-15s %s\n", verb->name, verb->help);
		return vhu_ask_put_text(ask);
	}
	vhu_json_array(&ask->json, "verbs");
	for (const struct vhu_verb *verb = vhu_verbs; verb->name; verb++) {
		vhu_json_object(&ask->json, NULL);
		vhu_json_string(&ask->json, "verb", verb->name);
		verb_put_keys(&ask->json, "needs", verb->keys, true);
		verb_put_keys(&ask->json, "takes", verb->keys, false);
		vhu_json_string(&ask->json, "help", verb->help);
		vhu_json_object_end(&ask->json);
	}
	vhu_json_array_end(&ask->json);
	return 0;
}

const struct vhu_verb vhu_verbs[] = {
    {"help", "", "list what can be asked", verb_help},
    {"version", "", "tell who answers", verb_version},
    {"sessions", "path pid", "tell all about the sessions that are open", verb_sessions},
    {"session", "session!", "tell all about one session", verb_one_session},
    {"close", "session! reason", "end a session", verb_close},
    {"follow", "session channel message", "send records as they are made", vhu_follow_begin},
    {"unfollow", "", "send no more of them", vhu_follow_end},
    {"files next", "", "write out the flight recorder, or go on with the next file",
     verb_files_next},
    {"rules", "", "list what is changed of what passes", vhu_ask_rules},
    {"rules add", "rule!", "change what passes from now on", vhu_ask_rules_add},
    {"rules remove", "number!", "change that no more", vhu_ask_rules_remove},
    {"rules clear", "", "change nothing any more", vhu_ask_rules_clear},
    {"rules release", "session number", "let messages go that are held", vhu_ask_rules_release},
    {0},
};
