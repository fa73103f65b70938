/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Wireshark looks for in the plugin's file. */
#include "dissector/ws_compat.h"

#include "dissector/dissect.h"

WS_DLL_PUBLIC_DEF const char plugin_version[] = VHU_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

WS_DLL_PUBLIC void plugin_register(void);

/* Register the plugin's only protocol. Called once, before any file is opened. */
void plugin_register(void)
{
	static proto_plugin vhost_user = {
	    .register_protoinfo = vhu_dissect_register,
	    .register_handoff = vhu_dissect_handoff,
	};

	proto_register_plugin(&vhost_user);
}

#if WS_HAS_PLUGIN_DESCRIBE
WS_DLL_PUBLIC uint32_t plugin_describe(void);

/* Return what kind of plugin this is. */
uint32_t plugin_describe(void)
{
	return WS_PLUGIN_DESC_DISSECTOR;
}
#endif
