#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of docs/ci.md do what the page says: a good back-end passes, a bad one fails, and the files for
# services are well-formed and name the failure.
. "$(dirname "$0")/../../lib/common.sh"
need xmllint jq
work_open
export PATH="$build/bin:$PATH"
sed -n '/^```sh$/,/^```$/p' "$top/docs/ci.md" | sed '1d;$d' >commands.sh
[ "$(wc -l <commands.sh)" -gt 10 ] || fail "no commands in docs/ci.md"

# Run them with the back-end's options $*.
run() {
	rm -f ./*.xml ./*.sarif ./*.pcapng vm.sock
	DAEMON="vhu-sample-backend --socket-path=disk.sock $*" \
		TEST='vhu-sample-frontend --requests 10 vm.sock' timeout 250 sh -e commands.sh >out 2>err
}
run || fail "a good back-end: status $?"
for file in conformance.xml check.xml; do
	xmllint --noout "$file" || fail "$file is not well-formed"
done
jq -e '.version == "2.1.0"' check.sarif >out || fail "check.sarif"
run --fault drop-reply:GET_VRING_BASE && fail "a bad back-end passes"
[ "$(xmllint --xpath 'count(//testcase/failure)' conformance.xml)" -gt 0 ] ||
	fail "no case of conformance.xml failed"
[ "$(xmllint --xpath 'count(//testcase[starts-with(@name, "V402 ")]/failure)' check.xml)" = 1 ] ||
	fail "check.xml: no failure of V402: $(grep -A 2 failure check.xml)"
jq -e '[.runs[].results[] | select(.ruleId == "V402" and .level == "error")] | length == 1' check.sarif >found ||
	fail "check.sarif: no error of V402: $(jq -c '.runs[].results' check.sarif)"
