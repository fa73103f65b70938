/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhost-user is: headers, channels, dialects, and the rows of the one table (protocol.def)
 * that every other part walks. No I/O, no state.
 *
 * Section names in comments are those of QEMU's docs/interop/vhost-user.rst.
 */
#ifndef VHU_PROTOCOL_PROTOCOL_H
#define VHU_PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "Header": every message of every channel begins with these 12 bytes. */
#define VHU_HEADER_SIZE 12

/* Bits of the header's second word. On the GPU channel only VHU_FLAG_REPLY has a meaning. */
#define VHU_FLAGS_VERSION_MASK 0x3u
#define VHU_FLAGS_VERSION      0x1u
#define VHU_FLAG_REPLY         0x4u
#define VHU_FLAG_NEED_REPLY    0x8u
#define VHU_FLAGS_RESERVED     0xfffffff0u

/* The sockets of a session. Message ids are counted separately on each. */
enum vhu_channel {
	VHU_FRONT_END = 0, /* the main socket; requests come from the front-end */
	VHU_BACK_END = 1,  /* the one SET_BACKEND_REQ_FD passes; requests come from the back-end */
	VHU_GPU = 2,       /* the one GPU_SET_SOCKET passes; requests come from the back-end */
	VHU_CHANNELS
};

/* What bits 17, 18, 20, 21, ids 41 to 43 and the back-end's ids 6 to 9 mean differs; see
 * docs/standalone.md. */
enum vhu_dialect {
	VHU_ANY = 0,        /* of a row: in every dialect; of a session: not known yet */
	VHU_UPSTREAM = 1,   /* the specification as it was merged */
	VHU_STANDALONE = 2, /* the STANDALONE proposal of July 2023: GET_BACKEND_SPECS */
	VHU_PROBE = 3,      /* its second version of September 2023: one message a question */
	VHU_DAX = 4, /* virtio-fs with a DAX window, as drafted and forked: the back-end's ids;
			in all else as upstream */
	VHU_DIALECTS
};

/* Virtio feature bits with a meaning of their own on this protocol. */
#define VHU_F_LOG_ALL               26
#define VHU_F_PROTOCOL_FEATURES     30
/* Those of virtio's own that the meaning of messages hangs on: VIRTIO_F_ACCESS_PLATFORM,
 * VIRTIO_F_RING_PACKED, VIRTIO_F_RING_RESET; and VIRTIO_CRYPTO_SERVICE_AKCIPHER, above the 8
 * lowest bits of a crypto session's operation. tests/unit/lib/protocol/table.c holds them
 * against the kernel's headers. */
#define VHU_F_ACCESS_PLATFORM       33
#define VHU_F_RING_PACKED           34
#define VHU_F_RING_RESET            40
#define VHU_CRYPTO_SERVICE_AKCIPHER 4

/* Numbers for everything that has a row; the enumerators are made from the table. */
enum vhu_names_id {
#define VHU_NAMES(id, bits) VHU_NAMES_##id,
#include "lib/protocol/protocol.def"
	VHU_NAME_SETS
};

enum vhu_layout_id {
#define VHU_LAYOUT(id, title, size) VHU_LAYOUT_##id,
#include "lib/protocol/protocol.def"
	VHU_LAYOUTS
};

/* Fields are numbered through, so that an array of VHU_FIELDS holds one thing for each. */
enum vhu_field_id {
#define VHU_LAYOUT(id, title, size) VHU_FIRST_##id, VHU_BACK_##id = VHU_FIRST_##id - 1,
#define VHU_FIELD(layout, id, ...)  VHU_FIELD_##layout##_##id,
#define VHU_LAYOUT_END(id)          VHU_END_##id, VHU_BACK_END_##id = VHU_END_##id - 1,
#include "lib/protocol/protocol.def"
	VHU_FIELDS
};

enum vhu_shapes_id {
#define VHU_SHAPES(id) VHU_SHAPES_##id,
#include "lib/protocol/protocol.def"
	VHU_SHAPE_SETS
};

enum vhu_message_id {
#define VHU_MESSAGE(channel, number, name, ...) VHU_MSG_##name,
#include "lib/protocol/protocol.def"
	VHU_MESSAGES
};

/* Protocol feature bits, as VHU_PF_MQ. Dialects give one bit several names. */
enum vhu_protocol_feature {
#define VHU_PROTOCOL_FEATURE(bit, name, ...) VHU_PF_##name = bit,
#include "lib/protocol/protocol.def"
};

/* A name of a value, or of a bit of a set of bits. */
struct vhu_name {
	enum vhu_names_id set;
	uint64_t value; /* a value; or a bit's number */
	const char *name;
	const char *older;        /* names in older or other texts, "" for none */
	enum vhu_dialect dialect; /* where the name is valid */
	uint32_t device;          /* virtio device for which it holds, 0 all */
};

struct vhu_name_set {
	const char *id;
	bool bits; /* names of bits, not of values */
};

