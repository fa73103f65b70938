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
 *
 * Blocks that are held gather at the buffer's beginning. Interfaces that are described among them
 * are taken back with them where they cannot be written.
 */
#include "lib/capture/pcapng/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture/pcapng/block.h"
#include "lib/util/util.h"

/* Room for a packet with all that may stand around it: its block, an interface block and a
 * statistics block, each with its texts. */
#define BUFFER_SIZE (VHU_PCAPNG_SNAPLEN_DEFAULT + 4 * VHU_RECORD_TEXT_MAX + 1024)

/* Sessions that are found without a search, if their numbers are not far apart. */
#define LATEST 256

_Static_assert(VHU_RECORD_HEAD_MAX < VHU_PCAPNG_SNAPLEN_DEFAULT, "a head is never cut");
_Static_assert(VHU_BLOCK_COMMENT_MAX + 1024 < BUFFER_SIZE, "a section header fits");

/* A session that was seen and has not closed. */
struct vhu_pcapng_session {
	uint64_t number;
	bool described; /* it has an interface in the file */
	uint32_t interface;
	struct vhu_pcapng_counts counts;
};

struct vhu_pcapng_writer {
	int fd;
	bool regular; /* can be taken back to `end` */
	int gone;     /* -EPIPE once the reader has closed the pipe, 0 before */
	off_t end;    /* regular: where the last whole block ends */
	uint32_t snaplen;
	uint32_t interfaces; /* described so far */
	uint32_t written;    /* of them, in the file: others are held */
	bool holding;
	size_t held;                     /* bytes of whole blocks at the buffer's beginning */
	struct vhu_pcapng_counts counts; /* of all */
	struct vhu_pcapng_counts told;   /* the part of them that other interfaces tell */
	void *sessions; /* a tree of struct vhu_pcapng_session, as tsearch(3) makes it */
	struct vhu_pcapng_session
	    *latest[LATEST];    /* of it, by the end of their numbers: those found last */
	size_t tail, tail_size; /* in the buffer: the rest of a block that was begun */
	uint8_t buffer[BUFFER_SIZE];
};

