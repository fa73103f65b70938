/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor. */
#include "tools/qmp/qmp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/ring/verdict/process.h"
#include "lib/util/util.h"
#include "tools/ctl/line.h"

/* A monitor that says nothing for so long has another client. */
#define PATIENCE_S 5
/* An answer comes within this time, whatever comes before it. */
#define ANSWER_NS  (30 * VHU_NS_PER_S)

/* What is said of such a monitor. */
#define SILENT                                                                                     \
	"QEMU's monitor does not answer: another client is connected, or "                         \
	"QEMU waits for a back-end (vhu attach --list lists them)"

int vhu_qmp_fail(const struct vhu_qmp *qmp, const char *what)
{
	return vhu_fail(qmp->command, "%s: %s", qmp->path, what);
}

json_t *vhu_qmp_ask(struct vhu_qmp *qmp, const char *question)
{
	const uint64_t until_ns = vhu_now_ns() + ANSWER_NS;
	json_t *answer = NULL, *value = NULL;
	char *line = NULL;
	size_t room = 0;

	if (send(fileno(qmp->monitor), question, strlen(question), MSG_NOSIGNAL) < 0)
		return NULL;
	/* Events pass before the answer, but not without end. */
	while (!value && vhu_now_ns() < until_ns &&
	       vhu_answer_line(fileno(qmp->monitor), &line, &room) > 0) {
		answer = json_loads(line, 0, NULL);
		value = json_incref(json_object_get(answer, "return"));
		if (json_object_get(answer, "error") || !json_is_object(answer)) {
			json_decref(answer);
			break;
		}
		json_decref(answer);
	}
	free(line);
	return value;
}

/* Connect. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said. */
static int connect_to(struct vhu_qmp *qmp)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int fd;

	if (strlen(qmp->path) >= sizeof(address.sun_path))
		return vhu_qmp_fail(qmp, "socket paths are limited to 107 bytes");
	strcpy(address.sun_path, qmp->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* A monitor serves one client at a time and lets others wait. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		/* Too many others wait there. */
		return vhu_qmp_fail(qmp, error == EAGAIN ? SILENT : strerror(error));
	}
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		qmp->pid = (uint32_t)peer.pid;
	qmp->monitor = fdopen(fd, "r+");
	if (!qmp->monitor) {
		close(fd);
		return vhu_qmp_fail(qmp, strerror(ENOMEM));
	}
	return VHU_EXIT_DONE;
}

int vhu_qmp_open(struct vhu_qmp *qmp, const struct vhu_command *command, const char *path)
{
	const struct vhu_ring_trouble *trouble;
	struct vhu_ring_process process = {0};
	json_t *ready;
	int status;

	*qmp = (struct vhu_qmp){.command = command, .path = path};
	status = connect_to(qmp);
	if (status != VHU_EXIT_DONE)
		return status;
	/* The greeting is passed over as events are. */
	ready = vhu_qmp_ask(qmp, "{\"execute\":\"qmp_capabilities\"}\n");
	json_decref(ready);
	if (ready)
		return VHU_EXIT_DONE;
	vhu_qmp_close(qmp);
	vhu_ring_process_read(&process, qmp->pid);
	trouble = process.known ? vhu_ring_trouble(process.state) : NULL;
	if (trouble)
		return vhu_fail(command, "%s: QEMU (pid %" PRIu32 ") %s: %s", path, process.pid,
				trouble->text, trouble->advice);
	return vhu_qmp_fail(qmp, SILENT);
}

void vhu_qmp_close(struct vhu_qmp *qmp)
{
	fclose(qmp->monitor);
	qmp->monitor = NULL;
}
