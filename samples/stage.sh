# SPDX-License-Identifier: GPL-2.0-or-later
# What the samples share: the build, a temporary folder, the processes in it, their end.
#
# To be sourced by a script that has set $top, the project's folder, with `set -eu`. Whatever way the
# script ends, Ctrl-C included, what it started ends and the folder goes.

stage='' stage_home='' stage_parties='' stage_steps=0 stage_told=''

# Say which step comes now ($*).
step() {
	stage_steps=$((stage_steps + 1))
	printf '\n%s. %s\n' "$stage_steps" "$*"
}

# Say something about the step ($*).
say() {
	printf '   %s\n' "$*"
}

# Print stdin as part of a step.
show() {
	sed 's/^/   /'
}

# Say what went wrong ($*), print the end of each party's log, end.
stage_fail() {
	stage_told=yes
	printf '\n%s: %s\n' "${0##*/}" "$*" >&2
	for stage_log in "$stage"/*.log; do
		[ -s "$stage_log" ] || continue
		printf -- '--- %s, its last lines:\n' "${stage_log##*/}" >&2
		tail -n 15 "$stage_log" >&2
	done
	exit 1
}

# Make the folder $stage; end everything when the script ends.
stage_open() {
	stage=$(mktemp -d "${TMPDIR:-/tmp}/vhu.XXXXXX")
	trap stage_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

stage_close() {
	trap - EXIT
	for stage_party in $stage_parties; do
		kill -TERM "${stage_party#*=}" 2>/dev/null || :
	done
	for stage_party in $stage_parties; do
		stage_reap "${stage_party#*=}" 60 || kill -KILL "${stage_party#*=}" 2>/dev/null || :
	done
	rm -rf "$stage" "$stage_home"
}

# Wait for the process $1 to end, $2 twentieths of a second at most; return whether it did.
stage_reap() {
	stage_turn=0
	while kill -0 "$1" 2>/dev/null; do
		[ "$stage_turn" -lt "$2" ] || return 1
		stage_turn=$((stage_turn + 1))
		sleep 0.05
	done
}

# Start the party $1: the command that follows, its output to $stage/$1.log.
stage_start() {
	stage_name=$1
	shift
	"$@" </dev/null >>"$stage/$stage_name.log" 2>&1 &
	stage_parties="$stage_parties $stage_name=$!"
}

# The same, but its standard output goes to $stage/$1.out, a pipe that ends with the party.
stage_start_piped() {
	stage_name=$1
	shift
	mkfifo "$stage/$stage_name.out"
	"$@" </dev/null 2>>"$stage/$stage_name.log" >"$stage/$stage_name.out" &
	stage_parties="$stage_parties $stage_name=$!"
}

# Print the process id of party $1.
stage_pid() {
	for stage_party in $stage_parties; do
		case $stage_party in
		"$1="*) echo "${stage_party#*=}" ;;
		esac
	done
}

# Return whether the process $1, or a child of it, listens on the socket $2: the kernel's flag
# __SO_ACCEPTCON. Somebody else's may have the same name, if that is a relative one.
stage_has_listener() {
	for stage_inode in $(awk -v "path=$2" '$4 == "00010000" && $NF == path { print $7 }' \
		/proc/net/unix); do
		case $2 in
		/*) return 0 ;;
		esac
		for stage_process in "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
			# shellcheck disable=SC2010 # what they are links to
			! ls -l "/proc/$stage_process/fd" 2>/dev/null |
				grep -qF "socket:[$stage_inode]" || return 0
		done
	done
	return 1
}

# Wait until the process $1, or a child of it, listens on the socket $2; return whether it came to
# that. That the file is there says less: it is there a little earlier.
stage_hears() {
	stage_turn=0
	until stage_has_listener "$1" "$2"; do
		kill -0 "$1" 2>/dev/null && [ "$stage_turn" -lt 1200 ] || return 1
		stage_turn=$((stage_turn + 1))
		sleep 0.05
	done
}

# Wait until the party $1 listens on the socket $2.
stage_listens() {
	stage_hears "$(stage_pid "$1")" "$2" || stage_fail "$1 does not listen on $2"
}

# Wait until the capture $1, which $vhu proxy writes, holds the end of each of its sessions, which are
# $2 if that is given: those who have left may have said something that has not passed yet.
stage_settles() {
	stage_turn=0
	until "$vhu" dump "$1" 2>/dev/null | awk -v "number=${2-}" '/ session opened/ { opened++ }
		/ session closed/ { closed++ }
		END { exit !(opened && opened == closed && (number == "" || opened == number)) }'; do
		[ "$stage_turn" -lt 1200 ] || stage_fail "${1##*/}: not all of its sessions end"
		stage_turn=$((stage_turn + 1))
		sleep 0.05
	done
}

