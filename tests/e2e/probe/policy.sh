#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a front-end makes of a back-end's specifications, and how they were found: each case of the
# table in docs/standalone.md.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open
bad=$programs/probe_bad_backend

# Probe with the options $1 a back-end that does as $3 and following say: status $2. Only what does not
# come is waited for in vain.
wait=10s
probe() {
	options=$1 wanted=$2
	shift 2
	status=0
	# shellcheck disable=SC2086 # options are several words
	timeout 60 "$vhu" probe --json --timeout $wait $options b.sock -- "$bad" b.sock "$@" \
		>out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || fail "probe $options of $*: status $status, not $wanted"
	schemas_keep out "probe $options of $*"
	rm -f b.sock
}

# The object holds what the expression $1 says.
holds() {
	jq -e "$1" out >/dev/null || fail "does not hold: $1"
}

# The rules $* are among those broken.
breaks() {
	found=$(jq -r '[.findings[] | select(.severity != "info") | .rule] | unique | join(" ")' out)
	for rule in "$@"; do
		case " $found " in
		*" $rule "*) ;;
		*) fail "broken rules are '$found', without $rule" ;;
		esac
	done
}

# A front-end with the expectation $1 meets the back-end $4...: status $2, because $3 (a pattern).
policy() {
	expected=$1 wanted=$2 why=$3
	shift 3
	probe "--expect $expected" "$wanted" "$@"
	goes_on=$([ "$wanted" -eq 0 ] && echo true || echo false)
	holds ".policy.goes_on == $goes_on"
	holds ".policy.because | test(\"$why\")"
	if [ "$wanted" -ne 0 ]; then
		grep -q "$why" err || fail "does not say why"
	fi
}

traditional="protocol=0x18209" # the same without bit 18

# Nothing expected and no answer: it fails. Expected and no answer: it goes on, and says so.
policy nothing 1 'nothing was expected, and it does not say what it is' $traditional
policy device-id=2,config-size=60,vqs=4 0 'goes on with what was expected' $traditional
policy device-id=26 0 'goes on with what was expected' $traditional
# What it looks like is no answer, and worth a warning.
policy device-id=1 0 'goes on with what was expected' $traditional features=0x140000a44
holds '.policy.warning == "device NET (1) was expected, and by its feature bits and configuration size it is BLOCK (2)"'
grep -q 'warning: device NET (1) was expected' err || fail "does not warn"
policy device-id=2 0 'goes on with what was expected' $traditional features=0x140000a44
holds '.policy | has("warning") | not'
[ ! -s err ] || fail "warns of nothing: $(cat err)"
# Nothing expected, and an answer.
policy nothing 0 'it says what it is' dialect=standalone
policy nothing 0 'it says what it is' dialect=probe

for dialect in standalone probe; do
	# Both: they match,
	policy device-id=2,config-size=60,vqs=4 0 'as was expected' dialect=$dialect
	policy device-id=block 0 'as was expected' dialect=$dialect
	policy config-size=60 0 'as was expected' dialect=$dialect
	policy vqs=2 0 'as was expected' dialect=$dialect min=2
	policy vqs=3 0 'as was expected' dialect=$dialect min=2
	policy vqs=4 0 'as was expected' dialect=$dialect min=2
	policy device-id=4,config-size=0,vqs=1 0 'as was expected' \
		dialect=$dialect device=4 told=0 max=1 queues=1 protocol=0x58009
	# or they do not, and the difference is reported.
	policy device-id=26 1 'device id 26 was expected, it is 2' dialect=$dialect
	policy config-size=96 1 'config size 96 was expected, it is 60' dialect=$dialect
	policy vqs=1 1 '1 vqs were expected, it needs 2 at least' dialect=$dialect min=2
	policy vqs=5 1 '5 vqs were expected, it has 4 at most' dialect=$dialect
	policy device-id=1,config-size=8,vqs=9 1 'it is 2; config size 8 .* it is 60; 9 vqs .* 4 at most' \
		dialect=$dialect
	policy vqs=2 1 'it needs 5 vqs and has 4 at most' dialect=$dialect min=5
	policy nothing 1 'it needs 5 vqs and has 4 at most' dialect=$dialect min=5
