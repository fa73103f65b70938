/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu latency -r counts only eventfds of the capture's session: the kernel gives the id of an
 * eventfd that is gone to the next one.
 *
 *	owner CASE          with VHU naming the program
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/util/util.h"
#include "tests/bpf/lib/tool.h"

/* What a capture says of the session whose eventfds two processes have. */
struct story {
	const char *name;
	bool named;       /* it names the processes that have the eventfds */
	bool ended;       /* it names a process that has ended */
	bool long_ago;    /* the session began before these processes */
	bool memory;      /* it has guest memory */
	bool same_memory; /* which is the memory of the processes that have the eventfds */
	const char *says; /* NULL: the vring is watched */
};

static const struct story story[] = {
    {"named", .named = true},
    {"ended", .ended = true, .says = "the session's processes have ended (front-end pid "},
    {"later", .named = true, .long_ago = true, .says = "the session's processes have ended"},
    {"memory", .memory = true, .same_memory = true},
    {"other_memory", .named = true, .memory = true,
     .says = "is not open in a process of the session any more, but in another"},
    {"unknown", .says = "cannot be told: nothing is counted"},
};

/* Write a message of session 1 with a descriptor. */
static void put(struct vhu_pcapng_writer *writer, enum vhu_message_id id, const uint8_t *payload,
		uint8_t size, struct vhu_fd_info *fd)
{
	uint8_t message[64] = {(uint8_t)vhu_messages[id].request, [4] = 1, [8] = size};
	struct vhu_record record = {
	    .time_ns = vhu_realtime_ns(),
	    .session = 1,
	    .message = message,
	    .message_size = 12U + size,
	    .message_sent = 12U + size,
	    .fds = 1,
	    .fd = fd,
	};

	memcpy(message + 12, payload, size);
	vhu_pcapng_write(writer, &record);
}

/* Write which eventfd vring 0 has. */
static void put_eventfd(struct vhu_pcapng_writer *writer, enum vhu_message_id id, int eventfd)
{
	struct vhu_fd_info fd = {
	    .kind = VHU_FD_EVENTFD, .has = VHU_FD_HAS_EVENTFD, .eventfd_id = eventfd_id(eventfd)};

	put(writer, id, (const uint8_t[8]){0}, 8, &fd);
}

/* Write which memory the session has. */
static void put_memory(struct vhu_pcapng_writer *writer, const struct stat *memory)
{
	const uint8_t table[40] = {[0] = 1, [17] = 0x10};
	struct vhu_fd_info fd = {.kind = VHU_FD_MEMFD,
				 .has = VHU_FD_HAS_INODE,
				 .inode = memory->st_ino,
				 .device = memory->st_dev};

	put(writer, VHU_MSG_SET_MEM_TABLE, table, sizeof(table), &fd);
}

/* Return the id of a process that has ended. */
static uint32_t ended_process(void)
{
	const pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	return (uint32_t)child;
}

/* Return memory: @kept: this process has it mapped, as those that it starts will; else nobody has
 * it any more. */
static struct stat memory_open(bool kept)
{
	const int memory = memfd_create("guest", MFD_CLOEXEC);
	struct stat file;

	if (memory < 0 || ftruncate(memory, 4096) || fstat(memory, &file) ||
	    (kept && mmap(NULL, 4096, PROT_READ, MAP_SHARED, memory, 0) == MAP_FAILED))
		exit(1);
	close(memory);
	return file;
}

/* Write the capture. */
static void tell(const struct story *is, int file, const struct pair *pair, pid_t back,
		 const struct stat *memory)
{
	struct vhu_record opened = {
	    .type = VHU_RECORD_OPENED,
	    .session = 1,
	    .time_ns = is->long_ago ? VHU_NS_PER_S : vhu_realtime_ns(),
	    .front_end = {.known = is->named || is->ended, .pid = (uint32_t)getpid()},
	    .back_end = {.known = is->named, .pid = (uint32_t)back},
	};
	struct vhu_pcapng_writer *writer;

	if (is->ended)
		opened.front_end.pid = ended_process();
	if (vhu_pcapng_writer_open(&writer, file, 0, NULL))
		exit(1);
	vhu_pcapng_write(writer, &opened);
	if (is->memory)
		put_memory(writer, memory);
	put_eventfd(writer, VHU_MSG_SET_VRING_CALL, pair->call);
	put_eventfd(writer, VHU_MSG_SET_VRING_KICK, pair->kick);
	vhu_pcapng_writer_close(writer);
}

/* Hold what vhu latency does with the capture against the story. */
static void check(const struct story *is, const char *path)
{
	char command[512], text[4096] = "";
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command),
		 "%s latency --json -r %s --interval 0 --duration 100ms 2>&1", getenv("VHU"), path);
	pipe = popen(command, "r");
	if (!pipe)
		exit(1);
	text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
	status = pclose(pipe);
	printf("%s: %s", is->name, text);
	tool_expect(WIFEXITED(status) && WEXITSTATUS(status) == (is->says ? 1 : 0), "status",
		    (uint64_t)status, is->says ? 1 : 0);
	tool_expect(is->says ? strstr(text, is->says) && !strstr(text, "\"kicks\"")
			     : strstr(text, "\"type\":\"counts\"") != NULL,
		    "text", 0, 1);
}

int main(int argc, char **argv)
{
	const struct plan plan = {.rounds = UINT32_MAX, .kicks = 1};
	char path[] = "/tmp/vhu-owner-XXXXXX";
	const int file = mkstemp(path);

	tool_need();
	for (size_t i = 0; i < VHU_ARRAY_SIZE(story); i++) {
		struct pair pair;
		pid_t back;
		struct stat memory;

		if (argc < 2 || strcmp(argv[1], story[i].name) != 0)
			continue;
		memory = memory_open(story[i].same_memory);
		pair_open(&pair, &plan);
		back = back_end_start(&pair, 1);
		tell(&story[i], file, &pair, back, &memory);
		check(&story[i], path);
		kill(back, SIGKILL);
		waitpid(back, NULL, 0);
	}
	unlink(path);
	return tool_failures ? 1 : 0;
}
