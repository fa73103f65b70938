/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which records are wanted: of one session, of one channel, of some messages. */
#ifndef VHU_SHOW_WANTED_H
#define VHU_SHOW_WANTED_H

#include "lib/session/session.h"

#define VHU_WANTED_MESSAGES 64

/* All zero: all records are. */
struct vhu_wanted {
	uint64_t session; /* 0: all */
	bool one_channel;
	enum vhu_channel channel;
	const struct vhu_message *message[VHU_WANTED_MESSAGES]; /* and their replies */
	unsigned messages;                                      /* 0: all */
};

/* Want only the channel called @name, in any case of letters. Returns 0 or -EINVAL. */
int vhu_wanted_channel(struct vhu_wanted *wanted, const char *name);

/* Want the message called @name, as vhu_message_by_name has it, and what else is named. Returns 0;
 * -EINVAL: no such message; -ENOSPC: too many. */
int vhu_wanted_message(struct vhu_wanted *wanted, const char *name);

/* Return whether a record is wanted. */
bool vhu_wanted_is(const struct vhu_wanted *wanted, const struct vhu_record *record,
		   const struct vhu_note *note);

#endif
