#!/usr/bin/env bash
# Installs what Holdfast is built with: Debian's packages, and CAF (tools/caf.sh).
# Run by `make setup`, `make test` and `make demo`. When nothing is missing it only looks, and ends
# within a moment. Nothing of the user's is removed or reconfigured.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- what is missing ---------------------------------------------------------------------------

packages=(
    build-essential g++ cmake ninja-build ccache git pkg-config dpkg-dev python3
    libpq-dev libprotobuf-dev protobuf-compiler libspdlog-dev libssl-dev
    libtomlplusplus-dev libcli11-dev libhowardhinnant-date-dev libjemalloc-dev tzdata jq curl
    ca-certificates valgrind
)
# Only for checks that are skipped without them, and for tools/profile.
optional_packages=(clang-format-14 linux-perf)

is_installed() { # <package>: also when another installed package provides it
    [[ $installed == *$'\n'"$1"$'\n'* ]]
}

read_installed() {
    installed=$'\n'$(dpkg-query --show --showformat='${db:Status-Status} ${Package} ${Provides}\n' |
        sed -n 's/^installed //p' | tr -s ' ,' '\n')$'\n'
}

has_postgresql() { # a server of version 15 or newer, wherever it comes from
    local bin_dir version
    for bin_dir in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /usr/bin /usr/local/bin; do
        [[ -x $bin_dir/postgres && -x $bin_dir/initdb ]] || continue
        version=$("$bin_dir/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
        ((version >= 15)) && return 0
    done
    return 1
}

has_library() { # <prefix> <name>: compiled, with or without the architecture's folder
    compgen -G "$1/lib*/lib$2.*" >/dev/null || compgen -G "$1/lib*/*/lib$2.*" >/dev/null
}

has_boost() { # 1.81 or newer, with the two compiled libraries
    local header version
    for header in /usr/include /usr/local/include; do
        version=$(sed -n 's/^#define BOOST_VERSION //p' "$header/boost/version.hpp" 2>/dev/null || true)
        [[ -n $version ]] && ((version >= 108100)) &&
            has_library "${header%/include}" boost_json &&
            has_library "${header%/include}" boost_unit_test_framework && return 0
    done
    return 1
}

read_missing() {
    local package
    missing=()
    read_installed
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    missing_boost=false missing_postgresql=false
    has_boost || missing_boost=true
    has_postgresql || missing_postgresql=true
}

# --- installing --------------------------------------------------------------------------------

apt_get() {
    local as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 "$@"
}

is_available() { # <package>: in the machine's own apt sources
    apt-cache show --no-all-versions "$1" >/dev/null 2>&1
}

install_packages() {
    local removed
    # Asked first in a dry run: apt's own refusal would not name what stands in the way.
    removed=$(apt-get --simulate --no-install-recommends install "$@" 2>/dev/null |
        sed -n 's/^Remv \([^ ]*\).*/\1/p' | paste -s -d ' ')
    if [[ -n $removed ]]; then
        fail "installing $* would remove: $removed
setup: Boost 1.81's headers replace those of other versions. If you can spare these packages, remove
setup: them yourself (apt-get remove $removed) and run this again."
    fi
    say "installing $*"
    apt_get --no-remove --no-install-recommends --yes install "$@" >"$log" 2>&1 ||
        fail "apt-get install failed:
$(tail -n 25 "$log")"
}

install_postgresql() {
    # The tests and `holdfast dev` start private servers of their own. Debian's package would create
    # and start a cluster "main" besides; it asks this folder whether it should.
    local drop_in=/etc/postgresql-common/createcluster.d/holdfast-setup.conf as_root=()
    ((EUID == 0)) || as_root=(sudo)
    install_packages postgresql-common
    local had_folder=true
    [[ -d ${drop_in%/*} ]] || had_folder=false
    "${as_root[@]}" mkdir -p "${drop_in%/*}"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$drop_in" >/dev/null
    trap 'rm -f "$log"; remove_drop_in' EXIT
    remove_drop_in() {
        "${as_root[@]}" rm -f "$drop_in"
        [[ $had_folder == true ]] || "${as_root[@]}" rmdir --ignore-fail-on-non-empty "${drop_in%/*}"
    }
    if is_available postgresql-15; then
        install_packages postgresql-15
    else
        install_packages postgresql
    fi
    remove_drop_in
    trap 'rm -f "$log"' EXIT
}

install_boost() {
    if is_available libboost-json1.81-dev; then
        install_packages libboost1.81-dev libboost-json1.81-dev libboost-test1.81-dev
    else
        install_packages libboost-dev libboost-json-dev libboost-test-dev
    fi
    has_boost || fail "Boost 1.81 or newer is needed, and this system's packages have none"
}

install_missing() {
    local package
    if ((EUID != 0)) && ! command -v sudo >/dev/null; then
        [[ $missing_boost == false ]] || missing+=(libboost{,-json,-test}1.81-dev)
        [[ $missing_postgresql == false ]] || missing+=(postgresql-15)
        fail "this user is not root and there is no sudo. Please have these installed:
setup:   apt-get install ${missing[*]}"
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    say "reading the package lists"
    # One broken source of the user's must not stop us: what is missing is told by the install.
    apt_get update >"$log" 2>&1 || say "apt-get update reported errors; going on"
    if ((${#missing[@]} > 0)); then
        for package in "${optional_packages[@]}"; do
            if ! is_installed "$package" && is_available "$package"; then missing+=("$package"); fi
        done
        install_packages "${missing[@]}"
    fi
    [[ $missing_boost == false ]] || install_boost
    [[ $missing_postgresql == false ]] || install_postgresql
    rm -f "$log"
    trap - EXIT
}

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    read_missing
    if ((${#missing[@]} > 0)) || [[ $missing_boost == true || $missing_postgresql == true ]]; then
        install_missing
    fi
else
    say "not a Debian: please have g++ 12 or clang 14, CMake 3.25, Ninja, Boost 1.81, PostgreSQL 15,"
    say "protobuf 3.21, spdlog, OpenSSL 3, toml++, CLI11, jemalloc 5 and CAF 0.18.7, or newer ones,"
    say "installed; and valgrind, for a test"
fi

exec "$here/caf.sh"
