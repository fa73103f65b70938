/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of a capture as bytes, in this machine's byte order. Each function appends a block at
 * @to, where there has to be room for it, and returns where the next goes.
 */
#ifndef VHU_CAPTURE_PCAPNG_BLOCK_H
#define VHU_CAPTURE_PCAPNG_BLOCK_H

#include "lib/capture/pcapng/pcapng.h"

/* A longer comment is cut. */
#define VHU_BLOCK_COMMENT_MAX 4096

/* Append the section header. @comment: may be NULL. */
uint8_t *vhu_block_section(uint8_t *to, const char *comment);

/*
 * Append an interface block. All have the same link type and snap length, whatever this capture's
 * is: tcpdump reads no file whose interfaces differ.
 * @description: "" for none.
 */
uint8_t *vhu_block_interface(uint8_t *to, const char *name, const char *description);

/* Append the interface block of the session that @record belongs to. */
uint8_t *vhu_block_session(uint8_t *to, const struct vhu_record *record);

/* Append the statistics block of an interface, as of @time_ns. */
uint8_t *vhu_block_statistics(uint8_t *to, uint32_t interface, uint64_t time_ns,
			      struct vhu_pcapng_counts counts);

/* Append the packet block of @record. Only its message is ever cut to @snaplen. */
uint8_t *vhu_block_packet(uint8_t *to, const struct vhu_record *record, uint32_t interface,
			  uint32_t snaplen);

#endif
