/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures as files: records in pcapng, of link type 252 (LINKTYPE_WIRESHARK_UPPER_PDU).
 *
 * The writer makes one write(2) of each record, so a capture is whole up to the last record at any
 * moment. The reader stands on libpcap and takes what editcap and mergecap made of a capture too.
 */
#ifndef VHU_CAPTURE_PCAPNG_H
#define VHU_CAPTURE_PCAPNG_H

#include "lib/capture/record.h"

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
 * Begin a capture on @fd, which stays the caller's; it may be a pipe.
 * @snaplen: most bytes kept of a packet; 0 is the default.
 * @comment: the program and its arguments, for the section header; may be NULL.
 * Returns 0 and *@writer, to be ended by vhu_pcapng_writer_close; -errno.
 */
int vhu_pcapng_writer_open(struct vhu_pcapng_writer **writer, int fd, uint32_t snaplen,
			   const char *comment);

/*
 * Write @record. A record of a session seen for the first time is preceded by an interface block
 * named after the session. Where a write is refused (disk full) or short, the file is taken back to
 * its last whole block if it can be, the record counts as lost, and later ones are tried again.
 * Returns 0; -errno where the record was lost.
 */
int vhu_pcapng_write(struct vhu_pcapng_writer *writer, const struct vhu_record *record);

/* Return what was written and lost so far. */
struct vhu_pcapng_counts vhu_pcapng_writer_counts(const struct vhu_pcapng_writer *writer);

/* End the capture with its statistics blocks and free @writer (NULL is ignored); @fd stays open.
 * Returns 0; -errno where the statistics could not be written. */
int vhu_pcapng_writer_close(struct vhu_pcapng_writer *writer);

/*
 * Open a capture. @path: "-" is standard input.
 * @follow: wait for more at the end of the file instead of ending.
 * @error: room for a line of text, PCAP_ERRBUF_SIZE (256) bytes, that says what is wrong.
 * Returns 0 and *@reader, to be freed by vhu_pcapng_reader_close; -errno.
 */
int vhu_pcapng_reader_open(struct vhu_pcapng_reader **reader, const char *path, bool follow,
			   char *error);

/*
 * Read the next record. *@record belongs to the reader and lasts until the next call.
 * Packets that are not ours (of other link types, other dissectors) are counted and passed over.
 * Returns 1 with a record; 0 at the end; -EINTR when a signal came while following; -EBADMSG where
 * the file is damaged from here on (vhu_pcapng_reader_error says how).
 */
int vhu_pcapng_read(struct vhu_pcapng_reader *reader, const struct vhu_record **record);

/* Return what ended the reading, a line of text. */
const char *vhu_pcapng_reader_error(const struct vhu_pcapng_reader *reader);

/* Return how many packets were passed over because they were not ours, and how many of ours were
 * damaged. */
uint64_t vhu_pcapng_reader_foreign(const struct vhu_pcapng_reader *reader);
uint64_t vhu_pcapng_reader_damaged(const struct vhu_pcapng_reader *reader);

/* Return the number of the packet read last, from 1, as Wireshark counts frames. */
uint64_t vhu_pcapng_reader_number(const struct vhu_pcapng_reader *reader);

void vhu_pcapng_reader_close(struct vhu_pcapng_reader *reader);

#endif
