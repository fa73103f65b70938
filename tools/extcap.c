/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu as an extcap of Wireshark: called as vhu-extcap, which is a link to vhu in Wireshark's folder
 * of extcaps, it is an interface in Wireshark's list whose capture is a vhu proxy.
 *
 * Wireshark asks which interfaces there are, what can be set in their dialog, and to capture into a
 * FIFO. Which of the proxy's options are in the dialog is listed here by name; what they take and
 * do is told by the proxy's own table. Options come here as the dialog has them, and go on to the
 * proxy.
 *
 * Wireshark's reader of the FIFO waits for as long as nobody has opened the other end, and then to
 * the end of what is written. So that end is open from before anything can fail until this ends: a
 * capture that cannot begin is an empty one, after which Wireshark says why, and not a reader that
 * waits for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/commands.h"

#include "lib/util/util.h"

/* The interface's name, in Wireshark's preferences too ("extcap.vhost_user.front"). */
#define INTERFACE "vhost-user"
#define SHOWN     "vhost-user proxy"
/* LINKTYPE_WIRESHARK_UPPER_PDU: each packet names its dissector. */
#define DLT       252

/* What turns on an option in the dialog whose argument may be left out. */
#define WITHOUT_ARGUMENT "on"

/* Tabs of the dialog. */
#define TAB_CHANGE "Change what passes"
#define TAB_MORE   "More"

/* The proxy's options that are in the dialog, by name. */
static const struct offered {
	const char *name;
	const char *shown;
	const char *tab; /* NULL: the first */
} offered[] = {
    {"retry", "Wait for a side", NULL},
    {"one", "One session at a time", NULL},
    {"snaplen", "Snap length", NULL},
    {"with-keys", "Record key material", NULL},
    {"rules", "Rules from a file", TAB_CHANGE},
    {"rule", "Rule", TAB_CHANGE},
    {"seed", "Seed", TAB_CHANGE},
    {"mask", "Hide features", TAB_CHANGE},
    {"interpose-eventfds", "Kicks and calls too", TAB_MORE},
    {"record-kicks", "Record each of them", TAB_MORE},
    {"control", "Control socket", TAB_MORE},
    {"config", "Options from a file", TAB_MORE},
    {"mode", "Mode of sockets", TAB_MORE},
    {"owner", "Owner of sockets", TAB_MORE},
    {"verbose", "Say each message", "Debug"},
};
#define OFFERED VHU_ARRAY_SIZE(offered)

enum {
	KEY_INTERFACES = 0x10000,
	KEY_INTERFACE,
	KEY_DLTS,
	KEY_CONFIG,
	KEY_CAPTURE,
	KEY_FIFO,
	KEY_PASSED_OVER, /* of no use here */
	KEY_FRONT,
	KEY_BACK,
	KEY_LOG,
	KEY_OFFERED, /* and as many more */
};

/* What Wireshark calls with. */
static const struct option calls[] = {
    {"extcap-interfaces", no_argument, NULL, KEY_INTERFACES},
    {"extcap-interface", required_argument, NULL, KEY_INTERFACE},
    {"extcap-dlts", no_argument, NULL, KEY_DLTS},
    {"extcap-config", no_argument, NULL, KEY_CONFIG},
    {"capture", no_argument, NULL, KEY_CAPTURE},
    {"fifo", required_argument, NULL, KEY_FIFO},
    {"extcap-version", required_argument, NULL, KEY_PASSED_OVER},
    {"extcap-capture-filter", required_argument, NULL, KEY_PASSED_OVER},
    {"extcap-control-in", required_argument, NULL, KEY_PASSED_OVER},
    {"extcap-control-out", required_argument, NULL, KEY_PASSED_OVER},
    {"extcap-reload-option", required_argument, NULL, KEY_PASSED_OVER},
    {"front", required_argument, NULL, KEY_FRONT},
    {"back", required_argument, NULL, KEY_BACK},
    {"log-file", required_argument, NULL, KEY_LOG},
};
#define CALLS VHU_ARRAY_SIZE(calls)

/* For the proxy: as many words as the dialog can make, and those that are always there. */
#define WORDS_MAX (2 * OFFERED + 16)

/* What was called for. */
struct vhu_extcap_request {
	int todo; /* KEY_INTERFACES, KEY_DLTS, KEY_CONFIG or KEY_CAPTURE; 0 nothing */
	const char *interface, *fifo, *front, *back, *log;
	char *word[WORDS_MAX + 1]; /* for the proxy */
	int words;
};

