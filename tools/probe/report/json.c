/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a back-end says of itself, as one JSON object. */
#include <stdio.h>
#include <string.h>

#include "lib/show/fields_json.h"
#include "tools/probe/probe.h"

/* Write a set of bits, and the names of its bits. */
static void put_bits(struct vhu_json *json, const char *key, enum vhu_names_id set, uint64_t bits,
		     const struct vhu_context *context)
{
	char names[80];

	snprintf(names, sizeof(names), "%s_names", key);
	vhu_json_unsigned(json, key, bits);
	vhu_show_names_json(json, names, set, bits, context);
}

/* Write a value of the specifications and where it comes from; nothing where it is not known. */
static void put_value(struct vhu_json *json, const char *key, const struct vhu_probe_value *value)
{
	static const char *const source[] = {
	    [VHU_PROBE_NOT_KNOWN] = "",     [VHU_PROBE_BY_STANDALONE] = "standalone",
	    [VHU_PROBE_BY_PROBE] = "probe", [VHU_PROBE_BY_LOOKING] = "looking",
	    [VHU_PROBE_BY_USER] = "user",
	};

	char suffixed[32];

	if (value->source == VHU_PROBE_NOT_KNOWN)
		return;
	vhu_json_unsigned(json, key, value->value);
	snprintf(suffixed, sizeof(suffixed), "%s_source", key);
	vhu_json_string(json, suffixed, source[value->source]);
	snprintf(suffixed, sizeof(suffixed), "%s_how", key);
	if (value->how)
		vhu_json_string(json, suffixed, value->how);
}

/* Write what device it is. */
static void put_specs(struct vhu_json *json, const struct vhu_probe_specs *specs)
{
	const char *name = vhu_device_name(specs->device.value);

	vhu_json_object(json, "specs");
	put_value(json, "device_id", &specs->device);
	if (name)
		vhu_json_string(json, "device", name);
	put_value(json, "config_size", &specs->config_size);
	put_value(json, "min_vqs", &specs->min_vqs);
	put_value(json, "max_vqs", &specs->max_vqs);
	vhu_json_object_end(json);
}

/* Write the configuration space. */
static void put_config(struct vhu_json *json, const struct vhu_probe *probe)
{
	const struct vhu_context context = vhu_probe_context(probe);
	const struct vhu_payload payload = vhu_message_payload(&probe->config);
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	struct vhu_walk walk;
	struct vhu_item item;
	bool inside = false;

	vhu_json_object(json, "config");
	vhu_json_unsigned(json, "size", payload.size - space->offset);
	vhu_json_bytes(json, "bytes", payload.bytes + space->offset, payload.size - space->offset);
	vhu_walk_start(&walk, &vhu_layouts[VHU_LAYOUT_config], &payload, &context);
	vhu_json_object(json, "fields");
	while (vhu_walk_next(&walk, &item)) {
		inside |= item.what == VHU_ITEM_OPEN;
		if (inside && item.what == VHU_ITEM_VALUE && item.field->kind != VHU_PADDING)
			vhu_show_field_json(json, &item, &context);
	}
	vhu_json_object_end(json);
	vhu_json_object_end(json);
}

