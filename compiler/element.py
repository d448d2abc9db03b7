"""IR to a Python function: what a text means for one element, at the speed of a lambda of the same text.

The function is made of our own nodes, never of text: each IR node becomes an ``ast`` node by the tables below, its
names are ours (``p0`` a parameter, ``t7`` the value of node 7, ``f_gcd`` a function), and nothing but the operations of
evaluate.py is in its namespace. What always holds:

order    operands are evaluated from left to right and once; arms and right sides of ``and`` and ``or`` only if needed.
depth    an expression nests at most TALLEST deep and statements MOST_NESTED: taller values get a statement of their
         own, deeper arms a function of their own. So CPython's compiler needs little stack, whatever the IR.
size     linear in the IR. Where values are shared between arms so that it would not be, Unfolds is raised.
ints     an operation that may give an int of more than MAX_INT_BITS is done by evaluate.py's function that checks it;
         where the widths of the operands show that it cannot, it is Python's operator itself.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Container
from typing import Any

from .ir import ELEMENTARY1, ELEMENTARY2, IR, WHOLE_FUNCTIONS, Node

TALLEST = 24
MOST_NESTED = 12
ZIP = "f_zip"  # what goes through lists
#: The results of these from numbers of 64 bits are in bounds if their last operand is: (comparison, bound).
_BY_LAST: dict[str, tuple[type[ast.cmpop], int]] = {
    **dict.fromkeys(("<<", "**", "comb", "perm", "factorial"), (ast.LtE, 2048)),
    "round": (ast.GtE, -2048),
}

_BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "**": ast.Pow,
    "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor, "<<": ast.LShift, ">>": ast.RShift,
}  # fmt: skip
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt, "<=": ast.LtE, "==": ast.Eq, "!=": ast.NotEq, ">": ast.Gt, ">=": ast.GtE, "in": ast.In,
}  # fmt: skip
_UNARY: dict[str, type[ast.unaryop]] = {"neg": ast.USub, "pos": ast.UAdd, "not": ast.Not}
#: Functions that give floats.
_FLOATS = {
    "float", "sqrt", "fabs", "copysign", "degrees", "radians", "math.pow", "log", "hypot", "gamma", "lgamma", "fma",
    "ldexp", "nextafter", "ulp", "rint", *ELEMENTARY1, *ELEMENTARY2,
}  # fmt: skip
_OPERATOR_NAMES = {symbol: kind.__name__ for symbol, kind in _BINARY.items()}
_LOAD, _STORE = ast.Load(), ast.Store()
_AT: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


class Unfolds(Exception):
    """The program would be much larger than its IR."""


def _name(name: str) -> ast.Name:
    return ast.Name(name, _LOAD, **_AT)


def _constant(value: Any) -> ast.Constant:
    return ast.Constant(value, None, **_AT)


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, _STORE, **_AT)], value, None, **_AT)


def _call(function: str, args: list[ast.expr]) -> ast.expr:
    return ast.Call(_name(function), args, [], **_AT)


def _function(name: str, args: list[str], body: list[ast.stmt]) -> ast.stmt:
    parameters = ast.arguments([], [ast.arg(a, None, None, **_AT) for a in args], None, [], [], None, [])
    fields: dict[str, Any] = {"decorator_list": [], "returns": None, "type_comment": None, "type_params": []}
    return ast.FunctionDef(name=name, args=parameters, body=body, **fields, **_AT)


def plain_name(name: str) -> str:
    """What a function, or an operator that is called, is called in the generated functions."""
    return "f_" + _OPERATOR_NAMES.get(name, name.replace(".", "_"))


def checked_name(name: str) -> str:
    """The same for the one that refuses results of too many bits."""
    return "c_" + _OPERATOR_NAMES.get(name, name)


def is_logical(node: Node) -> bool:
    """Whether a conditional is ``a and b`` or ``a or b``."""
    return node.op == "if" and node.args[0] in node.args[1:]


def element_codes(ir: IR, checked: Container[str], called: Container[str], any_int: bool,
                  most: int) -> dict[str, types.CodeType]:  # fmt: skip
    """Code objects of the functions that compute the IR; that of "element" takes one number per parameter.

    checked: operators and functions that are called by their :func:`checked_name` where their result may be too large.
    called: operators that are always called, by their :func:`plain_name`, as all functions are.
    any_int: whether a parameter may be an int of more than 64 bits.
    most: bits of the largest int that an operation may make.
    """
    program = _Program(ir, checked, called, any_int, most)
    parameters = [f"p{i}" for i in range(len(ir.params))]
    return _compiled([*program.functions([("element", parameters, ir.root, frozenset())])])


def column_codes(ir: IR, checked: Container[str], called: Container[str], any_int: bool, most: int,
                 columns: int) -> dict[str, types.CodeType]:  # fmt: skip
    """The same for many elements: that of "column" takes a list for each parameter and gives a list.

    columns: bit i is set if parameter i is a list; the others are numbers that go with every element.
    """
    program = _Program(ir, checked, called, any_int, most)
    column = program.column([bool(columns >> i & 1) for i in range(len(ir.params))])
    return _compiled([column, *program.functions([])])


def _compiled(functions: list[ast.stmt]) -> dict[str, types.CodeType]:
    compiled = compile(ast.Module(functions, []), "<arrayops>", "exec", dont_inherit=True)
    return {c.co_name: c for c in compiled.co_consts if isinstance(c, types.CodeType)}


class _Program:
    """The functions of one IR."""

    def __init__(self, ir: IR, checked: Container[str], called: Container[str], any_int: bool, most: int) -> None:
        self.ir, self.nodes, self.checked, self.called, self.most = ir, ir.nodes, checked, called, most
        self.budget = 16 * len(ir.nodes) + 1024  # steps of all blocks
        self.waiting: list[tuple[str, list[str], int, frozenset[int]]] = []
        self.count_uses()
        self.measure()
        self.bits: list[int] = []
        self.real: list[bool] = []
        for node in self.nodes:
            self.bits.append(self.bits_of(node, most + 1 if any_int else 64))
            self.real.append(self.is_real(node))

    def functions(self, wanted: list[tuple[str, list[str], int, frozenset[int]]]) -> list[ast.stmt]:
        """These functions, and those that wait to be called."""
        self.waiting += wanted
        made: list[ast.stmt] = []
        while self.waiting:
            name, args, root, known = self.waiting.pop()
            body, value = _Block(self, set(known), 0).run(root)
            made.append(_function(name, args, [*body, ast.Return(value, **_AT)]))
        return made

    def column(self, is_list: list[bool]) -> ast.stmt:
        """The function of lists: a comprehension if an element is an expression, else a loop."""
        body, value = _Block(self, set(), 0).run(self.ir.root)
        places = [i for i, some in enumerate(is_list) if some]
        lists: list[ast.expr] = [_name(f"a{i}") for i in places]
        targets: list[ast.expr] = [ast.Name(f"p{i}", _STORE, **_AT) for i in places]
        each = targets[0] if len(targets) == 1 else ast.Tuple(targets, _STORE, **_AT)
        over = lists[0] if len(lists) == 1 else _call(ZIP, lists)
        args = [f"{'ap'[not some]}{i}" for i, some in enumerate(is_list)]
        if not body and not any(isinstance(node, ast.NamedExpr) for node in ast.walk(value)):
            found: ast.expr = ast.ListComp(value, [ast.comprehension(each, over, [], 0)], **_AT)
            return _function("column", args, [ast.Return(found, **_AT)])
        append = ast.Attribute(_name("found"), "append", _LOAD, **_AT)
        body = [*body, ast.Expr(ast.Call(append, [value], [], **_AT), **_AT)]
        loop = ast.For(each, over, body, [], None, **_AT)
        start = _assign("found", ast.List([], _LOAD, **_AT))
        return _function("column", args, [start, loop, ast.Return(_name("found"), **_AT)])

    def apart(self, root: int, known: set[int]) -> ast.expr:
        """A call of a function of its own that gives the root."""
        needed: set[str] = set()
        stack, seen = [root], {root}
        while stack:
            index = stack.pop()
            node = self.nodes[index]
            if index in known:
                needed.add(f"t{index}")
            elif node.op == "param":
                needed.add(f"p{node.value}")
            else:
                stack.extend(i for i in node.args if i not in seen)
                seen.update(node.args)
        self.budget -= len(seen) // 8
        args = sorted(needed)
        name = f"element_{root}_{self.budget}"
        self.waiting.append((name, args, root, frozenset(known)))
        return _call(name, [_name(a) for a in args])

    # -- what is known of each node --------------------------------------------------------------------------------

    def count_uses(self) -> None:
        """How often each node is an operand; the operand that ``and`` and ``or`` have twice counts once."""
        self.uses = [0] * len(self.nodes)
        for node in self.nodes:
            for arg in dict.fromkeys(node.args) if is_logical(node) else node.args:
                self.uses[arg] += 1

    def measure(self) -> None:
        """Which nodes are statements, and which have a statement under them."""
        height = [0] * len(self.nodes)
        self.own, self.stated = [False] * len(self.nodes), [False] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            below = any(self.stated[i] for i in node.args)
            height[index] = 1 + max((height[i] for i in node.args), default=0)
            branches = node.op == "if" and any(self.stated[i] for i in node.args[1:])
            if height[index] > TALLEST or branches or node.op == "seq":
                self.own[index] = True
                height[index] = 1
            self.stated[index] = self.own[index] or below

    def is_real(self, node: Node) -> bool:
        """Whether the value is never complex, as a power of a negative number may be."""
        if node.op == "**" and "**" not in self.called:
            exponent = self.nodes[node.args[1]].value
            return type(exponent) is int and self.real[node.args[0]]
        return node.op == "call" or all(self.real[i] for i in node.args)

    def bits_of(self, node: Node, of_param: int) -> int:
        """Bits that the node's value has at most if it is an int; 0 if it never is one."""
        op, value = node.op, node.value
        args = [self.bits[i] for i in node.args]
        if op == "param":
            return of_param
        if op == "const":
            return max(value.bit_length(), 1) if isinstance(value, int) else 0
        if op == "call":
            return self.bits_of_call(node, args)
        if op == "part":
            return of_param
        if op in _COMPARE or op in ("not", "truth"):
            return 1
        if op == "item":
            return 64
        if op == "/" or (op in ("+", "-", "*", "//", "%", "**") and 0 in args):  # an operand is a float
            return 0
        if op in ("*", "<<", "**"):
            return min(self.bits_of_product(node, args), self.most)
        if op in ("if", "seq", "%"):
            return max(args[1:]) if op == "if" else args[-1]
        return max(args) + (max(args) > 0)

    def bits_of_product(self, node: Node, args: list[int]) -> int:
        """Bits of the result of ``* << **`` of ints."""
        if node.op == "*":
            return sum(args)
        right = self.nodes[node.args[1]]
        if right.op != "const" or not isinstance(right.value, int):
            return self.most + 1
        if right.value < 0:
            return 0
        return args[0] + right.value if node.op == "<<" else args[0] * right.value

    def bits_of_call(self, node: Node, args: list[int]) -> int:
        name = str(node.value)
        if name in ("floor", "ceil", "trunc", "int", "round"):
            return max(1024, *args)
        if name in ("abs", "min", "max", "gcd", "isqrt", "bit_count", "bit_length"):
            return max(args) + 1
        if name == "pow":
            return args[-1]
        if name == "lcm":
            return min(sum(args), self.most)
        if name in WHOLE_FUNCTIONS:
            return self.most
        return 0 if name in _FLOATS else 1

    def in_bounds(self, node: Node) -> bool:
        """Whether the result cannot have too many bits."""
        args = [self.bits[i] for i in node.args]
        if node.op != "call":
            return (node.op != "<<" and 0 in args) or self.bits_of_product(node, args) <= self.most
        if node.value == "pow":
            return args[1] * args[2] <= self.most
        if node.value == "lcm":
            return sum(args) <= self.most
        last = self.nodes[node.args[-1]]
        if node.value == "round" and len(args) == 1:
            return True
        return max(args) <= 64 and last.op == "const" and self.is_small(str(node.value), last.value)

    @staticmethod
    def is_small(name: str, value: Any) -> bool:
        return isinstance(value, int) and (value >= -2048 if name == "round" else value <= 2048)


