/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A follower: a client of the control socket that is sent records as they are made, each a line
 * {"id":ID,"record":{...}}, or "text" in the place of "record".
 *
 * What does not fit into the client's queue is lost, and counted; before the next record that fits
 * the client gets {"id":ID,"lost":N}.
 */
#ifndef VHU_PROXY_CONTROL_FOLLOW_H
#define VHU_PROXY_CONTROL_FOLLOW_H

#include "lib/capture/record.h"

struct vhu_request;
struct vhu_control;
struct vhu_control_client;
struct vhu_follow;

/* The verbs "follow" and "unfollow". Return as verbs do. */
int vhu_follow_begin(struct vhu_request *request);
int vhu_follow_end(struct vhu_request *request);

/* Send a record to all who follow and want it. */
void vhu_follow_record(struct vhu_control *control, const struct vhu_record *record);

/* Tell a client, if it follows, that there is nothing more, for @reason. */
void vhu_follow_tell_end(struct vhu_control_client *from, const char *reason);

/* Stop sending to a client, if it follows. */
void vhu_follow_free(struct vhu_control_client *from);

#endif
