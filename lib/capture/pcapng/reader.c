/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads captures: takes our records out of a file's packets.
 *
 * A followed file ends with the name of the next file of the capture. That one has
 * been begun by then. It begins with what the reader has seen in the one before, which is passed
 * over.
 */
#include "lib/capture/pcapng/pcapng.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/capture/packets/packets.h"

#define LINKTYPE_WIRESHARK_UPPER_PDU 252

struct vhu_pcapng_reader {
	struct vhu_packets packets;
	bool open;         /* packets is */
	char *path;        /* of the file */
	char *next;        /* file of the capture; NULL none */
	bool again;        /* the file has only told again so far */
	char *const *then; /* files to go on to, if the capture says so */
	int thens, gone_on;
	bool follow; /* the last of them */
	uint64_t number, foreign, damaged;
	void (*idle)(void *with, uint64_t now_ns); /* may be NULL */
	void *idle_with;
	int end; /* 1 while there may be more, then what vhu_pcapng_read returns */
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_record record;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
};

/* Say why a file cannot be read (on), for a reason that is not its length. */
static void say_why(const struct vhu_packets *packets, int error, char *to)
{
	const char *why = strerror(-error);

	if (error == -EINTR)
		why = "interrupted";
	else if (packets->input.shrank)
		why = "shrank while it was being followed";
	else if (error == -EBADMSG && packets->wrong)
		why = packets->wrong;
	snprintf(to, VHU_PCAPNG_ERROR_SIZE, "%s", why);
}

/* Open the file at @path. Returns 0; -errno with why in @error. */
static int open_file(struct vhu_pcapng_reader *reader, const char *path, bool follow, char *error)
{
	int ret = vhu_packets_open(&reader->packets, path, follow);

	if (ret)
		say_why(&reader->packets, ret, error);
	reader->packets.input.idle = reader->idle;
	reader->packets.input.idle_with = reader->idle_with;
	reader->open = !ret;
	return ret;
}

