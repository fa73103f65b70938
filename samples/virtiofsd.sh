#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Be virtiofsd, with vhu proxy before it: for libvirt (<binary path=...>), Kata Containers
# (virtio_fs_daemon) and others that start virtiofsd themselves, with a socket that it is to serve.
#
# Each virtiofsd has a capture of its own, named by its process id, if the folder for them is there.
# The variables can be set in the environment, or, where that is not passed on, here.
#
#	sh virtiofsd.sh [OPTIONS OF virtiofsd]
set -eu

vhu=${VHU:-vhu}
daemon=${VHU_VIRTIOFSD:-/usr/libexec/virtiofsd}
captures=${VHU_CAPTURES:-/var/lib/vhu}

front='' before=''
for word; do
	shift
	# The socket, as --fd=N or --fd N, goes to the proxy, and virtiofsd gets one of the proxy's.
	case $before,$word in
	--fd,*) front=fd:$word word='{listen-fd}' ;;
	--socket-path,*) front=listen:$word word='{}' ;;
	,--fd=*) front=fd:${word#*=} word='--fd={listen-fd}' ;;
	,--socket-path=*) front=listen:${word#*=} word='--socket-path={}' ;;
	esac
	case $before,$word in
	,--fd | ,--socket-path) before=$word ;;
	*) before='' ;;
	esac
	set -- "$@" "$word"
done
# It was asked for its version, or for what it can do.
[ -n "$front" ] || exec "$daemon" "$@"
set -- "$front" -- "$daemon" "$@"
[ ! -w "$captures" ] || set -- --write "$captures/virtiofsd-$$.pcapng" "$@"
exec "$vhu" proxy --quiet "$@"
