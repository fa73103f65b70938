/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes captures of many frames for Wireshark to be measured on.
 *
 *	bench_frames vhost-user COUNT FILE SESSION	repeats the messages of the capture SESSION
 *	bench_frames dbus COUNT FILE			method calls and their returns
 *	bench_frames usb COUNT FILE			bulk transfers, submitted and complete
 *
 * Each repetition of a session has a number of its own, as it would in a long capture.
 */
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"

#define USBMON_HEADER_SIZE 64
#define USB_DATA_SIZE      31
#define SNAPLEN            65535

/* Bytes that are put together. */
struct bytes {
	uint8_t at[1024];
	size_t size;
};

/* Say what failed and exit. */
static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_frames: %s: %s\n", what, why);
	exit(1);
}

/* Append @size bytes of @value in the byte order of this machine; pcap files tell which that is,
 * and usbmon's headers have that of the capturing machine. */
static void put(struct bytes *bytes, const void *value, size_t size)
{
	memcpy(bytes->at + bytes->size, value, size);
	bytes->size += size;
}

/* Append a number of 4 bytes. */
static void put_u32(struct bytes *bytes, uint32_t value)
{
	put(bytes, &value, sizeof(value));
}

/* Append zeros up to a multiple of @align. */
static void pad(struct bytes *bytes, size_t align)
{
	while (bytes->size % align)
		bytes->at[bytes->size++] = 0;
}

/* Append a D-Bus string: its length, its bytes, a zero. */
static void put_string(struct bytes *bytes, const char *text)
{
	pad(bytes, 4);
	put_u32(bytes, (uint32_t)strlen(text));
	put(bytes, text, strlen(text) + 1);
}

/* Append a header field of D-Bus: its code and a variant of type @type with @text. */
static void put_field(struct bytes *bytes, uint8_t code, char type, const char *text)
{
	const uint8_t head[] = {code, 1, (uint8_t)type, 0};

	pad(bytes, 8);
	put(bytes, head, sizeof(head));
	if (type == 'g') {
		bytes->at[bytes->size++] = (uint8_t)strlen(text);
		put(bytes, text, strlen(text) + 1);
	} else {
		put_string(bytes, text);
	}
}

/* Make D-Bus message @number: a call, or the return of the one before it. */
static void make_dbus(struct bytes *bytes, uint32_t number)
{
	const uint16_t one = 1;
	const bool call = number % 2 == 0, little = *(const uint8_t *)&one;
	const uint8_t head[] = {little ? 'l' : 'B', call ? 1 : 2, 0, 1};
	const uint8_t serial_head[] = {5, 1, 'u', 0};
	struct bytes body = {.size = 0};
	size_t fields;
	uint32_t size;

	put_string(&body,
		   call ? "org.freedesktop.systemd1.Unit" : "/org/freedesktop/systemd1/unit");
	put_string(&body, "ActiveState");
	put(bytes, head, sizeof(head));
	put_u32(bytes, (uint32_t)body.size);
	put_u32(bytes, number + 1);
	put_u32(bytes, 0); /* size of the fields, filled in below */
	fields = bytes->size;
	if (call) {
		put_field(bytes, 1, 'o', "/org/freedesktop/systemd1/unit/ssh_2eservice");
		put_field(bytes, 2, 's', "org.freedesktop.DBus.Properties");
		put_field(bytes, 3, 's', "Get");
	} else {
		pad(bytes, 8);
		put(bytes, serial_head, sizeof(serial_head));
		put_u32(bytes, number);
	}
	put_field(bytes, 6, 's', call ? "org.freedesktop.systemd1" : ":1.42");
	put_field(bytes, 7, 's', call ? ":1.42" : ":1.1");
	put_field(bytes, 8, 'g', "ss");
	size = (uint32_t)(bytes->size - fields);
	memcpy(bytes->at + fields - sizeof(size), &size, sizeof(size));
	pad(bytes, 8);
	put(bytes, body.at, body.size);
}

