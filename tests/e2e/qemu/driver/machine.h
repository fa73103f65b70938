/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU without a guest: its firmware is halt instructions, so the virtual machine runs, which
 * QEMU wants before it starts a vhost device, and does nothing. Its device is driven through qtest.
 */
#ifndef VHU_E2E_QEMU_MACHINE_H
#define VHU_E2E_QEMU_MACHINE_H

#include <stdbool.h>

#include "tests/e2e/qemu/driver/stage.h"

#define QEMU_MACHINE_WORDS_MAX 64

/* A command line that grows by formatted words. */
struct qemu_command {
	char *word[QEMU_MACHINE_WORDS_MAX + 1];
	unsigned int words;
};

/* What the machine is like; NULL will do for all but `name` and `front`. */
struct qemu_machine {
	const char *name;     /* of the party */
	const char *front;    /* the socket of its device's back-end */
	const char *chardev;  /* more of its options of that socket, as "server=on"; NULL */
	bool reconnect;       /* it connects to that socket again, every second */
	bool private_memory;  /* its memory is not shared, which is wrong */
	const char *memory;   /* its memory's size, as "4G", and more of its options; NULL: 64M */
	const char *device;   /* its type: "blk" (as NULL), "fs", "rng" or "net" */
	unsigned int queues;  /* of a disk */
	const char *qmp;      /* the socket where its monitor listens; NULL without one */
	const char *incoming; /* it waits for a migration from there: "unix:PATH" */
	const char *strace;   /* keeps what its calls on sockets moved there */
};

/* Add the word that @format makes to @command. */
void qemu_command_add(struct qemu_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add the words of @text, between which are single spaces. */
void qemu_command_words(struct qemu_command *command, const char *text);

/* Start @command as the party @name; its words are freed, and it can be used again. */
void qemu_command_start(struct qemu_stage *stage, const char *name, struct qemu_command *command);

/* End the program with 77 unless @program is somewhere in PATH. */
void qemu_machine_need(const char *program, const char *package);

/* Start @machine; its back-end must listen already. Returns its qtest connection. */
int qemu_machine_start(struct qemu_stage *stage, const struct qemu_machine *machine);

#endif
