"""What the tests share: small networks, texts, and the command line as a user runs it."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from charlstm.config import MixtureSettings, ModelSettings, TrainingRequest
from charlstm.data.corpus import Corpus, Reading, read_corpus
from charlstm.data.reading import TextSource
from charlstm.data.vocabulary import Vocabulary
from charlstm.models.file import ModelFile
from charlstm.training.ranks import ALONE, Ranks

if TYPE_CHECKING:
    from charlstm.training.run import Run

ROOT = Path(__file__).resolve().parent.parent
ALPHABET = "\n abcdefgh"
TEXT = (
    "".join(f"the {a} is a {b} and the {b} is not\n" for a in ("cat", "dog", "hen", "fox") for b in ("bird", "fish"))
    * 30
)


def random_tensors(settings: ModelSettings, seed: int = 0, scale: float = 0.3) -> dict[str, np.ndarray]:
    """Random parameters for a network of that shape."""
    rng = np.random.default_rng(seed)
    return {name: (scale * rng.standard_normal(shape)).astype(np.float32) for name, shape in settings.shapes().items()}


def random_model(
    alphabet: str | None = ALPHABET,
    *,
    cell: Any = "lstm",
    layers: int = 2,
    hidden: int = 12,
    seed: int = 0,
    lines: bool = False,
) -> ModelFile:
    """A model with random parameters; without an alphabet, one of bytes."""
    vocabulary = Vocabulary.of_bytes() if alphabet is None else Vocabulary(alphabet)
    settings = ModelSettings(len(vocabulary), layers, hidden, 5, cell)
    return ModelFile(settings, vocabulary, random_tensors(settings, seed), lines=lines)


def corpus_of(paths: Iterable[str | os.PathLike[str]] = (), **how: Any) -> Corpus:
    """Read a corpus; `how` are the other fields of `Reading`."""
    return read_corpus(Reading([os.fspath(path) for path in paths], **how))


Result = subprocess.CompletedProcess[str]


ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
"""Of the command line when the tests run it, beside their own."""


@functools.cache
def command_line() -> list[str]:
    """What stands for `charlstm`: where forks are safe, it starts at once, see `forkserver`."""
    if sys.platform != "linux":
        return [sys.executable, "-m", "charlstm"]
    script, folder = ROOT / "tests" / "forkserver.py", tempfile.mkdtemp(prefix="charlstm-tests-")
    address = os.path.join(folder, "socket")
    server = subprocess.Popen(
        [sys.executable, script, "serve", address],
        env={**os.environ, **ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.communicate)
    atexit.register(server.terminate)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    return [sys.executable, "-IS", str(script), "run", address]


def charlstm(*arguments: object, input: str | bytes | None = "", cwd: Path | None = None, **extra: Any) -> Result:
    """Run the command line in a process of its own, as a user does. Standard input is empty unless given."""
    done = charlstm_in_bytes(*arguments, input=input, cwd=cwd, **extra)
    output, errors = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return subprocess.CompletedProcess(done.args, done.returncode, output, errors)


def charlstm_in_bytes(
    *arguments: object, input: str | bytes | None = "", cwd: Path | None = None, **extra: Any
) -> subprocess.CompletedProcess[bytes]:
    """As `charlstm`; what it writes is left as it is."""
    data = input.encode() if isinstance(input, str) else input
    changed = extra.pop("env", {})
    at_start = [name for name in changed if name.startswith(("PYTHON", "LC_"))]  # what Python reads when it starts
    command = [sys.executable, "-m", "charlstm"] if at_start else command_line()
    environment = {**os.environ, **ENVIRONMENT, **changed}
    return subprocess.run(
        [*command, *map(_argument, arguments)],
        input=data,
        capture_output=True,
        cwd=cwd,
        env=environment,
        timeout=120,
        check=False,
        **extra,
    )


def _argument(given: object) -> str | bytes:
    return given if isinstance(given, bytes) else str(given)


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Do the work in a thread, so that a hang is a failure; gives what it gave or raises what it raised."""
    results: list[Any] = []
    raised: list[BaseException] = []

    def worker() -> None:
        try:
            results.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    if raised:
        raise raised[0]
    return results[0]


