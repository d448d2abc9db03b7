"""What programs do, as text for people: see Kernel.explain. Only imported when asked for.

It is told what to show (plans, captured numbers, names), and knows neither kernels nor pipelines.
"""

from __future__ import annotations

from typing import Any

from .. import _machine
from ..compiler.infer import Inference
from ..compiler.ir import FUNCTIONS, IR
from ..compiler.lower import FAULTS
from ..compiler.machine import ISA, MACHINE_TYPES, OPS, STORE, STORED_TYPES
from ..compiler.program import Program
from ..compiler.terms import Param, number_param
from .arguments import checked_typecode
from .inner import Reductions
from .plans import ARRAY_PARAMS, Plans

_MEANINGS = {op["name"]: op["meaning"] for op in OPS}


def program_text(source: str, plans: Plans, captured: tuple[Any, ...], typecodes: tuple[str, ...],
                 names: dict[str, Any], inner: Reductions | None = None) -> str:  # fmt: skip
    """The program for arrays of these typecodes and numbers by name, with captured numbers after them.

    inner: the reductions in a text, whose values are in the place of captured numbers.

    Raises ValueError for a typecode that is none, TypeError for a name that the source has not.
    """
    wanted = checked_typecode((typecodes or ("d",))[0])
    more = len(captured) if inner is None else len(inner.inner)
    tables = plans.tables if inner is None else plans.tables | inner.tables
    types = _types(source, plans, typecodes or ("d",), names, more, tables)
    captured = captured if inner is None else inner.zeros(types)
    types = (*types, *(number_param(value) for value in captured))
    lines = [f"expression: {source}"]
    names_of = plans.ir.params[len(plans.ir.params) - more :]
    given = [f"{name} = {value!r}" for name, value in zip(names_of, captured, strict=True)]
    if inner is not None:
        lines.append(f"first, each in a pass of its own: {', '.join(names_of)}")
    elif given:
        lines.append(f"captured: {', '.join(given)}")
    plan = plans.get("map", types, None)
    if plan.listing is None:
        why = "NumPy has other types for such elements" if plans.ir.numpy else "it is too large for the machine"
        return "\n".join([f"callback: {why}; Python evaluates each element", *lines])
    fitted = plans.get("map", types, wanted)
    if fitted.never_fits:
        lines.append(f"result: floats, which a {wanted!r} array cannot hold; shown for typecode='d'")
    else:
        lines.append(f"result: {wanted!r}")
        plan = fitted
    assert plan.listing is not None
    lines.append("terms:")
    lines += _terms(plan.inference, plans.ir.params)
    lines += _by_python(plans.ir, plan.listing)
    lines.append("faults: " + (", ".join(_faults(plan.listing)) or "none"))
    lines.append("bytecode:")
    lines += ["  " + line for line in plan.listing.listing().splitlines()]
    lines += _native(plan.program, plan.listing)
    return "\n".join(["compiled", *lines])


def _types(source: str, plans: Plans, typecodes: tuple[str, ...], names: dict[str, Any],
           more: int, tables: frozenset[int]) -> tuple[Param, ...]:  # fmt: skip
    """Of the parameters but the last ``more``."""
    typecodes = tuple(map(checked_typecode, typecodes))
    own = plans.ir.params[: len(plans.ir.params) - more]
    for name in names:
        if name not in own:
            raise TypeError(f"{source!r} has no name {name!r}")
    left = [p for p in own if p not in names]
    codes = {p: typecodes[min(i, len(typecodes) - 1)] for i, p in enumerate(left)}
    kinds = {p: MACHINE_TYPES[code] for p, code in codes.items()}
    return tuple(
        number_param(names[p]) if p in names
        else ARRAY_PARAMS[f"table_{STORED_TYPES.get(kinds[p], kinds[p])}" if i in tables else kinds[p]]
        for i, p in enumerate(own)
    )  # fmt: skip


def _terms(inference: Inference, params: tuple[str, ...]) -> list[str]:
    rows = []
    for term in inference.terms:
        if term.op == "const":
            continue
        name = params[term.value] if term.op == "param" else term.op
        kind = {"b": "bool", "i": f"int {term.lo}..{term.hi}", "f": "float"}[term.kind]
        checked = f" (checked in {term.lane})" if term.lane else ""
        rows.append(f"  {name:6} {kind}{checked}")
    return rows


def _by_python(ir: IR, listing: Program) -> list[str]:
    """A line that says which elements are never the machine's, if any are."""
    if not any(i.name == "FAIL" for instrs in listing.sections.values() for i in instrs):
        return []
    called = {str(n.value) for n in ir.nodes if n.op == "call"}
    names = ", ".join(sorted(name for name in called if FUNCTIONS[name].by_python))
    return [f"by Python: every element that needs {names or 'what the machine does not have'}"]


def _faults(listing: Program) -> list[str]:
    found: dict[str, None] = {}
    for instrs in listing.sections.values():
        for i in instrs:
            if i.name in FAULTS:
                why = "does not fit the result" if i.flags & STORE else _MEANINGS[i.name].partition("marks ")[2]
                found[f"{i.name}_{i.type} ({why})"] = None
    return list(found)


def _native(program: Any, listing: Program) -> list[str]:
    """A line that says which instructions become machine code, if any do."""
    segments = program.native()
    if not segments:
        return []
    if _machine.native() == "0":
        return ["native code: off"]
    of = sum(len(instrs) for section, instrs in listing.sections.items() if section in ("body", "epilogue"))
    if of == 1:
        return [f"native code ({ISA}): the one instruction on vectors ({segments[0][2]} bytes)"]
    parts = (f"{first + 1} to {end} ({size} bytes)" for first, end, size in segments)
    return [f"native code ({ISA}): of the {of} instructions on vectors, {', '.join(parts)}"]