enum vhu_kind {
	VHU_UINT,    /* unsigned integer of `size` bytes in the sender's byte order */
	VHU_INT,     /* signed integer */
	VHU_LE,      /* unsigned integer, little endian whoever sent it (virtio structures) */
	VHU_BYTES,   /* bytes with no structure known here */
	VHU_TEXT,    /* text, padded with NUL */
	VHU_MAC,     /* an Ethernet address, 6 bytes */
	VHU_UUID,    /* 16 bytes in the order of a UUID's text */
	VHU_PADDING, /* should be zero, means nothing */
	VHU_STRUCT,  /* `layout`, in the middle of this one */
	VHU_ARRAY,   /* `layout`, again and again; see `counted_by` */
	VHU_CONFIG,  /* a window on the device's configuration space */
};

enum vhu_show {
	VHU_DEC,
	VHU_HEX,
	VHU_BOOL,
	VHU_SECRET, /* key material: never shown, masked in captures */
};

/* One field of a layout. */
struct vhu_field {
	const char *path;  /* its display filter below "vhost_user."; JSON's key is the last part */
	const char *label; /* for people */
	const char *brief; /* how the one-line form introduces it; NULL: that leaves it out */
	uint64_t mask;     /* bits of the integer that are this field; 0 all of them */
	uint32_t offset;   /* bytes, from the start of its layout */
	uint32_t size;     /* bytes (of one element, in arrays); 0 up to the end of the payload */
	enum vhu_kind kind;
	enum vhu_show show;
	enum vhu_names_id names;      /* VHU_NAMES_none without */
	enum vhu_layout_id layout;    /* VHU_STRUCT, VHU_ARRAY: of an element */
	enum vhu_field_id counted_by; /* VHU_ARRAY, VHU_BYTES, VHU_CONFIG: the field that says how
					 many; VHU_FIELDS: as many as there is room for */
};

struct vhu_layout {
	const char *id;
	const char *title;
	uint32_t size; /* bytes at least, without what is repeated */
	enum vhu_field_id first;
	unsigned fields;
};

/* When one of several layouts of a payload is the one. */
enum vhu_when {
	VHU_ALWAYS,
	VHU_IF_SIZE,   /* the payload has just this size */
	VHU_IF_XEN,    /* XEN_MMAP negotiated; not known: size and count agree with nothing else */
	VHU_IF_PACKED, /* VIRTIO_F_RING_PACKED negotiated */
	VHU_IF_POSTCOPY,  /* after POSTCOPY_LISTEN */
	VHU_IF_LOG_SHMFD, /* LOG_SHMFD negotiated; not known: the size fits */
	VHU_IF_ASYM,      /* its first word names an asymmetric service */
};

struct vhu_shape {
	enum vhu_when when;
	enum vhu_layout_id layout;
};

/* The layouts that a payload can have, the likeliest last. */
struct vhu_shapes {
	const struct vhu_shape *shape;
	unsigned shapes;
};

enum vhu_reply_rule {
	VHU_REPLY_ALWAYS,  /* A: has a reply of its own */
	VHU_REPLY_FEATURE, /* P: has one when protocol feature `reply_feature` is negotiated */
	VHU_REPLY_ACK,     /* K: only REPLY_ACK's u64, when asked by NEED_REPLY */
	VHU_REPLY_NEVER,   /* on channels without REPLY_ACK */
};

/* As a count of descriptors: one for each region of the table. */
#define VHU_FDS_REGIONS 0xff

/* One message of one channel in one dialect. */
struct vhu_message {
	enum vhu_message_id id;
	enum vhu_channel channel;
	uint32_t request; /* the number in the header */
	enum vhu_dialect dialect;
	const char *name;  /* without its VHOST_USER_ prefix */
	const char *older; /* names in older texts, separated by spaces; "" for none */
	const char *since; /* first version of QEMU's specification, or what proposed it */
	enum vhu_shapes_id shape[2]; /* of the request, of the reply */
	enum vhu_reply_rule reply_rule;
	unsigned reply_feature; /* protocol feature's bit, for VHU_REPLY_FEATURE */
	struct {
		uint8_t min, max; /* VHU_FDS_REGIONS */
	} fds[2];                 /* with the request, with the reply */
	uint64_t needs_protocol;  /* protocol features, as bits, that must be negotiated */
	uint64_t needs_feature;   /* virtio features */
	bool needs_offer_only;    /* it is enough that the virtio feature is offered */
	enum vhu_channel opens;   /* the channel whose socket it carries; VHU_FRONT_END: none */
};

/* What a session has told so far that the meaning of its messages depends on. All zero: nothing
 * is known, which is where a decoder of a single message stands. */
struct vhu_context {
	enum vhu_dialect dialect;
	uint32_t device;                          /* virtio device id, 0 not known */
	bool has_features, has_protocol_features; /* the sets below are known */
	bool postcopy;                            /* POSTCOPY_LISTEN was sent */
	uint64_t features, protocol_features;     /* negotiated */
};

