#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cmake --install with a prefix in one's home folder: the command, the manual pages, and what Wireshark
# needs, where it looks for a user's own. Nothing is written anywhere else.
. "$(dirname "$0")/../../lib/common.sh"
need cmake tshark man
work_open
mkdir home
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config"

cmake --install "$build" --prefix "$HOME/.local" >installed.log 2>&1 || fail "not installed"
grep -E '^-- (Installing|Up-to-date)' installed.log | sed 's/^-- [A-Za-z-]*: //' >files
grep -v "^$HOME/" files && fail "written elsewhere"

"$HOME/.local/bin/vhu" dump "$captures/qemu-blk.pcapng" >out || fail "vhu does not run"
for file in share/man/man1/vhu-dump.1 share/man/man7/vhu-faults.7 share/man/man5/vhu-capture.5 \
	share/doc/vhu/docs/hung.md share/doc/vhu/README.md \
	share/doc/vhu/samples/captures/qemu-blk.pcapng share/bash-completion/completions/vhu; do
	[ -f "$HOME/.local/$file" ] || fail "$file is not there"
done

# A normal user's Wireshark finds the plugin, the profile and the interface; root's takes no plugin
# from a home folder.
as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
	else
		"$@"
	fi
}
unset WIRESHARK_PLUGIN_DIR WIRESHARK_EXTCAP_DIR
[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$work"
cp "$captures/qemu-blk.pcapng" one.pcapng
chmod 755 "$work"
chmod 644 one.pcapng
as_user tshark -C vhost-user -r one.pcapng -Y vhost_user >out 2>err || fail "tshark: status $?"
grep -q GET_FEATURES out || fail "the plugin is not found"
as_user tshark -D >out 2>err || fail "tshark -D: status $?"
grep -q vhost-user out || fail "the interface is not found"
