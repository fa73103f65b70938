/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format, metric by metric. */
#include "proxy/control/exposition/exposition.h"

#include "lib/metrics/text.h"

/* Pairs that are written at a time. */
#define PAIRS_AT_ONCE 8

/* Return the next pair that is not written yet; NULL for none. */
static const struct vhu_pair *next_pair(const struct vhu_exposition *exposition)
{
	const struct vhu_pair *pair = exposition->proxy->pair;
	uint64_t pairs = exposition->pairs;

	if (pairs && exposition->left == exposition->proxy->left)
		return exposition->next;
	while (pair && pairs--)
		pair = pair->next;
	return pair;
}

/* Write samples of some more pairs. Returns whether that were all. */
static bool put_pairs(struct vhu_exposition *exposition, const struct vhu_exposition_family *family)
{
	const struct vhu_pair *pair = next_pair(exposition);

	for (unsigned i = 0; pair && i < PAIRS_AT_ONCE; i++, pair = pair->next) {
		vhu_metrics_escape(pair->end[VHU_FRONT].path, exposition->pair,
				   sizeof(exposition->pair));
		family->of_pair(exposition, pair);
		exposition->pairs++;
	}
	exposition->next = pair;
	exposition->left = exposition->proxy->left;
	return !pair;
}

bool vhu_exposition_go_on(struct vhu_exposition *exposition)
{
	const struct vhu_exposition_family *family = &vhu_exposition_families[exposition->family];
	bool whole = true;
	long before = ftell(exposition->to);

	if (!family->name) {
		if (exposition->open_metrics)
			fputs("# EOF\n", exposition->to);
		return false;
	}
	if (family->detailed && !exposition->pairs && exposition->written > VHU_EXPOSITION_MAX) {
		exposition->left_out++;
	} else {
		if (!exposition->pairs)
			vhu_metrics_put_head(exposition->to, family->name, family->type,
					     family->help, exposition->open_metrics);
		if (family->of_proxy)
			family->of_proxy(exposition);
		if (family->of_pair)
			whole = put_pairs(exposition, family);
	}
	exposition->written += (uint64_t)(ftell(exposition->to) - before);
	if (whole) {
		exposition->family++;
		exposition->pairs = 0;
	}
	return true;
}
