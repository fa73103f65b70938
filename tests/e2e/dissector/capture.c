/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write a capture from a description on standard input, for the tests of the Wireshark plugin.
 *
 *	dissector_capture FILE [TIMES] <DESCRIPTION
 *	dissector_capture --fields		print the path of each field of the table instead
 *
 * A line that begins with ">" is a packet, others are passed over:
 *
 *	> SESSION CHANNEL DIRECTION ID FLAGS [PART...]
 *	> SESSION CHANNEL opened|closed|error TEXT...
 *
 * CHANNEL is front-end, back-end or gpu; DIRECTION is > (to the back-end) or < (from it). A PART is
 * a piece of the payload (u8:N, u16:N, u32:N, u64:N, zero:SIZE, text:TEXT), a descriptor
 * (eventfd:ID, memfd:SIZE:NAME, socket), size:N (for the header, in place of the payload's),
 * big-endian, partial, redacted, lost, altered:TEXT, dropped, cut:SIZE (so many bytes of the
 * message stand for all), or peer:COMM:PID:PATH. The packets are written TIMES times, each 1000 ns
 * after the one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/protocol/field.h"

/* Where the times begin: 2024-01-01 00:00:00 UTC. */
#define BEGIN 1704067200000000000ull
#define STEP  1000

#define LINE_SIZE 1024
#define LINES_MAX 1024

/* A packet as it is put together. */
struct packet {
	struct vhu_record record;
	struct vhu_header header;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	uint8_t message[VHU_HEADER_SIZE + 65536];
	uint32_t size; /* of the message */
	bool has_size; /* header.size is not the payload's */
	bool is_cut;
	char line[LINE_SIZE]; /* what texts point into */
};

/* End with one line that says what is wrong with the description. */
static void __attribute__((noreturn)) fail(const char *what, const char *which)
{
	fprintf(stderr, "dissector_capture: %s: %s\n", which, what);
	exit(2);
}

/* Take the next word off *@rest. Returns it, or NULL at the end. */
static char *word(char **rest)
{
	char *at = strtok_r(NULL, " \n", rest);

	return at;
}

/* Return the number that @text is. */
static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		fail("no number", text);
	return value;
}

/* Return the channel of that name. */
static enum vhu_channel channel_of(const char *name)
{
	for (unsigned i = 0; i < VHU_CHANNELS; i++)
		if (!strcmp(vhu_channel_name((enum vhu_channel)i), name))
			return (enum vhu_channel)i;
	fail("no channel", name);
}

/* Append an integer of @size bytes to the message. */
static void append(struct packet *packet, unsigned size, uint64_t value)
{
	bool big = packet->record.marks & VHU_MARK_BIG_ENDIAN;

	if (packet->size + size > sizeof(packet->message))
		fail("too long", "payload");
	for (unsigned i = 0; i < size; i++)
		packet->message[packet->size++] =
		    i < 8 || !big ? (uint8_t)(value >> 8 * (big ? size - 1 - i : i)) : 0;
}

/* Add a descriptor: "eventfd:9", "memfd:65536:ram", "socket". */
static void add_fd(struct packet *packet, const char *kind, char *value)
{
	struct vhu_fd_info *fd = &packet->fd[packet->record.fds++];
	char *name = value ? strchr(value, ':') : NULL;

	*fd = (struct vhu_fd_info){.kind = VHU_FD_SOCKET, .name = ""};
	if (!strcmp(kind, "eventfd")) {
		fd->kind = VHU_FD_EVENTFD;
		fd->has = VHU_FD_HAS_EVENTFD | VHU_FD_HAS_COUNT;
		fd->eventfd_id = (uint32_t)number(value);
		fd->eventfd_count = 1;
		fd->flags = O_RDWR | O_NONBLOCK;
	} else if (!strcmp(kind, "memfd") && name) {
		*name = '\0';
		fd->kind = VHU_FD_MEMFD;
		fd->has = VHU_FD_HAS_SIZE | VHU_FD_HAS_INODE | VHU_FD_HAS_SEALS;
		fd->size = number(value);
		fd->inode = 77;
		fd->device = 1;
		fd->seals = F_SEAL_SHRINK;
		fd->name = name + 1;
	}
}

/* Add one side of the session: "peer:COMM:PID:PATH", the front-end first. */
static void add_peer(struct packet *packet, char *value)
{
	struct vhu_peer *peer =
	    packet->record.front_end.known ? &packet->record.back_end : &packet->record.front_end;
	char *rest = value;

	*peer = (struct vhu_peer){.known = true, .uid = 107, .gid = 108};
	peer->comm = strsep(&rest, ":");
	peer->pid = rest ? (uint32_t)number(strsep(&rest, ":")) : 0;
	peer->path = rest ? rest : "";
}

