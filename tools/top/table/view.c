/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu top shows. */
#include "tools/top/table/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/top/table/text.h"

/* Add an empty row. Returns it; NULL out of memory. */
static struct vhu_top_row *add(struct vhu_top_view *view)
{
	struct vhu_top_row *grown =
	    vhu_array_more(view->all, &view->count, sizeof(struct vhu_top_row));

	if (!grown)
		return NULL;
	view->all = grown;
	grown[view->count - 1] = (struct vhu_top_row){.vring = -1};
	return &grown[view->count - 1];
}

/* Fill in what a row has of its source. */
static void take_source(struct vhu_top_row *row, const struct vhu_top_source *source)
{
	memcpy(row->path, source->name, sizeof(row->path));
	row->probed = source->probed;
	vhu_top_plain(source->name, row->source, sizeof(row->source));
}

/* Fill in what a row has of its session. */
static void take_session(struct vhu_top_row *row, const struct vhu_top_source *source,
			 const struct vhu_top_session *session)
{
	const struct vhu_top_peer *front = &session->peer[VHU_TOP_FRONT];
	const struct vhu_top_peer *back = &session->peer[VHU_TOP_BACK];

	take_source(row, source);
	row->session = session->number;
	row->numbered = !session->unnumbered;
	row->has_path = *front->path;
	vhu_top_plain(*front->path ? front->path : front->comm, row->name, sizeof(row->name));
	row->front_pid = front->pid;
	vhu_top_plain(front->comm, row->front_end, sizeof(row->front_end));
	vhu_top_plain(session->device, row->device, sizeof(row->device));
	vhu_top_plain(*back->comm ? back->comm : back->path, row->back_end, sizeof(row->back_end));
	row->back_pid = back->pid;
	row->cpu_known = session->cpu_known;
	row->cpu = session->cpu;
	row->messages_known = session->rated;
	row->messages_per_s = session->messages_per_s;
	vhu_top_plain(session->waiting_for, row->request, sizeof(row->request));
	row->request_ns = session->waiting_ns;
	vhu_top_plain(session->hint, row->hint, sizeof(row->hint));
}

/* Fill in what a row has of a session without vrings. */
static void take_silence(struct vhu_top_row *row, const struct vhu_top_session *session)
{
	const struct vhu_top_silence *silence = &session->silence;

	row->state = session->state;
	row->silence = *silence;
	row->waiting_ns = silence->signalled ? silence->signalled_ns : silence->for_ns;
	memcpy(row->verdict, silence->verdict, sizeof(row->verdict));
}

/* Fill in what a row has of its vring. */
static void take_vring(struct vhu_top_row *row, const struct vhu_top_vring *vring)
{
	row->vring = vring->now.index;
	row->rated = vring->rated;
	row->kicks_per_s = vring->kicks_per_s;
	row->calls_per_s = vring->calls_per_s;
	row->timed = vring->timed;
	row->p50_ns = vring->timed ? vring->p50_ns : 0;
	row->p99_ns = vring->timed ? vring->p99_ns : 0;
	row->max_ns = vring->timed ? vring->max_ns : 0;
	row->counted = vring->now.counted;
	row->waiting = vring->now.waiting;
	row->waiting_ns = vring->now.waiting_ns;
	memcpy(row->verdict, vring->now.verdict, sizeof(row->verdict));
	row->state = vring->state;
}

/* Add the rows of a session. Returns 0 or -ENOMEM. */
static int add_session(struct vhu_top_view *view, const struct vhu_top_source *source,
		       const struct vhu_top_session *session)
{
	view->sessions++;
	for (unsigned i = 0; i < session->vrings || i == 0; i++) {
		struct vhu_top_row *row = add(view);

		if (!row)
			return -ENOMEM;
		take_session(row, source, session);
		if (!session->vrings) {
			take_silence(row, session);
			view->in_state[row->state] += session->silence.known;
			break;
		}
		take_vring(row, session->vring[i]);
		view->vrings++;
		view->in_state[row->state]++;
		view->kicks_per_s += row->kicks_per_s;
		view->calls_per_s += row->calls_per_s;
	}
	return 0;
}

