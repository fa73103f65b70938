/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a session share. */
#include "proxy/session/common.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/util/util.h"

void vhu_proxy_session_record(struct vhu_session_common *session, enum vhu_channel channel,
			      struct vhu_record *record)
{
	record->session = session->number;
	record->channel = channel;
	if (vhu_host_is_big_endian())
		record->marks |= VHU_MARK_BIG_ENDIAN;
	vhu_sinks_give(&session->proxy->sinks, record);
}

void vhu_proxy_session_error(struct vhu_session_common *session, enum vhu_channel channel,
			     const char *format, ...)
{
	struct vhu_record record = {.time_ns = vhu_realtime_ns(), .type = VHU_RECORD_ERROR};
	char text[VHU_RECORD_TEXT_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	record.text = text;
	vhu_proxy_session_record(session, channel, &record);
}

void vhu_proxy_session_say(const struct vhu_session_common *session, const char *format, ...)
{
	char text[1024], line[1056];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "session %" PRIu64 ": %s", session->number, text);
	session->say(session, line);
}
