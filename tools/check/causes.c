/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why sessions ended badly. A front-end that tries again and again ends as many sessions in the
 * same way: they are shown once, with their number.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/check/check.h"

/* Return whether a number is the number of a message or a time, which differ between sessions that
 * ended in the same way. @line: the text that it is in. @number, @rest: where it begins, and what
 * follows it. */
static bool may_differ(const char *line, const char *number, const char *rest)
{
	static const char message[] = "message ";
	static const char *const unit[] = {" ns", " us", " ms", " s"};
	const size_t before = (size_t)(number - line);

	if (before && number[-1] == '(' && *rest == ')')
		return true;
	if (before >= sizeof(message) - 1 &&
	    !strncmp(number - (sizeof(message) - 1), message, sizeof(message) - 1))
		return true;
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(unit); i++)
		if (!strncmp(rest, unit[i], strlen(unit[i])) &&
		    !isalnum((unsigned char)rest[strlen(unit[i])]))
			return true;
	return false;
}

/* Return what follows a number, which may have a fraction; and its unit if it is a time. */
static const char *after_number(const char *at)
{
	at += strspn(at, "0123456789.");
	for (; at[-1] == '.'; at--)
		;
	return at;
}

/* Return what follows the unit of a time that may be at @at. */
static const char *after_unit(const char *at)
{
	if (*at != ' ' || !strchr("num", at[1]) || at[2] != 's')
		return *at == ' ' && at[1] == 's' && !isalnum((unsigned char)at[2]) ? at + 2 : at;
	return at + 3;
}

bool vhu_check_causes_alike(const char *one, const char *other)
{
	const char *a = one, *b = other;

	while (*a && *b) {
		const char *after_a, *after_b;

		if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b)) {
			if (*a++ != *b++)
				return false;
			continue;
		}
		after_a = after_number(a);
		after_b = after_number(b);
		if (may_differ(one, a, after_a) && may_differ(other, b, after_b)) {
			after_a = after_unit(after_a);
			after_b = after_unit(after_b);
		} else if (after_a - a != after_b - b || memcmp(a, b, (size_t)(after_a - a)) != 0) {
			return false;
		}
		a = after_a;
		b = after_b;
	}
	return !*a && !*b;
}

/* Take "(8 times)", which the proxy writes behind the reason of sessions that it counts, off a
 * text. Returns how many sessions there were. */
static uint64_t take_times(char *text)
{
	char *at = strstr(text, " times)"), *from = at;
	uint64_t times = 0;

	while (from && from > text && isdigit((unsigned char)from[-1]))
		from--;
	if (!from || from < text + 2 || from[-1] != '(' || from[-2] != ' ' ||
	    sscanf(from, "%" SCNu64, &times) != 1 || !times)
		return 1;
	at += strlen(" times)");
	memmove(from - 2, at, strlen(at) + 1);
	return times;
}

/* Show a cause. */
static void show(struct vhu_check *check, struct vhu_check_cause *cause)
{
	if (cause->times && check->form->cause)
		check->form->cause(check, cause);
	cause->times = 0;
}

void vhu_check_causes_end(struct vhu_check *check)
{
	for (unsigned i = 0; i < check->causes; i++)
		show(check, &check->cause[i]);
	check->causes = 0;
}

uint64_t vhu_check_cause(struct vhu_check *check, uint64_t session, const char *text)
{
	struct vhu_check_cause new = {.first = session, .last = session}, *cause;
	uint64_t times;

	snprintf(new.text, sizeof(new.text), "%s", text);
	times = new.times = take_times(new.text);
	for (unsigned i = 0; i < check->causes; i++) {
		cause = &check->cause[i];
		if (!vhu_check_causes_alike(cause->text, new.text))
			continue;
		if (!cause->times)
			cause->first = session;
		cause->last = session;
		cause->times += new.times;
		return times;
	}
	if (check->causes == VHU_CHECK_CAUSES_MAX)
		vhu_check_causes_end(check);
	cause = &check->cause[check->causes++];
	*cause = new;
	/* Somebody watches: only those that follow can be counted. */
	if (check->at_once)
		show(check, cause);
	return times;
}

void vhu_check_cause_sessions(const struct vhu_check_cause *cause, char to[VHU_CHECK_LINE_MAX])
{
	if (cause->times == 1)
		snprintf(to, VHU_CHECK_LINE_MAX, "session %" PRIu64 ": ", cause->first);
	else if (cause->first == cause->last)
		snprintf(to, VHU_CHECK_LINE_MAX,
			 "session %" PRIu64 ", %" PRIu64 " times: ", cause->first, cause->times);
	else
		snprintf(to, VHU_CHECK_LINE_MAX,
			 "sessions %" PRIu64 " to %" PRIu64 ", %" PRIu64 " times: ", cause->first,
			 cause->last, cause->times);
}
