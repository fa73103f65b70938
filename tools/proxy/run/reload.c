/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu proxy reads its configuration again. It understands the whole of the new one, and does what
 * may fail, before anything changes. If anything is wrong with it, the old one stays.
 */
#include "tools/proxy/run/reload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"
#include "proxy/core/systemd.h"
#include "proxy/watchdog/watchdog.h"
#include "tools/proxy/request/read.h"

/* Room for a line on what a new configuration changes. */
#define RELOAD_LINE 1024

/* Options whose change takes effect while the proxy runs. */
static const int live[] = {
    VHU_PROXY_PAIR,   VHU_PROXY_RETRY, VHU_PROXY_ONE,      VHU_PROXY_MODE,   VHU_PROXY_FAULT,
    VHU_PROXY_FAULTS, VHU_PROXY_STALL, VHU_PROXY_MAX_DISK, VHU_PROXY_CONFIG, 'b',
};

/* Return the next option with @key from *@at on, and move *@at behind it; NULL for none. */
static const struct vhu_proxy_given *next_given(const struct vhu_proxy_request *request, int key,
						size_t *at)
{
	while (*at < request->givens) {
		const struct vhu_proxy_given *given = &request->given[(*at)++];

		if (given->key == key)
			return given;
	}
	return NULL;
}

/* Return whether two requests give the option with @key the same arguments. */
static bool same_given(const struct vhu_proxy_request *one, const struct vhu_proxy_request *other,
		       int key)
{
	const struct vhu_proxy_given *a, *b;
	size_t at = 0, at_other = 0;

	do {
		a = next_given(one, key, &at);
		b = next_given(other, key, &at_other);
		if (!a != !b || (a && !a->argument != !b->argument) ||
		    (a && a->argument && strcmp(a->argument, b->argument) != 0))
			return false;
	} while (a);
	return true;
}

/* Return whether a series of files, or the flight recorder, can go by the limits of @next. */
static bool limits_are_live(const struct vhu_proxy_run *run, const struct vhu_proxy_request *next)
{
	return (run->capture.series || run->flight.on) &&
	       next->files.flight_bytes == run->request->files.flight_bytes &&
	       next->files.ends == run->request->files.ends;
}

/* Return whether a change of the option with @key takes effect now. */
static bool is_live(const struct vhu_proxy_run *run, const struct vhu_proxy_request *next, int key)
{
	if (key == 'b' || key == VHU_PROXY_MAX_DISK)
		return limits_are_live(run, next);
	if (key == VHU_PROXY_PAIR && run->request->child) {
		enum vhu_side other = run->child.side == VHU_FRONT ? VHU_BACK : VHU_FRONT;
		const char *text = next->pair[0].end[other];

		return text && !strcmp(text, run->pairs->text[other]);
	}
	for (size_t i = 0; i < VHU_ARRAY_SIZE(live); i++) {
		if (live[i] == key)
			return true;
	}
	return false;
}

/* Write the names of those options into @names that @next changes and that cannot change now. */
static void name_others(const struct vhu_proxy_run *run, const struct vhu_proxy_request *next,
			char names[RELOAD_LINE])
{
	size_t length = 0;

	*names = '\0';
	for (const struct vhu_option *option = run->command->option; option->name; option++) {
		const bool pair = option->key == VHU_PROXY_PAIR && run->request->child;

		if (is_live(run, next, option->key) ||
		    (!pair && same_given(run->request, next, option->key)))
			continue;
		if (length < RELOAD_LINE)
			length += (size_t)snprintf(names + length, RELOAD_LINE - length, "%s%s",
						   length ? ", " : "", option->name);
	}
}

/* The line on a reload names the changes of these options; it counts pairs and faults. */
static const int named[VHU_RELOAD_NAMED] = {
    VHU_PROXY_RETRY, VHU_PROXY_ONE, VHU_PROXY_MODE, VHU_PROXY_STALL, VHU_PROXY_MAX_DISK, 'b',
};

/* Return the name of the option with @key. */
static const char *name_of(const struct vhu_command *command, int key)
{
	const struct vhu_option *option = command->option;

	while (option->key != key)
		option++;
	return option->name;
}

/* Return the option with @key as @request has it, in the form of a configuration: the last one of
 * several, but each part of a ring-buffer. "" if @request lacks it; NULL out of memory. */
