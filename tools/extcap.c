/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu as an extcap of Wireshark: called as vhu-extcap, which is a link to vhu in Wireshark's folder
 * of extcaps, it is two interfaces in Wireshark's list: the capture of one is a vhu proxy, that of
 * the other a vhu attach.
 *
 * Wireshark asks which interfaces there are, what can be set in their dialog, and to capture into a
 * FIFO. Which of a command's options are in its dialog is listed here by name; what they take and
 * do the command's own table says. Options come here as the dialog has them, and go on to the
 * command.
 *
 * Wireshark's reader of the FIFO waits until the other end is open, and then reads to the end of
 * what is written. So that end is open from before anything can fail until this ends: a capture
 * that cannot begin is an empty one, after which Wireshark says why, and not a reader that waits
 * for good.
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

/* LINKTYPE_WIRESHARK_UPPER_PDU: each packet names its dissector. */
#define DLT 252

/* What turns on an option in the dialog whose argument may be left out. */
#define WITHOUT_ARGUMENT "on"

/* Tabs of the dialog. */
#define TAB_CHANGE "Change what passes"
#define TAB_MORE   "More"

/* A command's option that is in its dialog, by name. */
struct offered {
	const char *name;
	const char *shown;
	const char *tab; /* NULL: the first */
};

static const struct offered of_proxy[] = {
    {"retry", "Wait for a side", NULL},
    {"one", "One session at a time", NULL},
    {"snaplen", "Snap length", NULL},
    {"with-keys", "Record key material", NULL},
    {"faults", "Faults from a file", TAB_CHANGE},
    {"fault", "Fault", TAB_CHANGE},
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

#ifdef VHU_HAVE_BPF
static const struct offered of_attach[] = {
    {"socket", "Socket", NULL},
    {"pid", "Process", NULL},
    {"all", "Every session of this host", NULL},
    {"latency", "Kicks and calls too", NULL},
    {"snaplen", "Snap length", NULL},
    {"with-keys", "Record key material", NULL},
    {"hooks", "Hooks", TAB_MORE},
    {"verbose", "Say each message", "Debug"},
};
#endif

/* The interfaces, with their names, which are in Wireshark's preferences, too
 * ("extcap.vhost_user.front"). */
static const struct interface {
	const char *name, *shown;
	const struct vhu_command *command;
	const struct offered *offered;
	size_t count;
	bool has_ends; /* a front-end and a back-end */
} interfaces[] = {
    {"vhost-user", "vhost-user proxy", &vhu_command_proxy, of_proxy, VHU_ARRAY_SIZE(of_proxy),
     true},
#ifdef VHU_HAVE_BPF
    {"vhost-user-attach", "vhost-user sessions that run", &vhu_command_attach, of_attach,
     VHU_ARRAY_SIZE(of_attach), false},
#endif
};

/* As many options as the dialogs have. */
#define OFFERED 32

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

/* For the command: as many words as the dialog can make, and those that are always there. */
#define WORDS_MAX (OFFERED + 16)

/* What was called for. */
struct vhu_extcap_request {
	int todo; /* KEY_INTERFACES, KEY_DLTS, KEY_CONFIG or KEY_CAPTURE; 0 nothing */
	const char *interface, *fifo, *front, *back, *log;
	/* Options of the dialog. */
	struct {
		const char *name, *value;
	} given[OFFERED];
	size_t givens;
	char *word[WORDS_MAX + 1]; /* for the command */
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

/* Print an option of a command. */
static void put_offered(int number, const struct vhu_command *of, const struct offered *one)
{
	const struct vhu_option *option = vhu_option_find(of, one->name);
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

/* Print where the two ends are asked for. */
static void put_ends(void)
{
	put_argument(
	    0, "front", "Front-end", "string",
	    "where the front-end (the VMM) is met: a path to listen at, connect:PATH, fd:N");
	printf("{required=true}{placeholder=FRONT}\n");
	put_argument(1, "back", "Back-end", "string",
		     "where the back-end is: a path to connect to, listen:PATH, fd:N");
	printf("{required=true}{placeholder=BACK}\n");
}

/* Print the dialog. */
static void put_config(const struct interface *interface)
{
	if (interface->has_ends)
		put_ends();
	for (size_t i = 0; i < interface->count; i++)
		put_offered(2 + (int)i, interface->command, &interface->offered[i]);
	put_argument(2 + (int)interface->count, "log-file", "Log file", "fileselect",
		     "what is said goes here, and not to Wireshark");
	printf("{mustexist=false}{group=Debug}\n");
}

/* Fill in the options that are understood: those of Wireshark, and those of all dialogs. Of one
 * that is in two of them the first is found. */
static void options_of(struct option options[CALLS + OFFERED + 1])
{
	size_t count = CALLS;

	memcpy(options, calls, sizeof(calls));
	for (size_t i = 0; i < VHU_ARRAY_SIZE(interfaces); i++)
		for (size_t j = 0; j < interfaces[i].count && count < CALLS + OFFERED; j++) {
			const char *name = interfaces[i].offered[j].name;
			const struct vhu_option *option =
			    vhu_option_find(interfaces[i].command, name);

			if (option)
				options[count++] = (struct option){
				    name, option->argument ? required_argument : no_argument, NULL,
				    KEY_OFFERED};
		}
	options[count] = (struct option){0};
}

/* Add a word for the command, made as printf makes it. */
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

/* Pass an option of the dialog on to the command. One without a value was left alone. Returns
 * VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int pass_on(struct vhu_extcap_request *request, const struct interface *interface,
		   const char *name, const char *value)
{
	const struct vhu_option *option = NULL;

	for (size_t i = 0; i < interface->count && !option; i++)
		if (!strcmp(interface->offered[i].name, name))
			option = vhu_option_find(interface->command, name);
	if (!option) {
		vhu_fail(&command, "--%s: no option of the interface %s", name, interface->shown);
		return VHU_EXIT_USAGE;
	}
	if (!option->argument)
		add(request, "--%s", name);
	else if (*value && vhu_option_may_lack_argument(option) && !strcmp(value, WITHOUT_ARGUMENT))
		add(request, "--%s", name);
	else if (*value)
		add(request, "--%s=%s", name, value);
	return VHU_EXIT_DONE;
}

/* Take an option. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong said. */
static int take(struct vhu_extcap_request *request, int key, const struct option *option,
		char **argv)
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
		if (request->givens == OFFERED)
			break;
		request->given[request->givens].name = option->name;
		request->given[request->givens++].value = optarg;
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

/* Look whether the two ends were set. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with why not said.
 */
static int check_ends(const struct vhu_extcap_request *request, const struct interface *interface)
{
	if (!request->front || !*request->front)
		return vhu_fail(
		    &command,
		    "where is the front-end met? Set it in the options of the interface %s",
		    interface->shown);
	if (!request->back || !*request->back)
		return vhu_fail(&command,
				"where is the back-end? Set it in the options of the interface %s",
				interface->shown);
	return VHU_EXIT_DONE;
}

/* Add a path, which is no option, whatever it begins with. */
static void add_path(struct vhu_extcap_request *request, const char *path)
{
	add(request, "%s%s", *path == '-' ? "./" : "", path);
}

/* Capture into the FIFO. Returns the exit status. */
static int capture_into(struct vhu_extcap_request *request, const struct interface *interface)
{
	int status = interface->has_ends ? check_ends(request, interface) : VHU_EXIT_DONE;

	add(request, "%s", interface->command->name);
	for (size_t i = 0; status == VHU_EXIT_DONE && i < request->givens; i++)
		status =
		    pass_on(request, interface, request->given[i].name, request->given[i].value);
	if (status == VHU_EXIT_DONE && request->log && *request->log)
		status = log_to(request->log);
	if (status != VHU_EXIT_DONE)
		return status;
	add(request, "--quiet");
	add(request, "--write=%s", request->fifo);
	if (interface->has_ends) {
		add(request, "--end-with-reader");
		add_path(request, request->front);
		add_path(request, request->back);
	}
	optind = 0;
	return interface->command->run(interface->command, request->words, request->word);
}

/* Capture. Returns the exit status. */
static int capture(struct vhu_extcap_request *request, const struct interface *interface)
{
	int status, reader;

	if (!request->fifo)
		return vhu_fail(&command, "no --fifo to write to");
	reader = meet_reader(request->fifo);
	status = capture_into(request, interface);
	if (reader >= 0)
		close(reader);
	return status;
}

/* Print the interfaces that there are. */
static void put_interfaces(void)
{
	printf("extcap {version=%s}{display=vhu}\n", VHU_VERSION);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(interfaces); i++)
		printf("interface {value=%s}{display=%s}\n", interfaces[i].name,
		       interfaces[i].shown);
}

/* Return the interface of a name; NULL without. */
static const struct interface *interface_named(const char *name)
{
	for (size_t i = 0; name && i < VHU_ARRAY_SIZE(interfaces); i++)
		if (!strcmp(interfaces[i].name, name))
			return &interfaces[i];
	return NULL;
}

/* Do what was called for. Returns the exit status. */
static int run(struct vhu_extcap_request *request)
{
	const struct interface *interface = interface_named(request->interface);

	if (request->todo == KEY_INTERFACES) {
		put_interfaces();
		return VHU_EXIT_DONE;
	}
	if (request->todo && !interface) {
		vhu_fail(&command, "%s: no such interface: --extcap-interfaces lists them",
			 request->interface ? request->interface : "(none)");
		return VHU_EXIT_USAGE;
	}
	switch (request->todo) {
	case KEY_DLTS:
		printf("dlt {number=%d}{name=WIRESHARK_UPPER_PDU}{display=vhost-user}\n", DLT);
		return VHU_EXIT_DONE;
	case KEY_CONFIG:
		put_config(interface);
		return VHU_EXIT_DONE;
	case KEY_CAPTURE:
		return capture(request, interface);
	}
	fprintf(stderr, "vhu-extcap: it is for Wireshark to call: docs/wireshark.md tells how\n");
	return VHU_EXIT_USAGE;
}

int vhu_extcap(int argc, char **argv)
{
	struct option options[CALLS + OFFERED + 1];
	struct vhu_extcap_request request = {0};
	int key, which = 0, status = VHU_EXIT_DONE;

	options_of(options);
	opterr = 0;
	while (status == VHU_EXIT_DONE &&
	       (key = getopt_long(argc, argv, ":", options, &which)) != -1)
		status = take(&request, key, &options[which], argv);
	if (status == VHU_EXIT_DONE)
		status = run(&request);
	while (request.words)
		free(request.word[--request.words]);
	return status;
}
