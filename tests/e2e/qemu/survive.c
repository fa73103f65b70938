/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a real QEMU, without a guest, and its disk survive with `vhu proxy` between them: each of
 * the three killed or stopped with requests in flight, and a migration. No request is lost, all
 * data is the same.
 *
 *   qemu_survive [--direct] [--captures PREFIX] [--proxy OPTION]... BIN [CASE]
 *
 * BIN is the folder of vhu and the samples. --direct leaves the proxy out, and what concerns it.
 * Each OPTION goes to the proxy; it records each case in the file PREFIX and the case's name.
 *
 * Exits with 0, with 77 when a program is not there, else with 1 and every party's log on stderr.
 */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tests/e2e/qemu/driver/disk.h"
#include "tests/e2e/qemu/driver/qmp.h"

/* Memory that is filled with something, between what the vrings have and its end. */
#define FILLED_FROM (8l << 20)
#define FILLED_TO   (64l << 20)
/* How often a back-end is killed, at the least, and until it had requests in flight. */
#define KILLS       3
#define KILLS_MAX   40

/* Wait a moment for requests to progress. The result does not depend on how far they get. */
static void moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* See that another session of the same proxy goes on, whoever is stopped. */
static void disturb_nobody(struct qemu_disk *disk)
{
	struct qemu_command command = {.words = 0};
	char *front = qemu_disk_front(disk, 1);

	if (!disk->options->direct) {
		qemu_command_add(&command, "%s/vhu-sample-frontend", disk->options->bin);
		qemu_command_words(&command, "--timeout 60s --depth 8 --requests 100");
		qemu_command_add(&command, "%s", front);
		command.word[command.words] = NULL;
		qemu_stage_run(&disk->stage, "passer-by", command.word);
		while (command.words > 0)
			free(command.word[--command.words]);
	}
	free(front);
}

/* The back-end is killed with requests in flight, and another started: what was in flight is done
 * again, what was put meanwhile is done, nothing is lost. */
static void back_end_killed(struct qemu_disk *disk)
{
	unsigned int kills = 0;

	qemu_disk_qemu(disk);
	while (kills < KILLS || qemu_stage_said(&disk->stage, "back-end", "does again") < 2) {
		if (kills++ == KILLS_MAX)
			qemu_stage_fail(&disk->stage, "never was anything in flight");
		qemu_disk_write(disk);
		moment();
		qemu_stage_kill(&disk->stage, "back-end");
		qemu_disk_back_end(disk, "back-end", disk->back);
		qemu_disk_settle(disk);
	}
	qemu_disk_close(disk, "qemu", "back-end");
}

/* The same with the proxy. The back-end knows what was in flight from the front-end alone. */
static void proxy_killed(struct qemu_disk *disk)
{
	qemu_disk_qemu(disk);
	for (unsigned int i = 0; i < 2; i++) {
		qemu_disk_write(disk);
		moment();
		qemu_stage_kill(&disk->stage, "proxy");
		qemu_disk_proxy(disk);
		qemu_disk_settle(disk);
	}
	qemu_disk_close(disk, "qemu", "back-end");
}

/* QEMU is killed: the back-end serves the next one, the proxy keeps nothing of the first. */
static void front_end_killed(struct qemu_disk *disk)
{
	uint32_t written;

	qemu_disk_qemu(disk);
	qemu_disk_write(disk);
	qemu_disk_settle(disk);
	/* What was in flight then may be done or not. */
	written = disk->written;
	qemu_disk_write(disk);
	moment();
	qemu_stage_kill(&disk->stage, "qemu");
	close(disk->qtest[0].fd);
	disk->written = written;
	qemu_disk_qemu(disk);
	qemu_disk_write(disk);
	qemu_disk_settle(disk);
	qemu_disk_close(disk, "qemu", "back-end");
}

