/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes captures: pcapng blocks in this machine's byte order, one write(2) for each record.
 *
 * Interface 0 stands for the whole capture; every session gets an interface of its own with its
 * first record. Which sessions have one is remembered until they close, so memory grows with the
 * sessions that are open and not with those that ever were.
 *
 * A write can stop in the middle of a block. A regular file is taken back to the block's start; on
 * anything else what is left of the block stays in the buffer and goes out before the next one.
 */
#include "lib/capture/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

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

#define COMMENT_MAX 4096
/* Room for a packet with all that may stand around it: its block, an interface block and a
 * statistics block, each with its texts. */
#define BUFFER_SIZE (VHU_PCAPNG_SNAPLEN_DEFAULT + 4 * VHU_RECORD_TEXT_MAX + 1024)

_Static_assert(VHU_RECORD_HEAD_MAX < VHU_PCAPNG_SNAPLEN_DEFAULT, "a head is never cut");
_Static_assert(COMMENT_MAX + 1024 < BUFFER_SIZE, "a section header fits");

/* A session that was seen and has not closed. */
struct session {
	uint64_t number;
	bool described; /* it has an interface in the file */
	uint32_t interface;
	struct vhu_pcapng_counts counts;
};

struct vhu_pcapng_writer {
	int fd;
	bool regular; /* can be taken back to `end` */
	int gone;     /* -EPIPE once nobody reads any more, 0 before */
	off_t end;    /* regular: where the last whole block ends */
	uint32_t snaplen;
	uint32_t interfaces;             /* described so far */
	struct vhu_pcapng_counts counts; /* of all */
	struct vhu_pcapng_counts told;   /* the part of them that other interfaces tell */
	void *sessions;                  /* a tree of struct session, as tsearch(3) makes it */
	size_t tail, tail_size;          /* in the buffer: the rest of a block that was begun */
	uint8_t buffer[BUFFER_SIZE];
};

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

/* Append the section header. */
static uint8_t *put_section(uint8_t *from, const char *comment)
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
		to = put_text(to, OPT_COMMENT, comment, COMMENT_MAX);
	return end_block(from, to);
}

/*
 * Append an interface block. All have the same link type and snap length, whatever this capture's
 * is: libpcap reads no file in which they differ.
 */
static uint8_t *put_interface(uint8_t *from, const char *name, const char *description)
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

/* Append the interface block of the session that @record belongs to. */
static uint8_t *put_session(uint8_t *to, const struct vhu_record *record)
{
	const char *front = record->front_end.path, *back = record->back_end.path;
	char name[32], description[2 * VHU_RECORD_TEXT_MAX + 32] = "";

	snprintf(name, sizeof(name), "vhu session %" PRIu64, record->session);
	if ((front && *front) || (back && *back))
		snprintf(description, sizeof(description), "front-end %.*s, back-end %.*s",
			 VHU_RECORD_TEXT_MAX, front && *front ? front : "unknown",
			 VHU_RECORD_TEXT_MAX, back && *back ? back : "unknown");
	return put_interface(to, name, description);
}

/* Append the statistics block of an interface, as of @time_ns. */
static uint8_t *put_statistics(uint8_t *from, uint32_t interface, uint64_t time_ns,
			       struct vhu_pcapng_counts counts)
{
	uint64_t received = counts.records + counts.lost;
	uint8_t *to = begin_block(from, INTERFACE_STATISTICS);

	to = put_time(put_32(to, interface), time_ns);
	to = put_option(to, ISB_IFRECV, &received, sizeof(received));
	to = put_option(to, ISB_IFDROP, &counts.lost, sizeof(counts.lost));
	return end_block(from, to);
}

