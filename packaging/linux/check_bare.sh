#!/usr/bin/env bash
# Installs the .deb on a bare Debian 12 and uses it there as a person would, without any network.
#
#   packaging/linux/check_bare.sh [--json] [--deb FILE]      as root; builds the package unless it is there
#
# debootstrap makes the system (no Python, no compiler); apt installs the package. Then an unprivileged user in a
# network namespace of its own (nothing but a loopback that is down) adds a PDF and asks, in the terminal and in the
# window. The window is worked by keys and clicks from outside (Xvfb and xdotool run on this machine, not in the bare
# one), and what it answers is read off a picture of the screen, by the application's own text recognition.
# DEBIAN_SUITE=trixie tries a newer Debian than 12.
# Prints {"deb_mb", "installed", "answer", "citation_page", "window_answer", "start_ratio", "network": false, ...}.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/linux/bare
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${DEBIAN_SUITE:-bookworm}
question="When did the pump return to service?"
expected="7 March 2025"
document=$root/assets/samples/pump-maintenance-report.pdf
# Before passwords, substitutes and packed words: five generations of the database's schema ago.
older=82024ee
display=:97
json=false
deb=

while [ $# -gt 0 ]; do
    case $1 in
        --json) json=true ;;
        --deb) deb=$2; shift ;;
        *) sed -n '2,12p' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || { echo "Needs root, for debootstrap and chroot." >&2; exit 2; }
say() { echo "$*" >&2; }
lacks() { for tool in debootstrap Xvfb xdotool import convert unshare git; do command -v "$tool" >/dev/null || echo "$tool"; done; }
if [ -n "$(lacks)" ]; then
    say "Installing what the check needs:" $(lacks)
    apt-get install -y --no-install-recommends debootstrap xvfb xdotool imagemagick util-linux git >&2
fi
newest() { ls -t "$root"/build/linux/out/desktop-rag_*_amd64.deb 2>/dev/null | head -n 1; }
deb=${deb:-$(newest)}
if [ -z "$deb" ]; then
    say "There is no package yet: building it …"
    builder=$(command -v /usr/bin/python3.11 || command -v python3)
    "$builder" "$here/build.py" --no-torch >&2
    deb=$(newest)
fi
system=$work/system
mkdir -p "$work"
log=$work/check.log
: > "$log"

finish() {
    kill ${xvfb:-} ${window:-} 2>/dev/null || true
    # What was mounted last goes first; the bare system must not take this machine's folders with it.
    { grep -o " $system[^ ]*" /proc/mounts || true; } | tac | while read -r place; do umount -l "$place"; done
}
trap finish EXIT
finish

# -- a bare system ------------------------------------------------------------------------------------------------

base=$work/$suite.tar
if [ ! -f "$base" ]; then
    say "A bare Debian, $suite …"
    rm -rf "$work/base"
    debootstrap --variant=minbase "$suite" "$work/base" "$mirror" >> "$log" 2>&1
    tar -C "$work/base" -cf "$base" .
    rm -rf "$work/base"
