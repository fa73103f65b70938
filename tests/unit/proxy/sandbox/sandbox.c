/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sandbox, under the real kernel: what a process in it still can do, and what not.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/sandbox/sandbox.h"

/* What this was built with. */
#ifdef VHU_HAVE_SECCOMP
enum { HAS_SECCOMP = 1 };
#else
enum { HAS_SECCOMP = 0 };
#endif
#ifdef VHU_SANITIZED
enum { SANITIZED = 1 }; /* then more is allowed */
#else
enum { SANITIZED = 0 };
#endif

static char folder[] = "/tmp/vhu-sandbox-XXXXXX", inside[100], outside[100];
static int landlock; /* the kernel's version */
static pid_t child;  /* whom the sandboxed may end */

/* What is tried in the sandbox. Returns 0 or -errno. */
typedef int act(void);

/* What was written to standard error by the last one that tried. */
static char heard[1024];

/* Return -errno where @result says that a call failed, else 0. */
static int outcome(long result)
{
	return result < 0 ? -errno : 0;
}

/* Enter the sandbox and try. Does not return. */
static void try_inside(act *attempt)
{
	struct vhu_sandbox sandbox;
	char error[VHU_SANDBOX_ERROR];

	vhu_sandbox_start(&sandbox, child);
	vhu_sandbox_allow(&sandbox, inside, VHU_SANDBOX_WRITE | VHU_SANDBOX_REMOVE);
	vhu_sandbox_allow(&sandbox, "/no/such/folder", VHU_SANDBOX_WRITE);
	if (vhu_sandbox_enter(&sandbox, error)) {
		fprintf(stderr, "%s\n", error);
		_exit(255);
	}
	_exit(-attempt());
}

