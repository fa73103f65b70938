#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real Prometheus watches three proxies with 50 sessions each, through the service that systemd starts
# for each connection. A back-end is stopped: the alert fires. It goes on: the alert clears.
. "$(dirname "$0")/../../lib/common.sh"
need prometheus jq systemd-socket-activate curl
work_open

# Print an unused port.
free_port() {
	while :; do
		port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 20000))
		ss -Hltn "sport = :$port" | grep -q . || break
	done
	echo "$port"
}

targets=''
for host in 1 2 3; do
	# 49 sessions that only are there, and one with load.
	stage_start "many$host" "$programs/bench_peer" serve "many$host.back"
	stage_start "back$host" "$build/bin/vhu-sample-backend" --socket-path="back$host.sock"
	stage_listens "many$host" "many$host.back"
	stage_listens "back$host" "back$host.sock"
	stage_start "proxy$host" "$vhu" proxy -q --interpose-eventfds --control "$stage/control$host" \
		--pair "many$host.sock=many$host.back" --pair "front$host.sock=back$host.sock"
	stage_listens "proxy$host" "front$host.sock"
	port=$(free_port)
	stage_start "http$host" systemd-socket-activate --accept --inetd -l "127.0.0.1:$port" \
		-E "VHU_CONTROL=$stage/control$host" "$vhu" ctl metrics --http
	targets="$targets${targets:+,}\"127.0.0.1:$port\""
	# They hold until their input ends, which is when they do.
	mkfifo "hold$host"
	stage_start "hold$host" sh -c 'exec "$0" hold "$1" 49 <>"$2"' "$programs/bench_peer" \
		"many$host.sock" "hold$host"
	stage_start "load$host" "$build/bin/vhu-sample-frontend" --rate 20 --duration 600s \
		--timeout 600s "front$host.sock"
done

web=$(free_port)
# The rules as they are, but for their patience.
sed 's/> 5$/> 1/; s/for: 30s/for: 1s/; s/\[5m\]/[10s]/' "$top/packaging/prometheus/vhu.rules.yml" >rules.yml
cat >prometheus.yml <<END
global: {scrape_interval: 1s, evaluation_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: vhu, static_configs: [{targets: [$targets]}]}]
rule_files: [rules.yml]
END
promtool check config prometheus.yml >out 2>&1 || fail "the configuration"
stage_start prometheus prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
	--web.listen-address="127.0.0.1:$web" --log.level=warn

# Print the values that Prometheus has for $1.
query() {
	curl -s -G "http://127.0.0.1:$web/api/v1/query" --data-urlencode "query=$1" |
		jq -r '.data.result[]?.value[1]'
}
await "[ \"\$(query 'sum(up)')\" = 3 ]" "three hosts are scraped"
await "[ \"\$(query 'sum(vhu_sessions_open)')\" = 150 ]" "150 sessions"
await "[ \"\$(query 'count(rate(vhu_kicks_total[10s]) > 0)')\" = 3 ]" "kicks everywhere"
await "query 'vhu_kick_to_call_seconds:p99' | grep -q '^0[.]'" "a quantile of all hosts"
[ -z "$(query 'ALERTS{alertstate="firing"}')" ] || fail "an alert before anything is wrong"

# A request that is not answered.
stopped=$(stage_pid back2)
kill -STOP "$stopped"
stage_end load2 TERM || :
stage_start late "$build/bin/vhu-sample-frontend" --timeout 600s --requests 1 front2.sock
await "[ \"\$(query 'count(ALERTS{alertname=\"VhuRequestWaits\",alertstate=\"firing\",pair=\"front2.sock\"})')\" = 1 ]" \
	"the alert fires"
[ -z "$(query 'ALERTS{alertname="VhuRequestWaits",pair!="front2.sock"}')" ] || fail "others are blamed"
kill -CONT "$stopped"
await "[ -z \"\$(query 'ALERTS{alertname=\"VhuRequestWaits\",alertstate=\"firing\"}')\" ]" "the alert clears"
query 'count({__name__=~"vhu_.*"})' >out
# What a host costs is bounded by its pairs and the messages they use, not by its sessions.
[ "$(cat out)" -lt 3000 ] || fail "$(cat out) series"
