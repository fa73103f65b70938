/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sessions of one device, held against each other: rules 320, 330 and 621. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "lib/session/rules/table.h"
#include "tools/check/fingerprint.h"

#define NAMES_MAX  96
#define MORE_MAX   24 /* of them, for how many are not listed */
#define VALUE_MAX  48
#define ORIGIN_MAX 128
#define FILE_MAX   64 /* of a file's name that is shown */

/* The two fingerprints to compare, and the receiver of findings. */
struct comparison {
	const struct vhu_fingerprint *before, *now;
	const char *file;
	void (*report)(void *with, const struct vhu_finding *finding);
	void *with;
	char origin[ORIGIN_MAX];
};

/* Say where in the earlier session message @number is. Returns a text that lasts until the next. */
static const char *origin(struct comparison *comparison, uint64_t number)
{
	const char *slash = comparison->file ? strrchr(comparison->file, '/') : NULL;

	snprintf(comparison->origin, sizeof(comparison->origin),
		 "session %" PRIu64 "%s%.*s (message %" PRIu64 ")", comparison->before->session,
		 comparison->file ? " of " : "", FILE_MAX,
		 slash              ? slash + 1
		 : comparison->file ? comparison->file
				    : "",
		 number);
	return comparison->origin;
}

/* Report a difference that message @now told, and message @before of the earlier session. */
static void __attribute__((format(printf, 5, 6)))
differ(const struct comparison *comparison, enum vhu_rule_at rule, uint64_t before, uint64_t now,
       const char *format, ...)
{
	struct vhu_finding finding = {
	    .rule = &vhu_rules[rule],
	    .session = comparison->now->session,
	    .number = now,
	    /* In another capture the number means another message. */
	    .other = {comparison->file ? 0 : before},
	};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding.text, sizeof(finding.text), format, arguments);
	va_end(arguments);
	comparison->report(comparison->with, &finding);
}

/* Write the names of features, as many as there is room for, and how many more there are. */
static void names_text(enum vhu_names_id set, uint64_t bits, const struct vhu_context *context,
		       char to[NAMES_MAX])
{
	unsigned more = 0;
	int length;

	while ((length = vhu_bits_text(set, bits, context, to, NAMES_MAX - MORE_MAX)) >=
	       NAMES_MAX - MORE_MAX) {
		bits &= ~(UINT64_C(1) << (63 - __builtin_clzll(bits)));
		more++;
	}
	if (more)
		snprintf(to + length, MORE_MAX, " and %u more", more);
}

/* Compare features that both sessions report. @ignore: bits that may differ. */
static void compare_features(struct comparison *comparison, enum vhu_names_id set, const char *what,
			     uint64_t before, uint64_t before_by, uint64_t now, uint64_t now_by,
			     uint64_t ignore)
{
	const struct vhu_context *context = &comparison->now->context;
	uint64_t gone = before & ~now & ~ignore, come = now & ~before & ~ignore;
	char gone_names[NAMES_MAX] = "", come_names[NAMES_MAX] = "";

	if (!before_by || !now_by || !(gone | come))
		return;
	names_text(set, gone, context, gone_names);
	names_text(set, come, context, come_names);
	differ(comparison, VHU_RULE_AT_621, before_by, now_by, "%s are not those of %s: %s%s%s%s%s",
	       what, origin(comparison, before_by), gone ? "without " : "", gone_names,
	       gone && come ? ", " : "", come ? "with " : "", come_names);
}

/* Compare a number that both sessions report. @what: with its verb. */
static void compare_number(struct comparison *comparison, const char *what, uint64_t before,
			   uint64_t before_by, uint64_t now, uint64_t now_by)
{
	if (before_by && now_by && before != now)
		differ(comparison, VHU_RULE_AT_621, before_by, now_by,
		       "%s %" PRIu64 "; %s had %" PRIu64, what, now, origin(comparison, before_by),
		       before);
}

