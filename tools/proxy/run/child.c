/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The COMMAND of vhu proxy: one side of its one pair, started by us. */
#include "tools/proxy/run/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/proxy/run/run.h"

/* After the only session: how long until COMMAND gets a SIGTERM. */
#define CHILD_MOMENT_MS 2000
/* After that, until it is killed; and before that, while a second signal is taken for the same wish
 * (timeout(1) signals a process, then its group). */
#define CHILD_GRACE_MS  5000
#define CHILD_CALM_MS   1000
/* A process that ends closes its sockets, and can be waited for a moment later: so long at most. */
#define CHILD_FATE_MS   1000
/* After COMMAND has ended, until the sessions are: so many turns of so long. */
#define CHILD_TURNS     200
#define CHILD_TURN_NS   10000000u

/* Return whether any session is left. */
static bool has_sessions(const struct vhu_proxy_run *run)
{
	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next) {
		if (pair->pair.sessions.first)
			return true;
	}
	return false;
}

/* COMMAND has ended: stop as soon as its sessions have, which the same event brings about. */
static void linger(struct vhu_timer *timer)
{
	struct vhu_proxy_run *run = vhu_container_of(timer, struct vhu_proxy_run, child.linger);

	if (has_sessions(run) && run->child.lingered++ < CHILD_TURNS)
		vhu_loop_set(&run->proxy.loop, timer, CHILD_TURN_NS);
	else
		run->proxy.loop.stop = true;
}

/* COMMAND has ended. */
static void child_ended(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_proxy_run *run = vhu_container_of(watch, struct vhu_proxy_run, child.child.ends);

	(void)events;
	vhu_loop_unwatch(&run->proxy.loop, watch);
	vhu_loop_set(&run->proxy.loop, &run->child.linger, 0);
}

/* A hook of struct vhu_proxy. COMMAND is identified by its side. */
static bool child_fate(const struct vhu_proxy *proxy, enum vhu_side side, char *to, size_t size)
{
	const struct vhu_proxy_run *run =
	    vhu_container_of(proxy, const struct vhu_proxy_run, proxy);

	return side == run->child.side &&
	       vhu_child_fate(&run->child.child, CHILD_FATE_MS, to, size);
}

int vhu_proxy_child_start(struct vhu_proxy_run *run)
{
	struct vhu_child *child = &run->child.child;
	int error;

	if (!run->request->child)
		return VHU_EXIT_DONE;
	child->ends.ready = child_ended;
	run->proxy.fate = child_fate;
	child->prepare = vhu_proxy_run_restore;
	child->quiet_output = run->request->file && !strcmp(run->request->file, "-");
	run->child.linger.fire = linger;
	/* It is known to come. */
	if (run->pairs->pair.end[run->child.side].kind == VHU_ENDPOINT_CONNECT) {
		run->pairs->pair.patience_ns = VHU_PAIR_FOR_EVER;
		run->pairs->pair.missed = true;
	}
	error = vhu_child_start(child, &run->proxy.loop);
	if (child->pass >= 0)
		close(child->pass);
	child->pass = -1;
	if (!error)
		return VHU_EXIT_DONE;
	vhu_fail(run->command, "%s: cannot be run: %s", child->argv[0], strerror(-error));
	return error == -ENOENT ? VHU_CHILD_NOT_FOUND : VHU_CHILD_CANNOT_RUN;
}

/* Say how COMMAND ended, unless it did well. */
static void say_end(const struct vhu_proxy_run *run)
{
	const struct vhu_child *child = &run->child.child;

	if (WIFSIGNALED(child->status))
		vhu_fail(run->command, "%s: was ended by signal %d (%s)", child->argv[0],
			 WTERMSIG(child->status), strsignal(WTERMSIG(child->status)));
	else if (WEXITSTATUS(child->status))
		vhu_fail(run->command, "%s: ended with status %d", child->argv[0],
			 WEXITSTATUS(child->status));
}

/* Wait for the end of COMMAND, @patience_ms at most, and until a signal asks us for ours. Returns
 * whether it has ended. */
static bool wait_for_end(struct vhu_proxy_run *run, int patience_ms)
{
	uint64_t now = vhu_now_ns(), until = now + (uint64_t)patience_ms * VHU_NS_PER_MS;

	run->signalled = false;
	for (; !run->signalled && now < until; now = vhu_now_ns()) {
		if (vhu_child_wait(&run->child.child, (int)((until - now) / VHU_NS_PER_MS) + 1,
				   run->signals.fd))
			return true;
		/* It may have been one that asks for something else. */
		run->signals.ready(&run->signals, EPOLLIN);
	}
	return false;
}

/* Wait until COMMAND, which got a SIGTERM, ends or a further signal comes. Returns whether it
 * ended. */
static bool give_time(struct vhu_proxy_run *run)
{
	if (vhu_child_wait(&run->child.child, CHILD_CALM_MS, -1))
		return true;
	/* What has come until now is forgotten. */
	run->signals.ready(&run->signals, EPOLLIN);
	return wait_for_end(run, CHILD_GRACE_MS);
}

int vhu_proxy_child_finish(struct vhu_proxy_run *run, int status)
{
	struct vhu_child *child = &run->child.child;

	/* It was never started, or could not be. */
	if (!run->request->child || child->ends.fd < 0)
		return status;
	vhu_loop_unset(&run->child.linger);
	if (run->signalled ? vhu_child_wait(child, 0, -1) : wait_for_end(run, CHILD_MOMENT_MS)) {
		say_end(run);
	} else {
		vhu_child_signal(child, SIGTERM);
		if (!give_time(run))
			vhu_fail(run->command, "%s: does not end: killed", child->argv[0]);
	}
	vhu_child_end(child, &run->proxy.loop);
	return vhu_child_exit_status(child);
}

/* Remove all files in our folder: only COMMAND can have put them there. */
static void empty_folder(const struct vhu_proxy_child *child)
{
	DIR *folder = fdopendir(child->folder_fd);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		unlinkat(child->folder_fd, entry->d_name, 0);
	if (folder)
		closedir(folder);
	else
		close(child->folder_fd);
}

void vhu_proxy_child_free(struct vhu_proxy_run *run)
{
	struct vhu_proxy_child *child = &run->child;

	if (child->child.pass >= 0)
		close(child->child.pass);
	if (!child->folder)
		return;
	empty_folder(child);
	if (unlinkat(AT_FDCWD, child->folder, AT_REMOVEDIR))
		vhu_fail(run->command, "%s: cannot be removed: %s", child->folder, strerror(errno));
	free(child->folder);
	child->folder = NULL;
}
