/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that are not as they should be, at the start and at the end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/e2e/proxy/bad_input/bad_input.h"

#include "lib/util/util.h"

void bad_no_folder(void)
{
	struct proxy proxy;

	proxy_prepare(&proxy);
	snprintf(proxy.front, sizeof(proxy.front), "%s/none/front.sock", proxy.folder);
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL}, 1,
		    proxy.front);
}

/* A proxy that was killed leaves its socket's file; the next one takes the place over. */
void bad_stale_socket(void)
{
	struct bad bad = {0};

	proxy_prepare(&bad.proxy);
	close(peer_listen(bad.proxy.front));
	peer_check(peer_try_connect(bad.proxy.front) == -ECONNREFUSED, "the file is not stale");
	bad_begin_prepared(&bad, "");
	bad_end(&bad);
}

void bad_foreign_file(void)
{
	struct proxy proxy;
	struct stat before, after;

	proxy_prepare(&proxy);
	proxy_shell("echo precious >%s", proxy.front);
	peer_check(!stat(proxy.front, &before), "%s: %s", proxy.front, strerror(errno));
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL}, 1,
		    proxy.front);
	peer_check(!stat(proxy.front, &after), "%s was removed", proxy.front);
	peer_check(after.st_ino == before.st_ino && after.st_size == before.st_size &&
		       after.st_mode == before.st_mode,
		   "%s was changed", proxy.front);
}

/* Somebody else's symbolic link is not followed to what it names. */
void bad_foreign_link(void)
{
	struct proxy proxy;
	char target[PROXY_PATH_MAX];
	struct stat stat;

	proxy_prepare(&proxy);
	snprintf(target, sizeof(target), "%.60s/target", proxy.folder);
	close(peer_listen(target));
	peer_check(!symlink(target, proxy.front), "symlink: %s", strerror(errno));
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL}, 1,
		    proxy.front);
	peer_check(!lstat(proxy.front, &stat) && S_ISLNK(stat.st_mode), "the link was replaced");
	peer_check(!lstat(target, &stat), "what the link names was removed");
}

void bad_long_path(void)
{
	struct proxy proxy;
	char path[300];

	proxy_prepare(&proxy);
	memset(path, 'x', sizeof(path));
	memcpy(path, proxy.folder, strlen(proxy.folder));
	path[strlen(proxy.folder)] = '/';
	path[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
	bad_refused(&proxy, (const char *[]){"proxy", path, proxy.back, NULL}, 2, path);
	unlink(proxy.log);
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, path, NULL}, 2, path);
	peer_check(access(proxy.front, F_OK), "%s was made for nothing", proxy.front);
	/* One byte less is the longest that the kernel takes. */
	path[sizeof(((struct sockaddr_un *)0)->sun_path) - 1] = '\0';
	unlink(proxy.log);
	proxy_spawn(&proxy, (const char *[]){"proxy", proxy.front, path, NULL});
	close(peer_connect(proxy.front));
	proxy_stop(&proxy);
}

/* A live listener stays as it is, and can still be reached. */
void bad_in_use(void)
{
	struct proxy proxy;
	char expected[64];
	int listener, front;

	proxy_prepare(&proxy);
	listener = peer_listen(proxy.front);
	snprintf(expected, sizeof(expected), "already in use by pid %d", (int)getpid());
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL}, 1, expected);
	/* Trying to connect would have taken a place that a peer of one client needs. */
	peer_check(!peer_readable(listener, 0), "the live listener was disturbed: connected to");
	front = peer_connect(proxy.front);
	close(peer_accept(listener));
	close(front);
	close(listener);
}

void bad_usage(void)
{
	struct proxy proxy;
	static const char *const wrong[][6] = {
	    {"proxy", NULL},
	    {"proxy", "only-one", NULL},
	    {"proxy", "one", "two", "three", NULL},
	    {"proxy", "--no-such-option", "one", "two", NULL},
	    {"proxy", "fd:x", "two", NULL},
	    {"proxy", "fd:", "two", NULL},
	    {"proxy", "listen:", "two", NULL},
	    {"proxy", "one", "connect:", NULL},
	    {"proxy", "", "two", NULL},
	    {"proxy", "one", "two", "-w", NULL},
	};

	proxy_prepare(&proxy);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(wrong); i++) {
		int status;

		unlink(proxy.log);
		proxy_spawn(&proxy, wrong[i]);
		status = proxy_wait(&proxy);
		peer_check(status == 2, "usage %zu: ended with %d: %s", i, status,
			   proxy_log(&proxy));
		peer_check(*proxy_log(&proxy), "usage %zu: nothing was said", i);
	}
	peer_check(access("one", F_OK), "a socket was made for a wrong command line");
}

