"""What is banned in the contract because it differs from node to node (A39), found in the syntax tree."""

import ast
from collections.abc import Iterator

ALLOWED_IMPORTS = {"collections", "dataclasses", "enum", "functools", "itertools", "ledger", "re", "typing"}
BANNED_NAMES = {"float", "hash", "id", "input", "open", "eval", "exec", "complex", "print", "globals", "vars", "repr"}
BANNED_METHODS = {"lower", "upper", "casefold", "title", "capitalize", "swapcase", "normalize", "now", "today"}
ORDER_FREE = {"sorted", "any", "all", "min", "max", "len", "sum", "frozenset", "set"}
SET_MAKERS = {"set", "frozenset"}


def set_fields(trees: list[ast.Module]) -> set[str]:
    """Return the names of dataclass fields and variables that are annotated as sets."""
    annotated = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.AnnAssign))
    return {
        node.target.id
        for node in annotated
        if isinstance(node.target, ast.Name) and ast.unparse(node.annotation).startswith(("frozenset", "set"))
    }


def violations(source: str, set_names: set[str], *, may_use_json: bool = False) -> list[str]:
    """Return what the source of one module of the contract must not contain, each with its line.

    Args:
        set_names: attributes that are sets, in whichever module they are declared.
    """
    tree = ast.parse(source)
    local = set_fields([tree])
    found = [
        *_imports(tree, may_use_json=may_use_json),
        *_names(tree),
        *_set_iteration(tree, set_names, local),
        *_recursion(tree),
        *_exceptions_in_text(tree),
    ]
    return sorted(f"line {line}: {what}" for line, what in found)


def _imports(tree: ast.Module, *, may_use_json: bool) -> Iterator[tuple[int, str]]:
    allowed = ALLOWED_IMPORTS | ({"json"} if may_use_json else set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.split(".")[0] not in allowed or (
                name.startswith("ledger") and not name.startswith("ledger.contract")
            ):
                yield node.lineno, f"import {name}"


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BANNED_NAMES:
            yield node.lineno, node.id
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BANNED_METHODS:
            yield node.lineno, f".{node.func.attr}()"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, repr(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield node.lineno, "/ gives a float"


def _set_iteration(tree: ast.Module, attributes: set[str], local: set[str]) -> Iterator[tuple[int, str]]:
    """Find loops over sets whose order could reach a result."""

    def is_set(node: ast.expr) -> bool:
        return _is_set(node, attributes, local)

    free = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_FREE
        for argument in node.args
    }
    free |= {id(node) for node in ast.walk(tree) if isinstance(node, ast.SetComp)}
    for node in ast.walk(tree):
        for loop in _iterated(node) if id(node) not in free else ():
            if is_set(loop):
                yield loop.lineno, f"order of {ast.unparse(loop)}"


def _iterated(node: ast.AST) -> list[ast.expr]:
    """Return what a node walks through in order."""
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
        return [part.iter for part in node.generators]
    if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
        return [node.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"list", "tuple", "map"}:
        return node.args
    return []


def _is_set(node: ast.expr, attributes: set[str], local: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in SET_MAKERS
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, attributes, local) or _is_set(node.right, attributes, local)
    if isinstance(node, ast.Attribute):
        return node.attr in attributes
    return isinstance(node, ast.Name) and node.id in local


def _recursion(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find functions that call themselves or each other in a circle: depth would be the input's choice."""
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    calls = {
        name: {
            call.func.id
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in functions
        }
        for name, node in functions.items()
    }
    for name, node in functions.items():
        reached: set[str] = set()
        pending = [*calls[name]]
        while pending:
            called = pending.pop()
            if called not in reached:
                reached.add(called)
                pending += calls[called]
        if name in reached:
            yield node.lineno, f"{name} reaches itself"


def _exceptions_in_text(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find text made of exceptions: their words differ between versions of Python."""
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for node in ast.walk(handler):
                if isinstance(node, ast.Name) and node.id == handler.name:
                    yield node.lineno, f"uses the exception {handler.name}"
