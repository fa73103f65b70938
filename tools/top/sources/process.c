/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What share of a processor the back-ends take. */
#include "tools/top/sources/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/array.h"
#include "lib/util/util.h"

bool vhu_top_process_parse(struct vhu_top_process *process, const char *line)
{
	/* The name before it may have any characters. */
	const char *at = strrchr(line, ')');
	uint64_t user, system;

	if (!at || sscanf(at,
			  ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
			  " %*d %*d %*d %*d %*d %*d %" SCNu64,
			  &process->state, &user, &system, &process->start) != 4)
		return false;
	process->ticks = user + system;
	return true;
}

/* Look at a process. */
static void look(struct vhu_top_process *process, uint64_t now_ns)
{
	const struct vhu_top_process before = *process;
	char path[32], line[1024] = "";
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", process->pid);
	stat = fopen(path, "r");
	process->state = 0;
	if (!stat || !fgets(line, sizeof(line), stat) || !vhu_top_process_parse(process, line))
		process->state = 0;
	if (stat)
		fclose(stat);
	process->time_ns = now_ns;
	process->known = process->state && before.state && before.start == process->start &&
			 now_ns > before.time_ns && process->ticks >= before.ticks;
	if (process->known)
		process->share = (double)(process->ticks - before.ticks) * 100 /
				 (double)sysconf(_SC_CLK_TCK) /
				 ((double)(now_ns - before.time_ns) / VHU_NS_PER_S);
}

/* Return a process, looked at; NULL out of memory. */
static const struct vhu_top_process *look_at(struct vhu_top_processes *processes, uint32_t pid,
					     uint64_t now_ns)
{
	struct vhu_top_process *process = NULL, *grown;

	for (unsigned i = 0; i < processes->count && !process; i++)
		if (processes->process[i].pid == pid)
			process = &processes->process[i];
	if (!process) {
		grown = vhu_array_more(processes->process, &processes->count, sizeof(*grown));
		if (!grown)
			return NULL;
		processes->process = grown;
		process = &grown[processes->count - 1];
		*process = (struct vhu_top_process){.pid = pid};
	}
	if (!process->used)
		look(process, now_ns);
	process->used = true;
	return process;
}

/* Say in a session what its back-end does. */
static void tell(struct vhu_top_processes *processes, struct vhu_top_session *session,
		 uint64_t now_ns)
{
	const uint32_t pid = session->peer[VHU_TOP_BACK].pid;
	const struct vhu_top_process *process = pid ? look_at(processes, pid, now_ns) : NULL;

	session->cpu_known = process && process->known;
	session->cpu = session->cpu_known ? process->share : 0;
	session->stopped = process && (process->state == 'T' || process->state == 't');
}

void vhu_top_processes_look(struct vhu_top_processes *processes, struct vhu_top *top,
			    uint64_t now_ns)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < processes->count; i++)
		processes->process[i].used = false;
	for (unsigned i = 0; i < top->sources; i++)
		for (unsigned at = 0; at < top->source[i]->sessions; at++)
			tell(processes, top->source[i]->session[at], now_ns);
	for (unsigned i = 0; i < processes->count; i++)
		if (processes->process[i].used)
			processes->process[kept++] = processes->process[i];
	processes->count = kept;
}

void vhu_top_processes_free(struct vhu_top_processes *processes)
{
	free(processes->process);
	*processes = (struct vhu_top_processes){0};
}
