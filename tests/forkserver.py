"""A quick start of the command line: a process that has loaded torch once, and forks for each command.

To load torch takes a second or two, and hundreds of tests run commands. `python forkserver.py serve SOCKET` loads the
packages that charlstm needs, and nothing of charlstm; `python -IS forkserver.py run SOCKET ARGUMENT...` is then as
`python -m charlstm ARGUMENT...`, with the caller's standard streams, folder and environment. What only a true start can
show (closed streams, locales, limits of memory, what is imported when) is tested by one.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys

FRAME = 8
"""Bytes of the length that goes before a request."""


def serve(path: str) -> None:
    """Accept requests for as long as the starter lives; returns only in a process that is to run a command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    import click  # noqa: F401
    import numpy  # noqa: F401
    import rich.progress  # noqa: F401
    import torch  # noqa: F401

    gc.freeze()  # so that a collection writes to no page that is shared
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _command(connection)
        connection.close()


def _command(connection: socket.socket) -> None:
    """Become the command that is asked for, with a parent that tells the asker how it ends."""
    head, streams, _, _ = socket.recv_fds(connection, FRAME, 3)
    body = b""
    while len(body) < int.from_bytes(head, "big"):
        body += connection.recv(1 << 16)
    child = os.fork()
    if child:
        for stream in (0, 1, 2, *streams):
            os.close(stream)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(str(status).encode())
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    request = json.loads(body)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]
    sys.path[0] = request["folder"]


def run(path: str, arguments: list[str]) -> int:
    """Let the server run a command; gives its exit status, or ends by the signal that ended it."""
    request = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    body = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(body).to_bytes(FRAME, "big")], [0, 1, 2])
        connection.sendall(body)
        status = int(connection.recv(16))
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    if sys.argv[1] == "run":
        sys.exit(run(sys.argv[2], sys.argv[3:]))
    serve(sys.argv[2])
    try:
        runpy.run_module("charlstm", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.code if isinstance(error.code, int) else 1)  # a whole second sooner: nothing is taken down
