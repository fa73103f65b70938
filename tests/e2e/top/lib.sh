# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of vhu top share: a session with load, and a terminal with vhu top.

. "$(dirname "$0")/../../lib/common.sh"
need jq tmux
work_open
. "$top/tests/lib/parties.sh"

# Run tmux with the words $*; its server is the test's own.
mux() {
	tmux -S "$work/mux" -f "$work/mux.conf" "$@"
}

# Start a terminal of $1 columns and $2 rows whose shell runs the command $3.
terminal() {
	echo 'set -g exit-empty off' >mux.conf
	echo 'set -g default-terminal screen-256color' >>mux.conf
	echo 'set -g remain-on-exit on' >>mux.conf
	if [ -z "$(stage_pid mux)" ]; then
		stage_start mux timeout 280 tmux -S "$work/mux" -f "$work/mux.conf" -D
		wait_for mux list-sessions -F x
	fi
	mux kill-session -t t 2>/dev/null || :
	mux new-session -d -s t -x "$1" -y "$2" "cd '$work'; echo a line before; $3; echo status \$?; sleep 1000"
}

# Start vhu top in a terminal of $1 columns and $2 rows with the options $3.
top_start() {
	terminal "$1" "$2" "export VHU_CONTROL='$work/p.ctl'; '$vhu' top $3"
}

# Press the keys $*, as tmux calls them.
press() {
	mux send-keys -t t "$@"
}

# Write what is on the screen to the file screen.
look() {
	mux capture-pane -p -t t >screen
}

# Return whether a line of the screen matches the extended regular expression $1.
is_on_screen() {
	look && grep -qE -- "$1" screen
}

# Return whether no line does.
is_off_screen() {
	look && ! grep -qE -- "$1" screen
}

# Wait until a line of the screen matches $1; sees to it that a failure shows the screen.
sees() {
	wait_turn=0
	until is_on_screen "$1"; do
		wait_turn=$((wait_turn + 1))
		[ "$wait_turn" -lt 600 ] || { cp screen screen.log; fail "not on the screen: $1"; }
		sleep 0.1
	done
}

# Wait until no line of the screen matches $1.
misses() {
	wait_turn=0
	until is_off_screen "$1"; do
		wait_turn=$((wait_turn + 1))
		[ "$wait_turn" -lt 600 ] || { cp screen screen.log; fail "still on the screen: $1"; }
		sleep 0.1
	done
}

# Start a proxy with the control socket $1.ctl between $1.sock and back.sock.
proxy() {
	stage_start "proxy_$1" "$vhu" proxy -q --control "$1.ctl" --interpose-eventfds "$1.sock" back.sock
	stage_listens "proxy_$1" "$1.sock"
}

# Start the load: two vrings of a disk.
load() {
	stage_start "front_$1" "$front_end" --timeout 1000s --device blk --queues 2 --depth 4 --rate 500 \
		--duration 3000s "$1.sock"
}
