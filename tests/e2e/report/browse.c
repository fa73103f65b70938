/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows a page in headless Chromium and does to it what a person does, for test scripts:
 *
 *	browse FILE.html DOING...
 *
 * where DOING is, one after the other,
 *	size:WxH	make the window so large
 *	media:NAME	screen or print
 *	theme:NAME	the system's theme: light or dark
 *	script:no	run no script of the page from the next load on; script:yes
 *	load:		load the page again
 *	wait:JS		wait until the expression is true
 *	js:JS		print the expression's value, a line
 *	click:SELECTOR	click the middle of the first such element
 *	key:KEY		press a key, by its name in events: j, Enter, ArrowDown
 *	type:TEXT	type a text where the focus is
 *	shot:FILE.png	write what is in sight
 *
 * Chromium is spoken to through pipes (--remote-debugging-pipe): messages of its DevTools protocol,
 * each with a NUL behind it. Whatever the page's scripts throw and what its policy forbids is
 * printed on stderr, and makes the exit status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S  120
/* Chromium may hang while it starts, on a machine that has much else to do: it is started again. */
#define START_S     30
#define START_TRIES 4
#define HANGS       75 /* exit status of a try that hung then */
/* Where Chromium reads and writes the protocol. */
#define FD_TO       3
#define FD_FROM     4

static struct {
	pid_t pid;
	int to, from;
	char *text; /* received, and not taken yet */
	size_t size, room;
	int id; /* of the last command */
	char *session;
	const char *page;
	unsigned complaints; /* of the page */
	bool started;        /* and the page is there */
	bool loaded;
} browser;

/* Say what went wrong, and end. */
static void __attribute__((noreturn)) die(const char *what, const char *of)
{
	fprintf(stderr, "browse: %s: %s\n", what, of);
	if (browser.pid > 0)
		kill(browser.pid, SIGKILL);
	exit(1);
}

