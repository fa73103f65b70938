/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a relay is given, and what must come out of it. */
#include "tests/fuzz/lib/relay_model.h"

#include <string.h>

#include "tests/fuzz/lib/fuzz.h"

/* Payload repeats after so many bytes: a prime, so that no buffer's size is a multiple of it. */
#define PERIOD 65521

/* Return the payload at position @at, with at least @size contiguous bytes. */
static const uint8_t *model_payload(uint64_t at, size_t *size)
{
	static uint8_t payload[PERIOD];
	uint32_t state = 1;

	if (!payload[0]) {
		for (size_t i = 0; i < PERIOD; i++)
			payload[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
		payload[0] = 1;
	}
	*size = PERIOD - at % PERIOD;
	return payload + at % PERIOD;
}

uint64_t model_end(const struct model *model, unsigned number)
{
	const struct model_message *message = &model->message[number];

	return message->start + VHU_HEADER_SIZE + message->header.size;
}

void model_add(struct model *model, struct vhu_header header)
{
	struct model_message *message = &model->message[model->messages];

	message->start = model->messages ? model_end(model, model->messages - 1) : 0;
	message->header = header;
	model->messages++;
}

unsigned model_find(const struct model *model, uint64_t at)
{
	unsigned number = 0;

	while (number < model->messages && model_end(model, number) <= at)
		number++;
	return number;
}

void model_write(const struct model *model, uint64_t at, uint8_t *to, size_t size)
{
	unsigned number = model_find(model, at);

	while (size) {
		const struct model_message *message = &model->message[number];
		const uint8_t *header = (const uint8_t *)&message->header;
		uint64_t end = model_end(model, number++);

		while (size && at < end) {
			uint64_t into = at - message->start;
			const uint8_t *from = header + into;
			size_t part = VHU_HEADER_SIZE - into;

			if (into >= VHU_HEADER_SIZE)
				from = model_payload(at, &part);
			part = part < end - at ? part : (size_t)(end - at);
			part = part < size ? part : size;
			memcpy(to, from, part);
			to += part;
			at += part;
			size -= part;
		}
	}
}

/*
 * Return the latest byte that @fds descriptors sent now may come with. Those
 * within a header come with its first byte, as it is not sent in pieces, unless they are more than
 * one call can carry.
 */
static uint64_t model_comes_at(const struct model *model, unsigned fds)
{
	uint64_t start = model->message[model_find(model, model->sent)].start;

	if (model->pieces || model->sent >= start + VHU_HEADER_SIZE)
		return model->sent;
	for (unsigned i = model->groups; i && model->group[i - 1].at >= start; i--)
		fds += model->group[i - 1].fds;
	return fds <= VHU_RECORD_FDS_MAX ? start : model->sent;
}

void model_sent(struct model *model, size_t size, unsigned fds)
{
	uint64_t at = model_comes_at(model, fds);

	if (fds)
		model->group[model->groups++] = (struct model_group){at, fds};
	model->sent += size;
	model->fds_sent += fds;
}

/* Return the first byte that descriptors sent with the byte at @at may come with. */
static uint64_t model_earliest(const struct model *model, uint64_t at)
{
	uint64_t start = model->message[model_find(model, at)].start;

	return at < start + VHU_HEADER_SIZE ? start : start + VHU_HEADER_SIZE;
}

void model_received(struct model *model, const uint8_t *bytes, size_t size, unsigned fds)
{
	static uint8_t expected[65536];
	uint64_t begin = model->received;

	while (size) {
		size_t part = size < sizeof(expected) ? size : sizeof(expected);

		must(model->received + part <= model->sent);
		model_write(model, model->received, expected, part);
		must(!memcmp(bytes, expected, part));
		model->received += part;
		bytes += part;
		size -= part;
	}
	for (; fds; fds--) {
		const struct model_group *group = &model->group[model->group_at];

		must(model->group_at < model->groups);
		must(begin <= group->at && model_earliest(model, group->at) < model->received);
		model->fds_received++;
		if (++model->group_taken == group->fds) {
			model->group_at++;
			model->group_taken = 0;
		}
	}
	/* None is late. */
	must(model->group_at == model->groups ||
	     model->group[model->group_at].at >= model->received);
}
