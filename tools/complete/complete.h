/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may stand at a place of a command line, for the completions of shells. */
#ifndef VHU_TOOLS_COMPLETE_H
#define VHU_TOOLS_COMPLETE_H

#include <stdbool.h>

#include "lib/cli/options.h"

/* The word that is completed. */
struct vhu_complete {
	const char *begins; /* what stands there already */
	char lead[80];      /* is put before each candidate: "--message=" */
	const char *socket; /* the control socket that the command line names, or NULL */
};

/* Print @word, if it may be meant, and what it is, unless @help is NULL. */
void vhu_complete_offer(const struct vhu_complete *at, const char *word, const char *help);

/* Offer what an option that is called @name takes. Returns whether that is known; else a file's
 * name is as good a guess as any. */
bool vhu_complete_values(const struct vhu_complete *at, const char *name);

/* Offer the numbers of the sessions of the proxy that answers, if one does. */
void vhu_complete_sessions(const struct vhu_complete *at);

/*
 * Print what the last of @words may be, a line each: the word, and after a tab what it is. Words
 * begin after "vhu". Where files are meant too, the first line is empty.
 * @commands: all there are.
 */
void vhu_complete(const struct vhu_command *const commands[], unsigned count, int words,
		  char **word);

#endif
