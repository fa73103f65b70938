/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions of a proxy that runs. Whatever goes wrong, there is nothing to complete. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "proxy/control/socket.h"
#include "tools/complete/complete.h"
#include "tools/ctl/line.h"
#include "tools/ctl/meet.h"

/* A person waits. */
#define PATIENCE_US 300000

/* Connect to the proxy. Returns a stream, or NULL. */
static FILE *connect_to(const char *path)
{
	const struct timeval patience = {.tv_usec = PATIENCE_US};
	char error[VHU_ENDPOINT_ERROR];
	FILE *proxy = NULL;

	if (!vhu_control_meet(path, &proxy, error))
		setsockopt(fileno(proxy), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return proxy;
}

/* Offer the session that @status is about. */
static void offer(const struct vhu_complete *at, const json_t *status)
{
	char number[24], sides[128];
	json_t *front = json_object_get(status, "front_end"),
	       *back = json_object_get(status, "back_end");
	const char *who = json_string_value(json_object_get(front, "program"));
	const char *other = json_string_value(json_object_get(back, "program"));

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(json_object_get(status, "session")));
	snprintf(sides, sizeof(sides), "%s and %s", who ? who : "?", other ? other : "?");
	vhu_complete_offer(at, number, sides);
}

void vhu_complete_sessions(const struct vhu_complete *at)
{
	static const char question[] = "{\"verb\":\"sessions\"}\n";
	char path[VHU_CONTROL_PATH_MAX];
	FILE *proxy = connect_to(at->socket ? at->socket : vhu_control_path(path));
	char *line = NULL;
	size_t room = 0, i;
	json_t *answer = NULL, *status;

	if (!proxy)
		return;
	if (send(fileno(proxy), question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 &&
	    vhu_answer_line(fileno(proxy), &line, &room) > 0)
		answer = json_loads(line, 0, NULL);
	json_array_foreach(json_object_get(answer, "sessions"), i, status) offer(at, status);
	json_decref(answer);
	free(line);
	fclose(proxy);
}
