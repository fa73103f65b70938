/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu proxy is doing, said on standard error when SIGUSR1 asks for it. One session is said in
 * a turn of the loop, so that many of them do not hold up what passes.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/util/util.h"
#include "proxy/control/status.h"
#include "tools/proxy/run/run.h"
#include "tools/proxy/run/say.h"

/* Return whether there is somebody who reads; else the rest is left out. */
static bool may_say(void)
{
	if (vhu_proxy_may_say())
		return true;
	vhu_proxy_say_missed();
	return false;
}

/* Say the next session, in the order of their numbers. */
static void say_next(struct vhu_timer *timer)
{
	struct vhu_proxy_run *run = vhu_container_of(timer, struct vhu_proxy_run, status.timer);
	const struct vhu_proxy_session *session = vhu_status_next(&run->proxy, run->status.said);
	struct vhu_status status;
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (!session || session->common.number > run->status.last || !may_say())
		return;
	run->status.said = session->common.number;
	vhu_loop_set(&run->proxy.loop, timer, 0);
	to = open_memstream(&text, &size);
	if (!to)
		return;
	vhu_status_gather(&status, session);
	vhu_status_text(to, &status);
	if (!fclose(to))
		fwrite(text, 1, size, stderr);
	fflush(stderr);
	free(text);
}

void vhu_proxy_run_say_status(struct vhu_proxy_run *run)
{
	const struct vhu_proxy *proxy = &run->proxy;
	unsigned open = 0;

	if (!may_say())
		return;
	for (const struct vhu_pair *pair = proxy->pair; pair; pair = pair->next) {
		for (const struct vhu_proxy_session *at = pair->sessions.first; at; at = at->next)
			open++;
	}
	vhu_fail(run->command, "%u of %" PRIu64 " sessions open, %" PRIu64 " messages passed", open,
		 proxy->sessions, proxy->messages);
	run->status.said = 0;
	run->status.last = proxy->sessions;
	run->status.timer.fire = say_next;
	vhu_loop_set(&run->proxy.loop, &run->status.timer, 0);
}