/* Add the row of a source that has no sessions to show. Returns 0 or -ENOMEM. */
static int add_note(struct vhu_top_view *view, const struct vhu_top_source *source, uint64_t now_ns)
{
	char text[3 * VHU_TOP_NAME], age[VHU_TOP_NUMBER_SIZE];
	struct vhu_top_row *row = add(view);

	if (!row)
		return -ENOMEM;
	take_source(row, source);
	row->note = true;
	if (source->here)
		snprintf(text, sizeof(text), "%s: no session is open%s%s", source->name,
			 *source->error ? ": " : "", source->error);
	else if (source->since_ns && source->met)
		snprintf(text, sizeof(text), "%s: gone for %s: %s", source->name,
			 vhu_top_time_text(vhu_elapsed_ns(source->since_ns, now_ns), age),
			 source->error);
	else if (source->since_ns)
		snprintf(text, sizeof(text), "%s: not reached for %s: %s", source->name,
			 vhu_top_time_text(vhu_elapsed_ns(source->since_ns, now_ns), age),
			 source->error);
	else
		snprintf(text, sizeof(text), "%s: has not answered yet", source->name);
	vhu_top_plain(text, row->name, sizeof(row->name));
	return 0;
}

/* Add a row that says that there is no source yet. Returns 0 or -ENOMEM. */
static int add_none(struct vhu_top_view *view, const struct vhu_top *top)
{
	char text[3 * VHU_TOP_NAME];
	struct vhu_top_row *row = add(view);

	if (!row)
		return -ENOMEM;
	row->note = true;
	snprintf(row->path, sizeof(row->path), "%s", top->among);
	vhu_top_plain(top->among, row->source, sizeof(row->source));
	snprintf(text, sizeof(text), "%s: %s", top->among, top->none);
	vhu_top_plain(text, row->name, sizeof(row->name));
	return 0;
}

int vhu_top_view_take(struct vhu_top_view *view, const struct vhu_top *top, uint64_t now_ns)
{
	int ret = 0;

	view->count = view->rows = 0;
	view->sources = view->gone = view->sessions = view->vrings = 0;
	view->kicks_per_s = view->calls_per_s = 0;
	memset(view->in_state, 0, sizeof(view->in_state));
	for (unsigned i = 0; i < top->sources && !ret; i++) {
		const struct vhu_top_source *source = top->source[i];

		view->sources++;
		view->gone += !source->here;
		if (!source->sessions || !source->here)
			ret = add_note(view, source, now_ns);
		for (unsigned at = 0; at < source->sessions && !ret; at++)
			ret = add_session(view, source, source->session[at]);
	}
	if (!top->sources && top->among && !ret)
		ret = add_none(view, top);
	return vhu_top_view_arrange(view) ? -ENOMEM : ret;
}

/* Return whether a row has what the filter asks for, in whatever case. */
static bool passes(const struct vhu_top_view *view, const struct vhu_top_row *row)
{
	const char *const text[] = {
	    row->name,
	    row->device,
	    row->back_end,
	    row->source,
	    row->vring < 0 && !row->silence.known ? "" : vhu_top_state_name(row->state),
	};

	if (!*view->filter)
		return true;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(text); i++)
		if (strcasestr(text[i], view->filter))
			return true;
	return false;
}

/* Compare two rows: by the column, then by where they are. Notes come first, for they matter. */
static int compare(const void *one_of, const void *other_of, void *with)
{
	const struct vhu_top_row *const *one = one_of, *const *other = other_of;
	const struct vhu_top_view *view = with;
	const struct vhu_top_column *column = &vhu_top_column[view->sort];
	int order;

	if ((*one)->note != (*other)->note)
		return (*one)->note ? -1 : 1;
	order = column->compare(*one, *other);
	if (column->rising == view->reverse)
		order = -order;
	if (!order)
		order = strcmp((*one)->source, (*other)->source);
	if (!order)
		order =
		    ((*one)->session > (*other)->session) - ((*one)->session < (*other)->session);
	return order ? order
		     : ((*one)->vring > (*other)->vring) - ((*one)->vring < (*other)->vring);
}

int vhu_top_view_arrange(struct vhu_top_view *view)
{
	view->rows = 0;
	for (unsigned i = 0; i < view->count; i++) {
		struct vhu_top_row **grown;

		if (!passes(view, &view->all[i]))
			continue;
		grown = vhu_array_more(view->row, &view->rows, sizeof(struct vhu_top_row *));
		if (!grown)
			return -ENOMEM;
		view->row = grown;
		grown[view->rows - 1] = &view->all[i];
	}
	if (view->rows)
		qsort_r(view->row, view->rows, sizeof(struct vhu_top_row *), compare, view);
	return 0;
}

void vhu_top_view_free(struct vhu_top_view *view)
{
	free(view->all);
	free(view->row);
	*view = (struct vhu_top_view){0};
}
