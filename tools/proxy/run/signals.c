/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signals that vhu proxy takes, as events of its loop. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/proxy/run/run.h"

#include "lib/util/util.h"

/* Stop the loop. */
static void stop(struct vhu_proxy_run *run)
{
	run->signalled = true;
	run->proxy.loop.stop = true;
}

/* The terminal is gone, or the configuration has changed. */
static void hang_up(struct vhu_proxy_run *run)
{
	if (run->request->config)
		vhu_proxy_run_reload(run);
	else
		stop(run);
}

/* Write out what there is, and say so. */
static void write_out(struct vhu_proxy_run *run)
{
	char line[VHU_PROXY_WRITTEN_MAX];

	vhu_proxy_run_write_out(run, "asked for by a signal", line);
	vhu_proxy_say(&run->proxy, "%s", line);
}

/* What is done about a signal: one row each. */
static const struct {
	int number;
	/* It ends the run. If it is ignored, as under nohup, it stays ignored. */
	bool ends;
	void (*act)(struct vhu_proxy_run *run);
} row[] = {
    {SIGINT, true, stop},        {SIGTERM, true, stop},
    {SIGHUP, true, hang_up},     {SIGUSR1, false, vhu_proxy_run_say_status},
    {SIGUSR2, false, write_out},
};
#define ROWS VHU_ARRAY_SIZE(row)

/* Set by the signal handler, by row; and written to: calls that wait are left. */
static volatile sig_atomic_t noted[ROWS];
static volatile sig_atomic_t signalled = -1;

/* What is ignored: it is only an error of a call. */
static const int ignored[] = {SIGPIPE, SIGXFSZ};
#define IGNORED VHU_ARRAY_SIZE(ignored)
static struct sigaction before_ignored[IGNORED];

/* Note a signal. */
static void on_signal(int number)
{
	const uint64_t one = 1;
	int saved = errno;

	for (size_t i = 0; i < ROWS; i++) {
		if (row[i].number == number)
			noted[i] = 1;
	}
	if (signalled >= 0 && write(signalled, &one, sizeof(one)) < 0) {
		/* It was noted already. */
	}
	errno = saved;
}

/* Signals were noted: do what they ask for. */
static void act(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_proxy_run *run = vhu_container_of(watch, struct vhu_proxy_run, signals);
	uint64_t times;

	(void)events;
	if (read(signalled, &times, sizeof(times)) < 0) {
		/* They were seen to already. */
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (!noted[i])
			continue;
		noted[i] = 0;
		row[i].act(run);
	}
}

int vhu_proxy_run_catch_signals(struct vhu_proxy_run *run)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signalled < 0)
		return -errno;
	for (size_t i = 0; i < ROWS; i++) {
		const bool ends = row[i].ends && (row[i].number != SIGHUP || !run->request->config);

		if (!ends ||
		    (!sigaction(row[i].number, NULL, &before) && before.sa_handler != SIG_IGN))
			sigaction(row[i].number, &action, NULL);
	}
	for (size_t i = 0; i < IGNORED; i++)
		sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN},
			  &before_ignored[i]);
	run->signals.ready = act;
	run->signals.fd = signalled;
	return vhu_loop_watch(&run->proxy.loop, &run->signals, EPOLLIN);
}

void vhu_proxy_run_restore_signals(void)
{
	for (size_t i = 0; i < IGNORED; i++)
		sigaction(ignored[i], &before_ignored[i], NULL);
}

void vhu_proxy_run_release_signals(struct vhu_proxy_run *run)
{
	const int fd = signalled;

	vhu_loop_unwatch(&run->proxy.loop, &run->signals);
	/* A signal from now on finds nothing to write to. */
	signalled = -1;
	if (fd >= 0)
		close(fd);
}
