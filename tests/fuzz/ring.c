/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz the reader of vrings: any memory behind any addresses, which changes while it is read, and
 * any evidence. No byte beyond a region is read, and the work is bounded.
 *
 * The input: struct ring_input, then the bytes of the memory, which zeros follow.
 */
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>

#include "lib/ring/verdict/show.h"
#include "tests/fuzz/lib/fuzz.h"

/* Regions are at these user addresses, and at these guest addresses unless the input moves one. */
#define REGION_SIZE 0x4000u
#define RINGS_USER  0x100000u
#define OTHER_USER  0x104000u /* right behind */
#define RINGS_GUEST 0x40000000u
#define OTHER_GUEST 0x40004000u

/* More than any vring needs: areas, the in-flight area, indirect tables of those looked at. */
#define READS_MAX 4096
#define LISTED    64

struct ring_input {
	uint8_t kind; /* bits: packed, event_idx, iommu, version_1, big endian, in-flight, ... */
	uint8_t size_log; /* of the ring; above 15: size, as it is */
	uint16_t size;
	uint16_t descriptor, available, used; /* from the first region's user address */
	uint16_t inflight_at, inflight_size;
	uint8_t guest_shift; /* moves the second region in the guest */
	uint8_t change;      /* after so many reads bytes of the memory change */
	uint8_t device, vring;
	uint8_t session, base_low, base_high, pollers;
	uint8_t kick[2], call[2];
	uint8_t states, probes, watch, dead;
} __attribute__((packed));

/* The memory, and what was read of it. */
static struct {
	uint8_t bytes[2 * REGION_SIZE];
	unsigned reads, change;
} memory;

/* Read as vhu_ring_read says, and make sure that the reader keeps to it. */
static ssize_t read_checked(const struct vhu_ring_region *region, uint64_t at, void *to,
			    size_t size)
{
	must(at < region->size && size > 0 && size <= region->size - at);
	must(++memory.reads < READS_MAX);
	memcpy(to, memory.bytes + region->offset + at, size);
	if (memory.change && memory.reads % memory.change == 0)
		memory.bytes[(memory.reads * 7919u + at) % sizeof(memory.bytes)] ^= 0x81;
	return (ssize_t)size;
}

/* Say what sessions, processes and probes say, whatever it is. */
static void fill(const struct ring_input *input, struct vhu_ring_evidence *evidence)
{
	evidence->kick_poller = input->pollers % 4;
	evidence->call_poller = input->pollers / 4 % 4;
	evidence->session = (struct vhu_ring_session){
	    .known = input->session & 1,
	    .started = input->session & 2,
	    .enabled = input->session & 4,
	    .polled = input->session & 8,
	    .base_by = input->session & 16,
	    .base = (uint32_t)(input->base_low | input->base_high << 16),
	    .start_known = input->session & 32,
	    .start_available = input->base_low,
	    .stopped_by = input->session & 64,
	    .stopped_message = input->base_high,
	};
	evidence->probes = (struct vhu_ring_probes){.known = input->probes & 1,
						    .available = input->probes,
						    .used = input->probes / 2,
						    .kicks = input->probes & 4,
						    .wakes = input->probes & 8,
						    .calls = input->probes & 16};
	evidence->signals =
	    (struct vhu_ring_signals){.known = input->probes & 32,
				      .open_kicks = input->probes / 4,
				      .open_ns = input->probes * UINT64_C(100000000),
				      .in_turn = input->probes,
				      .lost_kick = (input->probes & 192) == 64,
				      .lost_call = (input->probes & 192) == 128};
	evidence->dead = (struct vhu_ring_dead){input->dead & 1, input->dead, input->dead, 1};
	evidence->mappings =
	    (struct vhu_ring_mappings){input->dead & 2, input->dead & 64, input->dead & 128, false};
}

/* Say what one sample says beside the ring. */
static void fill_sample(const struct ring_input *input, unsigned i, struct vhu_ring_sample *sample)
{
	static const char state[] = "RSDTZXt";

	sample->time_ns = i * (input->watch & 1 ? VHU_RING_SAMPLES_APART : 1);
	sample->kick = (struct vhu_ring_counter){input->kick[i] & 1, 1, input->kick[i] / 2};
	sample->call = (struct vhu_ring_counter){input->call[i] & 1, 2, input->call[i] / 2};
	sample->back_end = (struct vhu_ring_process){true, 1, state[input->states % 7], 0};
	sample->front_end =
	    (struct vhu_ring_process){true, 2, state[input->states / 7 % 7], input->states & 128};
	sample->pending.number = input->watch & 2;
	sample->pending.message = input->base_high;
	sample->view_known = input->watch & 4;
	sample->call_holders_known = input->watch & 8;
	sample->holds_old_call = input->watch & 16;
}

