/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options from one table: the same rows feed the parser, --help and the test that holds the manual
 * against them. This is the one library that speaks to the person: it prints help and what is
 * wrong with a command line.
 */
#ifndef VHU_CLI_OPTIONS_H
#define VHU_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses of every command. */
enum vhu_exit {
	VHU_EXIT_DONE = 0,
	VHU_EXIT_FAILED = 1, /* findings, or a peer or a file failed */
	VHU_EXIT_USAGE = 2,
};

struct vhu_option {
	int key;              /* what vhu_options_next returns; a letter is the short form too */
	const char *name;     /* long form, without its dashes */
	const char *argument; /* what it takes ("FILE"), or may take ("[=TIME]"); NULL: nothing */
	const char *help;     /* what it does; NULL: an older name, which help leaves out */
};

struct vhu_example {
	const char *command, *does;
};

/* A sub-command, or a program of its own; the lists end with a zeroed element. */
struct vhu_command {
	const char *name;
	bool alone;            /* a program: it is called by its name alone, not as "vhu NAME" */
	const char *arguments; /* what follows the options in the usage lines, one a line */
	const char *summary;   /* a line, begins with a verb */
	const char *about;     /* some sentences more, one paragraph a line, or NULL */
	const struct vhu_option *option;
	const struct vhu_example *example;
	int (*run)(const struct vhu_command *command, int argc, char **argv);
};

/* What vhu_options_next returns besides keys. */
enum {
	VHU_OPTIONS_END = -1,   /* arguments follow from argv[optind] on */
	VHU_OPTIONS_HELP = -2,  /* help was printed: exit with VHU_EXIT_DONE */
	VHU_OPTIONS_ERROR = -3, /* what is wrong was printed: exit with VHU_EXIT_USAGE */
};

/* Take the next option of @command; its argument is in *@argument, NULL without. Call it again
 * until it ends; argv[0] is the sub-command. -h and --help are every command's. */
int vhu_options_next(const struct vhu_command *command, int argc, char **argv,
		     const char **argument);

/* Return the option of @command with this long form, NULL for none. */
const struct vhu_option *vhu_option_find(const struct vhu_command *command, const char *name);

/* Return whether @option may do without its argument. */
bool vhu_option_may_lack_argument(const struct vhu_option *option);

/* Print "vhu NAME: TEXT" on stderr as one line. Returns VHU_EXIT_FAILED. */
int vhu_fail(const struct vhu_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print the same and where help is. Returns VHU_EXIT_USAGE. */
int vhu_usage(const struct vhu_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print the help of @command on stdout. */
void vhu_help(const struct vhu_command *command);

/*
 * Read an unsigned number, decimal or 0x, as the whole of @text, between @least and @most.
 * Returns 0 or -EINVAL.
 */
int vhu_number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value);

#endif
