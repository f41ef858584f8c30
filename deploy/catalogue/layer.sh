#!/bin/bash
# Installs packages into one layer. Runs in a mount namespace of its own, so that nothing stays mounted however it ends.
#   LOWER (overlay's lowerdir), UPPER, WORK, ROOT: folders; SOURCES, ACQUIRE: apt's settings of the host
#   PACKAGES: what to install; SETUP: shell commands before, RUN: after, both as root of the layer
set -euo pipefail
# Whatever the kernel's defaults: with these on, the upper folder would hold references to the layers below, not files.
plain=redirect_dir=off,metacopy=off,index=off
mount -t overlay overlay -o "$plain,lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" "$ROOT"
mkdir -p "$ROOT/proc" "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"

inside() { env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive chroot "$ROOT" "$@"; }

if [ -n "${SETUP:-}" ]; then inside /bin/sh -euc "$SETUP"; fi
if [ -n "${PACKAGES:-}" ]; then
    # The host's settings go in for this run only, and never into the layer.
    cp "$SOURCES" "$ROOT/etc/apt/sources.list.d/boatyard-build.list"
    cp "$ACQUIRE" "$ROOT/etc/apt/apt.conf.d/00boatyard-build"
    printf 'force-unsafe-io\n' >"$ROOT/etc/dpkg/dpkg.cfg.d/00boatyard-build"
    printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d" && chmod 755 "$ROOT/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
    inside apt-get update -qq
    # shellcheck disable=SC2086
    inside apt-get install -y -qq --no-install-recommends $PACKAGES
    rm -rf "$ROOT/etc/apt/sources.list.d/boatyard-build.list" "$ROOT/etc/apt/apt.conf.d/00boatyard-build" \
        "$ROOT/etc/dpkg/dpkg.cfg.d/00boatyard-build" "$ROOT/usr/sbin/policy-rc.d" "$ROOT"/var/lib/apt/lists/* \
        "$ROOT"/var/cache/apt/* "$ROOT"/var/cache/ldconfig/aux-cache "$ROOT"/var/log/*.log "$ROOT"/var/log/apt \
        "$ROOT"/var/lib/dpkg/*-old "$ROOT"/var/cache/debconf/*-old
    : >"$ROOT/etc/resolv.conf"
fi
if [ -n "${RUN:-}" ]; then inside /bin/sh -euc "$RUN"; fi
rm -rf "$ROOT"/tmp/* "$ROOT"/run/*
