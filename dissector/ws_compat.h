/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wireshark as the plugin sees it: the one place that knows how its versions differ.
 *
 * Integers are those of <stdint.h> everywhere in the plugin; what Wireshark calls gint or gboolean
 * in one version and int or bool in another has a name here where its size or type matters.
 */
#ifndef VHU_DISSECTOR_WS_COMPAT_H
#define VHU_DISSECTOR_WS_COMPAT_H

#define WS_BUILD_DLL
#include <wireshark.h>

#include <epan/expert.h>
#include <epan/follow.h>
#include <epan/packet.h>
#include <epan/prefs.h>
#include <epan/strutil.h>
#include <epan/tap.h>
#include <epan/tfs.h>
#include <ws_version.h>
#include <wsutil/str_util.h>

#define WS_VERSION_AT_LEAST(major, minor)                                                          \
	(WIRESHARK_VERSION_MAJOR > (major) ||                                                      \
	 (WIRESHARK_VERSION_MAJOR == (major) && WIRESHARK_VERSION_MINOR >= (minor)))

#if WS_VERSION_AT_LEAST(4, 2)
#include <wsutil/plugins.h>
#define WS_HAS_PLUGIN_DESCRIBE 1
#else
#define WS_HAS_PLUGIN_DESCRIBE 0
#endif

/*
 * Escape what no terminal or list should be shown of @text: control characters, bytes that are no
 * UTF-8.
 * Returns the text in the memory of @scope.
 */
static inline const char *ws_printable(wmem_allocator_t *scope, const char *text, size_t size)
{
#if WS_VERSION_AT_LEAST(4, 2)
	return format_text(scope, text, size);
#else
	return format_text(scope, (const unsigned char *)text, size);
#endif
}

/* What separates menus in a statistic's name. */
#if WS_VERSION_AT_LEAST(4, 4)
#define WS_MENU_SEPARATOR "//"
#else
#define WS_MENU_SEPARATOR "/"
#endif

/* Register how streams are followed. @count: returns how many there are. */
static inline void ws_register_follow(int proto, const char *tap, follow_conv_filter_func packet,
				      follow_index_filter_func number,
				      follow_address_filter_func addresses,
				      follow_port_to_display_func port, tap_packet_cb message,
				      uint32_t (*count)(void))
{
#if WS_VERSION_AT_LEAST(4, 4)
	register_follow_stream(proto, tap, packet, number, addresses, port, message, count, NULL);
#else
	(void)count;
	register_follow_stream(proto, tap, packet, number, addresses, port, message);
#endif
}

/* Return whether somebody will look at @tree, rather than only filter or pick fields from it. */
static inline bool ws_is_visible(proto_tree *tree)
{
	return tree && PTREE_DATA(tree)->visible;
}

#endif
