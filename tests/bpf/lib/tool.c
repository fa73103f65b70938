/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu latency as tests run it. */
#include "tests/bpf/lib/tool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

unsigned tool_failures;

static const char *vhu;
static pid_t tool = -1;
static FILE *output;

void tool_skip(const char *why)
{
	printf("skipped: %s\n", why);
	exit(TOOL_SKIP);
}

void tool_need(void)
{
	char command[512], line[512] = "";
	const char *hooks = getenv("HOOKS");
	bool good = false;
	FILE *pipe;

	vhu = getenv("VHU");
	if (!vhu)
		exit(2);
	if (getenv("COUNTS_ONLY"))
		return;
	snprintf(command, sizeof(command), "%s latency --json %s%s --eventfd kick=4294967295 2>&1",
		 vhu, hooks ? "--hooks " : "", hooks ? hooks : "");
	pipe = popen(command, "r");
	while (pipe && !good && fgets(line, sizeof(line), pipe))
		good = strstr(line, "not open in any process");
	if (pipe)
		pclose(pipe);
	if (strstr(line, "did not see an eventfd")) {
		printf("nothing refuses the probes, and they do not work: %s\n", line);
		exit(1);
	}
	if (!good)
		tool_skip(line);
}

void tool_expect(bool good, const char *what, uint64_t got, uint64_t wanted)
{
	if (good)
		return;
	printf("%s: got %" PRIu64 ", wanted %" PRIu64 "\n", what, got, wanted);
	tool_failures++;
}

void tool_start(const char *const *argument)
{
	const char *all[32] = {vhu, "latency", "--json", "--cumulative"};
	const char *hooks = getenv("HOOKS");
	int out[2], count = 4;

	if (hooks) {
		all[count++] = "--hooks";
		all[count++] = hooks;
	}
	for (; *argument; argument++)
		all[count++] = *argument;
	if (pipe2(out, O_CLOEXEC))
		exit(1);
	tool = fork();
	if (!tool) {
		dup2(out[1], STDOUT_FILENO);
		execv(vhu, (char *const *)(uintptr_t)all);
		_exit(127);
	}
	close(out[1]);
	output = fdopen(out[0], "r");
}

/* Wait for a moment between two looks. */
static void moment(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	nanosleep(&pause, NULL);
}

bool tool_holds(uint32_t id)
{
	char command[128];

	snprintf(command, sizeof(command), "grep -qs '^eventfd-id: *%u$' /proc/%d/fdinfo/*", id,
		 tool);
	return system(command) == 0;
}

char *tool_line(void)
{
	static char *line;
	static size_t room;

	return getline(&line, &room, output) > 0 ? line : NULL;
}

void tool_wait(int kick_fd, int call_fd)
{
	uint32_t kick = eventfd_id(kick_fd), call = eventfd_id(call_fd);

	while (!tool_holds(kick) || !tool_holds(call)) {
		if (waitpid(tool, NULL, WNOHANG) == tool)
			exit(1);
		moment();
	}
	/* A line may have been on its way already. */
	for (int i = 0; i < 4; i++)
		if (!tool_line())
			exit(1);
}

char *tool_end(void)
{
	static char last[65536];
	const char *line;
	int status;

	kill(tool, SIGINT);
	last[0] = '\0';
	while ((line = tool_line()))
		snprintf(last, sizeof(last), "%s", line);
	fclose(output);
	waitpid(tool, &status, 0);
	tool_expect(WIFEXITED(status) && !WEXITSTATUS(status), "exit status", (uint64_t)status, 0);
	return last;
}

uint64_t tool_number(const char *json, unsigned vring, const char *stage, const char *key)
{
	char text[64];
	const char *at;

	snprintf(text, sizeof(text), "\"vring\":%u,", vring);
	at = strstr(json, text);
	if (at && stage) {
		snprintf(text, sizeof(text), "\"%s\":", stage);
		at = strstr(at, text);
	}
	snprintf(text, sizeof(text), "\"%s\":", key);
	at = at ? strstr(at, text) : NULL;
	if (!at) {
		printf("%s of vring %u is missing in %s\n", key, vring, json);
		tool_failures++;
		return 0;
	}
	return strtoull(at + strlen(text), NULL, 10);
}