/* A stopped party stops no other, and its requests in flight complete when it goes on. */
static void stop(struct qemu_disk *disk, const char *party)
{
	/* Kicks and calls that do not come by the proxy do not need it. */
	bool past = strcmp(party, "proxy") == 0 && !disk->options->interposed;

	qemu_disk_qemu(disk);
	qemu_disk_write(disk);
	moment();
	qemu_stage_signal(&disk->stage, party, SIGSTOP);
	if (strcmp(party, "proxy") != 0)
		disturb_nobody(disk);
	if (past)
		qemu_disk_settle(disk);
	qemu_stage_signal(&disk->stage, party, SIGCONT);
	qemu_disk_settle(disk);
	/* QEMU is what requests are put through. */
	if (strcmp(party, "qemu") != 0) {
		qemu_stage_signal(&disk->stage, party, SIGSTOP);
		qemu_disk_write(disk);
		if (past)
			qemu_disk_settle(disk);
		else if (qemu_disk_in_flight(disk) != QEMU_DISK_QUEUES * QEMU_MMIO_SLOTS)
			qemu_stage_fail(&disk->stage, "requests complete while a party is stopped");
		qemu_stage_signal(&disk->stage, party, SIGCONT);
		qemu_disk_settle(disk);
	}
	qemu_disk_close(disk, "qemu", "back-end");
}

static void back_end_stopped(struct qemu_disk *disk)
{
	stop(disk, "back-end");
}

static void proxy_stopped(struct qemu_disk *disk)
{
	stop(disk, "proxy");
}

static void front_end_stopped(struct qemu_disk *disk)
{
	stop(disk, "qemu");
}

/* Return how many bytes of memory the migration has still to send; -1 when it is over. */
static long remaining(struct qemu_disk *disk, struct qemu_qmp *qmp)
{
	const char *answer = qemu_qmp_execute(qmp, "{\"execute\":\"query-migrate\"}");
	long bytes = qemu_qmp_number(answer, "\"remaining\"");

	qemu_stage_check_time(&disk->stage, "waiting for a migration");
	if (strstr(answer, "\"failed\"") != NULL)
		qemu_stage_fail(&disk->stage, "migration: %s", answer);
	if (strstr(answer, "\"completed\"") != NULL)
		return -1;
	return bytes < 0 ? LONG_MAX : bytes;
}

/* Limit how fast the migration goes, in bytes a second. */
static void limit(struct qemu_qmp *qmp, long rate)
{
	qemu_qmp_execute(qmp,
			 "{\"execute\":\"migrate-set-parameters\",\"arguments\":"
			 "{\"max-bandwidth\":%ld}}",
			 rate);
}

/*
 * Drive the source while it moves. Once the memory of the vrings has been sent, the device writes
 * there: that is known from its log alone. The rest of the memory is full, and takes long enough.
 * Pages are read that were not in the slots before.
 */
static void migrate(struct qemu_disk *disk, const char *monitor, const char *to)
{
	struct qemu_qmp qmp;
	long left;

	qemu_qtest_fill(&disk->qtest[0], FILLED_FROM, FILLED_TO - FILLED_FROM, 0x55);
	qemu_qmp_open(&qmp, &disk->stage, "source", monitor);
	limit(&qmp, (FILLED_TO - FILLED_FROM) / 30);
	qemu_qmp_execute(&qmp, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"%s\"}}", to);
	while ((left = remaining(disk, &qmp)) >= FILLED_TO - FILLED_FROM)
		moment();
	if (left < 0)
		qemu_stage_fail(&disk->stage, "the migration was over too early");
	qemu_disk_put(disk, 0, VIRTIO_BLK_T_IN, 0);
	qemu_disk_await(disk, 0);
	qemu_disk_put(disk, 1, VIRTIO_BLK_T_IN, QEMU_MMIO_SLOTS);
	limit(&qmp, 1l << 40);
	while (remaining(disk, &qmp) >= 0)
		moment();
	close(qmp.fd);
}

/* The virtual machine moves to another QEMU, with another back-end. What the first back-end wrote
 * to its memory is there, and it goes on. */
