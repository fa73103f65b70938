/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the relay share; no other file includes this. */
#ifndef VHU_PROXY_RELAY_INTERNAL_H
#define VHU_PROXY_RELAY_INTERNAL_H

#include <sys/socket.h>

#include "proxy/relay/relay.h"

/* Room that an idle relay keeps. */
#define VHU_RELAY_SMALL   4096u
/* Descriptions that an idle relay keeps room for. */
#define VHU_RELAY_FEW_FDS 8u

/* Room for the descriptors of one message, and for what a socket may add that came configured. */
union vhu_relay_control {
	char bytes[CMSG_SPACE(VHU_RECORD_FDS_MAX * sizeof(int)) + 256];
	struct cmsghdr align;
};

/* What is to be done with a message that is due and may be altered. */
enum vhu_relay_step {
	VHU_RELAY_SEND,    /* it is sent, now */
	VHU_RELAY_WAIT,    /* nothing now: relay->wants says for what it waits */
	VHU_RELAY_GONE,    /* nothing more: it was dropped, or set aside */
	VHU_RELAY_CUT_OFF, /* the relay has ended */
};

/* What became of an attempt to send what is due. */
enum vhu_relay_sending {
	VHU_RELAY_ON,   /* there may be more to do */
	VHU_RELAY_SENT, /* all of a message was sent */
	VHU_RELAY_STOP, /* the relay waits, or has ended */
};

/* What became of a look ahead. */
enum vhu_relay_ahead {
	VHU_RELAY_AHEAD_NOTHING, /* nothing: what there is, is to be received */
	VHU_RELAY_AHEAD_EMPTY,   /* there is nothing to receive */
	VHU_RELAY_AHEAD_ON,      /* messages were passed on, and there may be more to do */
	VHU_RELAY_AHEAD_STOP,    /* the same, and the relay waits, or has ended */
};

/* message.c: free a plan (NULL is ignored). */
void vhu_relay_plan_free(struct vhu_relay_plan *plan);
/* message.c: forget the message that has passed, or has gone otherwise. */
void vhu_relay_reset(struct vhu_relay *relay);
/* message.c: return where byte @at of the message lies in the buffer. */
uint8_t *vhu_relay_byte(const struct vhu_relay *relay, uint64_t at);
/* message.c: return whether all of a message was received. */
bool vhu_relay_whole(const struct vhu_relay *relay);
/* message.c: make the buffer fit the message whose header has come. Returns 0 or -ENOMEM. */
int vhu_relay_fit(struct vhu_relay *relay);
/* message.c: note that a piece of @size bytes of the message came, the rest of one begun where it
 * did not have to be waited for. */
void vhu_relay_segment(struct vhu_relay *relay, uint32_t size);
/* message.c: end @relay. Returns VHU_RELAY_ENDED. */
enum vhu_relay_wants vhu_relay_ended(struct vhu_relay *relay, enum vhu_relay_end end, int error);
/* message.c: wait a moment for what the kernel lacks. Returns VHU_RELAY_PAUSE. */
enum vhu_relay_wants vhu_relay_pause(struct vhu_relay *relay);

/* send.c: send what is due, once; before that do to it what is planned. Returns what became of it.
 */
enum vhu_relay_sending vhu_relay_send_due(struct vhu_relay *relay);
/* send.c: all that was due was sent. Returns whether @relay goes on. */
bool vhu_relay_sent(struct vhu_relay *relay);

/* batch.c: between messages, pass on those that lie in the socket whole and without
 * descriptors. Takes one of @turns for each. Returns what became of it. */
enum vhu_relay_ahead vhu_relay_ahead(struct vhu_relay *relay, unsigned *turns);

/* fds.c: close the first @count of the descriptors that are held, and forget them. The one
 * that was replaced is its owner's. */
void vhu_relay_drop_fds(struct vhu_relay *relay, unsigned count);
/* fds.c: take the descriptors out of what recvmsg returned. A peer that kept the socket of a
 * channel can make it add a descriptor of the sender's process to each message: the relay closes
 * that one. */
void vhu_relay_take_fds(struct vhu_relay *relay, struct msghdr *message);
/* fds.c: return whether the first group of descriptors may be sent now: not too many that
 * were sent have yet to be received. */
bool vhu_relay_may_fly(struct vhu_relay *relay);
/* fds.c: put the first group of descriptors into @message, to be sent. */
void vhu_relay_attach(struct vhu_relay *relay, struct msghdr *message,
		      union vhu_relay_control *control);
/* fds.c: the first group of descriptors was sent: let go of it, or @keep it for a copy. */
void vhu_relay_group_sent(struct vhu_relay *relay, bool keep);
/* fds.c: ask the owner, once a message, whether its only descriptor is to be replaced. */
void vhu_relay_ask(struct vhu_relay *relay);

/* record.c: free the room for descriptions. */
void vhu_relay_free_descriptions(struct vhu_relay *relay);
/* record.c: describe the first @count of the descriptors that are held, for the record. */
void vhu_relay_describe(struct vhu_relay *relay, unsigned count);
/* record.c: tell the owner, once, what was received: a whole message, or with @marks all that
 * there is of it. */
void vhu_relay_received(struct vhu_relay *relay, uint16_t marks);

/* plan.c: ask what is to be done with the message that is due, and do what comes before
 * sending it. Returns how it goes on. */
enum vhu_relay_step vhu_relay_proceed(struct vhu_relay *relay);
/* plan.c: return the byte before which the next piece of the message ends. */
uint64_t vhu_relay_piece_end(const struct vhu_relay *relay, uint64_t end);
/* plan.c: a piece was sent. Returns whether the next one has to wait, as relay->wants tells.
 */
bool vhu_relay_piece_waits(struct vhu_relay *relay);
/* plan.c: all of a message was sent. Returns whether it is to be sent once more. */
bool vhu_relay_again(struct vhu_relay *relay);

#endif