# Wait for the end of party $1, which is sent signal $2 if there is one; return its status.
stage_end() {
	stage_process=$(stage_pid "$1")
	[ $# -lt 2 ] || kill "-$2" "$stage_process" 2>/dev/null || :
	stage_status=0
	wait "$stage_process" || stage_status=$?
	stage_left=""
	for stage_party in $stage_parties; do
		[ "$stage_party" = "$1=$stage_process" ] || stage_left="$stage_left $stage_party"
	done
	stage_parties=$stage_left
	return "$stage_status"
}

# Build vhu in $build, the folder of the release preset, unless the option --built named another,
# where all is there. The log is $stage/build.log.
stage_build() {
	if [ -n "$built" ]; then
		step "Using the build in $built"
		return
	fi
	step "Building vhu in $build"
	(
		cd "$top"
		cmake --preset release
		cmake --build --preset release --parallel "$(nproc)"
	) >"$stage/build.log" 2>&1 || stage_fail "the build failed"
	rm "$stage/build.log"
	say "the command is $vhu"
}

# Make a home for tshark in $stage_home, with a copy of the plugin. As root tshark ignores plugins, so
# it runs as an unprivileged user, who cannot look into every folder, but into /tmp.
stage_tshark_open() {
	stage_home=$(mktemp -d /tmp/vhu-tshark.XXXXXX)
	cp -R "$build/wsplugins" "$stage_home/plugins" 2>/dev/null ||
		stage_fail "$build: built without the Wireshark plugin"
	chmod -R a+rX "$stage_home"
}

# Run tshark on the capture with the options $*; it need not have the right to open the file.
stage_tshark() {
	set -- env "HOME=$stage_home" "WIRESHARK_PLUGIN_DIR=$stage_home/plugins" tshark -r - "$@"
	[ "$(id -u)" -ne 0 ] ||
		set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	"$@" <"$capture" 2>>"$stage/tshark.log"
}

# Read the options of a sample: sets $capture, $build and $vhu. The capture is named after the
# sample unless another name is given.
stage_options() {
	capture='' built=''
	while [ $# -gt 0 ]; do
		case $1 in
		--capture)
			[ $# -ge 2 ] || stage_usage
			capture=$2
			shift 2
			;;
		--built)
			[ $# -ge 2 ] || stage_usage
			built=$(cd "$2" && pwd) || exit 2
			shift 2
			;;
		-h | --help)
			sed -n '3,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
			exit 0
			;;
		*) stage_usage ;;
		esac
	done
	build=${built:-$top/build}
	vhu=$build/bin/vhu
	if [ -z "$capture" ]; then
		capture=${0##*/}
		capture=$build/${capture%.sh}.pcapng
	fi
}

stage_usage() {
	echo "usage: sh samples/${0##*/} [--capture FILE] [--built FOLDER]" >&2
	exit 2
}

# Tell what is in the capture, by vhu dump (with the message $1 in full) and by tshark (with what
# concerns vring 1), and how to go on.
stage_tell() {
	stage_capture=${capture##*/}
	step "What they said: vhu dump $stage_capture"
	"$vhu" dump "$capture" >"$stage/dump.txt" || stage_fail "vhu dump ended with status $?"
	show <"$stage/dump.txt"

	step "A message in full: vhu dump -v --message $1 $stage_capture"
	"$vhu" dump -v --message "$1" "$capture" >"$stage/dump.txt" ||
		stage_fail "vhu dump ended with status $?"
	show <"$stage/dump.txt"

	step "With vhu's plugin: tshark -r $stage_capture -Y 'vhost_user.vring.index == 1'"
	stage_tshark_open
	stage_tshark -Y 'vhost_user.vring.index == 1' >"$stage/tshark.txt" ||
		stage_fail "tshark ended with status $?"
	[ -s "$stage/tshark.txt" ] || stage_fail "tshark shows nothing: is the plugin loaded?"
	show <"$stage/tshark.txt"

	step "Look for yourself"
	say "The capture stays:  $capture"
	say "All fields:         $vhu dump -v $capture"
	say "In Wireshark:       WIRESHARK_PLUGIN_DIR=$build/wsplugins wireshark $capture"
	[ "$(id -u)" -ne 0 ] || say "                    (not as root: it loads no plugins then)"
}