/* Write the value of a field of the configuration space. */
static void config_value(const struct vhu_field *field, const struct vhu_fingerprint_config *config,
			 const struct vhu_context *context, char to[VALUE_MAX])
{
	const struct vhu_payload payload = {config->bytes, config->size, config->size, false};
	struct vhu_item item = {
	    .what = VHU_ITEM_VALUE,
	    .field = field,
	    .offset = field->offset,
	    .size = field->size,
	    .bytes = config->bytes + field->offset,
	};

	vhu_field_read(&payload, (enum vhu_field_id)(field - vhu_fields), 0, &item.value);
	vhu_value_text(&item, context, to, VALUE_MAX);
}

/* Compare the fields of a configuration space whose layout is known. */
static void compare_config_fields(struct comparison *comparison, const struct vhu_layout *layout)
{
	const struct vhu_fingerprint_config *before = &comparison->before->last_config;
	const struct vhu_fingerprint_config *now = &comparison->now->first_config;
	const struct vhu_context *context = &comparison->now->context;

	for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
		const struct vhu_field *field = &vhu_fields[f];
		uint32_t end = field->offset + field->size;
		char was[VALUE_MAX], is[VALUE_MAX];

		if (!field->size || end > before->size || end > now->size ||
		    !memcmp(before->bytes + field->offset, now->bytes + field->offset, field->size))
			continue;
		config_value(field, before, context, was);
		config_value(field, now, context, is);
		/* Bit fields of one integer differ as one. */
		if (strcmp(was, is))
			differ(comparison, VHU_RULE_AT_621, before->number, now->number,
			       "in the configuration %s is %s; %s had %s", field->label, is,
			       origin(comparison, before->number), was);
	}
}

/* Compare configuration spaces as bytes. */
static void compare_config_bytes(struct comparison *comparison)
{
	const struct vhu_fingerprint_config *before = &comparison->before->last_config;
	const struct vhu_fingerprint_config *now = &comparison->now->first_config;
	uint32_t first = 0, last = before->size < now->size ? before->size : now->size;

	while (first < last && before->bytes[first] == now->bytes[first])
		first++;
	while (last > first && before->bytes[last - 1] == now->bytes[last - 1])
		last--;
	if (first < last)
		differ(comparison, VHU_RULE_AT_621, before->number, now->number,
		       "bytes %" PRIu32 " to %" PRIu32 " of the configuration are not those of %s",
		       first, last - 1, origin(comparison, before->number));
}

/* Compare configuration spaces. */
static void compare_config(struct comparison *comparison)
{
	const struct vhu_fingerprint_config *before = &comparison->before->last_config;
	const struct vhu_fingerprint_config *now = &comparison->now->first_config;
	const struct vhu_layout *layout = vhu_config_layout(comparison->now->context.device);

	compare_number(comparison, "the configuration's size is", before->size, before->number,
		       now->size, now->number);
	if (!before->number || !now->number)
		return;
	if (layout)
		compare_config_fields(comparison, layout);
	else
		compare_config_bytes(comparison);
}

/* Return whether a driver that begins again would begin a ring at @base. */
static bool is_beginning(const struct comparison *comparison, uint32_t base)
{
	bool packed = comparison->now->context.features >> VHU_F_RING_PACKED & 1;

	return base == 0 || (packed && (base & 0x7fff) == 0);
}

/* Return whether a driver goes on in a session: one that begins again, after a boot, may take other
 * features, and sets up its rings from their beginning. */
static bool goes_on(const struct comparison *comparison)
{
	const struct vhu_fingerprint *now = comparison->now;

	for (unsigned i = 0; i < now->rings; i++)
		if (now->ring[i].first_base_by &&
		    !is_beginning(comparison, now->ring[i].first_base))
			return true;
	return false;
}

/* Look at a vring that goes on although nothing told where it was: its back-end is gone, and
 * requests that it had in flight are known only from an inflight area. */
static void compare_guess(struct comparison *comparison, unsigned index,
			  const struct vhu_fingerprint_ring *was,
			  const struct vhu_fingerprint_ring *is)
{
	if (was->running_by && is->first_base_by && !comparison->now->inflight_by &&
	    !is_beginning(comparison, is->first_base))
		differ(comparison, VHU_RULE_AT_330, was->running_by, is->first_base_by,
		       "vring %u goes on at 0x%" PRIx32
		       ", and in %s it ran until the end: nothing told "
		       "where it was, and there is no inflight area",
		       index, is->first_base, origin(comparison, was->running_by));
}

