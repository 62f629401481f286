"""The only right to a file, which ends with the process that holds it, however that dies.

Some file systems have no such rights, nor has Windows: there everyone gets one.
"""

from __future__ import annotations

import errno
from typing import Any

try:
    import fcntl as _fcntl
except ImportError:
    fcntl: Any = None
else:
    fcntl = _fcntl

AVAILABLE = fcntl is not None
"""Whether this system knows them."""
_NONE_HERE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What some network file systems answer."""


def take(descriptor: int, *, shared: bool = False) -> bool:
    """Take the only right to an open file, or one that is shared; False where there is no such thing.

    Raises:
        BlockingIOError: another process has it.
        OSError: it cannot be had for another reason.
    """
    if not AVAILABLE:
        return False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NONE_HERE:
            return False
        raise
    return True
