/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which records are wanted: of one session, of one channel, of some messages. */
#ifndef VHU_SHOW_FILTER_H
#define VHU_SHOW_FILTER_H

#include "lib/session/session.h"

#define VHU_FILTER_MESSAGES 64

/* All zero: all records are. */
struct vhu_filter {
	uint64_t session; /* 0: all */
	bool one_channel;
	enum vhu_channel channel;
	const struct vhu_message *message[VHU_FILTER_MESSAGES]; /* and their replies */
	unsigned messages;                                      /* 0: all */
};

/* Want only the channel called @name, in any case of letters. Returns 0 or -EINVAL. */
int vhu_filter_channel(struct vhu_filter *wanted, const char *name);

/* Select the message called @name, as for vhu_message_by_name, besides those selected before.
 * Returns 0; -EINVAL: no such message; -ENOSPC: too many. */
int vhu_filter_message(struct vhu_filter *wanted, const char *name);

/* Return whether a record is wanted. */
bool vhu_filter_passes(const struct vhu_filter *wanted, const struct vhu_record *record,
		       const struct vhu_annotation *note);

#endif
