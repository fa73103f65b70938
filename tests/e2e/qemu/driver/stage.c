/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stage: the processes that take part in a session, their folder and the time they have. */
#include "tests/e2e/qemu/driver/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Return the time in seconds since some point in the past. */
static double now(void)
{
	return (double)vhu_now_ns() / 1e9;
}

/* Sleep for a millisecond between two looks at something that sends no event when it changes. */
static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Return the running party @name; NULL if there is no such party. */
static struct qemu_party *find(struct qemu_stage *stage, const char *name)
{
	for (unsigned int i = 0; i < stage->parties; i++)
		if (stage->party[i].pid != 0 && strcmp(stage->party[i].name, name) == 0)
			return &stage->party[i];
	return NULL;
}

/* Return a free place for a party; NULL if all are taken. */
static struct qemu_party *free_place(struct qemu_stage *stage)
{
	for (unsigned int i = 0; i < stage->parties; i++)
		if (stage->party[i].pid == 0)
			return &stage->party[i];
	return stage->parties < QEMU_STAGE_PARTIES ? &stage->party[stage->parties++] : NULL;
}

void qemu_stage_open(struct qemu_stage *stage, unsigned int seconds)
{
	const char *parent = getenv("TMPDIR");

	*stage = (struct qemu_stage){.deadline = now() + seconds};
	/* A socket's path has 107 bytes: a deep TMPDIR leaves no room for the names in the folder.
	 */
	if (parent == NULL || strlen(parent) > 60)
		parent = "/tmp";
	snprintf(stage->folder, sizeof(stage->folder), "%s/qemu-session.XXXXXX", parent);
	if (mkdtemp(stage->folder) == NULL) {
		fprintf(stderr, "qemu_session: %s: %s\n", stage->folder, strerror(errno));
		exit(1);
	}
}

char *qemu_stage_path(const struct qemu_stage *stage, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", stage->folder, name) < 0)
		abort();
	return path;
}

