/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads captures: libpcap takes the file apart, this takes out our packets.
 *
 * libpcap reads through a stream of ours (fopencookie), which at the end of a file that is followed
 * waits for more. So libpcap never sees the middle of a block that is still being written. What
 * stopped the stream is kept, because libpcap tells it by texts only.
 *
 * A file that is followed ends where it says in which other one the capture goes on. That one has
 * been begun by then. It begins with what the reader has seen in the one before, which is passed
 * over.
 *
 * Ownership: the reader owns libpcap's handle, that owns the stream, and the stream the
 * descriptors.
 */
#include "lib/capture/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKTYPE_WIRESHARK_UPPER_PDU 252
#define STREAM_BUFFER_SIZE           (128 * 1024)
/* How often to look for more: with inotify only for file systems that it does not see into. */
#define LOOK_MS                      1000
#define LOOK_WITHOUT_INOTIFY_MS      100

_Static_assert(VHU_PCAPNG_ERROR_SIZE == PCAP_ERRBUF_SIZE, "libpcap writes into our room");

/* The file as libpcap reads it. */
struct stream {
	int fd;
	int watch;   /* inotify; -1 without */
	bool follow; /* wait for more where the file ends */
	bool shrank; /* while being followed */
	bool ended;  /* there was no more */
	int error;   /* -errno that stopped it; 0 */
	off_t taken; /* bytes */
};

struct vhu_pcapng_reader {
	struct stream stream;
	pcap_t *pcap;
	char *path; /* of the file that is followed; NULL without */
	bool ours;  /* the file's packets are of our link type */
	bool on;    /* the capture goes on in `next` */
	bool again; /* the file has only told again so far */
	char next[VHU_RECORD_TEXT_MAX + 1];
	uint64_t number, foreign, damaged;
	int end; /* 1 while there may be more, then what vhu_pcapng_read returns */
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_record record;
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
};

/* Wait until a file that is followed may have more. Returns 0; -EINTR. */
static int wait_for_more(struct stream *stream)
{
	struct pollfd watched = {.fd = stream->watch, .events = POLLIN};
	_Alignas(struct inotify_event) char events[sizeof(struct inotify_event) + NAME_MAX + 1];
	struct stat st;
	int ready;

	if (!fstat(stream->fd, &st) && st.st_size < stream->taken) {
		stream->shrank = true;
		return -EBADMSG;
	}
	ready = poll(&watched, 1, stream->watch < 0 ? LOOK_WITHOUT_INOTIFY_MS : LOOK_MS);
	if (ready < 0)
		return -errno;
	/* What the events are does not matter: reading tells whether there is more. */
	while (ready && read(stream->watch, events, sizeof(events)) > 0)
		continue;
	return 0;
}

/* Read for libpcap. @cookie: the stream. Returns bytes, 0 at the end, -1 and errno. */
static ssize_t read_stream(void *cookie, char *to, size_t size)
{
	struct stream *stream = cookie;

	while (!stream->error) {
		ssize_t got = read(stream->fd, to, size);

		if (got > 0) {
			stream->taken += got;
			return got;
		}
		if (!got && !stream->follow) {
			stream->ended = true;
			return 0;
		}
		stream->error = got ? -errno : wait_for_more(stream);
	}
	errno = -stream->error;
	return -1;
}

/* Close the stream's descriptors, for fclose. Returns 0. */
static int close_stream(void *cookie)
{
	struct stream *stream = cookie;

	if (stream->watch >= 0)
		close(stream->watch);
	close(stream->fd);
	return 0;
}

/* Begin to watch the file. Without a watch it is looked at every now and then. */
static void watch_stream(struct stream *stream)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", stream->fd);
	stream->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (stream->watch >= 0 && inotify_add_watch(stream->watch, path, IN_MODIFY) < 0) {
		close(stream->watch);
		stream->watch = -1;
	}
}

/*
 * Open the file at @path ("-": standard input) as a stream. Only regular files are followed: a pipe
 * ends when its writer does.
 * Returns 0 and *@file, whose closing closes all; -errno.
 */
static int open_stream(struct stream *stream, const char *path, bool follow, FILE **file)
{
	static const cookie_io_functions_t io = {.read = read_stream, .close = close_stream};
	struct stat st;
	int ret = 0;

	stream->watch = -1;
	stream->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				       : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (stream->fd < 0)
		return -errno;
	if (fstat(stream->fd, &st)) {
		ret = -errno;
	} else if (S_ISREG(st.st_mode) && follow) {
		/* Standard input may have been read from already. */
		off_t at = lseek(stream->fd, 0, SEEK_CUR);

		stream->taken = at > 0 ? at : 0;
		stream->follow = true;
		watch_stream(stream);
	}
	*file = ret ? NULL : fopencookie(stream, "r", io);
	if (!*file) {
		ret = ret ? ret : -errno;
		close_stream(stream);
		return ret;
	}
	setvbuf(*file, NULL, _IOFBF, STREAM_BUFFER_SIZE);
	return 0;
}

/*
 * Say why libpcap did not open the stream.
 * @why: what libpcap says. @error: gets the line; may be the same as @why.
 * Returns -errno.
 */
