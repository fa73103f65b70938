/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, as a file for Prometheus. */
#include "tools/latency/metrics/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/metrics/vrings.h"
#include "lib/util/array.h"
#include "lib/util/histogram.h"
#include "lib/util/util.h"

/* Pairs that are counted one by one; those above are counted together. */
#define PAIRS_MAX 1024
#define OTHERS    "others"

struct vhu_latency_metrics {
	struct vhu_latency_metrics_choice choice;
	mode_t mode;         /* of a new file */
	char path[PATH_MAX]; /* of the file while it is written */
	struct vhu_metrics_pair **pair;
	unsigned pairs;
	bool failed; /* the last writing, which was said */
};

/* Return a pair with all counters at 0; NULL out of memory. */
static struct vhu_metrics_pair *new_pair(const char *name)
{
	struct vhu_metrics_pair *pair = calloc(1, sizeof(*pair));

	if (pair)
		pair->name = strdup(name);
	if (pair && pair->name)
		return pair;
	free(pair);
	return NULL;
}

/* Free a pair. */
static void free_pair(struct vhu_metrics_pair *pair)
{
	vhu_metrics_vrings_free(&pair->vrings);
	free(pair->name);
	free(pair);
}

/* Return what is counted of a pair, new if it is seen first; NULL out of memory. */
static struct vhu_metrics_vrings *vrings_of(struct vhu_latency_metrics *metrics, const char *name)
{
	struct vhu_metrics_pair **more, *pair;

	if (!name || !*name)
		name = metrics->choice.pair;
	for (unsigned i = 0; i < metrics->pairs; i++)
		if (!strcmp(metrics->pair[i]->name, name))
			return &metrics->pair[i]->vrings;
	if (metrics->pairs >= PAIRS_MAX && strcmp(name, OTHERS) != 0)
		return vrings_of(metrics, OTHERS);
	pair = new_pair(name);
	more = pair ? vhu_array_more(metrics->pair, &metrics->pairs, sizeof(*more)) : NULL;
	if (!more) {
		if (pair)
			free_pair(pair);
		return NULL;
	}
	metrics->pair = more;
	metrics->pair[metrics->pairs - 1] = pair;
	return &pair->vrings;
}

/* Add the times that a stage had since the last time, each as the middle of its bucket. */
static void add_times(struct vhu_metrics_times *times, const uint64_t *now, const uint64_t *before)
{
	for (unsigned i = 0; i < VHU_HISTOGRAM_BUCKETS; i++) {
		const uint64_t count = now[i] - (before ? before[i] : 0);
		uint64_t last, least;

		if (!count)
			continue;
		least = vhu_histogram_range(i, &last);
		vhu_metrics_times_add(times, least + (last - least) / 2, count);
	}
}

/* Add what a vring counted since the last time. */
static void count_vring(struct vhu_metrics_vrings *vrings, struct vhu_latency_vring *vring)
{
	const struct vhu_bpf_vring *now = &vring->counts;
	const struct vhu_bpf_vring *before = vring->metered;
	struct vhu_metrics_vring *to = vhu_metrics_vring(vrings, vring->index);

	if (!to)
		return;
	to->signals[VHU_KICK] += now->kicks - (before ? before->kicks : 0);
	to->signals[VHU_CALL] += now->calls - (before ? before->calls : 0);
	to->wakes += now->wakes - (before ? before->wakes : 0);
	add_times(&to->kick_to_call, now->bucket[VHU_KICK_TO_CALL],
		  before ? before->bucket[VHU_KICK_TO_CALL] : NULL);
	add_times(&to->kick_to_wake, now->bucket[VHU_KICK_TO_WAKE],
		  before ? before->bucket[VHU_KICK_TO_WAKE] : NULL);
	add_times(&to->wake_to_call, now->bucket[VHU_WAKE_TO_CALL],
		  before ? before->bucket[VHU_WAKE_TO_CALL] : NULL);
	if (!vring->metered)
		vring->metered = malloc(sizeof(*vring->metered));
	if (vring->metered)
		*vring->metered = *now;
}

/* Forget what waited. */
static void forget_waiting(struct vhu_metrics_vrings *vrings)
{
	for (unsigned i = 0; i < VHU_METRICS_VRINGS; i++)
		if (vrings->vring[i])
			vrings->vring[i]->waiting = vrings->vring[i]->oldest_ns = 0;
}

