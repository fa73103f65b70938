#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Any end of vhu top gives the terminal back; it does without colours; nothing that a path holds reaches
# the terminal; one that cannot place the cursor is refused.
. "$(dirname "$0")/lib.sh"

# See that the terminal is as it was before, and that vhu top ended with status $1.
is_given_back() {
	sees "^status $1"
	sees '^a line before'
	[ "$(mux display-message -p -t t '#{alternate_on} #{cursor_flag}')" = '0 1' ] ||
		fail 'the terminal is not as it was'
}

evil=$(printf 'e\033[31mv\033]0;owned\007')
back --device blk
proxy "$evil"
load "$evil"

# Whatever ends it.
for way in q C-c TERM HUP; do
	top_start 80 24 '-s .'
	# The folder's control sockets are found by their names.
	sees ' runs$'
	case $way in
	TERM | HUP) kill -$way "$(pgrep -P "$(mux display-message -p -t t '#{pane_pid}')" -x vhu)" ;;
	*) press $way ;;
	esac
	is_given_back 0
done

# A path's escape sequences are shown, not sent.
top_start 200 24 '-s .'
sees 'e\\x1b\[31mv\\x1b\]0;owned\\x07.sock'
press Enter
sees '^session 1 of ./e\\x1b\[31m'
sees '^  front-end .* at e.\[31mv'
[ "$(mux display-message -p -t t '#{pane_title}')" != owned ] || fail 'the path has set the title'
press q

# Colours, if the terminal has any and NO_COLOR is not set.
kill -STOP "$(stage_pid back)"
coloured() {
	mux capture-pane -e -p -t t >screen
	grep -q stalled screen && grep -q "$(printf '\033\\[[0-9;]*31m')" screen
}
top_start 80 24 '-s .'
await coloured 'what has stalled is red'
for plain in NO_COLOR=1 TERM=vt100; do
	terminal 80 24 "export $plain LC_ALL=C; '$vhu' top -s ."
	sees ' stalled$'
	! coloured || fail "$plain: there are colours"
	press q
	sees '^status 0$'
done

terminal 80 24 "TERM=dumb '$vhu' top -s ."
sees 'vhu top: this terminal cannot place the cursor \(TERM=dumb\): use --json'
sees '^status 1'
terminal 80 24 "TERM=nosuch '$vhu' top -s ."
sees 'vhu top: this terminal cannot place the cursor \(TERM=nosuch\): use --json'
kill -CONT "$(stage_pid back)"
