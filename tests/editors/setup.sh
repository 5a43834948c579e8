#!/bin/bash
# Makes a chroot that holds the real GIMP 3 and Krita for the tests in this folder. Needs root, a Debian mirror and 2.2 GB of disk.
#
#   setup.sh [trixie|forky|krita6]        (default: $MASKWRIGHT_EDITORS_SUITE, else trixie)
#
#   trixie  GIMP 3.0 and Krita 5.2        made in about three minutes on a new machine
#   forky   GIMP 3.2 and Krita 5.3
#   krita6  Krita 6 (PyQt6), no GIMP
#
# The chroot's folder is $MASKWRIGHT_EDITORS or ~/.cache/maskwright-editors-SUITE. A finished one is left as it is (under a
# second). Nothing is mounted in it, neither to install nor to run the editors or Xvfb, so it can be removed like any
# folder; files go in by copying, and the network is the machine's own, so 127.0.0.1 is shared.
set -euo pipefail
suite=${1:-${MASKWRIGHT_EDITORS_SUITE:-trixie}}
root=${MASKWRIGHT_EDITORS:-$HOME/.cache/maskwright-editors-$suite}
tools="xvfb xauth xdotool openbox x11-utils imagemagick fonts-dejavu-core procps"
release=$suite experimental=""
case $suite in
  trixie | forky) packages="gimp gir1.2-gimp-3.0 python3-gi krita python3-pyqt5 $tools" ;;
  krita6) packages=$tools release=sid experimental="krita python3-pyqt6 qt6-svg-plugins" ;;
  *) echo "setup.sh: there is no suite '$suite' (trixie, forky, krita6)" >&2; exit 2 ;;
esac
began=$SECONDS
say() { echo "[editors $((SECONDS - began))s] $*"; }
die() { say "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "a chroot needs root"

mkdir -p "$(dirname "$root")"
exec 9> "$root.lock"
flock 9 # two test runs may want it at once
wanted="$suite: $packages $experimental"
if [ -e "$root/.editors-ready" ] && [ "$(cat "$root/.editors-wanted" 2> /dev/null)" = "$wanted" ]; then
  say "ready: $(tr '\n' ' ' < "$root/.editors-ready")"
  exit 0
fi

# The mirror that this machine's own packages come from.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2> /dev/null | head -1 || true)}
[ -n "$mirror" ] || die "no Debian mirror is known: set DEBIAN_MIRROR"

export DEBIAN_FRONTEND=noninteractive
command -v debootstrap > /dev/null || {
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends debootstrap > /dev/null
}
if [ ! -e "$root/.editors-base" ] && [ ! -e "$root/.editors-ready" ]; then
  [ ! -e "$root" ] || rm -rf --one-file-system "$root" # what an interrupted run left
  script=/usr/share/debootstrap/scripts/$release
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
  debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    "$release" "$root" "$mirror" "$script" > "$root.log" 2>&1 || { tail -5 "$root.log"; die "debootstrap failed"; }
  touch "$root/.editors-base"
  say "base system of $release installed"
fi

cp /etc/resolv.conf "$root/etc/resolv.conf"
install -m 755 /dev/stdin "$root/usr/sbin/policy-rc.d" <<< $'#!/bin/sh\nexit 101' # starts no services
printf '%s\n' force-unsafe-io path-exclude=/usr/share/doc/\* path-exclude=/usr/share/man/\* \
  path-exclude=/usr/share/locale/\* > "$root/etc/dpkg/dpkg.cfg.d/editors"
cat > "$root/etc/apt/apt.conf.d/90editors" << 'CONF'
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
CONF
echo "deb $mirror $release main" > "$root/etc/apt/sources.list"
[ -z "$experimental" ] || echo "deb $mirror experimental main" >> "$root/etc/apt/sources.list"
within() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
within apt-get update -qq
within apt-get install -y $packages > "$root.log" 2>&1 || { tail -20 "$root.log"; die "installing the editors failed"; }
if [ -n "$experimental" ]; then
  within apt-get install -y -t experimental $experimental >> "$root.log" 2>&1 || { tail -20 "$root.log"; die "installing from experimental failed"; }
fi
within apt-get clean
within dpkg-query -W -f '${Package} ${Version}\n' gimp krita python3 python3-pyqt5 python3-pyqt6 2> /dev/null \
  | grep ' .' > "$root/.editors-ready" || true
printf '%s' "$wanted" > "$root/.editors-wanted"
say "done, $(du -smx "$root" | cut -f1) MB: $(tr '\n' ' ' < "$root/.editors-ready")"
