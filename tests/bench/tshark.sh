#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what a frame of ours costs in tshark, by the plugin and by the dissector in Lua, beside frames
# of D-Bus and USB: instructions, and the memory that many frames take.
#
#	tshark.sh [-b BUILD] [-c CAPTURE] [-m FRAMES]
#
# CAPTURE is a session whose messages are repeated; FRAMES is for the memory, 0 leaves that out.
# Instructions are counted by callgrind, on 2,000 and on 12,000 frames, and the difference is divided
# by 10,000: tshark's start is not in it, and unlike times the result is the same on every run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/tshark.sh
. "$here/../lib/tshark.sh"

build=build-test capture='' frames=1000000
while getopts b:c:m: option; do
	case $option in
	b) build=$OPTARG ;;
	c) capture=$OPTARG ;;
	m) frames=$OPTARG ;;
	*) echo "usage: tshark.sh [-b BUILD] [-c CAPTURE] [-m FRAMES]" >&2
	   exit 2 ;;
	esac
done
build=$(cd "$build" && pwd)
bench=$build/tests/bin
if [ -z "$capture" ]; then
	for file in "$here"/../../samples/captures/*.pcapng; do
		[ -f "$file" ] && capture=$file && break
	done
fi
if [ -z "$capture" ]; then
	echo "tshark.sh: no sample capture: name one by -c" >&2
	exit 2
fi
if ! [ -x "$bench/bench_frames" ]; then
	echo "tshark.sh: $bench/bench_frames: not there; build first, or name the folder by -b" >&2
	exit 2
fi
if vhu_tshark_lacks "$build"; then
	exit 77
fi
if ! command -v valgrind >/dev/null; then
	echo "skipped: valgrind is not installed (package valgrind)"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
version=$(tshark --version 2>/dev/null | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
mkdir "$work/bin" "$work/none" "$work/none/wsplugins"
cp "$bench/bench_maxrss" "$work/bin/maxrss"
# Not root when measuring: tshark takes no plugin from root.
mkdir -m 777 "$work/out"
chmod 755 "$work"

# A tshark that is measured, for vhu_tshark to find first.
cat >"$work/bin/tshark" <<EOT
#!/bin/sh
tshark=$(command -v tshark)
case \$BENCH in
instructions) exec valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file=$work/out/log \$tshark "\$@" ;;
memory) exec $work/bin/maxrss $work/out/rss \$tshark "\$@" ;;
esac
EOT
chmod 755 "$work/bin/tshark"
PATH=$work/bin:$PATH

# Make the frames of a kind.
make_frames()
{
	case $1 in
	dbus | usb) "$bench/bench_frames" "$1" "$2" "$work/frames" ;;
	*) "$bench/bench_frames" vhost-user "$2" "$work/frames" "$capture" ;;
	esac
	chmod 644 "$work/frames"
}

# Run tshark on the frames as kind $1 is to be read, with further arguments. All but ours are read
# with a folder for plugins that holds none, so that nothing else differs.
run_tshark()
{
	plugins=$work/none vhu_tshark_lua=''
	case $1 in
	plugin) plugins=$build ;;
	lua) plugins=$build vhu_tshark_lua=alone ;;
	esac
	shift
	vhu_tshark "$plugins" -n -r "$work/frames" "$@" >/dev/null 2>"$work/stderr" && return
	cat "$work/stderr" >&2
	return 1
}

# Print how many instructions tshark takes for $2 frames of kind $1, with further arguments.
instructions()
{
	kind=$1
	make_frames "$1" "$2"
	shift 2
	BENCH=instructions run_tshark "$kind" "$@"
	sed -n 's/.*Collected : //p' "$work/out/log"
}

# Print the instructions a frame, for the arguments of instructions().
per_frame()
{
	kind=$1
	shift
	few=$(instructions "$kind" 2000 "$@")
	many=$(instructions "$kind" 12000 "$@")
	echo $(((many - few) / 10000))
}

# Print the MiB of tshark for many frames of a kind, with further arguments.
memory()
{
	kind=$1
	shift
	BENCH=memory run_tshark "$kind" "$@"
	echo $(($(cat "$work/out/rss") / 1024))
}

echo "tshark $version, $(basename "$capture")"
printf '%-34s%14s%14s' "" "instructions" "-T fields"
[ "$frames" = 0 ] || printf '%14s%14s' "MiB" "MiB, -2"
printf '\n%-34s%14s%14s' "" "a frame" "a frame"
[ "$frames" = 0 ] || printf '%14s%14s' "of $frames" "of $frames"
echo
for kind in plain plugin lua dbus usb; do
	case $kind in
	plain) name="vhost-user, undissected" field=frame.number ;;
	plugin) name="vhost-user, with the plugin" field=vhost_user.request ;;
	lua) name="vhost-user, by Lua" field=vhost_user.request ;;
	dbus) name="D-Bus" field=dbus.serial ;;
	usb) name="USB" field=usb.urb_type ;;
	esac
	text=$(per_frame $kind)
	fields=$(per_frame $kind -T fields -e "$field")
	case $kind in
	plain) plain_text=$text plain_fields=$fields ;;
	plugin) plugin_text=$text plugin_fields=$fields ;;
	lua) lua_text=$text lua_fields=$fields ;;
	esac
	printf '%-34s%14d%14d' "$name" "$text" "$fields"
	if [ "$frames" != 0 ]; then
		make_frames $kind "$frames"
		once=$(memory $kind)
		twice=$(memory $kind -2)
		printf '%14d%14d' "$once" "$twice"
	fi
	echo
done

# Print what one way costs against another: for the list, and for a field.
against()
{
	awk -v name="$1" -v a="$2" -v b="$3" -v c="$4" -v d="$5" \
		'BEGIN { printf "%-34s%14.2f%14.2f\n", name, a / b, c / d }'
}
against "Lua / plugin" "$lua_text" "$plugin_text" "$lua_fields" "$plugin_fields"
against "Lua / undissected" "$lua_text" "$plain_text" "$lua_fields" "$plain_fields"
against "plugin / undissected" "$plugin_text" "$plain_text" "$plugin_fields" "$plain_fields"
