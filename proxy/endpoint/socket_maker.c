/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A helper that makes listening sockets while the proxy serves. */
#include "proxy/endpoint/socket_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors of an answer: the socket, and the folder of its file. */
#define MAKER_FDS 2

#define MAKER_PATH sizeof(((struct sockaddr_un *)0)->sun_path)

/* What the helper is asked for. */
struct maker_question {
	char path[MAKER_PATH], of[MAKER_PATH]; /* "" without one */
	bool mode_asked, uid_asked, gid_asked;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* What it answers; the descriptors come with it if `code` is 0. */
struct maker_answer {
	int code;
	char line[VHU_ENDPOINT_ERROR];
	dev_t device;
	ino_t inode;
};

/* Send @size bytes at @bytes, and @count descriptors. Returns 0 or -errno. */
static int maker_send(int socket, const void *bytes, size_t size, const int *fd, unsigned count)
{
	struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
	union {
		char bytes[CMSG_SPACE(MAKER_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *head;

	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(head), fd, count * sizeof(int));
	}
	while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Receive what maker_send has sent, which must have @size bytes. @fd: gets MAKER_FDS descriptors,
 * -1 for those that did not come. Returns 0; -EPIPE: the other side is gone; -errno. */
static int maker_receive(int socket, void *bytes, size_t size, int fd[MAKER_FDS])
{
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	union {
		char bytes[CMSG_SPACE(MAKER_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *head;
	ssize_t got;

	for (int i = 0; i < MAKER_FDS; i++)
		fd[i] = -1;
	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	if (got == (ssize_t)size)
		return 0;
	for (int i = 0; i < MAKER_FDS; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
	return -EPIPE;
}

/* Answer one question. Returns 0; -errno if the proxy is gone. */
static int maker_answer(int socket, struct maker_question *question)
{
	struct vhu_socket_perms perms = {
	    .has_mode = question->mode_asked,
	    .mode_asked = question->mode_asked,
	    .mode = question->mode,
	    .has_uid = question->uid_asked,
	    .uid_asked = question->uid_asked,
	    .uid = question->uid,
	    .has_gid = question->gid_asked,
	    .gid_asked = question->gid_asked,
	    .gid = question->gid,
	};
	struct maker_answer answer = {0};
	char text[MAKER_PATH + sizeof("listen:")];
	struct vhu_endpoint end;
	int fd[MAKER_FDS], error;

	question->path[MAKER_PATH - 1] = question->of[MAKER_PATH - 1] = '\0';
	snprintf(text, sizeof(text), "listen:%s", question->path);
	answer.code = vhu_endpoint_parse(&end, text, VHU_ENDPOINT_LISTEN, answer.line);
	if (!answer.code) {
		if (question->of[0])
			vhu_socket_perms_read(&perms, question->of);
		answer.code = vhu_endpoint_open(&end, &perms, answer.line);
		vhu_socket_perms_free(&perms);
	}
	answer.device = end.device;
	answer.inode = end.inode;
	fd[0] = end.fd;
	fd[1] = end.folder;
	error = maker_send(socket, &answer, sizeof(answer), fd, answer.code ? 0 : MAKER_FDS);
	if (!answer.code) {
		close(end.fd);
		close(end.folder);
	}
	return error;
}

/* Be the helper. */
static _Noreturn void maker_help(struct vhu_sandbox *sandbox, void (*prepare)(void))
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
	struct maker_question question;
	char error[VHU_SANDBOX_ERROR];
	int fd[MAKER_FDS];

	prepare();
	/* Signals to the whole group are the proxy's: the helper ends with it. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* What is missing the proxy says of its own. */
	vhu_sandbox_enter(sandbox, error);
	while (!maker_receive(STDIN_FILENO, &question, sizeof(question), fd)) {
		for (int i = 0; i < MAKER_FDS; i++) {
			if (fd[i] >= 0)
				close(fd[i]);
		}
		if (maker_answer(STDIN_FILENO, &question))
			break;
	}
	_exit(0);
}

/* Hold no descriptor but @socket, as standard input, and standard error. @ruleset: the same for
 * that of the sandbox; gets its new number. */
static void maker_close_others(int socket, int *ruleset)
{
	int null = open("/dev/null", O_RDWR);

	dup2(socket, STDIN_FILENO);
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	if (*ruleset >= 0 && *ruleset != 3) {
		dup2(*ruleset, 3);
		*ruleset = 3;
	}
	close_range(*ruleset >= 0 ? 4 : 3, ~0u, 0);
}

int vhu_socket_maker_start(struct vhu_socket_maker *maker, struct vhu_sandbox *sandbox,
			   void (*prepare)(void))
{
	int ends[2], error = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		maker_close_others(ends[1], &sandbox->ruleset);
		maker_help(sandbox, prepare);
	}
	if (pid < 0)
		error = -errno;
	close(ends[1]);
	maker->socket = ends[0];
	if (error)
		vhu_socket_maker_end(maker);
	return error;
}

int vhu_socket_maker_open(const struct vhu_socket_maker *maker, struct vhu_endpoint *endpoint,
			  const struct vhu_socket_perms *perms, const char *of,
			  char error[VHU_ENDPOINT_ERROR])
{
	struct maker_question question = {
	    .mode_asked = perms->mode_asked,
	    .mode = perms->mode,
	    .uid_asked = perms->uid_asked,
	    .uid = perms->uid,
	    .gid_asked = perms->gid_asked,
	    .gid = perms->gid,
	};
	struct maker_answer answer;
	int fd[MAKER_FDS], code;

	snprintf(question.path, sizeof(question.path), "%s", endpoint->path);
	snprintf(question.of, sizeof(question.of), "%s", of ? of : "");
	code = maker_send(maker->socket, &question, sizeof(question), NULL, 0);
	if (!code)
		code = maker_receive(maker->socket, &answer, sizeof(answer), fd);
	if (code) {
		snprintf(error, VHU_ENDPOINT_ERROR,
			 "%s: the process that makes sockets has ended: restart the proxy",
			 endpoint->path);
		return code;
	}
	answer.line[sizeof(answer.line) - 1] = '\0';
	memcpy(error, answer.line, sizeof(answer.line));
	if (answer.code)
		return answer.code;
	/* Who connects is to see this process as its peer: the one that has called listen last. */
	listen(fd[0], VHU_ENDPOINT_BACKLOG);
	endpoint->fd = fd[0];
	endpoint->folder = fd[1];
	endpoint->made = true;
	endpoint->device = answer.device;
	endpoint->inode = answer.inode;
	return 0;
}

void vhu_socket_maker_end(struct vhu_socket_maker *maker)
{
	if (maker->socket >= 0)
		close(maker->socket);
	maker->socket = -1;
}
