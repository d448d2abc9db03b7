"""Hostile and broken texts, one table for test_hostile and for whoever feeds text to arrayops otherwise.

Each of them must be refused with ExpressionError or answered exactly as Python answers (HEAVY: bounded, or refused with
OverflowError), without running any Python code, opening, importing or looking up anything.
"""

from __future__ import annotations

ATTRIBUTES = [
    "().__class__", "().__class__.__bases__[0].__subclasses__()", "x.__class__", "x.real", "x.__add__(1)",
    "(1).__class__", "(1).real", "1.0.hex()", "x.y.z", "math.__dict__", "math.__loader__",
    "math.sqrt.__self__", "math.sqrt.__call__(2)", "abs.__self__", "sqrt.__class__", "math.pi.real",
    "math.pi.__class__", "math.os", "math.nothing", "math.sqrt.x(1)", "x.__init__.__globals__",
    "x.__class__.__mro__[1]", "True.__class__", "None.__class__", "int.from_bytes(x)",
    "float.fromhex(x)", "int.__subclasses__()", "bool.mro()", "x.append(1)", "x.typecode",
    "(x < 1).__class__", "abs(x).__class__", "[].__class__", "{}.__class__", "''.__class__", "''.join", "x .__class__",
    "x\t.\t__class__", "math . sqrt . __name__", "builtins.open", "os.system", "sys.exit",
    "re.compile", "__builtins__.eval", "numpy.sin(x)", "np.sqrt(x)", "cmath.sqrt(x)", "self.x", "math.math.sqrt(x)",
    "math.sqrt.sqrt(x)", "math.acosh.__doc__", "math.__name__", "x.imag", "x.numerator",
]  # fmt: skip
CALLS = [
    "eval('1')", "exec('1')", "compile('1', '', 'eval')", "open('/etc/passwd')", "__import__('os')",
    "__import__('os').system('true')", "getattr(x, '__class__')", "setattr(x, 'a', 1)", "globals()",
    "locals()", "vars()", "dir()", "type(x)", "isinstance(x, int)", "print(x)", "input()", "exit()", "quit()",
    "breakpoint()", "help()", "len(x)", "sum(x)", "range(x)", "list(x)", "tuple(x)", "str(x)",
    "bytes(x)", "bytearray(10**9)", "memoryview(x)", "hash(x)", "id(x)", "chr(x)", "ord(x)", "hex(x)", "repr(x)",
    "format(x)", "iter(x)", "next(x)", "map(x)", "filter(x)", "zip(x)", "object()", "super()",
    "callable(x)", "delattr(x, 'a')", "hasattr(x, 'a')", "x()", "x(1)", "x(y)", "(x)(1)", "(lambda: 1)()", "abs(x)(1)",
    "(abs)(x)", "abs", "sqrt", "x + abs", "math", "math + x", "math(x)", "math.sqrt",
    "math.pi(x)", "pi(x)", "nan()", "True(x)", "1(x)", "'a'(x)", "(abs if x else min)(x)", "abs()", "abs(x, x)",
    "sqrt(x, x)", "sqrt()", "min()", "min(x)", "max(x)", "pow(x)", "pow()", "pow(x, 2, 3)",
    "copysign(x)", "where(x)", "where(x, 1)", "where(x, 1, 2, 3)", "clip(x)", "clip(x, 1)", "clip()", "round()",
    "round(x, 1, 2)", "int(x, 10)", "int()", "float()", "bool()", "int('1')", "float('nan')",
    "abs(*x)", "min(*x)", "min(x, *x)", "min(**x)", "abs(x=x)", "abs(x=1)", "round(x, ndigits=1)", "pow(base=x, exp=2)",
    "min(x, x, key=abs)", "min(x, default=1)", "max(x, key=lambda v: v)", "int(x=1)",
    "abs(x for x in x)", "min(x for y in x)", "bool(x=1)", "float(x=1)", "round(number=x)", "isnan(x, x)",
    "floor(x, 1)", "minimum(x)", "maximum()", "absolute()", "power(x)", "sqrt(x,,x)", "math.sqrt(*x)",
]  # fmt: skip
NODES = [
    "'a'", "x + 'a'", "'a' * 10**9", "b'a'", "b'a' * x", "f'{x}'", "f'{x.__class__}'", "f'{x!r:>{x}}'",
    "'{0.__class__}'.format(x)", "'%s' % x", "'%1000000000d' % 1", "rb'a' + x", "u'a'", "'a' 'b'",
    "[x]", "[1, 2]", "[]", "{}", "{1}", "{1: 2}", "{**x}", "{x, x}", "(x,)", "()", "(1, 2)", "x, x", "1, 2",
    "[x for x in x]", "[y for y in (1, 2)]", "{y for y in x}", "{y: y for y in x}", "(y for y in x)",
    "lambda: 1", "lambda x: x", "x + (lambda: 1)", "(lambda x=x: x)", "lambda *a, **k: a", "(y := x)", "(x := 1)",
    "x + (y := 2)", "*x", "*x, x", "[*x]", "x[0]", "x[0:1]", "x[:]", "x[x]", "(1, 2)[0]",
    "x[...]", "x[0, 1]", "...", "None", "x is None", "x is 1", "x is not 1", "x is x", "None if x else 1", "x or None",
    "x == None", "NotImplemented", "Ellipsis", "__debug__", "1j", "x + 2j", "1e5j", "0j",
    "x @ x", "1 @ 2", "await x", "yield x", "(yield)", "(yield from x)", "x in x", "x in [1]", "x in {1}", "x in (x,)",
    "x in (1, x)", "x in y", "x in 'abc'", "x in ('a',)", "x in (None,)", "x in ((1,),)",
    "x in ()", "x not in ()", "x in (nan,)", "nan in (nan,)", "x in 5", "x in (1)", "x in (1, (2, 3))", "x in (abs,)",
    "x in (1 + 1,)", "x in (*x,)", "x in (1j,)", "x in range(5)", "t'{x}'",
]  # fmt: skip
SYNTAX = [
    "", " ", "\n", "\t", "#", "# x", "(", ")", "[", "((", "x +", "+", "*", "x x", "x 1", "1 x", "1x", "x..y", "x.",
    ".x", "x,", ",", "x;", "x; x", "x\nx", "x = 1", "x += 1", "x: int", "x = x", "x == ", "if x: 1",
    "import os", "from os import system", "def f(): pass", "class A: pass", "return x", "pass", "del x", "assert x",
    "raise x", "while 1: pass", "for y in x: y", "with x: pass", "try: x", "global x", "async x",
    "x if x", "x else 1", "x if else 1", "if", "not", "in", "and x", "x and", "lambda", "lambda:", "x <> 1", "x === 1",
    "x && 1", "x || 1", "!x", "x ! 1", "x ? 1 : 2", "x++", "x--", "$x", "`x`", "x$", "@x",
    "'", '"', "'''", "'a", "x + '", "\\", "x \\", "x + \\\n", "0777", "0x", "0b2", "0o8", "1__0", "1_", "1e", "1e+",
    "1.e.1", "0xg", "1.2.3", "()()", "x()()", "print x", "exec x", "\x00", "x\x00", "x\x00y",
    "\x00x", "x +\x00 1", "\ufeffx", "x\ufeff", "\u200bx", "x\u200b", "x\u200d", "x\u00a0+ 1", "x\u3000+ 1", "\u202ex",
    "x + \u20661", "x\x0c+ 1\x1a", "\x1bx", "x\x7f", "\ud800", "x\udcff", "'\ud800'", "x + \uff11",
    "x \u2212 1", "x \u00d7 2", "x \u00f7 2", "x\u00b2", "\u221ax", "x \u2264 1", "x \u2260 1", "x\uff0b1",
    "\uff08x\uff09", "x\u037e", "\x85x", "x\u2028+1", "x\r+1", "x\r\n", "  x\n  +1", "x\n+1", "\nx", "  x", "\tx",
    "x #",
]  # fmt: skip
LOOKALIKES = [
    "\u0430bs(x)", "\u0445", "ab\u0455(x)", "\u1d43bs(x)", "\uff41bs(x)", "\u1d62nt(x)", "s\u1d60rt(x)",
    "ma\U0001d42d\U0001d421.sqrt(x)", "\U0001d42c\U0001d42a\U0001d42b\U0001d42d(x)", "x\u0301", "\u03c0", "\u03c0*x",
    "\ufb01(x)", "e\u0301 + x", "\u00e9 + x", "\u00b5 + x", "\u03bc + x", "\u2115 + x", "\u212f", "p\u2071", "in\ufb02",
    "tru\u0435", "Tru\u0435", "\u0422rue", "nan\u200b", "\u5909\u6570 + x", "\u0661 + x", "x + \u0967",
    "\u1d49", "\u2147", "x_\u2081", "\uff58", "\U0001d465 + x", "\u2c7c + x", "\u0627 + x", "where\u0301(x, 1, 2)",
    "x \uff0a 2", "\u01c6(x)", "__class\u02cd_", "x\ufe0f", "\ufe0fx", "x\U000e0061", "\u115fx", "\u3164", "\U0001f600",
]  # fmt: skip
NAMES = [
    "__class__", "__import__", "__builtins__", "__name__", "__file__", "__debug__", "_", "__", "self", "cls", "print",
    "exec", "eval", "os", "sys", "arrayops", "ao", "True_", "none", "NONE", "nan_", "Inf", "NaN",
    "acc", "typecode", "out", "ieee", "arr", "f", "initial", "text", "pred", "lambda_", "class", "def", "import",
    "async", "await", "match", "case", "type", "if", "global", "nonlocal", "None", "yield",
]  # fmt: skip
BOMBS = [
    "9**9**9", "9**9**9**9", "2**10**9", "1 << 10**9", "1 << 10**18", "1 << 2**100", "(1 << 10**6) << 10**6",
    "10**10**10", "x**10**10 * 0", "2**(2**40)", "(-3)**(10**9)", "0 * 9**9**9", "9**9**9 > 1", "0 and 9**9**9",
    "9**9**9 if x > 10**300 else 1", "x or 9**9**9", "(9**9**9) & 1", "9**9**9 % 7", "2**9**9 // 2**9**9",
    "~(1 << 10**10)", "-(9**9**9)", "abs(9**9**9)", "float(9**9**9)", "int(1e308)**99999", "int(1e308)**9999999",
    "(((x + 3)**99)**99)**99", "((((x + 3)**999)**999)**999)**999", "((x + 2)**1000000) ** 1000000",
    "pow(9, pow(9, 9))", "power(9, power(9, 9))", "9.0**9**9", "9**9.0**9", "(9**9)**(9**9)", "1 >> 10**30", "1 >> -1",
    "(x + 5) << (1 << 40)", "(x + 5) << 10**30", "x << x << 10**9", "0 << 10**30", "0 << 2**64", "0 ** 10**30",
    "1 ** 10**30", "(-1) ** 10**30", "1.0 ** 10**30", "2.0 ** 10**30", "round(9**9**9, -5)", "round(x, -10**9)",
    "round(x, 10**9)", "round(x + 0.5, 10**30)", "round(x + 0.5, -10**30)", "round(x, -10**18)",
    "round(10**300, -10**6)", "(10**5000) * (10**5000) % 10**5000", "10**100000 // 3", "10**1000000 // 10**500000",
    "-7 // 10**1000000",
    "(2**1000000) * (2**1000000)", "(2**9999999) * (2**9999999)", "(3**600000) ** 2 % 10", "3**6000000 % 1000",
    "int(1.7e308) ** 1000", "x in (9**9**9,)", "1e400 ** 1e400", "min(9**9**9, 1)", "(x + 2)**(x + 2)**(x + 2)**9",
    "((x + 2) << 9000000) * ((x + 2) << 9000000)", "((x + 2) << 900000) // ((x + 3)**300000)",
    "((x + 2) << 9000000) % 1000003", "(x + 3)**1000000 // (x + 2)**500000", "pow(3, 10**7)",
    "7**2000000 == 7**2000000",
    "(7**2000000 + 1) / 7**2000000", "float(3**2000000)", "sqrt(3**2000000)", "3**2000000 < 1e308",
    "3**2000000 & 3**1999999", "-3**2000000 >> 1", "copysign(1, 3**2000000)", "bool(3**2000000)",
    "3**3000000 % 3**1500000",
]  # fmt: skip