static const struct vhu_command command = {
    .name = "vhu-extcap",
    .alone = true,
};

/* Print a text where braces would end it. */
static void put_value(const char *key, const char *text)
{
	printf("{%s=", key);
	for (; *text; text++)
		putchar(*text == '{' ? '(' : *text == '}' ? ')' : *text);
	putchar('}');
}

/* Print what every argument of the dialog has. */
static void put_argument(int number, const char *name, const char *shown, const char *type,
			 const char *tip)
{
	char call[64];

	snprintf(call, sizeof(call), "--%s", name);
	printf("arg {number=%d}", number);
	put_value("call", call);
	put_value("display", shown);
	put_value("type", type);
	put_value("tooltip", tip);
}

/* Return which type of argument an option is in the dialog. */
static const char *type_of(const struct vhu_option *option)
{
	if (!option->argument)
		return "boolflag";
	return strcmp(option->argument, "FILE") ? "string" : "fileselect";
}

/* Print an option of the proxy. */
static void put_offered(int number, const struct offered *one)
{
	const struct vhu_option *option = vhu_option_find(&vhu_command_proxy, one->name);
	char tip[256];

	if (!option)
		return;
	snprintf(tip, sizeof(tip), "%s%s", option->help,
		 option->argument && vhu_option_may_lack_argument(option) ? "; \"" WITHOUT_ARGUMENT
									    "\" for just that"
									  : "");
	put_argument(number, one->name, one->shown, type_of(option), tip);
	if (option->argument && !strcmp(option->argument, "FILE"))
		put_value("mustexist", "true");
	else if (option->argument)
		put_value("placeholder", option->argument);
	if (one->tab)
		put_value("group", one->tab);
	putchar('\n');
}

/* Print the dialog. */
static void put_config(void)
{
	put_argument(
	    0, "front", "Front-end", "string",
	    "where the front-end (the VMM) is met: a path to listen at, connect:PATH, fd:N");
	printf("{required=true}{placeholder=FRONT}\n");
	put_argument(1, "back", "Back-end", "string",
		     "where the back-end is: a path to connect to, listen:PATH, fd:N");
	printf("{required=true}{placeholder=BACK}\n");
	for (size_t i = 0; i < OFFERED; i++)
		put_offered(2 + (int)i, &offered[i]);
	put_argument(2 + (int)OFFERED, "log-file", "Log file", "fileselect",
		     "what the proxy says goes here, and not to Wireshark");
	printf("{mustexist=false}{group=Debug}\n");
}

/* Fill in the options that are understood: those of Wireshark, and those of the dialog. */
static void options_of(struct option options[CALLS + OFFERED + 1])
{
	size_t count = CALLS;

	memcpy(options, calls, sizeof(calls));
	for (size_t i = 0; i < OFFERED; i++) {
		const struct vhu_option *option =
		    vhu_option_find(&vhu_command_proxy, offered[i].name);

		if (option)
			options[count++] = (struct option){
			    offered[i].name, option->argument ? required_argument : no_argument,
			    NULL, KEY_OFFERED + (int)i};
	}
	options[count] = (struct option){0};
}

/* Add a word for the proxy, made as printf makes it. */
__attribute__((format(printf, 2, 3))) static void add(struct vhu_extcap_request *request,
						      const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (request->words == WORDS_MAX ||
	    vasprintf(&request->word[request->words++], format, arguments) < 0)
		abort();
	va_end(arguments);
}

/* Pass an option of the dialog on to the proxy. One without a value was left alone. */
static void pass_on(struct vhu_extcap_request *request, const char *name, const char *value)
{
	const struct vhu_option *option = vhu_option_find(&vhu_command_proxy, name);

	if (!option->argument)
		add(request, "--%s", name);
	else if (*value && vhu_option_may_lack_argument(option) && !strcmp(value, WITHOUT_ARGUMENT))
		add(request, "--%s", name);
	else if (*value)
		add(request, "--%s=%s", name, value);
}

