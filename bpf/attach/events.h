/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of vhu attach and their loader share: events of watched sockets, what is passed
 * with messages, lists of sockets.
 *
 * A watched socket has an id that is never used again: twice the inode of its connection's first
 * end. The two sockets of a connection have ids that differ in the last bit only.
 */
#ifndef VHU_BPF_ATTACH_EVENTS_H
#define VHU_BPF_ATTACH_EVENTS_H

#ifndef __bpf__
#include <stdbool.h>
#include <stdint.h>
#endif

/* Sockets watched at once. */
#define VHU_ATTACH_SOCKETS   8192
/* Listening sockets and processes whose connections are watched from their first byte. */
#define VHU_ATTACH_LISTENERS 256
/* Of a message that is sent, this much is copied at once; a power of two. The rest is copied when
 * it is taken. */
#define VHU_ATTACH_SENT_MAX  4096
/* Of what is taken at once, this much is copied: a sample has 64 KiB. */
#define VHU_ATTACH_TAKEN_MAX 60000
#define VHU_ATTACH_NAME_MAX  256
#define VHU_ATTACH_MARK_BITS 12
#define VHU_ATTACH_MARKS     (1u << VHU_ATTACH_MARK_BITS)
#define VHU_ATTACH_PATH_MAX  108

/* How a listening socket is watched. */
enum vhu_attach_listening {
	VHU_ATTACH_LISTENED, /* it was before: who is connected may have sent something */
	VHU_ATTACH_LISTENS,  /* all that are connected from now on are seen from their first byte */
};

/* Of a name, so much is compared. */
#define VHU_ATTACH_NAME_START 32

/* A listening socket whose connections are watched. The kernel reuses the address of a name, so
 * the bound file and the beginning of the name identify it. */
struct vhu_attach_listener {
	uint64_t file_inode; /* 0 none: the name is abstract */
	uint32_t file_device;
	uint32_t how; /* enum vhu_attach_listening */
	uint32_t path_size, spare;
	char start[VHU_ATTACH_NAME_START]; /* of the path, then zeros */
};

enum vhu_attach_what {
	VHU_ATTACH_SENT,     /* something was queued at the receiver */
	VHU_ATTACH_TAKEN,    /* the receiver copies some of it, and may only peek */
	VHU_ATTACH_FD,       /* a descriptor of the message that the next event is about */
	VHU_ATTACH_CLOSING,  /* a process closes a descriptor of the socket */
	VHU_ATTACH_SHUTDOWN, /* a process says that it sends no more */
	VHU_ATTACH_EXIT,     /* a process that used watched sockets ends: `who` */
};

struct vhu_attach_who {
	uint32_t pid, tid, uid, gid;
	char comm[16];
};

/* Bytes of a message follow it: of SENT from its first byte on, of TAKEN with `consumed` bytes that
 * were taken before. */
struct vhu_attach_event {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t socket;  /* id of the sender's */
	uint64_t parent;  /* id of the socket whose message had carried this one; 0 none */
	uint64_t
	    address;     /* in the kernel, of the sender's; a key for the loader, not to be shown */
	uint64_t buffer; /* address of the kernel's buffer; tells two apart while they are queued;
			    SENT: 0, the receiver has taken it already */
	uint64_t name;   /* SENT, TAKEN: address of the name that one of the ends has; 0 none */
	uint32_t what;   /* enum vhu_attach_what */
	uint32_t number; /* of SENT and of TAKEN of this sender, each from 1: a gap is a loss */
	uint32_t length; /* SENT: bytes of the buffer; TAKEN: bytes that are taken */
	uint32_t consumed; /* bytes of the buffer that were taken before */
	uint32_t copied;   /* bytes that follow */
	uint32_t fds;      /* descriptors that the buffer carries; FD: which of them this is */
	uint32_t guessed;  /* watched because it looks like vhost-user: it may have begun before */
	uint32_t begun;    /* since when it is watched, some number: another says that it was not
			      watched for a while, and numbers begin again */
	uint32_t told;     /* SENT: all of the buffer follows, and no event of taking is to come */
	uint32_t whole;    /* TAKEN: bytes of the buffer */
	struct vhu_attach_who who;
};

/* The kernel's description of a descriptor's file. */
struct vhu_attach_file {
	uint64_t inode, size, eventfd_count;
	uint64_t socket; /* id that it is watched by, 0 none */
	uint32_t device; /* as the kernel numbers it: major << 20 | minor */
	uint32_t mode, flags, magic, seals;
	uint32_t eventfd_id, eventfd_flags;
	uint32_t block_size, links, spare;
	char name[VHU_ATTACH_NAME_MAX];
};