/* Write the sizes that were tried. */
static void put_tried(struct vhu_json *json, const char *key, const struct vhu_probe_tries *tries)
{
	vhu_json_array(json, key);
	for (unsigned i = 0; i < tries->count; i++) {
		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "size", tries->tried[i].size);
		vhu_json_string(json, "outcome", vhu_probe_outcome_name(tries->tried[i].outcome));
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write how it answered. */
static void put_answers(struct vhu_json *json, const struct vhu_probe *probe)
{
	vhu_json_array(json, "answers");
	for (unsigned i = 0; i < probe->gots; i++) {
		const struct vhu_probe_got *got = &probe->got[i];

		vhu_json_object(json, NULL);
		vhu_json_string(json, "message", got->message->name);
		vhu_json_unsigned(json, "size", got->size);
		vhu_json_unsigned(json, "flags", got->flags);
		vhu_json_unsigned(json, "descriptors", got->fds);
		vhu_json_unsigned(json, "delay_ns", got->ns);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write which rules it broke. */
static void put_findings(struct vhu_json *json, const struct vhu_probe_log *log)
{
	char rule[16];

	vhu_json_array(json, "findings");
	for (unsigned i = 0; i < log->findings; i++) {
		const struct vhu_finding *finding = &log->finding[i];

		snprintf(rule, sizeof(rule), "V%u", finding->rule->id);
		vhu_json_object(json, NULL);
		vhu_json_string(json, "rule", rule);
		vhu_json_string(json, "name", finding->rule->name);
		vhu_json_string(json, "severity", vhu_severity_name(finding->rule->severity));
		vhu_json_string(json, "text", finding->text);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write the numbers that it told. */
static void put_numbers(struct vhu_json *json, const struct vhu_probe *probe)
{
	const struct vhu_context context = vhu_probe_context(probe);

	if (probe->has_features)
		put_bits(json, "features", VHU_NAMES_virtio_features, probe->features, &context);
	if (probe->has_protocol_features) {
		put_bits(json, "protocol_features", VHU_NAMES_protocol_features,
			 probe->protocol_features, &context);
		put_bits(json, "protocol_features_acked", VHU_NAMES_protocol_features, probe->taken,
			 &context);
	}
	if (probe->has_queue_num)
		vhu_json_unsigned(json, "queue_num", probe->queue_num);
	if (probe->has_mem_slots)
		vhu_json_unsigned(json, "mem_slots", probe->mem_slots);
	if (probe->has_status)
		put_bits(json, "status", VHU_NAMES_virtio_status, probe->status, &context);
	if (probe->has_inflight)
		vhu_json_unsigned(json, "inflight_size", probe->inflight_size);
	if (probe->has_shmem)
		vhu_json_unsigned(json, "shmem_regions",
				  vhu_message_get(&probe->shmem, VHU_FIELD_shmem_config_regions));
	vhu_json_bool(json, "acknowledges", probe->acknowledges);
}

void vhu_probe_json(const struct vhu_probe *probe, FILE *to, const char *error, const char *policy,
		    const char *warning, bool goes_on)
{
	struct vhu_json json = {.to = to};

	vhu_json_document(&json, NULL, "probe/1");
	vhu_json_string(&json, "type", "back-end");
	vhu_json_string(&json, "socket", probe->connection.path);
	if (probe->peer.known) {
		vhu_json_unsigned(&json, "pid", probe->peer.pid);
		vhu_json_string(&json, "command", probe->comm);
	}
	if (error)
		vhu_json_string(&json, "error", error);
	vhu_json_string(&json, "result", vhu_probe_verdict_name(probe));
	vhu_json_string(&json, "because", probe->verdict);
	vhu_json_string(&json, "dialect", vhu_probe_dialect_name(probe));
	vhu_json_string(&json, "dialect_because", probe->dialect_why);
	put_specs(&json, &probe->specs);
	put_numbers(&json, probe);
	if (probe->has_config)
		put_config(&json, probe);
	put_value(&json, "vring_size", &probe->vring_size);
	put_tried(&json, "config_sizes_tried", &probe->config_tried);
	put_tried(&json, "vring_sizes_tried", &probe->size_tried);
	put_answers(&json, probe);
	put_findings(&json, &probe->log);
	vhu_json_unsigned(&json, "connections", probe->connections);
	if (policy) {
		vhu_json_object(&json, "policy");
		vhu_json_bool(&json, "goes_on", goes_on);
		vhu_json_string(&json, "because", policy);
		if (*warning)
			vhu_json_string(&json, "warning", warning);
		vhu_json_object_end(&json);
	}
	vhu_json_object_end(&json);
	fputc('\n', to);
}