int vhu_pcapng_reader_open(struct vhu_pcapng_reader **to, const char *path, bool follow,
			   char *error)
{
	struct vhu_pcapng_reader *reader = calloc(1, sizeof(*reader));
	int ret;

	if (!reader) {
		snprintf(error, VHU_PCAPNG_ERROR_SIZE, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = open_file(reader, path, follow, error);
	reader->path = strdup(path);
	if (!ret && !reader->path) {
		ret = -ENOMEM;
		snprintf(error, VHU_PCAPNG_ERROR_SIZE, "%s", strerror(ENOMEM));
	}
	if (ret) {
		vhu_pcapng_reader_close(reader);
		return ret;
	}
	reader->end = 1;
	*to = reader;
	return 0;
}

void vhu_pcapng_reader_on_idle(struct vhu_pcapng_reader *reader,
			       void (*idle)(void *with, uint64_t now_ns), void *with)
{
	reader->idle = reader->packets.input.idle = idle;
	reader->idle_with = reader->packets.input.idle_with = with;
}

void vhu_pcapng_reader_go_on(struct vhu_pcapng_reader *reader, char *const *paths, int count,
			     bool follow)
{
	reader->then = paths;
	reader->thens = count;
	reader->follow = follow;
}

int vhu_pcapng_reader_gone_on(const struct vhu_pcapng_reader *reader)
{
	return reader->gone_on;
}

const struct vhu_packets_head *vhu_pcapng_reader_head(const struct vhu_pcapng_reader *reader)
{
	return &reader->packets.head;
}

const char *vhu_pcapng_reader_path(const struct vhu_pcapng_reader *reader)
{
	return reader->path;
}

/* Return the last part of a path. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Note where the capture goes on, if that is what the record says: in the next of the files that
 * were given, if it has that name; if the file is followed, in the same folder, whatever the record
 * says.
 * Returns 0 or -ENOMEM.
 */
static int note_next(struct vhu_pcapng_reader *reader)
{
	const char *text = reader->record.text, *path = reader->path;
	bool given = reader->gone_on < reader->thens &&
		     !strcmp(name_of(reader->then[reader->gone_on]), text);

	if (reader->record.type != VHU_RECORD_CONTINUED || !*text || strchr(text, '/') ||
	    !strcmp(path, "-") || !(given || reader->packets.input.follow))
		return 0;
	if (given)
		reader->next = strdup(reader->then[reader->gone_on++]);
	else if (asprintf(&reader->next, "%.*s%s", (int)(name_of(path) - path), path, text) < 0)
		reader->next = NULL;
	return reader->next ? 0 : -ENOMEM;
}

/* Go on with the next file. Returns 0; -errno with why in reader->error. */
static int open_next(struct vhu_pcapng_reader *reader)
{
	bool follow =
	    reader->packets.input.follow || (reader->follow && reader->gone_on == reader->thens);
	const struct vhu_packets_head head = reader->packets.head;
	char error[VHU_PCAPNG_ERROR_SIZE];
	int ret;

	vhu_packets_close(&reader->packets);
	reader->open = false;
	reader->again = true;
	free(reader->path);
	reader->path = reader->next;
	reader->next = NULL;
	ret = open_file(reader, reader->path, follow, error);
	reader->packets.head = head;
	reader->packets.sections = 1;
	if (ret)
		snprintf(reader->error, sizeof(reader->error), "goes on in %.100s: %.120s",
			 name_of(reader->path), error);
	return ret;
}

/* Note what ended the reading. @got: what vhu_packets_read returned. Returns what vhu_pcapng_read
 * is to return. */
static int note_end(struct vhu_pcapng_reader *reader, int got)
{
	char *to = reader->error;

	if (!got) {
		snprintf(to, VHU_PCAPNG_ERROR_SIZE, "end of the capture");
		return 0;
	}
	if (got == -ENODATA)
		snprintf(to, VHU_PCAPNG_ERROR_SIZE,
			 "cut short in the middle of a block, after packet %" PRIu64,
			 reader->number);
	else if (got == -EBADMSG && reader->packets.wrong)
		snprintf(to, VHU_PCAPNG_ERROR_SIZE, "damaged after packet %" PRIu64 ": %s",
			 reader->number, reader->packets.wrong);
	else
		say_why(&reader->packets, got, to);
	return got == -ENODATA ? -EBADMSG : got;
}

/* Note that a packet has a record that a later version wrote. Returns -EPROTONOSUPPORT. */
static int note_later(struct vhu_pcapng_reader *reader, uint8_t version)
{
	snprintf(reader->error, sizeof(reader->error),
		 "packet %" PRIu64 " is a record of version %u, and this vhu reads version %u: "
		 "use a later vhu",
		 reader->number, version, VHU_RECORD_VERSION);
	return -EPROTONOSUPPORT;
}

/* Decode the packet's record. Returns as vhu_record_decode. */
static int decode(struct vhu_pcapng_reader *reader, const struct vhu_packet *packet)
{
	if (packet->link_type != LINKTYPE_WIRESHARK_UPPER_PDU)
		return -ENOMSG;
	return vhu_record_decode(&reader->record, reader->fd, packet->bytes, packet->size,
				 packet->sent);
}

int vhu_pcapng_read(struct vhu_pcapng_reader *reader, const struct vhu_record **record)
{
	struct vhu_packet packet;

	while (reader->end > 0) {
		int ret = reader->next ? open_next(reader) : 0;

		if (ret) {
			reader->end = ret;
			break;
		}
		ret = vhu_packets_read(&reader->packets, &packet);
		if (ret != 1) {
			reader->end = note_end(reader, ret);
			break;
		}
		reader->number++;
		ret = decode(reader, &packet);
		if (ret == -EPROTONOSUPPORT) {
			reader->end = note_later(reader, reader->record.version);
			break;
		}
		reader->again = reader->again && !ret && (reader->record.marks & VHU_MARK_EARLIER);
		if (reader->again) {
			reader->number--;
			continue;
		}
		if (!ret && note_next(reader)) {
			snprintf(reader->error, sizeof(reader->error), "%s", strerror(ENOMEM));
			reader->end = -ENOMEM;
			break;
		}
		if (!ret) {
			reader->record.time_ns = packet.time_ns;
			*record = &reader->record;
			return 1;
		}
		reader->foreign += ret == -ENOMSG;
		reader->damaged += ret != -ENOMSG;
	}
	return reader->end;
}

const char *vhu_pcapng_reader_error(const struct vhu_pcapng_reader *reader)
{
	return reader->error;
}

uint64_t vhu_pcapng_reader_foreign(const struct vhu_pcapng_reader *reader)
{
	return reader->foreign;
}

uint64_t vhu_pcapng_reader_damaged(const struct vhu_pcapng_reader *reader)
{
	return reader->damaged;
}

uint64_t vhu_pcapng_reader_number(const struct vhu_pcapng_reader *reader)
{
	return reader->number;
}

void vhu_pcapng_reader_close(struct vhu_pcapng_reader *reader)
{
	if (!reader)
		return;
	if (reader->open)
		vhu_packets_close(&reader->packets);
	free(reader->path);
	free(reader->next);
	free(reader);
}