/* Start Chromium with its data in the folder @profile. */
static void start(const char *profile)
{
	int to[2], from[2], nowhere;
	char data[4200];

	snprintf(data, sizeof(data), "--user-data-dir=%s", profile);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe", strerror(errno));
	browser.pid = fork();
	if (browser.pid < 0)
		die("fork", strerror(errno));
	if (browser.pid == 0) {
		/* Out of the way of the two numbers. */
		int read_end = fcntl(to[0], F_DUPFD, 10), write_end = fcntl(from[1], F_DUPFD, 10);

		dup2(read_end, FD_TO);
		dup2(write_end, FD_FROM);
		close(read_end);
		close(write_end);
		nowhere = open("/dev/null", O_RDWR);
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execlp("chromium", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
		       "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		       "--remote-debugging-pipe", data, "about:blank", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	browser.to = to[1];
	browser.from = from[0];
}

/* Read more of what Chromium says. */
static void receive_more(void)
{
	struct pollfd poll_fd = {.fd = browser.from, .events = POLLIN};
	ssize_t got;

	if (browser.room - browser.size < 65536) {
		browser.room += 1 << 20;
		browser.text = realloc(browser.text, browser.room);
		if (!browser.text)
			die("memory", strerror(ENOMEM));
	}
	if (poll(&poll_fd, 1, (browser.started ? PATIENCE_S : START_S) * 1000) <= 0) {
		if (!browser.started) {
			kill(browser.pid, SIGKILL);
			exit(HANGS);
		}
		die("chromium", "says nothing");
	}
	got = read(browser.from, browser.text + browser.size, browser.room - browser.size);
	if (got <= 0)
		die("chromium", "ended (is the package chromium installed?)");
	browser.size += (size_t)got;
}

/* Return the next message, to be released. */
static json_t *receive(void)
{
	char *end;
	json_t *message;
	size_t length;

	while (!(end = browser.size ? memchr(browser.text, '\0', browser.size) : NULL))
		receive_more();
	length = (size_t)(end - browser.text);
	message = json_loadb(browser.text, length, 0, NULL);
	if (!message)
		die("chromium", "does not speak JSON");
	browser.size -= length + 1;
	memmove(browser.text, end + 1, browser.size);
	return message;
}

/* Look at an event: what the page complains of. */
static void see_event(const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method")), *text = NULL;
	const json_t *params = json_object_get(message, "params");
	const json_t *entry = json_object_get(params, "entry");

	if (!method)
		return;
	browser.loaded |= !strcmp(method, "Page.loadEventFired");
	if (!strcmp(method, "Log.entryAdded") &&
	    !strcmp(json_string_value(json_object_get(entry, "level")), "error"))
		text = json_string_value(json_object_get(entry, "text"));
	if (!strcmp(method, "Runtime.exceptionThrown"))
		text = json_string_value(json_object_get(
		    json_object_get(json_object_get(params, "exceptionDetails"), "exception"),
		    "description"));
	if (!text)
		return;
	browser.complaints++;
	fprintf(stderr, "browse: the page complains: %s\n", text);
}

/* Send a command with @params, which is taken over. Returns its result, to be released; *@error:
 * what went wrong, in place of it. */
static json_t *call(const char *method, json_t *params)
{
	json_t *command = json_pack("{s:i, s:s, s:o}", "id", ++browser.id, "method", method,
				    "params", params),
	       *message, *result;
	char *text;

	if (browser.session)
		json_object_set_new(command, "sessionId", json_string(browser.session));
	text = json_dumps(command, JSON_COMPACT);
	if (write(browser.to, text, strlen(text) + 1) < 0)
		die(method, strerror(errno));
	free(text);
	json_decref(command);
	for (;;) {
		message = receive();
		if (json_integer_value(json_object_get(message, "id")) == browser.id)
			break;
		see_event(message);
		json_decref(message);
	}
	result = json_incref(json_object_get(message, "result"));
	if (!result)
		die(method, json_string_value(
				json_object_get(json_object_get(message, "error"), "message")));
	json_decref(message);
	return result;
}

/* Send a command whose result does not matter. */
static void tell(const char *method, json_t *params)
{
	json_decref(call(method, params));
}

/* Return the value of an expression, to be released. */
static json_t *evaluate(const char *expression)
{
	json_t *result =
	    call("Runtime.evaluate", json_pack("{s:s, s:b, s:b}", "expression", expression,
					       "returnByValue", 1, "awaitPromise", 1));
	json_t *value = json_incref(json_object_get(json_object_get(result, "result"), "value"));

	if (json_object_get(result, "exceptionDetails"))
		die("it throws", expression);
	json_decref(result);
	return value ? value : json_null();
}

/* Load the page and wait until it is there. */
static void load(void)
{
	char url[4200];

	snprintf(url, sizeof(url), "file://%s", browser.page);
	browser.loaded = false;
	tell("Page.navigate", json_pack("{s:s}", "url", url));
	while (!browser.loaded) {
		json_t *message = receive();

		see_event(message);
		json_decref(message);
	}
}

/* Wait until an expression is true. */
static void wait_for(const char *expression)
{
	time_t limit = time(NULL) + PATIENCE_S;

	for (;;) {
		json_t *value = evaluate(expression);
		bool met = json_is_true(value) ||
			   (json_is_string(value) && *json_string_value(value)) ||
			   (json_is_number(value) && json_number_value(value) != 0);

		json_decref(value);
		if (met)
			return;
		if (time(NULL) > limit)
			die("waited in vain for", expression);
		usleep(20000);
	}
}

/* Print the value of an expression: a text as it is, else as JSON. */
static void print(const char *expression)
{
	json_t *value = evaluate(expression);
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	puts(json_is_string(value) ? json_string_value(value) : text);
	free(text);
	json_decref(value);
}

/* Press and release the left button in the middle of an element. */
static void click(const char *selector)
{
	json_t *name = json_string(selector), *where;
	char *quoted = json_dumps(name, JSON_ENCODE_ANY), expression[2048];
	double x, y;

	snprintf(expression, sizeof(expression),
		 "(async () => { const e = document.querySelector(%s); if (!e) return null;"
		 "e.scrollIntoView({block: 'center', behavior: 'instant'});"
		 /* What is drawn has to be where it is pressed. */
		 "await new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)));"
		 "const r = document.querySelector(%s).getBoundingClientRect();"
		 "return [r.x + r.width / 2, r.y + r.height / 2]; })()",
		 quoted, quoted);
	where = evaluate(expression);
	if (json_unpack(where, "[F,F]", &x, &y))
		die("no such element", selector);
	for (int i = 0; i < 2; i++)
		tell("Input.dispatchMouseEvent",
		     json_pack("{s:s, s:f, s:f, s:s, s:i}", "type",
			       i ? "mouseReleased" : "mousePressed", "x", x, "y", y, "button",
			       "left", "clickCount", 1));
	json_decref(where);
	json_decref(name);
	free(quoted);
}

/* Press and release a key. */
static void press(const char *key)
{
	const char *text = !strcmp(key, "Enter") ? "\r" : strlen(key) == 1 ? key : "";

	for (int i = 0; i < 2; i++)
		tell("Input.dispatchKeyEvent",
		     json_pack("{s:s, s:s, s:s, s:i}", "type", i ? "keyUp" : "keyDown", "key", key,
			       "text", i ? "" : text, "windowsVirtualKeyCode",
			       !strcmp(key, "Enter") ? 13 : 0));
}

/* Write what is in sight to a file. */
static void shoot(const char *path)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	json_t *result = call("Page.captureScreenshot", json_pack("{s:s}", "format", "png"));
	const char *data = json_string_value(json_object_get(result, "data"));
	FILE *to = fopen(path, "wb");
	unsigned value = 0, bits = 0;

	if (!to || !data)
		die("cannot write", path);
	for (; *data && *data != '='; data++) {
		value = value << 6 | (unsigned)(strchr(digits, *data) - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		fputc((int)(value >> bits & 0xff), to);
	}
	if (fclose(to))
		die("cannot write", path);
	json_decref(result);
}

/* Make the window so large, "1280x900"; a narrow one is a phone's. */
static void resize(const char *size)
{
	int width, height;

	if (sscanf(size, "%dx%d", &width, &height) != 2)
		die("no size", size);
	tell("Emulation.setDeviceMetricsOverride",
	     json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", height,
		       "deviceScaleFactor", 1, "mobile", width < 600));
}

/* Do one thing. */
static void act(const char *doing)
{
	const char *rest = strchr(doing, ':');
	size_t length = rest ? (size_t)(rest++ - doing) : 0;
#define IS(word) (length == strlen(word) && !strncmp(doing, word, length))

	if (IS("size"))
		resize(rest);
	else if (IS("media"))
		tell("Emulation.setEmulatedMedia", json_pack("{s:s}", "media", rest));
	else if (IS("theme"))
		tell("Emulation.setEmulatedMedia",
		     json_pack("{s:[{s:s, s:s}]}", "features", "name", "prefers-color-scheme",
			       "value", rest));
	else if (IS("script"))
		tell("Emulation.setScriptExecutionDisabled",
		     json_pack("{s:b}", "value", !strcmp(rest, "no")));
	else if (IS("load"))
		load();
	else if (IS("wait"))
		wait_for(rest);
	else if (IS("js"))
		print(rest);
	else if (IS("click"))
		click(rest);
	else if (IS("key"))
		press(rest);
	else if (IS("type"))
		tell("Input.insertText", json_pack("{s:s}", "text", rest));
	else if (IS("shot"))
		shoot(rest);
	else
		die("no such thing to do", doing);
}

/* Attach to the tab that there is, once it is there: input to another would wait until that is in
 * front. */
static void attach(void)
{
	json_t *targets, *target, *id = NULL, *attached;
	size_t i;

	while (!id) {
		targets = call("Target.getTargets", json_object());
		json_array_foreach(
		    json_object_get(targets, "targetInfos"), i,
		    target) if (!strcmp(json_string_value(json_object_get(target, "type")), "page"))
		    id = json_incref(json_object_get(target, "targetId"));
		json_decref(targets);
		if (!id)
			usleep(20000);
	}
	attached =
	    call("Target.attachToTarget", json_pack("{s:o, s:b}", "targetId", id, "flatten", 1));
	browser.session = strdup(json_string_value(json_object_get(attached, "sessionId")));
	json_decref(attached);
	tell("Page.enable", json_object());
	tell("Runtime.enable", json_object());
	tell("Log.enable", json_object());
	tell("Page.bringToFront", json_object());
}

/* Do what the command line says, with Chromium's data in the folder @profile. Returns the exit
 * status. */
static int browse(const char *profile, char **doings)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	start(profile);
	attach();
	resize("1280x900");
	load();
	browser.started = true;
	for (; *doings; doings++)
		act(*doings);
	/* What was complained of last comes before this has its answer. */
	usleep(50000);
	json_decref(evaluate("true"));
	free(browser.session);
	browser.session = NULL;
	tell("Browser.close", json_object());
	waitpid(browser.pid, NULL, 0);
	return browser.complaints != 0;
}

int main(int argc, char **argv)
{
	int status = HANGS << 8;

	if (argc < 2 || !(browser.page = realpath(argv[1], NULL)))
		die("no such page", argc < 2 ? "" : argv[1]);
	for (int i = 0; i < START_TRIES && WEXITSTATUS(status) == HANGS; i++) {
		char profile[] = "/tmp/vhu-browse-XXXXXX", command[64];
		pid_t pid;

		if (!mkdtemp(profile))
			die(profile, strerror(errno));
		pid = fork();
		if (pid < 0)
			die("fork", strerror(errno));
		if (pid == 0)
			exit(browse(profile, argv + 2));
		waitpid(pid, &status, 0);
		snprintf(command, sizeof(command), "rm -rf %s", profile);
		if (system(command))
			die("cannot remove", profile);
	}
	if (WEXITSTATUS(status) == HANGS)
		fprintf(stderr, "browse: chromium: hangs while it starts\n");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
