/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question that came on the control socket, and its answer; ask.h has their form. */
#include "proxy/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int vhu_ask_fail(struct vhu_ask *ask, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ask->error, sizeof(ask->error), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int vhu_ask_open_text(struct vhu_ask *ask)
{
	ask->lines = open_memstream(&ask->line, &ask->line_size);
	return ask->lines ? 0 : vhu_ask_fail(ask, "out of memory");
}

int vhu_ask_put_text(struct vhu_ask *ask)
{
	FILE *lines = ask->lines;
	bool whole = !ferror(lines);

	ask->lines = NULL;
	if (fclose(lines) || !whole)
		return vhu_ask_fail(ask, "out of memory");
	vhu_json_string(&ask->json, "text", ask->line);
	return 0;
}

int vhu_ask_say(struct vhu_ask *ask, const char *format, ...)
{
	va_list arguments;

	if (vhu_ask_open_text(ask))
		return -EINVAL;
	va_start(arguments, format);
	vfprintf(ask->lines, format, arguments);
	va_end(arguments);
	return vhu_ask_put_text(ask);
}

const char *vhu_ask_string(const struct vhu_ask *ask, const char *key)
{
	return json_string_value(json_object_get(ask->question, key));
}

int vhu_ask_number(struct vhu_ask *ask, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(ask->question, key);

	*number = 0;
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return vhu_ask_fail(ask, "\"%s\" is no number from 1 on", key);
	*number = (uint64_t)json_integer_value(value);
	return 0;
}

void vhu_ask_put_id(struct vhu_json *json, const json_t *id)
{
	if (json_is_integer(id))
		vhu_json_signed(json, "id", json_integer_value(id));
	else if (json_is_string(id))
		vhu_json_string(json, "id", json_string_value(id));
}

/* Begin an answer. Returns 0 or -ENOMEM. */
static int ask_open(struct vhu_ask *ask)
{
	ask->to = open_memstream(&ask->bytes, &ask->size);
	if (!ask->to)
		return -ENOMEM;
	ask->json = (struct vhu_json){.to = ask->to};
	vhu_json_object(&ask->json, NULL);
	vhu_ask_put_id(&ask->json, json_object_get(ask->question, "id"));
	return 0;
}

/* Throw away what there is of an answer. */
static void ask_discard(struct vhu_ask *ask)
{
	if (ask->to)
		fclose(ask->to);
	free(ask->bytes);
	ask->to = NULL;
	ask->bytes = NULL;
	ask->size = 0;
}

/* Send the answer, and forget the question. Without memory for it the client is closed. */
static void ask_send(struct vhu_ask *ask)
{
	struct vhu_client *client = ask->from->client;
	bool whole = false;

	if (ask->to) {
		vhu_json_object_end(&ask->json);
		fputc('\n', ask->to);
		whole = !ferror(ask->to);
		whole = !fclose(ask->to) && whole;
		ask->to = NULL;
	}
	if (whole)
		vhu_client_send(client, ask->bytes, ask->size);
	else
		client->closing = true;
	vhu_ask_free(ask);
}

/* Answer with an error instead of what there is of the answer. */
static void ask_send_error(struct vhu_ask *ask)
{
	ask_discard(ask);
	if (!ask_open(ask)) {
		vhu_json_bool(&ask->json, "ok", false);
		vhu_json_string(&ask->json, "error", ask->error);
	}
	ask_send(ask);
}

/* Find a verb. Returns it; NULL where there is none. */
static const struct vhu_verb *ask_verb(const char *name)
{
	for (const struct vhu_verb *verb = vhu_verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}

/* Return the word of a verb's list of keys that is @key; NULL where there is none. */
static const char *ask_key(const struct vhu_verb *verb, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = verb->keys; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " !");

		if (word == length && !memcmp(at, key, length))
			return at;
		at += strcspn(at, " ");
	}
	return NULL;
}

