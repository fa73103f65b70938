/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes as sources of vhu top. */
#include "tools/top/sources/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/top/sources/answer.h"

/* Lines of one time come together; after this pause there are no more of them. */
#define PAUSE_NS      (VHU_NS_PER_S / 20)
/* A process that ended is started again after this time. */
#define AGAIN_NS      (2 * VHU_NS_PER_S)
/* Connections are listed so often; that reads all sockets of the host. */
#define LIST_EVERY_NS (10 * VHU_NS_PER_S)

int vhu_top_probes_add(struct vhu_top_probes *probes, uint32_t pid, const char *socket)
{
	struct vhu_top_probe *probe = calloc(1, sizeof(*probe)), **grown;
	char name[VHU_TOP_NAME];

	grown = probe
		    ? vhu_array_more(probes->probe, &probes->count, sizeof(struct vhu_top_probe *))
		    : NULL;
	if (!grown) {
		free(probe);
		return -ENOMEM;
	}
	probes->probe = grown;
	grown[probes->count - 1] = probe;
	probe->among = probes;
	probe->pid = pid;
	snprintf(probe->socket, sizeof(probe->socket), "%s", pid ? "" : socket);
	if (pid)
		snprintf(name, sizeof(name), "pid %" PRIu32, pid);
	else
		snprintf(name, sizeof(name), "%s", socket);
	probe->source = vhu_top_source(probes->top, name);
	if (!probe->source)
		return -ENOMEM;
	probe->source->probed = true;
	return 0;
}

/* Start vhu latency, unless its process is gone. */
static void start(struct vhu_top_probe *probe, uint64_t now_ns)
{
	char pid[16], interval[32];
	const char *words[] = {"latency",  "--json",      "--interval", interval,
			       "--socket", probe->socket, NULL,         NULL};

	snprintf(pid, sizeof(pid), "%" PRIu32, probe->pid);
	snprintf(interval, sizeof(interval), "%" PRIu64 "ns", probe->among->delay_ns);
	if (probe->pid) {
		words[4] = "-p";
		words[5] = pid;
		words[6] = "-f";
	}
	if (probe->pid && kill((pid_t)probe->pid, 0) && errno == ESRCH)
		vhu_top_source_gone(probe->source, "no such process", now_ns);
	else if (vhu_top_child_start(&probe->latency, words))
		vhu_top_source_gone(probe->source, "no process can be started", now_ns);
	*probe->error = '\0';
	probe->batch_ns = 0;
	probe->ended_ns = now_ns;
}

void vhu_top_probes_tick(struct vhu_top_probes *probes, uint64_t now_ns)
{
	static const char *const list[] = {"attach", "--list", "--json", NULL};

	if ((probes->count || probes->all) && !probes->list.pid &&
	    (!probes->listed_ns || (probes->all && now_ns - probes->listed_ns > LIST_EVERY_NS))) {
		probes->pairs = 0;
		probes->listed_ns = now_ns;
		vhu_top_child_start(&probes->list, list);
	}
	for (unsigned i = 0; i < probes->count; i++) {
		struct vhu_top_probe *probe = probes->probe[i];

		if (!probe->latency.pid &&
		    (!probe->ended_ns || now_ns - probe->ended_ns > AGAIN_NS))
			start(probe, now_ns);
	}
}

unsigned vhu_top_probes_children(const struct vhu_top_probes *probes)
{
	return probes->count + 1;
}

/* Return process number @at: the first is that which lists. */
static const struct vhu_top_child *child_at(const struct vhu_top_probes *probes, unsigned at)
{
	return at ? &probes->probe[at - 1]->latency : &probes->list;
}

void vhu_top_probes_fds(const struct vhu_top_probes *probes, unsigned at, int fd[VHU_TOP_CHILD_FDS])
{
	const struct vhu_top_child *child = child_at(probes, at);

	fd[0] = child->pid ? child->out.fd : -1;
	fd[1] = child->pid ? child->err.fd : -1;
}

