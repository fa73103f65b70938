/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules: the list of them, and what they are for; rule.h has their theory of operation. */
#include "proxy/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/walk.h"
#include "proxy/rule_parse.h"

/* What of a rule's chance is decided. */
enum { CHANCE_APPLIES, CHANCE_DELAY };

/* Find out anew of which messages the rules speak. */
static void rules_speak(struct vhu_rules *rules)
{
	memset(rules->speak, 0, sizeof(rules->speak));
	for (const struct vhu_proxy_rule *rule = rules->first; rule; rule = rule->next) {
		const unsigned bit = rule->request < 63 ? rule->request : 63;

		if (rule->on != VHU_RULE_MESSAGE)
			continue;
		for (int channel = 0; channel < VHU_CHANNELS; channel++)
			for (int from = 0; from < 2; from++)
				if (rule->of[channel][from])
					rules->speak[channel][from] |=
					    rule->any ? UINT64_MAX : UINT64_C(1) << bit;
	}
}

/* Put @rule, which is complete, at the end of the list. */
static void rules_append(struct vhu_rules *rules, struct vhu_proxy_rule *rule)
{
	struct vhu_proxy_rule **end = &rules->first;

	while (*end)
		end = &(*end)->next;
	while (rules->slot[rule->slot])
		rule->slot++;
	rules->slot[rule->slot] = true;
	rule->id = ++rules->given;
	rules->count++;
	*end = rule;
	rules_speak(rules);
}

/*
 * Make a rule of @text and add it.
 * Returns its id or -errno; *@error is filled in where that is -EINVAL.
 */
static int rules_add(struct vhu_rules *rules, const char *text, struct vhu_rule_error *error)
{
	struct vhu_proxy_rule *rule;

	if (rules->count == VHU_RULES_MAX)
		return -ENOSPC;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return -ENOMEM;
	if (vhu_rule_parse(rule, text, error)) {
		free(rule);
		return -EINVAL;
	}
	rule->text = strdup(text);
	if (!rule->text) {
		free(rule);
		return -ENOMEM;
	}
	rules_append(rules, rule);
	return (int)rule->id;
}

int vhu_rules_add(struct vhu_rules *rules, const char *text, char error[VHU_RULE_ERROR])
{
	struct vhu_rule_error wrong;
	int id = rules_add(rules, text, &wrong);

	if (id == -EINVAL)
		snprintf(error, VHU_RULE_ERROR, "column %u: %s", wrong.column, wrong.what);
	else if (id == -ENOSPC)
		snprintf(error, VHU_RULE_ERROR, "there are %d rules already", VHU_RULES_MAX);
	else if (id < 0)
		snprintf(error, VHU_RULE_ERROR, "%s", strerror(-id));
	return id;
}

/* Take the rule that *@at points to out of the list and free it. */
static void rules_take_out(struct vhu_rules *rules, struct vhu_proxy_rule **at)
{
	struct vhu_proxy_rule *rule = *at;

	*at = rule->next;
	rules->slot[rule->slot] = false;
	rules->count--;
	rules_speak(rules);
	vhu_rules_release(rules, 0, rule->id);
	free(rule->text);
	free(rule);
}

int vhu_rules_remove(struct vhu_rules *rules, unsigned id)
{
	for (struct vhu_proxy_rule **at = &rules->first; *at; at = &(*at)->next) {
		if ((*at)->id == id) {
			rules_take_out(rules, at);
			return 0;
		}
	}
	return -ENOENT;
}

void vhu_rules_clear(struct vhu_rules *rules)
{
	while (rules->first)
		rules_take_out(rules, &rules->first);
}

/* Remove all but the first @keep rules. */
static void rules_cut(struct vhu_rules *rules, unsigned keep)
{
	struct vhu_proxy_rule **at = &rules->first;

	while (keep--)
		at = &(*at)->next;
	while (*at)
		rules_take_out(rules, at);
}

/* Add the rule of one line of a file, if it has one. Returns as vhu_rules_add does, 0 for none. */
static int rules_add_line(struct vhu_rules *rules, char *line, struct vhu_rule_error *error)
{
	line[strcspn(line, "#\n")] = '\0';
	if (!line[strspn(line, " \t\r")])
		return 0;
	for (size_t end = strlen(line); end && strchr(" \t\r", line[end - 1]); end--)
		line[end - 1] = '\0';
	return rules_add(rules, line, error);
}

