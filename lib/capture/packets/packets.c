/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of a capture. */
#include "lib/capture/packets/packets.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Blocks and options, as the pcapng specification numbers them. */
#define SECTION_HEADER        0x0a0d0d0au
#define BYTE_ORDER_MAGIC      0x1a2b3c4du
#define INTERFACE_DESCRIPTION 1
#define OLD_PACKET            2
#define SIMPLE_PACKET         3
#define INTERFACE_STATISTICS  5
#define ENHANCED_PACKET       6
#define OPT_END               0
#define OPT_COMMENT           1
#define SHB_HARDWARE          2
#define SHB_OS                3
#define SHB_USERAPPL          4
#define ISB_IFDROP            5
#define IF_TSRESOL            9
#define IF_TSOFFSET           14
#define TSRESOL_POWER_OF_2    0x80
#define TSRESOL_DEFAULT       6
/* The head of a block: type and length; the length again ends it. */
#define BLOCK_HEAD            8
#define BLOCK_LEAST           12
/* More interfaces than any capture has sessions in one file are damage, not data. */
#define INTERFACES_MAX        (UINT32_C(1) << 24)

/* pcap's magic numbers, its header and that of a packet. */
#define PCAP_MICROSECONDS 0xa1b2c3d4u
#define PCAP_NANOSECONDS  0xa1b23c4du
#define PCAP_HEADER       24
#define PCAP_PACKET       16
#define NS_PER_S          1000000000

/* The body of a block, or its options. */
struct packets_body {
	const uint8_t *at;
	size_t left;
};

/* Read 16 bits of the section's byte order. */
static uint16_t get_16(const struct vhu_packets *packets, const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return packets->swapped ? bswap_16(value) : value;
}

/* Read 32 bits of the section's byte order. */
static uint32_t get_32(const struct vhu_packets *packets, const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return packets->swapped ? bswap_32(value) : value;
}

/* Read 64 bits of the section's byte order. */
static uint64_t get_64(const struct vhu_packets *packets, const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return packets->swapped ? bswap_64(value) : value;
}

/* Note what is wrong with the file. Returns -EBADMSG. */
static int wrong(struct vhu_packets *packets, const char *what)
{
	packets->wrong = what;
	return -EBADMSG;
}

/*
 * Turn a time of an interface into nanoseconds since the epoch. One that does not fit becomes the
 * nearest that does.
 */
static uint64_t time_of(const struct vhu_packets_interface *interface, uint64_t time)
{
	unsigned power = interface->tsresol & ~TSRESOL_POWER_OF_2;
	unsigned __int128 ns = time;

	if (interface->tsresol & TSRESOL_POWER_OF_2) {
		ns = ns * NS_PER_S >> power;
	} else {
		for (; power < 9; power++)
			ns *= 10;
		for (; power > 9 && ns; power--)
			ns /= 10;
	}
	if (interface->tsoffset >= 0) {
		ns += (unsigned __int128)interface->tsoffset * NS_PER_S;
	} else {
		unsigned __int128 less =
		    (unsigned __int128)(-(__int128)interface->tsoffset) * NS_PER_S;

		ns = ns > less ? ns - less : 0;
	}
	return ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX;
}

/* An option of a block. */
struct packets_option {
	uint16_t code, size;
	const uint8_t *bytes;
};

/* Take the next of a block's options off @options. Returns whether there is one. */
static bool next_option(const struct vhu_packets *packets, struct packets_body *options,
			struct packets_option *option)
{
	size_t padded;

	if (options->left < 4)
		return false;
	*option = (struct packets_option){get_16(packets, options->at),
					  get_16(packets, options->at + 2), options->at + 4};
	padded = 4 + (((size_t)option->size + 3) & ~(size_t)3);
	if (option->code == OPT_END || padded > options->left)
		return false;
	options->at += padded;
	options->left -= padded;
	return true;
}

/* Take the options of an interface that say how its times are counted. */
static void take_options(const struct vhu_packets *packets, struct packets_body options,
			 struct vhu_packets_interface *interface)
{
	struct packets_option option;

	while (next_option(packets, &options, &option)) {
		if (option.code == IF_TSRESOL && option.size == 1)
			interface->tsresol = option.bytes[0];
		if (option.code == IF_TSOFFSET && option.size == 8)
			interface->tsoffset = (int64_t)get_64(packets, option.bytes);
	}
}

