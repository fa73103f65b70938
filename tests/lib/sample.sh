# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of samples share: run one, look at what it printed and at the capture it made.
#
# To be sourced after common.sh.

. "$top/samples/packages.sh"

# Run the sample $1 in a folder of its own; it needs the packages for the purpose $2. It must leave
# its capture there and nothing else. What it prints is in the file out, the capture's messages are in
# dump.json.
sample_run() {
	# shellcheck disable=SC2046 # a list of packages is several words
	lacking=$(vhu_missing $(vhu_packages "$2") jq)
	if [ -n "$lacking" ]; then
		echo "lacks packages: $lacking"
		exit 77
	fi
	if [ ! -d "$build/wsplugins" ]; then
		echo "lacks the Wireshark plugin: install the package libwireshark-dev and build again"
		exit 77
	fi
	work_open
	TMPDIR=$work sh "$top/samples/$1" --built "$build" --capture it.pcapng >out 2>&1 ||
		fail "$1: status $?: $(cat out)"
	cat out
	[ "$(ls)" = "$(printf 'it.pcapng\nout')" ] || fail "the sample left something behind: $(ls)"
	"$vhu" dump --json it.pcapng >dump.json
}

# Fail unless the sample printed a line that matches $1.
printed() {
	grep -q "$1" out || fail "the sample did not print: $1"
}

# Fail unless $2, an expression of jq's on all the capture's messages, holds; $1 says it in words.
captured() {
	jq -se "map(select(.type == \"message\")) | $2" dump.json >/dev/null ||
		fail "the capture does not hold: $1"
}

# Fail unless each of the messages $* was sent and answered.
captured_answers() {
	for message in "$@"; do
		captured "$message" "any(.message == \"$message\" and (.reply | not))"
		captured "the reply to $message" "any(.message == \"$message\" and .reply)"
	done
}

# Fail unless each of the messages $* was sent.
captured_messages() {
	for message in "$@"; do
		captured "$message" "any(.message == \"$message\" and (.reply | not))"
	done
}

# Fail unless vring $1 was given a kick eventfd and enabled.
captured_vring() {
	captured "a kick eventfd for vring $1" \
		"any(.message == \"SET_VRING_KICK\" and .payload.index == $1 and .fds[0].kind == \"eventfd\")"
	captured "vring $1 enabled" \
		"any(.message == \"SET_VRING_ENABLE\" and .payload.index == $1 and .payload.enable == 1)"
}