done
# What does not make sense is said so.
for wrong in '' all device-id device-id=none vqs=many vqs=1,vqs=2 color=red 'vqs=-1' 'vqs=5000000000'; do
	status=0
	"$vhu" probe --expect "$wrong" b.sock >out 2>err || status=$?
	[ "$status" -eq 2 ] || fail "--expect '$wrong': status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail "--expect '$wrong': says other than one line"
done

# Where each value comes from.
probe '' 0 dialect=standalone
holds '.result == "standalone" and .dialect == "standalone"'
holds '.specs | .device_id == 2 and .config_size == 60 and .min_vqs == 1 and .max_vqs == 4'
holds '[.specs | to_entries[] | select(.key | endswith("_source")).value] | unique == ["standalone"]'
holds '.config.fields.capacity == 2048 and .config.fields.num_queues == 4'
holds '.queue_num == 4 and .mem_slots == 8 and .acknowledges and .connections == 1'
probe '' 0 dialect=probe
holds '.result == "standalone" and .dialect == "probe"'
holds '[.specs | .device_id_source, .config_size_source, .min_vqs_source] | unique == ["probe"]'
holds '.specs.max_vqs == 4 and .specs.max_vqs_source == "looking" and .specs.max_vqs_how == "GET_QUEUE_NUM"'
probe '' 0 $traditional features=0x140000a44
holds '.result == "traditional" and .dialect == "any" and (.because | test("does not offer bit 18"))'
holds '.specs.device_id_source == "looking" and .specs.config_size == 60 and .specs.config_size_source == "looking" and .specs.config_size_how == "the most it gives"'
holds '.specs | has("min_vqs") | not'
probe '' 0 features=0x100000000
holds '.result == "traditional" and (.because | test("bit 30")) and (has("protocol_features") | not)'
probe '--device fs' 0 $traditional
holds '.specs.device_id == 26 and .specs.device_id_source == "user"'

probe '' 0 dialect=upstream protocol=0x418209
holds '.shmem_regions == 2'
"$vhu" probe b.sock -- "$bad" b.sock protocol=0x418209 >text 2>err
grep -A 2 '^Shared memory  *2 regions$' text | tr -s ' ' | tr -d '\n' |
	grep -q ' region 0: 0x1000 bytes region 2: 0x200000 bytes' || fail "shared memory is not shown: $(cat text)"

# Not a whole device, though it says what it is.
probe '' 1 dialect=standalone protocol=0x48209
holds '.result == "traditional" and (.because | test("STANDALONE without STATUS"))'
breaks V701
holds '.connections == 2'
probe '' 0 dialect=standalone protocol=0x48209 strict
holds '.result == "traditional" and .connections == 2'
holds '.because | test("bit 18 without STATUS, which STANDALONE needs: closed the connection")'
probe '--one-connection' 0 dialect=standalone protocol=0x48209 strict
holds '.result == "traditional" and .connections == 1'
probe '' 0 dialect=probe protocol=0x48209
holds '.result == "traditional" and (.because | test("PROBE without STATUS"))'
probe '' 1 dialect=standalone protocol=0x58009
holds '.result == "traditional" and (.because | test("STANDALONE without CONFIG"))'
breaks V702
probe '' 0 dialect=standalone device=4 told=0 protocol=0x58009
holds '.result == "standalone" and (.because | test("no configuration space"))'

# What does not agree is found by the rules.
probe '' 1 device=4 told=0
breaks V703
probe '' 1 min=5
breaks V705 V709
probe '' 1 device=0
breaks V706
probe '' 1 device=42
breaks V706
probe '' 1 dialect=probe device=42
breaks V706
probe '' 0 device=4711
holds '[.findings[] | select(.rule == "V712" and .severity == "info")] | length > 0'
probe '' 1 max=8
breaks V707
probe '' 1 dialect=probe min=5
breaks V707
probe '' 1 told=96
breaks V708

