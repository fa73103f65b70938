/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key material in what is to be recorded. */
#ifndef VHU_CAPTURE_REDACT_H
#define VHU_CAPTURE_REDACT_H

#include "lib/capture/record.h"

/*
 * Replace key material by zeros in a record of a message.
 * @request: of the message's header.
 * @plain: messages with no secrets, as far as known: bits, by number below 64; 0 at first.
 * Returns the changed copy, to be freed once the record was given; NULL if there is
 * none to replace, or no memory for it: then the record is without its payload.
 */
uint8_t *vhu_redact(struct vhu_record *record, enum vhu_channel channel, uint32_t request,
		    uint64_t *plain);

#endif