/* Compare two sessions by their numbers, for tsearch(3). */
static int compare_sessions(const void *a, const void *b)
{
	const struct vhu_pcapng_session *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

/* Find session @number, or begin to remember it. Returns NULL where there is no memory for it. */
static struct vhu_pcapng_session *find_session(struct vhu_pcapng_writer *writer, uint64_t number)
{
	struct vhu_pcapng_session wanted = {.number = number}, *session;
	struct vhu_pcapng_session **latest = &writer->latest[number % LATEST], **node;

	if (*latest && (*latest)->number == number)
		return *latest;
	node = tfind(&wanted, &writer->sessions, compare_sessions);
	if (node)
		return *latest = *node;
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

/* For twalk_r(3): describe a session again if its description was held and is dropped. */
static void undescribe(const void *node, VISIT visit, void *closure)
{
	struct vhu_pcapng_session *const *session = node;
	const struct vhu_pcapng_writer *writer = closure;

	if ((visit == postorder || visit == leaf) && (*session)->described &&
	    (*session)->interface >= writer->written)
		(*session)->described = false;
}

/* Write the blocks that are held. Returns 0; -errno, and they are dropped. */
static int write_held(struct vhu_pcapng_writer *writer)
{
	int ret = writer->held ? write_blocks(writer, writer->held) : 0;

	writer->held = 0;
	if (ret) {
		twalk_r(writer->sessions, undescribe, writer);
		writer->interfaces = writer->written;
	}
	writer->written = writer->interfaces;
	return ret;
}

/* Return how many bytes @record takes at most, with what may stand around it. */
static size_t most_bytes(const struct vhu_record *record)
{
	return 8 * (VHU_RECORD_TEXT_MAX + 1) + 2048 +
	       (size_t)record->fds * (VHU_RECORD_TEXT_MAX + 64) + record->message_size;
}

/* Forget a session that closed. If its statistics were never written, the capture's own interface
 * reports its losses at the end. */
static void forget_session(struct vhu_pcapng_writer *writer, struct vhu_pcapng_session *session,
			   bool told)
{
	if (told) {
		writer->told.records += session->counts.records;
		writer->told.lost += session->counts.lost;
	}
	if (writer->latest[session->number % LATEST] == session)
		writer->latest[session->number % LATEST] = NULL;
	tdelete(session, &writer->sessions, compare_sessions);
	free(session);
}

/*
 * Write @record of @session (NULL: of none) and what must stand before and after it.
 * @closes: it is the session's last. Returns 0, -errno.
 */
static int write_record(struct vhu_pcapng_writer *writer, const struct vhu_record *record,
			struct vhu_pcapng_session *session, bool closes)
{
	bool describes = session && !session->described;
	uint32_t interface = session ? session->interface : 0;
	struct vhu_pcapng_counts counts;
	uint8_t *to;
	int ret = writer->held ? 0 : make_room(writer);

	if (!ret && writer->held && writer->held + most_bytes(record) > sizeof(writer->buffer)) {
		ret = write_held(writer);
		describes = session && !session->described;
	}
	if (ret)
		return ret;
	to = writer->buffer + writer->held;
	if (describes) {
		interface = writer->interfaces;
		to = vhu_block_session(to, record);
	}
	to = vhu_block_packet(to, record, interface, writer->snaplen);
	if (closes) {
		counts = session->counts;
		counts.records++;
		to = vhu_block_statistics(to, interface, record->time_ns, counts);
	}
	if (writer->holding)
		writer->held = (size_t)(to - writer->buffer);
	else
		ret = write_blocks(writer, (size_t)(to - writer->buffer));
	if (!ret && describes) {
		session->described = true;
		session->interface = writer->interfaces++;
	}
	if (!writer->holding)
		writer->written = writer->interfaces;
	return ret;
}

/* Write a record, unless @ret says already why it is lost, and count it. Returns 0, -errno. */
static int take_record(struct vhu_pcapng_writer *writer, const struct vhu_record *record, int ret)
{
	bool closes = record->session && record->type == VHU_RECORD_CLOSED &&
		      record->channel == VHU_FRONT_END;
	struct vhu_pcapng_session *session =
	    record->session ? find_session(writer, record->session) : NULL;
	struct vhu_pcapng_counts one;

	if (!ret)
		ret = record->session && !session ? -ENOMEM
						  : write_record(writer, record, session, closes);
	one = (struct vhu_pcapng_counts){.records = !ret, .lost = !!ret};
	/* Repeated records were counted when they passed, or did not pass. */
	if (record->marks & (VHU_MARK_EARLIER | VHU_MARK_LOST) ||
	    record->type == VHU_RECORD_CONTINUED)
		one = (struct vhu_pcapng_counts){0};
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

int vhu_pcapng_write(struct vhu_pcapng_writer *writer, const struct vhu_record *record)
{
	return take_record(writer, record, 0);
}

void vhu_pcapng_lose(struct vhu_pcapng_writer *writer, const struct vhu_record *record, int error)
{
	take_record(writer, record, error);
}

void vhu_pcapng_hold(struct vhu_pcapng_writer *writer)
{
	writer->holding = true;
}

int vhu_pcapng_release(struct vhu_pcapng_writer *writer)
{
	writer->holding = false;
	return write_held(writer);
}

uint64_t vhu_pcapng_writer_size(const struct vhu_pcapng_writer *writer)
{
	return (uint64_t)writer->end;
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
		end = vhu_block_interface(vhu_block_section(writer->buffer, comment), "vhu", "");
		ret = write_blocks(writer, (size_t)(end - writer->buffer));
		writer->interfaces = writer->written = 1;
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
	struct vhu_pcapng_session *const *session = node;
	struct ending *ending = closure;
	struct vhu_pcapng_writer *writer = ending->writer;
	uint8_t *end;

	if ((visit != postorder && visit != leaf) || !(*session)->described || ending->ret)
		return;
	ending->ret = make_room(writer);
	if (ending->ret)
		return;
	end = vhu_block_statistics(writer->buffer, (*session)->interface, ending->time_ns,
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
	uint8_t *end;

	if (!writer)
		return 0;
	ending.time_ns = vhu_realtime_ns();
	twalk_r(writer->sessions, end_session, &ending);
	if (!ending.ret)
		ending.ret = make_room(writer);
	if (!ending.ret) {
		rest = writer->counts;
		rest.records -= writer->told.records;
		rest.lost -= writer->told.lost;
		end = vhu_block_statistics(writer->buffer, 0, ending.time_ns, rest);
		ending.ret = write_blocks(writer, (size_t)(end - writer->buffer));
	}
	if (!ending.ret)
		ending.ret = write_tail(writer);
	tdestroy(writer->sessions, free);
	free(writer);
	return ending.ret;
}
