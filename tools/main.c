/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu: finds the sub-command and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cli/near.h"
#include "lib/util/util.h"
#include "tools/commands.h"
#include "tools/complete/complete.h"

static const struct vhu_command *const commands[] = {
    &vhu_command_proxy,  &vhu_command_dump,    &vhu_command_check,
    &vhu_command_stats,  &vhu_command_probe,   &vhu_command_rings,
#ifdef VHU_HAVE_REPORT
    &vhu_command_report,
#endif
#ifdef VHU_HAVE_CONTROL
    &vhu_command_ctl,
#endif
#ifdef VHU_HAVE_TOP
    &vhu_command_top,
#endif
#ifdef VHU_HAVE_BPF
    &vhu_command_attach, &vhu_command_latency,
#endif
};
#define COMMANDS VHU_ARRAY_SIZE(commands)

/* Print what there is on @to. */
static void overview(FILE *to)
{
	fprintf(to, "vhu: a debugger for vhost-user\n\nUsage: vhu COMMAND [OPTIONS] ...\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\nvhu help COMMAND describes a command; vhu --version prints the version.\n");
}

/* Return the command called @name, NULL for none. */
static const struct vhu_command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

/* Say that there is no command called @name. Returns the exit status. */
static int no_command(const char *name)
{
	struct vhu_near near = {.word = name};
	char hint[VHU_NEAR_MAX];

	for (size_t i = 0; i < COMMANDS; i++)
		vhu_near_look(&near, commands[i]->name);
	fprintf(stderr, "vhu: %s: no such command%s (see vhu --help)\n", name,
		vhu_near_hint(&near, hint));
	return VHU_EXIT_USAGE;
}

/* Say what there is, or what @command does. Returns the exit status. */
static int help(const char *command)
{
	const struct vhu_command *about = command ? find(command) : NULL;

	if (command && !about && strcmp(command, "help"))
		return no_command(command);
	if (about)
		vhu_help(about);
	else
		overview(stdout);
	return VHU_EXIT_DONE;
}

/* Run the command that the words name. Returns the exit status. */
static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct vhu_command *command;
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;

	if (argc && !strcmp(slash ? slash + 1 : argv[0], "vhu-extcap"))
		return vhu_extcap(argc, argv);
	command = find(name);
	if (command)
		return command->run(command, argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(name, "complete")) {
		vhu_complete(commands, COMMANDS, argc - 2, argv + 2);
		return VHU_EXIT_DONE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("vhu %s\n", VHU_VERSION);
		return VHU_EXIT_DONE;
	}
	if (argc > 1)
		return no_command(name);
	overview(stderr);
	return VHU_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* Commands that see a full disk earlier have said so. */
	if ((fflush(stdout) || ferror(stdout)) && status == VHU_EXIT_DONE) {
		fprintf(stderr, "vhu: standard output: %s\n", strerror(errno));
		return VHU_EXIT_FAILED;
	}
	return status;
}