/* Copy an option of text to @to, of @room bytes; what is too long is cut. */
static void take_text(const struct packets_option *option, char *to, size_t room)
{
	size_t size = option->size < room ? option->size : room - 1;

	memcpy(to, option->bytes, size);
	to[size] = '\0';
}

/* Take what the first section says of the capture. Returns 0. */
static int take_section(struct vhu_packets *packets, struct packets_body body)
{
	struct vhu_packets_head *head = &packets->head;
	struct packets_option option;
	struct packets_body options = {body.at + 16, body.left - 16};

	if (packets->sections++)
		return 0;
	while (next_option(packets, &options, &option)) {
		if (option.code == SHB_USERAPPL)
			take_text(&option, head->program, sizeof(head->program));
		else if (option.code == SHB_OS)
			take_text(&option, head->os, sizeof(head->os));
		else if (option.code == SHB_HARDWARE)
			take_text(&option, head->hardware, sizeof(head->hardware));
		else if (option.code == OPT_COMMENT && !*head->comment)
			take_text(&option, head->comment, sizeof(head->comment));
	}
	return 0;
}

/* Take the statistics of an interface. Returns 0. */
static int take_statistics(struct vhu_packets *packets, struct packets_body body)
{
	struct packets_option option;
	struct packets_body options = {body.at + 12, body.left - 12};

	if (body.left < 12)
		return 0;
	while (next_option(packets, &options, &option))
		if (option.code == ISB_IFDROP && option.size == 8) {
			packets->head.counted = true;
			packets->head.dropped += get_64(packets, option.bytes);
		}
	return 0;
}

