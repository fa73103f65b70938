/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults: the list of them, and what they are for; fault.h has their theory of operation. */
#include "proxy/fault/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/walk.h"
#include "proxy/fault/parse.h"

/* A file of faults is no larger, and no line of it is longer. */
#define FAULTS_FILE_MAX (1u << 20)
#define FAULTS_LINE_MAX 4096

/* What of a fault's chance is decided. */
enum { CHANCE_APPLIES, CHANCE_DELAY };

/* Compute again which messages the faults name. */
static void faults_speak(struct vhu_faults *faults)
{
	memset(faults->speak, 0, sizeof(faults->speak));
	for (const struct vhu_fault *fault = faults->first; fault; fault = fault->next) {
		const unsigned bit = fault->request < 63 ? fault->request : 63;

		if (fault->of_signals)
			continue;
		for (int channel = 0; channel < VHU_CHANNELS; channel++)
			for (int from = 0; from < 2; from++)
				if (fault->of[channel][from])
					faults->speak[channel][from] |=
					    fault->any ? UINT64_MAX : UINT64_C(1) << bit;
	}
}

/* Put @fault, which is complete, at the end of the list. */
static void faults_append(struct vhu_faults *faults, struct vhu_fault *fault)
{
	struct vhu_fault **end = &faults->first;

	while (*end)
		end = &(*end)->next;
	while (faults->slot[fault->slot])
		fault->slot++;
	faults->slot[fault->slot] = true;
	fault->id = ++faults->given;
	faults->count++;
	*end = fault;
	faults_speak(faults);
}

/*
 * Make a fault of @text and add it.
 * Returns its id or -errno; *@error is filled in where that is -EINVAL.
 */
static int faults_add(struct vhu_faults *faults, const char *text, struct vhu_fault_error *error)
{
	struct vhu_fault *fault;

	if (faults->count == VHU_FAULTS_MAX)
		return -ENOSPC;
	fault = calloc(1, sizeof(*fault));
	if (!fault)
		return -ENOMEM;
	if (vhu_fault_parse(fault, text, error)) {
		free(fault);
		return -EINVAL;
	}
	fault->text = strdup(text);
	if (!fault->text) {
		free(fault);
		return -ENOMEM;
	}
	faults_append(faults, fault);
	return (int)fault->id;
}

int vhu_faults_add(struct vhu_faults *faults, const char *text, char error[VHU_FAULT_ERROR])
{
	struct vhu_fault_error wrong;
	int id = faults_add(faults, text, &wrong);

	if (id == -EINVAL)
		snprintf(error, VHU_FAULT_ERROR, "column %u: %s", wrong.column, wrong.what);
	else if (id == -ENOSPC)
		snprintf(error, VHU_FAULT_ERROR, "there are %d faults already", VHU_FAULTS_MAX);
	else if (id < 0)
		snprintf(error, VHU_FAULT_ERROR, "%s", strerror(-id));
	return id;
}

/* Take the fault that *@at points to out of the list and free it. */
static void faults_take_out(struct vhu_faults *faults, struct vhu_fault **at)
{
	struct vhu_fault *fault = *at;

	*at = fault->next;
	faults->slot[fault->slot] = false;
	faults->count--;
	faults_speak(faults);
	vhu_faults_release(faults, 0, fault->id);
	free(fault->text);
	free(fault);
}

int vhu_faults_remove(struct vhu_faults *faults, unsigned id)
{
	for (struct vhu_fault **at = &faults->first; *at; at = &(*at)->next) {
		if ((*at)->id == id) {
			faults_take_out(faults, at);
			return 0;
		}
	}
	return -ENOENT;
}

void vhu_faults_clear(struct vhu_faults *faults)
{
	while (faults->first)
		faults_take_out(faults, &faults->first);
}

/* Remove all but the first @keep faults. */
static void faults_cut(struct vhu_faults *faults, unsigned keep)
{
	struct vhu_fault **at = &faults->first;

	while (keep--)
		at = &(*at)->next;
	while (*at)
		faults_take_out(faults, at);
}

/* Add the fault of one line of a file, if it has one. Returns as vhu_faults_add does, 0 for none.
 */
