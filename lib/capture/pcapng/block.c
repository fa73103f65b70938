/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks of a capture as bytes. */
#include "lib/capture/pcapng/block.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* Blocks and options, as the pcapng specification numbers them. */
#define SECTION_HEADER        0x0a0d0d0au
#define INTERFACE_DESCRIPTION 1
#define INTERFACE_STATISTICS  5
#define ENHANCED_PACKET       6
#define BYTE_ORDER_MAGIC      0x1a2b3c4du
#define OPT_END               0
#define OPT_COMMENT           1
#define SHB_HARDWARE          2
#define SHB_OS                3
#define SHB_USERAPPL          4
#define IF_NAME               2
#define IF_DESCRIPTION        3
#define IF_TSRESOL            9
#define EPB_FLAGS             2
#define ISB_IFRECV            4
#define ISB_IFDROP            5

#define LINKTYPE_WIRESHARK_UPPER_PDU 252
#define TSRESOL_NANOSECONDS          9
/* Directions in EPB_FLAGS, as the front-end sees them. */
#define EPB_INBOUND                  1
#define EPB_OUTBOUND                 2

/* Append @size bytes of @from at @to. Returns where the next go. */
static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	return (uint8_t *)mempcpy(to, from, size);
}

/* Append an integer of two bytes. */
static uint8_t *put_16(uint8_t *to, uint16_t value)
{
	return put(to, &value, sizeof(value));
}

/* Append an integer of four bytes. */
static uint8_t *put_32(uint8_t *to, uint32_t value)
{
	return put(to, &value, sizeof(value));
}

/* Append 64 bits as their upper and their lower half, which is how pcapng has its times. */
static uint8_t *put_time(uint8_t *to, uint64_t time_ns)
{
	return put_32(put_32(to, (uint32_t)(time_ns >> 32)), (uint32_t)time_ns);
}

/* Append zeros until @size bytes have become a multiple of 4. */
static uint8_t *put_padding(uint8_t *to, size_t size)
{
	size_t rest = -size % 4;

	memset(to, 0, rest);
	return to + rest;
}

/* Append an option. */
static uint8_t *put_option(uint8_t *to, uint16_t code, const void *value, size_t size)
{
	to = put_16(put_16(to, code), (uint16_t)size);
	return put_padding(put(to, value, size), size);
}

/* Append an option of text. */
static uint8_t *put_text(uint8_t *to, uint16_t code, const char *text, size_t most)
{
	return put_option(to, code, text, strnlen(text, most));
}

/* Begin a block at @to. Its length is filled in by end_block. */
static uint8_t *begin_block(uint8_t *to, uint32_t type)
{
	return put_32(put_32(to, type), 0);
}

/* End the block that began at @from with the end of its options and its length. */
static uint8_t *end_block(uint8_t *from, uint8_t *to)
{
	uint32_t size;

	to = put_16(put_16(to, OPT_END), 0);
	size = (uint32_t)(to - from) + 4;
	put_32(from + 4, size);
	return put_32(to, size);
}

uint8_t *vhu_block_section(uint8_t *from, const char *comment)
{
	static const uint64_t unknown = UINT64_MAX;
	uint8_t *to = begin_block(from, SECTION_HEADER);
	struct utsname os;
	char text[sizeof(os.sysname) + sizeof(os.release) + 1];

	to = put_32(to, BYTE_ORDER_MAGIC);
	to = put_16(put_16(to, 1), 0); /* version 1.0 */
	to = put(to, &unknown, sizeof(unknown));
	if (!uname(&os)) {
		snprintf(text, sizeof(text), "%s %s", os.sysname, os.release);
		to = put_text(to, SHB_HARDWARE, os.machine, sizeof(os.machine));
		to = put_text(to, SHB_OS, text, sizeof(text));
	}
	to = put_text(to, SHB_USERAPPL, "vhu " VHU_VERSION, 64);
	if (comment && *comment)
		to = put_text(to, OPT_COMMENT, comment, VHU_BLOCK_COMMENT_MAX);
	return end_block(from, to);
}

uint8_t *vhu_block_interface(uint8_t *from, const char *name, const char *description)
{
	static const uint8_t resolution = TSRESOL_NANOSECONDS;
	uint8_t *to = begin_block(from, INTERFACE_DESCRIPTION);

	to = put_16(put_16(to, LINKTYPE_WIRESHARK_UPPER_PDU), 0);
	to = put_32(to, VHU_PCAPNG_SNAPLEN_DEFAULT);
	to = put_text(to, IF_NAME, name, 64);
	if (*description)
		to = put_text(to, IF_DESCRIPTION, description, 4 * VHU_RECORD_TEXT_MAX);
	to = put_option(to, IF_TSRESOL, &resolution, sizeof(resolution));
	return end_block(from, to);
}

uint8_t *vhu_block_session(uint8_t *to, const struct vhu_record *record)
{
	const char *front = record->front_end.path, *back = record->back_end.path;
	char name[32], description[2 * VHU_RECORD_TEXT_MAX + 32] = "";

	snprintf(name, sizeof(name), "vhu session %" PRIu64, record->session);
	if ((front && *front) || (back && *back))
		snprintf(description, sizeof(description), "front-end %.*s, back-end %.*s",
			 VHU_RECORD_TEXT_MAX, front && *front ? front : "unknown",
			 VHU_RECORD_TEXT_MAX, back && *back ? back : "unknown");
	return vhu_block_interface(to, name, description);
}

uint8_t *vhu_block_statistics(uint8_t *from, uint32_t interface, uint64_t time_ns,
			      struct vhu_pcapng_counts counts)
{
	uint64_t received = counts.records + counts.lost;
	uint8_t *to = begin_block(from, INTERFACE_STATISTICS);

	to = put_time(put_32(to, interface), time_ns);
	to = put_option(to, ISB_IFRECV, &received, sizeof(received));
	to = put_option(to, ISB_IFDROP, &counts.lost, sizeof(counts.lost));
	return end_block(from, to);
}

uint8_t *vhu_block_packet(uint8_t *from, const struct vhu_record *record, uint32_t interface,
			  uint32_t snaplen)
{
	uint8_t *to = begin_block(from, ENHANCED_PACKET), *sizes, *head;
	uint64_t sent = record->message_sent > record->message_size ? record->message_sent
								    : record->message_size;
	size_t size, kept = record->message ? record->message_size : 0;
	uint32_t flags = record->from_back_end ? EPB_INBOUND : EPB_OUTBOUND;

	to = put_time(put_32(to, interface), record->time_ns);
	sizes = to;
	head = sizes + 8;
	size = vhu_record_encode(record, head);
	sent += size;
	if (kept + size > snaplen)
		kept = snaplen > size ? snaplen - size : 0;
	to = head + size;
	if (kept)
		to = put(to, record->message, kept);
	size += kept;
	put_32(put_32(sizes, (uint32_t)size), sent < UINT32_MAX ? (uint32_t)sent : UINT32_MAX);
	to = put_padding(to, size);
	if (record->type == VHU_RECORD_MESSAGE)
		to = put_option(to, EPB_FLAGS, &flags, sizeof(flags));
	return end_block(from, to);
}