def peak_memory(work: Callable[..., Any], *arguments: Any) -> int:
    """Bytes held at most, beyond what was held before, while the work is done."""
    tracemalloc.start()
    try:
        work(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until a file is there that a process makes, with something in it."""
    wait_until(lambda: path.exists() and path.stat().st_size > 0, process)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Until a running process has done something."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files(folder: Path) -> set[str]:
    """The names of what is in a folder."""
    return {path.name for path in folder.iterdir()}


full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")


def on_a_terminal(*arguments: object, cwd: Path, status: int = 0, **environment: str) -> str:
    """Run the command line with standard output and error on a pseudo terminal; give what it drew."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [*command_line(), *map(_argument, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=secondary,
        stderr=secondary,
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT, "TERM": "xterm", "CI": "", **environment},
    )
    os.close(secondary)
    drawn = b""
    with contextlib.suppress(OSError):  # Linux's way of saying that the other side is closed
        while piece := os.read(primary, 65536):
            drawn += piece
    os.close(primary)
    assert process.wait(60) == status, drawn
    return drawn.decode()


SMALL: dict[str, Any] = {"hidden": 16, "embedding": 8, "batch": 4, "context": 16, "threads": 1}
"""Settings of a network that trains at once."""


class Clock:
    """A clock that moves by a tick each time it is read, and where a test sets it."""

    def __init__(self, tick: float = 0.0) -> None:
        self.now, self.tick = 1000.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def large_alphabet(symbols: int = 1100, length: int = 7000) -> str:
    """A text of many different characters, a few of which are frequent, in which each decides what follows it."""
    rng = np.random.default_rng(0)
    frequent = np.minimum(rng.zipf(1.2, length // 2 - 2 * symbols), symbols) - 1
    first = rng.permutation(np.concatenate([frequent, np.arange(symbols), np.arange(symbols)]))
    pairs = np.stack([first, (7 * first + 3) % symbols], axis=1)
    return "".join(chr(0x4E00 + index) for index in pairs.ravel())


def started_run(
    folder: Path,
    name: str = "model",
    text: str = TEXT,
    clock: Callable[[], float] = time.monotonic,
    ranks: Ranks = ALONE,
    validation: Sequence[Path] = (),
    **settings: object,
) -> Run:
    """A training run over a text that lies in the folder."""
    from charlstm.training.run import prepare

    source = folder / "text.txt"
    if not source.exists():
        source.write_text(text)
    request = TrainingRequest(**{**SMALL, **settings})
    output = folder / f"{name}.safetensors"
    return prepare(
        [source], output=output, request=request, validation=validation, force=True, clock=clock, ranks=ranks
    )


def ngrams_of(text: Any, vocab_size: int, order: int) -> dict[str, np.ndarray]:
    """The tensors of an n-gram model of a text of ids."""
    from charlstm.training.counting import count_text

    return count_text(np.array(text), vocab_size, order).tensors


def with_counts(file: ModelFile, text: str, order: int = 4) -> ModelFile:
    """A model file that also holds the counts of a text."""
    counts = ngrams_of(file.vocabulary.encode(text), file.settings.vocab_size, order)
    sizes = tuple(len(counts[name]) for name in counts if name.endswith(".symbols"))
    return dataclasses.replace(file, mixture=MixtureSettings(sizes, 0.7, 0.4), counts=counts)


def check_message(error: BaseException) -> None:
    """One short line without anything that a terminal would obey."""
    assert str(error).isprintable(), repr(str(error))
    assert len(str(error)) < 1000


def read_source(path: Path, encoding: str = "utf-8", errors: str = "strict") -> tuple[str, TextSource]:
    """A whole text, and the source that read it."""
    source = TextSource(path, encoding, errors)
    return "".join(source), source


def write_file(path: Path, content: bytes | str) -> Path:
    """Write a file, in a folder that is made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def relative(found: list[str], folder: Path) -> list[str]:
    """Paths as they are seen from a folder."""
    return [os.path.relpath(path, folder) for path in found]


def with_unix_line_ends(text: str) -> str:
    """A text as reading gives it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def with_whole_line_ends(text: str) -> str:
    """A CR at the end of a text whose other line ends are CRLF is half of one more."""
    rest = text.replace("\r\n", "")
    cut = "\r\n" in text and text.endswith("\r") and rest.count("\r") == 1 and "\n" not in rest
    return f"{text}\n" if cut else text
