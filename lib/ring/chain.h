/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of descriptors of a request: where its buffers are, how long they are, who writes them.
 *
 * A guest can write any chain: one that loops, that leaves the table, that points outside memory.
 * The work is bounded: a chain has at most as many descriptors as its ring, an indirect table at
 * most as many rows as a ring can have, and each table is read once. Data is never read.
 */
#ifndef VHU_RING_CHAIN_H
#define VHU_RING_CHAIN_H

#include "lib/ring/snapshot.h"

/* As many buffers are listed; more are counted. */
#define VHU_RING_BUFFERS_MAX 64

struct vhu_ring_buffer {
	uint64_t address; /* guest address, or an IOVA */
	uint32_t size;
	uint16_t flags;    /* VRING_DESC_F_* as in the descriptor */
	bool indirect;     /* its descriptor is in an indirect table */
	bool mapped;       /* memory regions hold all of it */
	bool untranslated; /* its address is an IOVA without a translation, at least in part */
};

/* What is wrong with a chain. */
enum vhu_ring_fault {
	VHU_RING_FAULT_NONE,
	VHU_RING_FAULT_LOOP,          /* it has more descriptors than the ring */
	VHU_RING_FAULT_OUTSIDE_TABLE, /* it names a descriptor that the table does not have */
	VHU_RING_FAULT_UNMAPPED,      /* a buffer or an indirect table is in no region */
	VHU_RING_FAULT_INDIRECT,      /* an indirect table of a bad size, or in another one */
	VHU_RING_FAULT_UNREADABLE,    /* an indirect table could not be read */
};

struct vhu_ring_chain {
	uint16_t head;        /* of a packed ring: the row of its first descriptor */
	uint16_t id;          /* what the used descriptor will name it: head, or buffer id */
	uint32_t descriptors; /* that it takes of the ring */
	uint32_t buffers;     /* with those of an indirect table; listed up to the maximum */
	struct vhu_ring_buffer buffer[VHU_RING_BUFFERS_MAX];
	uint64_t readable, writable; /* bytes, by the device */
	enum vhu_ring_fault fault;
	uint32_t fault_row;     /* index of the descriptor */
	uint64_t fault_address; /* UNMAPPED, INDIRECT, UNREADABLE */
};

/* Read the chain that begins at a head of the available ring (split), or at a position (packed).
 * The result is in @chain, with what is wrong with it. */
void vhu_ring_chain_split(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot, uint16_t head,
			  struct vhu_ring_chain *chain);
void vhu_ring_chain_packed(const struct vhu_ring_memory *memory,
			   const struct vhu_ring_snapshot *snapshot, uint16_t position,
			   struct vhu_ring_chain *chain);

/* Read the chain of a request of the in-flight area; it may be used out of order. */
void vhu_ring_chain_taken(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot,
			  const struct vhu_ring_taken *taken, struct vhu_ring_chain *chain);

/*
 * Go through the requests in a ring, oldest first: those of the in-flight area, if it is known, and
 * those that wait beyond them. Without the area, a device that uses requests out of order may have
 * used some of those listed.
 * @cursor: 0 to begin.
 * Returns whether there is one more in @chain; *@taken: whether the in-flight area says that the
 * device has taken it.
 */
bool vhu_ring_chain_next(const struct vhu_ring_memory *memory,
			 const struct vhu_ring_snapshot *snapshot, uint32_t *cursor,
			 struct vhu_ring_chain *chain, bool *taken);

/* What the oldest requests of a ring say together. */
struct vhu_ring_look {
	unsigned requests; /* looked at */
	bool input;        /* the device only writes to them: they may wait for something to come */
	/* The first one that is broken. */
	enum vhu_ring_fault fault;
	uint16_t fault_head;
	uint32_t fault_row;
	uint64_t fault_address;
};

/* Look at the oldest @most requests of a ring. */
struct vhu_ring_look vhu_ring_look(const struct vhu_ring_memory *memory,
				   const struct vhu_ring_snapshot *snapshot, unsigned most);

/* Return what a fault is, in few words. */
const char *vhu_ring_fault_text(enum vhu_ring_fault fault);

/* Write the names of a descriptor's flags: "NEXT, WRITE". Returns the length, as snprintf does. */
int vhu_ring_flags_text(uint16_t flags, bool packed, char *to, size_t size);

#endif
