/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict on a vring: the order of looking for causes. */
#include "lib/ring/verdict/verdict.h"

#include <errno.h>
#include <string.h>

#include "lib/ring/verdict/judges.h"
#include "lib/util/util.h"

const struct vhu_ring_verdict_row vhu_ring_verdicts[VHU_RING_VERDICTS] = {
#define VHU_RING_VERDICT(id, text, title, advice, apart, unstick)                                  \
	[VHU_RING_##id] = {text, title, advice, apart, unstick},
#include "lib/ring/verdict/verdict.def"
};

bool vhu_ring_verdict_unsticks(const struct vhu_ring_verdict *verdict)
{
	bool unsticks = *vhu_ring_verdicts[verdict->id].unstick && !verdict->advice;

	for (unsigned i = 0; i < verdict->alternatives; i++)
		unsticks |= *vhu_ring_verdicts[verdict->alternative[i]].unstick;
	return verdict->hangs && unsticks;
}

const char *vhu_ring_verdict_apart(const struct vhu_ring_verdict *verdict)
{
	if (verdict->apart && verdict->alternatives)
		return verdict->apart;
	for (unsigned i = 0; i < verdict->alternatives; i++)
		if (*vhu_ring_verdicts[verdict->alternative[i]].apart)
			return vhu_ring_verdicts[verdict->alternative[i]].apart;
	return "";
}

/* Return whether two looks at a counter are alike: both unknown, or the same number. */
static bool same_counter(const struct vhu_ring_counter *older, const struct vhu_ring_counter *newer)
{
	return older->known == newer->known &&
	       (!older->known || (older->id == newer->id && older->count == newer->count));
}

/* Return whether nothing moved from one sample to the other. */
static bool is_still(const struct vhu_ring_evidence *evidence)
{
	const struct vhu_ring_sample *older = &evidence->sample[0], *newer = &evidence->sample[1];

	return newer->time_ns >= older->time_ns &&
	       newer->time_ns - older->time_ns >= VHU_RING_SAMPLES_APART &&
	       evidence->watch.moves == 0 && vhu_ring_snapshot_same(&older->ring, &newer->ring) &&
	       same_counter(&older->kick, &newer->kick) && same_counter(&older->call, &newer->call);
}

/* Return why memory could not be read, in words. */
static const char *reason_of(int error)
{
	switch (error) {
	case -ENXIO:
		return "its addresses are translated (ACCESS_PLATFORM), and no update of the IOTLB "
		       "that covers them is in force";
	case -EFAULT:
		return "it lies outside the memory regions that are known";
	case -ENODATA:
		return "the file of its memory is shorter than its region";
	}
	return strerror(-error);
}

/* Return what to do about it; NULL for what helps most often. */
static const char *advice_of(int error)
{
	switch (error) {
	case -ENXIO:
		return "was the session watched from its start? else name a capture that has it "
		       "(-r); "
		       "QEMU's monitor knows no updates";
	case -ENODATA:
		return "look at the front-end: which process has made the file shorter?";
	}
	return NULL;
}

/* Return whether a process has ended. */
static bool is_gone(const struct vhu_ring_process *process)
{
	return process->known && process->state == 'X';
}

/* Say that the memory could not be read. */
static bool judge_unread(struct vhu_judgement *judgement)
{
	const struct vhu_ring_sample *sample = judgement->evidence->sample;
	int error = sample[1].ring_error ? sample[1].ring_error : sample[0].ring_error;

	if (judgement->readable)
		return false;
	if (is_gone(&sample[1].front_end) && is_gone(&sample[1].back_end)) {
		vhu_line_add(&judgement->text,
			     "the vring's memory could not be read: the session's "
			     "processes have ended");
		judgement->verdict->advice =
		    "`vhu check` and `vhu dump` show what the capture has of the session";
		return vhu_judge_as(judgement, VHU_RING_UNREAD, false);
	}
	vhu_line_printf(&judgement->text, "the vring's memory could not be read: %s",
			reason_of(error));
	judgement->verdict->advice = advice_of(error);
	return vhu_judge_as(judgement, VHU_RING_UNREAD, false);
}

/* Say that the vring moves. */
static bool judge_moving(struct vhu_judgement *judgement)
{
	const struct vhu_ring_snapshot *older = &judgement->evidence->sample[0].ring;
	const struct vhu_ring_snapshot *newer = judgement->ring;

	if (judgement->still)
		return false;
	if (vhu_judge_dead(judgement))
		return true;
	vhu_line_printf(&judgement->text, "moving: available %u to %u, used %u to %u",
			older->available, newer->available, older->used, newer->used);
	return vhu_judge_as(judgement, VHU_RING_MOVING, false);
}

struct vhu_ring_verdict vhu_ring_judge(const struct vhu_ring_evidence *evidence)
{
	/* First what is true of a moving vring as well; then what waits; then what is used. */
	static bool (*const judges[])(struct vhu_judgement *) = {
	    vhu_judge_control, vhu_judge_mappings, vhu_judge_stopped,   vhu_judge_not_read,
	    judge_unread,      vhu_judge_indexes,  vhu_judge_busy_loop, judge_moving,
	    vhu_judge_proxy,   vhu_judge_views,    vhu_judge_restart,   vhu_judge_chains,
	    vhu_judge_deaf,    vhu_judge_call,     vhu_judge_inflight,  vhu_judge_waiting,
	    vhu_judge_dead,    vhu_judge_idle,
	};
	struct vhu_ring_verdict verdict = {.id = VHU_RING_D13};
	struct vhu_judgement judgement = {
	    .evidence = evidence,
	    .ring = &evidence->sample[1].ring,
	    .verdict = &verdict,
	    .readable = !evidence->sample[0].ring_error && !evidence->sample[1].ring_error,
	};

	judgement.text = vhu_line_in(verdict.text, sizeof(verdict.text));
	judgement.still = judgement.readable && is_still(evidence);
	for (size_t i = 0; i < VHU_ARRAY_SIZE(judges) && !judges[i](&judgement); i++)
		;
	return verdict;
}