/* Add what waits in a vring now. */
static void count_waiting(struct vhu_metrics_vrings *vrings, const struct vhu_latency_vring *vring,
			  uint64_t now_ns)
{
	const struct vhu_latency_waiting waiting = vhu_latency_vring_waiting(vring, now_ns);
	struct vhu_metrics_vring *to = vhu_metrics_vring(vrings, vring->index);

	if (!to || vring->ended_ns)
		return;
	to->waiting += waiting.untaken + waiting.taken;
	if (waiting.for_ns > to->oldest_ns)
		to->oldest_ns = waiting.for_ns;
}

void vhu_latency_metrics_count(struct vhu_latency_metrics *metrics,
			       const struct vhu_latency_vrings *vrings, uint64_t now_ns)
{
	for (unsigned i = 0; i < metrics->pairs; i++)
		forget_waiting(&metrics->pair[i]->vrings);
	for (unsigned i = 0; i < vrings->count; i++) {
		struct vhu_latency_vring *vring = vrings->vring[i];
		struct vhu_metrics_vrings *counted =
		    vring->ever_wired ? vrings_of(metrics, vring->session ? vring->pair : NULL)
				      : NULL;

		if (!counted)
			continue;
		count_vring(counted, vring);
		count_waiting(counted, vring, now_ns);
	}
}

void vhu_latency_metrics_stalled(struct vhu_latency_metrics *metrics, const char *pair,
				 const char *verdict)
{
	struct vhu_metrics_vrings *vrings = vrings_of(metrics, pair);

	if (vrings)
		vhu_metrics_vrings_stalled(vrings, verdict);
}

/* Write a new file, with the rights that files have here. Returns 0 or -errno. */
static int write_new(const struct vhu_latency_metrics *metrics, int fd)
{
	FILE *to = fdopen(fd, "w");
	int ret = 0;

	if (!to) {
		ret = -errno;
		close(fd);
		return ret;
	}
	vhu_metrics_put_probes(to, metrics->pair, metrics->pairs);
	if (fchmod(fd, metrics->mode) || fflush(to) || ferror(to))
		ret = -errno;
	if (fclose(to) && !ret)
		ret = -errno;
	return ret;
}

/* Replace the file. Returns 0 or -errno. */
static int replace(struct vhu_latency_metrics *metrics)
{
	int fd, ret;

	/* The collector passes over files whose names do not end with .prom. */
	snprintf(metrics->path, sizeof(metrics->path), "%s.XXXXXX", metrics->choice.path);
	fd = mkostemp(metrics->path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_new(metrics, fd);
	if (!ret && rename(metrics->path, metrics->choice.path))
		ret = -errno;
	if (ret)
		unlink(metrics->path);
	return ret;
}

int vhu_latency_metrics_write(struct vhu_latency_metrics *metrics)
{
	int ret = replace(metrics);

	if (ret && !metrics->failed)
		vhu_fail(metrics->choice.command, "%s: metrics cannot be written: %s",
			 metrics->choice.path, strerror(-ret));
	metrics->failed = ret;
	return ret ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}

/* Look whether a path can be a file's for metrics. Returns an exit status. */
static int check_path(const struct vhu_latency_metrics_choice *choice)
{
	struct stat st;

	if (strlen(choice->path) + sizeof(".XXXXXX") > PATH_MAX)
		return vhu_fail(choice->command, "%s: too long for a path", choice->path);
	/* A device would be replaced by a file. */
	if (!stat(choice->path, &st) && !S_ISREG(st.st_mode))
		return vhu_fail(choice->command, "%s: not a file: metrics would replace it",
				choice->path);
	return VHU_EXIT_DONE;
}

int vhu_latency_metrics_open(struct vhu_latency_metrics **to,
			     const struct vhu_latency_metrics_choice *choice)
{
	struct vhu_latency_metrics *metrics = NULL;
	int status = check_path(choice);

	if (status == VHU_EXIT_DONE)
		metrics = calloc(1, sizeof(*metrics));
	*to = metrics;
	if (!metrics)
		return status == VHU_EXIT_DONE ? vhu_fail(choice->command, "out of memory")
					       : status;
	metrics->choice = *choice;
	metrics->mode = umask(0);
	umask(metrics->mode);
	metrics->mode = 0666 & ~metrics->mode;
	return vhu_latency_metrics_write(metrics);
}

void vhu_latency_metrics_close(struct vhu_latency_metrics *metrics)
{
	if (!metrics)
		return;
	for (unsigned i = 0; i < metrics->pairs; i++)
		free_pair(metrics->pair[i]);
	free(metrics->pair);
	free(metrics);
}
