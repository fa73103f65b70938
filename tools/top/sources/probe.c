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

/* Lines of one time come together; after this pause there are no more of them. */
#define PAUSE_NS      (VHU_NS_PER_S / 20)
/* A process that ended is started again after this time. */
#define AGAIN_NS      (2 * VHU_NS_PER_S)
/* Sessions are listed so often, and after this if one is missing; that reads all sockets of the
 * host. */
#define LIST_EVERY_NS (10 * VHU_NS_PER_S)
#define LIST_SOON_NS  (2 * VHU_NS_PER_S)

int vhu_top_probes_add(struct vhu_top_probes *probes, uint32_t pid, const char *socket, bool named)
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
	probe->source->named = named;
	return 0;
}

/* The probe's back-end cannot be watched. */
static void give_up(struct vhu_top_probe *probe, const char *error, uint64_t now_ns)
{
	probe->down = true;
	probe->listens_ns = probe->batch_ns = 0;
	probe->now.count = probe->batch.count = 0;
	vhu_top_source_gone(probe->source, error, now_ns);
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
		give_up(probe, "no such process", now_ns);
	else if (vhu_top_child_start(&probe->latency, words))
		give_up(probe, "no process can be started", now_ns);
	*probe->error = '\0';
	probe->ended_ns = now_ns;
}

/* Start the list of sessions, if it is time. */
static void start_list(struct vhu_top_probes *probes, uint64_t now_ns)
{
	static const char *const words[] = {"attach", "--list", "--json", NULL};
	const uint64_t pause = probes->list_again ? LIST_SOON_NS : LIST_EVERY_NS;

	if ((!probes->count && !probes->all) || probes->list.pid ||
	    (probes->listed_ns && now_ns - probes->listed_ns < pause))
		return;
	probes->listed_ns = now_ns;
	probes->list_again = false;
	*probes->error = '\0';
	if (vhu_top_child_start(&probes->list, words))
		snprintf(probes->error, sizeof(probes->error), "no process can be started");
}

void vhu_top_probes_tick(struct vhu_top_probes *probes, uint64_t now_ns)
{
	start_list(probes, now_ns);
	for (unsigned i = 0; i < probes->count; i++) {
		struct vhu_top_probe *probe = probes->probe[i];

		if (!probe->latency.pid &&
		    (!probe->ended_ns || now_ns - probe->ended_ns > AGAIN_NS))
			start(probe, now_ns);
	}
	vhu_top_verdicts_tick(&probes->verdicts, now_ns);
}

unsigned vhu_top_probes_children(const struct vhu_top_probes *probes)
{
	return probes->count + 2;
}

/* Return process number @at: the first two list sessions and judge vrings. */
static const struct vhu_top_child *child_at(const struct vhu_top_probes *probes, unsigned at)
{
	return at > 1 ? &probes->probe[at - 2]->latency
	       : at   ? &probes->verdicts.rings
		      : &probes->list;
}

void vhu_top_probes_fds(const struct vhu_top_probes *probes, unsigned at, int fd[VHU_TOP_CHILD_FDS])
{
	const struct vhu_top_child *child = child_at(probes, at);

	fd[0] = child->pid ? child->out.fd : -1;
	fd[1] = child->pid ? child->err.fd : -1;
}

/* Take a line of vhu attach --list. */
static void take_pair(void *with, char *text)
{
	struct vhu_top_probes *probes = with;
	json_t *line = json_loads(text, 0, NULL);

	vhu_top_pairs_take(&probes->pairs, line, vhu_now_ns());
	json_decref(line);
}

/* Keep what vhu attach says is wrong. */
static void take_list_error(void *with, char *line)
{
	static const char name[] = "vhu attach: ";
	struct vhu_top_probes *probes = with;

	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	snprintf(probes->error, sizeof(probes->error), "%s", line);
}

