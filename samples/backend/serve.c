/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop: one thread waits for signals, front-ends, messages, kicks and requests that are due,
 * and handles them. Each turn makes a new list of what to wait for: it is short.
 */
#include "samples/backend/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "samples/backend/control.h"
#include "samples/backend/handlers/handlers.h"
#include "samples/backend/session.h"
#include "samples/backend/work.h"
#include "samples/common/clock.h"

/* Interval for polling vrings whose driver does not kick. */
#define POLLING_SPAN UINT64_C(50000)

/* What the loop waits for, and where in the list that is. */
enum { ON_SIGNAL, ON_SOCKET, ON_UPCALL, ON_RING };

struct loop {
	struct vhu_backend *backend;
	int listener; /* -1: there is one front-end only */
	int signals;
	bool stop;
	struct pollfd list[ON_RING + VHU_VRINGS_MAX];
};

/* Return whether a ring's kick is to be waited for; one that comes in vain would come for ever. */
static bool waits_for_kick(const struct vhu_device_vring *ring)
{
	return ring->kick >= 0 && !ring->broken && (ring->enabled || !ring->started);
}

/* List what to wait for. Negative descriptors are passed over. Returns how many there are. */
static nfds_t list(struct loop *loop)
{
	struct vhu_backend *backend = loop->backend;
	bool connected = backend->socket >= 0;
	unsigned rings = connected ? backend->device->queues : 0;

	loop->list[ON_SIGNAL] = (struct pollfd){loop->signals, POLLIN, 0};
	loop->list[ON_SOCKET] =
	    (struct pollfd){connected ? backend->socket : loop->listener, POLLIN, 0};
	loop->list[ON_UPCALL] = (struct pollfd){connected ? backend->upcall.socket : -1, POLLIN, 0};
	for (unsigned i = 0; i < rings; i++) {
		const struct vhu_device_vring *ring = &backend->ring[i];

		loop->list[ON_RING + i] =
		    (struct pollfd){waits_for_kick(ring) ? ring->kick : -1, POLLIN, 0};
	}
	return ON_RING + rings;
}

/* Do what is due. Returns when there is more to do, or VHU_CLOCK_NEVER. */
static uint64_t do_due(struct vhu_backend *backend)
{
	uint64_t now = vhu_now_ns(), next = VHU_CLOCK_NEVER;

	for (unsigned i = 0; backend->socket >= 0 && i < backend->device->queues; i++) {
		struct vhu_device_vring *ring = &backend->ring[i];
		uint64_t due;

		if (ring->again || ring->polled)
			vhu_work(backend, ring);
		due = vhu_work_due(backend, ring, now);
		if (ring->again)
			due = now;
		else if (ring->polled && due > now + POLLING_SPAN)
			due = now + POLLING_SPAN;
		next = due < next ? due : next;
	}
	if (backend->socket >= 0)
		vhu_upcall_flush(&backend->upcall);
	return next;
}

/* A signal has come: stop, or look whether the device has changed. */
static void on_signal(struct loop *loop)
{
	struct vhu_backend *backend = loop->backend;
	struct vhu_device *device = backend->device;
	struct signalfd_siginfo info;

	if (read(loop->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		loop->stop = true;
		return;
	}
	if (device->refresh && device->refresh(device) && backend->socket >= 0 &&
	    vhu_backend_has_protocol(backend, VHU_PF_CONFIG))
		backend->upcall.config = true;
}

/* A front-end has come, or has sent something. Returns 0 or -errno of the session's end. */
static int on_socket(struct loop *loop)
{
	int fd;

	if (loop->backend->socket >= 0)
		return vhu_control(loop->backend);
	fd = accept4(loop->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		vhu_backend_open(loop->backend, fd);
	return 0;
}

/* A ring was kicked: the first kick starts it. */
static void on_kick(struct vhu_backend *backend, struct vhu_device_vring *ring)
{
	uint64_t count;
	struct iovec into = {.iov_base = &count, .iov_len = sizeof(count)};
	const char *wrong;
	ssize_t got;

	/* Others may have read it meanwhile: never wait. Plain files do not do as kicks. */
	got = vhu_defect_due(&backend->defects, VHU_DEFECT_UNREAD_KICK, NULL)
		  ? (ssize_t)sizeof(count)
		  : preadv2(ring->kick, &into, 1, -1, RWF_NOWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		vhu_work_give_up(backend, ring, "its kick cannot be read");
		return;
	}
	if (vhu_defect_due(&backend->defects, VHU_DEFECT_LOSE_KICK, NULL))
		return;
	wrong = vhu_start(backend, ring);
	if (wrong)
		vhu_work_give_up(backend, ring, wrong);
}

/*
 * End the session.
 * @why: -errno. A socket where front-ends come is served on whatever one of them did.
 * Returns the exit status if this was all.
 */
static int end_session(struct loop *loop, int why)
{
	struct vhu_backend *backend = loop->backend;

	if (backend->verbose)
		vhu_fail(backend->command, "the front-end has gone");
	vhu_backend_close(backend);
	if (loop->listener >= 0)
		return VHU_EXIT_DONE;
	loop->stop = true;
	return why == -EPIPE ? VHU_EXIT_DONE : VHU_EXIT_FAILED;
}

/* Do what the list says has come. Returns 0, or -errno of the session's end. */
static int dispatch(struct loop *loop, nfds_t listed)
{
	struct vhu_backend *backend = loop->backend;

	if (loop->list[ON_SIGNAL].revents)
		on_signal(loop);
	if (loop->list[ON_UPCALL].revents && backend->upcall.socket >= 0)
		vhu_upcall_receive(&backend->upcall);
	for (nfds_t i = ON_RING; i < listed; i++)
		if (loop->list[i].revents)
			on_kick(backend, &backend->ring[i - ON_RING]);
	/* Last: it may close what is listed. */
	return loop->list[ON_SOCKET].revents ? on_socket(loop) : 0;
}

/* Block the signals that the loop takes itself. Returns a descriptor of them or -errno. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int vhu_serve(struct vhu_backend *backend, int listener, int connected)
{
	struct loop loop = {.backend = backend, .listener = listener, .signals = open_signals()};
	int status = VHU_EXIT_DONE, error;

	if (loop.signals < 0)
		return vhu_fail(backend->command, "no signals: %s", strerror(-loop.signals));
	if (connected >= 0)
		vhu_backend_open(backend, connected);
	while (!loop.stop) {
		uint64_t next = do_due(backend), now = vhu_now_ns();
		uint64_t span = next > now ? next - now : 0;
		struct timespec time = {
		    .tv_sec = (time_t)(span / VHU_NS_PER_S),
		    .tv_nsec = (long)(span % VHU_NS_PER_S),
		};
		nfds_t listed = list(&loop);
		int ready = ppoll(loop.list, listed, next == VHU_CLOCK_NEVER ? NULL : &time, NULL);

		if (ready <= 0)
			continue;
		error = dispatch(&loop, listed);
		if (error)
			status = end_session(&loop, error);
	}
	if (backend->socket >= 0)
		vhu_backend_close(backend);
	close(loop.signals);
	return status;
}
