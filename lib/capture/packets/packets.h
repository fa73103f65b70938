/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of a capture in pcapng or pcap, whoever wrote it: several sections, sections of
 * either byte order, interfaces that differ in link type, snap length and resolution of time.
 */
#ifndef VHU_CAPTURE_PACKETS_PACKETS_H
#define VHU_CAPTURE_PACKETS_PACKETS_H

#include "lib/capture/packets/input.h"

/* A longer block is damage. Wireshark's packets have at most 128 MiB, and those are D-Bus's. */
#define VHU_PACKETS_BLOCK_MAX (UINT32_C(160) * 1024 * 1024)

struct vhu_packet {
	uint64_t time_ns; /* since the epoch; 0 unknown */
	uint16_t link_type;
	const uint8_t *bytes; /* last until the next packet is read */
	uint32_t size;        /* bytes kept */
	uint32_t sent;        /* bytes that the packet had */
};

/* What is known of an interface: link type, snap length, and how its times are counted. */
struct vhu_packets_interface {
	uint16_t link_type;
	uint32_t snaplen; /* 0: no limit */
	uint8_t tsresol;  /* as in the option */
	int64_t tsoffset; /* seconds */
};

/* What the first section says of the capture. Texts are "" if it says nothing. */
struct vhu_packets_head {
	char program[128];  /* that wrote it, with its version */
	char os[128];       /* of the host that it was written on */
	char hardware[128]; /* of that host */
	char comment[4096];
	bool counted;     /* some interface's statistics were read */
	uint64_t dropped; /* packets that the writer lost, as far as statistics were read */
};

struct vhu_packets {
	struct vhu_input input;
	bool classic; /* pcap, not pcapng */
	bool swapped; /* the section is in the other byte order */
	size_t block; /* bytes of the block that the last packet came from */
	struct vhu_packets_interface *interface;
	uint32_t interfaces;
	const char *wrong; /* what is wrong with the file; NULL nothing */
	struct vhu_packets_head head;
	unsigned sections; /* begun so far */
};

/*
 * Open the file at @path and read its header.
 * @follow: as for vhu_input_open.
 * Returns 0, and the caller closes @packets with vhu_packets_close; or -errno: -EBADMSG with
 * packets->wrong where the file is no capture. Then nothing needs to be closed, and of
 * packets->input the caller may still read the flags and counts.
 */
int vhu_packets_open(struct vhu_packets *packets, const char *path, bool follow);

/*
 * Read the next packet.
 * Returns 1 and *@packet; 0 at the end; -ENODATA where the file ends in the middle of a block;
 * -EBADMSG with packets->wrong where it is damaged; another -errno as vhu_input_peek.
 */
int vhu_packets_read(struct vhu_packets *packets, struct vhu_packet *packet);

/* Close the file. */
void vhu_packets_close(struct vhu_packets *packets);

#endif
