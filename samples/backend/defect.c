/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Defects on request. */
#include "samples/backend/defect.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/common/clock.h"

/* What is written after a defect's name. */
static const struct {
	const char *name;
	bool message, time, ratio;
	const char *help;
} kinds[VHU_DEFECT_KINDS] = {
    [VHU_DEFECT_DROP_REPLY] = {"drop-reply", .message = true, .help = "send no reply"},
    [VHU_DEFECT_WRONG_SIZE] = {"wrong-size", .message = true, .help = "reply with 4 bytes more"},
    [VHU_DEFECT_WRONG_ID] = {"wrong-id", .message = true, .help = "reply with the next id"},
    [VHU_DEFECT_LATE_REPLY] = {"late-reply", .message = true, .time = true,
			       .help = "reply late; all else waits too"},
    [VHU_DEFECT_EXTRA_REPLY] = {"extra-reply", .message = true, .help = "reply twice"},
    [VHU_DEFECT_NACK] = {"nack", .message = true, .help = "refuse"},
    [VHU_DEFECT_CLOSE_AT] = {"close-at", .message = true, .help = "close the connection instead"},
    [VHU_DEFECT_LATE_CALL] = {"late-call", .time = true, .help = "call late"},
    [VHU_DEFECT_LOSE_CALL] = {"lose-call", .ratio = true, .help = "do not call"},
    [VHU_DEFECT_EXTRA_CALL] = {"extra-call", .help = "call though no call is wanted"},
    [VHU_DEFECT_LOSE_KICK] = {"lose-kick", .ratio = true, .help = "read the kick, do nothing"},
    [VHU_DEFECT_REORDER] = {"reorder", .ratio = true,
			    .help = "take three times as long (with --delay): others overtake"},
    [VHU_DEFECT_BAD_ID] = {"bad-id", .ratio = true, .help = "give back what was never taken"},
    [VHU_DEFECT_UNREAD_KICK] = {"unread-kick", .ratio = true,
				.help = "do the requests, leave the kick unread"},
    [VHU_DEFECT_STALE_EVENT] = {"stale-event", .ratio = true,
				.help = "do not ask for the next kick (with event indexes)"},
    [VHU_DEFECT_USED_ZERO] = {"used-zero", .help = "begin the used ring at 0, whatever it was"},
    [VHU_DEFECT_NO_INFLIGHT] = {"no-inflight",
				.help = "start the in-flight area, and note no request in it"},
    [VHU_DEFECT_LEAK_EVENTFD] = {"leak-eventfd", .ratio = true,
				 .help = "do not close a kick or call that is replaced"},
    [VHU_DEFECT_OLD_CALL] = {"old-call", .ratio = true,
			     .help = "keep the call that is replaced, and call that"},
    [VHU_DEFECT_NO_LOOK] = {"no-look", .help = "do not look at a vring that starts or is enabled"},
    [VHU_DEFECT_MAX_VQS_BELOW_MIN] = {"max-vqs-below-min", .help = "say so in the specifications"},
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

/* Take a defect apart. Returns NULL or what is wrong; @text is written to. */
static const char *parse(struct vhu_defect *defect, char *text)
{
	const char *name = next_word(&text);
	unsigned kind = 0;

	while (kind < VHU_DEFECT_KINDS && strcmp(kinds[kind].name, name))
		kind++;
	if (kind == VHU_DEFECT_KINDS)
		return "no such fault: --faults lists them";
	*defect = (struct vhu_defect){.kind = (enum vhu_defect_kind)kind, .every = 1};
	if (kinds[kind].message) {
		defect->message = vhu_message_by_name(next_word(&text));
		if (!defect->message)
			return "wants a message's name, as in drop-reply:GET_CONFIG";
	}
	if (kinds[kind].time && vhu_clock_parse(next_word(&text), &defect->time))
		return "wants a time, as in late-call:5ms";
	if (kinds[kind].ratio && text && !parse_ratio(next_word(&text), &defect->every))
		return "wants a ratio, as in lose-call:1/1000";
	return text ? "has more words than it takes" : NULL;
}

const char *vhu_defects_add(struct vhu_defects *defects, const char *text)
{
	char *copy = strdup(text);
	const char *wrong;

	if (!copy)
		return "out of memory";
	if (defects->defects == VHU_DEFECTS_MAX)
		wrong = "too many faults";
	else
		wrong = parse(&defects->defect[defects->defects], copy);
	defects->defects += !wrong;
	free(copy);
	return wrong;
}

const struct vhu_defect *vhu_defect_due(struct vhu_defects *defects, enum vhu_defect_kind kind,
					const struct vhu_message *message)
{
	for (unsigned i = 0; i < defects->defects; i++) {
		struct vhu_defect *defect = &defects->defect[i];

		if (defect->kind == kind && defect->message == message &&
		    ++defect->seen % defect->every == 0)
			return defect;
	}
	return NULL;
}

void vhu_defects_list(void)
{
	for (unsigned i = 0; i < VHU_DEFECT_KINDS; i++)
		printf("%s%s%s%s\n      %s\n", kinds[i].name, kinds[i].message ? ":MESSAGE" : "",
		       kinds[i].time ? ":TIME" : "", kinds[i].ratio ? "[:1/N]" : "", kinds[i].help);
}