/* Add an interface to those of the section. Returns 0, -ENOMEM, -EBADMSG. */
static int add_interface(struct vhu_packets *packets, const struct vhu_packets_interface *interface)
{
	uint32_t count = packets->interfaces;
	struct vhu_packets_interface *grown = packets->interface;

	if (count == INTERFACES_MAX)
		return wrong(packets, "too many interfaces");
	/* Their room doubles whenever their number has reached a power of two. */
	if (!(count & (count - 1))) {
		grown = reallocarray(grown, count ? 2 * (size_t)count : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
	}
	grown[count] = *interface;
	packets->interface = grown;
	packets->interfaces++;
	return 0;
}

/* Take an interface description block. Returns 0, -ENOMEM, -EBADMSG. */
static int take_interface(struct vhu_packets *packets, struct packets_body body)
{
	struct vhu_packets_interface interface = {.tsresol = TSRESOL_DEFAULT};

	if (body.left < 8)
		return wrong(packets, "an interface block is too short");
	interface.link_type = get_16(packets, body.at);
	interface.snaplen = get_32(packets, body.at + 4);
	take_options(packets, (struct packets_body){body.at + 8, body.left - 8}, &interface);
	return add_interface(packets, &interface);
}

/* Begin a section, whose header is at the front of the input. Returns 1 and *@size, its block's; as
 * vhu_input_peek. */
static int begin_section(struct vhu_packets *packets, uint32_t *size)
{
	const uint8_t *bytes;
	uint32_t magic;
	int got = vhu_input_peek(&packets->input, BLOCK_HEAD + 4, &bytes);

	if (got != 1)
		return got;
	packets->swapped = false;
	magic = get_32(packets, bytes + BLOCK_HEAD);
	packets->swapped = magic == bswap_32(BYTE_ORDER_MAGIC);
	if (!packets->swapped && magic != BYTE_ORDER_MAGIC)
		return wrong(packets, "a section is in no known byte order");
	*size = get_32(packets, bytes + 4);
	if (*size < BLOCK_LEAST + 16)
		return wrong(packets, "a section header is too short");
	packets->interfaces = 0;
	free(packets->interface);
	packets->interface = NULL;
	return 1;
}

/* Take a simple packet block, which knows of the first interface only and has no time. Returns 1 or
 * -EBADMSG. */
static int take_simple(struct vhu_packets *packets, struct packets_body body,
		       struct vhu_packet *packet)
{
	const struct vhu_packets_interface *interface = packets->interface;

	if (!packets->interfaces)
		return wrong(packets, "a packet is of no interface");
	if (body.left < 4)
		return wrong(packets, "a packet block is too short");
	packet->time_ns = 0;
	packet->link_type = interface->link_type;
	packet->sent = packet->size = get_32(packets, body.at);
	if (interface->snaplen && packet->size > interface->snaplen)
		packet->size = interface->snaplen;
	packet->bytes = body.at + 4;
	return packet->size <= body.left - 4 ? 1 : wrong(packets, "a packet overruns its block");
}

/* Take an enhanced packet block, or one of the kind that was before it. Returns 1 or -EBADMSG. */
static int take_packet(struct vhu_packets *packets, struct packets_body body, bool old,
		       struct vhu_packet *packet)
{
	const struct vhu_packets_interface *interface;
	uint32_t number;

	if (body.left < 20)
		return wrong(packets, "a packet block is too short");
	number = old ? get_16(packets, body.at) : get_32(packets, body.at);
	if (number >= packets->interfaces)
		return wrong(packets, "a packet is of no interface");
	interface = &packets->interface[number];
	packet->link_type = interface->link_type;
	packet->time_ns = time_of(interface, (uint64_t)get_32(packets, body.at + 4) << 32 |
						 get_32(packets, body.at + 8));
	packet->size = get_32(packets, body.at + 12);
	packet->sent = get_32(packets, body.at + 16);
	packet->bytes = body.at + 20;
	return packet->size <= body.left - 20 ? 1 : wrong(packets, "a packet overruns its block");
}

/*
 * Read a block that the reader needs. Those of packets are consumed with the next call.
 * Returns 1 with a packet; 0 without; -errno, -ENODATA at the file's end.
 */
static int read_block(struct vhu_packets *packets, uint32_t type, uint32_t size,
		      struct vhu_packet *packet)
{
	const uint8_t *bytes;
	struct packets_body body;
	int got;

	if (size > VHU_PACKETS_BLOCK_MAX)
		return wrong(packets, "a block is too long");
	got = vhu_input_peek(&packets->input, size, &bytes);
	if (got != 1)
		return got ? got : -ENODATA;
	if (get_32(packets, bytes + size - 4) != size)
		return wrong(packets, "a block's two lengths differ");
	packets->block = size;
	body = (struct packets_body){bytes + BLOCK_HEAD, size - BLOCK_LEAST};
	switch (type) {
	case SECTION_HEADER:
		return take_section(packets, body);
	case INTERFACE_DESCRIPTION:
		return take_interface(packets, body);
	case INTERFACE_STATISTICS:
		return take_statistics(packets, body);
	case SIMPLE_PACKET:
		return take_simple(packets, body, packet);
	case OLD_PACKET:
	case ENHANCED_PACKET:
		return take_packet(packets, body, type == OLD_PACKET, packet);
	}
	return 0;
}

/* Return whether something is needed of blocks of a type. */
static bool is_needed(uint32_t type)
{
	return type == INTERFACE_DESCRIPTION || type == INTERFACE_STATISTICS ||
	       type == SIMPLE_PACKET || type == OLD_PACKET || type == ENHANCED_PACKET ||
	       type == SECTION_HEADER;
}

/* Read the next packet of a pcapng file. Returns as vhu_packets_read. */
static int read_pcapng(struct vhu_packets *packets, struct vhu_packet *packet)
{
	for (;;) {
		const uint8_t *bytes;
		uint32_t type, size;
		int got = vhu_input_peek(&packets->input, BLOCK_HEAD, &bytes);

		if (got != 1)
			return got;
		/* The section header's type is the same in both byte orders. */
		type = get_32(packets, bytes);
		size = get_32(packets, bytes + 4);
		if (type == SECTION_HEADER) {
			got = begin_section(packets, &size);
			if (got != 1)
				return got;
		}
		if (size < BLOCK_LEAST || size % 4)
			return wrong(packets, "a block has an impossible length");
		if (is_needed(type)) {
			got = read_block(packets, type, size, packet);
			if (got)
				return got;
			packets->block = 0;
		}
		got = vhu_input_skip(&packets->input, size);
		if (got != 1)
			return got;
	}
}

/* Read the next packet of a pcap file. Returns as vhu_packets_read. */
static int read_pcap(struct vhu_packets *packets, struct vhu_packet *packet)
{
	const struct vhu_packets_interface *interface = packets->interface;
	const uint8_t *bytes;
	int got = vhu_input_peek(&packets->input, PCAP_PACKET, &bytes);

	if (got != 1)
		return got;
	packet->time_ns =
	    (uint64_t)get_32(packets, bytes) * NS_PER_S +
	    (uint64_t)get_32(packets, bytes + 4) * (interface->tsresol == 9 ? 1 : 1000);
	packet->size = get_32(packets, bytes + 8);
	packet->sent = get_32(packets, bytes + 12);
	packet->link_type = interface->link_type;
	if (packet->size > VHU_PACKETS_BLOCK_MAX)
		return wrong(packets, "a packet is too long");
	got = vhu_input_peek(&packets->input, PCAP_PACKET + (size_t)packet->size, &bytes);
	if (got != 1)
		return got ? got : -ENODATA;
	packet->bytes = bytes + PCAP_PACKET;
	packets->block = PCAP_PACKET + (size_t)packet->size;
	return 1;
}

int vhu_packets_read(struct vhu_packets *packets, struct vhu_packet *packet)
{
	int got = vhu_input_skip(&packets->input, packets->block);

	packets->block = 0;
	if (got != 1)
		return got;
	return packets->classic ? read_pcap(packets, packet) : read_pcapng(packets, packet);
}

/* Return what a file that begins with @bytes needs before it is a capture; NULL: nothing known. */
static const char *how_compressed(const uint8_t bytes[4])
{
	static const struct {
		uint8_t magic[4];
		size_t size;
		const char *what;
	} known[] = {
	    {{0x1f, 0x8b}, 2, "compressed with gzip: pass it through \"gzip -dc\" first"},
	    {{0x28, 0xb5, 0x2f, 0xfd},
	     4,
	     "compressed with zstd: pass it through \"zstd -dc\" first"},
	    {{0x04, 0x22, 0x4d, 0x18}, 4, "compressed with lz4: pass it through \"lz4 -dc\" first"},
	    {{0xfd, '7', 'z', 'X'}, 4, "compressed with xz: pass it through \"xz -dc\" first"},
	    {{'B', 'Z', 'h'}, 3, "compressed with bzip2: pass it through \"bzip2 -dc\" first"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!memcmp(bytes, known[i].magic, known[i].size))
			return known[i].what;
	return NULL;
}

/* Take the header of a pcap file, whose magic number is @magic in this machine's byte order.
 * Returns 1; as vhu_input_peek. */
static int begin_pcap(struct vhu_packets *packets, uint32_t magic)
{
	struct vhu_packets_interface interface = {
	    .tsresol = magic == PCAP_NANOSECONDS ? 9 : TSRESOL_DEFAULT};
	const uint8_t *bytes;
	int got = vhu_input_peek(&packets->input, PCAP_HEADER, &bytes);

	if (got != 1)
		return got;
	packets->classic = true;
	interface.link_type = (uint16_t)get_32(packets, bytes + 20);
	got = add_interface(packets, &interface);
	return got ? got : vhu_input_skip(&packets->input, PCAP_HEADER);
}

/* Find out what the file is and take its header. Returns 1; as vhu_input_peek; -EBADMSG. */
static int begin(struct vhu_packets *packets)
{
	static const char neither[] = "not a capture in pcapng or pcap";
	const uint8_t *bytes;
	const char *compressed;
	uint32_t size;
	int got = vhu_input_peek(&packets->input, 4, &bytes);

	if (got != 1)
		return got == -ENODATA ? wrong(packets, neither) : got;
	compressed = how_compressed(bytes);
	if (compressed)
		return wrong(packets, compressed);
	if (get_32(packets, bytes) == SECTION_HEADER) {
		got = begin_section(packets, &size);
		return got == -EBADMSG ? wrong(packets, neither) : got;
	}
	for (int i = 0; i < 2; i++) {
		uint32_t magic;

		packets->swapped = i;
		magic = get_32(packets, bytes);
		if (magic == PCAP_MICROSECONDS || magic == PCAP_NANOSECONDS)
			return begin_pcap(packets, magic);
	}
	return wrong(packets, neither);
}

int vhu_packets_open(struct vhu_packets *packets, const char *path, bool follow)
{
	int got;

	memset(packets, 0, sizeof(*packets));
	got = vhu_input_open(&packets->input, path, follow);
	if (got)
		return got;
	got = begin(packets);
	if (got == 1)
		return 0;
	if (!got)
		wrong(packets, "empty, not even a capture's header");
	else if (got == -ENODATA)
		wrong(packets, "not a capture in pcapng or pcap: its header is cut short");
	vhu_packets_close(packets);
	return got == 0 || got == -ENODATA ? -EBADMSG : got;
}

void vhu_packets_close(struct vhu_packets *packets)
{
	vhu_input_close(&packets->input);
	free(packets->interface);
	packets->interface = NULL;
}
