"""What notebooks show of an object: a small HTML table of what it is and of its first values.

Only imported when asked for. To look at an object must neither cost nor change anything: a pipeline is not run, a
stream not touched, of an array no more than the first values are read. Nor does it ever raise: whoever displays
something else in the same cell would lose that.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .. import _machine
from .exchange import in_one_buffer, is_array

#: The values shown of an array, and the characters of a cell.
_VALUES, _WIDTH = 10, 300
_Rows = Iterable[tuple[str, object]]


def shown(value: object, rows: Callable[[], _Rows], more: Callable[[], str] | None = None) -> str:
    """The table of an object, row by row, with a text below it to be unfolded."""
    try:
        body = "".join(map(_row, rows()))
    except Exception as error:
        body = _row(("error", error))
    table = f"<table><caption>arrayops.{_cell(type(value).__name__)}</caption>{body}</table>"
    try:
        text = f"<details><summary>explain</summary><pre>{html.escape(more())}</pre></details>" if more else ""
    except Exception:
        text = ""
    return table + text


def source_rows(source: Any, described: str) -> Iterator[tuple[str, object]]:
    """What there is to say of what a pipeline or windows read: nothing is taken from a stream."""
    yield "source", described
    if is_array(source) and (values := first_values(source)) is not None:
        yield "first values", values


def view_html(view: _machine.View) -> str:
    """The table of a View, which a View asks for itself."""
    return shown(view, lambda: _view_rows(view))


def _view_rows(view: _machine.View) -> Iterator[tuple[str, object]]:
    try:
        count = len(view)
    except ValueError:
        yield "memory", "released"
        return
    yield "elements", f"{count:,}"
    yield "format", view.format
    yield "stride", f"{view.stride} bytes"
    yield "memory", "read-only" if view.readonly else "writable"
    yield "first values", first_values(view)


def first_values(source: Any) -> str | None:
    """The first values of an array as text, those that are not there as null; None if it does not tell them."""
    try:
        values = _listed(source)
    except Exception:  # arrays of other libraries raise what they like: times, several dimensions, ...
        return None
    text = ", ".join("null" if value is None else repr(value) for value in values[:_VALUES])
    return text + (", …" if len(values) > _VALUES else "") or "none"


def _listed(source: Any) -> list[Any]:
    """The first values, and one more if there is one, as Python numbers."""
    part: Any
    if isinstance(source, (_machine.View, range)):
        part = source[: _VALUES + 1]
    elif in_one_buffer(source):
        part = _machine.copy_array(memoryview(source)[: _VALUES + 1])
    else:  # with nulls beside them
        part = getattr(source, "iloc", source)[: _VALUES + 1]
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(part, name):
            return list(getattr(part, name)())
    return list(part)


def _row(row: tuple[str, object]) -> str:
    return f'<tr><th scope="row">{_cell(row[0])}</th><td>{_cell(row[1])}</td></tr>'


def _cell(value: object) -> str:
    try:
        text = str(value)
    except Exception:  # of somebody's callable in a pipeline, say
        text = f"a {type(value).__name__} that cannot be shown"
    return html.escape(text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…")
