"""The entry: runs a command, and turns every error into one line and an exit status.

Imports nothing heavy at module level, not even click: Ctrl-C and too little memory end the program quietly from its
first line on.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; ends the process."""
    try:
        status = _run()
    except KeyboardInterrupt:  # before our handler stands
        os._exit(130)
    except MemoryError:  # while our own modules were loaded, so nothing of them can be used
        os.write(2, b"charlstm: error: there is not enough memory to start\n")
        os._exit(1)
    sys.exit(status)


def _run() -> int:
    from .process import end_with_the_reader, exit_on_interrupt, open_standard_streams

    exit_on_interrupt()
    open_standard_streams()
    end_with_the_reader()
    from .failures import report

    try:
        from .group import cli

        status = cli.main(standalone_mode=False)
    except Exception as error:
        return report(error)
    return status if isinstance(status, int) else 0
