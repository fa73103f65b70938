/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz the language of faults, and what faults and masks look at: the input is a line with a fault,
 * a line with what is to be masked, and a message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/fault/mask.h"
#include "tests/fuzz/lib/fuzz.h"

#define TEXT_MAX 1100

/* Take a line of the input, as far as there is room. Returns what follows it. */
static const uint8_t *take_line(const uint8_t *from, const uint8_t *end, char text[TEXT_MAX])
{
	size_t size = 0;

	for (; from < end && *from != '\n'; from++)
		if (size + 1 < TEXT_MAX)
			text[size++] = (char)*from;
	text[size] = '\0';
	return from < end ? from + 1 : end;
}

/* A text was refused: a line says so, and where. */
static void check_error(const char *text, const char *error)
{
	unsigned column = 0;

	must(sscanf(error, "column %u: ", &column) == 1);
	must(column >= 1 && column <= strlen(text) + 1);
	must(strlen(error) < VHU_FAULT_ERROR - 1);
}

/* Look at a message as faults do. */
static void try_message(struct vhu_faults *faults, const struct vhu_mask *mask, uint8_t *bytes,
			size_t size, unsigned how)
{
	static const struct vhu_context nothing_known;
	struct vhu_context packed = {.has_features = true, .features = UINT64_MAX};
	struct vhu_fault_memory memory = {0};
	struct vhu_mask_memory masked = {0};
	struct vhu_fault *hit[VHU_FAULTS_MAX];
	struct vhu_fault_message message = {
	    .session = 1,
	    .channel = how % VHU_CHANNELS,
	    .from_back_end = how & 8,
	    .bytes = bytes,
	    .size = (uint32_t)size,
	    .fds = how >> 4,
	    .context = how & 4 ? &packed : &nothing_known,
	};
	char text[64];
	struct vhu_line line = vhu_line_in(text, sizeof(text));

	for (unsigned i = 0; i < 3; i++)
		must(vhu_faults_match(faults, &memory, &message, hit) <= faults->count);
	vhu_mask_apply(mask, &masked, &message, bytes, &line);
	vhu_mask_apply(mask, &masked, &message, bytes, &line);
	vhu_fault_memory_free(&memory);
}

/* Look at a kick as faults do. */
static void try_kick(struct vhu_faults *faults, unsigned how)
{
	struct vhu_fault_event event = {.session = 1, .role = VHU_KICK, .vring = how};
	struct vhu_fault_memory memory = {0};
	struct vhu_fault_effect effect;

	if (vhu_faults_event(faults, &memory, &event, &effect))
		must(effect.fault != NULL);
	vhu_fault_memory_free(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	struct vhu_faults faults = {0};
	struct vhu_mask mask = {0};
	char text[TEXT_MAX], error[VHU_FAULT_ERROR] = "";
	uint8_t *bytes;
	unsigned how;
	int id;

	data = take_line(data, end, text);
	id = vhu_faults_add(&faults, text, error);
	if (id < 0)
		check_error(text, error);
	else
		must(id == 1 && !strcmp(faults.first->text, text));
	data = take_line(data, end, text);
	if (vhu_mask_add(&mask, text, error))
		check_error(text, error);
	how = data < end ? *data++ : 0;
	if (end - data >= VHU_HEADER_SIZE) {
		/* Of its own, so that reading over its end is seen. */
		bytes = malloc((size_t)(end - data));
		must(bytes != NULL);
		memcpy(bytes, data, (size_t)(end - data));
		try_message(&faults, &mask, bytes, (size_t)(end - data), how);
		free(bytes);
	}
	try_kick(&faults, how);
	vhu_faults_clear(&faults);
	return 0;
}
