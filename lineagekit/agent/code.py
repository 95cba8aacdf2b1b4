# SPDX-License-Identifier: Apache-2.0
"""Code: what a program *does*, told from how it is written.

    >>> code_digests("train.py", b"lr = 0.1  # slow")[1] == code_digests("train.py", b"lr=0.1")[1]
    True

A source digest is over the bytes. An AST digest is over the syntax tree without positions, docstrings and type
comments: a comment or a reformat is no change; a changed constant, name, operator or decorator is. Trees differ between
minors of Python, so the minor is in the digest's name, and only digests of one minor compare.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import warnings

from lineagekit.errors import NotFoundError, UnreadableError

TYPE_CHECKING = False  # `typing` has it too, and costs the job 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

_PYTHON = (".py", ".pyw", ".pyi")
_NOTEBOOK = ".ipynb"
_MINOR = "{}.{}".format(*sys.version_info)

# Fields that say nothing about what a program does: u"" is "", and Store or Load follows from the place in the tree.
_IGNORED = frozenset({"kind", "type_comment", "type_ignores", "ctx"})
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digests(path: str, source: bytes | None = None) -> tuple[str, ...]:
    """Digest a program; the path's suffix says what it is, and the path is read when `source` is not given.

    Python: `sha256:` of the bytes and, if it parses, `ast1;python=X.Y:`. A notebook: `cells1:` of the text of its code
    cells, and the same of their trees, where a cell that does not parse (`%magic`, `!command`) counts as text; blank
    cells, outputs, counts and metadata are no part of it. All else: `sha256:` of the bytes.
    """
    data = _read(path) if source is None else source
    cells = _code_cells(data) if path.endswith(_NOTEBOOK) else None
    if cells is not None:
        return _sha256("cells1", _texts(cells)), _ast_digest(_cell_trees(cells))
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    tree = _parse(data) if _is_python(path, data) else None
    return (digest,) if tree is None else (digest, _ast_digest(_tree(tree)))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise NotFoundError(f"no such file: {path!r}", advice="Check the path.") from error
    except OSError as error:
        raise UnreadableError(f"cannot read {path!r}: {error.strerror}") from error


def _is_python(path: str, data: bytes) -> bool:
    return path.endswith(_PYTHON) or (data.startswith(b"#!") and b"python" in data.split(b"\n", 1)[0])


def _code_cells(data: bytes) -> list[str] | None:
    """The texts of the code cells that are not blank; None when it is no notebook of version 4."""
    try:
        cells = json.loads(data)["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return [text for text in texts if text.strip()]


def _parse(source: bytes | str) -> ast.Module | None:
    """The tree without docstrings; None where there is none: bad syntax or encoding, or nested too deeply."""
    with warnings.catch_warnings():  # an invalid escape is the job's to warn of, and under -W error no syntax error
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return tree


def _cell_trees(cells: list[str]) -> Iterator[str]:
    yield f"notebook {len(cells)}\n"
    for text in cells:
        tree = _parse(text)
        yield from _texts([text]) if tree is None else _tree(tree)


def _tree(root: ast.AST) -> Iterator[str]:
    """Spell a tree so that it can be read back: a node's class says how many children follow, a list its length.

    With a stack of its own: a chain of a thousand additions is a thousand levels deep.
    """
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.AST):
            yield f"{type(node).__name__}\n"
            stack.extend(getattr(node, name, None) for name in reversed(node._fields) if name not in _IGNORED)
        elif isinstance(node, list):
            yield f"list {len(node)}\n"
            stack.extend(reversed(node))
        else:
            # The type tells 1, True and 1.0 apart; hex() has no limit of digits, as repr() has.
            text = node if isinstance(node, str) else hex(node) if type(node) is int else repr(node)
            yield f"{type(node).__name__} {len(text)} {text}\n"


def _texts(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield f"text {len(text)} {text}\n"


def _ast_digest(pieces: Iterator[str]) -> str:
    return _sha256(f"ast1;python={_MINOR}", pieces)


def _sha256(method: str, pieces: Iterator[str]) -> str:
    text = "".join(pieces)
    return f"{method}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
