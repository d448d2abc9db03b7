"""What kernels and pipelines do, as text for people: see Kernel.explain. Only imported when asked for."""

from __future__ import annotations

import html
from typing import Any

from . import _machine
from .compiler.infer import Inference
from .compiler.ir import FUNCTIONS, IR
from .compiler.lower import FAULTS
from .compiler.program import Program
from .compiler.terms import Param, number_param
from .kernel import Kernel
from .pipelines import Pipeline, _Called, _is_buffer
from .plans import ARRAY_PARAMS, MACHINE_TYPES, Plans

_MEANINGS = {op["name"]: op["meaning"] for op in _machine.OPS}


def explain_kernel(kernel: Kernel, typecodes: tuple[str, ...], names: dict[str, Any]) -> str:
    """The text; raises ValueError for a typecode that is none, TypeError for a name that the kernel has not."""
    plans = kernel._plans
    captured: tuple[Any, ...] = ()
    if plans is None:
        translation, captured = kernel._translation()
        if translation.plans is None:
            lines = [f"callback: {translation.template.reason}", f"{kernel._name} is called once per element"]
            return "\n".join(lines)
        plans = translation.plans.with_ieee if kernel._ieee else translation.plans
    types = _types(kernel, plans, typecodes or ("d",), names, captured)
    lines = [f"expression: {kernel.source}"]
    names_of = plans.ir.params[len(types) - len(captured) :]
    given = [f"{name} = {value!r}" for name, value in zip(names_of, captured, strict=True)]
    lines += [f"captured: {', '.join(given)}"] if given else []
    plan = plans.get("map", types, None)
    if plan.listing is None:
        return "\n".join(["callback: it is too large for the machine; Python evaluates each element", *lines])
    wanted = (typecodes or ("d",))[0]
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
    return "\n".join(["compiled", *lines])


def _types(kernel: Kernel, plans: Plans, typecodes: tuple[str, ...], names: dict[str, Any],
           captured: tuple[Any, ...]) -> tuple[Param, ...]:  # fmt: skip
    for code in typecodes:
        if code not in MACHINE_TYPES:
            raise ValueError(f"bad typecode {code!r}: must be one of {', '.join(MACHINE_TYPES)}")
    own = plans.ir.params[: len(plans.ir.params) - len(captured)]
    for name in names:
        if name not in own:
            raise TypeError(f"{kernel.source!r} has no name {name!r}")
    left = [p for p in own if p not in names]
    codes = {p: typecodes[min(i, len(typecodes) - 1)] for i, p in enumerate(left)}
    types = [number_param(names[p]) if p in names else ARRAY_PARAMS[MACHINE_TYPES[codes[p]]] for p in own]
    return (*types, *(number_param(value) for value in captured))


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
                why = "does not fit the result" if i.flags & 2 else _MEANINGS[i.name].partition("marks ")[2]
                found[f"{i.name}_{i.type} ({why})"] = None
    return list(found)


# -- pipelines -------------------------------------------------------------------------------------------------------


def explain_pipeline(pipeline: Pipeline) -> str:
    """See Pipeline.explain."""
    lines, known = [repr(pipeline)], _is_buffer(pipeline._source)
    part: Any = pipeline._source if known else None
    for number, segment in enumerate(pipeline._segments(), 1):
        if isinstance(segment, _Called):
            verb = "filter" if segment.keeps else "map"
            name = getattr(segment.python, "__qualname__", None) or repr(segment.python)
            lines.append(f"{number}: called once per element: {verb}({name})")
            part = None
            continue
        lines.append(f"{number}: compiled: {_stages(len(segment.steps))} in one program")
        plan = None if part is None else segment.plan(part, None)
        if plan is not None and plan.listing is None:
            lines.append("   not for these types: Python evaluates each element")
        elif plan is not None and plan.listing is not None:
            lines += ["   " + line for line in plan.listing.listing().splitlines()]
    return "\n".join(lines)


def _stages(number: int) -> str:
    return "1 stage" if number == 1 else f"{number or 'no'} stages"


# -- notebooks -------------------------------------------------------------------------------------------------------


def _as_html(title: str, text: str) -> str:
    escaped = html.escape(text)
    return f"<details><summary><code>{html.escape(title)}</code></summary><pre>{escaped}</pre></details>"


def kernel_html(kernel: Kernel) -> str:
    """The repr of a kernel, with its terms and bytecode for arrays of doubles to be unfolded."""
    return _as_html(repr(kernel), kernel.explain())


def pipeline_html(pipeline: Pipeline) -> str:
    """The repr of a pipeline, with its programs to be unfolded."""
    return _as_html(repr(pipeline), pipeline.explain())