static int faults_add_line(struct vhu_faults *faults, char *line, struct vhu_fault_error *error)
{
	line[strcspn(line, "#\n")] = '\0';
	if (!line[strspn(line, " \t\r")])
		return 0;
	for (size_t end = strlen(line); end && strchr(" \t\r", line[end - 1]); end--)
		line[end - 1] = '\0';
	return faults_add(faults, line, error);
}

/*
 * Add the faults of all lines of @file.
 * @number: gets the line that was read last.
 * Returns 0; as vhu_faults_add does; -E2BIG: it is no file of faults.
 */
static int faults_add_lines(struct vhu_faults *faults, FILE *file, unsigned *number,
			    struct vhu_fault_error *error)
{
	char line[FAULTS_LINE_MAX];
	size_t size = 0;
	int ret = 0;

	while (ret >= 0 && fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);

		++*number;
		size += length;
		if (size > FAULTS_FILE_MAX || !length || (line[length - 1] != '\n' && !feof(file)))
			return -E2BIG;
		ret = faults_add_line(faults, line, error);
	}
	if (ret >= 0 && ferror(file))
		return errno ? -errno : -EIO;
	return ret < 0 ? ret : 0;
}

int vhu_faults_load(struct vhu_faults *faults, const char *path, char error[VHU_FAULT_ERROR])
{
	const unsigned before = faults->count;
	struct vhu_fault_error wrong = {0};
	unsigned number = 0;
	FILE *file = fopen(path, "re");
	int ret = file ? 0 : -errno;

	if (file)
		ret = faults_add_lines(faults, file, &number, &wrong);
	if (ret == -EINVAL)
		snprintf(error, VHU_FAULT_ERROR, "%s:%u:%u: %s", path, number, wrong.column,
			 wrong.what);
	else if (ret == -ENOSPC)
		snprintf(error, VHU_FAULT_ERROR, "%s:%u: there are %d faults already", path, number,
			 VHU_FAULTS_MAX);
	else if (ret == -E2BIG)
		snprintf(
		    error, VHU_FAULT_ERROR,
		    "%s:%u: not a file of faults: a line is longer than %d bytes, or all of it "
		    "than 1 MiB",
		    path, number, FAULTS_LINE_MAX - 2);
	else if (ret < 0)
		snprintf(error, VHU_FAULT_ERROR, "%s: %s", path, strerror(-ret));
	if (ret < 0)
		faults_cut(faults, before);
	if (file)
		fclose(file);
	return ret < 0 ? ret : (int)(faults->count - before);
}

bool vhu_faults_speak_of_signals(const struct vhu_faults *faults)
{
	const struct vhu_fault *fault = faults->first;

	while (fault && !fault->of_signals)
		fault = fault->next;
	return fault != NULL;
}

bool vhu_faults_by_chance(const struct vhu_faults *faults)
{
	for (const struct vhu_fault *fault = faults->first; fault; fault = fault->next) {
		if (fault->chance < fault->among)
			return true;
		for (unsigned i = 0; i < fault->actions; i++)
			if (fault->action[i].command == VHU_FAULT_DELAY &&
			    fault->action[i].from < fault->action[i].to)
				return true;
	}
	return false;
}

/* Mix @value into @state so that all bits of the outcome hang on all of both (splitmix64). */
static uint64_t mix(uint64_t state, uint64_t value)
{
	state += (value + 1) * UINT64_C(0x9e3779b97f4a7c15);
	state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
	return state ^ state >> 31;
}

/* Return a number below @below by chance, for the @count-th that fitted @fault. */
static uint64_t fault_chance(const struct vhu_faults *faults, const struct vhu_fault *fault,
			     uint64_t session, uint64_t count, unsigned purpose, uint64_t below)
{
	uint64_t state = mix(mix(mix(faults->seed, fault->id), session), count);

	state = mix(state, purpose);
	return below ? (uint64_t)(((unsigned __int128)state * below) >> 64) : 0;
}

/* Return where it is counted what fits @fault in the session of @memory, or NULL out of memory. */
static uint64_t *fault_counter(struct vhu_fault *fault, struct vhu_fault_memory *memory)
{
	if (fault->together)
		return &fault->matched;
	if (fault->slot >= memory->counts) {
		const unsigned counts = fault->slot + 1;
		void *more = realloc(memory->count, counts * sizeof(memory->count[0]));

		if (!more)
			return NULL;
		memory->count = more;
		memset(memory->count + memory->counts, 0,
		       (counts - memory->counts) * sizeof(memory->count[0]));
		memory->counts = counts;
	}
	if (memory->count[fault->slot].id != fault->id) {
		memory->count[fault->slot].id = fault->id;
		memory->count[fault->slot].matched = 0;
	}
	return &memory->count[fault->slot].matched;
}

