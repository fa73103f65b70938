/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One question and its answer by HTTP/1.0. */
#include "tools/ctl/http.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"

/* A request's head is no longer, and takes no longer to come. */
#define HEAD_MAX    8192
#define PATIENCE_NS (5 * VHU_NS_PER_S)

/* Read a head, up to its empty line, into @head. Returns 200, 400 or 408; 0 if nothing came. */
static int read_head(char head[HEAD_MAX])
{
	const uint64_t until_ns = vhu_now_ns() + PATIENCE_NS;
	size_t length = 0;

	while (length < HEAD_MAX - 1) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		const uint64_t now_ns = vhu_now_ns();
		ssize_t got;

		if (now_ns >= until_ns ||
		    poll(&in, 1, (int)((until_ns - now_ns) / VHU_NS_PER_MS) + 1) == 0)
			return 408;
		got = read(STDIN_FILENO, head + length, HEAD_MAX - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return length ? 400 : 0;
		length += (size_t)got;
		head[length] = '\0';
		if (strlen(head) != length)
			return 400;
		if (strstr(head, "\r\n\r\n") || strstr(head, "\n\n"))
			return 200;
	}
	return 400;
}

/* Return whether a header field called @name, of a head without its first line, has @word in it. */
static bool has_field(const char *head, const char *name, const char *word)
{
	const size_t length = strlen(name);

	for (const char *line = strchr(head, '\n'); line; line = strchr(line + 1, '\n')) {
		const char *end = strchr(line + 1, '\n'), *found;

		if (strncasecmp(line + 1, name, length) != 0 || line[1 + length] != ':')
			continue;
		found = strstr(line, word);
		if (found && (!end || found < end))
			return true;
	}
	return false;
}

int vhu_ctl_http_read(bool *open_metrics)
{
	char head[HEAD_MAX], *path, *end;
	int status = read_head(head);

	if (status != 200)
		return status;
	*open_metrics = has_field(head, "Accept", "application/openmetrics-text");
	path = strchr(head, ' ');
	end = path ? strpbrk(path + 1, " ?\r\n") : NULL;
	if (!end || !strstr(end, " HTTP/1."))
		return 400;
	if (strncmp(head, "GET ", 4) != 0)
		return 405;
	return end - path == 9 && !strncmp(path, " /metrics", 9) ? 200 : 404;
}

void vhu_ctl_http_answer(const char *text, bool open_metrics)
{
	printf("HTTP/1.0 200 OK\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
	       "Connection: close\r\n\r\n%s",
	       open_metrics ? "application/openmetrics-text; version=1.0.0"
			    : "text/plain; version=0.0.4",
	       strlen(text), text);
}

void vhu_ctl_http_refuse(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
	    {400, "400 Bad Request"},
	    {404, "404 Not Found: ask for /metrics"},
	    {405, "405 Method Not Allowed"},
	    {408, "408 Request Timeout"},
	    {503, "503 Service Unavailable: the proxy does not answer"},
	};
	const char *text = known[0].text;

	for (size_t i = 0; i < VHU_ARRAY_SIZE(known); i++)
		if (known[i].status == status)
			text = known[i].text;
	printf("HTTP/1.0 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
	       "Connection: close\r\n\r\n%s\n",
	       text, strlen(text) + 1, text);
}
