"""Texts and functions to programs of the machine: parse, infer, lower; and evaluate, the same meaning in Python.

The stages, in order: ``ir`` (the representation), ``parse`` and ``decode`` (text and bytecode to IR), ``infer`` (to
``terms``, with kinds and intervals), ``lower`` (lanes and guards), ``fuse`` (instructions joined), ``program``
(registers: bytes for the machine); and ``evaluate`` (the IR with Python numbers). ``machine`` is the only door to the
machine's constants.
"""