/* Descriptors that were not passed, or are no sockets. */
void bad_endpoint_fd(void)
{
	struct proxy proxy;

	proxy_prepare(&proxy);
	bad_refused(&proxy, (const char *[]){"proxy", "fd:77", proxy.back, NULL}, 2, "fd:77");
	unlink(proxy.log);
	bad_refused(&proxy, (const char *[]){"proxy", "fd:0", proxy.back, NULL}, 1, "fd:0");
	unlink(proxy.log);
	bad_refused(&proxy, (const char *[]){"proxy", proxy.front, "fd:0", NULL}, 1, "fd:0");
	peer_check(access(proxy.front, F_OK), "%s was made for nothing", proxy.front);
}

/* Without a back-end the front-end is closed at once, as if there were no proxy. */
void bad_no_back_end(void)
{
	struct bad bad;
	int front;

	bad_begin(&bad, true);
	close(bad.listener);
	unlink(bad.proxy.back);
	front = peer_connect(bad.proxy.front);
	peer_expect_end(front, "the front-end without a back-end");
	close(front);
	peer_check(strstr(bad_one_line(&bad, bad.proxy.back), "session 2"),
		   "the line does not say which session");
	bad.listener = peer_listen(bad.proxy.back);
	bad_end(&bad);
}

/* What a front-end sends before it is known that there is no back-end does no harm. */
void bad_back_end_late(void)
{
	struct bad bad;
	int front, back;

	bad_begin(&bad, false);
	close(bad.listener);
	for (int i = 0; i < 20; i++) {
		front = peer_connect(bad.proxy.front);
		peer_send_message(front, 2, "12345678", 8, (int[]){0}, 1);
		peer_expect_end(front, "the front-end without a back-end");
		close(front);
	}
	unlink(bad.proxy.back);
	bad.listener = peer_listen(bad.proxy.back);
	bad_session(&bad, &front, &back);
	peer_exchange(front, back, 22);
	close(front);
	peer_expect_end(back, "back-end");
	close(back);
	bad_end(&bad);
}

/* A socket that somebody else put in the place of ours stays. */
void bad_socket_replaced(void)
{
	struct proxy proxy;
	int listener;

	proxy_prepare(&proxy);
	proxy_start(&proxy, "");
	unlink(proxy.front);
	listener = peer_listen(proxy.front);
	kill(proxy.pid, SIGTERM);
	peer_check(proxy_wait(&proxy) == 0, "the proxy failed: %s", proxy_log(&proxy));
	peer_check(!access(proxy.front, F_OK), "a successor's socket was removed");
	close(listener);
}

/* SIGTERM and SIGINT in the middle of sessions: both sides see the end, the capture is whole. */
void bad_terminated(void)
{
	static const int signals[] = {SIGTERM, SIGINT};

	for (int i = 0; i < 2; i++) {
		struct bad bad;
		int front, back;

		bad_begin(&bad, true);
		bad_session(&bad, &front, &back);
		peer_exchange(front, back, 1);
		peer_send(front, "half", 4, NULL, 0);
		kill(bad.proxy.pid, signals[i]);
		peer_check(proxy_wait(&bad.proxy) == 0, "signal %d: the proxy failed: %s",
			   signals[i], proxy_log(&bad.proxy));
		peer_expect_end(front, "front-end");
		peer_expect_end(bad.back, "the bystander's back-end");
		peer_check(access(bad.proxy.front, F_OK), "%s is still there", bad.proxy.front);
		peer_check(!proxy_shell("%s dump %s >/dev/null", proxy_vhu(), bad.proxy.capture),
			   "the capture cannot be read");
		peer_check(*proxy_log(&bad.proxy), "signal %d: no summary", signals[i]);
		close(front);
		close(back);
		close(bad.front);
		close(bad.back);
		close(bad.listener);
	}
}