static char *spell(const struct vhu_command *command, const struct vhu_proxy_request *request,
		   int key)
{
	const struct vhu_proxy_given *given;
	char text[RELOAD_LINE] = "";
	size_t at = 0, length = 0;

	while ((given = next_given(request, key, &at))) {
		if (key != 'b')
			length = 0;
		if (length < sizeof(text))
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s",
						   length ? "" : name_of(command, key),
						   given->argument ? " " : "",
						   given->argument ? given->argument : "");
	}
	return strdup(text);
}

/* Write into @text which of the named options @next has otherwise than before, and keep that. */
static void name_changes(struct vhu_proxy_run *run, const struct vhu_proxy_request *next,
			 char text[RELOAD_LINE])
{
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < VHU_ARRAY_SIZE(named); i++) {
		char *was = run->named[i], *is = spell(run->command, next, named[i]);

		if (!was)
			was = spell(run->command, run->request, named[i]);
		if (was && is && strcmp(was, is) != 0 && is_live(run, next, named[i]) &&
		    length < RELOAD_LINE)
			length += (size_t)snprintf(text + length, RELOAD_LINE - length, "%s%s%s",
						   length ? ", " : "; now ", *is ? "" : "without ",
						   *is ? is : name_of(run->command, named[i]));
		free(was);
		run->named[i] = is;
	}
}

void vhu_proxy_run_forget_reloads(struct vhu_proxy_run *run)
{
	for (size_t i = 0; i < VHU_RELOAD_NAMED; i++)
		free(run->named[i]);
}

/* Go by the limits of @next. */
static void change_limits(struct vhu_proxy_run *run, const struct vhu_proxy_request *next)
{
	const struct vhu_capture_file_limits *limits = &next->files.limits;

	if (limits_are_live(run, next) && run->flight.on)
		vhu_flight_limit(&run->flight.recorder, limits->files, limits->disk);
	else if (limits_are_live(run, next))
		vhu_capture_file_limit(&run->capture, limits);
	/* What vhu ctl has set stays, unless the configuration has another time than before. */
	if (next->watchdog.stall_ns == run->configured_stall_ns)
		return;
	run->configured_stall_ns = run->proxy.watchdog.stall_ns = next->watchdog.stall_ns;
	vhu_watchdog_set(&run->proxy);
}

/* Go by @next. Returns 0; -errno with a line in @error, and nothing has changed. */
static int go_by(struct vhu_proxy_run *run, const struct vhu_proxy_request *next,
		 char error[VHU_REQUEST_ERROR])
{
	struct vhu_reload_plan plan = {.run = run, .next = next};
	char wrong[VHU_ENDPOINT_ERROR], others[RELOAD_LINE], changes[RELOAD_LINE];
	unsigned added, removed;
	int code = vhu_proxy_run_may_change_faults(run, next, error);

	if (code)
		return code;
	if (!run->request->child)
		code = vhu_reload_plan_make(&plan, wrong);
	if (code) {
		snprintf(error, VHU_REQUEST_ERROR, "%s", wrong);
	} else {
		name_others(run, next, others);
		name_changes(run, next, changes);
		vhu_proxy_run_change_faults(run, next, &added, &removed);
		change_limits(run, next);
		vhu_reload_plan_follow(&plan);
		vhu_proxy_say(&run->proxy,
			      "%s: read again: pairs: %u added, %u removed, %u changed; faults: %u "
			      "added, %u removed%s",
			      run->request->config, plan.added, plan.removed, plan.changed, added,
			      removed, changes);
		if (*others)
			vhu_proxy_say(&run->proxy,
				      "%s: cannot change while the proxy runs: restart it", others);
	}
	vhu_reload_plan_free(&plan);
	return code;
}

void vhu_proxy_run_reload(struct vhu_proxy_run *run)
{
	struct vhu_proxy_request next = {.running = run->request};
	char error[VHU_REQUEST_ERROR], lines[64];
	int wrong;

	snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 vhu_now_ns() / (VHU_NS_PER_MS / 1000));
	vhu_systemd_notify(lines);
	wrong = vhu_proxy_request_read(run->command, &next, run->argc, run->argv, error) !=
		VHU_EXIT_DONE;
	if (!wrong)
		wrong = go_by(run, &next, error) != 0;
	if (wrong)
		vhu_proxy_say(&run->proxy, "the configuration stays as it was: %s", error);
	vhu_proxy_request_free(&next);
	vhu_systemd_notify("READY=1");
}
