# SPDX-License-Identifier: GPL-2.0-or-later
# What test scripts share: where things are, a folder to work in, failing, waiting. samples/stage.sh
# comes with it, which starts and ends processes.
#
# To be sourced by a script in a folder of tests:
#
#	. "$(dirname "$0")/../../lib/common.sh"
#	need jq
#	work_open
#
# It sets $top, the project's folder; $here, the script's; $build, the build folder, which the variable
# BUILD names (else build-test); $vhu, the command; $programs, the folder of programs for tests; and
# $captures, that of real ones. A command that fails and an unset variable end the script.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=${here%/tests/*}
build=$(cd "${BUILD:-$top/build-test}" && pwd)
vhu=$build/bin/vhu programs=$build/tests/bin captures=$top/samples/captures
export LC_ALL=C
. "$top/samples/stage.sh"

# Skip the test unless each program $* is installed. Some are in packages of another name.
need() {
	for need_program in "$@"; do
		command -v "$need_program" >/dev/null && continue
		case $need_program in
		capinfos | dumpcap | editcap | mergecap | text2pcap) need_package=wireshark-common ;;
		dpdk-testpmd) need_package=dpdk-dev ;;
		qemu-system-x86_64) need_package=qemu-system-x86 ;;
		qemu-storage-daemon) need_package=qemu-system-common ;;
		systemd-*) need_package=systemd ;;
		promtool) need_package=prometheus ;;
		xmllint) need_package=libxml2-utils ;;
		*) need_package=$need_program ;;
		esac
		echo "lacks $need_program: install the package $need_package"
		exit 77
	done
}

# End the test because probes do not work, as $1 says: as skipped if the kernel or the user's rights refuse
# them. Probes that attach and see nothing are a failure.
no_probes() {
	case $1 in
	*"missing: run it as root"* | *"refuses them"* | *"lacks functions"* | *"BTF is needed"* | *"locked down"*)
		echo "lacks probes: $1"
		exit 77
		;;
	esac
	stage_told=yes
	echo "nothing refuses the probes, and they do not work: $1"
	exit 1
}

# End the test, as no_probes does, unless probes work.
need_probes() {
	lacks=$("$vhu" latency --json --eventfd kick=4294967295 2>&1) || :
	case $lacks in
	*"not open in any process"*) ;;
	*) no_probes "$lacks" ;;
	esac
}

# Make the folder $work and go there. When the script ends, however it does, what stage_start started
# and the processes in $jobs end, and the folder goes.
work_open() {
	stage_open
	work=$stage jobs=''
	trap 'work_close $?' EXIT
	cd "$work"
}
work_close() {
	work_status=${1:-0}
	if [ "$work_status" = 0 ] && command -v schemas_close >/dev/null && ! schemas_close; then
		echo "${0##*/}: JSON that its schema does not allow"
		work_status=1 stage_told=yes
	fi
	# A command that fails silently, or a signal, ends the script without a word.
	case $work_status in
	0 | 77) ;;
	*) [ -n "$stage_told" ] || echo "${0##*/}: ended with status $work_status, and said nothing" ;;
	esac
	for work_job in $jobs; do
		kill "$work_job" 2>/dev/null || :
	done
	cd /
	stage_close
	[ "$work_status" = "${1:-0}" ] || exit "$work_status"
}

# Say what went wrong ($*), show the files out, err and *.log of the work folder, end.
fail() {
	stage_told=yes
	echo "${0##*/}: $*"
	for fail_file in "$work/out" "$work/err" "$work"/*.log; do
		[ -s "$fail_file" ] || continue
		echo "--- ${fail_file##*/}, its last lines:"
		tail -n 20 "$fail_file"
	done
	exit 1
}

# Wait until the command $* succeeds; a minute in vain fails.
wait_for() {
	wait_turn=0
	until "$@" >/dev/null 2>&1; do
		wait_turn=$((wait_turn + 1))
		[ "$wait_turn" -lt 1200 ] || fail "waited in vain for: $*"
		sleep 0.05
	done
}

# The same for the shell command $1; $2 says in words what must come true.
await() {
	wait_turn=0
	until eval "$1"; do
		wait_turn=$((wait_turn + 1))
		[ "$wait_turn" -lt 1200 ] || fail "waited in vain until $2"
		sleep 0.05
	done
}
