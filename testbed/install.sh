#!/bin/sh
# Installs the Debian packages that the testbed's virtual machines are made of.
set -eu
here=$(dirname "$0")
exec "$here/../deps/install.sh" "$here/image/packages.txt"
