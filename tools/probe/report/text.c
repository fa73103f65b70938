/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a back-end says of itself, for people. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "tools/probe/probe.h"

/* Columns: of labels, of values before their sources. */
#define LABEL 22
#define VALUE 20
#define WIDTH 100

/* Write a label in its column. */
static void put_label(FILE *to, const char *label)
{
	fprintf(to, "%-*s", LABEL, label);
}

/* Write a line: a label, and what printf would print. */
__attribute__((format(printf, 3, 4))) static void line(FILE *to, const char *label,
						       const char *format, ...)
{
	va_list arguments;

	put_label(to, label);
	va_start(arguments, format);
	vfprintf(to, format, arguments);
	va_end(arguments);
	fputc('\n', to);
}

/* Write a value of the specifications and where it comes from. */
static void value_line(FILE *to, const char *label, const struct vhu_probe_value *value,
		       const char *name)
{
	char text[64] = "?";

	if (value->source != VHU_PROBE_NOT_KNOWN)
		snprintf(text, sizeof(text), name ? "%s (%" PRIu32 ")" : "%s%" PRIu32,
			 name ? name : "", value->value);
	put_label(to, label);
	fprintf(to, "%-*s %s%s%s\n", VALUE, text, vhu_probe_source_text(value->source),
		value->how ? ": " : "", value->how ? value->how : "");
}

/* Write names of bits after a label, as many a line as there is room for. */
static void bits_line(FILE *to, const char *label, enum vhu_names_id set, uint64_t bits,
		      const struct vhu_context *context)
{
	int column = LABEL;

	put_label(to, label);
	if (!bits)
		fputs("none", to);
	for (; bits; bits &= bits - 1) {
		char name[64];
		int size = vhu_bits_text(set, bits & -bits, context, name, sizeof(name));

		if (column > LABEL && column + size + 2 > WIDTH) {
			fputs(",\n", to);
			put_label(to, "");
			column = LABEL;
		}
		column += fprintf(to, "%s%s", column > LABEL ? ", " : "", name);
	}
	fputc('\n', to);
}

/* Write who it is and what is to be thought of it. */
static void put_head(const struct vhu_probe *probe, FILE *to)
{
	fprintf(to, "%s", probe->connection.path);
	if (probe->peer.known)
		fprintf(to, ": %s (pid %" PRIu32 ")", probe->comm, probe->peer.pid);
	fprintf(to, "\n\n");
	line(to, "Verdict", "%s, because %s", vhu_probe_verdict_name(probe), probe->verdict);
	line(to, "Dialect", "%s: %s", vhu_probe_dialect_name(probe), probe->dialect_why);
}

/* Write the sizes that were tried. */
static void put_tried(const struct vhu_probe_tries *tries, const char *label, FILE *to)
{
	if (!tries->count)
		return;
	put_label(to, label);
	for (unsigned i = 0; i < tries->count; i++)
		fprintf(to, "%s%" PRIu32 " %s%s", i ? ", " : "", tries->tried[i].size,
			vhu_probe_outcome_name(tries->tried[i].outcome),
			tries->tried[i].outcome == VHU_PROBE_CLOSED ? " the connection" : "");
	fputc('\n', to);
}

/* Write what device it is. */
static void put_specs(const struct vhu_probe *probe, FILE *to)
{
	const struct vhu_probe_specs *specs = &probe->specs;

	fputc('\n', to);
	value_line(to, "Device", &specs->device, vhu_device_name(specs->device.value));
	value_line(to, "Config size", &specs->config_size, NULL);
	value_line(to, "Minimum of vrings", &specs->min_vqs, NULL);
	value_line(to, "Maximum of vrings", &specs->max_vqs, NULL);
	if (probe->size_tried.count)
		value_line(to, "Vring size", &probe->vring_size, NULL);
	put_tried(&probe->size_tried, "  sizes tried", to);
}

/* Write features. */
static void put_features(const struct vhu_probe *probe, FILE *to)
{
	const struct vhu_context context = vhu_probe_context(probe);

	fputc('\n', to);
	line(to, "Features", "0x%" PRIx64, probe->features);
	bits_line(to, "", VHU_NAMES_virtio_features, probe->features, &context);
	if (!probe->has_protocol_features)
		return;
	line(to, "Protocol features", "0x%" PRIx64, probe->protocol_features);
	bits_line(to, "  acked", VHU_NAMES_protocol_features, probe->taken, &context);
	bits_line(to, "  not acked", VHU_NAMES_protocol_features,
		  probe->protocol_features & ~probe->taken, &context);
}

/* Write a number, or that its question needs a feature that is not offered. */
static void number_line(const struct vhu_probe *probe, FILE *to, const char *label, bool has,
			uint64_t value, unsigned needs)
{
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_protocol_features, needs, NULL);

	if (has)
		line(to, label, "%" PRIu64, value);
	else
		line(to, label, "not known: %s %s", name ? name->name : "?",
		     !vhu_probe_knows_offer(probe) ? "may be offered, the conversation ended before"
		     : probe->protocol_features >> needs & 1
			 ? "is offered, the conversation ended before the answer"
			 : "is not offered");
}

