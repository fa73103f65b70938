/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of vhu proxy: options and arguments. */
#include "tools/proxy/request/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/cli/options.h"
#include "lib/ringwatch/stall.h"
#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/session/pair.h"

/* A text that a request owns. */
struct vhu_proxy_text {
	struct vhu_proxy_text *next;
	char bytes[];
};

char *vhu_proxy_request_keep(struct vhu_proxy_request *request, size_t size)
{
	struct vhu_proxy_text *text = calloc(1, sizeof(*text) + size);

	if (!text)
		return NULL;
	text->next = request->texts;
	request->texts = text;
	return text->bytes;
}

size_t vhu_proxy_words(char *text, const char *separators, char **word, size_t most)
{
	bool blanks = strchr(separators, ' ') != NULL, last = false;
	char *begin = text, *to = text;
	size_t words = 0;

	for (char *from = text; !last; from++) {
		last = !*from;
		if (!last && !strchr(separators, *from)) {
			if (*from == '\\' && from[1])
				from++;
			*to++ = *from;
			continue;
		}
		*to++ = '\0';
		if (!blanks || *begin) {
			if (words < most)
				word[words] = begin;
			words++;
		}
		begin = to;
	}
	return words;
}

int vhu_proxy_request_pair(struct vhu_proxy_request *request, const char *front, const char *back,
			   char error[VHU_REQUEST_ERROR])
{
	struct vhu_proxy_request_pair *more =
	    reallocarray(request->pair, request->pairs + 1, sizeof(*more));

	if (!more) {
		vhu_request_wrong(error, "out of memory");
		return -ENOMEM;
	}
	request->pair = more;
	more[request->pairs++] = (struct vhu_proxy_request_pair){.end = {front, back}};
	return 0;
}

void vhu_proxy_request_place(const struct vhu_proxy_request *request, size_t at, size_t other,
			     char error[VHU_REQUEST_ERROR])
{
	const char *where = at < request->pairs ? request->pair[at].where : NULL;
	const char *also =
	    other < request->pairs && other != at ? request->pair[other].where : NULL;
	char what[VHU_REQUEST_ERROR * 3 / 4];

	if (!where) {
		where = also;
		also = NULL;
	}
	snprintf(what, sizeof(what), "%s", error);
	snprintf(error, VHU_REQUEST_ERROR, "%s%s%s%s%s", where ? where : "", where ? ": " : "",
		 what, also ? ": the other is at " : "", also ? also : "");
}

/* Take --pair: FRONT=BACK. Returns as vhu_proxy_request_take does. */
static int request_joined_pair(struct vhu_proxy_request *request, const char *argument, char *error)
{
	char *text = vhu_proxy_request_keep(request, strlen(argument) + 1), *word[2];

	if (!text) {
		vhu_request_wrong(error, "out of memory");
		return -ENOMEM;
	}
	memcpy(text, argument, strlen(argument));
	if (vhu_proxy_words(text, "=", word, 2) != 2)
		return vhu_request_wrong(
		    error, "%s: a pair is FRONT=BACK: write \\= for a = in a path", argument);
	return vhu_proxy_request_pair(request, word[0], word[1], error);
}

/* Take --snaplen. Returns as vhu_proxy_request_take does. */
static int request_snaplen(struct vhu_proxy_request *request, const char *argument, char *error)
{
	uint64_t number;

	if (vhu_number_parse(argument, 1, VHU_PCAPNG_SNAPLEN_DEFAULT, &number))
		return vhu_request_wrong(error, "%s: not a snap length from 1 to %d", argument,
					 VHU_PCAPNG_SNAPLEN_DEFAULT);
	request->snaplen = (uint32_t)number;
	return 0;
}

/* Take a time; without a unit it is seconds. Returns as vhu_proxy_request_take does. */
static int request_time(const char *argument, uint64_t *ns, char *error)
{
	if (vhu_duration_parse(argument, ns))
		return vhu_request_wrong(error, "%s: not a time such as 5s or 500ms", argument);
	return 0;
}

/* Take --retry. Returns as vhu_proxy_request_take does. */
static int request_retry(struct vhu_proxy_request *request, const char *argument, char *error)
{
	request->patience_ns = VHU_PAIR_FOR_EVER;
	return argument ? request_time(argument, &request->patience_ns, error) : 0;
}

/* Take --stall. Returns as vhu_proxy_request_take does. */
static int request_stall(struct vhu_proxy_request *request, const char *argument, char *error)
{
	uint64_t *ns = &request->watchdog.stall_ns;
	int code = request_time(argument, ns, error);

	if (!code && *ns < VHU_STALL_LEAST_NS)
		return vhu_request_wrong(error, VHU_STALL_TOO_SHORT, argument);
	return code;
}

