/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of vhu top. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/top/table/text.h"
#include "tools/top/table/view.h"

/* Compare two numbers. */
static int compare(double one, double other)
{
	return (one > other) - (one < other);
}

/* Write a number that is known, else a dash. */
static void put_amount(char *to, size_t size, bool known, double amount)
{
	char text[VHU_TOP_NUMBER_SIZE];

	snprintf(to, size, "%s", known ? vhu_top_amount_text(amount, text) : "-");
}

static void put_time(char *to, size_t size, bool known, uint64_t ns)
{
	char text[VHU_TOP_NUMBER_SIZE];

	snprintf(to, size, "%s", known ? vhu_top_time_text(ns, text) : "-");
}

/* A column that shows a number, and is sorted by it. */
#define NUMBER(member, known, put)                                                                 \
	static void member##_text(const struct vhu_top_row *row, char *to, size_t size)            \
	{                                                                                          \
		put(to, size, known, row->member);                                                 \
	}                                                                                          \
	static int member##_compare(const struct vhu_top_row *one,                                 \
				    const struct vhu_top_row *other)                               \
	{                                                                                          \
		return compare((double)one->member, (double)other->member);                        \
	}

NUMBER(messages_per_s, row->messages_known, put_amount)
NUMBER(kicks_per_s, row->rated, put_amount)
NUMBER(calls_per_s, row->rated, put_amount)
NUMBER(p50_ns, row->timed, put_time)
NUMBER(p99_ns, row->timed, put_time)
NUMBER(max_ns, row->timed, put_time)
NUMBER(waiting, row->counted, put_amount)
NUMBER(session, row->numbered, put_amount)
NUMBER(vring, row->vring >= 0, put_amount)

/* A column that shows a text. */
#define TEXT(member)                                                                               \
	static void member##_text(const struct vhu_top_row *row, char *to, size_t size)            \
	{                                                                                          \
		snprintf(to, size, "%s", *row->member ? row->member : "-");                        \
	}                                                                                          \
	static int member##_compare(const struct vhu_top_row *one,                                 \
				    const struct vhu_top_row *other)                               \
	{                                                                                          \
		return strcmp(one->member, other->member);                                         \
	}

TEXT(name)
TEXT(device)
TEXT(source)

static void back_end_text(const struct vhu_top_row *row, char *to, size_t size)
{
	if (row->back_pid)
		snprintf(to, size, "%.*s (%" PRIu32 ")", VHU_TOP_WORD, row->back_end,
			 row->back_pid);
	else
		snprintf(to, size, "%s", row->back_end);
}

static int back_end_compare(const struct vhu_top_row *one, const struct vhu_top_row *other)
{
	return strcmp(one->back_end, other->back_end);
}

static void cpu_text(const struct vhu_top_row *row, char *to, size_t size)
{
	snprintf(to, size, row->cpu_known ? "%.0f" : "-", row->cpu);
}

static int cpu_compare(const struct vhu_top_row *one, const struct vhu_top_row *other)
{
	return compare(one->cpu, other->cpu);
}

/* Return how long the oldest of a row has waited: a kick, or the session's request. */
static uint64_t age_of(const struct vhu_top_row *row)
{
	return row->waiting_ns > row->request_ns ? row->waiting_ns : row->request_ns;
}

static void age_text(const struct vhu_top_row *row, char *to, size_t size)
{
	put_time(to, size, age_of(row) > 0, age_of(row));
}

static int age_compare(const struct vhu_top_row *one, const struct vhu_top_row *other)
{
	return compare((double)age_of(one), (double)age_of(other));
}

static void state_text(const struct vhu_top_row *row, char *to, size_t size)
{
	snprintf(to, size, "%s",
		 row->vring < 0 && row->state == VHU_TOP_OFF ? "-"
							     : vhu_top_state_name(row->state));
}

static int state_compare(const struct vhu_top_row *one, const struct vhu_top_row *other)
{
	return (int)one->state - (int)other->state;
}

/* At 80 columns there are 8 for the name; on narrower screens others give way. */
const struct vhu_top_column vhu_top_column[] = {
    {"session", "SES", 4, 0, false, true, session_text, session_compare},
    {"name", "SOCKET", 0, 0, true, true, name_text, name_compare},
    {"device", "DEVICE", 8, 100, true, true, device_text, device_compare},
    {"backend", "BACK-END", 24, 134, true, true, back_end_text, back_end_compare},
    {"control", "SOURCE", 24, 160, true, true, source_text, source_compare},
    {"cpu", "CPU%", 4, 62, false, false, cpu_text, cpu_compare},
    {"messages", "MSG/s", 5, 80, false, false, messages_per_s_text, messages_per_s_compare},
    {"vring", "VR", 3, 0, false, true, vring_text, vring_compare},
    {"kicks", "KICK/s", 6, 0, false, false, kicks_per_s_text, kicks_per_s_compare},
    {"calls", "CALL/s", 6, 57, false, false, calls_per_s_text, calls_per_s_compare},
    {"p50", "P50", 5, 74, false, false, p50_ns_text, p50_ns_compare},
    {"p99", "P99", 5, 50, false, false, p99_ns_text, p99_ns_compare},
    {"max", "MAX", 5, 68, false, false, max_ns_text, max_ns_compare},
    {"waiting", "WAIT", 4, 44, false, false, waiting_text, waiting_compare},
    {"age", "AGE", 5, 0, false, false, age_text, age_compare},
    {"state", "STATE", 7, 0, true, false, state_text, state_compare},
};
const unsigned vhu_top_columns = VHU_ARRAY_SIZE(vhu_top_column);

int vhu_top_column_find(const char *name)
{
	for (unsigned i = 0; i < vhu_top_columns; i++)
		if (!strcmp(vhu_top_column[i].name, name))
			return (int)i;
	return -1;
}
