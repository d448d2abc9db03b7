#!/bin/sh
# Builds the machine and the package with a sanitizer and runs what is to be run under it.
#
#   tests/sanitizers/run.sh thread    the C tests that have threads, then threads.py
#   tests/sanitizers/run.sh address   the C tests, then threads.py (address and undefined behaviour)
#
# Needs meson and ninja on PATH, and a python3 (or $PYTHON) with the headers. Exit status 0 if nothing was found.
set -eu
cd "$(dirname "$0")/../.."
kind=${1:-thread}
python=${PYTHON:-python3}
compiler=${CC:-cc}
build=build/sanitizer-$kind
root=$PWD/$build-root

case $kind in
thread)
    flags=thread
    libraries=$($compiler -print-file-name=libtsan.so)
    tests="parallel run spacing"
    export TSAN_OPTIONS="suppressions=$PWD/tests/sanitizers/tsan.supp halt_on_error=0 exitcode=66 report_signal_unsafe=0"
    ;;
address)
    flags=address,undefined
    libraries="$($compiler -print-file-name=libasan.so) $($compiler -print-file-name=libubsan.so)"
    tests="parallel run spacing program"
    export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    ;;
*)
    echo "usage: $0 thread|address" >&2
    exit 2
    ;;
esac

[ -d "$build" ] || meson setup "$build" -Dbuildtype=debugoptimized -Db_sanitize="$flags" -Db_lundef=false > /dev/null
# shellcheck disable=SC2086  (several names)
meson test -C "$build" --print-errorlogs $tests
meson install -C "$build" --destdir "$root" --quiet
site=$(dirname "$(find "$root" -path '*arrayops/__init__.py' | head -n 1)")/..

# Preloaded into Python alone: a shell under the thread sanitizer would be watched, too.
PYTHONMALLOC=malloc PYTHONPATH="$site" "$python" - "$libraries" tests/sanitizers/threads.py "${2:-2}" << 'END'
import os, sys
libraries, *arguments = sys.argv[1:]
os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, "LD_PRELOAD": libraries})
END