/* Take --fault. Returns as vhu_proxy_request_take does. */
static int request_fault(struct vhu_proxy_request *request, const char *argument, char *error)
{
	char what[VHU_FAULT_ERROR];
	int id = vhu_faults_add(&request->faults, argument, what);

	if (id < 0)
		vhu_request_wrong(error, "fault '%.*s': %s", VHU_REQUEST_ERROR / 4, argument, what);
	return id < 0 ? id : 0;
}

bool vhu_proxy_request_may_read(const struct vhu_proxy_request *request, const char *path,
				char error[VHU_REQUEST_ERROR])
{
	struct stat st;

	if (!request->running || stat(path, &st) || !S_ISFIFO(st.st_mode))
		return true;
	vhu_request_wrong(error, "%s: a pipe is not read while sessions go on", path);
	return false;
}

/* Take --faults. Returns as vhu_proxy_request_take does. */
static int request_faults(struct vhu_proxy_request *request, const char *argument, char *error)
{
	char what[VHU_FAULT_ERROR];
	int count;

	if (!vhu_proxy_request_may_read(request, argument, error))
		return -EINVAL;
	count = vhu_faults_load(&request->faults, argument, what);
	return count < 0 ? vhu_request_wrong(error, "%s", what) : 0;
}

/* Take --seed. Returns as vhu_proxy_request_take does. */
static int request_seed(struct vhu_proxy_request *request, const char *argument, char *error)
{
	if (vhu_number_parse(argument, 0, UINT64_MAX, &request->faults.seed))
		return vhu_request_wrong(error, "%s: not a number", argument);
	request->seeded = true;
	return 0;
}

/* Take --mask. Returns as vhu_proxy_request_take does. */
static int request_mask(struct vhu_proxy_request *request, const char *argument, char *error)
{
	char what[VHU_FAULT_ERROR];

	if (vhu_mask_add(&request->mask, argument, what))
		return vhu_request_wrong(error, "mask '%.*s': %s", VHU_REQUEST_ERROR / 4, argument,
					 what);
	return 0;
}

/* Take --owner. Returns as vhu_proxy_request_take does. */
static int request_owner(struct vhu_proxy_request *request, const char *argument, char *error)
{
	const struct vhu_proxy_request *running = request->running;

	if (!running)
		return vhu_socket_perms_ask_owner(&request->rights, argument, error);
	/* The list of users cannot be read from the sandbox, and the owner is not changed. */
	request->rights.has_uid = request->rights.uid_asked = running->rights.uid_asked;
	request->rights.uid = running->rights.uid;
	request->rights.has_gid = request->rights.gid_asked = running->rights.gid_asked;
	request->rights.gid = running->rights.gid;
	return 0;
}

/* Note that an option was given. Returns as vhu_proxy_request_take does. */
static int request_note(struct vhu_proxy_request *request, int key, const char *argument,
			char *error)
{
	struct vhu_proxy_given *more =
	    reallocarray(request->given, request->givens + 1, sizeof(*more));

	if (!more) {
		vhu_request_wrong(error, "out of memory");
		return -ENOMEM;
	}
	request->given = more;
	more[request->givens++] = (struct vhu_proxy_given){key, argument};
	return 0;
}

int vhu_proxy_request_take(struct vhu_proxy_request *request, int key, const char *argument,
			   char error[VHU_REQUEST_ERROR])
{
	if (request_note(request, key, argument, error))
		return -ENOMEM;
	switch (key) {
	case 'w':
		request->file = argument;
		break;
	case 'v':
		request->verbose = true;
		break;
	case 'q':
		request->quiet = true;
		break;
	case 's':
		return request_snaplen(request, argument, error);
	case 'b':
		return vhu_recording_files_take(&request->files, argument, error);
	case VHU_PROXY_MAX_DISK:
		return vhu_recording_files_take_disk(&request->files, argument, error);
	case VHU_PROXY_CONFIG:
		request->config = argument;
		break;
	case VHU_PROXY_CHECK_CONFIG:
		request->check = true;
		break;
	case VHU_PROXY_FLIGHT_RECORDER:
		return vhu_recording_files_take_flight(&request->files, argument, error);
	case VHU_PROXY_WITH_KEYS:
		request->with_keys = true;
		break;
	case VHU_PROXY_RETRY:
		return request_retry(request, argument, error);
	case VHU_PROXY_ONE:
		request->one_at_a_time = true;
		break;
	case VHU_PROXY_AS_FRONT:
		request->child_is_front = true;
		break;
	case VHU_PROXY_MODE:
		return vhu_socket_perms_ask_mode(&request->rights, argument, error);
	case VHU_PROXY_OWNER:
		return request_owner(request, argument, error);
	case VHU_PROXY_INTERPOSE:
		request->interpose = true;
		return vhu_eventfd_options_parse(&request->notify, argument, error,
						 VHU_REQUEST_ERROR);
	case VHU_PROXY_RECORD_KICKS:
		request->notify.record = true;
		break;
	case VHU_PROXY_FAULT:
		return request_fault(request, argument, error);
	case VHU_PROXY_FAULTS:
		return request_faults(request, argument, error);
	case VHU_PROXY_SEED:
		return request_seed(request, argument, error);
	case VHU_PROXY_MASK:
		return request_mask(request, argument, error);
	case VHU_PROXY_PAIR:
		return request_joined_pair(request, argument, error);
	case VHU_PROXY_CONTROL:
#ifndef VHU_HAVE_CONTROL
		return vhu_request_wrong(error, "--control: vhu was built without jansson");
#endif
		request->control = argument;
		break;
	case VHU_PROXY_END_WITH_READER:
		request->end_with_reader = true;
		break;
	case VHU_PROXY_STALL:
		return request_stall(request, argument, error);
	case VHU_PROXY_ON_STALL:
		request->on_stall = argument;
		break;
	case VHU_PROXY_SNAPSHOT_AT_END:
		request->watchdog.at_end = true;
		break;
	case VHU_PROXY_FINDINGS:
		request->findings = true;
		break;
	case VHU_PROXY_NO_SANDBOX:
		request->no_sandbox = true;
		break;
	}
	return 0;
}

