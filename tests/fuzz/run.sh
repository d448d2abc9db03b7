#!/bin/sh
# Coverage-guided fuzzing of what takes bytes or texts from strangers, under sanitizers.
#
#   tests/fuzz/run.sh load [seconds]    programs: libFuzzer (clang) over tests/vm/fuzz_program.c
#   tests/fuzz/run.sh parse [seconds]   texts: fuzz_parse.py, which guides itself
#
# New finds of `load` go to build/fuzz/corpus; the small corpus beside this file is where it starts: programs that
# `fuzz_program 60 1 tests/fuzz/corpus/load` wrote. Whatever crashes is
# left in build/fuzz and run again by: build/fuzz/fuzz_load FILE
set -eu
cd "$(dirname "$0")/../.."
seconds=${2:-20}

case ${1:-} in
load)
    clang=${CLANG:-clang}
    mkdir -p build/fuzz/corpus
    flags="-std=c11 -g -O1 -ffp-contract=off -fno-trapping-math -fno-math-errno -Ivm -w"
    # The kernels are many and no branch of theirs depends on the program: they are not instrumented, nor built for other
    # levels. Address and undefined-behaviour sanitizers see what they do all the same.
    # isa.c is told that there is no other level.
    printf '#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n#undef __x86_64__\n' > build/fuzz/one_level.h
    objects=
    for file in $(find vm -name '*.c'); do
        object=build/fuzz/$(echo "$file" | tr / _).o
        case $file in
        *kernels.c | *compact.c) how="-fsanitize=address,undefined -DAO_ISA=base" ;;
        *isa.c) how="-include build/fuzz/one_level.h" ;;
        *) how=-fsanitize=fuzzer-no-link,address,undefined ;;
        esac
        if [ ! "$object" -nt "$file" ]; then
            # shellcheck disable=SC2086  (several flags)
            $clang $flags $how -c "$file" -o "$object"
        fi
        objects="$objects $object"
    done
    # shellcheck disable=SC2086
    $clang $flags -Itests/vm -fsanitize=fuzzer,address,undefined tests/vm/fuzz_program.c $objects -lm -lpthread \
        -o build/fuzz/fuzz_load
    build/fuzz/fuzz_load -max_total_time="$seconds" -max_len=2048 -artifact_prefix=build/fuzz/ -print_final_stats=1 \
        build/fuzz/corpus tests/fuzz/corpus/load
    ;;
parse)
    "${PYTHON:-python3}" tests/fuzz/fuzz_parse.py --seconds "$seconds"
    ;;
*)
    echo "usage: $0 load|parse [seconds]" >&2
    exit 2
    ;;
esac
