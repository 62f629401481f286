"""The entry: runs a command, and turns every error into one line and an exit status.

Imports nothing at module level that is not loaded already: Ctrl-C and too little memory end the program quietly from
its first line on.
"""

import os
import sys


def main() -> None:
    """Run the command line; ends the process."""
    try:
        _exit_on_interrupt()
        status = _run()
    except KeyboardInterrupt:  # before our handler stands
        os._exit(130)
    except MemoryError:  # while our own modules were loaded, so nothing of them can be used
        os.write(2, b"charlstm: error: there is not enough memory to start\n")
        os._exit(1)
    sys.exit(status)


def _exit_on_interrupt() -> None:
    """Let Ctrl-C end the process at once, with 130; where it is ignored, as in the background, it stays so.

    Not by an exception: libraries that are being loaded swallow some, and what is left to be flushed would wait for a
    reader that may not read on.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def _run() -> int:
    from .process import end_with_the_reader, open_standard_streams

    open_standard_streams()
    end_with_the_reader()
    from .failures import report

    try:
        from .group import cli

        status = cli.main(standalone_mode=False)
    except Exception as error:
        status = report(error)
        _end_if_left_alone(error, status)
    return status if isinstance(status, int) else 0


def _end_if_left_alone(error: Exception, status: int) -> None:
    """End at once where other processes of the training are gone: the threads that talk to them may abort this one."""
    import contextlib

    from ..errors import ProcessGroupError

    if isinstance(error, ProcessGroupError):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # it may be closed, or none
                stream.flush()
        os._exit(status)
