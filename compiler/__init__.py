"""Texts and functions to programs of the machine: parse, infer, lower; and evaluate, the same meaning in Python.

The stages, in order: ``ir`` (the representation), ``parse`` (text to IR), ``infer`` (kinds and intervals), ``lower``
(lanes, guards, registers: bytes for the machine), ``evaluate`` (the IR with Python numbers).
"""
