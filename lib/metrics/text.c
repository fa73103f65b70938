/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format that Prometheus reads, piece by piece. */
#include "lib/metrics/text.h"

#include <inttypes.h>
#include <string.h>

#include "lib/util/utf8.h"
#include "lib/util/util.h"

void vhu_metrics_escape(const char *text, char *to, size_t size)
{
	static const char instead[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t length = 0;

	while (*text && length + 5 < size) {
		unsigned bytes = vhu_utf8_size(text);

		if (!bytes) {
			memcpy(to + length, instead, 3);
			length += 3;
			text++;
			continue;
		}
		if (*text == '\\' || *text == '"' || *text == '\n')
			to[length++] = '\\';
		if (*text == '\n')
			to[length++] = 'n';
		else
			memcpy(to + length, text, bytes), length += bytes;
		text += bytes;
	}
	to[length] = '\0';
}

void vhu_metrics_put_head(FILE *to, const char *name, const char *type, const char *help,
			  bool open_metrics)
{
	/* The older format has the samples' name there. */
	const char *total = !open_metrics && !strcmp(type, "counter") ? "_total" : "";

	fprintf(to, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name, total, type);
}

void vhu_metrics_put_times(FILE *to, const char *name, const struct vhu_metrics_times *times,
			   const struct vhu_metrics_labels *labels, bool open_metrics)
{
	uint64_t below = 0;

	for (unsigned i = 0; i <= VHU_METRICS_BOUNDS; i++) {
		below += times->bucket[i];
		fprintf(to, "%s_bucket", name);
		labels->put(to, labels->with);
		/* OpenMetrics wants a fraction. */
		if (i < VHU_METRICS_BOUNDS)
			fprintf(to, ",le=\"%g%s\"} %" PRIu64 "\n",
				(double)vhu_metrics_bound_ns[i] / 1e9,
				open_metrics && vhu_metrics_bound_ns[i] % VHU_NS_PER_S == 0 ? ".0"
											    : "",
				below);
		else
			fprintf(to, ",le=\"+Inf\"} %" PRIu64 "\n", below);
	}
	fprintf(to, "%s_sum", name);
	labels->put(to, labels->with);
	fprintf(to, "} %.9f\n%s_count", (double)times->sum_ns / 1e9, name);
	labels->put(to, labels->with);
	fprintf(to, "} %" PRIu64 "\n", times->count);
}