/* Return whether both sessions may be about the same device. Report it if not: nothing else is
 * worth comparing then. */
static bool is_same_device(struct comparison *comparison)
{
	const struct vhu_fingerprint *before = comparison->before, *now = comparison->now;
	const uint32_t was = before->context.device, is = now->context.device;
	const char *was_name = vhu_device_name(was), *is_name = vhu_device_name(is);
	const uint64_t was_by = before->device_by ? before->device_by : before->features.offered.by;
	const bool is_told = before->device_by && now->device_by;

	/* A guess alone may be wrong: what is offered has to differ, too. */
	if (!was || !is || was == is ||
	    (!is_told && before->features.offered.value == now->features.offered.value))
		return true;
	differ(comparison, VHU_RULE_AT_621, was_by,
	       now->device_by ? now->device_by : now->features.offered.by,
	       "the device is %s (%" PRIu32 "); %s had %s (%" PRIu32
	       "): another device is not compared",
	       is_name ? is_name : "?", is, origin(comparison, was_by), was_name ? was_name : "?",
	       was);
	return false;
}

/* Compare vrings that were set up in both sessions. */
static void compare_rings(struct comparison *comparison)
{
	const struct vhu_fingerprint *before = comparison->before, *now = comparison->now;

	for (unsigned i = 0; i < before->rings && i < now->rings; i++) {
		const struct vhu_fingerprint_ring *was = &before->ring[i], *is = &now->ring[i];
		char what[48];

		snprintf(what, sizeof(what), "the size of vring %u is", i);
		compare_number(comparison, what, was->last_size, was->last_size_by, is->first_size,
			       is->first_size_by);
		compare_guess(comparison, i, was, is);
		if (!was->last_base_by || !is->first_base_by || was->last_base == is->first_base)
			continue;
		differ(comparison, VHU_RULE_AT_320, was->last_base_by, is->first_base_by,
		       "vring %u goes on at 0x%" PRIx32 "; in %s it was stopped at 0x%" PRIx32, i,
		       is->first_base, origin(comparison, was->last_base_by), was->last_base);
	}
}

void vhu_fingerprint_compare(const struct vhu_fingerprint *before,
			     const struct vhu_fingerprint *now, enum vhu_fingerprint_scope scope,
			     const char *file,
			     void (*report)(void *with, const struct vhu_finding *finding),
			     void *with)
{
	/* A migration logs at its source, from then on. */
	const uint64_t log_all = UINT64_C(1) << VHU_F_LOG_ALL;
	struct comparison comparison = {before, now, file, report, with, ""};

	if (!is_same_device(&comparison))
		return;
	compare_features(&comparison, VHU_NAMES_virtio_features, "virtio features offered",
			 before->features.offered.value, before->features.offered.by,
			 now->features.offered.value, now->features.offered.by, 0);
	compare_features(&comparison, VHU_NAMES_protocol_features, "protocol features offered",
			 before->protocol_features.offered.value,
			 before->protocol_features.offered.by, now->protocol_features.offered.value,
			 now->protocol_features.offered.by, 0);
	compare_number(&comparison, "the number of queues is", before->queue_num,
		       before->queue_num_by, now->queue_num, now->queue_num_by);
	compare_config(&comparison);
	if (scope == VHU_FINGERPRINT_OFFER ||
	    (scope == VHU_FINGERPRINT_RECONNECT && !goes_on(&comparison)))
		return;
	compare_features(&comparison, VHU_NAMES_virtio_features, "virtio features taken",
			 before->features.acked.value, before->features.acked.by, now->first_taken,
			 now->first_taken_by, log_all);
	compare_features(&comparison, VHU_NAMES_protocol_features, "protocol features taken",
			 before->protocol_features.acked.value, before->protocol_features.acked.by,
			 now->protocol_features.acked.value, now->protocol_features.acked.by, 0);
	compare_rings(&comparison);
}
