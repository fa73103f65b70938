/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proxy's control socket says of its sessions, for the model. */
#include "tools/top/sources/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t vhu_top_answer_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	/* What a double cannot hold is a string. */
	if (text)
		return strtoull(text, NULL, 10);
	return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
}

/* Copy a text, "" for none. */
static void copy(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(to, size, "%s", text ? text : "");
}

struct vhu_histogram vhu_top_answer_histogram(const json_t *object, const char *key, uint64_t most)
{
	struct vhu_histogram histogram = {0};
	const json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(object, key), i, pair)
	{
		const json_int_t least = json_integer_value(json_array_get(pair, 0));
		const json_int_t count = json_integer_value(json_array_get(pair, 1));
		uint64_t first, last;

		if (least < 0 || count <= 0)
			continue;
		first = vhu_histogram_range(vhu_histogram_bucket_of((uint64_t)least), &last);
		vhu_histogram_add(&histogram, first + (last - first) / 2, (uint64_t)count);
	}
	if (histogram.count)
		histogram.greatest = most;
	return histogram;
}

/* Return the element of an array of vrings that is about vring @index; NULL without. */
static const json_t *of_vring(const json_t *array, uint64_t index)
{
	const json_t *element;
	size_t i;

	json_array_foreach(array, i, element) if (vhu_top_answer_number(element, "vring") ==
						  index) return element;
	return NULL;
}

/* Take what is counted of a vring. */
static void take_counts(struct vhu_top_told *told, const json_t *interposed)
{
	const json_t *delay = json_object_get(interposed, "kick_to_call");

	told->counted = interposed;
	told->kicks = vhu_top_answer_number(json_object_get(interposed, "kick"), "signals");
	told->calls = vhu_top_answer_number(json_object_get(interposed, "call"), "signals");
	told->waiting = vhu_top_answer_number(interposed, "kicks_without_call");
	told->in_turn = vhu_top_answer_number(interposed, "kicks_in_turn");
	told->waiting_ns = vhu_top_answer_number(interposed, "for_ns");
	told->delay = vhu_top_answer_histogram(interposed, "kick_to_call_buckets",
					       vhu_top_answer_number(delay, "max_ns"));
}

/* Take a vring. Returns 0 or -ENOMEM. */
static int take_vring(struct vhu_top_session *session, const json_t *of, const json_t *vring)
{
	struct vhu_top_told told = {.index = (unsigned)vhu_top_answer_number(vring, "vring")};
	const json_t *watched = of_vring(json_object_get(of, "watched"), told.index);
	const json_t *kick = json_object_get(vring, "kick");

	told.started = json_is_true(json_object_get(vring, "started"));
	told.polling = json_is_true(json_object_get(kick, "polling"));
	told.stalled = json_is_true(json_object_get(watched, "stalled"));
	copy(told.verdict, sizeof(told.verdict), json_object_get(watched, "verdict"), "id");
	take_counts(&told, of_vring(json_object_get(of, "interposed"), told.index));
	return vhu_top_session_vring(session, &told);
}

/* Take who is at one side. */
static void take_peer(struct vhu_top_peer *peer, const json_t *side)
{
	peer->pid = (uint32_t)vhu_top_answer_number(side, "pid");
	copy(peer->comm, sizeof(peer->comm), side, "comm");
	copy(peer->path, sizeof(peer->path), side, "path");
}

/* Take how many messages there were, on all channels. */
static void take_messages(struct vhu_top_session *session, const json_t *of)
{
	static const char *const side[] = {"front_end", "back_end"};
	const json_t *channel;
	size_t i;

	session->messages = 0;
	session->messages_known = true;
	json_array_foreach(json_object_get(of, "channels"), i, channel)
	{
		for (unsigned at = 0; at < 2; at++)
			session->messages +=
			    vhu_top_answer_number(json_object_get(channel, side[at]), "messages");
	}
}

/* Take a session. Returns 0 or -ENOMEM. */
static int take_session(struct vhu_top_source *source, const json_t *of)
{
	struct vhu_top_session *session = vhu_top_session_begin(
	    source, vhu_top_answer_number(of, "session"), vhu_top_answer_number(of, "age_ns"));
	const json_t *waiting = json_object_get(of, "waiting_request"), *vring;
	int ret = session ? 0 : -ENOMEM;
	size_t i;

	if (ret)
		return ret;
	session->device_id = (uint32_t)vhu_top_answer_number(of, "device_id");
	copy(session->device, sizeof(session->device), of, "device");
	take_peer(&session->peer[VHU_TOP_FRONT], json_object_get(of, "front_end"));
	take_peer(&session->peer[VHU_TOP_BACK], json_object_get(of, "back_end"));
	take_messages(session, of);
	if (waiting) {
		copy(session->waiting_for, sizeof(session->waiting_for), waiting, "message");
		if (!*session->waiting_for)
			strcpy(session->waiting_for, "?");
		session->waiting_ns = vhu_top_answer_number(waiting, "for_ns");
	}
	json_array_foreach(json_object_get(of, "vrings"), i, vring)
	{
		if (!ret)
			ret = take_vring(session, of, vring);
	}
	vhu_top_session_end(session);
	return ret;
}

int vhu_top_answer_take(struct vhu_top_source *source, const json_t *answer, uint64_t now_ns)
{
	const json_t *sessions = json_object_get(answer, "sessions"), *session;
	int ret = 0;
	size_t i;

	if (!json_is_true(json_object_get(answer, "ok")) || !json_is_array(sessions))
		return -EBADMSG;
	json_array_foreach(sessions, i, session)
	{
		if (!ret)
			ret = take_session(source, session);
	}
	if (!ret)
		vhu_top_source_end(source, now_ns);
	return ret;
}
