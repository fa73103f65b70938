/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdicts of vhu rings. */
#include "tools/top/sources/verdicts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/top/sources/answer.h"

/* vhu rings looks again after this time, and if it could not look after this. */
#define AGAIN_NS  (3 * VHU_NS_PER_S)
#define FAILED_NS (30 * VHU_NS_PER_S)

/* Return what is known of a back-end; NULL: nothing. */
static struct vhu_top_asked *find(const struct vhu_top_verdicts *verdicts, uint32_t pid)
{
	for (unsigned i = 0; i < verdicts->count; i++)
		if (verdicts->asked[i].pid == pid)
			return &verdicts->asked[i];
	return NULL;
}

void vhu_top_verdicts_want(struct vhu_top_verdicts *verdicts, uint32_t pid)
{
	struct vhu_top_asked *asked = find(verdicts, pid), *grown;

	if (!asked) {
		grown = vhu_array_more(verdicts->asked, &verdicts->count, sizeof(*grown));
		if (!grown)
			return;
		verdicts->asked = grown;
		asked = &grown[verdicts->count - 1];
		*asked = (struct vhu_top_asked){.pid = pid};
	}
	asked->wanted = true;
}

const struct vhu_top_asked *vhu_top_verdicts_of(const struct vhu_top_verdicts *verdicts,
						uint32_t pid)
{
	return find(verdicts, pid);
}

/* Return the back-end whose turn it is: of those that are due the one that was asked about first;
 * NULL for none. */
static struct vhu_top_asked *next(const struct vhu_top_verdicts *verdicts, uint64_t now_ns)
{
	struct vhu_top_asked *first = NULL;

	for (unsigned i = 0; i < verdicts->count; i++) {
		struct vhu_top_asked *asked = &verdicts->asked[i];
		const uint64_t pause = *asked->why ? FAILED_NS : AGAIN_NS;

		if (!asked->wanted || (asked->asked_ns && now_ns - asked->asked_ns < pause))
			continue;
		if (!first || asked->asked_ns < first->asked_ns)
			first = asked;
	}
	return first;
}

void vhu_top_verdicts_tick(struct vhu_top_verdicts *verdicts, uint64_t now_ns)
{
	struct vhu_top_asked *asked = verdicts->rings.pid ? NULL : next(verdicts, now_ns);
	char pid[16];
	const char *const words[] = {"rings", "--json", "-p", pid, NULL};

	if (!asked)
		return;
	asked->asked_ns = now_ns;
	asked->wanted = false;
	snprintf(pid, sizeof(pid), "%" PRIu32, asked->pid);
	verdicts->pid = asked->pid;
	if (vhu_top_child_start(&verdicts->rings, words)) {
		asked->answered = true;
		snprintf(asked->why, sizeof(asked->why), "no process can be started");
	}
}

/* Take a line of vhu rings: a vring. */
static void take_line(void *with, char *text)
{
	struct vhu_top_asked *answer = &((struct vhu_top_verdicts *)with)->answer;
	json_t *line = json_loads(text, 0, NULL);
	const json_t *verdict = json_object_get(line, "verdict"), *vring;
	const json_t *kick = json_object_get(line, "kick");
	const char *id = json_string_value(json_object_get(verdict, "id"));
	struct vhu_top_verdict *grown =
	    id ? vhu_array_more(answer->verdict, &answer->verdicts, sizeof(*grown)) : NULL;

	if (grown) {
		struct vhu_top_verdict *taken = &grown[answer->verdicts - 1];

		answer->verdict = grown;
		vring = json_object_get(line, "vring");
		*taken = (struct vhu_top_verdict){
		    .front =
			(uint32_t)vhu_top_answer_number(json_object_get(line, "front_end"), "pid"),
		    .back =
			(uint32_t)vhu_top_answer_number(json_object_get(line, "back_end"), "pid"),
		    .has_vring = vring,
		    .vring = (unsigned)json_integer_value(vring),
		    .has_kick = json_object_get(kick, "eventfd_id"),
		    .kick = (uint32_t)vhu_top_answer_number(kick, "eventfd_id"),
		    .hangs = json_is_true(json_object_get(verdict, "hangs")),
		};
		/* Others are no verdicts: that it moves, or cannot be read. */
		if (*id == 'D')
			snprintf(taken->id, sizeof(taken->id), "%s", id);
	}
	json_decref(line);
}

/* Keep what vhu rings says is wrong: the first line, but rather one of a process that cannot run.
 */
static void take_error(void *with, char *line)
{
	static const char name[] = "vhu rings: ", seen[] = "seen: process";
	struct vhu_top_asked *answer = &((struct vhu_top_verdicts *)with)->answer;

	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	if (*answer->why && strncmp(line, seen, strlen(seen)) != 0)
		return;
	snprintf(answer->why, sizeof(answer->why), "%s", line);
}

void vhu_top_verdicts_read(struct vhu_top_verdicts *verdicts)
{
	struct vhu_top_asked *asked;

	if (!verdicts->rings.pid ||
	    vhu_top_child_read(&verdicts->rings, take_line, take_error, verdicts))
		return;
	asked = find(verdicts, verdicts->pid);
	free(asked->verdict);
	asked->verdict = verdicts->answer.verdict;
	asked->verdicts = verdicts->answer.verdicts;
	memcpy(asked->why, verdicts->answer.why, sizeof(asked->why));
	asked->answered = true;
	verdicts->answer = (struct vhu_top_asked){0};
}

bool vhu_top_verdicts_are_known(const struct vhu_top_verdicts *verdicts)
{
	for (unsigned i = 0; i < verdicts->count; i++)
		if (!verdicts->asked[i].answered)
			return false;
	return true;
}

void vhu_top_verdicts_free(struct vhu_top_verdicts *verdicts)
{
	vhu_top_child_stop(&verdicts->rings);
	for (unsigned i = 0; i < verdicts->count; i++)
		free(verdicts->asked[i].verdict);
	free(verdicts->asked);
	free(verdicts->answer.verdict);
	*verdicts = (struct vhu_top_verdicts){0};
}
