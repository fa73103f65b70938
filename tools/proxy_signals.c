/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that vhu proxy takes, as events of its loop. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/proxy_run.h"

/* Written to by the signal handler: calls that wait are left, and the loop stops. */
static int signalled = -1;

/* Note that a signal asked for the end. */
static void on_signal(int number)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)number;
	if (write(signalled, &one, sizeof(one)) < 0) {
		/* It was noted already. */
	}
	errno = saved;
}

/* A signal was noted: stop the loop. */
static void stop(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_proxy_run *run =
	    (struct vhu_proxy_run *)((char *)watch - offsetof(struct vhu_proxy_run, signals));

	(void)events;
	run->proxy.loop.stop = true;
}

int vhu_proxy_run_catch_signals(struct vhu_proxy_run *run)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal}, before;

	signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signalled < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		/* What nohup and shells have ignored stays so. */
		if (!sigaction(ends[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	run->signals.ready = stop;
	run->signals.fd = signalled;
	return vhu_loop_watch(&run->proxy.loop, &run->signals, EPOLLIN);
}

void vhu_proxy_run_release_signals(struct vhu_proxy_run *run)
{
	vhu_loop_unwatch(&run->proxy.loop, &run->signals);
	if (signalled >= 0)
		close(signalled);
	signalled = -1;
}
