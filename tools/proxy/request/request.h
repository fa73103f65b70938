/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of vhu proxy: its options and arguments, understood one by one, before anything is
 * opened. An option is a row of the table in tools/proxy/cmd_proxy.c, a key here, a field here, and
 * a case in vhu_proxy_request_take.
 *
 * Ownership: a request owns its lists, its faults, and the texts that it was asked to keep;
 * all others are the command line's.
 */
#ifndef VHU_TOOLS_PROXY_REQUEST_REQUEST_H
#define VHU_TOOLS_PROXY_REQUEST_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/endpoint/socket_perms.h"
#include "proxy/proxy.h"
#include "tools/recording/files.h"
#include "tools/request_error.h"

/* Options without a short form. */
enum vhu_proxy_key {
	VHU_PROXY_WITH_KEYS = 256,
	VHU_PROXY_FLIGHT_RECORDER,
	VHU_PROXY_MAX_DISK,
	VHU_PROXY_CHECK_CONFIG,
	VHU_PROXY_PAIR,
	VHU_PROXY_RETRY,
	VHU_PROXY_ONE,
	VHU_PROXY_MODE,
	VHU_PROXY_OWNER,
	VHU_PROXY_AS_FRONT,
	VHU_PROXY_INTERPOSE,
	VHU_PROXY_RECORD_KICKS,
	VHU_PROXY_FAULT,
	VHU_PROXY_FAULTS,
	VHU_PROXY_SEED,
	VHU_PROXY_MASK,
	VHU_PROXY_CONFIG, /* taken by vhu_proxy_config_take */
	VHU_PROXY_RELOAD_FOLDER,
	VHU_PROXY_FINDINGS,
	VHU_PROXY_NO_SANDBOX,
	VHU_PROXY_CONTROL,
	VHU_PROXY_END_WITH_READER,
	VHU_PROXY_STALL,
	VHU_PROXY_ON_STALL,
	VHU_PROXY_SNAPSHOT_AT_END,
};

/* An option as it was given, on the command line or in a configuration. */
struct vhu_proxy_given {
	int key;
	const char *argument; /* NULL without one */
};

struct vhu_proxy_request {
	/* What serves while this is a new configuration for it; else NULL. */
	const struct vhu_proxy_request *running;
	struct vhu_proxy_given *given; /* all options, in their order */
	size_t givens;
	const char *config;  /* the last --config; NULL: none */
	const char *file;    /* NULL: no capture */
	uint32_t snaplen;    /* 0: the default */
	const char *control; /* NULL: no control socket; "-": where it is by itself */
	struct vhu_recording_files files;
	uint64_t patience_ns; /* for each pair */
	bool one_at_a_time;
	struct vhu_faults faults; /* of these the run takes the texts */
	struct vhu_mask mask;
	bool seeded;                    /* faults.seed was given */
	struct vhu_socket_perms rights; /* of the sockets that are made */
	struct vhu_watchdog_options watchdog;
	const char *on_stall; /* NULL: nothing is run */
	bool interpose;       /* as `notify` tells */
	struct vhu_eventfd_options notify;
	bool verbose, quiet, with_keys, no_sandbox, end_with_reader, findings;
	bool check;          /* see whether it makes sense, and do nothing */
	char **child;        /* COMMAND and its arguments; NULL: none */
	bool child_is_front; /* else it is the back-end */
	/* FRONT and BACK as they were written, by side; NULL for one that COMMAND is in the place
	 * of.
	 */
	struct vhu_proxy_request_pair {
		const char *end[2];
		const char *where; /* FILE:LINE of a configuration; NULL: the command line */
	} * pair;
	size_t pairs;
	struct vhu_proxy_text *texts;
};

/*
 * Take the option with @key.
 * @argument: NULL without one; must outlive the request. @error: gets a line on what is wrong.
 * Returns 0, -EINVAL or -ENOMEM.
 */
int vhu_proxy_request_take(struct vhu_proxy_request *request, int key, const char *argument,
			   char error[VHU_REQUEST_ERROR]);

/*
 * Take the arguments that follow the options, and see whether all that was asked for goes together.
 * Returns as vhu_proxy_request_take does.
 */
int vhu_proxy_request_end(struct vhu_proxy_request *request, int argc, char **argv,
			  char error[VHU_REQUEST_ERROR]);

/* Add a pair to those asked for; the texts must outlive the request. Returns as
 * vhu_proxy_request_take does. */
int vhu_proxy_request_pair(struct vhu_proxy_request *request, const char *front, const char *back,
			   char error[VHU_REQUEST_ERROR]);

/*
 * Say in @error, a line on what is wrong with pairs, where they are written.
 * @at: the number of the pair. @other: that of the pair that it does not go with; @at without one.
 */
void vhu_proxy_request_place(const struct vhu_proxy_request *request, size_t at, size_t other,
			     char error[VHU_REQUEST_ERROR]);

/* Return whether the file at @path may be read: a pipe could keep a proxy waiting that serves
 * sessions. If not, @error gets a line. */
bool vhu_proxy_request_may_read(const struct vhu_proxy_request *request, const char *path,
				char error[VHU_REQUEST_ERROR]);

/* Return @size bytes of zeros that last as long as @request; NULL out of memory. */
char *vhu_proxy_request_keep(struct vhu_proxy_request *request, size_t size);

/*
 * Cut @text into words where one of @separators is; blanks of any number are one. A backslash takes
 * its meaning from what follows it, and goes.
 * @word: gets the first @most of them.
 * Returns how many there are.
 */
size_t vhu_proxy_words(char *text, const char *separators, char **word, size_t most);

/* Free what @request owns. */
void vhu_proxy_request_free(struct vhu_proxy_request *request);

#endif
