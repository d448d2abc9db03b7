"""Text to IR.

The text is parsed by ``ast.parse`` and walked against an allowlist: a node class that has no row in ``_HANDLERS`` is
refused by name. Nothing of the text is ever run as Python, no name is looked up anywhere but in our own tables, and
whatever the text is, the answer is an IR or an :class:`ExpressionError`, in bounded time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from keyword import iskeyword
from typing import Any

from .evaluate import interpret
from .ir import (
    BINARY,
    CONSTANTS,
    FUNCTIONS,
    IR,
    ISCLOSE_WITHIN,
    MAX_NODES,
    METHODS,
    NUMPY_FUNCTIONS,
    REDUCTIONS,
    Builder,
    Number,
    TooManyNodes,
    misused_table,
)

#: Characters of one expression. Longer texts are refused before they are parsed.
MAX_TEXT = 16_384
#: Nesting of one expression: brackets, conditionals, signs. Chains such as a+b+c+... nest only once.
MAX_DEPTH = 100
#: Characters that cannot fill the stack of CPython's parser: its 6,000 levels take 3,000 at least (of ``x**x**...``).
_CANNOT_FILL_STACK = 1000

__all__ = ["MAX_DEPTH", "MAX_NODES", "MAX_TEXT", "ExpressionError", "parse"]


class ExpressionError(SyntaxError, ValueError):
    """A text is not an expression of the language.

    It is a SyntaxError, with ``text``, ``offset`` and ``end_offset`` set, so a traceback shows a caret under the part
    it means; and it is a ValueError, because the text is somebody's data.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args  # said here, because libraries that pickle exceptions forget a SyntaxError's parts


#: NumPy's and numexpr's spellings of functions that Python has.
ALIASES = {
    "absolute": "abs", "minimum": "min", "maximum": "max", "power": "pow", "ln": "log", "deg2rad": "radians",
    "rad2deg": "degrees",
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
}  # fmt: skip

#: NumPy's functions that Python has operators for: how many arguments each takes, and what it is of them. The arguments
#: come first in their order, as those of a function are evaluated.
FORMS: dict[str, tuple[int, str]] = {
    "mod": (2, "x % y"), "floor_divide": (2, "x // y"), "square": (1, "x * x"), "reciprocal": (1, "1 / x"),
    "signbit": (1, "copysign(1.0, x) < 0"), "logical_not": (1, "not x"), "logical_and": (2, "bool(x) & bool(y)"),
    "logical_or": (2, "bool(x) | bool(y)"), "logical_xor": (2, "bool(x) ^ bool(y)"),
    "fmax": (2, "x if x >= y or y != y else y"), "fmin": (2, "x if x <= y or y != y else y"),
}  # fmt: skip

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
assert sorted(_BINARY.values()) == sorted(BINARY)
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert", ast.Not: "not"}

#: Operations and functions that give truth values.
_TRUTHS = frozenset(("<", "<=", "==", "!=", ">", ">=", "in", "not", "truth"))
_CLASSIFYING = frozenset(("isnan", "isinf", "isfinite"))
#: Of pandas and NumPy people know ~ as the opposite of a truth value; of Python's it is -1 or -2, both true.
NOT_INVERT = "~ of a truth value is -1 or -2 in Python, both true; its opposite is written with not"

#: Operators of other languages, and Python's.
_THEIRS = {"&&": "'and'", "||": "'or'", "<>": "'!='", "!": "'not'", "?": "'a if condition else b'"}

_NO_NONE = "no element is None: isnan(x) says which are nan; missing values are the matter of nulls="