/* Add a part of a packet: a name and, after a colon, a value. */
static void add_part(struct packet *packet, char *name)
{
	char *value = strchr(name, ':');
	struct vhu_record *record = &packet->record;

	if (value)
		*value++ = '\0';
	if (name[0] == 'u' && name[1] >= '1' && name[1] <= '9')
		append(packet, (unsigned)number(name + 1) / 8, number(value));
	else if (!strcmp(name, "zero"))
		for (uint64_t i = number(value); i > 0; i--)
			append(packet, 1, 0);
	else if (!strcmp(name, "text"))
		for (; *value; value++)
			append(packet, 1, (uint8_t)*value);
	else if (!strcmp(name, "eventfd") || !strcmp(name, "memfd") || !strcmp(name, "socket"))
		add_fd(packet, name, value);
	else if (!strcmp(name, "peer"))
		add_peer(packet, value);
	else if (!strcmp(name, "size"))
		packet->has_size = true, packet->header.size = (uint32_t)number(value);
	else if (!strcmp(name, "big-endian"))
		record->marks |= VHU_MARK_BIG_ENDIAN;
	else if (!strcmp(name, "partial"))
		record->marks |= VHU_MARK_PARTIAL;
	else if (!strcmp(name, "redacted"))
		record->marks |= VHU_MARK_REDACTED;
	else if (!strcmp(name, "lost"))
		record->marks |= VHU_MARK_TRUNCATED;
	else if (!strcmp(name, "altered"))
		record->marks |= VHU_MARK_ALTERED, record->text = value;
	else if (!strcmp(name, "dropped"))
		record->marks |= VHU_MARK_DROPPED;
	else if (!strcmp(name, "cut"))
		packet->is_cut = true, record->message_size = (uint32_t)number(value);
	else
		fail("no part of a packet", name);
}

/* Put a message together. */
static void make_message(struct packet *packet, const char *direction, char **rest)
{
	struct vhu_record *record = &packet->record;
	char *part;

	record->type = VHU_RECORD_MESSAGE;
	record->from_back_end = *direction == '<';
	packet->header.request = (uint32_t)number(word(rest));
	packet->header.flags = (uint32_t)number(word(rest));
	packet->size = VHU_HEADER_SIZE;
	while ((part = word(rest)))
		add_part(packet, part);
	if (!packet->has_size)
		packet->header.size = packet->size - VHU_HEADER_SIZE;
	vhu_header_write(packet->message, packet->header, record->marks & VHU_MARK_BIG_ENDIAN);
	record->message = packet->message;
	record->message_size = packet->is_cut ? record->message_size : packet->size;
	record->message_sent = record->message_size;
}

/* Put an event together: peers, then a text up to the end of the line. */
static void make_event(struct packet *packet, const char *event, char **rest)
{
	struct vhu_record *record = &packet->record;

	for (unsigned i = 0; i < VHU_RECORD_TYPES; i++)
		if (!strcmp(vhu_record_type_name((enum vhu_record_type)i), event))
			record->type = (enum vhu_record_type)i;
	while (*rest && !strncmp(*rest, "peer:", 5))
		add_part(packet, word(rest));
	record->text = *rest ? *rest : "";
	(*rest)[strcspn(*rest, "\n")] = '\0';
}

/* Put together the packet that @line describes. Returns whether it describes one. */
static bool make_packet(struct packet *packet, const char line[LINE_SIZE])
{
	char *rest, *direction;

	if (*line != '>')
		return false;
	packet->record = (struct vhu_record){.fd = packet->fd};
	packet->header = (struct vhu_header){0};
	packet->has_size = false;
	packet->is_cut = false;
	memcpy(packet->line, line, LINE_SIZE);
	strtok_r(packet->line, " ", &rest);
	packet->record.session = number(word(&rest));
	packet->record.channel = channel_of(word(&rest));
	direction = word(&rest);
	if (*direction == '>' || *direction == '<')
		make_message(packet, direction, &rest);
	else
		make_event(packet, direction, &rest);
	return true;
}

int main(int argc, char **argv)
{
	static char lines[LINES_MAX][LINE_SIZE];
	static struct packet packet;
	uint64_t times = argc > 2 ? number(argv[2]) : 1, written = 0;
	struct vhu_pcapng_writer *writer;
	unsigned count = 0;
	int fd, ret = 0;

	if (argc < 2)
		fail("missing", "FILE");
	if (!strcmp(argv[1], "--fields")) {
		for (unsigned i = 0; i < VHU_FIELDS; i++)
			puts(vhu_fields[i].path);
		return 0;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || vhu_pcapng_writer_open(&writer, fd, 0, "dissector_capture"))
		fail(strerror(errno), argv[1]);
	while (count < LINES_MAX && fgets(lines[count], sizeof(*lines), stdin))
		count++;
	for (uint64_t i = 0; i < times && !ret; i++)
		for (unsigned j = 0; j < count && !ret; j++)
			if (make_packet(&packet, lines[j])) {
				packet.record.time_ns = BEGIN + STEP * written++;
				ret = vhu_pcapng_write(writer, &packet.record);
			}
	if (vhu_pcapng_writer_close(writer) || close(fd) || ret)
		fail("cannot be written", argv[1]);
	return 0;
}