/* Write the sizes of shared memory regions. */
static void put_shmem(const struct vhu_probe *probe, FILE *to)
{
	const struct vhu_payload payload = vhu_message_payload(&probe->shmem);
	const struct vhu_context context = vhu_probe_context(probe);
	struct vhu_walk walk;
	struct vhu_item item;
	unsigned index = 0;

	if (!probe->has_shmem)
		return;
	line(to, "Shared memory", "%" PRIu64 " regions",
	     vhu_message_get(&probe->shmem, VHU_FIELD_shmem_config_regions));
	vhu_walk_start(&walk, &vhu_layouts[VHU_LAYOUT_shmem_config], &payload, &context);
	while (vhu_walk_next(&walk, &item)) {
		if (item.what == VHU_ITEM_OPEN)
			index = item.index;
		if (item.what == VHU_ITEM_VALUE && item.value &&
		    item.field == &vhu_fields[VHU_FIELD_shmem_size_size])
			line(to, "", "region %u: 0x%" PRIx64 " bytes", index, item.value);
	}
}

/* Write what it answered with one value. */
static void put_answers(const struct vhu_probe *probe, FILE *to)
{
	const struct vhu_context context = vhu_probe_context(probe);
	char names[160] = "";

	fputc('\n', to);
	number_line(probe, to, "Queues", probe->has_queue_num, probe->queue_num, VHU_PF_MQ);
	number_line(probe, to, "Memory slots", probe->has_mem_slots, probe->mem_slots,
		    VHU_PF_CONFIGURE_MEM_SLOTS);
	if (probe->has_status && probe->status)
		vhu_bits_text(VHU_NAMES_virtio_status, probe->status, &context, names,
			      sizeof(names));
	if (probe->has_status)
		line(to, "Status", "0x%" PRIx64 "%s%s", probe->status, *names ? ": " : "", names);
	else
		number_line(probe, to, "Status", false, 0, VHU_PF_STATUS);
	if (probe->has_inflight)
		line(to, "Inflight area", "%" PRIu64 " bytes for a vring of 128",
		     probe->inflight_size);
	put_shmem(probe, to);
}

/* Write the configuration space. */
static void put_config(const struct vhu_probe *probe, FILE *to)
{
	const struct vhu_context context = vhu_probe_context(probe);
	const struct vhu_payload payload = vhu_message_payload(&probe->config);
	struct vhu_walk walk;
	struct vhu_item item;
	char text[VHU_PROBE_CONFIG_MAX];
	bool inside = false;

	if (!probe->has_config && !probe->config_tried.count)
		return;
	fputc('\n', to);
	if (probe->has_config)
		line(to, "Configuration", "%" PRIu64 " bytes",
		     vhu_message_get(&probe->config, VHU_FIELD_config_size));
	else
		line(to, "Configuration", "none was given");
	put_tried(&probe->config_tried, "  sizes asked for", to);
	if (probe->config_unbounded)
		line(to, "", "it answers any size, so the size is not known");
	vhu_walk_start(&walk, &vhu_layouts[VHU_LAYOUT_config], &payload, &context);
	while (probe->has_config && vhu_walk_next(&walk, &item)) {
		if (item.what == VHU_ITEM_OPEN)
			inside = true;
		if (item.what != VHU_ITEM_VALUE || item.field->kind == VHU_PADDING)
			continue;
		vhu_value_text(&item, &context, text, sizeof(text));
		if (inside)
			fprintf(to, "  %-*s%s\n", LABEL + 8, item.field->label, text);
		else if (item.field->kind == VHU_CONFIG && !vhu_config_layout(context.device))
			line(to, "  bytes", "%s", text);
	}
}

/* Write which sizes its answers have. */
static void put_sizes(const struct vhu_probe *probe, FILE *to)
{
	fprintf(to, "\n%-*s%s\n", LABEL, "Answers", "bytes, time");
	for (unsigned i = 0; i < probe->gots; i++) {
		const struct vhu_probe_got *got = &probe->got[i];

		fprintf(to, "  %-*s%6" PRIu32 "  %6" PRIu64 " us%s%s%s\n", LABEL + 4,
			got->message->name, got->size, got->ns / 1000,
			got->fds ? ", with a descriptor" : "",
			got->flags & VHU_FLAG_NEED_REPLY ? ", NEED_REPLY set" : "",
			got->size == 0 ? ", empty" : "");
	}
	if (probe->acknowledges)
		fprintf(to, "  messages with NEED_REPLY are acknowledged\n");
	if (probe->connections > 1)
		fprintf(to, "  it was connected to %u times\n", probe->connections);
}

/* Write which rules it broke. */
static void put_findings(const struct vhu_probe *probe, FILE *to)
{
	fputc('\n', to);
	if (!probe->log.findings)
		line(to, "Findings", "none");
	for (unsigned i = 0; i < probe->log.findings; i++) {
		const struct vhu_finding *finding = &probe->log.finding[i];

		put_label(to, i ? "" : "Findings");
		fprintf(to, "%s V%u %s: %s\n", vhu_severity_name(finding->rule->severity),
			finding->rule->id, finding->rule->name, finding->text);
	}
}

void vhu_probe_text(const struct vhu_probe *probe, FILE *to)
{
	put_head(probe, to);
	put_specs(probe, to);
	put_features(probe, to);
	put_answers(probe, to);
	put_config(probe, to);
	put_sizes(probe, to);
	put_findings(probe, to);
}
