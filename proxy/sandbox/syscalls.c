/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox: which system calls there are while the proxy serves, by seccomp.
 *
 * A call is let through by its name in `plain`, or with conditions on its arguments by a row in
 * calls_narrow. All others are refused: SIGSYS is raised in their place, and its handler says which
 * it was and lets it fail with EPERM. The kernel itself refuses the calls that make a process or a
 * thread. Calls that only an intruder makes end the process.
 */
#include "proxy/sandbox/sandbox.h"

#include <errno.h>

#ifdef VHU_HAVE_SECCOMP

#include <fcntl.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Room for the name of a call. */
#define CALLS_NAME 32

/* Lists of names, a blank between two. Those that a machine or a library does not have are passed
 * over. */
static const char *const plain[] = {
    /* sockets that are there, and what comes and goes on them */
    "accept4 connect getpeername getsockname getsockopt listen recvfrom recvmsg",
    "sendmsg sendto setsockopt shutdown",
    /* waiting */
    "clock_nanosleep epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2",
    "nanosleep poll ppoll restart_syscall timerfd_create timerfd_gettime timerfd_settime",
    /* files: Landlock limits which ones */
    "access close close_range dup dup2 dup3 faccessat faccessat2 fallocate fdatasync fstat fstatfs",
    "fsync ftruncate getcwd getdents64 lseek lstat newfstatat open openat pread64 pwrite64 read",
    "readlink readlinkat readv rename renameat renameat2 stat statfs statx umask unlink unlinkat",
    "write writev",
    /* kicks and calls: proxy/eventfd/eventfd.c */
    "preadv2 setitimer",
    /* memory */
    "brk madvise mremap munmap",
    /* this process, its children, and the time */
    "clock_getres clock_gettime exit exit_group futex getegid geteuid getgid getpid getppid",
    "getrandom getrlimit getrusage gettid gettimeofday getuid rt_sigaction rt_sigprocmask",
    "rt_sigreturn sched_yield sigaltstack sysinfo time uname wait4 waitid",
#ifdef VHU_SANITIZED
    /* the sanitizers: they look for leaks at the end, and show where something went wrong */
    "clone clone3 execve fcntl getdents kill mincore mmap mprotect pipe pipe2 prctl prlimit64",
    "process_vm_readv ptrace rseq sched_getaffinity set_robust_list set_tid_address tgkill vfork",
#endif
    NULL,
};

/* How a socket is made at a path, and given the owner, the mode and the labels of another. */
static const char *const sockets_made[] = {
    "bind chmod fchmod fchmodat fchmodat2 fchownat getxattr setxattr",
    NULL,
};

/* By which a process becomes another, or reaches into others or into the kernel. */
static const char *const fatal[] = {
    "bpf execve execveat finit_module init_module io_uring_setup kexec_file_load kexec_load mount",
    "open_by_handle_at perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev",
    "ptrace setns unshare userfaultfd",
    NULL,
};

/* These make a process or a thread. The C library blocks all signals first, and where SIGSYS is
 * blocked a trap ends the process: the kernel fails these calls, without a message. */
static const char *const births[] = {"clone fork vfork", NULL};

/* The C library calls clone() instead if this one fails with ENOSYS, and only then. */
static const char *const births_by_clone[] = {"clone3", NULL};

/* What was said of refused calls: one bit each. */
static uint32_t said[1024 / 32];

/* Copy the word that *@at begins with to @word, and move *@at to the next. Returns whether there
 * was one. */
static bool calls_word(const char **at, char word[CALLS_NAME])
{
	size_t length = strcspn(*at, " ");

	if (!length || length >= CALLS_NAME)
		return false;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length;
	*at += strspn(*at, " ");
	return true;
}

/* Return whether @name is among those that are allowed whatever their arguments are. */
static bool calls_is_plain(const char *name)
{
	char word[CALLS_NAME];

	for (const char *const *line = plain; *line; line++) {
		for (const char *at = *line; calls_word(&at, word);) {
			if (!strcmp(word, name))
				return true;
		}
	}
	return false;
}

/* Let the call named @name have @action where all of @conditions hold. Returns 0 or -errno. */
static int calls_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
		      const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name), error;

	if (number == __NR_SCMP_ERROR)
		return 0;
	error = seccomp_rule_add_array(filter, action, number, count, conditions);
	/* Not one of this machine's. */
	return error == -EDOM ? 0 : error;
}

/* Let all calls that @list names have @action, but those that are allowed already. Returns 0 or
 * -errno. */
static int calls_list(scmp_filter_ctx filter, uint32_t action, const char *const *list)
{
	char word[CALLS_NAME];
	int error = 0;

	for (; *list; list++) {
		for (const char *at = *list; !error && calls_word(&at, word);) {
			if (action == SCMP_ACT_ALLOW || !calls_is_plain(word))
				error = calls_rule(filter, action, word, 0, NULL);
		}
	}
	return error;
}