static int refuse(const struct stream *stream, const char *why, char *error)
{
	char text[VHU_PCAPNG_ERROR_SIZE];

	if (stream->error == -EINTR)
		snprintf(text, sizeof(text), "interrupted");
	else if (stream->shrank)
		snprintf(text, sizeof(text), "shrank while it was being followed");
	else if (stream->error)
		snprintf(text, sizeof(text), "%s", strerror(-stream->error));
	else if (!stream->taken)
		snprintf(text, sizeof(text), "empty, not even a capture's header");
	else
		snprintf(text, sizeof(text), "not a capture in pcapng or pcap: %.180s", why);
	memcpy(error, text, sizeof(text));
	return stream->error ? stream->error : -EBADMSG;
}

/* Open the file at @path for libpcap. Returns 0; -errno with why in @error. */
static int open_file(struct vhu_pcapng_reader *reader, const char *path, bool follow, char *error)
{
	FILE *file;
	int ret;

	memset(&reader->stream, 0, sizeof(reader->stream));
	ret = open_stream(&reader->stream, path, follow, &file);
	if (ret) {
		snprintf(error, VHU_PCAPNG_ERROR_SIZE, "%s", strerror(-ret));
		return ret;
	}
	reader->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO,
								reader->error);
	if (!reader->pcap) {
		ret = refuse(&reader->stream, reader->error, error);
		fclose(file);
		return ret;
	}
	reader->ours = pcap_datalink(reader->pcap) == LINKTYPE_WIRESHARK_UPPER_PDU;
	return 0;
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
	if (!ret && reader->stream.follow && strcmp(path, "-")) {
		reader->path = strdup(path);
		if (!reader->path) {
			ret = -ENOMEM;
			snprintf(error, VHU_PCAPNG_ERROR_SIZE, "%s", strerror(ENOMEM));
		}
	}
	if (ret) {
		vhu_pcapng_reader_close(reader);
		return ret;
	}
	reader->end = 1;
	*to = reader;
	return 0;
}

/* Note where the capture goes on, if that is what the record says: in the same folder, whatever it
 * says. */
static void note_next(struct vhu_pcapng_reader *reader)
{
	const char *text = reader->record.text;

	if (!reader->path || reader->record.type != VHU_RECORD_CONTINUED || !*text ||
	    strchr(text, '/'))
		return;
	snprintf(reader->next, sizeof(reader->next), "%s", text);
	reader->on = true;
}

/* Go on with the next file. Returns 0; -errno with why in reader->error. */
static int open_next(struct vhu_pcapng_reader *reader)
{
	const char *slash = strrchr(reader->path, '/');
	char error[VHU_PCAPNG_ERROR_SIZE];
	char *path = NULL;
	int ret;

	pcap_close(reader->pcap);
	reader->pcap = NULL;
	reader->on = false;
	reader->again = true;
	if (asprintf(&path, "%.*s%s", slash ? (int)(slash + 1 - reader->path) : 0, reader->path,
		     reader->next) < 0) {
		snprintf(reader->error, sizeof(reader->error), "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	free(reader->path);
	reader->path = path;
	ret = open_file(reader, path, true, error);
	if (ret)
		snprintf(reader->error, sizeof(reader->error), "goes on in %.100s: %.120s",
			 reader->next, error);
	return ret;
}

/* Note what ended the reading. Returns what vhu_pcapng_read is to return. */
static int note_end(struct vhu_pcapng_reader *reader, int status)
{
	const struct stream *stream = &reader->stream;
	char *to = reader->error;

	if (status == PCAP_ERROR_BREAK) {
		snprintf(to, VHU_PCAPNG_ERROR_SIZE, "end of the capture");
		return 0;
	}
	if (stream->error)
		return refuse(stream, "", to);
	if (stream->ended)
		snprintf(to, VHU_PCAPNG_ERROR_SIZE,
			 "cut short in the middle of a block, after packet %" PRIu64,
			 reader->number);
	else
		snprintf(to, VHU_PCAPNG_ERROR_SIZE, "damaged after packet %" PRIu64 ": %.180s",
			 reader->number, pcap_geterr(reader->pcap));
	return -EBADMSG;
}

int vhu_pcapng_read(struct vhu_pcapng_reader *reader, const struct vhu_record **record)
{
	struct pcap_pkthdr *head;
	const u_char *bytes;

	while (reader->end > 0) {
		int ret = reader->on ? open_next(reader) : 0;

		if (ret) {
			reader->end = ret;
			break;
		}
		ret = pcap_next_ex(reader->pcap, &head, &bytes);
		if (ret != 1) {
			reader->end = note_end(reader, ret);
			break;
		}
		reader->number++;
		ret = reader->ours ? vhu_record_decode(&reader->record, reader->fd, bytes,
						       head->caplen, head->len)
				   : -ENOMSG;
		reader->again = reader->again && !ret && (reader->record.marks & VHU_MARK_EARLIER);
		if (reader->again) {
			reader->number--;
			continue;
		}
		if (!ret) {
			note_next(reader);
			reader->record.time_ns =
			    (uint64_t)head->ts.tv_sec * 1000000000 + (uint64_t)head->ts.tv_usec;
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
	if (reader->pcap)
		pcap_close(reader->pcap);
	free(reader->path);
	free(reader);
}
