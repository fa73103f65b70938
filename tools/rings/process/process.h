/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes, as /proc shows them: what they have open, what they map, who waits for what. Nothing
 * in a process is stopped or changed by looking at it.
 *
 * Ownership: a list owns its processes; they keep their place until the list is freed.
 */
#ifndef VHU_TOOLS_RINGS_PROCESS_H
#define VHU_TOOLS_RINGS_PROCESS_H

#include "lib/ring/verdict/evidence.h"
#include "tools/rings/session/session.h"

enum vhu_rings_kind {
	VHU_RINGS_OTHER,
	VHU_RINGS_EVENTFD,
	VHU_RINGS_EPOLL,
	VHU_RINGS_URING,
	VHU_RINGS_SOCKET,
};

/* A descriptor of a process. */
struct vhu_rings_open {
	int fd;
	enum vhu_rings_kind kind;
	uint32_t id; /* of an eventfd */
	struct vhu_rings_file file;
};

/* A mapping of a file. */
struct vhu_rings_map {
	uint64_t start, end, offset, inode;
	bool private_map;
};

/* What a descriptor is waited for with. */
struct vhu_rings_polled {
	int fd;
	enum vhu_ring_poller how;
};

struct vhu_rings_process {
	uint32_t pid;
	bool ended; /* its session names it, and its id is another's by now, if it is anyone's */
	int error;  /* -errno that looking at its descriptors gave; -ESRCH: it is gone */
	char comm[17];
	char state;                  /* of /proc/PID/stat */
	struct vhu_rings_open *open; /* by kind, then by id or descriptor */
	unsigned opens, eventfds;    /* eventfds come first */
	struct vhu_rings_map *map;
	unsigned maps;
	bool maps_known;
	/* What was waited for at any look since the last vhu_rings_process_begin. */
	struct vhu_rings_polled *polled; /* by descriptor, once sorted */
	unsigned polls;
	bool sorted;
	bool uring;             /* it may wait by io_uring, which does not say for what */
	unsigned looks, awake;  /* looks; looks that saw a thread run */
	uint64_t system_before; /* time that it had spent in the kernel, in ticks */
	bool in_kernel;         /* it has spent some since */
};

struct vhu_rings_processes {
	struct vhu_rings_process **process;
	unsigned count;
};

/* Return a process of the list; it is added, and its descriptors and mappings are read, if it is
 * not there. Returns NULL out of memory. */
struct vhu_rings_process *vhu_rings_process(struct vhu_rings_processes *processes, uint32_t pid);

/* Return a process that has ended, though another may have its id: nothing is read of that. It is
 * added. Returns NULL out of memory. */
struct vhu_rings_process *vhu_rings_process_ended(struct vhu_rings_processes *processes,
						  uint32_t pid);

/* Read again what a process has open. Returns 0 or -errno. */
int vhu_rings_process_read(struct vhu_rings_process *process);

/* Return for how many nanoseconds a process has run; -ENOENT: it is gone; another -errno. */
int64_t vhu_rings_process_age(uint32_t pid);

/*
 * Return whether process @pid may be the one that a session names: it runs, and it ran when the
 * session began. Otherwise the process has ended, and its id may be another's by now.
 * @opened_ns: when the session began, since the epoch; 0: not known.
 */
bool vhu_rings_process_is_of(uint32_t pid, uint64_t opened_ns);

/* Return whether a process has one of @count files open or mapped. */
bool vhu_rings_process_has(const struct vhu_rings_process *process,
			   const struct vhu_rings_file *file, unsigned count);

/* Begin to look at what a process waits for. */
void vhu_rings_process_begin(struct vhu_rings_process *process);

/* Look at its state and at what its threads wait for now. */
void vhu_rings_process_look(struct vhu_rings_process *process);

/* Return who waits for eventfd @id of a process, as far as the looks tell. */
enum vhu_ring_poller vhu_rings_process_poller(struct vhu_rings_process *process, uint32_t id);

/* Return the eventfd of this id that a process has open; NULL if it has none. */
const struct vhu_rings_open *vhu_rings_process_eventfd(const struct vhu_rings_process *process,
						       uint32_t id);

/* Read the counter of an eventfd that a process has open. Returns it; it is not known if the
 * process has closed it meanwhile. */
struct vhu_ring_counter vhu_rings_process_counter(const struct vhu_rings_process *process,
						  const struct vhu_rings_open *eventfd);

/* Return the mapping of a file that holds @address, or NULL. */
const struct vhu_rings_map *vhu_rings_process_map(const struct vhu_rings_process *process,
						  uint64_t address);

/*
 * Open a file that a process has open or mapped, read-only.
 * Returns a descriptor; -ENOENT: the process has neither; another -errno.
 */
int vhu_rings_process_open_file(const struct vhu_rings_process *process,
				const struct vhu_rings_file *file);

/* Open a file that any process has open. Returns as vhu_rings_process_open_file. */
int vhu_rings_open_file_anywhere(const struct vhu_rings_file *file);

void vhu_rings_processes_free(struct vhu_rings_processes *processes);

#endif