/* See whether a question has the keys that it must have. Returns 0, or -EINVAL with why. */
static int ask_check_missing(struct vhu_ask *ask)
{
	for (const char *at = ask->verb->keys; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " !");
		char key[32];

		snprintf(key, sizeof(key), "%.*s", (int)word, at);
		if (at[word] == '!' && !json_object_get(ask->question, key))
			return vhu_ask_fail(ask, "%s: which \"%s\"?", ask->verb->name, key);
		at += strcspn(at, " ");
	}
	return 0;
}

/* See whether a question has no keys but those that it may have. Returns 0, or -EINVAL with why. */
static int ask_check_keys(struct vhu_ask *ask)
{
	const char *key;
	json_t *value;

	json_object_foreach(ask->question, key, value)
	{
		if (strcmp(key, "id") && strcmp(key, "verb") && strcmp(key, "as") &&
		    !ask_key(ask->verb, key))
			return vhu_ask_fail(ask, "%s: \"%s\" does not belong here", ask->verb->name,
					    key);
	}
	return ask_check_missing(ask);
}

/* Take what every question has. Returns 0, or -EINVAL with why. */
static int ask_take(struct vhu_ask *ask)
{
	const json_t *id = json_object_get(ask->question, "id");
	const char *name = vhu_ask_string(ask, "verb");
	const json_t *as = json_object_get(ask->question, "as");

	if (id && !json_is_integer(id) && !json_is_string(id))
		return vhu_ask_fail(ask, "\"id\" is neither an integer nor a string");
	if (!name)
		return vhu_ask_fail(ask, "which \"verb\"? (\"help\" lists them)");
	ask->verb = ask_verb(name);
	if (!ask->verb)
		return vhu_ask_fail(ask, "%s: no such verb (\"help\" lists them)", name);
	if (as && (!json_is_string(as) || (strcmp(json_string_value(as), "text") &&
					   strcmp(json_string_value(as), "json"))))
		return vhu_ask_fail(ask, "\"as\" is neither \"json\" nor \"text\"");
	ask->text = as && !strcmp(json_string_value(as), "text");
	return ask_check_keys(ask);
}

/* Do what follows from what a verb returned. */
static void ask_settle(struct vhu_ask *ask, int result)
{
	struct vhu_control_client *from = ask->from;

	if (result == VHU_ASK_MORE) {
		from->ask = ask;
		from->client->busy = true;
		return;
	}
	if (from->ask) {
		from->ask = NULL;
		vhu_client_resume(from->client);
	}
	if (result)
		ask_send_error(ask);
	else
		ask_send(ask);
}

/* Understand a line. Returns 0, or -EINVAL with why. */
static int ask_parse(struct vhu_ask *ask, const char *line, size_t size)
{
	json_error_t error;

	ask->question = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	if (!ask->question)
		return vhu_ask_fail(ask, "not JSON: %s, at byte %d", error.text, error.position);
	if (!json_is_object(ask->question))
		return vhu_ask_fail(ask, "not a JSON object");
	return ask_take(ask);
}

void vhu_ask_line(struct vhu_control_client *from, const char *line, size_t size)
{
	struct vhu_ask *ask;
	int result;

	if (line[strspn(line, " \t\r")] == '\0' && strlen(line) == size)
		return;
	ask = calloc(1, sizeof(*ask));
	if (!ask) {
		from->client->closing = true;
		return;
	}
	ask->from = from;
	result = ask_parse(ask, line, size);
	if (!result)
		result = ask_open(ask);
	if (!result) {
		vhu_json_bool(&ask->json, "ok", true);
		result = ask->verb->run(ask);
	}
	ask_settle(ask, result);
}

void vhu_ask_go_on(struct vhu_control_client *from)
{
	if (from->ask)
		ask_settle(from->ask, from->ask->more(from->ask));
}

void vhu_ask_free(struct vhu_ask *ask)
{
	if (!ask)
		return;
	ask_discard(ask);
	if (ask->lines)
		fclose(ask->lines);
	free(ask->line);
	json_decref(ask->question);
	free(ask);
}
