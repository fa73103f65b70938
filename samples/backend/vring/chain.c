/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A chain: what one request consists of. */
#include "samples/backend/vring/chain.h"

#include <errno.h>
#include <string.h>

void vhu_chain_clear(struct vhu_chain *chain)
{
	/* Its parts are far too many to be cleared for each request. */
	chain->id = chain->descriptors = chain->entry = 0;
	chain->out.parts = chain->in.parts = 0;
	chain->out.size = chain->in.size = 0;
}

int vhu_chain_add(struct vhu_chain *chain, const struct vhu_memory *memory,
		  struct vhu_buffer buffer)
{
	struct vhu_run *run = buffer.writable ? &chain->in : &chain->out;

	if (!buffer.writable && chain->in.parts > 0)
		return -EPROTO;
	/* One buffer may lie in several regions that touch each other. */
	while (buffer.size > 0) {
		uint64_t size = buffer.size;
		void *here = vhu_memory_at_buffer(memory, buffer.guest, &size);

		if (!here)
			return -EFAULT;
		if (chain->out.parts + chain->in.parts == VHU_CHAIN_PARTS_MAX)
			return -E2BIG;
		run->part[run->parts++] = (struct iovec){.iov_base = here, .iov_len = size};
		run->size += size;
		buffer.guest += size;
		buffer.size -= (uint32_t)size;
	}
	return 0;
}

bool vhu_run_take(struct vhu_run *run, void *to, uint64_t size)
{
	uint8_t *next = to;
	int used = 0;

	if (run->size < size)
		return false;
	run->size -= size;
	while (size > 0) {
		struct iovec *part = &run->part[used];
		size_t some = part->iov_len < size ? part->iov_len : size;

		memcpy(next, part->iov_base, some);
		next += some;
		size -= some;
		part->iov_base = (uint8_t *)part->iov_base + some;
		part->iov_len -= some;
		used += part->iov_len == 0;
	}
	run->parts -= used;
	memmove(run->part, run->part + used, (size_t)run->parts * sizeof(run->part[0]));
	return true;
}

void vhu_run_cut(struct vhu_run *run, uint64_t size)
{
	while (run->size > size) {
		struct iovec *last = &run->part[run->parts - 1];
		uint64_t over = run->size - size;

		if (last->iov_len <= over) {
			run->size -= last->iov_len;
			run->parts--;
		} else {
			run->size -= over;
			last->iov_len -= over;
		}
	}
}

uint8_t *vhu_run_take_last(struct vhu_run *run)
{
	const struct iovec *last;
	uint8_t *byte;

	if (run->size == 0)
		return NULL;
	last = &run->part[run->parts - 1];
	byte = (uint8_t *)last->iov_base + last->iov_len - 1;
	vhu_run_cut(run, run->size - 1);
	return byte;
}

uint64_t vhu_run_fill(const struct vhu_run *run, const void *from, uint64_t size)
{
	const uint8_t *next = from;
	uint64_t done = 0;

	for (int i = 0; i < run->parts && done < size; i++) {
		size_t some = run->part[i].iov_len;

		if (some > size - done)
			some = size - done;
		memcpy(run->part[i].iov_base, next + done, some);
		done += some;
	}
	return done;
}
