"""`python -m tests.platforms.wasi PROGRAM [ARGUMENT ...]`: a WebAssembly program of WASI, by the wasmtime of PyPI."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    import wasmtime

    config = wasmtime.WasiConfig()
    config.argv = arguments
    config.inherit_stdout()
    config.inherit_stderr()
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    program = linker.instantiate(store, wasmtime.Module.from_file(engine, arguments[0]))
    start = program.exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return ended.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
