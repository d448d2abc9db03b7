"""The platforms that `python -m tests.platforms` knows: one row each, and what is had from where.

`MACHINES` are built with a compiler for another system; the machine (vm/) and its C tests run on them, under an
emulator if need be. `PYTHONS` are a Python of another version or processor, unpacked from the distribution's packages,
on which a share of the Python tests runs. `BROWSERS` are Pythons compiled to WebAssembly.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Machine:
    """Where vm/ and its C tests run."""

    #: zig's name of the target; '' for a compiler of this machine, named in `compiler`.
    target: str = ""
    compiler: tuple[str, ...] = ("gcc",)
    flags: tuple[str, ...] = ()
    archiver: str = "ar"
    #: Options of programs when they are linked.
    linking: tuple[str, ...] = ()
    #: meson's names: system, cpu family, byte order.
    host: tuple[str, str, str] = ("linux", "x86_64", "little")
    #: What runs its programs, and the distribution's package that has it.
    emulator: tuple[str, ...] = ()
    package: str = ""
    #: What PyPI has.
    wheels: tuple[str, ...] = ()
    #: Whether its programs can be run here at all.
    runs: bool = True
    #: The C tests, but those in `slow`, which take minutes there and are run with --all.
    slow: frozenset[str] = frozenset()

    @property
    def absent(self) -> frozenset[str]:
        """C tests of what is not there: native code; on Windows an fma() that rounds once, to compare with."""
        system, family, _ = self.host
        native = (family, system) in NATIVE and "-DAO_PLAIN_C" not in self.flags
        lacks = () if native else ("encoder", "a64_encoder", "native")
        return frozenset(lacks + (("fused",) if system == "windows" else ()))


#: Processors and systems that have native code.
NATIVE = {("x86_64", "linux"), ("x86_64", "darwin"), ("aarch64", "linux")}

#: Under an emulator these take minutes.
SLOW = frozenset({"kernels", "sort", "reduce"})


def emulated(target: str, family: str, emulator: str, byte_order: str = "little") -> Machine:
    """A machine that qemu plays, with musl linked in, so that no library of it is needed."""
    return Machine(target, host=("linux", family, byte_order), emulator=(f"qemu-{emulator}-static",),
                   package="qemu-user-static", wheels=("ziglang",), slow=SLOW)  # fmt: skip


#: The first is what the others' digests are compared with.
MACHINES: dict[str, Machine] = {
    "gcc": Machine(),
    "clang": Machine(compiler=("clang",), package="clang"),
    "plain": Machine(flags=("-DAO_PLAIN_C",)),
    "musl": Machine("x86_64-linux-musl", wheels=("ziglang",)),
    "i386": Machine("x86-linux-musl", host=("linux", "x86", "little"), wheels=("ziglang",)),
    "aarch64": emulated("aarch64-linux-musl", "aarch64", "aarch64"),
    "armhf": emulated("arm-linux-musleabihf", "arm", "arm"),
    "s390x": emulated("s390x-linux-musl", "s390x", "s390x", "big"),
    "riscv64": emulated("riscv64-linux-musl", "riscv64", "riscv64"),
    "ppc64le": emulated("powerpc64le-linux-musl", "ppc64", "ppc64le"),
    "windows": Machine("x86_64-windows-gnu", host=("windows", "x86_64", "little"), emulator=("/usr/lib/wine/wine64",),
                       package="wine64", wheels=("ziglang",)),
    "wasm": Machine("wasm32-wasi", host=("wasi", "wasm32", "little"),
                    emulator=("{python}", "-m", "tests.platforms.wasi"), wheels=("ziglang", "wasmtime"), slow=SLOW),
    # emcc 3.1.6 makes programs that fetch their code by its path as a URL, which Node.js since 18 refuses; not so
    # without asynchronous compilation.
    "emscripten": Machine(compiler=("emcc",), flags=("-msimd128", "-Wno-unused-command-line-argument"), archiver="emar",
                          linking=("-sALLOW_MEMORY_GROWTH", "-sTOTAL_STACK=4MB", "-sWASM_ASYNC_COMPILATION=0"),
                          host=("emscripten", "wasm32", "little"), emulator=("node",), package="emscripten", slow=SLOW),
    "macos": Machine("aarch64-macos", host=("darwin", "aarch64", "little"), wheels=("ziglang",), runs=False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Python:
    """A Python unpacked from packages of the distribution."""

    version: str
    suite: str = "unstable"
    #: The distribution's name of the processor, and of what its libraries lie under.
    processor: str = "amd64"
    triplet: str = "x86_64-linux-gnu"
    #: The row of MACHINES whose machine is linked into the extension.
    machine: str = "gcc"
    #: PyPI's tag of wheels that run there; hypothesis has a compiled part.
    wheels: str = "manylinux_2_28_x86_64"
    tests: tuple[str, ...] = field(default=())


#: Files that reach the decoder, the kernels and the glue, in a minute or two.
SHARE = (
    "tests/test_function_traps.py", "tests/test_function_kernels.py", "tests/test_functions.py", "tests/test_kernel.py",
    "tests/test_oracle_map.py", "tests/test_oracle_fold.py", "tests/test_reductions.py", "tests/test_statistics.py",
    "tests/test_buffers.py", "tests/test_records.py", "tests/test_array_fields.py", "tests/test_errors.py",
)  # fmt: skip
#: Under an emulator, twenty times as slow; none that starts Python again, which the kernel could not.
SMALL_SHARE = (
    "tests/test_errors.py", "tests/test_array_fields.py", "tests/test_functions.py",
    "tests/test_native.py::test_results_are_those_of_python", "tests/test_native.py::test_folds_are_those_of_python",
    "tests/test_native.py::test_what_raises_leaves_the_rest",
    "tests/test_native.py::test_sinks_are_given_what_python_keeps",
)  # fmt: skip

PYTHONS: dict[str, Python] = {
    "python3.14": Python("3.14", tests=SHARE),
    "python3.15": Python("3.15", tests=SHARE),
    "python-aarch64": Python("3.11", "bookworm", "arm64", "aarch64-linux-gnu", "aarch64-gnu", "manylinux_2_28_aarch64",
                             tests=SMALL_SHARE),
}  # fmt: skip

#: Libraries for PYTHONS, with the distribution's C library, which programs would need to run.
LIBRARIES: dict[str, Machine] = {
    "aarch64-gnu": Machine("aarch64-linux-gnu.2.31", host=("linux", "aarch64", "little"),
                           emulator=("qemu-aarch64-static",), package="qemu-user-static", wheels=("ziglang",),
                           runs=False),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Browser:
    """A Python for browsers, which Node.js can run, too."""

    #: The wheel of PyPI that carries it, whose Python and compiler the tags of our wheel name, and where in the wheel.
    wheel: str
    folder: str
    #: The version of its Python, and the row of PYTHONS that has headers of it, if this Python is another.
    version: str
    headers: str
    #: The row of MACHINES whose machine is linked into the extension.
    machine: str
    tests: tuple[str, ...]


BROWSERS: dict[str, Browser] = {
    "pyodide": Browser("flet-web==1.0.5", "flet_web/web/pyodide", "3.14", "python3.14", "emscripten",
                       ("tests/test_errors.py", "tests/test_functions.py")),
}  # fmt: skip

#: What CI runs, within five minutes.
QUICK = ("aarch64", "python3.14")
