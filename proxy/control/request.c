/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question that came on the control socket, and its answer; request.h has their form. */
#include "proxy/control/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int vhu_request_fail(struct vhu_request *request, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(request->error, sizeof(request->error), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int vhu_request_open_text(struct vhu_request *request)
{
	request->lines = open_memstream(&request->line, &request->line_size);
	return request->lines ? 0 : vhu_request_fail(request, "out of memory");
}

int vhu_request_put_text(struct vhu_request *request)
{
	FILE *lines = request->lines;
	bool whole = !ferror(lines);

	request->lines = NULL;
	if (fclose(lines) || !whole)
		return vhu_request_fail(request, "out of memory");
	vhu_json_string(&request->json, "text", request->line);
	return 0;
}

int vhu_request_put_part(struct vhu_request *request)
{
	FILE *lines = request->lines;
	bool whole = !ferror(lines);

	request->lines = NULL;
	if (fclose(lines) || !whole)
		return vhu_request_fail(request, "out of memory");
	vhu_json_text_part(&request->json, request->line);
	free(request->line);
	request->line = NULL;
	return vhu_request_open_text(request);
}

int vhu_request_say(struct vhu_request *request, const char *format, ...)
{
	va_list arguments;

	if (vhu_request_open_text(request))
		return -EINVAL;
	va_start(arguments, format);
	vfprintf(request->lines, format, arguments);
	va_end(arguments);
	return vhu_request_put_text(request);
}

const char *vhu_request_string(const struct vhu_request *request, const char *key)
{
	return json_string_value(json_object_get(request->question, key));
}

int vhu_request_number(struct vhu_request *request, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(request->question, key);

	*number = 0;
	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return vhu_request_fail(request, "\"%s\" is no number from 1 on", key);
	*number = (uint64_t)json_integer_value(value);
	return 0;
}

void vhu_request_put_id(struct vhu_json *json, const json_t *id)
{
	if (json_is_integer(id))
		vhu_json_signed(json, "id", json_integer_value(id));
	else if (json_is_string(id))
		vhu_json_string(json, "id", json_string_value(id));
}

/* Begin an answer. Returns 0 or -ENOMEM. */
static int request_open(struct vhu_request *request)
{
	request->to = open_memstream(&request->bytes, &request->size);
	if (!request->to)
		return -ENOMEM;
	request->json = (struct vhu_json){.to = request->to};
	vhu_json_document(&request->json, NULL, "control/1");
	vhu_request_put_id(&request->json, json_object_get(request->question, "id"));
	return 0;
}

/* Throw away what there is of an answer. */
static void request_discard(struct vhu_request *request)
{
	if (request->to)
		fclose(request->to);
	free(request->bytes);
	request->to = NULL;
	request->bytes = NULL;
	request->size = 0;
}

/* Send the answer, and forget the question. Without memory for it the client is closed. */
static void request_send(struct vhu_request *request)
{
	struct vhu_client *client = request->from->client;
	bool whole = false;

	if (request->to) {
		vhu_json_object_end(&request->json);
		fputc('\n', request->to);
		whole = !ferror(request->to);
		whole = !fclose(request->to) && whole;
		request->to = NULL;
	}
	if (whole)
		vhu_client_send(client, request->bytes, request->size);
	else
		client->closing = true;
	vhu_request_free(request);
}

/* Answer with an error instead of what there is of the answer. */
static void request_send_error(struct vhu_request *request)
{
	request_discard(request);
	if (!request_open(request)) {
		vhu_json_bool(&request->json, "ok", false);
		vhu_json_string(&request->json, "error", request->error);
	}
	request_send(request);
}

/* Return the verb called @name; NULL for none. */
static const struct vhu_control_command *request_command(const char *name)
{
	for (const struct vhu_control_command *command = vhu_control_commands; command->name;
	     command++) {
		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}

/* Return the word @key of a verb's list of keys; NULL for none. */
static const char *request_key(const struct vhu_control_command *command, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = command->keys; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " !");

		if (word == length && !memcmp(at, key, length))
			return at;
		at += strcspn(at, " ");
	}
	return NULL;
}

