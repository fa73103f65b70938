/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu proxy says on standard error while it serves. */
#include "tools/proxy/run/say.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/utf8.h"
#include "lib/util/util.h"
#include "proxy/core/loop.h"

#define SAY_NS      (UINT64_C(1000000000) / VHU_PROXY_SAY_A_SECOND)
/* Less than a pipe takes at once (PIPE_BUF). */
#define SAY_MAX     2048
#define SAY_ADDRESS "vhu proxy: "

/* There is one standard error. */
static struct {
	bool stuck;        /* its reader was waited for in vain, and has not read since */
	uint64_t spent_ns; /* up to when lines are accounted for, each taking SAY_NS */
	uint64_t left_out;
} say;

bool vhu_proxy_may_say(void)
{
	struct pollfd ask = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&ask, 1, 0) == 1)
		say.stuck = false;
	else if (!say.stuck)
		say.stuck = poll(&ask, 1, VHU_PROXY_SAY_PATIENCE_MS) != 1;
	return !say.stuck;
}

/* Take a line from those that may be said. Returns whether there was one. */
static bool say_take(void)
{
	uint64_t now = vhu_now_ns(), saved = VHU_PROXY_SAY_AT_ONCE * SAY_NS;

	if (say.spent_ns + saved < now)
		say.spent_ns = now - saved;
	if (say.spent_ns + SAY_NS > now)
		return false;
	say.spent_ns += SAY_NS;
	return true;
}

/* Write a line by one call. What is no text in it is shown as "?": a peer may have put it there. */
static void say_write(const char *text)
{
	char line[SAY_MAX] = SAY_ADDRESS;
	size_t length = strlen(SAY_ADDRESS);

	/* With room for the end of the line. */
	vhu_utf8_printable(text, line + length, sizeof(line) - length - 1);
	length += strlen(line + length);
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0) {
		/* No reader is left: nothing to do. */
	}
}

/* Say how many lines were left out. */
static void say_left_out(void)
{
	char text[100];

	snprintf(text, sizeof(text), "(%" PRIu64 " line%s left out)", say.left_out,
		 say.left_out == 1 ? "" : "s");
	say.left_out = 0;
	say_write(text);
}

void vhu_proxy_say_line(const char *line)
{
	if (!say_take() || !vhu_proxy_may_say()) {
		say.left_out++;
		return;
	}
	if (say.left_out)
		say_left_out();
	say_write(line);
}

void vhu_proxy_say_missed(void)
{
	say.left_out++;
}

void vhu_proxy_say_rest(void)
{
	if (say.left_out && vhu_proxy_may_say())
		say_left_out();
}
