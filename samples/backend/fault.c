/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults on request. */
#include "samples/backend/fault.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/common/clock.h"

/* What is written after a fault's name. */
static const struct {
	const char *name;
	bool message, time, ratio;
	const char *help;
} kinds[VHU_MISBEHAVIOUR_KINDS] = {
    [VHU_MISBEHAVIOUR_DROP_REPLY] = {"drop-reply", .message = true, .help = "send no reply"},
    [VHU_MISBEHAVIOUR_WRONG_SIZE] = {"wrong-size", .message = true,
				     .help = "reply with 4 bytes more"},
    [VHU_MISBEHAVIOUR_WRONG_ID] = {"wrong-id", .message = true, .help = "reply with the next id"},
    [VHU_MISBEHAVIOUR_LATE_REPLY] = {"late-reply", .message = true, .time = true,
				     .help = "reply late; all else waits too"},
    [VHU_MISBEHAVIOUR_EXTRA_REPLY] = {"extra-reply", .message = true, .help = "reply twice"},
    [VHU_MISBEHAVIOUR_NACK] = {"nack", .message = true, .help = "refuse"},
    [VHU_MISBEHAVIOUR_CLOSE_AT] = {"close-at", .message = true,
				   .help = "close the connection instead"},
    [VHU_MISBEHAVIOUR_LATE_CALL] = {"late-call", .time = true, .help = "call late"},
    [VHU_MISBEHAVIOUR_LOSE_CALL] = {"lose-call", .ratio = true, .help = "do not call"},
    [VHU_MISBEHAVIOUR_EXTRA_CALL] = {"extra-call", .help = "call though no call is wanted"},
    [VHU_MISBEHAVIOUR_LOSE_KICK] = {"lose-kick", .ratio = true,
				    .help = "read the kick, do nothing"},
    [VHU_MISBEHAVIOUR_REORDER] = {"reorder", .ratio = true,
				  .help =
				      "take three times as long (with --delay): others overtake"},
    [VHU_MISBEHAVIOUR_BAD_ID] = {"bad-id", .ratio = true, .help = "give back what was never taken"},
    [VHU_MISBEHAVIOUR_MAX_VQS_BELOW_MIN] = {"max-vqs-below-min",
					    .help = "say so in the specifications"},
};

/* Take the next word of *@rest, which words are separated by colons in. Returns it or "". */
static const char *next_word(char **rest)
{
	char *word = *rest ? strsep(rest, ":") : NULL;

	return word ? word : "";
}

/* Read "1/N". Returns whether it is one. */
static bool parse_ratio(const char *text, uint64_t *every)
{
	char *end;

	if (strncmp(text, "1/", 2) || text[2] < '1' || text[2] > '9')
		return false;
	*every = strtoull(text + 2, &end, 10);
	return !*end;
}

/* Take a fault apart. Returns NULL or what is wrong; @text is written to. */
static const char *parse(struct vhu_misbehaviour *fault, char *text)
{
	const char *name = next_word(&text);
	unsigned kind = 0;

	while (kind < VHU_MISBEHAVIOUR_KINDS && strcmp(kinds[kind].name, name))
		kind++;
	if (kind == VHU_MISBEHAVIOUR_KINDS)
		return "no such fault: --faults lists them";
	*fault = (struct vhu_misbehaviour){.kind = (enum vhu_misbehaviour_kind)kind, .every = 1};
	if (kinds[kind].message) {
		fault->message = vhu_message_by_name(next_word(&text));
		if (!fault->message)
			return "wants a message's name, as in drop-reply:GET_CONFIG";
	}
	if (kinds[kind].time && vhu_clock_parse(next_word(&text), &fault->time))
		return "wants a time, as in late-call:5ms";
	if (kinds[kind].ratio && text && !parse_ratio(next_word(&text), &fault->every))
		return "wants a ratio, as in lose-call:1/1000";
	return text ? "has more words than it takes" : NULL;
}

const char *vhu_misbehaviours_add(struct vhu_misbehaviours *faults, const char *text)
{
	char *copy = strdup(text);
	const char *wrong;

	if (!copy)
		return "out of memory";
	if (faults->faults == VHU_MISBEHAVIOURS_MAX)
		wrong = "too many faults";
	else
		wrong = parse(&faults->fault[faults->faults], copy);
	faults->faults += !wrong;
	free(copy);
	return wrong;
}

const struct vhu_misbehaviour *vhu_misbehaviour_comes(struct vhu_misbehaviours *faults,
						      enum vhu_misbehaviour_kind kind,
						      const struct vhu_message *message)
{
	for (unsigned i = 0; i < faults->faults; i++) {
		struct vhu_misbehaviour *fault = &faults->fault[i];

		if (fault->kind == kind && fault->message == message &&
		    ++fault->seen % fault->every == 0)
			return fault;
	}
	return NULL;
}

void vhu_misbehaviours_list(void)
{
	for (unsigned i = 0; i < VHU_MISBEHAVIOUR_KINDS; i++)
		printf("%s%s%s%s\n      %s\n", kinds[i].name, kinds[i].message ? ":MESSAGE" : "",
		       kinds[i].time ? ":TIME" : "", kinds[i].ratio ? "[:1/N]" : "", kinds[i].help);
}