/* Take one side of a connection. */
static void take_peer(struct vhu_top_peer *peer, const json_t *side)
{
	const char *comm = json_string_value(json_object_get(side, "comm"));

	*peer = (struct vhu_top_peer){.pid = (uint32_t)vhu_top_answer_number(side, "pid")};
	snprintf(peer->comm, sizeof(peer->comm), "%s", comm ? comm : "");
}

/* Take a line of vhu attach --list. */
static void take_pair(void *with, char *text)
{
	struct vhu_top_probes *probes = with;
	json_t *line = json_loads(text, 0, NULL);
	const char *socket = json_string_value(json_object_get(line, "socket"));
	struct vhu_top_pair *grown =
	    socket ? vhu_array_more(probes->pair, &probes->pairs, sizeof(*grown)) : NULL;

	if (grown) {
		struct vhu_top_pair *pair = &grown[probes->pairs - 1];

		probes->pair = grown;
		take_peer(&pair->peer[VHU_TOP_FRONT], json_object_get(line, "front_end"));
		take_peer(&pair->peer[VHU_TOP_BACK], json_object_get(line, "back_end"));
		snprintf(pair->socket, sizeof(pair->socket), "%s", socket);
	}
	json_decref(line);
}

/* What went wrong with the list is said by each vhu latency too. */
static void ignore(void *with, char *line)
{
	(void)with;
	(void)line;
}

/* Watch the back-ends that were listed and are not watched yet, but for proxies of ours. */
static void add_listed(struct vhu_top_probes *probes)
{
	for (unsigned i = 0; i < probes->pairs; i++) {
		const struct vhu_top_peer *back = &probes->pair[i].peer[VHU_TOP_BACK];
		bool known = !strcmp(back->comm, "vhu");

		for (unsigned at = 0; at < probes->count; at++)
			known |= probes->probe[at]->pid == back->pid;
		if (!known)
			vhu_top_probes_add(probes, back->pid, NULL);
	}
}

/* Take a line of vhu latency. */
static void take_line(void *with, char *text)
{
	struct vhu_top_probe *probe = with;
	json_t *line = json_loads(text, 0, NULL);

	vhu_top_probe_take(probe, line, vhu_now_ns());
	json_decref(line);
}

/* Keep what vhu latency says is wrong. */
static void take_error(void *with, char *line)
{
	static const char name[] = "vhu latency: ";
	struct vhu_top_probe *probe = with;

	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	snprintf(probe->error, sizeof(probe->error), "%s", line);
}

void vhu_top_probes_read(struct vhu_top_probes *probes, unsigned at)
{
	struct vhu_top_probe *probe;

	if (!at) {
		if (probes->list.pid &&
		    !vhu_top_child_read(&probes->list, take_pair, ignore, probes) && probes->all)
			add_listed(probes);
		return;
	}
	probe = probes->probe[at - 1];
	if (!probe->latency.pid ||
	    vhu_top_child_read(&probe->latency, take_line, take_error, probe))
		return;
	probe->ended_ns = vhu_now_ns();
	vhu_top_source_gone(probe->source, *probe->error ? probe->error : "vhu latency ended",
			    probe->ended_ns);
}

void vhu_top_probes_settle(struct vhu_top_probes *probes, uint64_t now_ns)
{
	for (unsigned i = 0; i < probes->count; i++)
		if (probes->probe[i]->batch_ns && now_ns - probes->probe[i]->taken_ns > PAUSE_NS)
			vhu_top_probe_flush(probes->probe[i], now_ns);
}

void vhu_top_probes_free(struct vhu_top_probes *probes)
{
	vhu_top_child_stop(&probes->list);
	for (unsigned i = 0; i < probes->count; i++) {
		vhu_top_child_stop(&probes->probe[i]->latency);
		free(probes->probe[i]);
	}
	free(probes->probe);
	free(probes->pair);
	*probes = (struct vhu_top_probes){0};
}