int vhu_rules_load(struct vhu_rules *rules, const char *path, char error[VHU_RULE_ERROR])
{
	const unsigned before = rules->count;
	struct vhu_rule_error wrong = {0};
	unsigned number = 0;
	char *line = NULL;
	size_t room = 0;
	FILE *file = fopen(path, "re");
	int ret = file ? 0 : -errno;

	while (file && ret >= 0 && (errno = 0, getline(&line, &room, file) >= 0)) {
		number++;
		ret = rules_add_line(rules, line, &wrong);
	}
	if (file && ret >= 0 && (errno || ferror(file)))
		ret = errno ? -errno : -EIO;
	if (ret == -EINVAL)
		snprintf(error, VHU_RULE_ERROR, "%s:%u:%u: %s", path, number, wrong.column,
			 wrong.what);
	else if (ret == -ENOSPC)
		snprintf(error, VHU_RULE_ERROR, "%s:%u: there are %d rules already", path, number,
			 VHU_RULES_MAX);
	else if (ret < 0)
		snprintf(error, VHU_RULE_ERROR, "%s: %s", path, strerror(-ret));
	if (ret < 0)
		rules_cut(rules, before);
	free(line);
	if (file)
		fclose(file);
	return ret < 0 ? ret : (int)(rules->count - before);
}

bool vhu_rules_speak_of_signals(const struct vhu_rules *rules)
{
	const struct vhu_proxy_rule *rule = rules->first;

	while (rule && rule->on == VHU_RULE_MESSAGE)
		rule = rule->next;
	return rule != NULL;
}