struct vhu_attach_fd_event {
	struct vhu_attach_event event;
	struct vhu_attach_file file;
};

/*
 * Return the id of a socket that has a peer. Both ends give the same id: the first
 * end is the one without a name, which connected, else the one with the lower inode.
 * @inode: 0 if it is not accepted yet. @named: it has a name.
 */
static inline uint64_t vhu_attach_id(uint64_t inode, bool named, uint64_t peer_inode,
				     bool peer_named)
{
	bool first = named != peer_named ? peer_named : inode < peer_inode;

	if (!(first ? inode : peer_inode))
		first = !first;
	return first ? inode << 1 : peer_inode << 1 | 1;
}

/* The value that belongs to a socket, by its address in the kernel. */
struct vhu_attach_watched {
	uint64_t id, parent;
	uint64_t inode;       /* 0: not accepted yet */
	uint64_t peer_inode;  /* 0: not accepted yet */
	uint64_t cookie;      /* of the socket, which no other ever has; 0 not known */
	uint64_t last_told;   /* note of the latest buffer whose SENT event holds all of it */
	uint32_t sent, taken; /* events so far */
	uint32_t ignored;     /* it is no vhost-user: nothing is copied any more */
	uint32_t guessed;     /* as in the event */
	uint32_t begun;       /* as in the event; not 0 */
	uint32_t user;        /* the process that has sent last */
	uint32_t waiting;     /* untaken buffers whose SENT event holds all of them */
	uint32_t peer_learnt; /* the peer's cookie is known */
};

enum vhu_attach_kind {
	VHU_ATTACH_SOCKET,
	VHU_ATTACH_MEMORY,  /* a file that processes can share as memory */
	VHU_ATTACH_EVENTFD, /* `inode` is its id */
	VHU_ATTACH_VM,      /* of KVM */
};

/* A descriptor of a process, as the iterator lists them. */
struct vhu_attach_listed {
	uint32_t kind; /* enum vhu_attach_kind */
	uint32_t pid, uid, gid, fd;
	char comm[16];
	uint64_t inode;
	uint32_t device;
	/* Of a socket. */
	uint32_t state;        /* TCP_ESTABLISHED 1, TCP_LISTEN 10 */
	uint64_t socket, peer; /* addresses in the kernel */
	uint64_t peer_inode;   /* 0: not accepted yet */
	uint64_t address;      /* of the name that accepted sockets share with their listener; 0 */
	uint64_t peer_address; /* of its peer's name */
	uint64_t file_inode;   /* that it is bound to, 0 none */
	uint32_t file_device;
	uint32_t spare;
	char path[VHU_ATTACH_PATH_MAX]; /* that it is bound to; abstract ones begin with a NUL */
	uint32_t path_size;
};

/* How a watched socket stands. */
struct vhu_attach_state {
	uint64_t socket;  /* its id */
	uint64_t address; /* in the kernel */
	uint32_t open;
	uint32_t shutdown; /* 1: receives no more, 2: sends no more */
	uint32_t error;    /* errno that is waiting */
	uint32_t queued;   /* untaken buffers */
	uint32_t sent;     /* events of its sending so far */
	uint32_t begun;    /* as in the event */
	uint32_t waiting;  /* untaken buffers whose SENT event holds all of them */
	uint32_t spare;
};

/* What is fixed before the programs are loaded. */
struct vhu_attach_config {
	uint32_t any; /* adopt any connection whose first message looks like vhost-user */
	uint32_t own; /* the loader's process, which is not watched */
	/* Filled in by the loader. */
	uint32_t casts; /* the kernel has bpf_rdonly_cast */
	uint32_t spare;
};

/* What changes while they run. */
struct vhu_attach_shared {
	uint64_t lost;    /* events for which there was no room */
	uint64_t refused; /* sockets for which there was no room */
	/* What there is to compare with, written by the loader. */
	uint32_t listeners; /* names of sockets are looked at */
	uint32_t processes; /* processes were given */
	/* By vhu_attach_place: whether a socket, a name or a process may be one that is looked at.
	 * A mark stays, so one that is not set lets what does not matter pass at once. */
	uint8_t mark[VHU_ATTACH_MARKS];
};

/* Return which of 2^bits places a number has, be it the lower half of an address or a process. */
static inline uint32_t vhu_attach_place(uint32_t number, unsigned bits)
{
	return number * 0x9e3779b1u >> (32 - bits);
}

#endif
