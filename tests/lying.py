"""A buffer exporter whose shape, strides, item size and length are whatever a test says. Made with ctypes: none of
Python's own lies."""

from __future__ import annotations

import ctypes
from typing import Any


class Buffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p), ("obj", ctypes.c_void_p), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]  # fmt: skip


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("pfunc", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("basicsize", ctypes.c_int), ("itemsize", ctypes.c_int), ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]  # fmt: skip


GET_BUFFER, DEFAULT = 1, 1 << 18  # Py_bf_getbuffer, Py_TPFLAGS_DEFAULT
MEMORY = ctypes.create_string_buffer(4096)
_told: dict[int, list[dict[str, Any]]] = {}
_kept: list[Any] = []


@ctypes.PYFUNCTYPE(  # type: ignore[untyped-decorator, unused-ignore]
    ctypes.c_int, ctypes.py_object, ctypes.POINTER(Buffer), ctypes.c_int)
def _get_buffer(exporter: Any, view: Any, _flags: int) -> int:
    told = _told[id(exporter)]
    fields = told.pop(0) if len(told) > 1 else told[0]
    whole = {"buf": ctypes.addressof(MEMORY) + 2048, "itemsize": 8, "readonly": 0, "ndim": 1, "format": b"d", **fields}
    for name in ("shape", "strides"):
        if whole.get(name) is not None:
            _kept.append((ctypes.c_ssize_t * len(whole[name]))(*whole[name]))
            whole[name] = ctypes.addressof(_kept[-1])
    for name in (field[0] for field in Buffer._fields_):
        setattr(view.contents, name, whole.get(name, 0) or None if name in ("shape", "strides") else whole.get(name, 0))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(exporter))
    view.contents.obj = id(exporter)
    return 0


def _make_type() -> Any:
    slots = (_Slot * 2)(_Slot(GET_BUFFER, ctypes.cast(_get_buffer, ctypes.c_void_p)), _Slot(0, None))
    spec = _Spec(b"lying.Exporter", object.__basicsize__, 0, DEFAULT, slots)
    _kept.extend([slots, spec])
    make = ctypes.pythonapi.PyType_FromSpec
    make.restype, make.argtypes = ctypes.py_object, [ctypes.POINTER(_Spec)]
    return make(ctypes.byref(spec))


_Exporter = _make_type()


def exporter(*fields: dict[str, Any]) -> Any:
    """An object whose buffers say this: the first one the first, and so on; the last again and again."""
    made = _Exporter()
    _kept.append(made)  # or another has its id
    _told[id(made)] = list(fields)
    return made
