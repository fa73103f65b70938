/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A QEMU without a guest. */
#include "tests/e2e/qemu/driver/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRMWARE_SIZE 65536
#define RESET_VECTOR  0xfff0
/* Calls that open, feed and close sockets. */
#define TRACED                                                                                     \
	"trace=socket,connect,socketpair,sendmsg,recvmsg,sendto,recvfrom,read,write,"              \
	"readv,writev,close,dup,dup2,dup3"

/* A path of the party's own in the stage's folder: what it is, then whose. The caller frees it. */
static char *own_path(const struct qemu_stage *stage, const char *what, const char *name)
{
	char *both, *path;

	if (asprintf(&both, "%s.%s", what, name) < 0)
		abort();
	path = qemu_stage_path(stage, both);
	free(both);
	return path;
}

void qemu_machine_need(const char *program, const char *package)
{
	char *path = strdup(getenv("PATH") != NULL ? getenv("PATH") : ""), *file, *rest = path;
	const char *folder;
	bool found = false;

	while (!found && (folder = strsep(&rest, ":")) != NULL) {
		if (asprintf(&file, "%s/%s", folder, program) < 0)
			abort();
		found = access(file, X_OK) == 0;
		free(file);
	}
	free(path);
	if (found)
		return;
	printf("lacks %s: install the package %s\n", program, package);
	exit(77);
}

void qemu_command_add(struct qemu_command *command, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	if (command->words == QEMU_MACHINE_WORDS_MAX ||
	    vasprintf(&command->word[command->words++], format, values) < 0)
		abort();
	va_end(values);
}

void qemu_command_words(struct qemu_command *command, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;

	while ((word = strsep(&rest, " ")) != NULL)
		qemu_command_add(command, "%s", word);
	free(copy);
}

void qemu_command_start(struct qemu_stage *stage, const char *name, struct qemu_command *command)
{
	command->word[command->words] = NULL;
	qemu_stage_start(stage, name, command->word);
	while (command->words > 0)
		free(command->word[--command->words]);
}

/* Make the firmware that does nothing, unless it is there. Returns its path, which the caller
 * frees.
 */
static char *make_firmware(struct qemu_stage *stage)
{
	static const uint8_t start_here[] = {0xfa, 0xf4, 0xeb, 0xfd}; /* cli; hlt; jump to hlt */
	char *path = qemu_stage_path(stage, "firmware");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, FIRMWARE_SIZE) != 0 ||
	    pwrite(fd, start_here, sizeof(start_here), RESET_VECTOR) != sizeof(start_here))
		qemu_stage_fail(stage, "%s: %s", path, strerror(errno));
	close(fd);
	return path;
}

/* Add where @machine is reached, from outside and by others like it. */
static void add_connections(struct qemu_command *command, const struct qemu_machine *machine)
{
	if (machine->qmp != NULL) {
		qemu_command_words(command, "-qmp");
		qemu_command_add(command, "unix:%s,server=on,wait=off", machine->qmp);
	}
	if (machine->incoming != NULL) {
		qemu_command_words(command, "-incoming");
		qemu_command_add(command, "%s", machine->incoming);
	}
}

/* Add the device whose back-end is met at the chardev "front-end". */
static void add_device(struct qemu_command *command, const struct qemu_machine *machine)
{
	const char *device = machine->device != NULL ? machine->device : "blk";

	if (strcmp(device, "net") == 0)
		qemu_command_words(command, "-netdev vhost-user,id=net,chardev=front-end");
	qemu_command_words(command, "-device");
	if (strcmp(device, "net") == 0)
		qemu_command_words(command, "virtio-net-device,netdev=net");
	else if (strcmp(device, "fs") == 0)
		qemu_command_words(command, "vhost-user-fs-device,chardev=front-end,tag=shared");
	else if (strcmp(device, "rng") == 0)
		qemu_command_words(command, "vhost-user-rng,chardev=front-end");
	else
		qemu_command_add(command, "vhost-user-blk,chardev=front-end,num-queues=%u",
				 machine->queues);
}

/* Return QEMU's option for a socket to reconnect every second: QEMU 9.2 renamed it. */
static const char *reconnect_option(void)
{
	FILE *told = popen("qemu-system-x86_64 -version", "r");
	unsigned int major = 0, minor = 0;
	int numbers = told ? fscanf(told, "QEMU emulator version %u.%u", &major, &minor) : 0;

	if (told)
		pclose(told);
	if (numbers != 2) {
		printf("qemu-system-x86_64 -version: no version\n");
		exit(1);
	}
	return major > 9 || (major == 9 && minor >= 2) ? "reconnect-ms=1000" : "reconnect=1";
}

/* Add the socket of the back-end of @machine. */
static void add_chardev(struct qemu_command *command, const struct qemu_machine *machine)
{
	qemu_command_words(command, "-chardev");
	qemu_command_add(command, "socket,id=front-end,path=%s%s%s%s%s", machine->front,
			 machine->chardev ? "," : "", machine->chardev ? machine->chardev : "",
			 machine->reconnect ? "," : "",
			 machine->reconnect ? reconnect_option() : "");
}

/* Add the memory of @machine. */
static void add_memory(struct qemu_command *command, const struct qemu_machine *machine)
{
	const char *memory = machine->memory != NULL ? machine->memory : "64M";

	qemu_command_add(command, "-m");
	qemu_command_add(command, "%.*s", (int)strcspn(memory, ","), memory);
	qemu_command_add(command, "-object");
	qemu_command_add(command, "memory-backend-memfd,id=memory,share=%s,size=%s",
			 machine->private_memory ? "off" : "on", memory);
}

int qemu_machine_start(struct qemu_stage *stage, const struct qemu_machine *machine)
{
	struct qemu_command command = {.words = 0};
	char *firmware = make_firmware(stage), *qtest = own_path(stage, "qtest", machine->name);
	int listener = qemu_stage_listen(stage, qtest);

	if (machine->strace != NULL) {
		/* -D: QEMU stays our child, and what we signal. */
		qemu_command_words(&command, "strace -D -f -q -y -xx -s 1048576 -e " TRACED " -o");
		qemu_command_add(&command, "%s", machine->strace);
	}
	qemu_command_words(&command,
			   "qemu-system-x86_64 -M microvm,memory-backend=memory -accel tcg "
			   "-nodefaults -display none -qtest-log /dev/null "
			   "-global virtio-mmio.force-legacy=false");
	add_memory(&command, machine);
	qemu_command_add(&command, "-bios");
	qemu_command_add(&command, "%s", firmware);
	qemu_command_add(&command, "-qtest");
	qemu_command_add(&command, "unix:%s", qtest);
	add_connections(&command, machine);
	add_chardev(&command, machine);
	add_device(&command, machine);
	qemu_command_start(stage, machine->name, &command);
	free(firmware);
	listener = qemu_stage_accept(stage, machine->name, listener);
	unlink(qtest);
	free(qtest);
	return listener;
}
