# SPDX-License-Identifier: GPL-2.0-or-later
# What the measurements of vhu latency share: the process that does what is measured, and the end of
# what watches it. To be sourced by a script that has set $folder and $bench.

# Start $bench, by the words $* before it if there are any. It is asked through descriptor 3 and
# answers through 4; $rings are its rings as options, $own and $other its processes.
bench_start() {
	bench_pid=
	trap '[ -z "$bench_pid" ] || kill "$bench_pid" 2>/dev/null || :; rm -rf "$folder"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkfifo "$folder/ask" "$folder/answer"
	"$@" "$bench" <"$folder/ask" >"$folder/answer" &
	bench_pid=$!
	exec 3>"$folder/ask" 4<"$folder/answer"
	read -r rings <&4
	read -r own other <&4
}

# Have $2 of what $1 names done; print how many nanoseconds one took.
bench_ask() {
	echo "$1 $2" >&3
	read -r bench_ns <&4
	echo "$bench_ns"
}

# End process $1, which may not have begun to listen to it yet.
stop() {
	while case $(cat "/proc/$1/stat" 2>/dev/null) in
		'' | *') Z '*) false ;;
		esac
	do
		kill -INT "$1" 2>/dev/null || :
		sleep 0.05
	done
	wait "$1" 2>/dev/null || :
}
