/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which records of a session are still needed; prologue.h has the theory of operation. */
#include <stdlib.h>
#include <string.h>

#include "lib/recording/prologue_internal.h"

/* Compare two records by their numbers, for bsearch(3). */
static int work_compare(const void *a, const void *b)
{
	const struct vhu_prologue_record *left = a, *right = b;

	return (left->passed.number > right->passed.number) -
	       (left->passed.number < right->passed.number);
}

/* Return record @number; NULL if it is not there. */
static struct vhu_prologue_record *work_find(const struct vhu_prologue_work *work, uint64_t number)
{
	const struct vhu_prologue_record wanted = {.passed.number = number};

	if (!number || !work->records)
		return NULL;
	return bsearch(&wanted, work->record, work->records, sizeof(wanted), work_compare);
}

/* Note that record @number is needed, with its other half and the records on which their meaning
 * depends. */
static void work_need(void *context, uint64_t number)
{
	const struct vhu_prologue_work *work = context;
	struct vhu_prologue_record *record = work_find(work, number);

	if (!record || record->needed)
		return;
	record->needed = true;
	work_need(context, record->partner);
	work_need(context, record->offer);
	work_need(context, record->undone_by);
	work_need(context, record->undone_before);
	work_need(context, record->undoes);
	for (unsigned i = 0; i < VHU_READ_BY; i++)
		work_need(context, record->read_by[i]);
}

/* Note that the record of a fact is needed. */
static void work_need_fact(void *context, enum vhu_fact fact, uint64_t number)
{
	struct vhu_prologue_record *record =
	    fact == VHU_FACT_translations ? work_find(context, number) : NULL;

	if (record)
		record->in_force = true;
	work_need(context, number);
}

/* Let a list of records have room for @count. Returns whether there was memory for that. */
static bool work_make_room(struct vhu_prologue_record **list, unsigned *room, unsigned count)
{
	struct vhu_prologue_record *more;

	if (count <= *room)
		return true;
	more = reallocarray(*list, count, sizeof(*more));
	if (!more)
		return false;
	*list = more;
	*room = count;
	return true;
}

bool vhu_prologue_work_begin(struct vhu_prologue_work *work,
			     const struct vhu_prologue_session *session)
{
	if (!work_make_room(&work->record, &work->room, session->records))
		return false;
	for (unsigned i = 0; i < session->records; i++) {
		work->record[i] = session->record[i];
		work->record[i].needed = work->record[i].in_force = false;
	}
	work->records = session->records;
	return true;
}

bool vhu_prologue_work_add(struct vhu_prologue_work *work, const struct vhu_prologue_passed *passed,
			   uint8_t *bytes, const struct vhu_annotation *note)
{
	struct vhu_prologue_record *request = work_find(work, note->request_number), *added;
	struct vhu_prologue_record *undone = work_find(work, note->undoes);
	const uint64_t undone_before = undone ? undone->undone_by : 0;

	if (request)
		request->partner = passed->number;
	if (undone)
		undone->undone_by = passed->number;
	if (work->records == work->room &&
	    !work_make_room(&work->record, &work->room, 2 * work->room + 64))
		return false;
	added = &work->record[work->records++];
	*added = (struct vhu_prologue_record){
	    .passed = *passed,
	    .partner = note->request_number,
	    .offer = note->offered_by,
	    .undone_before = undone_before,
	    .undoes = note->undoes,
	    .translates = note->translates,
	    .bytes = bytes,
	};
	memcpy(added->read_by, note->read_by, sizeof(added->read_by));
	return true;
}

/* Let each record from @first on that is needed have bytes of its own. Returns whether there was
 * memory for that; else none has. */
static bool work_own(struct vhu_prologue_work *work, unsigned first)
{
	for (unsigned i = first; i < work->records; i++) {
		struct vhu_prologue_record *record = &work->record[i];
		uint8_t *bytes = record->needed ? malloc(record->passed.size) : NULL;

		if (!record->needed)
			continue;
		if (bytes) {
			record->bytes = memcpy(bytes, record->bytes, record->passed.size);
			continue;
		}
		while (i-- > first)
			if (work->record[i].needed)
				free(work->record[i].bytes);
		return false;
	}
	return true;
}

bool vhu_prologue_work_keep(struct vhu_prologue_work *work, struct vhu_prologue_session *session,
			    const struct vhu_state *state)
{
	const unsigned before = session->records;
	unsigned kept = 0;
	size_t bytes = 0;

	if (state)
		vhu_state_provenance(state, work_need_fact, work);
	for (unsigned i = 0; i < work->records; i++) {
		if (!work->record[i].needed)
			continue;
		kept++;
		bytes += sizeof(work->record[i]) + work->record[i].passed.size;
	}
	if (bytes > VHU_PROLOGUE_BYTES_MAX ||
	    !work_make_room(&session->record, &session->record_room, kept) ||
	    !work_own(work, before))
		return false;
	session->records = 0;
	for (unsigned i = 0; i < work->records; i++) {
		if (work->record[i].needed)
			session->record[session->records++] = work->record[i];
		else if (i < before)
			free(work->record[i].bytes);
	}
	session->bytes = bytes;
	return true;
}
