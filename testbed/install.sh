#!/bin/sh
# Installs the Debian packages that the testbed's virtual machines are made of.
# Does nothing, in well under a second, when all are there. Needs root otherwise.
set -eu

here=$(dirname "$0")
missing=
for package in $(cat "$here/image/packages.txt"); do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
	case $status in
	"ii "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "testbed: not installed:$missing; run $0 as root" >&2
	exit 1
fi

# The packages' daemons (tgtd, iscsid) are for the guests: none may start here
# and listen on this machine's addresses.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

echo "testbed: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # one word per package
apt-get install -q -y --no-install-recommends $missing