/* Try in a sandbox of its own. Returns what the attempt did; the signal that ended it plus 256. */
static int try(act *attempt)
{
	int pipe_of[2], status;
	ssize_t n = 0, more;
	pid_t pid;

	assert_int_equal(pipe(pipe_of), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(pipe_of[1], STDERR_FILENO);
		try_inside(attempt);
	}
	close(pipe_of[1]);
	while ((more = read(pipe_of[0], heard + n, sizeof(heard) - 1 - (size_t)n)) > 0)
		n += more;
	heard[n] = '\0';
	close(pipe_of[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return 256 + WTERMSIG(status);
	if (WEXITSTATUS(status) == 255)
		fail_msg("%s", heard);
	return -WEXITSTATUS(status);
}

static int open_inet(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_inet_thrice(void)
{
	open_inet();
	open_inet();
	return open_inet();
}

static int open_route(void)
{
	return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int run_code(void)
{
	return outcome(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED
			   ? -1
			   : 0);
}

static int kill_parent(void)
{
	return outcome(kill(getppid(), 0));
}

static int kill_child(void)
{
	return outcome(kill(child, 0));
}

static int fork_off(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return outcome(pid);
}

/* glibc 2.41 forks with all signals blocked, where SIGSYS would end the process. */
static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static int fork_with_signals_blocked(void)
{
	block_signals();
	return fork_off();
}

static int clone3_with_signals_blocked(void)
{
	block_signals();
	return outcome(syscall(SYS_clone3, NULL, 0));
}

static int execute(void)
{
	return outcome(execl("/bin/true", "true", NULL));
}

static int trace_parent(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int raise_own_limit(void)
{
	struct rlimit limit = {100, 100};

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -ENOTRECOVERABLE;
	return outcome(setrlimit(RLIMIT_NOFILE, &limit));
}

static int signal_by_fcntl(void)
{
	return outcome(fcntl(STDERR_FILENO, F_SETOWN, getppid()));
}

/* All of serving that is not shown by serving. */
static int do_what_is_needed(void)
{
	char path[120], other[120];
	int pair[2], fd;

	snprintf(path, sizeof(path), "%s/a", inside);
	snprintf(other, sizeof(other), "%s/b", inside);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "a", 1) != 1 || ftruncate(fd, 0) || fsync(fd) || close(fd))
		return outcome(-1);
	if (rename(path, other) || unlink(other))
		return outcome(-1);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || close(pair[0]))
		return outcome(-1);
	fd = open("/proc/self/fdinfo/0", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || close(fd))
		return outcome(-1);
	free(malloc(10 << 20));
	return 0;
}

static int write_outside(void)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/a", outside);
	return outcome(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int remove_outside(void)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/there", outside);
	return outcome(unlink(path));
}

static int read_outside(void)
{
	return outcome(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int reach_abstract(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", folder);
	return outcome(
	    connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(folder))));
}

static void lets_serve(void **state)
{
	(void)state;
	assert_int_equal(try(do_what_is_needed), 0);
	assert_string_equal(heard, "");
}

static void refuses_calls(void **state)
{
	(void)state;
	if (!HAS_SECCOMP)
		skip();
	assert_int_equal(try(open_inet), -EPERM);
	assert_non_null(strstr(heard, "refused system call"));
	assert_int_equal(try(open_route), -EPERM);
	if (SANITIZED)
		return;
	assert_int_equal(try(kill_parent), -EPERM);
	assert_int_equal(try(run_code), -EPERM);
	assert_int_equal(try(fork_off), -EPERM);
	assert_int_equal(try(fork_with_signals_blocked), -EPERM);
	assert_int_equal(try(clone3_with_signals_blocked), -ENOSYS);
	assert_int_equal(try(raise_own_limit), -EPERM);
	assert_int_equal(try(signal_by_fcntl), -EPERM);
}

/* An operator learns of a refusal, but not a million times. */
static void says_it_once(void **state)
{
	(void)state;
	if (!HAS_SECCOMP)
		skip();
	assert_int_equal(try(open_inet_thrice), -EPERM);
	assert_ptr_equal(strchr(heard, '\n'), heard + strlen(heard) - 1);
	assert_non_null(strstr(heard, "--no-sandbox"));
}

static void ends_intruders(void **state)
{
	(void)state;
	if (!HAS_SECCOMP || SANITIZED)
		skip();
	assert_int_equal(try(execute), 256 + SIGSYS);
	assert_int_equal(try(trace_parent), 256 + SIGSYS);
}

static void signals_only_its_child(void **state)
{
	(void)state;
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	assert_int_equal(try(kill_child), 0);
	assert_true(!HAS_SECCOMP || SANITIZED || try(kill_parent) == -EPERM);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	child = 0;
}

static void keeps_files_to_folders(void **state)
{
	(void)state;
	if (!landlock) {
		print_message("no Landlock here\n");
		skip();
	}
	assert_int_equal(try(write_outside), -EACCES);
	assert_int_equal(try(remove_outside), -EACCES);
	assert_int_equal(try(read_outside), SANITIZED ? 0 : -EACCES);
}

static void reaches_no_abstract_socket(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (landlock < 6) {
		print_message("no Landlock of version 6 here\n");
		skip();
	}
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", folder);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(folder))),
	    0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(try(reach_abstract), -EPERM);
	close(fd);
}

/* Make the folders, and see what the kernel has. */
static int prepare(void **state)
{
	struct vhu_sandbox sandbox;
	char there[120];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", folder);
	snprintf(outside, sizeof(outside), "%s/outside", folder);
	snprintf(there, sizeof(there), "%s/there", outside);
	vhu_sandbox_start(&sandbox, 0);
	landlock = sandbox.landlock;
	if (sandbox.ruleset >= 0)
		close(sandbox.ruleset);
	return mkdir(inside, 0700) || mkdir(outside, 0700) ||
	       close(open(there, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

/* Remove the folders. */
static int clean(void **state)
{
	char command[120];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lets_serve),
	    cmocka_unit_test(refuses_calls),
	    cmocka_unit_test(says_it_once),
	    cmocka_unit_test(ends_intruders),
	    cmocka_unit_test(signals_only_its_child),
	    cmocka_unit_test(keeps_files_to_folders),
	    cmocka_unit_test(reaches_no_abstract_socket),
	};

	return cmocka_run_group_tests(tests, prepare, clean);
}