static void migrated(struct qemu_disk *disk)
{
	char *monitor = qemu_stage_path(&disk->stage, "monitor"), *to;
	char *front = qemu_disk_front(disk, 2), *back = qemu_stage_path(&disk->stage, "back2");
	struct qemu_machine source = {.name = "source", .front = disk->front, .qmp = monitor};
	struct qemu_machine target = {.name = "target", .front = front};

	if (asprintf(&to, "unix:%s/way", disk->stage.folder) < 0)
		abort();
	target.incoming = to;
	qemu_disk_back_end(disk, "next", back);
	qemu_disk_machine(disk, &source, &disk->qtest[0]);
	qemu_disk_device(disk);
	for (unsigned int i = 0; i < 2; i++) {
		qemu_disk_write(disk);
		qemu_disk_settle(disk);
	}
	qemu_disk_machine(disk, &target, &disk->qtest[1]);
	qemu_stage_await(&disk->stage, "target", to + strlen("unix:"));
	migrate(disk, monitor, to);
	qemu_stage_end(&disk->stage, "source", SIGTERM);
	qemu_stage_end(&disk->stage, "back-end", SIGTERM);
	close(disk->qtest[0].fd);

	disk->device.qtest = &disk->qtest[1];
	memset(disk->page, 0, sizeof(disk->page));
	qemu_disk_settle(disk);
	for (unsigned int queue = 0; queue < QEMU_DISK_QUEUES; queue++)
		qemu_disk_compare(disk, queue, queue * QEMU_MMIO_SLOTS);
	qemu_disk_write(disk);
	qemu_disk_settle(disk);
	qemu_disk_close(disk, "target", "next");
	free(monitor);
	free(to);
	free(front);
	free(back);
}

static const struct {
	const char *name;
	void (*run)(struct qemu_disk *disk);
	bool proxy; /* it is about the proxy */
} cases[] = {
    {"back_end_killed", back_end_killed, false},
    {"front_end_killed", front_end_killed, false},
    {"proxy_killed", proxy_killed, true},
    {"back_end_stopped", back_end_stopped, false},
    {"front_end_stopped", front_end_stopped, false},
    {"proxy_stopped", proxy_stopped, true},
    {"migrated", migrated, false},
};

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: qemu_survive [--direct] [--captures PREFIX] [--proxy OPTION]... BIN "
		"[CASE]\n");
	exit(2);
}

/* Read the command line. Returns the case that is to be run, NULL for all. */
static const char *parse(struct qemu_disk_options *options, int argc, char **argv)
{
	static const struct option known[] = {
	    {"direct", no_argument, NULL, 'd'},
	    {"captures", required_argument, NULL, 'w'},
	    {"proxy", required_argument, NULL, 'p'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'd') {
			options->direct = true;
		} else if (option == 'w') {
			options->captures = optarg;
		} else if (option == 'p' && options->proxies < QEMU_DISK_OPTIONS_MAX) {
			options->proxy[options->proxies++] = optarg;
			options->interposed |= strncmp(optarg, "--interpose", 11) == 0;
		} else {
			usage();
		}
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	options->bin = argv[optind];
	return argv[optind + 1];
}

int main(int argc, char **argv)
{
	static struct qemu_disk disk;
	struct qemu_disk_options options = {.bin = NULL};
	const char *only = parse(&options, argc, argv);
	bool found = false;

	qemu_machine_need("qemu-system-x86_64", "qemu-system-x86");
	for (size_t i = 0; i < VHU_ARRAY_SIZE(cases); i++) {
		if ((only != NULL && strcmp(only, cases[i].name) != 0) ||
		    (cases[i].proxy && options.direct))
			continue;
		printf("%s\n", cases[i].name);
		fflush(stdout);
		qemu_disk_open(&disk, &options, cases[i].name);
		cases[i].run(&disk);
		found = true;
	}
	if (!found)
		usage();
	return 0;
}
