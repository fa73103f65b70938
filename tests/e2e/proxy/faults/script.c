/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages in short, to be sent and as they were received. */
#include "tests/e2e/proxy/faults/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/protocol/protocol.h"
#include "tests/lib/peer.h"

#define BYTES_MAX (1 << 20)

/* Read the message at @text, which ends with a blank or NUL, into @bytes. Returns its size. */
static size_t build(const char *text, uint8_t *bytes, unsigned int *nfds)
{
	const size_t length = strcspn(text, "=+!/ ");
	char name[64];
	const struct vhu_message *row;
	struct peer_header header = {0, 1, 0};
	char *at;

	snprintf(name, sizeof(name), "%.*s", (int)length, text);
	row = vhu_message_by_name(name);
	header.request = row ? row->request : (uint32_t)strtoul(name, NULL, 0);
	peer_check(header.request, "%s: no message", name);
	memset(bytes, 0, BYTES_MAX);
	at = (char *)text + length;
	while (*at == '=' || *at == ',') {
		const uint64_t value = strtoull(at + 1, &at, 0);

		memcpy(bytes + sizeof(header) + header.size, &value, sizeof(value));
		header.size += 8;
	}
	*nfds = 0;
	while (*at && *at != ' ') {
		const char kind = *at;
		const unsigned long value = strtoul(at + 1, &at, kind == '!' ? 16 : 0);

		if (kind == '+')
			*nfds = (unsigned int)value;
		else if (kind == '!')
			header.flags = (uint32_t)value;
		else if (kind == '/')
			header.size = (uint32_t)value;
		else
			peer_die("%s: what is %c?", text, kind);
	}
	memcpy(bytes, &header, sizeof(header));
	return sizeof(header) + header.size;
}

void script_send(int fd, const char *text, unsigned int *fds)
{
	static uint8_t bytes[BYTES_MAX];

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		int passed[PEER_FDS_MAX];
		unsigned int nfds;
		size_t size = build(text, bytes, &nfds);
		int ret;

		for (unsigned int i = 0; i < nfds; i++) {
			const char name[2] = {(char)('a' + (*fds)++ % 26), '\0'};

			passed[i] = memfd_create(name, MFD_CLOEXEC);
			peer_check(passed[i] >= 0, "memfd_create: %s", strerror(errno));
		}
		ret = peer_send(fd, bytes, size, passed, nfds);
		for (unsigned int i = 0; i < nfds; i++)
			close(passed[i]);
		if (ret == -EPIPE || ret == -ECONNRESET)
			return;
		peer_check(!ret, "%s: cannot send: %s", text, strerror(-ret));
		text += strcspn(text, " ");
	}
}

/* Write the name of what is open as @fd: that of a memfd, or its path's end. */
static void put_fd(FILE *to, int fd)
{
	char path[64], name[256];
	const char *last;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	peer_check(n > 0, "%s: %s", path, strerror(errno));
	name[n] = '\0';
	name[strcspn(name, " ")] = '\0';
	last = strrchr(name, '/');
	last = last ? last + 1 : name;
	fprintf(to, "%s", !strncmp(last, "memfd:", 6) ? last + 6 : last);
}

/* Received bytes, and those of them that descriptors came with. */
struct received {
	uint8_t *bytes;
	size_t size;
	struct {
		size_t at;
		int fd;
	} fd[PEER_FDS_MAX];
	unsigned int fds;
};

/* Write the descriptors that came with the bytes from @from up to @to. */
static void put_fds(FILE *to, const struct received *received, size_t from, size_t end)
{
	const char *before = "+";

	for (unsigned int i = 0; i < received->fds; i++) {
		if (received->fd[i].at < from || received->fd[i].at >= end)
			continue;
		fprintf(to, "%s", before);
		/* They ought to come with the first byte. */
		if (received->fd[i].at > from)
			fprintf(to, "(at %zu)", received->fd[i].at - from);
		put_fd(to, received->fd[i].fd);
		before = ",";
	}
}

