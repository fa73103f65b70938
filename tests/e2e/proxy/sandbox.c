/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows that `vhu proxy` serves in its sandbox, that --no-sandbox leaves it out, and that a proxy
 * that is not let into one says so and serves. What it records is its user's alone.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* Return a value of the proxy's /proc/PID/status, -1 without it. */
static long status_of(const struct proxy *proxy, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)proxy->pid);
	file = fopen(path, "re");
	peer_check(file, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	fclose(file);
	return value;
}

/* Run one session through a proxy that was started with @args, record it, and end the proxy.
 * Returns how its system calls were filtered, as in /proc. */
static long serve(struct proxy *proxy, const char *option)
{
	const char *args[] = {"proxy", "-w", proxy->capture, proxy->front, proxy->back,
			      option,  NULL};
	int listener, front, back;
	long filtered;

	proxy_shell("rm -f '%s'/*", proxy->folder);
	listener = peer_listen(proxy->back);
	proxy_spawn(proxy, args);
	front = peer_connect(proxy->front);
	back = peer_accept(listener);
	peer_exchange(front, back, 1);
	filtered = status_of(proxy, "Seccomp");
	close(front);
	peer_expect_end(back, "back-end");
	close(back);
	close(listener);
	proxy_stop(proxy);
	peer_check(!proxy_shell("test -s '%s'", proxy->capture), "nothing was recorded");
	peer_check(!proxy_shell("test $(stat -c %%a '%s') = 600", proxy->capture),
		   "others may read the capture");
	return filtered;
}

/* From now on, let this process and its children have no filter of system calls more. */
static void refuse_filters(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {VHU_ARRAY_SIZE(code), code};

	peer_check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
		       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
		   "cannot refuse filters: %s", strerror(errno));
}

/* Show that the proxy is in a sandbox, and what it says where it is let into none. */
static void show_sandbox(struct proxy *proxy)
{
	const char *said;

	peer_check(serve(proxy, NULL) == SECCOMP_MODE_FILTER, "the proxy is in no sandbox");
	said = proxy_log(proxy);
	peer_check(!strstr(said, "sandbox"), "of a sandbox that is there it says: %s", said);
	refuse_filters();
	serve(proxy, NULL);
	said = proxy_log(proxy);
	peer_check(strstr(said, "no sandbox of system calls"), "it says nothing of that: %s", said);
	serve(proxy, "--no-sandbox");
	said = proxy_log(proxy);
	peer_check(!strstr(said, "no sandbox"), "--no-sandbox was given, and it says: %s", said);
}

int main(void)
{
	struct proxy proxy;

	signal(SIGPIPE, SIG_IGN);
	proxy_prepare(&proxy);
	peer_check(serve(&proxy, "--no-sandbox") == SECCOMP_MODE_DISABLED,
		   "the proxy is in a sandbox despite --no-sandbox");
#ifdef VHU_HAVE_SECCOMP
	show_sandbox(&proxy);
	return 0;
#else
	(void)show_sandbox;
	printf("vhu was built without libseccomp\n");
	return PROXY_EXIT_SKIPPED;
#endif
}
