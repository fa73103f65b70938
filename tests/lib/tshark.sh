# SPDX-License-Identifier: GPL-2.0-or-later
# tshark with the plugin of a build folder, for test scripts to source.

# Say what is missing to run tshark with the plugin of build $1 and return 0; return 1 if nothing is.
vhu_tshark_lacks()
{
	if ! command -v tshark >/dev/null; then
		echo "skipped: tshark is not installed (package tshark)"
	elif ! ls "$1"/wsplugins/*/epan/vhost_user.so >/dev/null 2>&1; then
		echo "skipped: the plugin was not built (package libwireshark-dev)"
	else
		return 1
	fi
}

# Run tshark with the plugin of build $1. Root's plugins are ignored by tshark, so root is dropped,
# and takes the plugin along, since the build may lie where only root can look; what tshark reads and
# writes must be open to user 65534. A plugin built with sanitizers needs their library loaded first, and
# Wireshark's memory pools turned off so that each block has its own bounds. With
# $vhu_tshark_seconds set, tshark ends after so many, with status 124; with $vhu_tshark_lua set, it uses
# the dissector in Lua: "alone", without the plugin, or "beside" it.
vhu_tshark()
{
	_plugins=$1/wsplugins
	shift
	_home=$(mktemp -d)
	if [ -n "${vhu_tshark_lua-}" ]; then
		mkdir -p "$_home/.local/lib/wireshark/plugins" "$_home/none"
		cp "${_plugins%/*}/wslua/vhost_user.lua" "$_home/.local/lib/wireshark/plugins"
		[ "$vhu_tshark_lua" = beside ] || _plugins=$_home/none
	fi
	if [ "$(id -u)" = 0 ] && [ -d "$_plugins" ]; then
		cp -r "$_plugins" "$_home/wsplugins"
		chmod -R a+rX "$_home"
		_plugins=$_home/wsplugins
	fi
	set -- env HOME="$_home" WIRESHARK_PLUGIN_DIR="$_plugins" tshark "$@"
	_asan=$(ldd "$_plugins"/*/epan/vhost_user.so 2>/dev/null | awk '/libasan/ { print $3 }')
	if [ -n "$_asan" ]; then
		set -- env LD_PRELOAD="$_asan" ASAN_OPTIONS=detect_leaks=0 \
			WIRESHARK_DEBUG_WMEM_OVERRIDE=simple "$@"
	fi
	if [ "$(id -u)" = 0 ]; then
		chmod 777 "$_home"
		set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
	[ -z "${vhu_tshark_seconds-}" ] || set -- timeout -k 10 "$vhu_tshark_seconds" "$@"
	_status=0
	"$@" || _status=$?
	rm -rf "$_home"
	return $_status
}
