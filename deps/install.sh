#!/bin/sh
# Installs the Debian packages named in the lists that are given, one a line.
# Does nothing, in well under a second, when all are there. Needs root otherwise.
set -eu

missing=
for package in $(cat "$@"); do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $status in
	"ii "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "not installed:$missing; as root, run $0 $*" >&2
	exit 1
fi

# Clinker starts what it needs itself, on loopback: the packages' own daemons
# (PostgreSQL, tgtd, iscsid) shall not start because of this.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # one word per package
apt-get install -q -y --no-install-recommends $missing
