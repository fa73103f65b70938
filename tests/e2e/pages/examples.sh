#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# examples.sh PAGE...: the examples of pages run, with the samples in place of a virtual machine and its
# back-end. examples.awk says what an example is, vhu.sh plays the machine. A PAGE is a file in Markdown or
# a manual below the project's folder, or --help of a command: its name and ".help".
. "$(dirname "$0")/../../lib/common.sh"
need jq zstd
lacks_probes=$(need_probes) || [ $? = 77 ] || {
	echo "$lacks_probes"
	exit 1
}
work_open

export TOP="$top" STATE="$work/state" VHU="$vhu" XDG_RUNTIME_DIR="$work/page/run"
export b="$build/bin/vhu-sample-backend" # so the comment beside an example says
unset VHU_CONTROL
mkdir bin
cp "$here/vhu.sh" bin/vhu
cp "$here/vhu.sh" bin/pidof
# What else examples call: a viewer, another user.
printf '#!/bin/sh\nexec cat >/dev/null\n' >bin/wireshark
printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
chmod +x bin/*
export PATH="$work/bin:$build/bin:$PATH"

# End what the examples started; no party has anything left to do.
parties_end() {
	for file in "$STATE"/*.pid; do
		[ ! -e "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || :
	done
	rm -rf "$STATE"
}
trap 'status=$?; parties_end; work_close $status' EXIT

# Print why the example in the file $1 cannot run here, if it cannot.
cannot_run() {
	case $(cat "$1") in
	*--qmp*) echo "needs QEMU" ;;
	*virtiofsd* | *vhost-user-gpu* | *my-backend* | *./backend* | *ovs-vsctl*) echo "needs another program" ;;
	*connect:* | *"mv /run/"*) echo "needs a front-end that listens, or a back-end that already does" ;;
	*vhost-user-attach*) echo "needs an installed capture interface" ;;
	*/usr/share/doc/*) echo "needs an installed vhu" ;;
	*"<Tab>"* | *FRAMES*) echo "is no command line" ;;
	*"vhu attach"* | *"vhu latency"* | *"vhu top --all"* | *"vhu top -p"* | *"vhu top --socket"*)
		echo "$lacks_probes"
		;;
	esac
}

# Print the page $1 as Markdown: each example of a manual or a help text is a block of its own.
page() {
	case $1 in
	*.help) "$vhu" "${1%.help}" --help | sed -n '/^Examples:/,$s/^  vhu/text\n    vhu/p' ;;
	*.1) sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/s/^\.B /text\n    /p' "$top/$1" |
		sed 's/\\(dq/"/g; s/\\-/-/g; s/\\&//g; s/\\e/\\/g' ;;
	*) cat "$top/$1" ;;
	esac
}

count=0
for page in "$@"; do
	rm -rf page
	mkdir -p page/run examples
	page "$page" >page.md
	(cd examples && awk -f "$here/examples.awk" ../page.md)
	cp "$captures/qemu-blk.pcapng" page/capture.pcapng
	printf '#!/bin/sh\nexec vhu-sample-backend --device blk --socket-path="$1"\n' >page/my-back-end
	chmod +x page/my-back-end
	for example in examples/*; do
		[ -e "$example" ] || fail "$page has no example"
		where=$page:$(echo "$example" | sed 's/.*-0*//; s/\.sh//')
		why=$(cannot_run "$example")
		if [ -n "$why" ]; then
			echo "$where: not run: $why"
			continue
		fi
		count=$((count + 1))
		mkdir state
		sed -i -E 's#(^|[ =:])/(run|etc|var|srv|tmp)/#\1\2/#g' "$example"
		status=0
		(cd page && timeout 250 sh -eu "../$example") </dev/null >out 2>err || status=$?
		[ ! -e state/failed ] || fail "$where: $(cat state/failed)"
		# vhu rings exits with 1 if a vring hangs.
		[ $status = 0 ] || { [ $status = 1 ] && grep -q '^vhu rings' "$example"; } ||
			fail "$where: status $status: $(cat "$example")"
		parties_end
		rm -rf page/run
		mkdir page/run
	done
	rm -r examples
done
[ $count -gt 0 ] || fail "no examples"
echo "$count examples ran"
[ -z "$lacks_probes" ] || exit 77
