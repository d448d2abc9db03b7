"""Reductions inside an expression: taken out of it, so that what is left is elementwise again.

``(x - mean(x)) / std(x)`` becomes ``(x - p) / q`` with two further parameters, and two expressions whose reductions are
the values of these. Equal reductions are one node of the IR, so each is there once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .ir import IR, Builder, Node, show


class Reduction(NamedTuple):
    """One reduction: its name and ddof, the expression of one element, and where the values of its parameters are.

    uses: indices into the parameters of the whole text, and after them the reductions before this one.
    """

    name: str
    ddof: int
    ir: IR
    uses: tuple[int, ...]
    text: str


def split(ir: IR) -> tuple[IR, tuple[Reduction, ...]]:
    """The expression with a further parameter in the place of each reduction, and the reductions in an order in which
    none needs a later one."""
    places = [index for index, node in enumerate(ir.nodes) if node.op == "whole"]
    params = {index: len(ir.params) + k for k, index in enumerate(places)}
    nodes = [Node("param", value=params[i]) if i in params else node for i, node in enumerate(ir.nodes)]
    names = ir.params + tuple(show(IR(ir.nodes, index, ir.params)) for index in places)
    reductions = []
    for index, text in zip(places, names[len(ir.params) :], strict=True):
        value: Any = ir.nodes[index].value
        name, ddof = value
        part, uses = _part(nodes, ir.nodes[index].args[0])
        inner = _rebuilt(part, {param: k for k, param in enumerate(uses)}, tuple(names[i] for i in uses))
        reductions.append(Reduction(name, ddof, inner, uses, text))
    part, uses = _part(nodes, ir.root)
    return _rebuilt(part, {i: i for i in uses}, names), tuple(reductions)


def _part(nodes: list[Node], root: int) -> tuple[list[tuple[int, Node]], tuple[int, ...]]:
    """The nodes that a root needs, in their order, and the parameters among them."""
    stack, seen = [root], {root}
    while stack:
        for arg in nodes[stack.pop()].args:
            if arg not in seen:
                seen.add(arg)
                stack.append(arg)
    part = [(i, nodes[i]) for i in sorted(seen)]
    return part, tuple(sorted({node.value for _, node in part if node.op == "param"}))  # type: ignore[misc]


def _rebuilt(part: list[tuple[int, Node]], places: dict[int, int], params: tuple[str, ...]) -> IR:
    """The program of a part, its parameters at other places."""
    build, new = Builder(), dict[int, int]()
    for index, node in part:
        value = places[node.value] if node.op == "param" else node.value  # type: ignore[index]
        new[index] = build.add(node.op, *(new[i] for i in node.args), value=value)
    return build.done(new[part[-1][0]], params)