fi
rm -rf --one-file-system "$system"
mkdir -p "$system"
tar -C "$system" -xf "$base"
mount -t proc proc "$system/proc"
mount -t tmpfs tmpfs "$system/tmp"
mount -t tmpfs tmpfs "$system/dev"
for device in null zero random urandom; do : > "$system/dev/$device"; mount --bind "/dev/$device" "$system/dev/$device"; done
mkdir -p "$system/dev/shm" "$system/tmp/.X11-unix" && chmod 1777 "$system/dev/shm" "$system/tmp"
inside() { chroot "$system" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
if inside sh -c 'command -v python3 || command -v gcc || command -v cc'; then say "The base is not bare."; exit 1; fi

cp /etc/resolv.conf "$system/etc/resolv.conf" 2>/dev/null || true
inside apt-get update >> "$log" 2>&1
install_package() { # install_package FILE [WORD...]: with apt, as a person does who downloaded it
    local file=$1; shift
    cp "$file" "$system/tmp/desktop-rag.deb"
    inside env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" /tmp/desktop-rag.deb >> "$log" 2>&1
    local result=$?
    rm "$system/tmp/desktop-rag.deb"
    return $result
}
state() { inside dpkg-query -W -f '${Status} ${Version}' desktop-rag; }

say "Installing $(basename "$deb") with apt …"
version=$(dpkg-deb -f "$deb" Version)
install_package "$deb"
[ "$(state)" = "install ok installed $version" ] && installed=true || installed=false
if inside sh -c 'command -v python3 || command -v gcc'; then python=true; else python=false; fi
say "Installed twice …"
install_package "$deb" --reinstall && twice=true || twice=false

say "Over an older package, with a file that the new one does not have …"
rm -rf "$work/older"
dpkg-deb -R "$deb" "$work/older"
sed -i "s/^Version: .*/Version: 0.0.1/" "$work/older/DEBIAN/control"
echo "gone with it" > "$work/older/opt/desktop-rag/_internal/only-in-the-older.txt"
dpkg-deb --root-owner-group -Znone --build "$work/older" "$work/older.deb" >> "$log"
rm -rf "$work/older"
inside env DEBIAN_FRONTEND=noninteractive apt-get remove -y desktop-rag >> "$log" 2>&1
install_package "$work/older.deb"
rm "$work/older.deb"
[ "$(state)" = "install ok installed 0.0.1" ] || { say "The older package was not installed: $(state)"; exit 1; }
install_package "$deb"
[ "$(state)" = "install ok installed $version" ] && upgraded=true || upgraded=false
[ ! -e "$system/opt/desktop-rag/_internal/only-in-the-older.txt" ] || upgraded=false

# -- a person without network ---------------------------------------------------------------------------------------

inside useradd --create-home --shell /bin/bash person
install -o 1000 -g 1000 "$document" "$system/home/person/report.pdf"
# Nothing of this machine's network can be seen from there.
person() {
    unshare --net -- chroot --userspec=person:person "$system" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/home/person \
        LC_ALL=C.UTF-8 LANG=C.UTF-8 "$@"
}
interfaces=$(person cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' ' | tr '\n' ' ')
if person timeout 5 bash -c 'exec 3<>/dev/tcp/1.1.1.1/53' 2>/dev/null || [ "$interfaces" != "lo " ]; then network=true; else network=false; fi

say "In the terminal …"
person desktop-rag doctor --json > "$work/doctor.json" 2>> "$log"
person desktop-rag add /home/person/report.pdf --yes --json > "$work/add.json" 2>> "$log"
person desktop-rag ask "$question" --json > "$work/ask.json" 2>> "$log"
person env DESKTOP_RAG_CPU_VARIANT=x64 desktop-rag doctor --json > "$work/doctor-x64.json" 2>> "$log"
person env DESKTOP_RAG_CPU_VARIANT=x64 desktop-rag ask "$question" --json > "$work/ask-x64.json" 2>> "$log"

say "Over the data of an older version …"
rm -rf "$work/old" "$work/old-data" "$work/old-config"
git -C "$root" worktree prune
git -C "$root" worktree add --quiet --detach "$work/old" "$older" >> "$log" 2>&1
(cd "$work/old" && PYTHONPATH=$work/old DESKTOP_RAG_DATA_DIR=$work/old-data DESKTOP_RAG_CONFIG_DIR=$work/old-config \
    "$root/.venv/bin/python" -m desktop_rag add "$document" --yes >> "$log" 2>&1)
git -C "$root" worktree remove --force "$work/old"
cp -r "$work/old-data" "$system/home/person/old-data"
cp -r "$work/old-config" "$system/home/person/old-config"
chown -R 1000:1000 "$system/home/person/old-data" "$system/home/person/old-config"
person env DESKTOP_RAG_DATA_DIR=/home/person/old-data DESKTOP_RAG_CONFIG_DIR=/home/person/old-config \
    desktop-rag ask "$question" --json > "$work/upgraded.json" 2>> "$log" || true

say "What goes wrong …"
person desktop-rag > "$work/no-display.txt" 2>&1 && nodisplay=0 || nodisplay=$?
inside env HOME=/root desktop-rag doctor --json > "$work/root.json" 2>> "$log" || true
mkdir -p "$system/home/readonly" && chmod 555 "$system/home/readonly"
person env HOME=/home/readonly desktop-rag documents > "$work/read-only.txt" 2>&1 && readonly_=0 || readonly_=$?

say "In the window …"
rm -f "/tmp/.X${display#:}-lock"
Xvfb "$display" -screen 0 1360x900x24 -nolisten tcp >> "$log" 2>&1 &
xvfb=$!
for _ in $(seq 100); do [ -S "/tmp/.X11-unix/X${display#:}" ] && break; sleep 0.1; done
mount --bind /tmp/.X11-unix "$system/tmp/.X11-unix"
export DISPLAY=$display
look() { import -window root "$work/$1.png"; }
# The processes of the bare system that are the application, never those of this machine.
ours() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/root")" = "$system" ] && [[ $(readlink "$process/exe") == *desktop-rag* ]]; then echo "${process#/proc/}"; fi
    done 2>/dev/null
}
the_window() { local one; for one in $(ours); do tr '\0' ' ' < "/proc/$one/cmdline" | grep -q "desktop-rag window" && echo "$one"; done; }
end_ours() { local all; all=$(ours); [ -z "$all" ] || kill $all 2>/dev/null || true; }
await() { # await SECONDS COMMAND...: until it succeeds
    local left=$(( $1 * 5 )); shift
    until "$@"; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.2; done
}
logged() { grep -q "$1" "$system/home/person/$2" 2>/dev/null; }

