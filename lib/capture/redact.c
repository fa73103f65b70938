/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key material in what is to be recorded. */
#include "lib/capture/redact.h"

#include <stdlib.h>
#include <string.h>

/* Return whether a message may hold key material. Nearly none do, so that is remembered. */
static bool redact_may_have_to(enum vhu_channel channel, uint32_t request, uint64_t *plain)
{
	struct vhu_secret secret[VHU_SECRETS_MAX];

	if (request < 64 && *plain >> request & 1)
		return false;
	if (vhu_message_secrets(channel, request, UINT32_MAX, secret))
		return true;
	if (request < 64)
		*plain |= UINT64_C(1) << request;
	return false;
}

uint8_t *vhu_redact(struct vhu_record *record, enum vhu_channel channel, uint32_t request,
		    uint64_t *plain)
{
	struct vhu_secret secret[VHU_SECRETS_MAX];
	unsigned secrets;
	uint8_t *copy;

	if (record->message_size <= VHU_HEADER_SIZE || !redact_may_have_to(channel, request, plain))
		return NULL;
	/* What its header says of its size may be false, or have been made so. */
	secrets =
	    vhu_message_secrets(channel, request, record->message_size - VHU_HEADER_SIZE, secret);
	if (!secrets)
		return NULL;
	record->marks |= VHU_MARK_REDACTED;
	copy = malloc(record->message_size);
	if (!copy) {
		record->message_size = VHU_HEADER_SIZE;
		return NULL;
	}
	memcpy(copy, record->message, record->message_size);
	for (unsigned i = 0; i < secrets; i++) {
		uint32_t from = VHU_HEADER_SIZE + secret[i].offset, size = secret[i].size;

		if (from >= record->message_size)
			continue;
		if (size > record->message_size - from)
			size = record->message_size - from;
		memset(copy + from, 0, size);
	}
	record->message = copy;
	return copy;
}
