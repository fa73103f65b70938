/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a front-end does with a back-end's answer. */
#include "tools/probe/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/cli/device.h"
#include "lib/cli/options.h"
#include "lib/util/util.h"

/* Read one key and its value. Returns whether they make sense. */
static bool take(struct vhu_probe_expected *expected, const char *key, const char *value)
{
	const struct {
		const char *key;
		bool *has;
		uint32_t *value;
	} known[] = {
	    {"device-id", &expected->has_device, &expected->device},
	    {"config-size", &expected->has_config_size, &expected->config_size},
	    {"vqs", &expected->has_vqs, &expected->vqs},
	};
	uint64_t number = 0;

	for (size_t i = 0; i < VHU_ARRAY_SIZE(known); i++) {
		if (strcmp(key, known[i].key))
			continue;
		if (*known[i].has)
			return false;
		if (known[i].value == &expected->device)
			number = vhu_device_parse(value);
		else if (vhu_number_parse(value, 0, UINT32_MAX, &number))
			return false;
		*known[i].has = known[i].value != &expected->device || number;
		*known[i].value = (uint32_t)number;
		return *known[i].has;
	}
	return false;
}

int vhu_probe_expect(struct vhu_probe_expected *expected, const char *text, char *error)
{
	char words[VHU_PROBE_TEXT_MAX], *rest = NULL;

	memset(expected, 0, sizeof(*expected));
	expected->policy = true;
	if (!strcmp(text, "nothing"))
		return 0;
	if (strlen(text) >= sizeof(words) || !*text) {
		snprintf(error, VHU_PROBE_TEXT_MAX,
			 "'%.80s': write nothing, or device-id=ID,config-size=BYTES,vqs=NUMBER",
			 text);
		return -EINVAL;
	}
	strcpy(words, text);
	for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (value && take(expected, word, value))
			continue;
		snprintf(error, VHU_PROBE_TEXT_MAX,
			 "%.80s%s%.80s: not one of device-id=ID, config-size=BYTES, vqs=NUMBER, "
			 "each once",
			 word, value ? "=" : "", value ? value : "");
		return -EINVAL;
	}
	return 0;
}

/* Return whether the back-end itself said a value, by either proposal. */
static bool is_told(const struct vhu_probe_value *value)
{
	return value->source == VHU_PROBE_BY_STANDALONE || value->source == VHU_PROBE_BY_PROBE;
}

/* Add to a list of differences what printf would print. */
__attribute__((format(printf, 2, 3))) static void differ(char *why, const char *format, ...)
{
	size_t length = strlen(why);
	va_list arguments;

	if (length)
		length += (size_t)snprintf(why + length, VHU_PROBE_TEXT_MAX - length, "; ");
	if (length >= VHU_PROBE_TEXT_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(why + length, VHU_PROBE_TEXT_MAX - length, format, arguments);
	va_end(arguments);
}

/* List the differences between expected and reported values; "" without any. */
static void list_differences(const struct vhu_probe_expected *expected,
			     const struct vhu_probe_specs *specs, char *why)
{
	const struct vhu_probe_value *max = &specs->max_vqs;

	*why = '\0';
	if (expected->has_device && expected->device != specs->device.value)
		differ(why, "device id %" PRIu32 " was expected, it is %" PRIu32, expected->device,
		       specs->device.value);
	if (expected->has_config_size && is_told(&specs->config_size) &&
	    expected->config_size != specs->config_size.value)
		differ(why, "config size %" PRIu32 " was expected, it is %" PRIu32,
		       expected->config_size, specs->config_size.value);
	if (expected->has_vqs && is_told(&specs->min_vqs) && expected->vqs < specs->min_vqs.value)
		differ(why, "%" PRIu32 " vqs were expected, it needs %" PRIu32 " at least",
		       expected->vqs, specs->min_vqs.value);
	if (is_told(&specs->min_vqs) && max->source != VHU_PROBE_NOT_KNOWN &&
	    max->value < specs->min_vqs.value)
		differ(why, "it needs %" PRIu32 " vqs and has %" PRIu32 " at most",
		       specs->min_vqs.value, max->value);
	/* With PROBE the maximum is what GET_QUEUE_NUM tells. */
	if (expected->has_vqs && max->source != VHU_PROBE_NOT_KNOWN && expected->vqs > max->value)
		differ(why, "%" PRIu32 " vqs were expected, it has %" PRIu32 " at most",
		       expected->vqs, max->value);
}

void vhu_probe_policy_warning(const struct vhu_probe_expected *expected,
			      const struct vhu_probe_specs *specs, char *warning)
{
	const char *wanted = vhu_device_name(expected->device);
	const char *found = vhu_device_name(specs->device.value);

	*warning = '\0';
	if (!expected->has_device || specs->device.source != VHU_PROBE_BY_LOOKING ||
	    expected->device == specs->device.value)
		return;
	snprintf(warning, VHU_PROBE_TEXT_MAX,
		 "device %s (%" PRIu32 ") was expected, and by its %s it is %s (%" PRIu32 ")",
		 wanted ? wanted : "?", expected->device, specs->device.how, found ? found : "?",
		 specs->device.value);
}

bool vhu_probe_policy(const struct vhu_probe_expected *expected,
		      const struct vhu_probe_specs *specs, char *why)
{
	bool any = expected->has_device || expected->has_config_size || expected->has_vqs;

	if (!is_told(&specs->device)) {
		snprintf(why, VHU_PROBE_TEXT_MAX,
			 any ? "it does not say what it is: goes on with what was expected"
			     : "nothing was expected, and it does not say what it is");
		return any;
	}
	list_differences(expected, specs, why);
	if (*why)
		return false;
	snprintf(why, VHU_PROBE_TEXT_MAX,
		 any ? "it says what it is, as was expected"
		     : "nothing was expected, and it says what it is");
	return true;
}
