/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to a running proxy's control socket. */
#include "tools/ctl/meet.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/ring/verdict/process.h"
#include "tools/rings/process/proxy.h"

/* A proxy answers within this time, seconds. */
#define PATIENCE 5

/* Let reads and writes wait for so long, seconds; 0: without end. */
static void wait_for(int fd, time_t seconds)
{
	const struct timeval patience = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

void vhu_control_wait_on(FILE *proxy)
{
	wait_for(fileno(proxy), 0);
}

void vhu_control_silence(FILE *proxy, const char *who, char why[VHU_CONTROL_WHY])
{
	const struct vhu_ring_trouble *trouble;
	struct vhu_ring_process process = {0};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	/* Of a socket that systemd has made the peer is systemd. */
	if (!getsockopt(fileno(proxy), SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.pid > 1)
		vhu_ring_process_read(&process, (uint32_t)peer.pid);
	trouble = process.known ? vhu_ring_trouble(process.state) : NULL;
	if (trouble)
		snprintf(why, VHU_CONTROL_WHY, "%s does not answer: process %" PRIu32 " %s: %s",
			 who, process.pid, trouble->text, trouble->advice);
	else if (process.known)
		snprintf(why, VHU_CONTROL_WHY,
			 "%s (pid %" PRIu32
			 ", state %c) does not answer: is this the control socket of a vhu proxy?",
			 who, process.pid, process.state);
	else
		snprintf(why, VHU_CONTROL_WHY,
			 "%s does not answer: is this the control socket of a vhu proxy?", who);
}

const char *vhu_control_why(FILE *proxy, char why[VHU_CONTROL_WHY])
{
	if (errno == EAGAIN)
		vhu_control_silence(proxy, "the proxy", why);
	else if (errno == EMSGSIZE)
		snprintf(why, VHU_CONTROL_WHY, "what answers is not a vhu proxy's control socket");
	else
		snprintf(why, VHU_CONTROL_WHY, "the proxy closed the connection");
	return why;
}

int vhu_control_meet(const char *socket, FILE **proxy, char error[VHU_ENDPOINT_ERROR])
{
	struct vhu_rings_proxy proxy_of;
	struct vhu_endpoint end;
	int fd;

	if (vhu_endpoint_parse(&end, socket, VHU_ENDPOINT_CONNECT, error))
		return -EINVAL;
	if (end.kind != VHU_ENDPOINT_CONNECT) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: not the path of a socket", socket);
		return -EINVAL;
	}
	if (vhu_rings_proxy_with(end.path, &proxy_of)) {
		snprintf(error, VHU_ENDPOINT_ERROR,
			 "%s: not a control socket: vhu proxy (pid %" PRIu32
			 ") uses it for its sessions%s%.200s",
			 socket, proxy_of.pid,
			 *proxy_of.control ? ": its control socket is " : " and no control socket",
			 proxy_of.control);
		return -ENOTSUP;
	}
	fd = vhu_endpoint_connect(&end, error);
	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, 0);
	wait_for(fd, PATIENCE);
	*proxy = fdopen(fd, "r+");
	if (*proxy)
		return 0;
	close(fd);
	snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
	return -ENOMEM;
}
