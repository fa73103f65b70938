#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stand in for vhu in the examples of a page: run the real one, $VHU, and play the machine around it.
#
# This starts the back-end, the front-end or the proxy that an example takes for granted. If a command of
# vhu runs until Ctrl-C, this gives it something to do and then ends it. The file $STATE/failed gets a line
# for each command that fails. $STATE/NAME.pid is the process of each party. Called pidof, it prints the
# process of the back-end at run/disk.sock.
set -u
. "$TOP/samples/stage.sh"

# Note that the example failed, because of $*.
failed()
{
	printf '%s\n' "$*" >>"$STATE/failed"
	exit 1
}

# Start the party $1: the command that follows.
start()
{
	name=$1
	shift
	"$@" </dev/null >"$STATE/$name.log" 2>&1 &
	echo $! >"$STATE/$name.pid"
}

# Have a sample back-end listen at the socket $1.
back_end()
{
	party=back-$(echo "$1" | tr / _)
	[ ! -e "$STATE/$party.pid" ] || return 0
	mkdir -p "$(dirname "$1")"
	start "$party" vhu-sample-backend --device blk --socket-path="$1"
	stage_hears "$(cat "$STATE/$party.pid")" "$1" || failed "no back-end listens at $1"
}

# Let a front-end do some requests at the socket $1 and leave.
visit()
{
	vhu-sample-frontend --device blk --requests 20 --timeout 30s "$1" >"$STATE/visit.log" 2>&1
}

# Let a front-end work at the socket $1 until the example ends.
stay()
{
	start "front-$(echo "$1" | tr / _)" vhu-sample-frontend --device blk --rate 200 --duration 900s "$1"
}

# Let that front-end leave.
leave()
{
	party=front-$(echo "$1" | tr / _)
	kill "$(cat "$STATE/$party.pid")"
	stage_reap "$(cat "$STATE/$party.pid")" 1200 || failed "the front-end does not end"
	rm "$STATE/$party.pid"
}

# Have a proxy run, whose third session is open: it writes the capture $1, its control socket is $2.
running()
{
	proxy=proxy-$(echo "$2" | tr / _)
	front=$STATE/$proxy.front back=$STATE/$proxy.back
	[ ! -e "$STATE/$proxy.pid" ] || return 0
	mkdir -p "$(dirname "$2")" "$(dirname "$1")"
	back_end "$back"
	start "$proxy" "$VHU" proxy --interpose-eventfds -w "$1" --control "$PWD/$2" "$front" "$back"
	stage_hears "$(cat "$STATE/$proxy.pid")" "$PWD/$2" || failed "no proxy runs"
	{ visit "$front" && visit "$front"; } || failed "no front-end gets through the proxy"
	stay "$front"
	until "$VHU" ctl -s "$2" kick 3 0 >/dev/null 2>&1; do
		kill -0 "$(cat "$STATE/$proxy.pid")" || failed "the proxy ended"
		sleep 0.05
	done
}

# Print the word after the option $1 (of several, separated by "|") among the words that follow.
value()
{
	options="|$1|"
	shift
	while [ $# -gt 1 ]; do
		case $options in
		*"|$1|"*) echo "$2" ;;
		esac
		shift
	done
}

# Print the socket of FRONT, or of BACK if $1 is "back", of the call of vhu proxy that follows.
side()
{
	which=$1 before='' last=''
	shift
	file=$(value --config "$@")
	if [ -n "$file" ]; then
		# shellcheck disable=SC2046 # a line is three words
		set -- $(grep '^pair ' "$file" | head -n 1)
		before=$2 last=$3
	else
		for word in "$@"; do
			[ "$word" != -- ] || break
			before=$last last=$word
		done
		case " $* " in
		*" --as-front "*) before='' ;;
		*" -- "*) before=$last last='' ;;
		esac
		pair=$(value --pair "$@" | head -n 1)
		[ -z "$pair" ] || before=${pair%=*} last=${pair#*=}
	fi
	if [ "$which" = back ]; then echo "$last"; else echo "$before"; fi
}

# vhu proxy: a front-end visits; with STAYS, another one stays.
serve()
{
	file=$(value --config "$@")
	if [ -n "$file" ] && [ ! -e "$file" ]; then
		mkdir -p "$(dirname "$file")"
		echo "pair run/vm.sock run/disk.sock" >"$file"
		[ -n "$(value --control "$@")" ] || echo "control run/vhu/control" >>"$file"
		mkdir -p run/vhu
	fi
	file=$(value --faults "$@")
	[ -z "$file" ] || [ -e "$file" ] || echo "SET_VRING_KICK nth=1: delay 1ms" >"$file"
	front=$(side front "$@") back=$(side back "$@")
	[ -z "$back" ] || back_end "$back"
	"$VHU" "$@" 2>"$STATE/proxy-$$.log" &
	proxy=$!
	echo $proxy >"$STATE/proxy-$$.pid"
	if [ -n "$front" ]; then
		stage_hears $proxy "$front" || failed "vhu $*: does not listen: $(cat "$STATE/proxy-$$.log")"
		case " $* " in
		*" --fault"* | *" --mask "*) visit "$front" || : ;;
		*) visit "$front" || failed "vhu $*: the front-end: $(cat "$STATE/visit.log")" ;;
		esac
		if [ -n "${STAYS-}" ]; then
			stay "$front"
			touch "$STATE/at_work"
		else
			kill $proxy
		fi
	fi
	status=0
	wait $proxy || status=$?
	[ $status = 0 ] || failed "vhu $*: status $status: $(cat "$STATE/proxy-$$.log")"
}