/* Allow those calls that are good for more than is wanted, with conditions. Returns 0 or -errno. */
static int calls_narrow(scmp_filter_ctx filter, pid_t child)
{
	const struct narrow {
		const char *name;
		unsigned count;
		struct scmp_arg_cmp conditions[2];
	} narrow[] = {
	    {"socket", 1, {SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX)}},
	    /* who listens at a path: proxy/endpoint/socket_owner.c */
	    {"socket",
	     2,
	     {SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2_32(SCMP_CMP_EQ, NETLINK_SOCK_DIAG)}},
	    {"socketpair", 1, {SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX)}},
	    /* No memory becomes code. */
	    {"mmap", 1, {SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
	    {"mprotect", 1, {SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
	    /* abort() */
	    {"tgkill", 1, {SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid())}},
	    {"kill", 1, {SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid())}},
	    /* getrlimit(): its own, and not to set it */
	    {"prlimit64", 2, {SCMP_A0_32(SCMP_CMP_EQ, 0), SCMP_A2_64(SCMP_CMP_EQ, 0)}},
	    /* isatty() */
	    {"ioctl", 1, {SCMP_A1_32(SCMP_CMP_EQ, TCGETS)}},
	    /* bytes that a socket has to read, and those it sent that are unread */
	    {"ioctl", 1, {SCMP_A1_32(SCMP_CMP_EQ, FIONREAD)}},
	    {"ioctl", 1, {SCMP_A1_32(SCMP_CMP_EQ, TIOCOUTQ)}},
	    /* None that lets the kernel send signals to others. */
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_DUPFD)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_DUPFD_CLOEXEC)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_GETFD)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_SETFD)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_GETFL)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_SETFL)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_GET_SEALS)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_GETPIPE_SZ)}},
	    {"fcntl", 1, {SCMP_A1_32(SCMP_CMP_EQ, F_SETPIPE_SZ)}},
	    {"kill", 1, {SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)child)}},
	};
	/* Leave out the last row, the child's, without a child. */
	size_t rows = VHU_ARRAY_SIZE(narrow) - !child;
	int error = 0;

	for (size_t i = 0; i < rows && !error; i++) {
		if (!calls_is_plain(narrow[i].name))
			error = calls_rule(filter, SCMP_ACT_ALLOW, narrow[i].name, narrow[i].count,
					   narrow[i].conditions);
	}
	return error;
}

/* Write @number in decimals to the end of @text. Returns where it begins. */
static const char *calls_decimal(char text[16], int number)
{
	char *at = text + 15;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return at;
}

/* Say once for each call that it was refused. Only what signal handlers may do is done here. */
static void calls_say(int number)
{
	static const char before[] = "vhu proxy: the sandbox refused system call ";
	static const char after[] = " (ausyscall names it): please report that; --no-sandbox goes "
				    "without\n";
	const char *decimal;
	char line[sizeof(before) + sizeof(after) + 16], text[16];

	if (number < 0 || number >= 1024 || said[number / 32] >> number % 32 & 1)
		return;
	said[number / 32] |= 1u << number % 32;
	decimal = calls_decimal(text, number);
	strcpy(line, before);
	strcat(line, decimal);
	strcat(line, after);
	if (write(STDERR_FILENO, line, strlen(line)) < 0) {
		/* Nobody listens. */
	}
}

/* A call was refused: say so, and let it fail. */
static void calls_refused(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	int saved = errno;

	(void)signal;
	calls_say(info->si_syscall);
	errno = saved;
#if defined(__x86_64__)
	interrupted->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	interrupted->uc_mcontext.regs[0] = (uint64_t)-EPERM;
#else
	(void)interrupted;
#endif
}

/* Return what is done to calls that are not in the list: the handler has to know the machine. */
static uint32_t calls_otherwise(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	struct sigaction action = {.sa_sigaction = calls_refused, .sa_flags = SA_SIGINFO};

	if (!sigaction(SIGSYS, &action, NULL))
		return SCMP_ACT_TRAP;
#endif
	return SCMP_ACT_ERRNO(EPERM);
}

int vhu_sandbox_calls(pid_t child, bool sockets)
{
	scmp_filter_ctx filter = seccomp_init(calls_otherwise());
	int error = filter ? 0 : -ENOMEM;

	/* A tree: what is called often costs no more than the rest. And no brake on speculation,
	 * which kernels before 5.16 put on sandboxes: no foreign code runs here. */
	if (filter) {
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	}
	if (!error)
		error = calls_list(filter, SCMP_ACT_ALLOW, plain);
	if (!error && sockets)
		error = calls_list(filter, SCMP_ACT_ALLOW, sockets_made);
	if (!error)
		error = calls_list(filter, SCMP_ACT_KILL_PROCESS, fatal);
	if (!error)
		error = calls_list(filter, SCMP_ACT_ERRNO(EPERM), births);
	if (!error)
		error = calls_list(filter, SCMP_ACT_ERRNO(ENOSYS), births_by_clone);
	if (!error)
		error = calls_narrow(filter, child);
	if (!error)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return error;
}

#else

int vhu_sandbox_calls(pid_t child, bool sockets)
{
	(void)child;
	(void)sockets;
	return -ENOSYS;
}

#endif