/* Watch the back-ends that were listed and are not watched yet, but for proxies of ours. */
static void add_listed(struct vhu_top_probes *probes)
{
	for (unsigned i = 0; i < probes->pairs.count; i++) {
		const struct vhu_top_peer *back = &probes->pairs.pair[i].peer[VHU_TOP_BACK];
		bool known = !strcmp(back->comm, "vhu");

		for (unsigned at = 0; at < probes->count; at++)
			known |= probes->probe[at]->pid == back->pid;
		if (!known)
			vhu_top_probes_add(probes, back->pid, NULL, false);
	}
}

/* The list of sessions is whole: take it, unless something went wrong. */
static void end_list(struct vhu_top_probes *probes)
{
	if (*probes->error)
		return;
	vhu_top_pairs_end(&probes->pairs);
	for (unsigned i = 0; i < probes->pairs.count; i++)
		vhu_top_pair_find_eventfds(&probes->pairs.pair[i]);
	if (probes->all)
		add_listed(probes);
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
	const size_t length = strlen(probe->socket);

	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	/* The source's name is said before. */
	if (length && !strncmp(line, probe->socket, length) && !strncmp(line + length, ": ", 2))
		line += length + 2;
	snprintf(probe->error, sizeof(probe->error), "%s", line);
}

void vhu_top_probes_read(struct vhu_top_probes *probes, unsigned at)
{
	struct vhu_top_probe *probe;

	if (!at) {
		if (probes->list.pid &&
		    !vhu_top_child_read(&probes->list, take_pair, take_list_error, probes))
			end_list(probes);
		return;
	}
	if (at == 1) {
		vhu_top_verdicts_read(&probes->verdicts);
		return;
	}
	probe = probes->probe[at - 2];
	if (!probe->latency.pid ||
	    vhu_top_child_read(&probe->latency, take_line, take_error, probe))
		return;
	probe->ended_ns = vhu_now_ns();
	give_up(probe, *probe->error ? probe->error : "vhu latency ended", probe->ended_ns);
}

void vhu_top_probes_settle(struct vhu_top_probes *probes, uint64_t now_ns)
{
	for (unsigned i = 0; i < probes->pairs.count; i++)
		if (!probes->pairs.pair[i].busy)
			vhu_top_pair_look(&probes->pairs.pair[i], now_ns);
	for (unsigned i = 0; i < probes->count; i++) {
		struct vhu_top_probe *probe = probes->probe[i];

		if (probe->batch_ns && now_ns - probe->taken_ns > PAUSE_NS)
			vhu_top_probe_whole(probe);
		vhu_top_probe_show(probe, now_ns);
	}
}

/* Return whether a probe knows what it can know without more traffic. */
static bool is_ready(const struct vhu_top_probe *probe, uint64_t now_ns)
{
	const struct vhu_top_pairs *pairs = &probe->among->pairs;
	unsigned back;

	if (probe->down)
		return true;
	if (!probe->listens_ns)
		return false;
	for (unsigned i = 0; i < pairs->count; i++)
		if (vhu_top_pair_fits(&pairs->pair[i], probe->pid, probe->socket, &back) &&
		    vhu_top_probe_listens(probe, &pairs->pair[i], now_ns))
			return false;
	return true;
}

bool vhu_top_probes_are_ready(const struct vhu_top_probes *probes, uint64_t now_ns)
{
	if ((probes->count || probes->all) && !probes->pairs.known && !*probes->error)
		return false;
	for (unsigned i = 0; i < probes->count; i++)
		if (!is_ready(probes->probe[i], now_ns))
			return false;
	return vhu_top_verdicts_are_known(&probes->verdicts);
}

void vhu_top_probes_free(struct vhu_top_probes *probes)
{
	vhu_top_child_stop(&probes->list);
	vhu_top_verdicts_free(&probes->verdicts);
	for (unsigned i = 0; i < probes->count; i++) {
		struct vhu_top_probe *probe = probes->probe[i];

		vhu_top_child_stop(&probe->latency);
		free(probe->batch.line);
		free(probe->now.line);
		free(probe);
	}
	free(probes->probe);
	vhu_top_pairs_free(&probes->pairs);
	*probes = (struct vhu_top_probes){0};
}
