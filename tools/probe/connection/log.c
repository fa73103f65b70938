/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu probe says and hears, as records. */
#include "tools/probe/connection/log.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/protocol/message_io.h"
#include "lib/session/rules/table.h"
#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"

int vhu_probe_log_open(struct vhu_probe_log *log, int capture, const char *comment)
{
	memset(log, 0, sizeof(*log));
	log->sessions = vhu_sessions_new(true);
	if (!log->sessions)
		return -ENOMEM;
	/* Who waits here has a limit of his own. */
	vhu_sessions_late_after(log->sessions, UINT64_MAX, UINT64_MAX);
	return capture < 0 ? 0 : vhu_pcapng_writer_open(&log->writer, capture, 0, comment);
}

/* Return whether a finding is about what the front-end does: we leave when we have heard enough,
 * and ask for what may be refused to see whether it is. */
static bool is_ours(const struct vhu_probe_log *log, const struct vhu_finding *finding,
		    const struct vhu_record *record)
{
	static const enum vhu_rule_at ours[] = {
	    VHU_RULE_AT_304, /* call replaced */
	    VHU_RULE_AT_412, /* refused */
	    VHU_RULE_AT_602, /* configuration refused */
	};

	if (record->type == VHU_RECORD_MESSAGE && !record->from_back_end)
		return true;
	/* That we closed is what is wrong then, but for what was never answered. */
	if (record->type == VHU_RECORD_CLOSED && !strcmp(record->text, VHU_PROBE_WE_CLOSED))
		return finding->rule != &vhu_rules[VHU_RULE_AT_402];
	if (log->insists && finding->rule == &vhu_rules[VHU_RULE_AT_412])
		return false;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(ours); i++)
		if (finding->rule == &vhu_rules[ours[i]])
			return true;
	return false;
}

/* Keep what a record showed to be wrong with the back-end. */
static void keep(struct vhu_probe_log *log, const struct vhu_record *record,
		 const struct vhu_annotation *note)
{
	for (unsigned i = 0; i < note->findings; i++)
		if (!is_ours(log, &note->finding[i], record) &&
		    log->findings < VHU_PROBE_FINDINGS_MAX)
			log->finding[log->findings++] = note->finding[i];
}

/* Note a record. */
static void take(struct vhu_probe_log *log, const struct vhu_record *record)
{
	struct vhu_annotation note;

	log->last_ns = record->time_ns;
	if (vhu_session_feed(log->sessions, record, ++log->number, &note))
		log->lost = true;
	keep(log, record, &note);
	if (note.state)
		log->dialect = note.state->context.dialect;
	if (log->writer && vhu_pcapng_write(log->writer, record))
		log->lost = true;
}

void vhu_probe_log_opened(struct vhu_probe_log *log, int socket, const char *path)
{
	char comm[VHU_FDINFO_COMM], own[VHU_FDINFO_COMM] = "";
	struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .type = VHU_RECORD_OPENED,
	    .session = ++log->session,
	    .front_end = {true, (uint32_t)getpid(), getuid(), getgid(), own, ""},
	};

	prctl(PR_GET_NAME, own);
	vhu_fdinfo_peer(socket, path, &record.back_end, comm);
	take(log, &record);
}

void vhu_probe_log_message(struct vhu_probe_log *log, const struct vhu_probe_passed *passed)
{
	struct vhu_fd_info info[VHU_MESSAGE_FDS_MAX];
	char name[VHU_MESSAGE_FDS_MAX][VHU_FDINFO_NAME];
	struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .type = VHU_RECORD_MESSAGE,
	    .from_back_end = passed->from_back_end,
	    .marks = passed->marks | (vhu_host_is_big_endian() ? VHU_MARK_BIG_ENDIAN : 0),
	    .session = log->session,
	    .message = passed->bytes,
	    .message_size = (uint32_t)passed->size,
	    .message_sent = passed->size,
	    .fd = info,
	};

	for (unsigned i = 0; i < passed->fds && i < VHU_MESSAGE_FDS_MAX; i++)
		vhu_fdinfo_read(passed->fd[i], &info[record.fds++], name[i]);
	take(log, &record);
}

void vhu_probe_log_closed(struct vhu_probe_log *log, const char *reason)
{
	const struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .type = VHU_RECORD_CLOSED,
	    .session = log->session,
	    .text = reason,
	};

	take(log, &record);
}

void vhu_probe_log_forget(struct vhu_probe_log *log)
{
	log->findings = 0;
}

int vhu_probe_log_close(struct vhu_probe_log *log)
{
	if (log->writer && vhu_pcapng_writer_close(log->writer))
		log->lost = true;
	log->writer = NULL;
	vhu_sessions_free(log->sessions);
	log->sessions = NULL;
	return log->lost ? -EIO : 0;
}
