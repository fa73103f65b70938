#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same findings as lines, JSON, SARIF and JUnit's XML, from several captures: the name of one
# needs escaping, and one is broken. The options that choose findings.
. "$(dirname "$0")/../../lib/common.sh"
need jq xmllint
work_open

export LC_ALL=C.UTF-8

# Run vhu check with arguments $3..., its output to the file $1; expect status $2.
check()
{
	out=$1 expected=$2 got=0
	shift 2
	"$vhu" check "$@" >"$out" 2>errors || got=$?
	[ "$got" = "$expected" ] || fail "vhu check $*: status $got, not $expected: $(cat errors)"
}

# Expect that jq finds $3 true of the file $2, where a document is one value.
holds()
{
	jq -es "$3" "$2" >jq.out 2>&1 || fail "$1: not so: $3: $(head -c 300 jq.out)"
}

# Expect that the XPath $2 of the document in the file $1 is $3.
is()
{
	[ "$(xmllint --xpath "$2" "$1")" = "$3" ] || fail "$2 is $(xmllint --xpath "$2" "$1"), not $3"
}

name=$(printf 'a "b" <&\303\251%%\001.pcapng')
"$programs/scenario" "$here/forms.scn" "$name"
# The statistics at the end are not there, and the last record is cut in two.
# shellcheck disable=SC2238 # a file of that name
head -c $(($(wc -c <"$name") - 120)) "$name" >cut

# Lines, and the summary; the likeliest cause comes last.
check lines 1 -s info "$name"
number=$(grep -c ": [a-z]* V[0-9]* [a-z0-9-]*: .* (session 1.*)$" lines)
[ "$(wc -l <lines)" = $((number + 1)) ] || fail "other lines than findings: $(cat lines)"
tail -n 1 lines | grep -q "session 1: likeliest cause: the back-end (device) did not answer GET_VRING_BASE vring 0 (21)" ||
	fail "no cause: $(tail -n 1 lines)"
for severity in error warning info; do
	count=$(grep -c ": $severity V" lines) || fail "no $severity: $(cat lines)"
	grep -q "$count $severity" errors || fail "not $count $severity: $(cat errors)"
done

# Severities, chosen rules.
check out 1 "$name"
grep ": info V" out && fail "an info by default"
grep -q ": warning V" out || fail "no warning by default"
check out 1 --severity ERROR "$name"
grep ": warning V" out && fail "a warning where errors are asked for"
grep -q ": error V" out || fail "no error"
check out 1 --rule ring-size --rule v303 "$name"
[ "$(grep -o ' V[0-9]* ' out | sort -u | tr -d '\n')" = " V303  V313 " ] || fail "other rules: $(cat out)"
check out 0 --rule V313 --ignore 313 "$name"
grep ": [a-z]* V" out && fail "an ignored rule"
check out 0 -s error --rule V616 "$name"
check out 1 -s info --rule V616 "$name"
# Who names a rule of severity info sees it, unless another severity is asked for.
check out 1 --rule V616 "$name"
grep -q ": info V616" out || fail "a rule that is named is not shown: $(cat out)"
check out 0 --rule V616 -s warning "$name"

# What counts as late: DPDK took 753 ms for its first answer.
check out 0 --rule late-reply "$here/../../../samples/captures/dpdk-net-packed.pcapng"
check out 1 --rule late-reply --late-after 700ms "$here/../../../samples/captures/dpdk-net-packed.pcapng"
[ "$(grep -c "V404" out)" = 1 ] || fail "not the one late reply: $(cat out)"

# JSON: a line a finding, one for the cause, one for the broken file.
check json 1 --json -s info "$name" cut
holds JSON json "map(select(.rule and .file == \"$(printf '%s' "$name" | jq -Rs . | sed 's/^"//; s/"$//')\")) | length == $number"
holds JSON json 'map(select(.rule)) | all(.[];
	(.number | type == "number") and .session == 1 and (.rule | test("^V[0-9]{3}$")) and
	(.name | test("^[a-z0-9-]+$")) and (.severity | IN("error", "warning", "info")) and
	(.text | length > 10) and (.see | type == "array"))'
holds JSON json 'map(select(.rule == "V313")) | .[0] | .number == 19 and .severity == "error" and .see == [8]'
holds JSON json 'map(select(.cause)) | length == 2 and .[0].session == 1 and (.[0].cause | startswith("the back-end"))'
holds JSON json 'map(select(.error)) == [{"schema": "check/1", "type": "error", "file": "cut", "error": .[-1].error}] and (.[-1].error | test("cut short"))'

