/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu complete: what may stand at a place of a command line. The shells' completions, which
 * packaging/completions holds, only ask this; what there is comes from the tables that the commands
 * themselves are made of.
 */
#include "tools/complete/complete.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/ctl/ctl.h"

/* Return the command called @name, NULL for none. */
static const struct vhu_command *find(const struct vhu_command *const commands[], unsigned count,
				      const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Offer all commands. */
static void offer_commands(const struct vhu_complete *at,
			   const struct vhu_command *const commands[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		vhu_complete_offer(at, commands[i]->name, commands[i]->summary);
}

/* Offer the options of @command. */
static void offer_options(const struct vhu_complete *at, const struct vhu_command *command)
{
	char word[80];

	for (const struct vhu_option *option = command->option; option->name; option++) {
		snprintf(word, sizeof(word), "--%s", option->name);
		if (option->help)
			vhu_complete_offer(at, word, option->help);
	}
	vhu_complete_offer(at, "--help", "say what the command does");
}

/* Return the option @word if it takes the next word as its value; else NULL. */
static const struct vhu_option *option_before(const struct vhu_command *command, const char *word)
{
	const struct vhu_option *found = NULL;

	if (word[0] != '-')
		return NULL;
	if (word[1] == '-')
		found = vhu_option_find(command, word + 2);
	for (const struct vhu_option *option = command->option; option->name && !found; option++)
		if (word[1] && word[1] == option->key && !word[2])
			found = option;
	return found && !vhu_option_may_lack_argument(found) ? found : NULL;
}

/* Say that a file is meant, too. */
static void offer_files(void)
{
	putchar('\n');
}

/* Offer what the last of @words, an argument of @command, may be. */
static void offer_arguments(const struct vhu_complete *at, const struct vhu_command *command,
			    int words, char **word)
{
	if (strcmp(command->name, "ctl") != 0) {
		offer_files();
		return;
	}
	/* Options before the verb. */
	while (words > 1 && word[0][0] == '-') {
		int taken = option_before(command, word[0]) ? 2 : 1;

		words -= taken;
		word += taken;
	}
	vhu_complete_verbs(at, words, word);
}

/* Offer what the last of @words may be, @command being the word before them. */
static void offer_word(struct vhu_complete *at, const struct vhu_command *command, int words,
		       char **word)
{
	const char *before = words > 1 ? word[words - 2] : "", *sign = strchr(at->begins, '=');
	const struct vhu_option *option = option_before(command, before);

	if (option) {
		if (!vhu_complete_values(at, option->name))
			offer_files();
	} else if (!strncmp(at->begins, "--", 2) && sign &&
		   (size_t)(sign - at->begins) + 1 < sizeof(at->lead)) {
		char name[sizeof(at->lead) - sizeof("--=")];

		snprintf(name, sizeof(name), "%.*s", (int)(sign - at->begins) - 2, at->begins + 2);
		snprintf(at->lead, sizeof(at->lead), "--%s=", name);
		at->begins = sign + 1;
		if (!vhu_complete_values(at, name))
			offer_files();
	} else if (at->begins[0] == '-') {
		offer_options(at, command);
	} else {
		offer_arguments(at, command, words, word);
	}
}

void vhu_complete(const struct vhu_command *const commands[], unsigned count, int words,
		  char **word)
{
	struct vhu_complete at = {.begins = words ? word[words - 1] : ""};
	const struct vhu_command *command;

	if (words < 2) {
		offer_commands(&at, commands, count);
		vhu_complete_offer(&at, "help", "say what a command does");
		return;
	}
	if (!strcmp(word[0], "help")) {
		if (words == 2)
			offer_commands(&at, commands, count);
		return;
	}
	for (int i = 1; i + 1 < words; i++)
		if (!strcmp(word[i], "-s") || !strcmp(word[i], "--control") ||
		    !strcmp(word[i], "--socket"))
			at.socket = word[i + 1];
	command = find(commands, count, word[0]);
	if (command)
		offer_word(&at, command, words - 1, word + 1);
}
