/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question that came on the control socket, and its answer; and what those who answer share.
 *
 * Every line gets one answer: {"id":ID,"ok":true,...} with what the verb adds, or
 * {"id":ID,"ok":false,"error":"..."}. A verb that needs more than one turn of the loop says so by
 * VHU_REQUEST_MORE, and is called again by `more` in the next.
 *
 * Ownership: a question lasts until it is answered or its client has gone.
 */
#ifndef VHU_PROXY_CONTROL_REQUEST_H
#define VHU_PROXY_CONTROL_REQUEST_H

#include <jansson.h>
#include <stdio.h>

#include "lib/util/json.h"
#include "proxy/control/client.h"
#include "proxy/control/follow.h"
#include "proxy/control/socket.h"

/* What a verb returns besides 0 and -errno. */
#define VHU_REQUEST_MORE 1

struct vhu_control_client {
	struct vhu_control *control;
	struct vhu_client *client;
	struct vhu_control_client *next, **link; /* of the control socket's */
	struct vhu_request *request; /* that is being answered over several turns; else NULL */
	struct vhu_follow *follow;   /* NULL: it does not watch */
};

struct vhu_control {
	struct vhu_proxy *proxy;
	struct vhu_control_owner owner;
	char path[VHU_CONTROL_PATH_MAX];
	struct vhu_endpoint end;
	struct vhu_watch watch;
	struct vhu_timer resume; /* accepts again after running out of descriptors */
	struct vhu_control_client *clients;
	unsigned count;
	uint64_t records;              /* that the proxy has made */
	struct vhu_sessions *sessions; /* as followers see them; NULL: no client follows */
	unsigned followers;
};

struct vhu_request {
	struct vhu_control_client *from;
	json_t *question;
	const struct vhu_control_command *command;
	bool text;            /* the answer is to be text for people */
	FILE *to;             /* the answer as it grows, in `bytes` */
	struct vhu_json json; /* into `to` */
	char *bytes;
	size_t size;
	char error[512];
	int (*more)(struct vhu_request *request);
	/* for verbs that need more than one turn */
	uint64_t at, last;
	struct vhu_exposition *exposition; /* for metrics; NULL for all else */
	FILE *lines;                       /* text for people as it grows, in `line` */
	char *line;
	size_t line_size;
};

/* What can be asked. */
struct vhu_control_command {
	const char *name;
	const char *keys; /* that a question may have besides "id", "verb" and "as", with blanks
			     between; those that it must have end with "!" */
	const char *help; /* a line */
	/* Add to ask->json what the answer has. Returns 0, VHU_REQUEST_MORE, or -errno with why in
	 * ask->error. */
	int (*run)(struct vhu_request *request);
};

/* All of them; ends with a zeroed row. */
extern const struct vhu_control_command vhu_control_commands[];

/* Answer a line of @from. */
void vhu_request_line(struct vhu_control_client *from, const char *line, size_t size);

/* Go on with the answer of @from. */
void vhu_request_go_on(struct vhu_control_client *from);

/* Forget a question (NULL is ignored). */
void vhu_request_free(struct vhu_request *request);

/* Refuse to answer, for a reason made as printf makes it. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int vhu_request_fail(struct vhu_request *request,
							   const char *format, ...);

/* Begin the text for people of an answer, written to ask->lines. Returns 0, or -errno with why. */
int vhu_request_open_text(struct vhu_request *request);

/* Put that text into the answer. Returns 0, or -errno with why. */
int vhu_request_put_text(struct vhu_request *request);

/* Put the text so far into the answer, which is one after vhu_json_text, and go on with an empty
 * one. Returns 0, or -errno with why. */
int vhu_request_put_part(struct vhu_request *request);

/* Both at once, the text made as printf makes it. */
__attribute__((format(printf, 2, 3))) int vhu_request_say(struct vhu_request *request,
							  const char *format, ...);

/* The verbs about faults. Return as verbs do. */
int vhu_request_faults(struct vhu_request *request);
int vhu_request_faults_add(struct vhu_request *request);
int vhu_request_faults_remove(struct vhu_request *request);
int vhu_request_faults_clear(struct vhu_request *request);
int vhu_request_faults_release(struct vhu_request *request);

/* Return a text of the question; NULL without it. */
const char *vhu_request_string(const struct vhu_request *request, const char *key);

/* Take a number from 1 on of the question. Returns 0, where it has none too (*@number is 0); or
 * -EINVAL with why. */
int vhu_request_number(struct vhu_request *request, const char *key, uint64_t *number);

/* Write the id of a question, if it has one, into an object. */
void vhu_request_put_id(struct vhu_json *json, const json_t *id);

#endif