bool vhu_rules_by_chance(const struct vhu_rules *rules)
{
	for (const struct vhu_proxy_rule *rule = rules->first; rule; rule = rule->next) {
		if (rule->chance < rule->among)
			return true;
		for (unsigned i = 0; i < rule->actions; i++)
			if (rule->action[i].verb == VHU_RULE_DELAY &&
			    rule->action[i].from < rule->action[i].to)
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

/* Return a number below @below by chance, for the @count-th that fitted @rule. */
static uint64_t rule_chance(const struct vhu_rules *rules, const struct vhu_proxy_rule *rule,
			    uint64_t session, uint64_t count, unsigned purpose, uint64_t below)
{
	uint64_t state = mix(mix(mix(rules->seed, rule->id), session), count);

	state = mix(state, purpose);
	return below ? (uint64_t)(((unsigned __int128)state * below) >> 64) : 0;
}

/* Return where it is counted what fits @rule in the session of @memory, or NULL out of memory. */
static uint64_t *rule_counter(struct vhu_proxy_rule *rule, struct vhu_rule_memory *memory)
{
	if (rule->together)
		return &rule->matched;
	if (rule->slot >= memory->counts) {
		const unsigned counts = rule->slot + 1;
		void *more = realloc(memory->count, counts * sizeof(memory->count[0]));

		if (!more)
			return NULL;
		memory->count = more;
		memset(memory->count + memory->counts, 0,
		       (counts - memory->counts) * sizeof(memory->count[0]));
		memory->counts = counts;
	}
	if (memory->count[rule->slot].id != rule->id) {
		memory->count[rule->slot].id = rule->id;
		memory->count[rule->slot].matched = 0;
	}
	return &memory->count[rule->slot].matched;
}

/* Count what fits @rule. Returns whether the rule applies to it. */
static bool rule_applies(struct vhu_rules *rules, struct vhu_proxy_rule *rule,
			 struct vhu_rule_memory *memory, uint64_t session)
{
	uint64_t *counter = rule_counter(rule, memory), count;

	if (!counter)
		return false;
	rule->matched += counter != &rule->matched;
	count = ++*counter;
	rule->latest = count;
	if (count < rule->first || count > rule->last ||
	    (count - rule->first + 1) % rule->every != 0)
		return false;
	if (rule->chance < rule->among &&
	    rule_chance(rules, rule, rule->together ? 0 : session, count, CHANCE_APPLIES,
			rule->among) >= rule->chance)
		return false;
	rule->applied++;
	return true;
}

uint64_t vhu_rules_delay(const struct vhu_rules *rules, const struct vhu_proxy_rule *rule,
			 const struct vhu_rule_action *action, uint64_t session)
{
	return action->from + rule_chance(rules, rule, rule->together ? 0 : session, rule->latest,
					  CHANCE_DELAY, action->to - action->from + 1);
}

/* Return whether a value is as a condition wants it. */
static bool condition_holds(const struct vhu_rule_condition *condition, uint64_t value)
{
	switch (condition->compare) {
	case VHU_RULE_IS:
		return value == condition->value;
	case VHU_RULE_IS_NOT:
		return value != condition->value;
	case VHU_RULE_LESS:
		return value < condition->value;
	case VHU_RULE_MORE:
		return value > condition->value;
	case VHU_RULE_HAS_BITS:
		return (value & condition->value) == condition->value;
	}
	return false;
}

/* Return whether a condition on bytes of a message holds. */
static bool bytes_hold(const struct vhu_rule_condition *condition,
		       const struct vhu_rule_message *message)
{
	const struct vhu_rule_field *field = &condition->field;
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
static bool field_holds(const struct vhu_proxy_rule *rule,
			const struct vhu_rule_condition *condition,
			const struct vhu_rule_message *message)
{
	struct vhu_rule_walk walk;
	struct vhu_item item;

	if (!vhu_rule_walk_start(&walk, rule, message))
		return false;
	while (vhu_rule_walk_next(&walk, &condition->field, &item))
		if (condition_holds(condition, item.value))
			return true;
	return false;
}

bool vhu_rule_walk_start(struct vhu_rule_walk *walk, const struct vhu_proxy_rule *rule,
			 const struct vhu_rule_message *message)
{
	const struct vhu_message *rows[VHU_DIALECTS], *row = rule ? rule->row : NULL;
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

bool vhu_rule_walk_next(struct vhu_rule_walk *walk, const struct vhu_rule_field *field,
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

/* Return whether @rule is for @message. */
static bool rule_fits(const struct vhu_proxy_rule *rule, const struct vhu_rule_message *message,
		      uint32_t request)
{
	if (rule->on != VHU_RULE_MESSAGE || (!rule->any && rule->request != request) ||
	    !rule->of[message->channel][message->from_back_end] ||
	    (rule->session && rule->session != message->session))
		return false;
	for (unsigned i = 0; i < rule->conditions; i++) {
		const struct vhu_rule_condition *condition = &rule->condition[i];
		bool holds = false;

		switch (condition->field.place) {
		case VHU_RULE_FDS:
			holds = condition_holds(condition, message->fds);
			break;
		case VHU_RULE_BYTES:
			holds = bytes_hold(condition, message);
			break;
		case VHU_RULE_FIELD:
			holds = field_holds(rule, condition, message);
			break;
		}
		if (!holds)
			return false;
	}
	return true;
}

unsigned vhu_rules_match(struct vhu_rules *rules, struct vhu_rule_memory *memory,
			 const struct vhu_rule_message *message,
			 struct vhu_proxy_rule *hit[VHU_RULES_MAX])
{
	const uint32_t request = vhu_header_read(message->bytes, vhu_host_is_big_endian()).request;
	unsigned hits = 0;

	for (struct vhu_proxy_rule *rule = rules->first; rule; rule = rule->next)
		if (rule_fits(rule, message, request) &&
		    rule_applies(rules, rule, memory, message->session))
			hit[hits++] = rule;
	return hits;
}

/* Return whether @rule is for a kick or a call. All that these are asked for is their vring. */
static bool rule_fits_event(const struct vhu_proxy_rule *rule, const struct vhu_rule_event *event)
{
	if (rule->on != event->on || (rule->session && rule->session != event->session))
		return false;
	for (unsigned i = 0; i < rule->conditions; i++)
		if (!condition_holds(&rule->condition[i], event->vring))
			return false;
	return true;
}

bool vhu_rules_event(struct vhu_rules *rules, struct vhu_rule_memory *memory,
		     const struct vhu_rule_event *event, struct vhu_rule_effect *effect)
{
	*effect = (struct vhu_rule_effect){0};
	for (struct vhu_proxy_rule *rule = rules->first; rule; rule = rule->next) {
		if (!rule_fits_event(rule, event) ||
		    !rule_applies(rules, rule, memory, event->session))
			continue;
		effect->rule = effect->rule ? effect->rule : rule;
		for (unsigned i = 0; i < rule->actions; i++) {
			const struct vhu_rule_action *action = &rule->action[i];

			if (action->verb == VHU_RULE_DELAY)
				effect->delay_ns +=
				    vhu_rules_delay(rules, rule, action, event->session);
			else if (action->verb == VHU_RULE_REPEAT)
				effect->repeat += action->from;
			else
				effect->lose = true;
		}
	}
	return effect->rule != NULL;
}

void vhu_rule_memory_free(struct vhu_rule_memory *memory)
{
	free(memory->count);
	*memory = (struct vhu_rule_memory){0};
}

void vhu_rules_hold(struct vhu_rules *rules, struct vhu_rule_held *held)
{
	held->next = rules->held;
	held->link = &rules->held;
	if (held->next)
		held->next->link = &held->next;
	rules->held = held;
}

void vhu_rules_unhold(struct vhu_rule_held *held)
{
	if (!held->link)
		return;
	*held->link = held->next;
	if (held->next)
		held->next->link = held->link;
	held->next = NULL;
	held->link = NULL;
}

unsigned vhu_rules_release(struct vhu_rules *rules, uint64_t session, unsigned rule)
{
	unsigned released = 0;
	struct vhu_rule_held *held;

	/* To let one go may end others with it, so the list is looked through anew. */
	do {
		for (held = rules->held; held; held = held->next)
			if ((!session || held->session == session) && (!rule || held->rule == rule))
				break;
		if (held) {
			vhu_rules_unhold(held);
			held->release(held);
			released++;
		}
	} while (held);
	return released;
}