/* Take the arguments that name the pair of COMMAND, who may be in the place of one of them. Returns
 * as vhu_proxy_request_take does. */
static int request_child_pair(struct vhu_proxy_request *request, int argc, char **argv, char *error)
{
	const char *end[2] = {argc > 0 ? argv[0] : NULL, argc > 1 ? argv[1] : NULL};

	if (!request->child[0])
		return vhu_request_wrong(error, "which COMMAND?");
	if (request->pairs + (argc > 0) > 1)
		return vhu_request_wrong(error, "%s: COMMAND goes with one pair",
					 request->child[0]);
	if (request->pairs)
		return 0;
	if (!argc)
		return vhu_request_wrong(error, "which %s?",
					 request->child_is_front ? "BACK" : "FRONT");
	if (argc == 1 && request->child_is_front)
		return vhu_proxy_request_pair(request, NULL, end[0], error);
	return vhu_proxy_request_pair(request, end[0], end[1], error);
}

/* Take the arguments that follow the options. Returns as vhu_proxy_request_take does. */
static int request_arguments(struct vhu_proxy_request *request, int argc, char **argv, char *error)
{
	if (argc > 2)
		return vhu_request_wrong(error, "%s: FRONT and BACK are two", argv[2]);
	if (request->child)
		return request_child_pair(request, argc, argv, error);
	if (request->child_is_front)
		return vhu_request_wrong(error, "which COMMAND is the front-end?");
	/* Those of --pair and --config are enough. */
	if (argc == 1 || (!argc && !request->pairs))
		return vhu_request_wrong(error, "which %s?", argc ? "BACK" : "FRONT and BACK");
	return argc ? vhu_proxy_request_pair(request, argv[0], argv[1], error) : 0;
}

int vhu_proxy_request_end(struct vhu_proxy_request *request, int argc, char **argv,
			  char error[VHU_REQUEST_ERROR])
{
	if (!request->interpose && vhu_faults_speak_of_signals(&request->faults)) {
		request->interpose = true;
		vhu_eventfd_options_parse(&request->notify, NULL, error, VHU_REQUEST_ERROR);
	}
	if (request->notify.record && !request->interpose)
		return vhu_request_wrong(
		    error,
		    "--record-kicks wants --interpose-eventfds: else they do not come by here");
	if (request->notify.record && !request->file && !request->control)
		return vhu_request_wrong(
		    error, "--record-kicks wants -w, or --control for vhu ctl follow: nothing is "
			   "recorded otherwise");
	if (request->on_stall && !request->watchdog.stall_ns && !request->control)
		return vhu_request_wrong(error, "--on-stall wants --stall: after which time?");
	if (request->watchdog.at_end && !request->file)
		return vhu_request_wrong(error,
					 "--snapshot-at-end wants -w: snapshots are records");
	if (request->findings && !request->control)
		return vhu_request_wrong(
		    error, "--findings wants --control: vhu ctl metrics tells what was found");
	request->notify.quiet = request->quiet;
	if (request->file && !strcmp(request->file, "-") && isatty(STDOUT_FILENO))
		return vhu_request_wrong(error,
					 "a capture is not for terminals: pipe it or name a file");
	if (vhu_recording_files_end(&request->files, request->file, error))
		return -EINVAL;
	return request_arguments(request, argc, argv, error);
}

void vhu_proxy_request_free(struct vhu_proxy_request *request)
{
	struct vhu_proxy_text *text;

	while ((text = request->texts)) {
		request->texts = text->next;
		free(text);
	}
	vhu_faults_clear(&request->faults);
	free(request->given);
	free(request->pair);
	request->given = NULL;
	request->pair = NULL;
	request->givens = request->pairs = 0;
}
