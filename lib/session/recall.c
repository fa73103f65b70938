/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of sessions after they closed. */
#include "lib/session/recall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vhu_recall_free(struct vhu_recall *recall)
{
	free(recall->session);
}

/* Return the place that a session has in recall->session or would have to get. */
static size_t place_of(const struct vhu_recall *recall, uint64_t id)
{
	size_t from = 0, to = recall->sessions;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (recall->session[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct vhu_recalled *vhu_recall_find(const struct vhu_recall *recall, uint64_t id)
{
	size_t at = place_of(recall, id);

	return at < recall->sessions && recall->session[at].id == id ? &recall->session[at] : NULL;
}

int vhu_recall_keep(struct vhu_recall *recall, const struct vhu_state *state)
{
	size_t at = place_of(recall, state->id);

	if (at == recall->sessions || recall->session[at].id != state->id) {
		if (recall->sessions == recall->room) {
			size_t room = recall->room ? 2 * recall->room : 16;
			struct vhu_recalled *more =
			    reallocarray(recall->session, room, sizeof(*more));

			if (!more)
				return -ENOMEM;
			recall->session = more;
			recall->room = room;
		}
		memmove(&recall->session[at + 1], &recall->session[at],
			(recall->sessions++ - at) * sizeof(*recall->session));
	}
	recall->session[at] = (struct vhu_recalled){
	    state->id,
	    state->context.dialect,
	    state->dialect_told_at,
	    state->context.device,
	};
	return 0;
}

uint64_t vhu_recall_number(const char *path)
{
	uint64_t number = 0;

	for (; path && *path; path++)
		number = (number ^ (uint8_t)*path) * UINT64_C(0x100000001b3) + 1;
	return number;
}

void vhu_recall_keep_device(struct vhu_recall *recall, uint64_t socket, uint32_t device)
{
	if (!socket)
		return;
	recall->socket[socket % VHU_RECALL_SOCKETS].number = socket;
	recall->socket[socket % VHU_RECALL_SOCKETS].device = device;
}

bool vhu_recall_device(const struct vhu_recall *recall, uint64_t socket, uint32_t *device)
{
	*device = recall->socket[socket % VHU_RECALL_SOCKETS].device;
	return socket && recall->socket[socket % VHU_RECALL_SOCKETS].number == socket;
}

void vhu_recall_forget_devices(struct vhu_recall *recall)
{
	memset(recall->socket, 0, sizeof(recall->socket));
}
