/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket, asked whatever there is: each answer is a JSON object on a line that says
 * whether it was done, and when the client has nothing more to ask it is let go.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/control/request.h"
#include "tests/fuzz/lib/fuzz.h"

/* Longer ones could not be sent at once. */
#define INPUT_MAX 100000

static struct vhu_proxy proxy;
static struct vhu_control *control;
static struct vhu_timer turn;
static struct sockaddr_un address;
static socklen_t address_size = sizeof(address);

/* A turn of the loop is over. */
static void stop(struct vhu_timer *timer)
{
	(void)timer;
	proxy.loop.stop = true;
}

/* Write out what there is: that changes nothing here. */
static int write_out(void *context, char *line, size_t size)
{
	(void)context;
	snprintf(line, size, "nothing");
	return 0;
}

/* Make the control socket, once. */
static void begin(void)
{
	const struct vhu_control_owner owner = {.write_out = write_out};
	static char path[16];
	char error[VHU_ENDPOINT_ERROR];
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sun_family = AF_UNIX;
	/* The kernel finds a name. */
	must(listener >= 0 &&
	     !bind(listener, (struct sockaddr *)&address, sizeof(address.sun_family)) &&
	     !listen(listener, 8) &&
	     !getsockname(listener, (struct sockaddr *)&address, &address_size));
	snprintf(path, sizeof(path), "fd:%d", listener);
	must(!vhu_loop_start(&proxy.loop));
	must(!vhu_control_open(&control, &proxy, &owner, path, error));
	turn.fire = stop;
}

/* Let what is due happen. */
static void take_turn(void)
{
	proxy.loop.stop = false;
	vhu_loop_set(&proxy.loop, &turn, 0);
	must(!vhu_loop_run(&proxy.loop));
}

/* Hold the whole lines among @bytes against what answers are. Returns how many bytes they have. */
static size_t check(const char *bytes, size_t size)
{
	size_t done = 0;
	const char *end;

	while ((end = memchr(bytes + done, '\n', size - done))) {
		json_t *answer = json_loadb(bytes + done, (size_t)(end - bytes) - done, 0, NULL);
		const json_t *ok = json_object_get(answer, "ok");

		must(json_is_true(ok) ||
		     (json_is_false(ok) && json_is_string(json_object_get(answer, "error"))));
		json_decref(answer);
		done = (size_t)(end - bytes) + 1;
	}
	return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answers[1 << 20];
	size_t got = 0, checked;
	int client;

	if (size > INPUT_MAX)
		return 0;
	if (!control)
		begin();
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(client >= 0 && !connect(client, (struct sockaddr *)&address, address_size));
	must(send(client, data, size, MSG_NOSIGNAL) == (ssize_t)size || !size);
	shutdown(client, SHUT_WR);
	for (;;) {
		ssize_t n = recv(client, answers + got, sizeof(answers) - got, MSG_DONTWAIT);

		/* Whatever was too long was not all read. */
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n < 0) {
			/* Nobody ends one who still follows: that one leaves. */
			if (control->clients && control->clients->follow &&
			    control->clients->client->ended && !control->clients->client->got)
				break;
			take_turn();
			continue;
		}
		got += (size_t)n;
		checked = check(answers, got);
		got -= checked;
		memmove(answers, answers + checked, got);
		must(got < sizeof(answers));
	}
	must(!got);
	close(client);
	while (control->count)
		take_turn();
	vhu_faults_clear(&proxy.faults);
	return 0;
}
