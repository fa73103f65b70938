# SPDX-License-Identifier: GPL-2.0-or-later
# What a capture of several files says, held against one file of the same, for test scripts to source
# after samples/stage.sh.

# Print the messages of a dump on standard input, without numbers and times. Which of two a message is
# may become known in a later part.
parts_messages() {
	sed -n 's/^ *[0-9]* [-0-9.]* \([0-9]* [a-z-]* *\(->\|<-\) .*\)/\1/p' |
		sed 's/ (after .*)$//; s/ or [A-Z][A-Z_]*//'
}

# Write the rules that the capture $1 breaks to $2, and all that vhu check says to checked.
parts_rules() {
	"$vhu" check --severity info "$1" >checked 2>&1 || :
	grep -o ' V[0-9]* ' checked | sort -u >"$2" || :
}

# Add up what vhu stats counts in the captures $*: messages from the front-end and from the back-end.
parts_count() {
	for part; do
		"$vhu" stats --json "$part" | jq -c 'select(.session) | [.from_front_end, .from_back_end]'
	done | jq -s -c '[(map(.[0]) | add), (map(.[1]) | add)]'
}

# Hold the parts $2... against the whole, $1: each of them alone says what the whole says.
parts_compare() {
	whole=$1 parts_number=0
	shift
	"$vhu" dump "$whole" >dump || fail "$whole cannot be read"
	parts_messages <dump >whole.messages
	parts_rules "$whole" whole.rules
	"$vhu" dump -v --message SET_VRING_ADDR "$whole" | grep '  Place: ' | sort -u >whole.places || :
	"$vhu" stats --json "$whole" | jq -r '.device // empty' | sort -u >whole.devices
	: >all.messages
	: >places
	: >devices
	for part; do
		parts_number=$((parts_number + 1))
		case $part in
		*_"$(printf %05d "$parts_number")"_*) ;;
		*) fail "$part is not number $parts_number" ;;
		esac
		parts_rules "$part" rules
		more=$(comm -13 whole.rules rules)
		[ -z "$more" ] || fail "$part alone breaks$more: $(cat checked)"
		if grep -q 'likeliest cause' checked; then
			fail "$part alone ends badly: $(cat checked)"
		fi
		"$vhu" dump "$part" >dump || fail "$part cannot be read"
		parts_messages <dump | grep -v '(earlier)' >>all.messages || :
		if [ "$parts_number" -gt 1 ]; then
			head -n 1 dump | grep -q '(earlier) session opened' ||
				fail "$part begins without what was before: $(head -n 1 dump)"
		fi
		# A ring that is set up here lies where the whole says, of the same device.
		"$vhu" dump -v --message SET_VRING_ADDR "$part" | grep '  Place: ' >>places || :
		"$vhu" stats --json "$part" | jq -r '.device // empty' >>devices
		command -v capinfos >/dev/null || continue
		packets=$(capinfos -rTcM "$part" 2>/dev/null | cut -f2)
		[ "$packets" -eq "$(wc -l <dump)" ] ||
			fail "$part: capinfos sees $packets packets, vhu $(wc -l <dump)"
	done
	diff whole.messages all.messages >difference ||
		fail "the parts together are another: $(head -n 5 difference)"
	[ "$(parts_count "$whole")" = "$(parts_count "$@")" ] ||
		fail "counted are $(parts_count "$whole") and $(parts_count "$@") messages"
	checked=$(for part; do
		"$vhu" check "$part" 2>&1 | sed -n 's/.* in .*, \([0-9]*\) messages*$/\1/p'
	done | jq -s add)
	[ "$checked" -eq "$(wc -l <whole.messages)" ] ||
		fail "$checked messages were checked, not $(wc -l <whole.messages)"
	[ -s whole.places ] || fail "no ring lies in memory"
	sort -u places | diff whole.places - >difference ||
		fail "rings lie elsewhere: $(head -n 5 difference)"
	sort -u devices | diff whole.devices - >difference ||
		fail "the devices are others: $(cat difference)"
	command -v mergecap >/dev/null || return 0
	mergecap -a -w merged.pcapng "$@" 2>/dev/null || fail "mergecap failed"
	parts_rules merged.pcapng rules
	diff whole.rules rules || fail "joined they break other rules: $(cat checked)"
}

# Print what the plugin of the build $1 says about the messages of the captures $2..., without
# repeated ones: the Info column and the broken rules.
parts_tshark() {
	build=$1
	shift
	for part; do
		vhu_tshark "$build" -r - -Y 'vhost_user.message && vhost_user.marks.earlier == 0' \
			-T fields -e _ws.col.Info <"$part" || return 1
	done
}
