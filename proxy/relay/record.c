/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay's record of the message that it passes on. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/relay/internal.h"
#include "proxy/relay/plan.h"

#include "lib/util/util.h"

void vhu_relay_free_descriptions(struct vhu_relay *relay)
{
	free(relay->record.fd);
	free(relay->name);
	relay->record.fd = NULL;
	relay->name = NULL;
	relay->room_described = 0;
}

/* Make room for @count descriptions. Returns 0 or -ENOMEM. */
static int relay_room_for(struct vhu_relay *relay, unsigned count)
{
	struct vhu_fd_info *fd;
	void *name;

	if (count <= relay->room_described)
		return 0;
	fd = realloc(relay->record.fd, count * sizeof(*fd));
	if (!fd)
		return -ENOMEM;
	relay->record.fd = fd;
	name = realloc(relay->name, count * sizeof(*relay->name));
	if (!name)
		return -ENOMEM;
	relay->name = name;
	relay->room_described = count;
	return 0;
}

void vhu_relay_describe(struct vhu_relay *relay, unsigned count)
{
	unsigned room = VHU_RECORD_FDS_MAX - relay->described;
	unsigned add = count < room ? count : room;

	if (relay_room_for(relay, relay->described + add))
		return;
	for (unsigned i = 0; i < add; i++) {
		unsigned to = relay->described++;

		vhu_fdinfo_read(relay->fd[i], &relay->record.fd[to], relay->name[to]);
	}
}

void vhu_relay_received(struct vhu_relay *relay, uint16_t marks)
{
	struct vhu_record *record = &relay->record;
	uint64_t now_ns;

	if (!relay->describe || relay->recorded)
		return;
	now_ns = vhu_realtime_ns();
	if (relay->fds)
		vhu_relay_describe(relay, relay->fds);
	relay->recorded = true;
	record->time_ns = now_ns;
	record->marks |= marks;
	record->text = NULL;
	if (relay->plan && relay->plan->text[0]) {
		record->marks |= VHU_MARK_ALTERED;
		record->text = relay->plan->text;
	}
	record->message = relay->buffer;
	record->message_size =
	    (uint32_t)(relay->got < VHU_RELAY_KEEP ? relay->got : VHU_RELAY_KEEP);
	record->message_sent = relay->got;
	record->fds = (uint16_t)relay->described;
	/* They may have moved since they were written. */
	for (unsigned i = 0; i < relay->described; i++)
		record->fd[i].name = relay->name[i];
	relay->owner->received(relay);
}
