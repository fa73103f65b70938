/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that is shared, to scale, with the areas of the vrings in it: above the regions, below
 * a part of each that has areas, so that these can be seen.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/util/util.h"
#include "tools/report/html/html.h"
#include "tools/report/report.h"

/* Regions that are drawn. */
#define REGIONS_SHOWN 48
/* Pixels: of a drawing, between regions that do not touch. */
#define WIDTH         1000.0
#define GAP           10.0

/* Write a size in bytes. */
static void put_size(FILE *to, uint64_t size)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)size;
	unsigned u = 0;

	for (; value >= 1024 && u + 1 < VHU_ARRAY_SIZE(unit); u++)
		value /= 1024;
	fprintf(to, value == (double)(uint64_t)value ? "%.0f&nbsp;%s" : "%.1f&nbsp;%s", value,
		unit[u]);
}

/* Order regions by where they lie in the guest. */
static int by_address(const void *one, const void *other)
{
	const struct vhu_report_region *const *a = one, *const *b = other;

	return ((*a)->guest_address > (*b)->guest_address) -
	       ((*a)->guest_address < (*b)->guest_address);
}

/* Draw where an area is, in a part of a region from @from on that is @length bytes long and drawn
 * from @x on, @width wide. */
static void put_area(FILE *to, const struct vhu_report_area *area, uint64_t from, uint64_t length,
		     double x, double width, unsigned y)
{
	double at = x + width * (double)(area->offset - from) / (double)length;
	double wide = width * (double)area->size / (double)length;

	fprintf(to, "<rect class=\"v%u\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"20\"><title>",
		area->vring % 8, at, y, wide < 2.5 ? 2.5 : wide);
	vhu_html_print(to, "vring %u, %s area, region %d +0x%" PRIx64, area->vring, area->name,
		       area->region, area->offset);
	fputs("</title></rect>", to);
}

/* Draw the regions in their order. */
static void put_regions(FILE *to, const struct vhu_report_vrings *vrings)
{
	const unsigned count = vrings->regions < REGIONS_SHOWN ? vrings->regions : REGIONS_SHOWN;
	const struct vhu_report_region *order[REGIONS_SHOWN];
	double total = 0, x = 0, room = WIDTH - GAP * (count - 1);

	for (unsigned i = 0; i < count; i++) {
		order[i] = &vrings->region[i];
		total += (double)order[i]->size;
	}
	qsort(order, count, sizeof(*order), by_address);
	fputs("<svg class=\"map\" viewBox=\"0 0 1000 30\" role=\"img\" aria-label=\"Regions of "
	      "memory to scale\">",
	      to);
	for (unsigned i = 0; i < count; i++) {
		double width = total > 0 ? room * (double)order[i]->size / total : 0;
		unsigned region = (unsigned)(order[i] - vrings->region);

		fprintf(to,
			"<rect class=\"region\" x=\"%.2f\" y=\"0\" width=\"%.2f\" "
			"height=\"30\"><title>region %u, guest 0x%" PRIx64 ", ",
			x, width < 2 ? 2 : width, region, order[i]->guest_address);
		put_size(to, order[i]->size);
		fputs("</title></rect>", to);
		for (unsigned a = 0; a < vrings->areas; a++)
			if (vrings->area[a].region == (int)region)
				put_area(to, &vrings->area[a], 0, order[i]->size, x, width, 5);
		x += width + GAP;
	}
	fputs("</svg>\n", to);
}

