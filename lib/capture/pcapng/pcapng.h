/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures as files: records in pcapng, of link type 252 (LINKTYPE_WIRESHARK_UPPER_PDU).
 *
 * The writer makes one write(2) of each record, so a capture is whole up to the last record at any
 * moment. Its memory grows with the sessions that are open, not with those that ever were. The
 * reader takes pcap too, and what editcap and mergecap make of a capture: other packets among ours,
 * several sections, sections of the other byte order.
 */
#ifndef VHU_CAPTURE_PCAPNG_PCAPNG_H
#define VHU_CAPTURE_PCAPNG_PCAPNG_H

#include "lib/capture/packets/packets.h"
#include "lib/capture/record.h"

/* Room for what a reader says is wrong. */
#define VHU_PCAPNG_ERROR_SIZE      256
/* The most bytes of a packet that Wireshark reads; longer messages are cut to it. */
#define VHU_PCAPNG_SNAPLEN_DEFAULT 262144

struct vhu_pcapng_writer;
struct vhu_pcapng_reader;

/* What was lost, for the statistics block and for the summary. */
struct vhu_pcapng_counts {
	uint64_t records; /* written */
	uint64_t lost;    /* could not be written */
};

/*
 * Begin a capture on @fd, which stays the caller's; it may be a pipe. Have SIGPIPE and SIGXFSZ
 * ignored, so that a reader that goes and a limit that is reached are errors and not the end.
 * @snaplen: most bytes kept of a packet; 0 is the default, which is also the most. Only messages
 * are cut, their descriptions (descriptors, peers) never.
 * @comment: the program and its arguments, for the section header; may be NULL.
 * Returns 0 and *@writer, to be ended by vhu_pcapng_writer_close; -errno.
 */
int vhu_pcapng_writer_open(struct vhu_pcapng_writer **writer, int fd, uint32_t snaplen,
			   const char *comment);

/*
 * Write @record. A record of a session seen for the first time is preceded by an interface block
 * named after the session (session 0: what is true of the whole capture). The record that
 * closes a session (VHU_RECORD_CLOSED, VHU_FRONT_END) is followed by its statistics.
 *
 * Where a write is refused (disk full) or short, the file is taken back to its last whole block,
 * the record counts as lost, and later ones are tried again. On a pipe a record that was begun is
 * finished before the next is begun. A full pipe is waited for unless it is O_NONBLOCK or a signal
 * comes whose handler does not restart calls.
 * Returns 0; -errno where the record was lost: from -EPIPE on, all are, at once.
 */
int vhu_pcapng_write(struct vhu_pcapng_writer *writer, const struct vhu_record *record);

/* Count @record as lost for the reason @error, -errno, as vhu_pcapng_write does where it returns
 * that. */
void vhu_pcapng_lose(struct vhu_pcapng_writer *writer, const struct vhu_record *record, int error);

/*
 * Gather what is written from here on, and write it in few pieces: in one where it is not much.
 * Where such a piece cannot be written, all records in it are lost, whatever was returned for them.
 * A capture is not ended while it holds.
 */
void vhu_pcapng_hold(struct vhu_pcapng_writer *writer);

/* Write what is held, and hold no more. Returns 0; -errno, and nothing of the last piece is in the
 * file. */
int vhu_pcapng_release(struct vhu_pcapng_writer *writer);

/* Return how many bytes the file has, of whole blocks; of a pipe, how many went into it. */
uint64_t vhu_pcapng_writer_size(const struct vhu_pcapng_writer *writer);

/* Return what was written and lost so far, without what only says how records hang together: those
 * marked VHU_MARK_EARLIER or VHU_MARK_LOST, and VHU_RECORD_CONTINUED. */
struct vhu_pcapng_counts vhu_pcapng_writer_counts(const struct vhu_pcapng_writer *writer);

/* End the capture with the statistics blocks still missing and free @writer (NULL is ignored); the
 * descriptor stays open. Returns 0; -errno where the statistics could not be written. */
int vhu_pcapng_writer_close(struct vhu_pcapng_writer *writer);

/*
 * Open a capture. @path: "-" is standard input.
 * @follow: wait for more at the end of the file instead of ending. Where the file says that the
 * capture goes on in another file of its folder, go on there. Pipes end with their writer.
 * @error: room for a line of text, VHU_PCAPNG_ERROR_SIZE bytes, that says what is wrong.
 * Returns 0 and *@reader, to be freed by vhu_pcapng_reader_close; -errno (-EBADMSG: no capture).
 */
int vhu_pcapng_reader_open(struct vhu_pcapng_reader **reader, const char *path, bool follow,
			   char *error);

/*
 * Have the reader go on in the first of @paths where the capture says that it goes on in a file of
 * that name, and so on to the last. Files that are left over are the caller's to read.
 * @paths, @count: as long as the reader lives.
 * @follow: for the last of them, as for vhu_pcapng_reader_open.
 */
void vhu_pcapng_reader_go_on(struct vhu_pcapng_reader *reader, char *const *paths, int count,
			     bool follow);

/* Return how many of those files the reader has gone on to. */
int vhu_pcapng_reader_gone_on(const struct vhu_pcapng_reader *reader);

/*
 * Let vhu_pcapng_read call @idle while it waits for a pipe or at the end of a file that is
 * followed, about once a second. @now_ns: the time since the epoch when there was no more.
 * @idle may not read. A signal ends the wait for a pipe if the reader was opened with @follow.
 */
void vhu_pcapng_reader_on_idle(struct vhu_pcapng_reader *reader,
			       void (*idle)(void *with, uint64_t now_ns), void *with);

/* Return what the capture's first file says of itself, known from the first record on, with the
 * statistics of all files as far as they were read. Lasts as long as @reader. */
const struct vhu_packets_head *vhu_pcapng_reader_head(const struct vhu_pcapng_reader *reader);

/* Return the path of the file that is read. */
const char *vhu_pcapng_reader_path(const struct vhu_pcapng_reader *reader);

/*
 * Read the next record. *@record belongs to the reader and lasts until the next call.
 * Packets that are not ours (of other link types, other dissectors) are counted and passed over.
 * Returns 1 with a record; 0 at the end; -EINTR when a signal came while waiting for more; -EBADMSG
 * where the file is damaged from here on or ends in the middle of a block; -EPROTONOSUPPORT at a
 * record that a later version of vhu wrote; another -errno where the file cannot be read on.
 * vhu_pcapng_reader_error says it in words. Whatever is returned but 1 is returned for good.
 */
int vhu_pcapng_read(struct vhu_pcapng_reader *reader, const struct vhu_record **record);

/* Return what ended the reading, a line of text. */
const char *vhu_pcapng_reader_error(const struct vhu_pcapng_reader *reader);

/* Return how many packets were passed over because they were not ours, and how many of ours were
 * damaged. */
uint64_t vhu_pcapng_reader_foreign(const struct vhu_pcapng_reader *reader);
uint64_t vhu_pcapng_reader_damaged(const struct vhu_pcapng_reader *reader);

/* Return the number of the packet read last, from 1, as Wireshark counts frames. Where a capture
 * goes on in another file it goes on, without what that file tells again. */
uint64_t vhu_pcapng_reader_number(const struct vhu_pcapng_reader *reader);

/* Free @reader; NULL is ignored. */
void vhu_pcapng_reader_close(struct vhu_pcapng_reader *reader);

#endif
