/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of a relay's messages: taken, replaced, sent, let go. */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/relay/internal.h"

/* Of Linux 6.5. */
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

void vhu_relay_drop_fds(struct vhu_relay *relay, unsigned count)
{
	for (unsigned i = relay->instead >= 0 ? 1 : 0; i < count; i++)
		close(relay->fd[i]);
	relay->fds -= count;
	memmove(relay->fd, relay->fd + count, relay->fds * sizeof(relay->fd[0]));
	if (relay->instead >= 0)
		close(relay->instead);
	relay->instead = -1;
}

void vhu_relay_lose_fd(struct vhu_relay *relay, unsigned at)
{
	close(relay->fd[at]);
	memmove(relay->fd + at, relay->fd + at + 1, (relay->fds - at - 1) * sizeof(relay->fd[0]));
	relay->fds--;
	relay->all_fds--;
	if (!--relay->group[0].fds)
		relay->groups = 0;
}

int vhu_relay_add_fd(struct vhu_relay *relay, int fd)
{
	if (relay->fds >= VHU_RECORD_FDS_MAX)
		return -ENOSPC;
	if (!relay->groups) {
		relay->groups = 1;
		relay->group[0] = (struct vhu_relay_group){0};
	}
	relay->fd[relay->fds++] = fd;
	relay->all_fds++;
	relay->added++;
	relay->group[0].fds++;
	return 0;
}

/* Note @fds more descriptors, which came with byte relay->got or with ones after it. Those that
 * came within the header count as come with its first byte: it is not sent in pieces. */
static void relay_group(struct vhu_relay *relay, unsigned fds)
{
	struct vhu_relay_group *last = relay->groups ? &relay->group[relay->groups - 1] : NULL;
	bool header = relay->got < VHU_HEADER_SIZE;

	relay->fds += fds;
	relay->all_fds += fds;
	if (last && header && last->fds + fds <= VHU_RECORD_FDS_MAX) {
		last->fds += fds;
		return;
	}
	relay->group[relay->groups].at = header && !last && !relay->sent ? 0 : relay->got;
	relay->group[relay->groups++].fds = fds;
}

void vhu_relay_take_fds(struct vhu_relay *relay, struct msghdr *message)
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t fds;
		int process;

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_PIDFD &&
		    c->cmsg_len == CMSG_LEN(sizeof(process))) {
			memcpy(&process, CMSG_DATA(c), sizeof(process));
			if (process >= 0)
				close(process);
		}
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(relay->fd + relay->fds + count, CMSG_DATA(c), fds * sizeof(int));
		count += (unsigned)fds;
	}
	if (count)
		relay_group(relay, count);
}

bool vhu_relay_may_fly(struct vhu_relay *relay)
{
	unsigned fds = relay->group[0].fds;
	int unread = 0;

	if (fds <= VHU_RELAY_FEW_FDS || relay->in_flight + fds <= VHU_RELAY_IN_FLIGHT_MAX)
		return true;
	if (!ioctl(relay->to, SIOCOUTQ, &unread) && unread > 0)
		return false;
	relay->in_flight = 0;
	return true;
}

void vhu_relay_group_sent(struct vhu_relay *relay, bool keep)
{
	unsigned fds = relay->group[0].fds;

	if (fds > VHU_RELAY_FEW_FDS)
		relay->in_flight += fds;
	relay->kept = keep;
	if (keep)
		return;
	if (relay->describe && !relay->recorded)
		vhu_relay_describe(relay, fds);
	vhu_relay_drop_fds(relay, fds);
	relay->group[0] = relay->group[1];
	relay->groups--;
}

void vhu_relay_attach(struct vhu_relay *relay, struct msghdr *message,
		      union vhu_relay_control *control)
{
	size_t size = relay->group[0].fds * sizeof(int);
	struct cmsghdr *c;

	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(size);
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), relay->fd, size);
	if (relay->instead >= 0)
		memcpy(CMSG_DATA(c), &relay->instead, sizeof(relay->instead));
}

void vhu_relay_ask(struct vhu_relay *relay)
{
	relay->asked = true;
	if (relay->fds - relay->added == 1 && !relay->group[0].at && relay->got >= VHU_HEADER_SIZE)
		relay->instead = relay->owner->opens(relay);
}