/* Draw the part of a region that has areas. */
static void put_part(FILE *to, const struct vhu_report_vrings *vrings, unsigned region)
{
	uint64_t from = UINT64_MAX, end = 0;

	for (unsigned i = 0; i < vrings->areas; i++) {
		const struct vhu_report_area *area = &vrings->area[i];

		if (area->region != (int)region)
			continue;
		from = area->offset < from ? area->offset : from;
		end = area->offset + area->size > end ? area->offset + area->size : end;
	}
	if (end <= from)
		return;
	fprintf(to, "<p class=\"quiet\">Region %u from +0x%" PRIx64 ", ", region, from);
	put_size(to, end - from);
	fputs(" that hold its vrings:</p><svg class=\"map\" viewBox=\"0 0 1000 20\" role=\"img\" "
	      "aria-label=\"Areas of the vrings to scale\"><rect class=\"region\" "
	      "width=\"1000\" height=\"20\"/>",
	      to);
	for (unsigned i = 0; i < vrings->areas; i++)
		if (vrings->area[i].region == (int)region)
			put_area(to, &vrings->area[i], from, end - from, 0, WIDTH, 0);
	fputs("</svg>\n", to);
}

/* Write which vring has which colour. */
static void put_legend(FILE *to, const struct vhu_report_vrings *vrings)
{
	if (!vrings->areas)
		return;
	fputs("<p class=\"legend\">", to);
	for (unsigned i = 0; i < vrings->areas; i += 3)
		if (i < 3 * 16)
			fprintf(to,
				"<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><rect "
				"class=\"v%u\" width=\"16\" height=\"16\"/></svg> vring %u ",
				vrings->area[i].vring % 8, vrings->area[i].vring);
	fputs("</p>\n", to);
}

/* Write where the areas lie. */
static void put_table(FILE *to, const struct vhu_report_vrings *vrings)
{
	fputs("<details><summary>Where each area lies</summary><div class=\"wide\"><table><tr><th "
	      "scope=\"col\">vring<th scope=\"col\">area<th scope=\"col\">region<th "
	      "scope=\"col\">offset<th scope=\"col\">size</tr>\n",
	      to);
	for (unsigned i = 0; i < vrings->areas; i++) {
		const struct vhu_report_area *area = &vrings->area[i];

		fprintf(to,
			"<tr><th scope=\"row\"><svg class=\"key\" viewBox=\"0 0 16 16\" "
			"aria-hidden=\"true\"><rect class=\"v%u\" width=\"16\" "
			"height=\"16\"/></svg> %u<td>%s<td>",
			area->vring % 8, area->vring, area->name);
		if (area->region < 0)
			fprintf(to, "<b>none</b><td>address 0x%" PRIx64, area->offset);
		else
			fprintf(to, "%d<td>+0x%" PRIx64, area->region, area->offset);
		fputs("<td>", to);
		put_size(to, area->size);
		fputs("</tr>\n", to);
	}
	fputs("</table></div></details>\n", to);
}

void vhu_html_memory(FILE *to, const struct vhu_report_session *session)
{
	const struct vhu_report_vrings *vrings = &session->vrings;
	uint64_t total = 0;
	unsigned outside = 0;

	if (!vrings->regions)
		return;
	for (unsigned i = 0; i < vrings->regions; i++)
		total += vrings->region[i].size;
	for (unsigned i = 0; i < vrings->areas; i++)
		outside += vrings->area[i].region < 0;
	fprintf(to, "<h3>Memory and the vrings in it</h3>\n<p>%u region%s, ", vrings->regions,
		vrings->regions == 1 ? "" : "s");
	put_size(to, total);
	fputs(", when message ", to);
	vhu_html_message(to, session->capture, vrings->map_by);
	fputs(" started a vring.", to);
	if (outside)
		fprintf(to, " <b>%u area%s of vrings in none of them.</b>", outside,
			outside == 1 ? " lies" : "s lie");
	if (!vrings->areas)
		fputs(" Where the vrings lie is not known: their addresses are not the guest's, or "
		      "were not set.",
		      to);
	fputs("</p>\n", to);
	put_regions(to, vrings);
	put_legend(to, vrings);
	for (unsigned i = 0; i < vrings->regions && i < REGIONS_SHOWN; i++)
		put_part(to, vrings, i);
	if (vrings->regions > REGIONS_SHOWN)
		fprintf(to, "<p>%u more regions are not drawn.</p>\n",
			vrings->regions - REGIONS_SHOWN);
	if (vrings->areas)
		put_table(to, vrings);
}