class _Block:
    """The statements of one function or arm. ``known`` are the nodes that have a value in a variable by now."""

    def __init__(self, program: _Program, known: set[int], nested: int) -> None:
        self.program, self.nodes, self.known, self.nested = program, program.nodes, known, nested
        self.body: list[ast.stmt] = []
        self.pending: list[ast.expr] = []  # operands in their order, not evaluated yet

    def run(self, root: int) -> tuple[list[ast.stmt], ast.expr]:
        """Statements, and then the expression whose value is the root."""
        stack = [(root, False)]
        while stack:
            index, operands_done = stack.pop()
            node = self.nodes[index]
            self.program.budget -= 1
            if self.program.budget < 0:
                raise Unfolds
            if index in self.known or node.op in ("param", "const"):
                self.pending.append(self.leaf(index))
            elif not operands_done:
                stack.append((index, True))
                stack.extend((arg, False) for arg in reversed(node.args[:1] if node.op == "if" else node.args))
            else:
                self.finish(index, node)
        return self.body, self.pending.pop()

    def leaf(self, index: int) -> ast.expr:
        node = self.nodes[index]
        if index in self.known:
            return _name(f"t{index}")
        return _constant(node.value) if node.op == "const" else _name(f"p{node.value}")

    def finish(self, index: int, node: Node) -> None:
        """The value of a node whose operands are the last ones pending."""
        count = 1 if node.op == "if" else len(node.args)
        args = self.pending[-count:]
        del self.pending[-count:]
        if self.program.own[index]:
            self.flush()
            self.statement(index, node, args)
            self.known.add(index)
            self.pending.append(_name(f"t{index}"))
            return
        value = self.conditional(node, args[0]) if node.op == "if" else self.operation(node, args)
        if self.program.uses[index] > 1:
            value = ast.NamedExpr(ast.Name(f"t{index}", _STORE, **_AT), value, **_AT)
            self.known.add(index)
        self.pending.append(value)

    def flush(self) -> None:
        """Evaluates what is pending, because a statement follows."""
        for i, value in enumerate(self.pending):
            if not isinstance(value, (ast.Name, ast.Constant)):
                name = f"s{self.program.budget}_{i}"
                self.body.append(_assign(name, value))
                self.pending[i] = _name(name)

    def statement(self, index: int, node: Node, args: list[ast.expr]) -> None:
        if node.op == "if":
            if is_logical(node) and not isinstance(args[0], ast.Constant):
                self.body.append(_assign(f"t{node.args[0]}", args[0]))
                self.known.add(node.args[0])
                args = [_name(f"t{node.args[0]}")]
            body, orelse = (self.arm(arm, f"t{index}") for arm in node.args[1:])
            self.body.append(ast.If(args[0], body, orelse, **_AT))
            return
        if node.op == "seq":
            self.body.extend(ast.Expr(a, **_AT) for a in args[:-1] if not isinstance(a, (ast.Name, ast.Constant)))
            value = args[-1]
        else:
            value = self.operation(node, args)
        self.body.append(_assign(f"t{index}", value))

    # -- conditionals ----------------------------------------------------------------------------------------------

    def arm(self, index: int, target: str) -> list[ast.stmt]:
        if self.nested >= MOST_NESTED:
            return [_assign(target, self.program.apart(index, self.known))]
        body, value = _Block(self.program, set(self.known), self.nested + 1).run(index)
        return [*body, _assign(target, value)]

    def inline(self, index: int) -> ast.expr:
        """An arm without statements."""
        return _Block(self.program, set(self.known), self.nested).run(index)[1]

    def conditional(self, node: Node, condition: ast.expr) -> ast.expr:
        first, a, b = node.args
        if first not in (a, b):
            return ast.IfExp(condition, self.inline(a), self.inline(b), **_AT)
        return ast.BoolOp(
            ast.And() if first == b else ast.Or(), [condition, self.inline(a if first == b else b)], **_AT
        )

    # -- operations ------------------------------------------------------------------------------------------------

    def operation(self, node: Node, args: list[ast.expr]) -> ast.expr:
        name = str(node.value) if node.op == "call" else node.op
        if name == "part":
            return ast.Subscript(args[0], _constant(node.value), _LOAD, **_AT)
        if name == "in":
            return ast.Compare(args[0], [ast.In()], [_constant(node.value)], **_AT)
        if name not in self.program.checked or name in self.program.called or self.program.in_bounds(node):
            return self.plain(name, args)
        if name in _BY_LAST and self.bounded_by_last(node, args):
            *others, last = args
            if not isinstance(last, ast.Name):
                again = f"s{self.program.budget}"
                last = ast.NamedExpr(ast.Name(again, _STORE, **_AT), last, **_AT)
                args = [*others, _name(again)]
            comparison, bound = _BY_LAST[name]
            small = ast.Compare(last, [comparison()], [_constant(bound)], **_AT)
            return ast.IfExp(small, self.plain(name, args), _call(checked_name(name), args), **_AT)
        return _call(checked_name(name), args)

    def bounded_by_last(self, node: Node, args: list[ast.expr]) -> bool:
        """Whether a last operand that is small keeps the result in bounds, and may be evaluated before the others."""
        leaves = all(isinstance(a, (ast.Name, ast.Constant)) for a in args[:-1])
        return leaves and self.program.real[node.args[-1]] and all(self.program.bits[i] <= 64 for i in node.args)

    def plain(self, name: str, args: list[ast.expr]) -> ast.expr:
        """Python's own operation."""
        if name in self.program.called:
            return _call(plain_name(name), args)
        if name in _BINARY:
            return ast.BinOp(args[0], _BINARY[name](), args[1], **_AT)
        if name in _COMPARE:
            return ast.Compare(args[0], [_COMPARE[name]()], [args[1]], **_AT)
        if name == "item":
            return ast.Subscript(args[0], args[1], _LOAD, **_AT)
        if name == "tuple":
            return ast.Tuple(args, _LOAD, **_AT)
        if name in _UNARY:
            return ast.UnaryOp(_UNARY[name](), args[0], **_AT)
        return _call(plain_name(name), args)
