/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts `vhu proxy` for a test and looks at it from outside. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* What is removed at the end of a test that went well. */
static char made_folder[PROXY_PATH_MAX];
static pid_t made_by;

const char *proxy_vhu(void)
{
	static char path[PATH_MAX];
	const char *vhu = getenv("VHU");

	if (!path[0])
		peer_check(realpath(vhu ? vhu : "bin/vhu", path), "%s: %s (VHU names the command)",
			   vhu ? vhu : "bin/vhu", strerror(errno));
	return path;
}

/* Remove the folder, at exit. */
static void remove_folder(int status, void *unused)
{
	(void)unused;
	if (getpid() != made_by)
		return;
	if ((status && status != PROXY_EXIT_SKIPPED) || getenv("VHU_KEEP"))
		fprintf(stderr, "files kept in %s\n", made_folder);
	else
		proxy_shell("rm -rf '%s'", made_folder);
}

void proxy_prepare(struct proxy *proxy)
{
	const char *tmp = getenv("TMPDIR");

	*proxy = (struct proxy){0};
	if (!tmp || strlen(tmp) > 20)
		tmp = "/tmp";
	snprintf(proxy->folder, sizeof(proxy->folder), "%s/vhu-test-XXXXXX", tmp);
	peer_check(mkdtemp(proxy->folder), "%s: %s", proxy->folder, strerror(errno));
	snprintf(proxy->front, sizeof(proxy->front), "%s/front.sock", proxy->folder);
	snprintf(proxy->back, sizeof(proxy->back), "%s/back.sock", proxy->folder);
	snprintf(proxy->capture, sizeof(proxy->capture), "%s/capture.pcapng", proxy->folder);
	snprintf(proxy->log, sizeof(proxy->log), "%s/stderr", proxy->folder);
	snprintf(made_folder, sizeof(made_folder), "%s", proxy->folder);
	made_by = getpid();
	on_exit(remove_folder, NULL);
}

void proxy_spawn(struct proxy *proxy, const char *const *args)
{
	const char *argv[32] = {proxy_vhu()};
	size_t n = 1;

	while (*args && n < 31)
		argv[n++] = *args++;
	proxy->pid = fork();
	peer_check(proxy->pid >= 0, "fork: %s", strerror(errno));
	if (proxy->pid)
		return;
	/* A test that fails must not leave a proxy behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What the test ignores it must see to itself. */
	signal(SIGPIPE, SIG_DFL);
	if (proxy->max_fds) {
		struct rlimit limit = {proxy->max_fds, proxy->max_fds};

		setrlimit(RLIMIT_NOFILE, &limit);
	}
	dup2(open(proxy->log, O_WRONLY | O_CREAT | O_APPEND, 0644), STDERR_FILENO);
	dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	for (int fd = 3; fd < 64; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	execv(argv[0], (char *const *)argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void proxy_start(struct proxy *proxy, const char *capture)
{
	const char *args[8] = {"proxy"};
	unsigned int n = 1;

	if (*capture) {
		args[n++] = "-w";
		args[n++] = capture;
	}
	if (proxy->rule) {
		args[n++] = "--fault";
		args[n++] = proxy->rule;
	}
	args[n++] = proxy->front;
	args[n++] = proxy->back;
	proxy_start_as(proxy, args);
}

void proxy_start_as(struct proxy *proxy, const char *const *args)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;

	proxy_spawn(proxy, args);
	while (proxy_shell("grep -q '^[^ ]* [^ ]* [^ ]* 00010000 .* %s$' /proc/net/unix",
			   proxy->front)) {
		peer_check(waitpid(proxy->pid, NULL, WNOHANG) == 0, "the proxy ended at once: %s",
			   proxy_log(proxy));
		peer_check(peer_now_ms() < limit, "the proxy does not listen: %s",
			   proxy_log(proxy));
		usleep(10000);
	}
}

int proxy_wait(struct proxy *proxy)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	int status = 0;

	for (;;) {
		pid_t pid = waitpid(proxy->pid, &status, WNOHANG);

		peer_check(pid >= 0, "waitpid: %s", strerror(errno));
		if (pid)
			break;
		peer_check(peer_now_ms() < limit, "the proxy does not end: %s", proxy_log(proxy));
		usleep(5000);
	}
	proxy->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void proxy_stop(struct proxy *proxy)
{
	int status;

	kill(proxy->pid, SIGTERM);
	status = proxy_wait(proxy);
	peer_check(status == proxy->ends_with, "the proxy ended with %d: %s", status,
		   proxy_log(proxy));
	peer_check(access(proxy->front, F_OK), "%s is still there", proxy->front);
}

const char *proxy_log(struct proxy *proxy)
{
	int fd = open(proxy->log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, proxy->text, sizeof(proxy->text) - 1);

	if (fd >= 0)
		close(fd);
	proxy->text[n < 0 ? 0 : n] = '\0';
	return proxy->text;
}

const char *proxy_log_wait(struct proxy *proxy, const char *text)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;

	for (;;) {
		const char *log = proxy_log(proxy);
		const char *unseen = strlen(log) > proxy->log_seen ? log + proxy->log_seen : "";
		char *found = strcasestr(unseen, text);
		char *end = found ? strchr(found, '\n') : NULL;

		if (end) {
			proxy->log_seen = (size_t)(end + 1 - log);
			*end = '\0';
			while (found > log && found[-1] != '\n')
				found--;
			return found;
		}
		peer_check(peer_now_ms() < limit, "stderr has no line with \"%s\", but: %s", text,
			   unseen);
		usleep(5000);
	}
}

void proxy_wait_capture(const struct proxy *proxy)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;

	while (access(proxy->capture, F_OK)) {
		peer_check(peer_now_ms() < limit, "the proxy does not make %s", proxy->capture);
		usleep(5000);
	}
}

unsigned int proxy_fds(const struct proxy *proxy)
{
	char path[64], what[64];
	unsigned int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)proxy->pid);
	folder = opendir(path);
	peer_check(folder, "%s: %s (did the proxy crash?)", path, strerror(errno));
	for (struct dirent *entry; (entry = readdir(folder));) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, what, sizeof(what) - 1);

		what[length < 0 ? 0 : length] = '\0';
		count += entry->d_name[0] != '.' && !strstr(what, "/fdinfo/");
	}
	closedir(folder);
	return count;
}

void proxy_fds_settle(const struct proxy *proxy, unsigned int count)
{
	int64_t limit = peer_now_ms() + PEER_PATIENCE_MS / 4;

	while (proxy_fds(proxy) > count) {
		if (peer_now_ms() > limit) {
			proxy_shell("ls -l /proc/%d/fd >&2", (int)proxy->pid);
			peer_die("the proxy keeps %u descriptors, it had %u", proxy_fds(proxy),
				 count);
		}
		usleep(5000);
	}
}

unsigned long proxy_memory_kib(const struct proxy *proxy, const char *name)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)proxy->pid);
	file = fopen(path, "re");
	peer_check(file, "%s: %s (did the proxy crash?)", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name) + 1, NULL, 10);
	fclose(file);
	peer_check(kib, "%s has no %s", path, name);
	return kib;
}

int proxy_shell(const char *format, ...)
{
	char command[1024];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	status = system(command);
	peer_check(WIFEXITED(status), "%s: ended by signal %d", command, WTERMSIG(status));
	return WEXITSTATUS(status);
}