/* Append the packet block of @record. Only its message is ever cut to @snaplen. */
static uint8_t *put_packet(uint8_t *from, const struct vhu_record *record, uint32_t interface,
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

/* Compare two sessions by their numbers, for tsearch(3). */
static int compare_sessions(const void *a, const void *b)
{
	const struct session *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* Find session @number, or begin to remember it. Returns NULL where there is no memory for it. */
static struct session *find_session(struct vhu_pcapng_writer *writer, uint64_t number)
{
	struct session wanted = {.number = number}, *session;
	struct session **node = tfind(&wanted, &writer->sessions, compare_sessions);

	if (node)
		return *node;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->number = number;
	if (!tsearch(session, &writer->sessions, compare_sessions)) {
		free(session);
		return NULL;
	}
	return session;
}

/*
 * Write what of the buffer's tail is left.
 * Returns 0; -errno, with the tail being what is left still.
 */
static int write_tail(struct vhu_pcapng_writer *writer)
{
	while (writer->tail_size) {
		ssize_t done = write(writer->fd, writer->buffer + writer->tail, writer->tail_size);

		if (done <= 0)
			return done ? -errno : -EIO;
		writer->tail += (size_t)done;
		writer->tail_size -= (size_t)done;
	}
	return 0;
}

/*
 * Write the first @size bytes of the buffer: whole blocks.
 * Returns 0 where they are written, or begun and certain to be finished before any others; -errno
 * where nothing of them is in the file.
 */
static int write_blocks(struct vhu_pcapng_writer *writer, size_t size)
{
	int ret;

	writer->tail = 0;
	writer->tail_size = size;
	ret = write_tail(writer);
	if (!ret) {
		writer->end += (off_t)size;
		return 0;
	}
	if (ret == -EPIPE)
		writer->gone = ret;
	if (!writer->tail)
		writer->tail_size = 0;
	if (!writer->tail || writer->gone)
		return ret;
	if (writer->regular && !ftruncate(writer->fd, writer->end) &&
	    lseek(writer->fd, writer->end, SEEK_SET) == writer->end) {
		writer->tail_size = 0;
		return ret;
	}
	writer->end += (off_t)size;
	return 0;
}

/* Make ready for new blocks in the buffer: the rest of the last one goes out first.
 * Returns 0, -errno. */
static int make_room(struct vhu_pcapng_writer *writer)
{
	int ret = writer->gone ? writer->gone : write_tail(writer);

	if (ret == -EPIPE)
		writer->gone = ret;
	return ret;
}

/* Forget a session that closed. What it lost, if its statistics were never written, is told by the
 * capture's own interface at the end. */
static void forget_session(struct vhu_pcapng_writer *writer, struct session *session, bool told)
{
	if (told) {
		writer->told.records += session->counts.records;
		writer->told.lost += session->counts.lost;
	}
	tdelete(session, &writer->sessions, compare_sessions);
	free(session);
}

/*
 * Write @record of @session (NULL: of none) and what must stand before and after it.
 * @closes: it is the session's last. Returns 0, -errno.
 */
static int write_record(struct vhu_pcapng_writer *writer, const struct vhu_record *record,
			struct session *session, bool closes)
{
	bool describes = session && !session->described;
	uint32_t interface = session ? session->interface : 0;
	struct vhu_pcapng_counts counts;
	uint8_t *to = writer->buffer;
	int ret = make_room(writer);

	if (ret)
		return ret;
	if (describes) {
		interface = writer->interfaces;
		to = put_session(to, record);
	}
	to = put_packet(to, record, interface, writer->snaplen);
	if (closes) {
		counts = session->counts;
		counts.records++;
		to = put_statistics(to, interface, record->time_ns, counts);
	}
	ret = write_blocks(writer, (size_t)(to - writer->buffer));
	if (!ret && describes) {
		session->described = true;
		session->interface = writer->interfaces++;
	}
	return ret;
}

int vhu_pcapng_write(struct vhu_pcapng_writer *writer, const struct vhu_record *record)
{
	bool closes = record->session && record->type == VHU_RECORD_CLOSED &&
		      record->channel == VHU_FRONT_END;
	struct session *session = record->session ? find_session(writer, record->session) : NULL;
	struct vhu_pcapng_counts one;
	int ret =
	    record->session && !session ? -ENOMEM : write_record(writer, record, session, closes);

	one = (struct vhu_pcapng_counts){.records = !ret, .lost = !!ret};
	writer->counts.records += one.records;
	writer->counts.lost += one.lost;
	if (session) {
		session->counts.records += one.records;
		session->counts.lost += one.lost;
	}
	if (session && closes)
		forget_session(writer, session, !ret);
	return ret;
}

struct vhu_pcapng_counts vhu_pcapng_writer_counts(const struct vhu_pcapng_writer *writer)
{
	return writer->counts;
}

/* Find out whether and where the file may be cut. Returns 0, -errno. */
static int find_end(struct vhu_pcapng_writer *writer)
{
	struct stat st;
	int flags = fcntl(writer->fd, F_GETFL);

	if (flags < 0 || fstat(writer->fd, &st))
		return -errno;
	writer->regular = S_ISREG(st.st_mode);
	if (writer->regular)
		writer->end = flags & O_APPEND ? st.st_size : lseek(writer->fd, 0, SEEK_CUR);
	return writer->end < 0 ? -errno : 0;
}

int vhu_pcapng_writer_open(struct vhu_pcapng_writer **to, int fd, uint32_t snaplen,
			   const char *comment)
{
	struct vhu_pcapng_writer *writer = calloc(1, sizeof(*writer));
	uint8_t *end;
	int ret;

	if (!writer)
		return -ENOMEM;
	writer->fd = fd;
	writer->snaplen =
	    snaplen && snaplen < VHU_PCAPNG_SNAPLEN_DEFAULT ? snaplen : VHU_PCAPNG_SNAPLEN_DEFAULT;
	ret = find_end(writer);
	if (!ret) {
		/* libpcap takes no file without an interface, not even one without packets. */
		end = put_interface(put_section(writer->buffer, comment), "vhu", "");
		ret = write_blocks(writer, (size_t)(end - writer->buffer));
		writer->interfaces = 1;
	}
	if (ret)
		free(writer);
	else
		*to = writer;
	return ret;
}

/* What ending a capture needs in each session; twalk_r(3) passes it on. */
struct ending {
	struct vhu_pcapng_writer *writer;
	uint64_t time_ns;
	int ret;
};

/* Write the statistics of one session that is still open. */
static void end_session(const void *node, VISIT visit, void *closure)
{
	struct session *const *session = node;
	struct ending *ending = closure;
	struct vhu_pcapng_writer *writer = ending->writer;
	uint8_t *end;

	if ((visit != postorder && visit != leaf) || !(*session)->described || ending->ret)
		return;
	ending->ret = make_room(writer);
	if (ending->ret)
		return;
	end = put_statistics(writer->buffer, (*session)->interface, ending->time_ns,
			     (*session)->counts);
	ending->ret = write_blocks(writer, (size_t)(end - writer->buffer));
	if (ending->ret)
		return;
	writer->told.records += (*session)->counts.records;
	writer->told.lost += (*session)->counts.lost;
}

int vhu_pcapng_writer_close(struct vhu_pcapng_writer *writer)
{
	struct ending ending = {.writer = writer};
	struct vhu_pcapng_counts rest;
	struct timespec now;
	uint8_t *end;

	if (!writer)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	ending.time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	twalk_r(writer->sessions, end_session, &ending);
	if (!ending.ret)
		ending.ret = make_room(writer);
	if (!ending.ret) {
		rest = writer->counts;
		rest.records -= writer->told.records;
		rest.lost -= writer->told.lost;
		end = put_statistics(writer->buffer, 0, ending.time_ns, rest);
		ending.ret = write_blocks(writer, (size_t)(end - writer->buffer));
	}
	if (!ending.ret)
		ending.ret = write_tail(writer);
	tdestroy(writer->sessions, free);
	free(writer);
	return ending.ret;
}