/* A payload for a decoder. */
struct vhu_payload {
	const uint8_t *bytes;
	uint32_t captured; /* how many of them there are */
	uint32_t size;     /* how many there were before the capture cut them; >= captured */
	bool big_endian;   /* its sender's byte order */
};

extern const struct vhu_name_set vhu_name_sets[VHU_NAME_SETS];
extern const struct vhu_name vhu_names[]; /* of all sets */
extern const unsigned vhu_names_count;
extern const struct vhu_layout vhu_layouts[VHU_LAYOUTS];
extern const struct vhu_field vhu_fields[VHU_FIELDS];
extern const struct vhu_shapes vhu_shapes[VHU_SHAPE_SETS];
extern const struct vhu_message vhu_messages[VHU_MESSAGES];

/* Return a channel's name ("front-end", "back-end", "gpu") or NULL for an unknown one. */
const char *vhu_channel_name(enum vhu_channel channel);

/* Return a dialect's name ("upstream", "standalone", "probe", "dax"), "unknown" for VHU_ANY. */
const char *vhu_dialect_name(enum vhu_dialect dialect);

/* Return the dialect that one speaks in what it leaves as it is: upstream for VHU_DAX, else itself.
 */
enum vhu_dialect vhu_dialect_base(enum vhu_dialect dialect);

/*
 * Find the rows of a message id: the one row of the session's dialect, or, where that is not known,
 * each dialect's.
 * @row: room for VHU_DIALECTS rows.
 * Returns how many were found, 0 for an unknown id.
 */
unsigned vhu_message_find(enum vhu_channel channel, uint32_t request, enum vhu_dialect dialect,
			  const struct vhu_message *row[VHU_DIALECTS]);

/* Find a message's row by its name, today's or an older one, with or without VHOST_USER_, in any
 * case of letters. Returns it or NULL. */
const struct vhu_message *vhu_message_by_name(const char *name);

/*
 * Choose the layout of a payload among those its message can have.
 * @reply: it is a reply's payload.
 * Returns the layout, which may want more or fewer bytes than there are; never NULL.
 */
const struct vhu_layout *vhu_message_layout(const struct vhu_message *message, bool reply,
					    const struct vhu_context *context,
					    const struct vhu_payload *payload);

/* Return the protocol features, as bits, that a protocol feature depends on. */
uint64_t vhu_protocol_feature_depends(unsigned bit, enum vhu_dialect dialect);

/* Return the channel that a front-end message opens with the socket it carries, or VHU_FRONT_END
 * where it opens none: what a man in the middle has to know. */
enum vhu_channel vhu_message_opens(enum vhu_channel channel, uint32_t request);

/* The eventfds of a vring. */
enum vhu_vring_role {
	VHU_KICK, /* the front-end signals it */
	VHU_CALL, /* the back-end signals it */
	VHU_ERR,  /* the back-end signals an error */
	VHU_VRING_ROLES
};

/* Return the name of an eventfd of a vring: "kick", "call", "err". */
const char *vhu_vring_role_name(enum vhu_vring_role role);

/* Return which eventfd of its vring a message sets, or removes, for the interposer. Returns
 * VHU_VRING_ROLES for other messages. */
enum vhu_vring_role vhu_message_brings(enum vhu_channel channel, uint32_t request);

/* Return whether the reply to a message says that the back-end has let go of its vring's kick. */
bool vhu_message_stops(enum vhu_channel channel, uint32_t request);

/* A part of a message that holds key material. */
struct vhu_secret {
	uint32_t offset, size; /* bytes, from the start of the payload */
};
#define VHU_SECRETS_MAX 4

/*
 * List the parts of a payload that hold key material and are masked in captures.
 * @size: of the payload, in bytes; parts beyond it are left out.
 * Returns how many there are: 0 for nearly every message.
 */
unsigned vhu_message_secrets(enum vhu_channel channel, uint32_t request, uint32_t size,
			     struct vhu_secret secret[VHU_SECRETS_MAX]);

/* Find the name of a value, or of bit number @value, in a set. @context may be NULL: nothing is
 * known. Returns NULL where it has none. */
const struct vhu_name *vhu_name_find(enum vhu_names_id set, uint64_t value,
				     const struct vhu_context *context);

/* Return the layout of a virtio device's configuration space, or NULL for devices without. */
const struct vhu_layout *vhu_config_layout(uint32_t device);

/* Return the layout of the header that a virtio device's requests begin with, or NULL for devices
 * whose requests are not known here. */
const struct vhu_layout *vhu_request_layout(uint32_t device);

/* Return a virtio device's name as in the specification's headers ("BLOCK"), or NULL. */
const char *vhu_device_name(uint32_t device);

/* Return the highest id of a virtio device that has a name. */
uint32_t vhu_device_last(void);

#endif
