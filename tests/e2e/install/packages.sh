#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages: lintian has nothing to say of them; in a fresh Debian they are installed by apt,
# work for a normal user, and leave nothing when they are removed.
#
#	packages.sh [RELEASE]
#
# RELEASE is the Debian to try them in (the one that this runs on).
. "$(dirname "$0")/../../lib/common.sh"
need debootstrap lintian dpkg-buildpackage
[ "$(id -u)" -eq 0 ] || {
	echo "lacks the rights of root, for a Debian in a folder"
	exit 77
}
release=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
work_open
root=$work/root

sh "$top/packaging/deb.sh" "$work/packages" >out 2>err || fail "no packages"
rm -f packages/*-dbgsym_*
lintian --allow-root --fail-on error,warning packages/*.deb >out 2>&1 || fail "lintian has found something"

# The mirror that this machine has its own packages from.
mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p;s/^URIs: *\([^ ]*\).*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
debootstrap --variant=minbase "$release" root "$mirror" >debootstrap.log 2>&1 || fail "no Debian"
cp /etc/apt/apt.conf.d/* root/etc/apt/apt.conf.d/ 2>/dev/null || :
cp /etc/resolv.conf root/etc/
# Run the command $* in the other Debian, as root or as a user.
inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive "$@"
}
as_user() {
	chroot --userspec=65534:65534 "$root" env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C "$@"
}
# Where files are that packages own; what apt and dpkg write about packages is theirs.
files() {
	(cd root && find etc opt usr lib home -not -type d | sort)
}
mkdir -p root/packages
cp packages/*.deb root/packages
inside apt-get install -y --no-install-recommends tshark man-db >apt.log 2>&1 || fail "no tshark"
files >before

inside sh -c 'apt-get install -y --no-install-recommends /packages/*.deb' >apt.log 2>&1 ||
	fail "the packages cannot be installed"
as_user vhu --version >out || fail "vhu does not run"
captures=/usr/share/doc/vhu/samples/captures
as_user vhu check --exit-zero $captures/qemu-blk.pcapng >out 2>&1 || fail "vhu check: status $?"
as_user tshark -C vhost-user -r $captures/qemu-blk.pcapng -Y vhost_user >out 2>err || fail "tshark"
grep -q GET_FEATURES out || fail "the plugin is not found"
as_user tshark -D >out 2>err || fail "tshark -D"
grep -q vhost-user out || fail "the interface is not found"
# A session of the samples, recorded and checked.
as_user sh -ec 'cd "$(mktemp -d)"
	vhu-sample-backend --socket-path=back.sock & back=$!
	vhu proxy -q -w session.pcapng front.sock back.sock & proxy=$!
	trap "kill $back $proxy 2>/dev/null || :" EXIT
	until [ -S front.sock ] && [ -S back.sock ]; do sleep 0.05; done
	vhu-sample-frontend --duration 100ms front.sock
	kill $proxy
	wait $proxy || :
	vhu check session.pcapng' >out 2>&1 || fail "a session of the samples: status $?"
as_user vhu complete check --sev >out || fail "no completion"
for file in /usr/lib/systemd/system/vhu-proxy@.service /usr/share/doc/vhu/docs/hung.md \
	/usr/share/doc/vhu/examples/example.conf /usr/share/doc/vhu/copyright \
	/usr/share/doc/vhu/changelog.gz /usr/share/bash-completion/completions/vhu \
	/usr/share/vhu/schema/check.json; do
	[ -f "root$file" ] || fail "$file is not there"
done
for page in vhu.1 vhu-proxy.1 vhu-sample-backend.1 vhu-capture.5 vhu-faults.7 vhu-rules.7; do
	[ -f "root/usr/share/man/man${page##*.}/$page.gz" ] || fail "no manual page $page"
done
# The files that manuals name.
for file in $(zcat root/usr/share/man/man1/vhu*.1.gz root/usr/share/man/man7/vhu*.7.gz |
	grep -o '/[a-z/]*share/doc/vhu/[a-zA-Z/-]*\.[a-z]*' | sort -u); do
	[ -f "root$file" ] || fail "a manual names $file"
done

# Without the plugin the dissector in Lua is there.
inside apt-get purge -y vhu-wireshark >apt.log 2>&1 || fail "the plugin is not removed"
as_user tshark -r $captures/qemu-blk.pcapng -Y vhost_user >out 2>err || fail "tshark without the plugin"
grep -q GET_FEATURES out || fail "the dissector in Lua is not found"

# Out again.
inside apt-get purge -y vhu vhu-doc vhu-samples vhu-wireshark-lua >apt.log 2>&1 || fail "not removed"
inside apt-get autoremove -y --purge >>apt.log 2>&1 || fail "what they needed is not removed"
files >after
diff before after | grep '^>' | grep -v -e ' usr/share/man/.*cat' -e ' etc/ld.so.cache' &&
	fail "left behind"
exit 0
