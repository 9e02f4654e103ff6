"""The rules: each takes a parsed module and yields (line, what is wrong and its mend)."""

import ast
from collections.abc import Callable, Iterator, Mapping

Rule = Callable[[ast.Module, str], Iterator[tuple[int, str]]]

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS, MOST_POSITIONAL = 400, 60, 5, 3
CLOCKS = frozenset({"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def no_float(module: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """The exact core has no float and no clock."""
    del source
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, f"float literal {node.value}: use an int, or decimal text"
        elif isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "the name float: amounts are whole pico- or nano-units"
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield node.lineno, "true division: use // or core.exact.half_even"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield node.lineno, f"a clock, {node.func.attr}(): take the instant as an argument"


def sizes(module: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Files, functions and signatures stay small."""
    lines = source.count("\n")
    if lines > MOST_LINES:
        yield 1, f"{lines} lines: split it at {MOST_LINES}"
    for node in ast.walk(module):
        if isinstance(node, FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines: split it at {MOST_FUNCTION_LINES}"
            yield from _parameters(node)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    if any("click" in ast.dump(each) or "command" in ast.dump(each) for each in node.decorator_list):
        return  # a command has a parameter for each of its options
    positional = [arg.arg for arg in [*node.args.posonlyargs, *node.args.args] if arg.arg not in ("self", "cls")]
    total = len(positional) + len(node.args.kwonlyargs)
    if total > MOST_PARAMETERS:
        yield node.lineno, f"{node.name} has {total} parameters: group them at {MOST_PARAMETERS}"
    if len(positional) > MOST_POSITIONAL + 1:
        yield node.lineno, f"{node.name} has {len(positional)} positional parameters: make those past {MOST_POSITIONAL} keyword-only"


def documented(module: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """A module says what it is, and is not a placeholder."""
    if not source.strip():
        yield 1, "empty: remove it until it has something to say"
    elif ast.get_docstring(module) is None:
        yield 1, "no module docstring: say what it is for"


def public_docstrings(module: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Public names of the exact core are documented."""
    del source
    for node in module.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield node.lineno, f"{node.name} has no docstring: say units and errors"


def no_skips(module: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Tests run everywhere or they are not tests."""
    del source
    for node in ast.walk(module):
        if isinstance(node, (ast.Attribute, ast.Name)) and (name := node.attr if isinstance(node, ast.Attribute) else node.id) in {
            "skip",
            "skipif",
            "skipIf",
            "xfail",
            "importorskip",
        }:
            yield node.lineno, f"{name}: install what the test needs"


SAMPLES: Mapping[str, tuple[Rule, str]] = {
    "float literal": (no_float, "x = 0.5"),
    "float name": (no_float, "def f(x: float): ..."),
    "division": (no_float, "x = 1 / 2"),
    "clock": (no_float, "import datetime\nx = datetime.datetime.now()"),
    "long file": (sizes, "x = 1\n" * 401),
    "long function": (sizes, "def f():\n" + "    x = 1\n" * 61),
    "many parameters": (sizes, "def f(a, b, c, *, d, e, f): ..."),
    "many positional": (sizes, "def f(a, b, c, d, e): ..."),
    "empty": (documented, ""),
    "undocumented": (documented, "x = 1"),
    "no docstring": (public_docstrings, "def f(): ..."),
    "skip": (no_skips, "import pytest\n@pytest.mark.skip\ndef f(): ..."),
}
"""A sample that each rule must refuse."""
