#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bash, zsh and fish complete what vhu knows: commands, options, names of messages, rules, verbs, the
# sessions of a proxy that runs, and files.
. "$(dirname "$0")/../../lib/common.sh"
need bash zsh fish
work_open
export PATH="$build/bin:$PATH"
cp "$captures/qemu-blk.pcapng" one.pcapng

# Print what bash offers for the words $*, the last being completed, sorted.
in_bash() {
	bash -c '
		compopt() { :; }
		. "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vhu
		printf "%s\n" "${COMPREPLY[@]}"' "$top/tools/completions/vhu.bash" "$@" | sort
}

# The same for fish, which takes the line as an argument.
in_fish() {
	fish --no-config -c '
		source $argv[1]
		complete -C $argv[2]' "$top/tools/completions/vhu.fish" "$*" | cut -f1 | sort
}

# The same of zsh, whose completion is called with a stand-in for what would show it.
in_zsh() {
	zsh -f -c '
		_describe() { print -rl -- "${offered[@]%%:*}" }
		_files() { print -rl -- ${words[CURRENT]}*(N) }
		words=("${@[2,-1]}") CURRENT=$#words
		. "$1"' zsh "$top/tools/completions/_vhu" "$@" | sort
}

# See that each shell offers the lines $1 for the words that follow.
offers() {
	printf '%s\n' $1 | grep . | sort >expected
	shift
	for shell in bash zsh fish; do
		"in_$shell" "$@" 2>err | grep . >out || :
		cmp -s expected out || {
			diff expected out
			fail "$shell, $*: not what is expected"
		}
		[ ! -s err ] || fail "$shell, $*: says something"
	done
}

offers 'dump' vhu du
offers 'stats' vhu help st
offers '--severity' vhu check --sev
offers 'GET_MAX_MEM_SLOTS' vhu dump --message GET_MAX
offers 'V301' vhu check --explain V301
offers 'error' vhu check --severity er
offers 'standalone' vhu dump --dialect st
offers 'add clear list release remove' vhu ctl faults ''
offers 'one.pcapng' vhu dump one
offers '' vhu nothing ''

# The sessions of a proxy.
stage_start backend vhu-sample-backend --socket-path=back.sock
stage_listens backend back.sock
stage_start proxy vhu proxy --control "$stage/control" front.sock back.sock
stage_listens proxy front.sock
stage_start frontend vhu-sample-frontend --duration 60s front.sock
await 'vhu ctl -s "$stage/control" sessions | grep -q .' "a session is open"
offers '1' vhu ctl -s "$stage/control" close ''
offers '1' vhu ctl --control "$stage/control" close ''
offers '1' vhu ctl -s "$stage/control" follow --session ''
# Nobody answers there.
offers '' vhu ctl -s "$stage/absent" close ''