/* Count what fits @fault. Returns whether the fault applies to it. */
static bool fault_applies(struct vhu_faults *faults, struct vhu_fault *fault,
			  struct vhu_fault_memory *memory, uint64_t session)
{
	uint64_t *counter = fault_counter(fault, memory), count;

	if (!counter)
		return false;
	fault->matched += counter != &fault->matched;
	count = ++*counter;
	fault->latest = count;
	if (count < fault->first || count > fault->last ||
	    (count - fault->first + 1) % fault->every != 0)
		return false;
	if (fault->chance < fault->among &&
	    fault_chance(faults, fault, fault->together ? 0 : session, count, CHANCE_APPLIES,
			 fault->among) >= fault->chance)
		return false;
	fault->applied++;
	return true;
}

uint64_t vhu_faults_delay(const struct vhu_faults *faults, const struct vhu_fault *fault,
			  const struct vhu_fault_action *action, uint64_t session)
{
	return action->from + fault_chance(faults, fault, fault->together ? 0 : session,
					   fault->latest, CHANCE_DELAY,
					   action->to - action->from + 1);
}

/* Return whether a value is as a condition wants it. */
static bool condition_holds(const struct vhu_fault_condition *condition, uint64_t value)
{
	switch (condition->compare) {
	case VHU_FAULT_IS:
		return value == condition->value;
	case VHU_FAULT_IS_NOT:
		return value != condition->value;
	case VHU_FAULT_LESS:
		return value < condition->value;
	case VHU_FAULT_MORE:
		return value > condition->value;
	case VHU_FAULT_HAS_BITS:
		return (value & condition->value) == condition->value;
	}
	return false;
}

/* Return whether a condition on bytes of a message holds. */
static bool bytes_hold(const struct vhu_fault_condition *condition,
		       const struct vhu_fault_message *message)
{
	const struct vhu_fault_field *field = &condition->field;
	uint64_t value;

	if ((uint64_t)field->offset + field->size > message->size)
		return false;
	value =
	    vhu_integer_read(message->bytes + field->offset, field->size, vhu_host_is_big_endian());
	if (field->mask)
		value = (value & field->mask) >> __builtin_ctzll(field->mask);
	return condition_holds(condition, value);
}

/* Return whether a condition on a field of the table holds, for one of the elements that it may
 * be of. A message that has no such field fits no condition on it. */
static bool field_holds(const struct vhu_fault *fault, const struct vhu_fault_condition *condition,
			const struct vhu_fault_message *message)
{
	struct vhu_fault_walk walk;
	struct vhu_item item;

	if (!vhu_fault_walk_start(&walk, fault, message))
		return false;
	while (vhu_fault_walk_next(&walk, &condition->field, &item))
		if (condition_holds(condition, item.value))
			return true;
	return false;
}

bool vhu_fault_walk_start(struct vhu_fault_walk *walk, const struct vhu_fault *fault,
			  const struct vhu_fault_message *message)
{
	const struct vhu_message *rows[VHU_DIALECTS], *row = fault ? fault->row : NULL;
	const bool reply = message->from_back_end == (message->channel == VHU_FRONT_END);
	const struct vhu_payload payload = {
	    .bytes = message->bytes + VHU_HEADER_SIZE,
	    .captured = message->size - VHU_HEADER_SIZE,
	    .size = message->size - VHU_HEADER_SIZE,
	    .big_endian = vhu_host_is_big_endian(),
	};
	const struct vhu_header header = vhu_header_read(message->bytes, payload.big_endian);

	if (!row &&
	    vhu_message_find(message->channel, header.request, message->context->dialect, rows))
		row = rows[0];
	if (!row)
		return false;
	vhu_walk_start(&walk->walk, vhu_message_layout(row, reply, message->context, &payload),
		       &payload, message->context);
	walk->element = 0;
	walk->row = row;
	return true;
}

