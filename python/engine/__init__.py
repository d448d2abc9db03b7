"""The engine: kernels over buffers, from what a callable means to what the machine runs. Topics are built on it.

Nothing here knows a public function. ``common`` and ``exchange`` are imported with the package and stay light; the rest
comes with the first kernel.
"""
