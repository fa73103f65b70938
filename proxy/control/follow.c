/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A follower of the control socket; follow.h has what it is sent. */
#include "proxy/control/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/recording/prologue.h"
#include "lib/show/dump.h"
#include "lib/show/filter.h"
#include "lib/util/util.h"
#include "proxy/control/request.h"
#include "proxy/control/status.h"

struct vhu_follow {
	json_t *id; /* of the question; NULL without */
	struct vhu_filter wanted;
	struct vhu_dump dump; /* what was shown, for texts */
	bool text;
	uint64_t lost; /* records since the last that was sent */
};

/* Take the name of one message. Returns 0, or -errno with why. */
static int follow_take_message(struct vhu_request *request, struct vhu_follow *follow,
			       const json_t *name)
{
	if (!json_is_string(name))
		return vhu_request_fail(request,
					"\"message\" is neither a string nor an array of them");
	if (vhu_filter_message(&follow->wanted, json_string_value(name)))
		return vhu_request_fail(request, "%s: no such message, or one too many",
					json_string_value(name));
	return 0;
}

/* Take which records are wanted. Returns 0, or -errno with why. */
static int follow_take(struct vhu_request *request, struct vhu_follow *follow)
{
	const json_t *channel = json_object_get(request->question, "channel");
	const json_t *message = json_object_get(request->question, "message");
	int error = vhu_request_number(request, "session", &follow->wanted.session);

	if (error)
		return error;
	if (channel && (!json_is_string(channel) ||
			vhu_filter_channel(&follow->wanted, json_string_value(channel))))
		return vhu_request_fail(request, "\"channel\" must be front-end, back-end or gpu");
	if (!json_is_array(message))
		return message ? follow_take_message(request, follow, message) : 0;
	for (size_t i = 0; i < json_array_size(message) && !error; i++)
		error = follow_take_message(request, follow, json_array_get(message, i));
	return error;
}

/* Learn from a record that passed before. */
static int follow_learn(void *context, const struct vhu_record *record, uint64_t number)
{
	struct vhu_control *control = context;
	struct vhu_annotation note;

	return vhu_session_feed(control->sessions, record, number, &note);
}

/* Learn what is known of the sessions that are open, for the first who follows. Returns 0, or
 * -errno with why. */
static int follow_catch_up(struct vhu_request *request)
{
	struct vhu_control *control = request->from->control;

	control->sessions = vhu_sessions_new(false);
	if (control->sessions &&
	    (!control->proxy->prologue ||
	     !vhu_prologue_tell(control->proxy->prologue, follow_learn, control)))
		return 0;
	vhu_sessions_free(control->sessions);
	control->sessions = NULL;
	return vhu_request_fail(request, "out of memory");
}

/* Have texts tell times since @session began; NULL: since the first record that is sent. */
static void follow_tell_since(struct vhu_follow *follow, const struct vhu_proxy_session *session)
{
	if (!session)
		return;
	follow->dump.begun = true;
	follow->dump.first_ns = vhu_realtime_ns() - (vhu_now_ns() - session->begun_ns);
}

int vhu_follow_begin(struct vhu_request *request)
{
	struct vhu_control_client *from = request->from;
	struct vhu_control *control = from->control;
	struct vhu_follow *follow;

	if (from->follow)
		return vhu_request_fail(request, "follows already; \"unfollow\" ends that");
	follow = calloc(1, sizeof(*follow));
	if (!follow)
		return vhu_request_fail(request, "out of memory");
	if (follow_take(request, follow) || (!control->sessions && follow_catch_up(request))) {
		free(follow);
		return -EINVAL;
	}
	follow->text = request->text;
	follow_tell_since(follow, vhu_status_find(control->proxy, follow->wanted.session));
	follow->id = json_incref(json_object_get(request->question, "id"));
	from->follow = follow;
	from->client->holds++;
	control->followers++;
	return 0;
}

int vhu_follow_end(struct vhu_request *request)
{
	if (!request->from->follow)
		return vhu_request_fail(request, "does not follow");
	vhu_follow_free(request->from);
	return 0;
}

void vhu_follow_free(struct vhu_control_client *from)
{
	struct vhu_control *control = from->control;

	if (!from->follow)
		return;
	json_decref(from->follow->id);
	free(from->follow);
	from->follow = NULL;
	from->client->holds--;
	if (--control->followers)
		return;
	vhu_sessions_free(control->sessions);
	control->sessions = NULL;
}

