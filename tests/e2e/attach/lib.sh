# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of vhu attach share: a back-end, vhu attach, and what two captures have in common.

. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
back_end=$build/bin/vhu-sample-backend front_end=$build/bin/vhu-sample-frontend

# Start the back-end $*, which listens at the socket back.
back() {
	rm -f back
	stage_start back "$@"
	stage_listens back "$work/back"
}

# Start vhu attach with the options $*, and wait until it watches. If the kernel or the user's rights do
# not allow that, skip the test.
attach() {
	# What an earlier one said is not what this one says.
	rm -f attach.log
	stage_start attach "$vhu" attach "$@"
	wait_for grep -q . attach.log
	grep -q watching attach.log && return
	no_probes "$(cat attach.log)"
}

# Run speak.pl, which listens at the socket back, with the arguments $*. Once vhu attach watches, the file
# "watched" is there. Its process is $speaks.
speak() {
	perl speak.pl "$work/back" "$@" &
	speaks=$!
	jobs="$jobs $speaks"
	wait_for test -S back
	attach --socket "$work/back" -w it.pcapng
	: >watched
}

# End vhu attach as Ctrl-C does.
detach() {
	stage_end attach INT || fail "vhu attach ended with status $?"
}

# Return whether $2, an expression of jq's on all records of the capture $1, holds.
holds() {
	"$vhu" dump --json "$1" | jq -se "map(select(.number)) | $2"
}

# Write what the capture $1 holds to $1.lines, without what two captures of one session cannot have in
# common: times, numbers, the processes at the ends, inodes of inner channels' sockets, how often an
# eventfd was signalled when it passed, which answers are late, and which side closed an inner channel
# first when the session ended. Inner channels end in any order, so their ends are moved to the end.
lines() {
	"$vhu" dump --json -x "$1" | jq -c 'select(.type != "continued" and .type != "capture")
		| del(.time_ns, .number, .request_number, .reply_number, .delay_ns, .front_end, .back_end, .info)
		| del(.changes.vrings[]? | .kick.by, .call.by, .err.by) | del(.changes.memory[]?.by)
		| (.fds[]? | select(.kind == "socket")) |= del(.inode, .name)
		| (.fds[]? | select(.kind == "eventfd")) |= del(.eventfd_count)
		| .findings = [.findings[]? | select(.rule != "V404")]
		| if .type == "closed" and .channel != "front-end" then del(.text) else . end' >"$1.all"
	inner='"type":"closed",.*"channel":"(back-end|gpu)"'
	{
		grep -Ev "$inner" "$1.all" || :
		grep -E "$inner" "$1.all" | sort || :
	} >"$1.lines"
}