def nested(depth: int) -> list[str]:
    """The shapes of nesting at one depth."""
    return [
        "(" * depth + "x" + ")" * depth,
        "-" * depth + "x",
        "~" * depth + "x",
        "not " * depth + "x",
        "abs(" * depth + "x" + ")" * depth,
        "x + (" * depth + "x" + ")" * depth,
        "+".join(["x"] * (depth + 1)),
        "**".join(["x"] * (depth + 1)),
        " and ".join(["x"] * (depth + 1)),
        " < ".join(["x"] * (depth + 1)),
        "x if x else " * depth + "x",
        "1 if (" * depth + "x" + ") else 0" * depth,
        "lambda: " * depth + "x",
        "[" * depth + "]" * depth,
        "(" * depth,
        ")" * depth,
        "x" + ".a" * depth,
        "x" + "[0]" * depth,
        "x" + "(1)" * depth,
        "x * " * depth + "x",
        "x or (" * depth + "x" + ")" * depth,
        "{" * depth,
        "f'{" * depth + "x",
        "-(" * depth + "x" + ")" * depth,
    ]


MEBIBYTE = 2**20
LONG = [
    "x" + " " * MEBIBYTE,
    "x" * MEBIBYTE,
    "1" * MEBIBYTE,
    "1." + "1" * MEBIBYTE,
    "0x" + "f" * MEBIBYTE,
    "x + 1" + " + 1" * (MEBIBYTE // 4),
    "x" + " and x" * (MEBIBYTE // 6),
    "x in (" + "1," * (MEBIBYTE // 2) + ")",
    "min(" + "x," * (MEBIBYTE // 2) + "x)",
    "'" + "a" * MEBIBYTE + "'",
    "#" * MEBIBYTE,
    "\n" * MEBIBYTE + "x",
    "\u00e9" * (MEBIBYTE // 2),
    "(" * MEBIBYTE,
    "x" + "\x00" * MEBIBYTE,
    "+".join(f"a{i}" for i in range(100_000)),
    "9" * 5000 + " + x",
    "9" * 4300 + " + x",
]

PLAIN = ATTRIBUTES + CALLS + NODES + SYNTAX + LOOKALIKES
EVERYTHING = PLAIN + NAMES + BOMBS