/* See whether a question has the keys that it must have. Returns 0, or -EINVAL with why. */
static int request_check_missing(struct vhu_request *request)
{
	for (const char *at = request->command->keys; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " !");
		char key[32];

		snprintf(key, sizeof(key), "%.*s", (int)word, at);
		if (at[word] == '!' && !json_object_get(request->question, key))
			return vhu_request_fail(request, "%s: which \"%s\"?",
						request->command->name, key);
		at += strcspn(at, " ");
	}
	return 0;
}

/* See whether a question has no keys but those that it may have. Returns 0, or -EINVAL with why. */
static int request_check_keys(struct vhu_request *request)
{
	const char *key;
	json_t *value;

	json_object_foreach(request->question, key, value)
	{
		if (strcmp(key, "id") && strcmp(key, "verb") && strcmp(key, "as") &&
		    !request_key(request->command, key))
			return vhu_request_fail(request, "%s: \"%s\" does not belong here",
						request->command->name, key);
	}
	return request_check_missing(request);
}

/* Take what every question has. Returns 0, or -EINVAL with why. */
static int request_take(struct vhu_request *request)
{
	const json_t *id = json_object_get(request->question, "id");
	const char *name = vhu_request_string(request, "verb");
	const json_t *as = json_object_get(request->question, "as");

	if (id && !json_is_integer(id) && !json_is_string(id))
		return vhu_request_fail(request, "\"id\" is neither an integer nor a string");
	if (!name)
		return vhu_request_fail(request, "which \"verb\"? (\"help\" lists them)");
	request->command = request_command(name);
	if (!request->command)
		return vhu_request_fail(request, "%s: no such verb (\"help\" lists them)", name);
	if (as && (!json_is_string(as) || (strcmp(json_string_value(as), "text") &&
					   strcmp(json_string_value(as), "json"))))
		return vhu_request_fail(request, "\"as\" is neither \"json\" nor \"text\"");
	request->text = as && !strcmp(json_string_value(as), "text");
	return request_check_keys(request);
}

/* Do what follows from what a verb returned. */
static void request_settle(struct vhu_request *request, int result)
{
	struct vhu_control_client *from = request->from;

	if (result == VHU_REQUEST_MORE) {
		from->request = request;
		from->client->busy = true;
		return;
	}
	if (from->request) {
		from->request = NULL;
		vhu_client_resume(from->client);
	}
	if (result)
		request_send_error(request);
	else
		request_send(request);
}

/* Understand a line. Returns 0, or -EINVAL with why. */
static int request_parse(struct vhu_request *request, const char *line, size_t size)
{
	json_error_t error;

	request->question = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	if (!request->question)
		return vhu_request_fail(request, "not JSON: %s, at byte %d", error.text,
					error.position);
	if (!json_is_object(request->question))
		return vhu_request_fail(request, "not a JSON object");
	return request_take(request);
}

void vhu_request_line(struct vhu_control_client *from, const char *line, size_t size)
{
	struct vhu_request *request;
	int result;

	if (line[strspn(line, " \t\r")] == '\0' && strlen(line) == size)
		return;
	request = calloc(1, sizeof(*request));
	if (!request) {
		from->client->closing = true;
		return;
	}
	request->from = from;
	result = request_parse(request, line, size);
	if (!result)
		result = request_open(request);
	if (!result) {
		vhu_json_bool(&request->json, "ok", true);
		result = request->command->run(request);
	}
	request_settle(request, result);
}

void vhu_request_go_on(struct vhu_control_client *from)
{
	if (from->request)
		request_settle(from->request, from->request->more(from->request));
}

void vhu_request_free(struct vhu_request *request)
{
	if (!request)
		return;
	request_discard(request);
	if (request->lines)
		fclose(request->lines);
	free(request->line);
	free(request->exposition);
	json_decref(request->question);
	free(request);
}
