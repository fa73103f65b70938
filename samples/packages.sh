# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages that building, demonstrating and testing need, and their installation.
#
# To be sourced: . samples/packages.sh; vhu_need $(vhu_packages build demo)

# Print the packages for each purpose named: build, demo (a guest and its disk), dpdk, tests.
vhu_packages() {
	for vhu_purpose in "$@"; do
		case $vhu_purpose in
		# Wireshark's headers include GLib's, though its package does not depend on them.
		build)
			echo gcc libc6-dev cmake make pkg-config libseccomp-dev
			echo libwireshark-dev libglib2.0-dev libjansson-dev libncurses-dev zlib1g-dev
			# The probes: clang compiles them, llvm strips them.
			echo libbpf-dev clang llvm
			;;
		# The storage daemon is in qemu-system-common, from Debian 13 on in qemu-utils.
		demo) echo tshark qemu-system-x86 qemu-system-common qemu-utils busybox-static gzip ;;
		package)
			vhu_packages build
			echo build-essential debhelper dpkg-dev
			;;
		dpdk) echo tshark dpdk-dev ;;
		tests)
			vhu_packages build demo dpdk package
			echo libcmocka-dev libpcap-dev jq strace wireshark-common tcpdump valgrind systemd procps
			echo clang libclang-rt-dev linux-libc-dev systemtap-sdt-dev libxml2-utils
			echo clang-format clang-tidy shellcheck gcovr mandoc codespell
			# What is installed: completions, packages in a Debian of their own.
			echo bash zsh fish man-db debootstrap lintian
			# The examples of pages.
			echo zstd
			# The screen of vhu top.
			echo tmux
			# The pages of vhu report.
			echo chromium
			# The JSON of commands, and the examples of docs/json.md.
			echo python3-jsonschema python3-pandas
			# Metrics.
			echo prometheus curl iproute2
			# In Debian 12 it is part of qemu-system-common.
			grep -qs '^VERSION_ID="12"' /etc/os-release || echo virtiofsd
			;;
		*)
			echo "vhu_packages: $vhu_purpose: no such purpose" >&2
			return 2
			;;
		esac
	done
	# Any kernel with virtio modules boots the guest; most machines have one, containers do not.
	case " $* " in
	*" demo "* | *" tests "*)
		ls /lib/modules/*/kernel/drivers/virtio >/dev/null 2>&1 ||
			echo linux-image-cloud-amd64
		;;
	esac
}

# Print which of the packages $* are not installed, on one line; nothing when all are.
vhu_missing() {
	for vhu_package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$vhu_package" 2>/dev/null) in
		installed) ;;
		*) printf '%s ' "$vhu_package" ;;
		esac
	done
}

# Have the packages $* installed. As root this installs what is missing; otherwise it prints the
# line to run. Returns 0 when all are installed, 1 when not.
vhu_need() {
	if ! command -v dpkg-query >/dev/null; then
		echo "Not a Debian: please see to what these packages hold: $*" >&2
		return 0
	fi
	vhu_lacking=$(vhu_missing "$@")
	vhu_lacking=${vhu_lacking% }
	[ -n "$vhu_lacking" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "Some Debian packages are missing. Please run this, then start again:" >&2
		echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $vhu_lacking" >&2
		return 1
	fi
	echo "Installing $vhu_lacking"
	vhu_log=$(mktemp)
	# shellcheck disable=SC2086 # a list of packages is several words
	if apt-get update >"$vhu_log" 2>&1 &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
			$vhu_lacking >>"$vhu_log" 2>&1; then
		rm -f "$vhu_log"
		return 0
	fi
	echo "apt-get could not install them:" >&2
	tail -n 20 "$vhu_log" >&2
	rm -f "$vhu_log"
	return 1
}
