#!/usr/bin/env bash
# Provides CAF (the C++ Actor Framework), which Debian 12 has only in a version that is too old.
# Uses the one that CMake finds (CAF_ROOT, vcpkg, Conan, Homebrew, /usr/local). If there is none,
# fetches Debian's newer source package through apt, which checks its signature, and builds it once
# into a cache outside of the checkout. The machine's own apt sources and lists stay as they are.
set -euo pipefail

version=0.18.7
debian_version=0.18.7-1~exp1
suite=experimental

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/holdfast
prefix=$cache/caf

say() { printf 'caf: %s\n' "$*"; }
fail() { printf 'caf: %s\n' "$*" >&2; exit 1; }

is_built() { [[ -f $prefix/lib/cmake/CAF/CAFConfig.cmake ]]; }

# CMake's own answer, so that whatever steers find_package steers this too.
is_found_by_cmake() {
    local probe found
    # A configured build tree has asked before.
    found=$(sed -n 's/^CAF_DIR:PATH=//p' "$root/build/CMakeCache.txt" 2>/dev/null || true)
    [[ -n $found && -f $found/CAFConfig.cmake ]] && return 0
    probe=$(mktemp -d)
    cat >"$probe/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(probe CXX)
find_package(CAF CONFIG QUIET)
if(NOT CAF_FOUND OR CAF_VERSION VERSION_LESS $version)
  message(FATAL_ERROR "none")
endif()
EOF
    found=1
    cmake -S "$probe" -B "$probe/build" >/dev/null 2>&1 && found=0
    rm -rf "$probe"
    return $found
}

# --- fetching ----------------------------------------------------------------------------------

# The archives that the machine's own apt takes Debian from, one URI a line. apt reads its sources for
# us, in the old format and the new, and needs no lists for that. Somebody else's archive with the
# same suite may be among them; it fails on the signature below.
debian_mirrors() {
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    apt-get update --print-uris |
        sed -nE "s#^'(.*)/dists/($codename|stable|testing|unstable|sid)/InRelease' .*#\1#p" | sort -u
}

# fetch_source <folder>: leaves CAF's source archive there.
fetch_source() {
    local dir=$1 keyring mirror valid_until
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [[ -f $keyring ]] || fail "$keyring is missing (package debian-archive-keyring)"
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
    # Read after the machine's own configuration, which may name a proxy. Its hooks are not for us.
    cat >"$dir/apt/apt.conf" <<EOF
Dir::Etc::SourceList "$dir/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$dir/apt";
Dir::State::Lists "$dir/apt/lists";
Dir::Cache "$dir/apt/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
EOF
    for mirror in $(debian_mirrors); do
        echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$dir/apt/sources.list"
        # A frozen mirror's release file has run out long ago; it is signed all the same.
        for valid_until in true false; do
            if (
                cd "$dir"
                apt-get --config-file apt/apt.conf --quiet=2 --option "Acquire::Check-Valid-Until=$valid_until" \
                    --option APT::Update::Error-Mode=any update
                # Debian's packaging (the "diff") is of no use here.
                apt-get --config-file apt/apt.conf --quiet=2 --option "Acquire::Check-Valid-Until=$valid_until" \
                    source --download-only --tar-only "actor-framework=$debian_version"
            ) >>"$dir/fetch.log" 2>&1 && compgen -G "$dir/actor-framework_*.orig.tar.*" >/dev/null; then
                return
            fi
        done
    done
    fail "no mirror in this machine's apt sources has Debian's source package actor-framework
caf: $debian_version ($suite). Install CAF $version or newer and set CAF_ROOT to its prefix. The end of the attempt:
$(tail -n 12 "$dir/fetch.log" 2>/dev/null)"
}

# --- building ----------------------------------------------------------------------------------

build() { # <folder with the source archive>
    local dir=$1 launcher=()
    mkdir "$dir/source"
    tar --extract --file "$dir"/actor-framework_*.orig.tar.* --directory "$dir/source" --strip-components=1
    ! command -v ccache >/dev/null || launcher=(-D CMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # Static, so that our own binary stands alone. Without the machine's paths, so that ccache hits.
    cmake -G Ninja -S "$dir/source" -B "$dir/build" "${launcher[@]}" \
        -D CMAKE_BUILD_TYPE=Release \
        -D CMAKE_CXX_FLAGS="-ffile-prefix-map=$dir/source/=" \
        -D CMAKE_POSITION_INDEPENDENT_CODE=ON \
        -D BUILD_SHARED_LIBS=OFF \
        -D CMAKE_INSTALL_PREFIX="$dir/prefix" \
        -D CMAKE_INSTALL_LIBDIR=lib \
        -D CAF_ENABLE_TESTING=OFF -D CAF_ENABLE_EXAMPLES=OFF -D CAF_ENABLE_TOOLS=OFF \
        -D CAF_ENABLE_IO_MODULE=ON -D CAF_ENABLE_OPENSSL_MODULE=ON >"$dir/build.log" 2>&1 ||
        fail "configuring failed: $(tail -n 20 "$dir/build.log")"
    # Progress for a person; a log needs no counter.
    if [[ -t 1 ]]; then
        ninja -C "$dir/build" install
    else
        ninja -C "$dir/build" install >>"$dir/build.log" 2>&1
    fi || fail "building failed: $(tail -n 20 "$dir/build.log")"
}

if is_built || is_found_by_cmake; then
    exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/caf.lock"
flock --nonblock 9 || { say "waiting for another build of CAF"; flock 9; }
is_built && exit 0

work=$cache/caf-build # One at a time by the lock; a name that does not change lets ccache hit.
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
say "fetching Debian's source package actor-framework $debian_version"
fetch_source "$work"
say "building CAF $version, once, into $prefix (about 4 minutes on 2 cores)"
build "$work"
mv --no-target-directory "$work/prefix" "$prefix" # All or nothing.
say "done"