/* Take an option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take(struct vhu_extcap_request *request, int key, char **argv)
{
	switch (key) {
	case KEY_INTERFACES:
	case KEY_DLTS:
	case KEY_CONFIG:
	case KEY_CAPTURE:
		request->todo = key;
		break;
	case KEY_INTERFACE:
		request->interface = optarg;
		break;
	case KEY_FIFO:
		request->fifo = optarg;
		break;
	case KEY_FRONT:
		request->front = optarg;
		break;
	case KEY_BACK:
		request->back = optarg;
		break;
	case KEY_LOG:
		request->log = optarg;
		break;
	case KEY_PASSED_OVER:
		break;
	case '?':
	case ':':
		vhu_fail(&command, "%s: no such option, or its argument is missing",
			 argv[optind - 1]);
		return VHU_EXIT_USAGE;
	default:
		if ((size_t)(key - KEY_OFFERED) < OFFERED)
			pass_on(request, offered[key - KEY_OFFERED].name, optarg);
	}
	return VHU_EXIT_DONE;
}

/* Let what is said go to a file. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with why said. */
static int log_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return vhu_fail(&command, "%s: %s", path, strerror(errno));
	dup2(fd, STDERR_FILENO);
	close(fd);
	return VHU_EXIT_DONE;
}

/*
 * Wait for the reader of the FIFO, if that is what a path names, and let it wait for this process.
 * Returns a descriptor for the caller to close at the end of the capture; -1 if it is something
 * else: the proxy tells what is wrong with that.
 */
static int meet_reader(const char *path)
{
	struct stat st;

	return stat(path, &st) || !S_ISFIFO(st.st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC);
}

/* Capture into the FIFO. Returns the exit status. */
static int capture_into(struct vhu_extcap_request *request)
{
	if (!request->front || !*request->front)
		return vhu_fail(&command, "where is the front-end met? Set it in the options of "
					  "the interface " SHOWN);
	if (!request->back || !*request->back)
		return vhu_fail(&command, "where is the back-end? Set it in the options of the "
					  "interface " SHOWN);
	if (request->log && *request->log && log_to(request->log))
		return VHU_EXIT_FAILED;
	add(request, "--quiet");
	add(request, "--end-with-reader");
	add(request, "--write=%s", request->fifo);
	/* A path is no option, whatever it begins with. */
	add(request, "%s%s", *request->front == '-' ? "./" : "", request->front);
	add(request, "%s%s", *request->back == '-' ? "./" : "", request->back);
	optind = 0;
	return vhu_command_proxy.run(&vhu_command_proxy, request->words, request->word);
}

/* Capture. Returns the exit status. */
static int capture(struct vhu_extcap_request *request)
{
	int status, reader;

	if (!request->fifo)
		return vhu_fail(&command, "no --fifo to write to");
	reader = meet_reader(request->fifo);
	status = capture_into(request);
	if (reader >= 0)
		close(reader);
	return status;
}

/* Do what was called for. Returns the exit status. */
static int run(struct vhu_extcap_request *request)
{
	if (request->todo == KEY_INTERFACES) {
		printf("extcap {version=%s}{display=vhu}\n", VHU_VERSION);
		printf("interface {value=" INTERFACE "}{display=" SHOWN "}\n");
		return VHU_EXIT_DONE;
	}
	if (request->todo && (!request->interface || strcmp(request->interface, INTERFACE))) {
		vhu_fail(&command, "%s: no such interface: " INTERFACE " is the only one",
			 request->interface ? request->interface : "(none)");
		return VHU_EXIT_USAGE;
	}
	switch (request->todo) {
	case KEY_DLTS:
		printf("dlt {number=%d}{name=WIRESHARK_UPPER_PDU}{display=" INTERFACE "}\n", DLT);
		return VHU_EXIT_DONE;
	case KEY_CONFIG:
		put_config();
		return VHU_EXIT_DONE;
	case KEY_CAPTURE:
		return capture(request);
	}
	fprintf(stderr, "vhu-extcap: it is for Wireshark to call: docs/wireshark.md tells how\n");
	return VHU_EXIT_USAGE;
}

int vhu_extcap(int argc, char **argv)
{
	struct option options[CALLS + OFFERED + 1];
	struct vhu_extcap_request request = {0};
	int key, status = VHU_EXIT_DONE;

	options_of(options);
	add(&request, "%s", vhu_command_proxy.name);
	opterr = 0;
	while (status == VHU_EXIT_DONE && (key = getopt_long(argc, argv, ":", options, NULL)) != -1)
		status = take(&request, key, argv);
	if (status == VHU_EXIT_DONE)
		status = run(&request);
	while (request.words)
		free(request.word[--request.words]);
	return status;
}