#: Functions of other languages and libraries, and what is written here; of other names the nearest one is.
_ELSEWHERE = {
    **dict.fromkeys(("popcount", "bitwise_count", "bitcount"), "write x.bit_count()"),
    **dict.fromkeys(("isna", "isnull"), "write isnan(x); missing values are the matter of nulls="),
    **dict.fromkeys(("notna", "notnull"), "write not isnan(x); missing values are the matter of nulls="),
    "dot": "write sum(x * y)", "cumsum": "accumulate(x) gives it", "cumprod": "accumulate(x, 'acc * x') gives it",
    **dict.fromkeys(("quantile", "percentile"), "compute it before, by the function quantile(), and give it by name"),
    **dict.fromkeys(("ifelse", "iif"), "write a if condition else b"), "isin": "write x in (1, 2, 3)",
    "sgn": "write sign(x)", "nan_to_num": "write 0.0 if isnan(x) else x",
}  # fmt: skip

#: What to say of the constructs people try first; every other class is named as it is.
_REFUSED: dict[type[ast.expr], str] = {
    ast.Attribute: "attributes are not part of the language, except math.<name>, x.bit_count() and x.bit_length()",
    ast.Lambda: "a lambda cannot stand inside an expression; pass the function itself instead of a text",
    ast.NamedExpr: "':=' is not part of the language; write the expression twice, it is computed once",
    ast.JoinedStr: "strings are not part of the language: only numbers",
    ast.List: "a list is only allowed after 'in'",
    ast.Set: "a set is only allowed after 'in'",
    ast.Tuple: "a tuple is only allowed after 'in', and as the value of a fold that begins with one",
}


def parse(text: str, params: Iterable[str] = (), named: Iterable[str] = (), closed: bool = False,
          items: int = 0) -> IR:  # fmt: skip
    """The IR of an expression.

    params: the first parameters, in their order; other free names follow in order of first appearance, unless
        ``closed``, which makes them errors.
    items: of the tuple that the first parameter is, where the expression gives a tuple, too; 0 for numbers.
    named: names that the caller binds, which therefore hide constants such as ``e`` and functions such as ``gamma``.
    Raises ExpressionError, or TypeError if text is not a str.
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression is a str, not {type(text).__name__}")
    return _Parser(text, params, named, closed, items).run()


def plainly_ended(text: str) -> str:
    """The text with each of its lines ended by \\n, of which Python's tokenizer ends them by \\n, \\r or both."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> list[str]:
    """The lines of an expression as Python's tokenizer ends them."""
    return plainly_ended(text).split("\n")


def error_at(message: str, text: str, start: int, end: int) -> ExpressionError:
    """The error about text[start:end], which is of one line."""
    before = lines_of(text[:start])
    line, column = len(before), len(before[-1]) + 1
    return ExpressionError(
        message, ("<expression>", line, column, lines_of(text)[line - 1], line, column + end - start)
    )


def _spelt(line: str, column: int) -> str:
    """What is to be written where Python's parser stopped, if it met an operator as other languages write it."""
    for theirs, pythons in _THEIRS.items():
        at = line.find(theirs, max(0, column - len(theirs) + 1), column + len(theirs))
        if at >= 0:
            return f"; {theirs} is written {pythons}"
    return ""