# Return whether the command that watch started is at work: it has said something, or it follows one message
# at the control socket, and there is none.
at_work()
{
	case $follows in
	*" --message "*) grep -q " 03 .* $PWD/$control\$" /proc/net/unix ;;
	*) [ -s "$STATE/watch.out" ] || [ -s "$STATE/watch.log" ] ;;
	esac
}

# A command that runs until Ctrl-C: something happens at its source, the socket $1 if that is not empty,
# until it has said something; then something happens once more, and it ends.
watch()
{
	source=$1
	shift
	"$VHU" "$@" >"$STATE/watch.out" 2>"$STATE/watch.log" &
	watcher=$!
	echo $watcher >"$STATE/watcher.pid"
	for last in no yes; do
		turn=0
		while :; do
			[ -z "$source" ] || visit "$source" || failed "vhu $*: the front-end: $(cat "$STATE/visit.log")"
			[ -z "$control" ] || "$VHU" ctl -s "$control" kick 3 0 >/dev/null 2>&1
			[ $last = no ] && ! at_work || break
			turn=$((turn + 1))
			[ $turn -lt 1200 ] && kill -0 $watcher 2>/dev/null || break
			sleep 0.05
		done
	done
	kill $watcher 2>/dev/null
	status=0
	wait $watcher || status=$?
	cat "$STATE/watch.out"
	case "$1 $status" in
	*" 0" | "ctl 143") ;;
	*) failed "vhu $*: status $status: $(cat "$STATE/watch.log")" ;;
	esac
	[ -s "$STATE/watch.out" ] || [ -s "$STATE/watch.log" ] || [ -n "$follows" ] || failed "vhu $*: says nothing"
}

# Run vhu with the words that follow $1, statuses that are right.
run()
{
	right=$1
	shift
	status=0
	"$VHU" "$@" 2>"$STATE/run-$$.log" || status=$?
	cat "$STATE/run-$$.log" >&2
	case " $right " in
	*" $status "*) ;;
	*) failed "vhu $*: status $status: $(cat "$STATE/run-$$.log")" ;;
	esac
}

# This ends first, before it misses what has ended.
echo $$ >"$STATE/0-$$.pid"
if [ "${0##*/}" = pidof ]; then
	back_end run/disk.sock
	cat "$STATE/back-run_disk.sock.pid"
	exit
fi
capture=$(value '-r|--read' "$@") socket=$(value --socket "$@") pid=$(value '-p|--pid' "$@") control='' follows=''
case "${1-} ${2-}" in
"proxy "*) serve "$@" ;;
"attach --list")
	back_end run/disk.sock
	stay run/disk.sock
	run 0 "$@"
	leave run/disk.sock
	;;
"attach "* | "latency "*)
	if [ -n "$capture" ]; then
		running "$capture" run/vhu.sock
		control=run/vhu.sock
		watch '' "$@"
	else
		socket=${socket:-run/disk.sock} metrics=$(value --metrics "$@")
		back_end "$socket"
		[ -z "$metrics" ] || mkdir -p "$(dirname "$metrics")"
		case "$1 $pid" in
		"latency "?*)
			stay "$socket"
			watch '' "$@"
			leave "$socket"
			;;
		*) watch "$socket" "$@" ;;
		esac
	fi
	;;
"top "*)
	# A terminal is not here.
	case " $* " in
	*" --json "*) ;;
	*) set -- "$@" --json --count 1 ;;
	esac
	case " $* " in
	*" -p "* | *" --socket "* | *" --all "*)
		back_end "${socket:-run/disk.sock}"
		stay "${socket:-run/disk.sock}"
		run 0 "$@"
		leave "${socket:-run/disk.sock}"
		;;
	*)
		control=$(value '-s|--control' "$@")
		running vm.pcapng "${control:-run/vhu.sock}${control:+/control}"
		run 0 "$@"
		;;
	esac
	;;
"rings "* | "ctl "*)
	control=$(value '-s|--control' "$@")
	control=${control:-run/vhu.sock}
	running "${capture:-vm.pcapng}" "$control"
	case "$1 ${2-}" in
	"ctl follow")
		follows=" $* "
		watch '' "$@"
		;;
	"rings "*)
		case " $* " in
		*" --wait "*) cat "$STATE/back-"*.pid | xargs kill -STOP ;;
		esac
		run "0 1" "$@"
		cat "$STATE/back-"*.pid | xargs kill -CONT
		exit $status
		;;
	*) run 0 "$@" ;;
	esac
	;;
"probe "*)
	last=''
	for word in "$@"; do
		[ "$word" != -- ] || break
		last=$word
	done
	case " $* " in
	*" -- "*) ;;
	*) back_end "$last" ;;
	esac
	run 0 "$@"
	;;
"dump "* | "check "* | "stats "* | "report "*)
	for word in "$@"; do
		case $word in
		*.pcapng) [ -e "$word" ] || cp "$TOP/samples/captures/qemu-blk.pcapng" "$word" ;;
		esac
	done
	case "$1 $* " in
	*" -f "*) watch '' "$@" ;;
	"check "*) run "0 1" "$@" ;;
	*) run 0 "$@" ;;
	esac
	;;
*) run 0 "$@" ;;
esac