# Upstream's back-ends, which know other messages by these numbers.
probe '' 0 dialect=upstream
holds '.result == "traditional" and .dialect == "upstream" and (.because | test("SHARED_OBJECT to it: GET_SHARED_OBJECT was answered without payload"))'
wait=1s
for fault in silent half; do
	probe '' 0 $fault:GET_SHARED_OBJECT
	holds '.result == "traditional" and .dialect == "upstream"'
	holds '.because | test("bit 18 is SHARED_OBJECT to it: .*(message 41|id 41)")'
	holds '.specs.config_size == 60'
done
wait=10s
# One that closes or refuses may as well be a standalone one that is broken.
for fault in close half-close nack; do
	probe '' 1 $fault:GET_SHARED_OBJECT
	holds '.result == "unknown" and .dialect == "unknown"'
	holds '.because | test("41.*: standalone and broken, or bit 18 is SHARED_OBJECT to it: try --dialect$")'
	holds '.specs.config_size == 60'
	[ "$(wc -l <err)" -eq 1 ] || fail "$fault: says other than one line: $(cat err)"
done
probe '--one-connection' 1 close:GET_SHARED_OBJECT
holds '.dialect == "unknown" and .connections == 1'
# Those that offer what came later are not asked.
probe '' 0 close:GET_SHARED_OBJECT protocol=0xd8209
holds '.dialect == "upstream" and (.because | test("it offers DEVICE_STATE"))'
holds '[.answers[].message] | index("GET_SHARED_OBJECT") == null'
holds '.protocol_features_acked_names | index("SHARED_OBJECT") == null'
# Whoever says which dialect it is wants an answer.
probe '--dialect standalone' 1 close:GET_SHARED_OBJECT
wait=1s
probe '--dialect probe' 1 silent:GET_SHARED_OBJECT
wait=10s
probe '--dialect standalone' 0 protocol=0xd8209
holds '.result == "standalone"'
probe '--dialect upstream' 0 close:GET_SHARED_OBJECT
holds '.result == "traditional" and .connections == 1'

# The largest vring that it takes is found: whether it refuses what is larger, or closes. That it takes
# none at all is a finding.
for limit in 0 2 1024 32768; do
	for how in '' hard; do
		probe '' $((limit == 0)) $traditional vring=$limit $how
		if [ $limit -eq 0 ]; then
			holds 'has("vring_size") | not'
		else
			holds ".vring_size == $limit and .vring_size_source == \"looking\" and .vring_size_how == \"the largest it takes\""
		fi
		case $limit/$how in
		32768/*) outcome=given ;;
		*/hard) outcome=closed ;;
		*) outcome=refused ;;
		esac
		holds ".vring_sizes_tried[0] == {\"size\": 32768, \"outcome\": \"$outcome\"}"
		holds "[.findings[] | select(.severity != \"info\")] | length == $((limit == 0))"
	done
done
# Without acknowledgements only closing tells.
probe '' 0 protocol=0x18201 vring=256 hard
holds '.vring_size == 256 and .acknowledges == false'
probe '--one-connection' 0 $traditional vring=256 hard
holds 'has("vring_size") | not'
holds '.connections == 1 and .vring_sizes_tried == []'

# A refused configuration is reported, and so is the size that the back-end gives.
probe '' 0 $traditional config=37
holds '.specs.config_size == 37'
holds '[.config_sizes_tried[] | select(.outcome == "given") | .size] | max == 37'
holds '[.config_sizes_tried[] | select(.outcome == "refused") | .size] | min == 38'
probe '' 0 $traditional config=0
holds '(has("config") | not) and ([.config_sizes_tried[].outcome] | unique == ["refused"])'
probe '' 0 $traditional config=4096
holds '(.specs | has("config_size") | not) and ([.config_sizes_tried[].outcome] | unique == ["given"])'

# Only what is offered is taken, and only what is of use.
probe '' 0 protocol=0xbfeffd
holds '.protocol_features_acked_names == ["MQ", "REPLY_ACK", "CONFIG", "CONFIGURE_MEM_SLOTS", "STATUS"]'
echo "all cases hold"
