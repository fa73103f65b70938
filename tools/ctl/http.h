/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu ctl metrics --http: one question and its answer by HTTP, on standard input and output, for a
 * service that systemd starts for each connection. It runs apart from the proxy and its sandbox.
 */
#ifndef VHU_TOOLS_CTL_HTTP_H
#define VHU_TOOLS_CTL_HTTP_H

#include <stdbool.h>

/* Read a request from standard input. @open_metrics: set if OpenMetrics is accepted. Returns the
 * status to answer with: 200, or one that vhu_ctl_http_refuse takes; 0 if no request came. */
int vhu_ctl_http_read(bool *open_metrics);

/* Answer with @text. */
void vhu_ctl_http_answer(const char *text, bool open_metrics);

/* Answer with another status than 200. */
void vhu_ctl_http_refuse(int status);

#endif