/* List the requests of a ring, with their headers. */
static void list(const struct vhu_ring_evidence *evidence, const struct vhu_ring_memory *at,
		 struct vhu_json *json)
{
	const struct vhu_ring_snapshot *ring = &evidence->sample[1].ring;
	struct vhu_ring_request request;
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	char text[256];
	bool taken;

	for (unsigned i = 0; i < LISTED && vhu_ring_chain_next(at, ring, &cursor, &chain, &taken);
	     i++) {
		must(chain.descriptors <= ring->size);
		vhu_ring_chain_text(&chain, ring->packed, taken, text, sizeof(text));
		vhu_ring_chain_json(json, &chain, ring->packed, taken, NULL, NULL);
		if (vhu_ring_request_read(at, ring, &chain, evidence->context, evidence->vring,
					  &request))
			continue;
		must(request.size <= VHU_RING_HEADER_MAX);
		vhu_ring_request_text(&request, evidence->context, text, sizeof(text));
		vhu_ring_chain_json(json, &chain, ring->packed, taken, &request, evidence->context);
	}
}

/* Judge a ring, and write all of it. */
static void judge(struct vhu_ring_evidence *evidence, const struct vhu_ring_memory *at)
{
	static FILE *nowhere;
	struct vhu_ring_verdict verdict = vhu_ring_judge(evidence);
	char text[VHU_RING_SHOW_TEXT];
	struct vhu_json json;

	must(verdict.id < VHU_RING_VERDICTS);
	must(verdict.alternatives <= VHU_RING_ALTERNATIVES_MAX && verdict.text[0]);
	must(memchr(verdict.text, '\0', sizeof(verdict.text)) != NULL);
	vhu_ring_numbers_text(evidence, text, sizeof(text));
	vhu_ring_verdict_text(evidence->vring, &verdict, text, sizeof(text));
	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	must(nowhere != NULL);
	json = (struct vhu_json){.to = nowhere};
	vhu_ring_evidence_json(&json, evidence, &verdict);
	if (!evidence->sample[1].ring_error)
		list(evidence, at, &json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_ring_region region[2] = {
	    {RINGS_GUEST, RINGS_USER, REGION_SIZE, 0, -1, NULL, 0},
	    {OTHER_GUEST, OTHER_USER, REGION_SIZE, REGION_SIZE, -1, NULL, 0},
	};
	const struct vhu_ring_translation translation = {0, RINGS_USER,
							 REGION_SIZE + REGION_SIZE / 2};
	const struct vhu_ring_memory at = {read_checked, region, 2, &translation, 1};
	struct vhu_ring_evidence evidence = {0};
	struct vhu_ring_place place = {.memory = &at};
	struct vhu_context context = {0};
	struct ring_input input;

	if (size < sizeof(input))
		return 0;
	memcpy(&input, data, sizeof(input));
	size -= sizeof(input);
	size = size < sizeof(memory.bytes) ? size : sizeof(memory.bytes);
	memset(memory.bytes + size, 0, sizeof(memory.bytes) - size);
	memcpy(memory.bytes, data + sizeof(input), size);
	memory.reads = 0;
	memory.change = input.change;
	region[1].guest += (uint64_t)input.guest_shift << 12;
	place.features = (uint64_t)(input.kind & 1) << VIRTIO_F_RING_PACKED |
			 (uint64_t)(input.kind >> 1 & 1) << 29 |
			 (uint64_t)(input.kind >> 2 & 1) << VIRTIO_F_ACCESS_PLATFORM |
			 (uint64_t)(input.kind >> 3 & 1) << VIRTIO_F_VERSION_1;
	place.size = input.size_log < 16 ? 1u << input.size_log : input.size;
	place.descriptor = (input.kind & 4 ? 0 : RINGS_USER) + input.descriptor;
	place.available = (input.kind & 4 ? 0 : RINGS_USER) + input.available;
	place.used = (input.kind & 4 ? 0 : RINGS_USER) + input.used;
	place.big_endian = input.kind & 16;
	if (input.kind & 32)
		place.inflight = (struct vhu_ring_inflight_place){
		    &at, RINGS_USER + input.inflight_at, input.inflight_size};
	context = (struct vhu_context){
	    .device = input.device % 32, .has_features = true, .features = place.features};
	evidence.context = input.kind & 64 ? &context : NULL;
	evidence.vring = input.vring;
	fill(&input, &evidence);
	for (unsigned i = 0; i < 2; i++) {
		struct vhu_ring_sample *sample = &evidence.sample[i];

		fill_sample(&input, i, sample);
		vhu_ring_sample_read(&place, sample);
		vhu_ring_watch_add(&evidence.watch, &evidence.sample[0], i * UINT64_C(6000000),
				   sample->ring_error ? NULL : &sample->ring, &sample->kick);
	}
	evidence.context = &context;
	judge(&evidence, &at);
	for (unsigned i = 0; i < 2; i++)
		vhu_ring_sample_free(&evidence.sample[i]);
	return 0;
}