/* Write the message at @at. Returns its size; 0 where it is not whole. */
static size_t put_message(FILE *to, const struct received *received, size_t at,
			  enum vhu_channel channel)
{
	const struct vhu_message *row[VHU_DIALECTS];
	struct peer_header header;
	const uint8_t *payload = received->bytes + at + sizeof(header);
	size_t size;

	if (received->size - at < sizeof(header))
		return 0;
	memcpy(&header, received->bytes + at, sizeof(header));
	size = sizeof(header) + (size_t)header.size;
	if (size > received->size - at)
		return 0;
	fprintf(to, "%s", at ? " " : "");
	if (vhu_message_find(channel, header.request, VHU_UPSTREAM, row))
		fprintf(to, "%s", row[0]->name);
	else
		fprintf(to, "%" PRIu32, header.request);
	for (uint32_t i = 0; i + 8 <= header.size && i < 64; i += 8) {
		uint64_t value;

		memcpy(&value, payload + i, sizeof(value));
		fprintf(to, value > 9 ? "%c0x%" PRIx64 : "%c%" PRIu64, i ? ',' : '=', value);
	}
	if (header.size % 8 || header.size > 64)
		fprintf(to, "/%" PRIu32, header.size);
	put_fds(to, received, at, at + size);
	if (header.flags != 1)
		fprintf(to, "!%" PRIx32, header.flags);
	return size;
}

void script_await(int fd, size_t size)
{
	const int64_t limit = peer_now_ms() + PEER_PATIENCE_MS;
	int there = 0;

	while (!ioctl(fd, FIONREAD, &there) && (size_t)there < size) {
		peer_check(peer_now_ms() < limit, "%d bytes came, not %zu", there, size);
		usleep(1000);
	}
	peer_check((size_t)there == size, "%d bytes came, not %zu", there, size);
}

/* Return how many bytes to receive next: of a header, then of its payload, as peers do; more would
 * bring the descriptors of what follows. */
static size_t next_part(const struct received *received, size_t begin)
{
	const size_t have = received->size - begin;
	struct peer_header header;

	if (have < sizeof(header))
		return sizeof(header) - have;
	memcpy(&header, received->bytes + begin, sizeof(header));
	return sizeof(header) + header.size - have;
}

const char *script_receive(int fd, enum vhu_channel channel, size_t most)
{
	static char text[2][SCRIPT_TEXT_MAX];
	static unsigned int turn;
	static uint8_t room[2 * BYTES_MAX];
	struct received received = {.bytes = room};
	char *into = text[turn ^= 1];
	FILE *to = fmemopen(into, SCRIPT_TEXT_MAX, "w");
	size_t at = 0, begin = 0, part, size;

	*into = '\0';
	while (!most || received.size < most) {
		int passed[PEER_FDS_MAX];
		unsigned int nfds = 0;
		ssize_t n;

		peer_check(peer_readable(fd, PEER_PATIENCE_MS),
			   "nothing more comes after %zu bytes", received.size);
		part = next_part(&received, begin);
		peer_check(part <= sizeof(room) - received.size, "a message of %zu bytes", part);
		n = peer_receive(fd, room + received.size, part, passed, &nfds);
		for (unsigned int i = 0; i < nfds; i++) {
			received.fd[received.fds].at = received.size;
			received.fd[received.fds++].fd = passed[i];
		}
		if (n == 0 || n == -ECONNRESET)
			break;
		peer_check(n > 0, "cannot receive: %s", strerror((int)-n));
		received.size += (size_t)n;
		if (!next_part(&received, begin))
			begin = received.size;
	}
	while ((size = put_message(to, &received, at, channel)))
		at += size;
	if (at < received.size) {
		fprintf(to, "%s~", at ? " " : "");
		for (size_t i = at; i < received.size && i < at + 64; i++)
			fprintf(to, "%02x", room[i]);
		put_fds(to, &received, at, received.size);
	}
	for (unsigned int i = 0; i < received.fds; i++)
		close(received.fd[i].fd);
	fclose(to);
	return into;
}

void script_expect(const char *what, const char *got, const char *expected)
{
	peer_check(!strcmp(got, expected), "%s\n  got      %s\n  expected %s", what, got, expected);
}
