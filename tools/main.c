/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu: finds the sub-command and runs it. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"

#include "lib/util/util.h"

static const struct vhu_command *const commands[] = {
    &vhu_command_proxy,  &vhu_command_dump,    &vhu_command_check,
    &vhu_command_stats,  &vhu_command_probe,   &vhu_command_rings,
#ifdef VHU_HAVE_CONTROL
    &vhu_command_ctl,
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
	fprintf(to, "\nvhu COMMAND --help says more; vhu --version tells the version.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;

	if (argc && !strcmp(slash ? slash + 1 : argv[0], "vhu-extcap"))
		return vhu_extcap(argc, argv);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i]->run(commands[i], argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		overview(stdout);
		return VHU_EXIT_DONE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		printf("vhu %s\n", VHU_VERSION);
		return VHU_EXIT_DONE;
	}
	if (argc > 1)
		fprintf(stderr, "vhu: %s: no such command (see vhu --help)\n", name);
	else
		overview(stderr);
	return VHU_EXIT_USAGE;
}
