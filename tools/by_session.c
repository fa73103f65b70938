/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tool keeps of each open session. */
#include "tools/by_session.h"

#include <stddef.h>

/* Return where a session's number leads. */
static struct vhu_kept **bucket_of(struct vhu_by_session *by_session, uint64_t session)
{
	return &by_session->bucket[session % VHU_BY_SESSION_BUCKETS];
}

struct vhu_kept *vhu_by_session_find(struct vhu_by_session *by_session, uint64_t session)
{
	struct vhu_kept *kept = *bucket_of(by_session, session);

	while (kept && kept->session != session)
		kept = kept->next;
	return kept;
}

void vhu_by_session_add(struct vhu_by_session *by_session, struct vhu_kept *kept)
{
	struct vhu_kept **bucket = bucket_of(by_session, kept->session);

	kept->next = *bucket;
	*bucket = kept;
	by_session->count++;
}

void vhu_by_session_remove(struct vhu_by_session *by_session, struct vhu_kept *kept)
{
	struct vhu_kept **at = bucket_of(by_session, kept->session);

	while (*at != kept)
		at = &(*at)->next;
	*at = kept->next;
	by_session->count--;
}

struct vhu_kept *vhu_by_session_oldest(struct vhu_by_session *by_session, uint64_t next)
{
	struct vhu_kept *kept;

	/* Sessions are numbered through, so buckets fill evenly; each has its oldest last. */
	while (!(kept = *bucket_of(by_session, next)))
		next++;
	while (kept->next)
		kept = kept->next;
	return kept;
}
