#!/bin/sh
# Puts on a bare Debian machine what the container-engine tests need: podman and runc, a private registry (docker-registry with
# htpasswd, filled by skopeo), and Debian's static busybox as the image busybox:1.36, because no base image can be pulled there. And a
# browser for the ops page.
#
# Usage: scripts/ci-engines.sh ENV_FILE; afterwards `. ENV_FILE` before the tests. Needs root, or sudo without a password.
set -eu

given=${1:?usage: ci-engines.sh ENV_FILE}
mkdir -p "$(dirname "$given")"
here=$(cd "$(dirname "$given")" && pwd)
env_file=$here/$(basename "$given")
folder=$here/engines
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

$as_root apt-get update -qq
install() { DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
install podman iptables runc netavark docker-registry apache2-utils skopeo busybox-static ca-certificates git

# The headless shell first: it has no window of its own to draw, and takes two thirds of the processor's time.
browser_here() { command -v chromium-headless-shell || command -v chromium || command -v google-chrome; }
browser=$(browser_here || { install chromium-headless-shell || install chromium; browser_here; })

mkdir -p "$folder"

# Where the kernel's limits can't be raised (no CAP_SYS_RESOURCE), podman must not try; crun refuses hybrid cgroups, runc doesn't.
cat > "$folder/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
# An exec through the API (a probe) leaves its monitor waiting this long, 300 s by default.
exit_command_delay = 1
CONF

cat > "$env_file" <<ENV
export CONTAINERS_CONF="$folder/containers.conf"
export BUILDAH_ISOLATION=chroot
export CHROMIUM="$browser"
ENV
. "$env_file"

if ! podman image exists docker.io/library/busybox:1.36; then
  root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/root" "$root/home" "$root/proc" "$root/dev" "$root/sys"
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
  echo 'root:x:0:' > "$root/etc/group"
  tar -C "$root" -c . | podman import --quiet --change 'CMD ["sh"]' --change 'ENV PATH=/bin' - docker.io/library/busybox:1.36 >/dev/null
  rm -rf "$root"
fi

podman run --rm --network none docker.io/library/busybox:1.36 echo "podman $(podman version --format '{{.Client.Version}}') runs containers"
