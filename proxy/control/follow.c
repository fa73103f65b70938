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

/* Bytes of a line. */
struct follow_bytes {
	char *bytes;
	size_t size;
};

/* A record that is sent: as JSON it is written once for all followers. */
struct follow_record {
	const struct vhu_record *record;
	const struct vhu_annotation *note;
	uint64_t number;
	bool written;
	struct follow_bytes rest; /* what follows a client's head; no bytes: out of memory */
};

struct vhu_follow {
	struct follow_bytes head; /* what begins every line: its schema, the question's id */
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

/* Write what begins every line to a client. Returns whether there is memory for it. */
static bool follow_write_head(struct vhu_follow *follow, const json_t *id)
{
	struct vhu_json json = {.to = open_memstream(&follow->head.bytes, &follow->head.size)};

	if (!json.to)
		return false;
	vhu_json_document(&json, NULL, "control/1");
	vhu_request_put_id(&json, id);
	return !fclose(json.to);
}

int vhu_follow_begin(struct vhu_request *request)
{
	struct vhu_control_client *from = request->from;
	struct vhu_control *control = from->control;
	struct vhu_follow *follow;
	int error;

	if (from->follow)
		return vhu_request_fail(request, "follows already; \"unfollow\" ends that");
	follow = calloc(1, sizeof(*follow));
	if (!follow)
		return vhu_request_fail(request, "out of memory");
	error = follow_take(request, follow);
	if (!error && !follow_write_head(follow, json_object_get(request->question, "id")))
		error = vhu_request_fail(request, "out of memory");
	if (!error && !control->sessions)
		error = follow_catch_up(request);
	if (error) {
		free(follow->head.bytes);
		free(follow);
		return error;
	}
	follow->text = request->text;
	follow_tell_since(follow, vhu_status_find(control->proxy, follow->wanted.session));
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
	free(from->follow->head.bytes);
	free(from->follow);
	from->follow = NULL;
	from->client->holds--;
	if (--control->followers)
		return;
	vhu_sessions_free(control->sessions);
	control->sessions = NULL;
}

/* Open a stream for the rest of an object, behind what begins every object. Returns the stream;
 * NULL out of memory. */
static FILE *rest_open(struct vhu_json *json, struct follow_bytes *rest)
{
	*rest = (struct follow_bytes){0};
	*json = (struct vhu_json){.to = open_memstream(&rest->bytes, &rest->size), .comma = true};
	return json->to;
}

/* End the object, and its line. Returns whether it is whole; if not, @rest has nothing. */
static bool rest_close(struct vhu_json *json, struct follow_bytes *rest)
{
	bool whole;

	vhu_json_object_end(json);
	fputc('\n', json->to);
	whole = !ferror(json->to);
	whole = !fclose(json->to) && whole;
	if (whole)
		return true;
	free(rest->bytes);
	*rest = (struct follow_bytes){0};
	return false;
}

/* Offer a client an object whose rest is @rest. Returns whether it is queued. */
static bool follow_offer(struct vhu_control_client *from, const struct follow_bytes *rest)
{
	const struct iovec part[] = {
	    {from->follow->head.bytes, from->follow->head.size},
	    {rest->bytes, rest->size},
	};

	return rest->bytes && vhu_client_offer(from->client, part, VHU_ARRAY_SIZE(part));
}

/* Offer a client an object that has a number or a text under @key; @text is NULL for the number.
 * Returns whether it is queued. */
static bool follow_offer_value(struct vhu_control_client *from, const char *key, uint64_t number,
			       const char *text)
{
	struct follow_bytes rest;
	struct vhu_json json;
	bool queued;

	if (!rest_open(&json, &rest))
		return false;
	if (text)
		vhu_json_string(&json, key, text);
	else
		vhu_json_unsigned(&json, key, number);
	queued = rest_close(&json, &rest) && follow_offer(from, &rest);
	free(rest.bytes);
	return queued;
}

/* Tell a client how many records it has lost, if it has. Returns whether it knows of all. */
static bool follow_tell_lost(struct vhu_control_client *from)
{
	struct vhu_follow *follow = from->follow;

	if (follow->lost && !follow_offer_value(from, "lost", follow->lost, NULL))
		return false;
	follow->lost = 0;
	return true;
}

/* Return a record as text for people, to be freed; NULL out of memory. */
static char *follow_text(struct vhu_follow *follow, const struct follow_record *record)
{
	char *bytes = NULL;
	size_t size = 0;
	bool whole;

	follow->dump.to = open_memstream(&bytes, &size);
	if (!follow->dump.to)
		return NULL;
	vhu_dump_text(&follow->dump, record->record, record->number, record->note);
	whole = !ferror(follow->dump.to);
	if (fclose(follow->dump.to) || !whole) {
		free(bytes);
		return NULL;
	}
	if (size && bytes[size - 1] == '\n')
		bytes[size - 1] = '\0';
	return bytes;
}

/* Send a record to a client as text, whose times are the client's own. Returns whether it is
 * queued. */
static bool follow_send_text(struct vhu_control_client *from, const struct follow_record *record)
{
	char *text = follow_text(from->follow, record);
	bool queued = text && follow_offer_value(from, "text", 0, text);

	free(text);
	return queued;
}

/* Write a record as JSON, unless it was written for another client. */
static void follow_write(struct follow_record *record)
{
	struct vhu_json json;

	if (record->written)
		return;
	record->written = true;
	if (!rest_open(&json, &record->rest))
		return;
	vhu_show_record_json(&json, "record", record->record, record->number, record->note, false);
	rest_close(&json, &record->rest);
}

/* Send a record to a client that wants it. */
static void follow_send(struct vhu_control_client *from, struct follow_record *record)
{
	bool queued;

	/* Not made in vain for one that reads nothing. */
	if (vhu_client_is_full(from->client) || !follow_tell_lost(from)) {
		from->follow->lost++;
		return;
	}
	if (from->follow->text) {
		queued = follow_send_text(from, record);
	} else {
		follow_write(record);
		queued = follow_offer(from, &record->rest);
	}
	if (!queued)
		from->follow->lost++;
}

void vhu_follow_record(struct vhu_control *control, const struct vhu_record *record)
{
	/* What the proxy leaves out is "" for those who show records. */
	struct vhu_record shown = *record;
	struct vhu_annotation note;
	struct follow_record sent = {.record = &shown, .note = &note, .number = control->records};

	if (!shown.text)
		shown.text = "";
	vhu_session_feed(control->sessions, &shown, control->records, &note);
	for (struct vhu_control_client *from = control->clients; from; from = from->next) {
		if (from->follow && vhu_filter_passes(&from->follow->wanted, &shown, &note))
			follow_send(from, &sent);
	}
	free(sent.rest.bytes);
}

void vhu_follow_tell_end(struct vhu_control_client *from, const char *reason)
{
	if (from->follow && follow_tell_lost(from))
		follow_offer_value(from, "end", 0, reason);
}
