/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format that Prometheus reads, piece by piece. */
#ifndef VHU_METRICS_TEXT_H
#define VHU_METRICS_TEXT_H

#include <stddef.h>

#include "lib/metrics/vrings.h"

/* Write @text into @to, of @size bytes, as the value of a label: escaped, and in UTF-8. */
void vhu_metrics_escape(const char *text, char *to, size_t size);

/* Write what stands before the samples of a metric. */
void vhu_metrics_put_head(FILE *to, const char *name, const char *type, const char *help,
			  bool open_metrics);

/* The labels of a sample, written without the brace at their end. */
struct vhu_metrics_labels {
	void (*put)(FILE *to, const void *with);
	const void *with;
};

/* Write times as a histogram of seconds. */
void vhu_metrics_put_times(FILE *to, const char *name, const struct vhu_metrics_times *times,
			   const struct vhu_metrics_labels *labels, bool open_metrics);

#endif
