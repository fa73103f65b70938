/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A conversation with a proxy that never blocks. */
#include "tools/top/sources/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int vhu_top_talk_open(struct vhu_top_talk *talk, const char *path, char error[VHU_ENDPOINT_ERROR])
{
	const size_t length = strlen(path);
	int ret = vhu_control_meet(path, &talk->proxy, error);

	if (ret == -ENOENT || ret == -ECONNREFUSED)
		snprintf(error, VHU_ENDPOINT_ERROR, "%s", strerror(-ret));
	else if (ret && !strncmp(error, path, length) && !strncmp(error + length, ": ", 2))
		/* The source's name is said before. */
		memmove(error, error + length + 2, strlen(error + length + 2) + 1);
	talk->lines = (struct vhu_top_lines){.fd = ret ? -1 : fileno(talk->proxy)};
	talk->asked = 0;
	if (ret)
		talk->proxy = NULL;
	return ret;
}

int vhu_top_talk_ask(struct vhu_top_talk *talk, const char *question)
{
	struct iovec part[] = {
	    {.iov_base = (char *)question, .iov_len = strlen(question)},
	    {.iov_base = "\n", .iov_len = 1},
	};
	const struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
	ssize_t sent = sendmsg(fileno(talk->proxy), &message, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	/* The proxy cannot answer half a question. */
	if ((size_t)sent != part[0].iov_len + 1)
		return -EAGAIN;
	talk->asked++;
	return 0;
}

/* What is made of a line. */
struct vhu_top_taking {
	struct vhu_top_talk *talk;
	int error;
};

/* Take a line. */
static void take_line(void *with, char *line)
{
	struct vhu_top_taking *taking = with;
	json_t *answer = taking->error ? NULL : json_loads(line, 0, NULL);

	if (!json_is_object(answer)) {
		taking->error = -EBADMSG;
	} else {
		if (json_object_get(answer, "ok") && taking->talk->asked)
			taking->talk->asked--;
		taking->talk->take(taking->talk->with, answer);
	}
	json_decref(answer);
}

int vhu_top_talk_read(struct vhu_top_talk *talk)
{
	struct vhu_top_taking taking = {.talk = talk};
	int ret = vhu_top_lines_read(&talk->lines, take_line, &taking);

	return taking.error ? taking.error : ret;
}

int vhu_top_talk_fd(const struct vhu_top_talk *talk)
{
	return talk->proxy ? talk->lines.fd : -1;
}

void vhu_top_talk_close(struct vhu_top_talk *talk)
{
	if (talk->proxy)
		fclose(talk->proxy);
	talk->proxy = NULL;
	vhu_top_lines_free(&talk->lines);
	talk->asked = 0;
}