/* Make USB frame @number: a bulk transfer out, as usbmon shows it when submitted and complete. */
static void make_usb(struct bytes *bytes, uint32_t number)
{
	const bool submit = number % 2 == 0;
	const uint64_t id = 0xffff888000000000u + number / 2 * 192u;
	const int64_t seconds = 1700000000 + number / 1000;
	const uint8_t kind[] = {submit ? 'S' : 'C', 3, 2, 5};
	const uint16_t bus = 1;
	const uint8_t flags[] = {'-', submit ? 0 : '>'};
	uint8_t data[USB_DATA_SIZE];

	put(bytes, &id, sizeof(id));
	put(bytes, kind, sizeof(kind));
	put(bytes, &bus, sizeof(bus));
	put(bytes, flags, sizeof(flags));
	put(bytes, &seconds, sizeof(seconds));
	put_u32(bytes, number % 1000 * 1000);
	put_u32(bytes, submit ? (uint32_t)-EINPROGRESS : 0);
	put_u32(bytes, USB_DATA_SIZE);
	put_u32(bytes, submit ? USB_DATA_SIZE : 0);
	memset(bytes->at + bytes->size, 0, USBMON_HEADER_SIZE - bytes->size);
	bytes->size = USBMON_HEADER_SIZE;
	if (!submit)
		return;
	memset(data, (int)number, sizeof(data));
	put(bytes, data, sizeof(data));
}

/* Write @count frames that @make makes to a pcap file. */
static void write_pcap(const char *path, int link_type, unsigned long count,
		       void (*make)(struct bytes *bytes, uint32_t number))
{
	pcap_t *pcap = pcap_open_dead(link_type, SNAPLEN);
	pcap_dumper_t *dumper = pcap ? pcap_dump_open(pcap, path) : NULL;

	if (!dumper)
		die(path, pcap ? pcap_geterr(pcap) : "out of memory");
	for (unsigned long i = 0; i < count; i++) {
		struct bytes bytes = {.size = 0};
		struct pcap_pkthdr header = {0};

		make(&bytes, (uint32_t)i);
		header.ts.tv_sec = (time_t)(1700000000 + i / 1000);
		header.ts.tv_usec = (suseconds_t)(i % 1000 * 1000);
		header.caplen = header.len = (bpf_u_int32)bytes.size;
		pcap_dump((u_char *)dumper, &header, bytes.at);
	}
	pcap_dump_close(dumper);
	pcap_close(pcap);
}

/* Copy the records of the capture @from to @writer, at most @left, as session @first and up.
 * Returns how many there were; *@sessions grows by how many sessions those were of. */
static unsigned long repeat(struct vhu_pcapng_writer *writer, const char *from, unsigned long left,
			    uint64_t *sessions)
{
	char error[256];
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	const uint64_t before = *sessions;
	unsigned long count = 0;

	if (vhu_pcapng_reader_open(&reader, from, false, error))
		die(from, error);
	while (count < left && vhu_pcapng_read(reader, &record) == 1) {
		struct vhu_record copy = *record;

		copy.session += before;
		copy.time_ns += before * 1000000000;
		if (copy.session > *sessions)
			*sessions = copy.session;
		if (vhu_pcapng_write(writer, &copy))
			die("capture", "cannot write");
		count++;
	}
	vhu_pcapng_reader_close(reader);
	if (!count)
		die(from, "holds no records");
	return count;
}

/* Write @count records to @path that repeat those of @from. */
static void write_vhost_user(const char *path, const char *from, unsigned long count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct vhu_pcapng_writer *writer;
	uint64_t sessions = 0;

	if (fd < 0)
		die(path, strerror(errno));
	if (vhu_pcapng_writer_open(&writer, fd, 0, "bench_frames"))
		die(path, "cannot write");
	while (count)
		count -= repeat(writer, from, count, &sessions);
	vhu_pcapng_writer_close(writer);
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (!count)
		return 2;
	if (!strcmp(argv[1], "dbus"))
		write_pcap(argv[3], DLT_DBUS, count, make_dbus);
	else if (!strcmp(argv[1], "usb"))
		write_pcap(argv[3], DLT_USB_LINUX_MMAPPED, count, make_usb);
	else if (!strcmp(argv[1], "vhost-user") && argc > 4)
		write_vhost_user(argv[3], argv[4], count);
	else
		return 2;
	return 0;
}