# SARIF: what its schema requires, and nothing that points nowhere.
check sarif 1 --sarif -s info "$name" cut
holds SARIF sarif 'length == 1 and (.[0] | .version == "2.1.0" and (.runs | length == 1))'
holds SARIF sarif '.[0].runs[0].tool.driver | .name == "vhu" and (.rules | length > 50) and
	(.rules | map(.id) | unique | length) == (.rules | length) and
	all(.rules[]; (.shortDescription.text | length > 0) and (.fullDescription.text | length > 0) and
		(has("helpUri") | not) and (.defaultConfiguration.level | IN("error", "warning", "note")))'
holds SARIF sarif '.[0].runs[0] | .tool.driver.rules as $rules | all(.results[];
	$rules[.ruleIndex].id == .ruleId and .level == $rules[.ruleIndex].defaultConfiguration.level and
	(.message.text | length > 10) and (.locations | length == 1) and all((.locations + (.relatedLocations // []))[];
		(.physicalLocation.artifactLocation.uri | test("^[-A-Za-z0-9._~/%]+$")) and
		(.logicalLocations[0].fullyQualifiedName | test("^session 1/message [0-9]+$"))) and
	all((.relatedLocations // [])[]; .message.text == "message \(.id)"))'
holds SARIF sarif ".[0].runs[0].results | map(select(.locations[0].physicalLocation.artifactLocation.uri ==
	\"a%20%22b%22%20%3C%26%C3%A9%25%01.pcapng\")) | length == $number"
holds SARIF sarif '.[0].runs[0].results | map(select(.ruleId == "V313"))[0] |
	.locations[0].logicalLocations[0].name == "message 19" and .relatedLocations[0].id == 8'
holds SARIF sarif '.[0].runs[0].invocations | length == 1 and (.[0] | .executionSuccessful == false and
	(.toolExecutionNotifications | map(.level) | sort == ["error", "note", "note"]) and
	all(.toolExecutionNotifications[]; .message.text | test("likeliest cause|cut short")))'
check sarif 1 --sarif "$PWD/$name"
holds SARIF sarif '.[0].runs[0] | .invocations[0].executionSuccessful and
	(.results[0].locations[0].physicalLocation.artifactLocation.uri | startswith("file:///"))'

# JUnit: well-formed, and its totals are right.
check junit 1 --junit -s info "$name" cut
xmllint --noout junit || fail "not well-formed"
is junit 'count(/testsuites/testsuite)' 2
rules=$("$vhu" check --list | wc -l)
is junit 'count(/testsuites/testsuite[1]/testcase)' $((rules + 1))
is junit 'string(/testsuites/testsuite[1]/@tests)' $((rules + 1))
failures=$(grep -o ' V[0-9]* ' lines | sort -u | wc -l)
is junit 'string(/testsuites/testsuite[1]/@failures)' "$failures"
is junit 'count(/testsuites/testsuite[1]/testcase/failure)' "$failures"
is junit 'string(/testsuites/testsuite[1]/@errors)' 0
is junit 'string(/testsuites/testsuite[2]/@errors)' 1
is junit 'count(/testsuites/testsuite[2]/testcase[@name = "capture"]/error)' 1
# What cannot be read to its end passes no rule.
is junit 'count(/testsuites/testsuite[2]/testcase[not(*)])' 0
is junit 'string(/testsuites/testsuite[1]/@name)' "$(printf '%s' "$name" | tr '\001' '\377' | sed 's/\xff/\xef\xbf\xbd/')"
is junit 'string(//testsuite[1]/testcase[@name = "V313 ring-size"]/failure/@type)' error
xmllint --xpath 'string(//testsuite[1]/testcase[@name = "V313 ring-size"]/failure)' junit |
	grep -qx "19: error V313 ring-size: .* (session 1, see 8)" || fail "the failure does not say what failed"
xmllint --xpath 'string(//testsuite[1]/system-out)' junit | grep -q "^session 1: likeliest cause: the back-end" ||
	fail "no cause in JUnit"
check junit 1 --junit --severity error "$name"
is junit 'count(//testcase)' $(($("$vhu" check --list | grep -c "^V[0-9]* error ") + 1))

# A rule that is broken very often does not fill the memory or the document.
{
	echo "include $here/../../rules/parts/negotiate.inc"
	i=0
	while [ $i -lt 60 ]; do
		echo "> SET_OWNER"
		i=$((i + 1))
	done
} >"$work/often"
cp -r "$here/../../rules/parts" "$work/parts"
sed -i "s,^include .*/,include parts/," "$work/often"
"$programs/scenario" often often.pcapng
check junit 1 --junit often.pcapng
xmllint --xpath 'string(//testcase[@name = "V217 second-owner"]/failure)' junit >failure
[ "$(grep -c "V217" failure)" = 25 ] && grep -qx "and 35 more" failure || fail "not 25 and 35 more: $(tail -n 2 failure)"