person env DISPLAY="$display" DESKTOP_RAG_DATA_DIR=/home/person/window desktop-rag window /home/person/report.pdf >> "$log" 2>&1 &
window=$!
await 60 xdotool search --onlyvisible --name "Desktop RAG" > /dev/null
sleep 3
xdotool windowfocus "$(xdotool search --onlyvisible --name 'Desktop RAG' | head -n 1)"
for _ in 1 2; do xdotool type --delay 20 "correct horse battery"; xdotool key Tab; done
look 1-key
xdotool key shift+Tab Return
await 90 logged usable window/logs/window.log
# The file that was named at the start is read; its review waits at the lower right.
await 60 logged "read" window/logs/library.log || true
sleep 8
look 2-read
xdotool mousemove 1170 745 click 1
sleep 4
look 3-review
xdotool key ctrl+Return
sleep 10
xdotool key ctrl+l
sleep 0.5
xdotool type --delay 20 "$question"
xdotool key Return
sleep 25
look 4-answer
# A polite end for the window alone, which has to end its workers.
kill $(the_window) || true
wait $window 2>/dev/null || true
sleep 3
left=$(ours | wc -l)
end_ours

# The column of the conversation alone: the passages beside it hold the same words.
convert "$work/4-answer.png" -crop 660x560+250+85 +repage "$work/answer.png"
install -o 1000 -g 1000 "$work/answer.png" "$system/home/person/screen.png"
person env DESKTOP_RAG_DATA_DIR=/home/person/screen desktop-rag add /home/person/screen.png --policy keep --yes --json > "$work/screen-add.json" 2>> "$log"
person env DESKTOP_RAG_DATA_DIR=/home/person/screen desktop-rag documents --text screen.png --json > "$work/screen.json" 2>> "$log"

# -- how fast it opens, beside the source ---------------------------------------------------------------------------

say "How fast it opens …"
seconds_of() { sed -n 's/.*usable \([0-9.]*\) s after.*/\1/p' "$1" | tail -n 1; }
start() { # start DATA COMMAND...: seconds from the start of the process to a window that can be used
    local data=$1; shift
    rm -f "$data/logs/window.log"
    "$@" >> "$log" 2>&1 &
    local number=$!
    await 90 grep -q usable "$data/logs/window.log" 2>/dev/null
    seconds_of "$data/logs/window.log"
    pkill -TERM -P "$number" || true  # a function in the background is a shell, and the window its child
    wait "$number" 2>/dev/null || true
    # A start beside a window that is still open would only bring that one to the front.
    await 20 nobody_left "$data"
}
nobody_left() { [ -z "$(ours)" ] && ! pgrep -f -- "--data-dir $1" > /dev/null; }
source_run() { env DESKTOP_RAG_DATA_DIR="$work/source/data" DESKTOP_RAG_CONFIG_DIR="$work/source/config" "$root/.venv/bin/desktop-rag" "$@"; }
rm -rf "$work/source"
source_run add "$document" --yes >> "$log" 2>&1
: > "$work/starts.txt"
for _ in 1 2 3 4 5 6; do
    echo "installed $(start "$system/home/person/.local/share/desktop-rag" person env DISPLAY="$display" desktop-rag window)" >> "$work/starts.txt"
    echo "source $(start "$work/source/data" source_run window)" >> "$work/starts.txt"
done

say "Removed while it runs …"
person env DISPLAY="$display" desktop-rag window >> "$log" 2>&1 &
window=$!
sleep 8
inside env DEBIAN_FRONTEND=noninteractive apt-get remove -y desktop-rag > "$work/removed.txt" 2>&1 && removed=true || removed=false
sleep 6
look 5-removed
end_ours
kill $window 2>/dev/null || true
gone_run() { env DESKTOP_RAG_DATA_DIR="$work/gone/data" DESKTOP_RAG_CONFIG_DIR="$work/gone/config" "$root/.venv/bin/desktop-rag" "$@"; }
rm -rf "$work/gone"
gone_run add "$work/5-removed.png" --policy keep --yes >> "$log" 2>&1
gone_run documents --text 5-removed.png --json > "$work/gone.json" 2>> "$log"
kept=false; [ -f "$system/home/person/.local/share/desktop-rag/library.db" ] && kept=true
gone=false; [ ! -e "$system/opt/desktop-rag" ] && gone=true

DEB=$deb WORK=$work INSTALLED=$installed NETWORK=$network EXPECTED=$expected TWICE=$twice UPGRADED=$upgraded \
    REMOVED=$removed KEPT=$kept GONE=$gone PYTHON=$python NODISPLAY=$nodisplay READONLY=$readonly_ LEFT=$left JSON=$json python3 "$here/check_bare_report.py"
