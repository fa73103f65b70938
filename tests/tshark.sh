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

# Run tshark with the plugin of build $1. Root's plugins are ignored by tshark, so root is dropped;
# what it reads and writes must be open to nobody.
vhu_tshark()
{
	_plugins=$1/wsplugins
	shift
	_home=$(mktemp -d)
	if [ "$(id -u)" = 0 ]; then
		chmod 777 "$_home"
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			env HOME="$_home" WIRESHARK_PLUGIN_DIR="$_plugins" tshark "$@"
	else
		HOME=$_home WIRESHARK_PLUGIN_DIR=$_plugins tshark "$@"
	fi
	_status=$?
	rm -rf "$_home"
	return $_status
}