class _Parser:
    def __init__(self, text: str, params: Iterable[str], named: Iterable[str], closed: bool, items: int) -> None:
        self.text, self.closed, self.items = plainly_ended(text), closed, items
        self.params = {name: i for i, name in enumerate(dict.fromkeys(map(folded, params)))}
        self.named = frozenset(named)
        self.build = Builder()
        self.indent = len(self.text) - len(self.text.lstrip(" \t\n\f"))

    def run(self) -> IR:
        self.check_text()
        try:
            tree = self.tree()
            if not self.closed and "if" in self.text:
                self.order_names(tree)
            return self.checked(self.build.done(self.result(tree, 0), tuple(self.params)))
        except ExpressionError:
            raise
        except SyntaxError as error:
            raise self.syntax_error(error) from None
        except TooManyNodes:
            raise self.error(f"the expression has more than {MAX_NODES} operations; split it", None) from None
        except RecursionError:
            raise self.error(f"the expression is nested more than {MAX_DEPTH} deep; split it", None) from None

    def checked(self, ir: IR) -> IR:
        misused = misused_table(ir)
        if misused is not None:
            name = ir.params[misused]
            what = f"{name!r} is a table where it is subscripted, and a number elsewhere: give it two names"
            raise self.error(what, None)
        return ir

    def tree(self) -> ast.expr:
        """What CPython's parser makes of the text. It raises MemoryError also when its own stack is full."""
        try:
            return ast.parse(self.text[self.indent :], mode="eval").body
        except SystemError as error:
            # CPython 3.11 counts the depth of all threads together: another one parsed meanwhile (its issue 106905).
            if "recursion depth mismatch" in str(error):
                return self.tree()
            raise MemoryError from error  # its tokenizer says nothing where it has no memory
        except MemoryError:
            if len(self.text) < _CANNOT_FILL_STACK:
                raise
        except ValueError as error:
            raise self.folded_word() or error from None
        raise self.error(f"the expression is nested more than {MAX_DEPTH} deep; split it", None)

    def folded_word(self) -> ExpressionError | None:
        """Letters that Python folds to True, False or None: since 3.14 ast.parse says ValueError to them."""
        for found in re.finditer(r"\w+", self.text):
            name = folded(found[0])
            if name != found[0] and iskeyword(name):
                return error_at(f"{name!r} is a word of Python, not a name", self.text, *found.span())
        return None

    def check_text(self) -> None:
        text = self.text
        if len(text) > MAX_TEXT:
            raise ExpressionError(f"the expression has {len(text)} characters, at most {MAX_TEXT} are allowed")
        if not text[self.indent :]:
            raise self.error("the expression is empty", None)
        if text.isascii() and "\0" not in text:
            return
        for at, character in enumerate(text):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise error_at(f"character {character!r} is not allowed", text, at, at + 1)

    def order_names(self, tree: ast.expr) -> None:
        """Parameters in the order of the text, where the walk meets the condition of ``a if c else b`` first."""
        nodes = list(ast.walk(tree))
        callees = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
        names = [(n.lineno, n.col_offset, n.id) for n in nodes if isinstance(n, ast.Name) and id(n) not in callees]
        for _, _, name in sorted(names):
            if name in self.named or name not in RESERVED:
                self.params.setdefault(name, len(self.params))

    # -- errors ------------------------------------------------------------------------------------------------

    def error(self, message: str, where: ast.AST | tuple[int, int, int] | None) -> ExpressionError:
        """An error about one node, about (line, column, length), or about the whole text."""
        lines = self.text.split("\n")
        if where is None:
            start = (1, 0)
            end = (1, len(lines[0]))
        elif isinstance(where, tuple):
            start = where[:2]
            end = (where[0], where[1] + where[2])
        else:
            first = self.text[: self.indent].count("\n")
            shift = self.indent - (self.text.rfind("\n", 0, self.indent) + 1)
            start, end = (self.place(*at, first, shift) for at in _ends(where))
        if end[0] != start[0]:
            end = (start[0], len(lines[start[0] - 1]))
        line_text = lines[start[0] - 1]
        return ExpressionError(message, ("<expression>", start[0], start[1] + 1, line_text, start[0], end[1] + 1))

    def place(self, line: int, size: int, first: int, shift: int) -> tuple[int, int]:
        """Line and column of what stands after so many bytes of UTF-8 in a line of the tree."""
        text = self.text.split("\n")[line - 1 + first]
        size += shift if line == 1 else 0  # the blanks that were cut off, ASCII all
        return line + first, size if text.isascii() else len(text.encode()[:size].decode(errors="ignore"))

    def syntax_error(self, error: SyntaxError) -> ExpressionError:
        first = self.text[: self.indent].count("\n")
        shift = self.indent - (self.text.rfind("\n", 0, self.indent) + 1)
        line = (error.lineno or 1) + first
        column = max((error.offset or 1) - 1, 0) + (shift if (error.lineno or 1) == 1 else 0)
        length = 1
        if error.end_lineno == error.lineno and error.end_offset and error.offset:
            length = max(error.end_offset - error.offset, 1)
        lines = self.text.split("\n")
        line = min(line, len(lines))
        column = min(column, len(lines[line - 1]))
        return self.error(error.msg + _spelt(lines[line - 1], column), (line, column, length))

    def unknown(self, kind: str, name: str, known: Iterable[str], where: ast.AST) -> ExpressionError:
        import difflib

        near = difflib.get_close_matches(name, list(known), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        if kind == "function" and name in _ELSEWHERE:
            hint = "; " + _ELSEWHERE[name]
        return self.error(f"unknown {kind} {name!r}{hint}", where)

    # -- the walk ----------------------------------------------------------------------------------------------

    def expr(self, node: ast.expr, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise self.error(f"the expression is nested more than {MAX_DEPTH} deep; split it", node)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise self.error(_REFUSED.get(type(node), f"{type(node).__name__} is not part of the language"), node)
        return handler(self, node, depth + 1)

    def result(self, node: ast.expr, depth: int) -> int:
        """The value of the whole, or of an arm that is: where the first parameter is a tuple it may be one."""
        if not self.items or depth >= MAX_DEPTH:
            return self.expr(node, depth)
        if isinstance(node, ast.Tuple) and node.elts:
            return self.build.add("tuple", *(self.expr(item, depth + 1) for item in node.elts))
        if isinstance(node, ast.IfExp):
            condition = self.expr(node.test, depth + 1)
            arms = (self.result(arm, depth + 1) for arm in (node.body, node.orelse))
            return self.build.add("if", condition, *arms)
        if self.is_tuple(node):
            return self.build.add("tuple", *(self.part(node, depth + 1, place) for place in range(self.items)))
        return self.expr(node, depth)

    def is_tuple(self, node: ast.expr) -> bool:
        """Whether it is the name of the parameter that is a tuple."""
        return self.items > 0 and isinstance(node, ast.Name) and self.params.get(node.id) == 0

    def part(self, node: ast.expr, depth: int, place: int) -> int:
        return self.build.add("part", self.expr(node, depth), value=place)

    def constant(self, node: ast.Constant, depth: int) -> int:
        if node.value is None:
            raise self.error(_NO_NONE, node)
        if not isinstance(node.value, (int, float)):
            raise self.error(f"only int, float and bool constants are allowed, not {type(node.value).__name__}", node)
        return self.build.const(node.value)

    def name(self, node: ast.Name, depth: int) -> int:
        name = node.id
        if iskeyword(name):  # written in letters that Python folds to it
            raise self.error(f"{name!r} is a word of Python, not a name", node)
        index = self.params.get(name)
        if index is None:
            if name in CONSTANTS and name not in self.named:
                return self.build.const(CONSTANTS[name])
            if name in RESERVED and name not in self.named:
                raise self.error(f"{name!r} is a {'module' if name == 'math' else 'function'}, not a value", node)
            if self.closed:
                raise self.unknown("name", name, self.params, node)
            index = self.params[name] = len(self.params)
        return self.build.add("param", value=index)

    def subscript(self, node: ast.Subscript, depth: int) -> int:
        if isinstance(node.slice, (ast.Slice, ast.Tuple)):
            raise self.error("an index is one number: slices are no elements", node)
        if self.is_tuple(node.value):
            return self.part(node.value, depth, self.item_place(node))
        table = self.expr(node.value, depth) if isinstance(node.value, ast.Name) else None
        if table is None or self.build.nodes[table].op != "param":
            raise self.error("only a table that is given by its name can be subscripted; elements are numbers", node)
        return self.build.add("item", table, self.expr(node.slice, depth))

    def item_place(self, node: ast.Subscript) -> int:
        index, sign = node.slice, 1
        if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            index, sign = index.operand, -1
        place = sign * index.value if isinstance(index, ast.Constant) and type(index.value) is int else self.items
        if not -self.items <= place < self.items:
            what = f"{next(iter(self.params))!r} is a tuple of {self.items}, whose items are taken by constants"
            raise self.error(f"{what} from 0 to {self.items - 1}", node)
        return place % self.items

    def attribute(self, node: ast.Attribute, depth: int) -> int:
        name = self.math_name(node)
        if name in CONSTANTS:
            return self.build.const(CONSTANTS[name])
        if _in_math(name) is not None:
            raise self.error(f"'math.{name}' is a function, not a value", node)
        raise self.unknown("name", "math." + name, _math_names(), node)

    def math_name(self, node: ast.Attribute) -> str:
        if not self.is_math(node.value):
            module, written = getattr(node.value, "id", ""), ""
            if node.attr in _NAMED:
                of = ast.get_source_segment(self.text[self.indent :], node.value)
                written = f"without {module}." if module in _MODULES else f"as {node.attr}({of})"
            raise self.error(_REFUSED[ast.Attribute] + (written and f"; write {node.attr} {written}"), node)
        return node.attr

    def is_math(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == "math" and "math" not in self.params

    def binary(self, node: ast.BinOp, depth: int) -> int:
        # The parser nests a+b+c+... to the left; walked in a loop, so that length is not depth.
        spine = [node]
        while isinstance(spine[-1].left, ast.BinOp):
            spine.append(spine[-1].left)
        value = self.expr(spine[-1].left, depth)
        for link in reversed(spine):
            if type(link.op) not in _BINARY:
                raise self.error("'@' is not part of the language: elements are numbers", link)
            value = self.build.add(_BINARY[type(link.op)], value, self.expr(link.right, depth))
        return value

    def unary(self, node: ast.UnaryOp, depth: int) -> int:
        operand = self.expr(node.operand, depth)
        if isinstance(node.op, ast.Invert) and self.is_truth(operand):
            inner = ast.get_source_segment(self.text[self.indent :], node.operand) or "x"
            raise self.error(f"{NOT_INVERT}: write 'not {inner}'", node)
        return self.build.add(_UNARY[type(node.op)], operand)

    def is_truth(self, index: int) -> bool:
        """Whether a node is a truth value, whatever the parameters are."""
        stack, seen = [index], {index}
        while stack:
            node = self.build.nodes[stack.pop()]
            if node.op in ("&", "|", "^", "if"):
                parts = node.args[node.op == "if" :]
                stack.extend(i for i in parts if i not in seen)
                seen.update(parts)
            elif not (node.op in _TRUTHS or (node.op == "call" and node.value in _CLASSIFYING)
                      or (node.op == "const" and isinstance(node.value, bool))):  # fmt: skip
                return False
        return True

    def logical(self, node: ast.BoolOp, depth: int) -> int:
        join = self.build.logical_and if isinstance(node.op, ast.And) else self.build.logical_or
        # a and b and c is (a and b) and c, value for value: length is not depth here either
        result, *others = [self.expr(value, depth) for value in node.values]
        for other in others:
            result = join(result, other)
        return result

    def compare(self, node: ast.Compare, depth: int) -> int:
        left = self.expr(node.left, depth)
        links: list[int] = []
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            if type(op) not in _COMPARE:
                if isinstance(right_node, ast.Constant) and right_node.value is None:
                    raise self.error(_NO_NONE, node)
                raise self.error("'is' compares identities; write '==' or '!='", node)
            symbol = _COMPARE[type(op)]
            if symbol in ("in", "not in"):
                if len(node.ops) > 1:
                    raise self.error("'in' cannot be part of a chain of comparisons; use 'and'", node)
                found = self.build.add("in", left, value=self.collection(right_node, depth))
                return self.build.add("not", found) if symbol == "not in" else found
            right = self.expr(right_node, depth)
            links.append(self.build.add(symbol, left, right))
            left = right
        result = links[0]
        for link in links[1:]:
            result = self.build.logical_and(result, link)
        return result

    def collection(self, node: ast.expr, depth: int) -> tuple[Number, ...]:
        if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            raise self.error("'in' needs a tuple of constants, such as (1, 2, 3)", node)
        return tuple(self.element(element, depth) for element in node.elts)

    def element(self, node: ast.expr, depth: int) -> Number:
        """A member of a tuple: an expression of constants, evaluated here."""
        outer, self.build = self.build, Builder()
        root = self.expr(node, depth)
        constant, self.build = self.build.done(root, ()), outer
        try:
            value = None if any(n.op == "param" for n in constant.nodes) else interpret(constant, ())
        except (ArithmeticError, ValueError, TypeError) as error:
            raise self.error(f"the constant raises {type(error).__name__}: {error}", node) from None
        if not isinstance(value, (int, float)):
            raise self.error("'in' needs constants: numbers or expressions of numbers", node)
        if value != value:
            raise self.error("nan equals nothing; write isnan(x)", node)
        return value

    def conditional(self, node: ast.IfExp, depth: int) -> int:
        condition = self.expr(node.test, depth)
        return self.build.add("if", condition, self.expr(node.body, depth), self.expr(node.orelse, depth))

    def call(self, node: ast.Call, depth: int) -> int:
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and not self.is_math(node.func.value):
            if node.args or node.keywords:
                raise self.error(f"{node.func.attr}() takes no arguments", node)
            return self.apply(node.func.attr, [self.expr(node.func.value, depth)])
        if isinstance(node.func, ast.Attribute):
            written = self.math_name(node.func)
            name = _in_math(written) or ""
            if not name:
                raise self.unknown("function", "math." + written, _math_names(), node.func)
        elif isinstance(node.func, ast.Name):
            if self.is_reduction(node):
                return self.reduction(node, depth)
            name = ALIASES.get(node.func.id, node.func.id)
            if name not in _CALLS or name in self.params:
                raise self.unknown("function", node.func.id, (*_CALLS, *REDUCTIONS), node.func)
        else:
            raise self.error("only functions named in the language can be called", node.func)
        if name == "isclose" and node.keywords:
            return self.isclose(node, depth)
        for keyword in node.keywords:
            raise self.error("keyword arguments are not part of the language", keyword)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.error("'*' arguments are not part of the language", argument)
        least, most = _CALLS[name]
        if len(node.args) < least or (most is not None and len(node.args) > most):
            raise self.error(f"{name}() takes {_count(least, most)}, not {len(node.args)}", node)
        return self.apply(name, [self.expr(argument, depth) for argument in node.args])

    def is_reduction(self, node: ast.Call) -> bool:
        """Whether a call is of all elements: min() and max() of one argument are, unless the name is a parameter."""
        name = node.func.id  # type: ignore[attr-defined]
        return name in REDUCTIONS and name not in self.params and (name not in _CALLS or len(node.args) == 1)

    def reduction(self, node: ast.Call, depth: int) -> int:
        name, ddof = node.func.id, 0  # type: ignore[attr-defined]
        if len(node.args) != 1 or isinstance(node.args[0], ast.Starred):
            more = f"; write {name}(x, ddof=1)" if len(node.args) == 2 and name in ("var", "std") else ""
            raise self.error(f"{name}() takes 1 argument, not {len(node.args)}{more}", node)
        for keyword in node.keywords:
            if keyword.arg != "ddof" or name not in ("var", "std"):
                raise self.error("keyword arguments are not part of the language, but ddof of var() and std()", keyword)
            ddof = self.freedom(keyword.value, depth)
        inside = self.expr(node.args[0], depth)
        if not self.has_param(inside):
            raise self.error(f"{name}() is of the elements of an array, and there is none in its argument", node)
        return self.build.add("whole", inside, value=(name, ddof))

    def freedom(self, node: ast.expr, depth: int) -> int:
        ddof = self.element(node, depth)
        if not isinstance(ddof, int) or ddof < 0:
            raise self.error("ddof must be an int from 0", node)
        return int(ddof)

    def has_param(self, index: int) -> bool:
        stack, seen = [index], {index}
        while stack:
            node = self.build.nodes[stack.pop()]
            if node.op == "param":
                return True
            stack.extend(i for i in node.args if i not in seen)
            seen.update(node.args)
        return False

    def isclose(self, node: ast.Call, depth: int) -> int:
        """isclose() with its keywords, which must be constants."""
        tolerances: dict[str, Number] = {"rel_tol": 1e-09, "abs_tol": 0.0}
        if len(node.args) != 2:
            raise self.error(f"isclose() takes 2 arguments before its keywords, not {len(node.args)}", node)
        args = [self.expr(argument, depth) for argument in node.args]
        for keyword in node.keywords:
            if keyword.arg not in tolerances:
                raise self.error("isclose() takes the keywords rel_tol and abs_tol", keyword)
            tolerances[keyword.arg] = self.element(keyword.value, depth)
        return self.apply(ISCLOSE_WITHIN, [*args, *(self.build.const(value) for value in tolerances.values())])

    def apply(self, name: str, args: list[int]) -> int:
        """A call, in terms of operators where Python defines it by them."""
        build = self.build
        if name == "where":
            return build.add("if", *args)
        if name == "clip":
            x, low, high = args
            return build.add("if", build.add("<", x, low), low, build.add("if", build.add(">", x, high), high, x))
        if name in FORMS:
            return self.form(FORMS[name][1], args)
        if name == "pow" and len(args) == 2:
            return build.add("**", *args)
        if name == "bool":
            return build.add("truth", *args)
        return build.add("call", *args, value=name)

    def form(self, text: str, args: list[int]) -> int:
        """The nodes of a text of x and y, with these in their place."""
        ir, new = parse(text, ("x", "y"), closed=True), list[int]()
        for node in ir.nodes:
            if node.op == "param":
                assert isinstance(node.value, int)
                new.append(args[node.value])
            else:
                new.append(self.build.add(node.op, *(new[i] for i in node.args), value=node.value))
        return new[ir.root]


_HANDLERS: dict[type[ast.expr], Callable[[_Parser, Any, int], int]] = {
    ast.Constant: _Parser.constant, ast.Name: _Parser.name, ast.Attribute: _Parser.attribute,
    ast.BinOp: _Parser.binary, ast.UnaryOp: _Parser.unary, ast.BoolOp: _Parser.logical,
    ast.Compare: _Parser.compare, ast.IfExp: _Parser.conditional, ast.Call: _Parser.call,
    ast.Subscript: _Parser.subscript,
}  # fmt: skip

#: Everything that can be called: the functions, and the forms that are rewritten to operators.
_CALLS: dict[str, tuple[int, int | None]] = {
    "where": (3, 3),
    "clip": (3, 3),
    **{name: (function.least, function.most) for name, function in FUNCTIONS.items()},
    **{name: (count, count) for name, (count, _) in FORMS.items()},
}
_CALLS.update({alias: _CALLS[name] for alias, name in ALIASES.items()})
#: Modules whose functions people write with the module's name, and what a text knows of them without.
_MODULES = ("np", "numpy", "ne", "numexpr", "pd", "math")
_NAMED = {*_CALLS, *CONSTANTS, *REDUCTIONS}
#: Functions only where they are called; elsewhere their names are parameters.
_FREE = {*FORMS, *NUMPY_FUNCTIONS, "deg2rad", "rad2deg"}
#: Names that are no parameters unless the caller binds them.
RESERVED = frozenset((*_CALLS, *CONSTANTS, "math")) - _FREE


def folded(name: str) -> str:
    """A name as Python reads it: NFKC-normalised."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


def _ends(node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """(Line, bytes before it in the line) of a node's beginning and end."""
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)


def _in_math(name: str) -> str | None:
    """The function that ``math.name`` is: ``math.pow`` is another one than ``pow``."""
    name = f"math.{name}" if f"math.{name}" in FUNCTIONS else name
    return name if name in FUNCTIONS and FUNCTIONS[name].module == "math" else None


def _math_names() -> list[str]:
    names = [n.removeprefix("math.") for n, f in FUNCTIONS.items() if f.module == "math"]
    return ["math." + n for n in (*names, *CONSTANTS)]


def _count(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} arguments"
    if least == most:
        return f"{least} argument{'s' if least > 1 else ''}"
    return f"{least} to {most} arguments"
