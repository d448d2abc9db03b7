"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def replacing(target: str) -> Iterator[BinaryIO]:
    """Writes aside and takes the place of `target` at the end; on any exception, Ctrl-C too, `target` is as it was.

    The file gets its name beside `target` when it is complete, where the system can do that: then a process that is
    killed leaves nothing behind, unless between two calls of the system. Elsewhere it leaves `.arrayops-*.tmp`.
    """
    # Not tempfile: its 0600 would stay on the finished file, where an ordinary write leaves what the umask says.
    folder, beside = os.path.dirname(target), f".arrayops-{os.urandom(8).hex()}.tmp"
    beside = os.path.join(folder, beside)
    try:
        nameless = open_nameless(folder)
        with nameless or open(beside, "xb") as stream:
            yield stream
            stream.flush()
            with suppress(FileNotFoundError):
                os.fchmod(stream.fileno(), stat.S_IMODE(os.stat(target).st_mode))
            os.fsync(stream.fileno())
            if nameless:
                give_name(stream, folder, beside)
        os.replace(beside, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError) and beside in (error.filename, error.filename2):
            error.filename, error.filename2 = target, None  # the user named the target, not the file beside it
        raise


def open_nameless(folder: str) -> BinaryIO | None:
    """A new file in a folder that has no name yet; None where the system has no such files."""
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):
        return None
    if not os.path.exists(f"/proc/self/fd/{number}"):
        os.close(number)
        return None
    return open(number, "wb")


def give_name(stream: BinaryIO, folder: str, name: str) -> None:
    """The name of a file that had none. os.link follows the link in /proc only if it is given a descriptor, too."""
    above = os.open(folder, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{stream.fileno()}", name, dst_dir_fd=above, follow_symlinks=True)
    finally:
        os.close(above)