/* Open an object for @follow in a new stream. Returns the stream; NULL out of memory. */
static FILE *follow_open(const struct vhu_follow *follow, struct vhu_json *json, char **bytes,
			 size_t *size)
{
	FILE *to = open_memstream(bytes, size);

	*json = (struct vhu_json){.to = to};
	if (to) {
		vhu_json_document(json, NULL, "control/1");
		vhu_request_put_id(json, follow->id);
	}
	return to;
}

/* Offer a client the object that is open. Returns whether it is queued. */
static bool follow_offer(struct vhu_client *client, struct vhu_json *json, char **bytes,
			 const size_t *size)
{
	bool whole, queued;

	vhu_json_object_end(json);
	fputc('\n', json->to);
	whole = !ferror(json->to);
	whole = !fclose(json->to) && whole;
	queued = whole && vhu_client_offer(client, *bytes, *size);
	free(*bytes);
	return queued;
}

/* Tell a client how many records it has lost, if it has. Returns whether it knows of all. */
static bool follow_tell_lost(struct vhu_client *client, struct vhu_follow *follow)
{
	struct vhu_json json;
	char *bytes = NULL;
	size_t size = 0;

	if (!follow->lost)
		return true;
	if (!follow_open(follow, &json, &bytes, &size))
		return false;
	vhu_json_unsigned(&json, "lost", follow->lost);
	if (!follow_offer(client, &json, &bytes, &size))
		return false;
	follow->lost = 0;
	return true;
}

/* Return a record as text for people, to be freed; NULL out of memory. */
static char *follow_text(struct vhu_follow *follow, const struct vhu_record *record,
			 uint64_t number, const struct vhu_annotation *note)
{
	char *bytes = NULL;
	size_t size = 0;
	bool whole;

	follow->dump.to = open_memstream(&bytes, &size);
	if (!follow->dump.to)
		return NULL;
	vhu_dump_text(&follow->dump, record, number, note);
	whole = !ferror(follow->dump.to);
	if (fclose(follow->dump.to) || !whole) {
		free(bytes);
		return NULL;
	}
	if (size && bytes[size - 1] == '\n')
		bytes[size - 1] = '\0';
	return bytes;
}

/* Send a record to a client that wants it. */
static void follow_send(struct vhu_control_client *from, const struct vhu_record *record,
			const struct vhu_annotation *note)
{
	struct vhu_follow *follow = from->follow;
	uint64_t number = from->control->records;
	struct vhu_json json;
	char *bytes = NULL, *text = NULL;
	size_t size = 0;

	/* Not made in vain for one that reads nothing. */
	if (vhu_client_is_full(from->client) || !follow_tell_lost(from->client, follow)) {
		follow->lost++;
		return;
	}
	if (follow->text)
		text = follow_text(follow, record, number, note);
	if ((follow->text && !text) || !follow_open(follow, &json, &bytes, &size)) {
		free(text);
		follow->lost++;
		return;
	}
	if (follow->text)
		vhu_json_string(&json, "text", text);
	else
		vhu_show_record_json(&json, "record", record, number, note, false);
	free(text);
	if (!follow_offer(from->client, &json, &bytes, &size))
		follow->lost++;
}

void vhu_follow_record(struct vhu_control *control, const struct vhu_record *record)
{
	/* What the proxy leaves out is "" for those who show records. */
	struct vhu_record shown = *record;
	struct vhu_annotation note;

	if (!shown.text)
		shown.text = "";
	vhu_session_feed(control->sessions, &shown, control->records, &note);
	for (struct vhu_control_client *from = control->clients; from; from = from->next) {
		if (from->follow && vhu_filter_passes(&from->follow->wanted, &shown, &note))
			follow_send(from, &shown, &note);
	}
}

void vhu_follow_tell_end(struct vhu_control_client *from, const char *reason)
{
	struct vhu_json json;
	char *bytes = NULL;
	size_t size = 0;

	if (!from->follow || !follow_tell_lost(from->client, from->follow) ||
	    !follow_open(from->follow, &json, &bytes, &size))
		return;
	vhu_json_string(&json, "end", reason);
	follow_offer(from->client, &json, &bytes, &size);
}
