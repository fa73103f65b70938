/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proxies as sources of vhu top. */
#include "tools/top/sources/control.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/array.h"
#include "lib/util/utf8.h"
#include "lib/util/util.h"
#include "tools/ctl/meet.h"
#include "tools/top/sources/answer.h"

/* A proxy that is silent for so long is shown as one that does not answer. */
#define PATIENCE_NS (3 * VHU_NS_PER_S)

/* Take the answer of a proxy. */
static void take(void *with, const json_t *answer)
{
	struct vhu_top_control *control = with;

	const char *error = json_string_value(json_object_get(answer, "error"));

	control->asked_ns = 0;
	control->wrong = vhu_top_answer_take(control->source, answer, vhu_now_ns());
	if (control->wrong == -EBADMSG && error)
		vhu_utf8_printable(error, control->refusal, sizeof(control->refusal));
}

/* Have a proxy as a source, unless it is one. @named: a person has named it. Returns 0 or -ENOMEM.
 */
static int add_socket(struct vhu_top_controls *controls, const char *path, bool named)
{
	struct vhu_top_control *control, **grown;

	for (unsigned i = 0; i < controls->count; i++)
		if (!strcmp(controls->control[i]->path, path))
			return 0;
	control = calloc(1, sizeof(*control));
	grown = control ? vhu_array_more(controls->control, &controls->count,
					 sizeof(struct vhu_top_control *))
			: NULL;
	if (!grown) {
		free(control);
		return -ENOMEM;
	}
	controls->control = grown;
	grown[controls->count - 1] = control;
	snprintf(control->path, sizeof(control->path), "%s", path);
	control->talk = (struct vhu_top_talk){.lines = {.fd = -1}, .take = take, .with = control};
	control->source = vhu_top_source(controls->top, control->path);
	if (!control->source)
		return -ENOMEM;
	control->source->named = named;
	return 0;
}

/*
 * Return whether a socket of this name is a proxy's control socket. Others must be left alone: a
 * connection to a proxy's front socket is a front-end's.
 */
static bool is_named_control(const char *name)
{
	const size_t length = strlen(name);

	return strstr(name, "control") || !strcmp(name, "vhu.sock") ||
	       (length > 4 && !strcmp(name + length - 4, ".ctl"));
}

/* Have the control sockets of a folder as sources. */
static void look_into(struct vhu_top_controls *controls, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat file;
	char path[VHU_TOP_NAME];

	while (dir && (entry = readdir(dir))) {
		if (!is_named_control(entry->d_name) ||
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
			(int)sizeof(path) ||
		    stat(path, &file) || !S_ISSOCK(file.st_mode))
			continue;
		add_socket(controls, path, false);
	}
	if (dir)
		closedir(dir);
}

int vhu_top_controls_add(struct vhu_top_controls *controls, const char *path)
{
	const char **grown;
	struct stat file;

	if (stat(path, &file) || !S_ISDIR(file.st_mode))
		return add_socket(controls, path, true);
	grown = vhu_array_more(controls->folder, &controls->folders, sizeof(const char *));
	if (!grown)
		return -ENOMEM;
	controls->folder = grown;
	grown[controls->folders - 1] = path;
	look_into(controls, path);
	return 0;
}

/* A proxy cannot be asked. */
static void give_up(struct vhu_top_control *control, const char *error)
{
	vhu_top_talk_close(&control->talk);
	control->asked_ns = 0;
	vhu_top_source_gone(control->source, error, vhu_now_ns());
}

/* Ask a proxy that owes no answer, or see how long it does. */
static void ask(struct vhu_top_control *control)
{
	const uint64_t now = vhu_now_ns();
	char error[VHU_ENDPOINT_ERROR], why[VHU_CONTROL_WHY];
	int ret;

	if (control->asked_ns) {
		if (now - control->asked_ns < PATIENCE_NS)
			return;
		vhu_control_silence(control->talk.proxy, "it", why);
		vhu_top_source_gone(control->source, why, now);
		control->source->listens = true;
		return;
	}
	if (!control->talk.proxy && vhu_top_talk_open(&control->talk, control->path, error)) {
		give_up(control, error);
		return;
	}
	ret = vhu_top_talk_ask(&control->talk, "{\"verb\":\"sessions\",\"brief\":true}");
	/* A proxy that serves no more clients has said so, and has closed: that is read. */
	if (ret && ret != -EPIPE)
		give_up(control, strerror(-ret));
	else
		control->asked_ns = now;
}

void vhu_top_controls_ask(struct vhu_top_controls *controls)
{
	for (unsigned i = 0; i < controls->folders; i++)
		look_into(controls, controls->folder[i]);
	for (unsigned i = 0; i < controls->count; i++)
		ask(controls->control[i]);
}

void vhu_top_controls_read(struct vhu_top_controls *controls, unsigned at)
{
	struct vhu_top_control *control = controls->control[at];
	int ret = vhu_top_talk_read(&control->talk);

	if (control->wrong)
		ret = control->wrong;
	control->wrong = 0;
	if (ret == -EPIPE)
		give_up(control,
			control->source->met
			    ? "it has closed the connection"
			    : "closed the connection: is this a vhu proxy's control socket?");
	else if (ret == -EBADMSG && *control->refusal)
		give_up(control, control->refusal);
	else if (ret == -EBADMSG || ret == -EMSGSIZE)
		give_up(control, "what answers is not a vhu proxy's control socket");
	else if (ret)
		give_up(control, strerror(-ret));
	*control->refusal = '\0';
}

bool vhu_top_controls_are_answered(const struct vhu_top_controls *controls)
{
	for (unsigned i = 0; i < controls->count; i++) {
		const struct vhu_top_control *control = controls->control[i];
		const struct vhu_top_source *source = control->source;

		if (control->asked_ns && (source->here || !source->since_ns))
			return false;
	}
	return true;
}

void vhu_top_controls_free(struct vhu_top_controls *controls)
{
	for (unsigned i = 0; i < controls->count; i++) {
		vhu_top_talk_close(&controls->control[i]->talk);
		free(controls->control[i]);
	}
	free(controls->control);
	free(controls->folder);
	*controls = (struct vhu_top_controls){0};
}
