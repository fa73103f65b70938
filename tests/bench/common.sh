# SPDX-License-Identifier: GPL-2.0-or-later
# What the measuring scripts share. To be sourced after samples/stage.sh, by a script that sets $build.

# End unless the programs $* are in the build folder.
bench_needs()
{
	for program; do
		[ -x "$build/$program" ] && continue
		echo "${0##*/}: $build/$program: not there; build first, or name the folder by -b" >&2
		exit 2
	done
}

# Have everything run on one processor: the last that this process may use; the first gets most of the
# interrupts.
bench_pin()
{
	taskset -pc "$(taskset -pc $$ | sed 's/.*[^0-9]//')" $$ >/dev/null
}

# Make the folder $work. What bench_start starts ends with the script, and only that.
bench_open()
{
	work=$(mktemp -d)
	pids=
	trap bench_close EXIT
	trap 'exit 1' INT TERM
}
bench_close()
{
	for pid in $pids; do
		# strace keeps off signals until its child ends.
		# shellcheck disable=SC2046 # a word each
		kill $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	rm -rf "$work"
}

# Start what listens on the socket $1: the rest is the command.
bench_start()
{
	listens=$1
	shift
	"$@" >/dev/null 2>>"$work/stderr" &
	pids="$pids $!"
	tries=0
	until stage_has_listener 0 "$listens"; do
		tries=$((tries + 1))
		if [ $tries -gt 500 ]; then
			echo "${0##*/}: no process listens on $listens:" >&2
			cat "$work/stderr" >&2
			exit 1
		fi
		sleep 0.02
	done
}