/* Become the program in @argv, with @log as its output. Does not return. */
static void become(char *const argv[], const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int nothing = open("/dev/null", O_RDONLY);

	dup2(nothing, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(nothing);
	close(fd);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void qemu_stage_start(struct qemu_stage *stage, const char *name, char *const argv[])
{
	struct qemu_party *party = free_place(stage);
	char *base, *log;
	int ends[2];

	if (party == NULL)
		qemu_stage_fail(stage, "%s: no room for another party", name);
	if (asprintf(&base, "%s.log", name) < 0 || pipe2(ends, O_CLOEXEC) != 0)
		qemu_stage_fail(stage, "%s: %s", name, strerror(errno));
	log = qemu_stage_path(stage, base);
	party->name = name;
	party->gone = ends[0];
	party->pid = fork();
	if (party->pid == 0) {
		/* The writing end stays open in whatever the party starts. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fcntl(ends[1], F_SETFD, 0);
		become(argv, log);
	}
	close(ends[1]);
	free(base);
	free(log);
	if (party->pid < 0)
		qemu_stage_fail(stage, "%s: %s", name, strerror(errno));
}

/* Fail when party @name has ended by itself. */
static void check_alive(struct qemu_stage *stage, const char *name)
{
	struct qemu_party *party = find(stage, name);
	int status;

	if (party != NULL && waitpid(party->pid, &status, WNOHANG) != party->pid)
		return;
	if (party != NULL)
		party->pid = 0;
	qemu_stage_fail(stage, "%s ended too early", name);
}

void qemu_stage_check_time(struct qemu_stage *stage, const char *doing)
{
	if (now() > stage->deadline)
		qemu_stage_fail(stage, "time is up: %s", doing);
}

void qemu_stage_nap(struct qemu_stage *stage, const char *doing)
{
	qemu_stage_check_time(stage, doing);
	nap();
}

/* Return whether somebody listens on the socket @path: the kernel's flag __SO_ACCEPTCON. */
static bool listens(const char *path)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	char line[512], found[256];
	unsigned int flags;
	bool is = false;

	while (sockets != NULL && !is && fgets(line, sizeof(line), sockets) != NULL)
		is = sscanf(line, "%*x: %*x %*x %x %*x %*x %*u %255s", &flags, found) == 2 &&
		     (flags & 0x10000) != 0 && strcmp(found, path) == 0;
	if (sockets != NULL)
		fclose(sockets);
	return is;
}

void qemu_stage_await(struct qemu_stage *stage, const char *name, const char *path)
{
	while (!listens(path)) {
		check_alive(stage, name);
		qemu_stage_nap(stage, "waiting for a socket to be listened on");
	}
}

/* Return a socket, and fill @address with @path. */
static int socket_for(struct qemu_stage *stage, struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		qemu_stage_fail(stage, "%s: too long for a socket", path);
	memcpy(address->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int qemu_stage_listen(struct qemu_stage *stage, const char *path)
{
	struct sockaddr_un address;
	int fd = socket_for(stage, &address, path);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 1) != 0)
		qemu_stage_fail(stage, "%s: %s", path, strerror(errno));
	return fd;
}

int qemu_stage_connect(struct qemu_stage *stage, const char *path)
{
	struct sockaddr_un address;
	int fd = socket_for(stage, &address, path);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		qemu_stage_fail(stage, "%s: %s", path, strerror(errno));
	return fd;
}

int qemu_stage_accept(struct qemu_stage *stage, const char *name, int listener)
{
	int fd;

	qemu_stage_readable(stage, name, listener);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		qemu_stage_fail(stage, "%s: %s", name, strerror(errno));
	close(listener);
	return fd;
}

void qemu_stage_readable(struct qemu_stage *stage, const char *name, int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (poll(&wait, 1, 100) <= 0) {
		check_alive(stage, name);
		qemu_stage_check_time(stage, "waiting for an answer");
	}
}

/* Send @signal to party @name and wait for its end. Returns its status. */
static int finish(struct qemu_stage *stage, const char *name, int signal)
{
	struct qemu_party *party = find(stage, name);
	int status;
	char byte;

	check_alive(stage, name);
	kill(party->pid, signal);
	while (waitpid(party->pid, &status, WNOHANG) == 0) {
		qemu_stage_nap(stage, "waiting for a party to end");
	}
	party->pid = 0;
	/* A tracer ends after what it traces. */
	while (read(party->gone, &byte, 1) > 0)
		;
	close(party->gone);
	return status;
}

pid_t qemu_stage_pid(struct qemu_stage *stage, const char *name)
{
	check_alive(stage, name);
	return find(stage, name)->pid;
}

void qemu_stage_signal(struct qemu_stage *stage, const char *name, int signal)
{
	pid_t pid = qemu_stage_pid(stage, name);
	int status;

	kill(pid, signal);
	if (signal == SIGSTOP && (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)))
		qemu_stage_fail(stage, "%s does not stop", name);
}

void qemu_stage_run(struct qemu_stage *stage, const char *name, char *const argv[])
{
	int status;

	qemu_stage_start(stage, name, argv);
	while (waitpid(find(stage, name)->pid, &status, WNOHANG) == 0) {
		qemu_stage_nap(stage, "waiting for a program to end");
	}
	close(find(stage, name)->gone);
	find(stage, name)->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		qemu_stage_fail(stage, "%s ended with status %#x", name, (unsigned int)status);
}

void qemu_stage_kill(struct qemu_stage *stage, const char *name)
{
	finish(stage, name, SIGKILL);
}

unsigned int qemu_stage_said(const struct qemu_stage *stage, const char *name, const char *text)
{
	char *base, *path, line[512];
	unsigned int count = 0;
	FILE *log;

	if (asprintf(&base, "%s.log", name) < 0)
		abort();
	path = qemu_stage_path(stage, base);
	log = fopen(path, "re");
	while (log != NULL && fgets(line, sizeof(line), log) != NULL)
		count += strstr(line, text) != NULL;
	if (log != NULL)
		fclose(log);
	free(base);
	free(path);
	return count;
}

void qemu_stage_end(struct qemu_stage *stage, const char *name, int signal)
{
	int status = finish(stage, name, signal);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		qemu_stage_fail(stage, "%s ended with status %#x after signal %d", name,
				(unsigned int)status, signal);
}

/* Do something with each file in the stage's folder. */
static void each_file(const struct qemu_stage *stage, void (*what)(const char *path))
{
	DIR *folder = opendir(stage->folder);
	struct dirent *entry;
	char *path;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		path = qemu_stage_path(stage, entry->d_name);
		what(path);
		free(path);
	}
	if (folder != NULL)
		closedir(folder);
}

/* Remove the file @path. */
static void remove_file(const char *path)
{
	unlink(path);
}

/* Print the log @path on stderr, each line with its name before it. */
static void show_log(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char line[512];
	FILE *log;

	if (strlen(name) < 4 || strcmp(name + strlen(name) - 4, ".log") != 0)
		return;
	log = fopen(path, "re");
	while (log != NULL && fgets(line, sizeof(line), log) != NULL)
		fprintf(stderr, "  %s: %s", name, line);
	if (log != NULL)
		fclose(log);
}

void qemu_stage_close(struct qemu_stage *stage)
{
	each_file(stage, remove_file);
	rmdir(stage->folder);
}

void qemu_stage_fail(struct qemu_stage *stage, const char *format, ...)
{
	va_list values;

	fprintf(stderr, "qemu_session: ");
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fprintf(stderr, "\n");
	each_file(stage, show_log);
	for (unsigned int i = 0; i < stage->parties; i++)
		if (stage->party[i].pid != 0)
			kill(stage->party[i].pid, SIGKILL);
	qemu_stage_close(stage);
	exit(1);
}
