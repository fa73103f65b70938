#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what a host costs Prometheus, and how it grows with hosts: a real proxy with MACHINES pairs is
# scraped several times while they work, and what it answered is served again as if by many hosts.
#
#	fleet.sh [-b BUILD] [-m MACHINES] [-h "HOSTS..."] [-s SECONDS] [-n SCRAPES]
#
# Prometheus scrapes each of HOSTS hosts every SECONDS, SCRAPES times; then its own metrics are read. The
# label "instance" tells hosts apart. For 1,000 hosts the memory is computed from the last two numbers of
# HOSTS: so much for each series more.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test machines=300 hosts="5 10 20" seconds=30 scrapes=4
while getopts b:m:h:s:n: option; do
	case $option in
	b) build=$OPTARG ;;
	m) machines=$OPTARG ;;
	h) hosts=$OPTARG ;;
	s) seconds=$OPTARG ;;
	n) scrapes=$OPTARG ;;
	*) echo "usage: fleet.sh [-b BUILD] [-m MACHINES] [-h \"HOSTS...\"] [-s SECONDS] [-n SCRAPES]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu bin/vhu-sample-backend bin/vhu-sample-frontend tests/bin/bench_expose
for program in prometheus curl; do
	command -v $program >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
vhu=$build/bin/vhu
bench_open

# The host: each machine is a disk with two vrings, whose kicks and calls go by the proxy.
bench_start "$work/disk.back" "$build/bin/vhu-sample-backend" --device blk --memory 1 --queues 2 \
	"--socket-path=$work/disk.back"
n=0
while [ $n -lt "$machines" ]; do
	n=$((n + 1))
	echo "pair $work/$n $work/disk.back"
done >"$work/machines.conf"
bench_start "$work/1" "$vhu" proxy -q --interpose-eventfds --control "$work/control" \
	--config "$work/machines.conf"
# What it answers has the names that sockets have on a host.
part=0
while [ $part -lt "$scrapes" ]; do
	n=0
	while [ $n -lt "$machines" ]; do
		n=$((n + 1))
		"$build/bin/vhu-sample-frontend" --device blk --queues 2 --requests 20 "$work/$n" >/dev/null 2>>"$work/stderr"
	done
	"$vhu" ctl -s "$work/control" metrics |
		sed "s,pair=\"$work/\([0-9]*\)\",pair=\"/run/vm\1/disk.sock\"," >"$work/host.$part"
	part=$((part + 1))
done
series=$(grep -vc '^#' "$work/host.0")
echo "a host with $machines machines: $series series, $(wc -c <"$work/host.0") bytes a scrape," \
	"$(gzip -c "$work/host.0" | wc -c) compressed"

# Print the value of $1 that Prometheus has of itself.
own()
{
	curl -s "http://127.0.0.1:$web/metrics" | awk -v name="$1" '{ sub(/[{].*[}]/, "") }
		$1 == name { sum += $2 } END { printf "%.0f\n", sum }'
}
# Print the value of the query $1.
query()
{
	curl -s -G "http://127.0.0.1:$web/api/v1/query" --data-urlencode "query=$1" |
		sed -n 's/.*"value":\[[^,]*,"\([^"]*\)"\].*/\1/p'
}
# Wait until the command $1 prints at least $2, as long as it takes to scrape so often.
until_least()
{
	tries=0
	until [ "$($1)" -ge "$2" ] 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt $((10 * (scrapes + 20) * seconds)) ] || { echo "fleet.sh: not $2 of $1" >&2; exit 1; }
		sleep 0.1
	done
}
samples()
{
	own prometheus_tsdb_head_samples_appended_total
}

printf '\n%8s%14s%14s%16s%16s%14s\n' hosts series 'memory MiB' 'bytes a series' 'bytes a sample' 'scrape s'
before_series=0 before_memory=0
for count in $hosts; do
	"$build/tests/bin/bench_expose" "$seconds" "$work"/host.* >"$work/port" 2>>"$work/stderr" &
	server=$!
	pids="$pids $server"
	until [ -s "$work/port" ]; do sleep 0.05; done
	port=$(cat "$work/port")
	{
		echo "global: {scrape_interval: ${seconds}s, scrape_timeout: ${seconds}s}"
		echo 'scrape_configs:'
		echo '- job_name: vhu'
		echo '  static_configs:'
		n=0
		while [ $n -lt "$count" ]; do
			n=$((n + 1))
			echo "  - {targets: ['127.0.0.1:$port'], labels: {instance: host$n, __metrics_path__: /$n}}"
		done
	} >"$work/prometheus.yml"
	web=$((20000 + port % 20000))
	while ss -Hltn "sport = :$web" | grep -q .; do web=$((web + 1)); done
	prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb.$count" \
		--web.listen-address="127.0.0.1:$web" --log.level=warn >>"$work/stderr" 2>&1 &
	prometheus=$!
	pids="$pids $prometheus"
	until_least samples $((count * series * scrapes))
	memory=$(own process_resident_memory_bytes)
	head=$(own prometheus_tsdb_head_series)
	disk=$(du -sb "$work/tsdb.$count/wal" | cut -f 1)
	printf '%8s%14s%14s%16s%16s%14.3f\n' "$count" "$head" $((memory >> 20)) $((memory / head)) \
		$((disk / $(samples))) "$(query 'avg(scrape_duration_seconds)')"
	kill $server $prometheus
	wait $server $prometheus 2>/dev/null || :
	rm -rf "$work/tsdb.$count" "$work/port"
	more=$(((memory - before_memory) / (head - before_series)))
	before_series=$head before_memory=$memory
done
echo
echo "1,000 such hosts: $((1000 * series)) series; at $more bytes for each series more:" \
	"$(((before_memory + (1000 * series - before_series) * more) >> 30)) GiB"
