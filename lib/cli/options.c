/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options from one table. */
#include "lib/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli/near.h"
#include "lib/util/utf8.h"

/* More options than any command has. */
#define OPTIONS_MAX    64
/* The column where help texts begin, and the number of columns that a line of help may use. */
#define HELP_COLUMN    30
#define HELP_WIDTH     80
/* The column where the text about an example begins. */
#define EXAMPLE_COLUMN 6

/* Return whether an option has a short form. */
static int has_letter(const struct vhu_option *option)
{
	return option->key > ' ' && option->key < 0x7f;
}

/* Return what stands before a command's name where it is called. */
static const char *before(const struct vhu_command *command)
{
	return command->alone ? "" : "vhu ";
}

/* Print "vhu NAME: " and the text, without ending the line. The text may name files and processes.
 */
static void say(const struct vhu_command *command, const char *format, va_list arguments)
{
	char *text;

	fprintf(stderr, "%s%s: ", before(command), command->name);
	if (vasprintf(&text, format, arguments) < 0) {
		fputs("out of memory", stderr);
		return;
	}
	fputs(vhu_utf8_printable(text, text, strlen(text) + 1), stderr);
	free(text);
}

const struct vhu_option *vhu_option_find(const struct vhu_command *command, const char *name)
{
	for (const struct vhu_option *option = command->option; option->name; option++) {
		if (!strcmp(option->name, name))
			return option;
	}
	return NULL;
}

bool vhu_option_may_lack_argument(const struct vhu_option *option)
{
	return !option->argument || *option->argument == '[';
}

/* Return how getopt_long puts whether @option takes an argument. */
static int takes_argument(const struct vhu_option *option)
{
	if (!option->argument)
		return no_argument;
	return vhu_option_may_lack_argument(option) ? optional_argument : required_argument;
}

int vhu_fail(const struct vhu_command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(command, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return VHU_EXIT_FAILED;
}

int vhu_usage(const struct vhu_command *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(command, format, arguments);
	va_end(arguments);
	fprintf(stderr, " (see %s%s --help)\n", before(command), command->name);
	return VHU_EXIT_USAGE;
}

/*
 * Print @text; break lines between words. The text begins in @column, where the cursor is, and so
 * do the lines that follow. A newline in the text begins another line.
 */
static void put_text(const char *text, int column)
{
	const size_t room = HELP_WIDTH - column;

	while (*text) {
		size_t length = strcspn(text, "\n"), end = length;

		if (length > room) {
			for (end = room; end && text[end] != ' ';)
				end--;
			if (!end)
				end = strcspn(text, " \n");
		}
		printf("%.*s\n", (int)end, text);
		text += end;
		text += *text == '\n' ? 1 : strspn(text, " ");
		if (*text)
			printf("%*s", column, "");
	}
}

/* Print a usage line of @command for each line of its arguments. */
static void put_usage(const struct vhu_command *command)
{
	const char *text = command->arguments, *label = "Usage:";

	do {
		int length = (int)strcspn(text, "\n");

		printf("%s %s%s [OPTIONS]%s%.*s\n", label, before(command), command->name,
		       length ? " " : "", length, text);
		text += length + (text[length] == '\n');
		label = "      ";
	} while (*text);
}

/* Print the help of one option. */
static void help_option(const struct vhu_option *option)
{
	int column = 0;

	if (has_letter(option))
		column += printf("  -%c, --%s", option->key, option->name);
	else
		column += printf("      --%s", option->name);
	if (option->argument)
		column += printf("%s%s", vhu_option_may_lack_argument(option) ? "" : " ",
				 option->argument);
	if (column >= HELP_COLUMN)
		column = printf("\n") - 1;
	printf("%*s", HELP_COLUMN - column, "");
	put_text(option->help, HELP_COLUMN);
}

void vhu_help(const struct vhu_command *command)
{
	static const struct vhu_option help = {'h', "help", NULL, "show this help"};

	printf("%s%s: %s\n\n", before(command), command->name, command->summary);
	put_usage(command);
	if (command->about) {
		printf("\n");
		put_text(command->about, 0);
	}
	printf("\nOptions:\n");
	for (const struct vhu_option *option = command->option; option->name; option++)
		if (option->help)
			help_option(option);
	help_option(&help);
	printf("\nExamples:\n");
	for (const struct vhu_example *example = command->example; example->command; example++) {
		printf("  %s\n%*s", example->command, EXAMPLE_COLUMN, "");
		put_text(example->does, EXAMPLE_COLUMN);
	}
}

/* Say that there is no option as @word writes it: "--word" or "--word=argument". */
static void no_such_option(const struct vhu_command *command, const char *word)
{
	char name[VHU_NEAR_MAX], hint[VHU_NEAR_MAX];
	struct vhu_near near = {.word = name};

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (const struct vhu_option *option = command->option; option->name; option++)
		if (option->help)
			vhu_near_look(&near, option->name);
	vhu_usage(command, "%s: no such option%s", word, vhu_near_hint(&near, hint));
}

/* Say what getopt found wrong with @word. */
static int bad_option(const struct vhu_command *command, int what, const char *word)
{
	if (what == ':')
		vhu_usage(command, "%s: wants an argument", word);
	else if (strncmp(word, "--", 2))
		vhu_usage(command, "%s: no such option", word);
	else if (optopt)
		vhu_usage(command, "%s: this option takes no argument", word);
	else
		no_such_option(command, word);
	return VHU_OPTIONS_ERROR;
}

int vhu_options_next(const struct vhu_command *command, int argc, char **argv,
		     const char **argument)
{
	struct option longs[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, 'h'}};
	char shorts[3 * OPTIONS_MAX + 4] = ":h";
	size_t letters = 2, count = 1;
	int got, word = optind;

	for (const struct vhu_option *option = command->option; option->name; option++) {
		if (count > OPTIONS_MAX)
			abort();
		longs[count++] =
		    (struct option){option->name, takes_argument(option), NULL, option->key};
		if (!has_letter(option))
			continue;
		shorts[letters++] = (char)option->key;
		for (int colons = takes_argument(option); colons > 0; colons--)
			shorts[letters++] = ':';
	}
	opterr = 0;
	got = getopt_long(argc, argv, shorts, longs, NULL);
	*argument = optarg;
	if (got == -1)
		return VHU_OPTIONS_END;
	if (got == 'h') {
		vhu_help(command);
		return VHU_OPTIONS_HELP;
	}
	if (got == '?' || got == ':')
		return bad_option(command, got, argv[word < argc ? word : argc - 1]);
	return got;
}

int vhu_number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	return errno || *end || *value < least || *value > most ? -EINVAL : 0;
}
