#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: deploy/packages.sh run|test
set -euo pipefail

# What the server needs: the OCI runtime, nftables, disk images, the registry, and mmdebstrap to build images.
packages=(runc nftables e2fsprogs docker-registry mmdebstrap debian-archive-keyring iproute2 ca-certificates build-essential)
# What its tests need besides: a browser with a font, and an ssh client as students have it.
if [ "${1:-run}" = test ]; then
    packages+=(chromium fonts-dejavu-core openssh-client curl)
fi

missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "boatyard: Debian packages are missing: ${missing[*]}; install them with: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Nothing may start by itself: the server supervises a registry of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
