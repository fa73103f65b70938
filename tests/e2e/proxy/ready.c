/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service manager learns when the proxy is ready, not earlier; and when it stops.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/peer.h"
#include "tests/lib/proxy_run.h"

/* The next thing told must be @line, or begin with it and have more lines. */
static void expect(int fd, const char *line)
{
	char got[256];
	ssize_t size;

	peer_check(peer_readable(fd, PEER_PATIENCE_MS), "%s was not told", line);
	size = recv(fd, got, sizeof(got) - 1, 0);
	got[size < 0 ? 0 : size] = '\0';
	peer_check(!strncmp(got, line, strlen(line)) &&
		       (!got[strlen(line)] || got[strlen(line)] == '\n'),
		   "told: %s, not %s", got, line);
}

int main(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct proxy proxy;
	int manager, back, front, session;
	char config[128];
	FILE *file;

	proxy_prepare(&proxy);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", proxy.folder);
	peer_check(!bind(manager, (struct sockaddr *)&address, sizeof(address)), "cannot bind");
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	back = peer_listen(proxy.back);

	/* Somebody who waits for that need not try twice. */
	proxy_spawn(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL});
	expect(manager, "READY=1");
	front = peer_try_connect(proxy.front);
	peer_check(front >= 0, "was not ready when it said so: %s", strerror(-front));
	session = peer_accept(back);
	peer_exchange(front, session, 1);
	kill(proxy.pid, SIGTERM);
	expect(manager, "STOPPING=1");
	peer_check(proxy_wait(&proxy) == 0, "ended badly: %s", proxy_log(&proxy));
	close(front);
	close(session);

	/* It says that it reads its configuration again, and when that is done. */
	snprintf(config, sizeof(config), "%s/conf", proxy.folder);
	file = fopen(config, "w");
	peer_check(file != NULL, "no configuration");
	fprintf(file, "pair %s %s\n", proxy.front, proxy.back);
	fclose(file);
	proxy_spawn(&proxy, (const char *[]){"proxy", "--config", config, NULL});
	expect(manager, "READY=1");
	kill(proxy.pid, SIGHUP);
	expect(manager, "RELOADING=1");
	expect(manager, "READY=1");
	kill(proxy.pid, SIGTERM);
	expect(manager, "STOPPING=1");
	peer_check(proxy_wait(&proxy) == 0, "ended badly: %s", proxy_log(&proxy));
	unlink(config);

	/* One that cannot start is never ready. */
	proxy_spawn(&proxy, (const char *[]){"proxy", proxy.back, proxy.front, NULL});
	peer_check(proxy_wait(&proxy) == 1, "started where somebody listens: %s",
		   proxy_log(&proxy));
	peer_check(!peer_readable(manager, 0), "a proxy that did not start has notified");

	/* A service manager that has gone is said, and no reason to stop. */
	close(manager);
	proxy_spawn(&proxy, (const char *[]){"proxy", proxy.front, proxy.back, NULL});
	proxy_log_wait(&proxy, "NOTIFY_SOCKET");
	front = peer_connect(proxy.front);
	session = peer_accept(back);
	peer_exchange(front, session, 2);
	proxy_stop(&proxy);
	return 0;
}