bool vhu_fault_walk_next(struct vhu_fault_walk *walk, const struct vhu_fault_field *field,
			 struct vhu_item *item)
{
	while (vhu_walk_next(&walk->walk, item)) {
		if (item->what == VHU_ITEM_OPEN)
			walk->element = item->index;
		if (item->what == VHU_ITEM_VALUE &&
		    (!field->path || !strcmp(item->field->path, field->path)) &&
		    (field->element < 0 || (unsigned)field->element == walk->element))
			return true;
	}
	return false;
}

/* Return whether @fault is for @message. */
static bool fault_fits(const struct vhu_fault *fault, const struct vhu_fault_message *message,
		       uint32_t request)
{
	if (fault->of_signals || (!fault->any && fault->request != request) ||
	    !fault->of[message->channel][message->from_back_end] ||
	    (fault->session && fault->session != message->session))
		return false;
	for (unsigned i = 0; i < fault->conditions; i++) {
		const struct vhu_fault_condition *condition = &fault->condition[i];
		bool holds = false;

		switch (condition->field.place) {
		case VHU_FAULT_FDS:
			holds = condition_holds(condition, message->fds);
			break;
		case VHU_FAULT_BYTES:
			holds = bytes_hold(condition, message);
			break;
		case VHU_FAULT_FIELD:
			holds = field_holds(fault, condition, message);
			break;
		}
		if (!holds)
			return false;
	}
	return true;
}

unsigned vhu_faults_match(struct vhu_faults *faults, struct vhu_fault_memory *memory,
			  const struct vhu_fault_message *message,
			  struct vhu_fault *hit[VHU_FAULTS_MAX])
{
	const uint32_t request = vhu_header_read(message->bytes, vhu_host_is_big_endian()).request;
	unsigned hits = 0;

	for (struct vhu_fault *fault = faults->first; fault; fault = fault->next)
		if (fault_fits(fault, message, request) &&
		    fault_applies(faults, fault, memory, message->session))
			hit[hits++] = fault;
	return hits;
}

/* Return whether @fault is for a kick or a call. All that these are asked for is their vring. */
static bool fault_fits_event(const struct vhu_fault *fault, const struct vhu_fault_event *event)
{
	if (!fault->of_signals || fault->role != event->role ||
	    (fault->session && fault->session != event->session))
		return false;
	for (unsigned i = 0; i < fault->conditions; i++)
		if (!condition_holds(&fault->condition[i], event->vring))
			return false;
	return true;
}

bool vhu_faults_event(struct vhu_faults *faults, struct vhu_fault_memory *memory,
		      const struct vhu_fault_event *event, struct vhu_fault_effect *effect)
{
	*effect = (struct vhu_fault_effect){0};
	for (struct vhu_fault *fault = faults->first; fault; fault = fault->next) {
		if (!fault_fits_event(fault, event) ||
		    !fault_applies(faults, fault, memory, event->session))
			continue;
		effect->fault = effect->fault ? effect->fault : fault;
		for (unsigned i = 0; i < fault->actions; i++) {
			const struct vhu_fault_action *action = &fault->action[i];

			if (action->command == VHU_FAULT_DELAY)
				effect->delay_ns +=
				    vhu_faults_delay(faults, fault, action, event->session);
			else if (action->command == VHU_FAULT_REPEAT)
				effect->repeat += action->from;
			else
				effect->lose = true;
		}
	}
	return effect->fault != NULL;
}

void vhu_fault_memory_free(struct vhu_fault_memory *memory)
{
	free(memory->count);
	*memory = (struct vhu_fault_memory){0};
}

void vhu_faults_hold(struct vhu_faults *faults, struct vhu_fault_held *held)
{
	held->next = faults->held;
	held->link = &faults->held;
	if (held->next)
		held->next->link = &held->next;
	faults->held = held;
}

void vhu_faults_unhold(struct vhu_fault_held *held)
{
	if (!held->link)
		return;
	*held->link = held->next;
	if (held->next)
		held->next->link = held->link;
	held->next = NULL;
	held->link = NULL;
}

unsigned vhu_faults_release(struct vhu_faults *faults, uint64_t session, unsigned fault)
{
	unsigned released = 0;
	struct vhu_fault_held *held;

	/* To let one go may end others with it, so look through the list again. */
	do {
		for (held = faults->held; held; held = held->next)
			if ((!session || held->session == session) &&
			    (!fault || held->fault == fault))
				break;
		if (held) {
			vhu_faults_unhold(held);
			held->release(held);
			released++;
		}
	} while (held);
	return released;
}
