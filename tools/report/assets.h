/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The style and the programs of a page, which the build makes of page/ (assets.cmake). */
#ifndef VHU_TOOLS_REPORT_ASSETS_H
#define VHU_TOOLS_REPORT_ASSETS_H

struct vhu_report_asset {
	const unsigned char *text; /* ends with a NUL */
	const char *sha256;        /* in base64 */
};

extern const struct vhu_report_asset vhu_report_style;
extern const struct vhu_report_asset vhu_report_script[];
extern const unsigned vhu_report_scripts;

#endif
