"""Real processes, by gloo: what torchrun starts is one run, and a process that dies ends it at once.

What they do together is tested in `test_following`, faster.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, TEXT, charlstm, files, wait_for

from charlstm.models.file import load

SMALL = ("--steps", 12, "--hidden", 16, "--batch", 4, "--dropout", 0.2)
SAVING = """
import time
from charlstm.training.checkpoint import SaveClock
from charlstm.training.learner import Learner

train_step = Learner.train_step

def pausing(learner, batch, step, learning_rate):
    time.sleep(0 if step < 20 else 1)
    return train_step(learner, batch, step, learning_rate)

Learner.train_step = pausing
SaveClock.due = lambda clock, fraction: fraction > 0.1

from charlstm.cli.main import main
main()
"""
"""The command line, which saves at each report, and slows down after some steps."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path


def environment(**more: object) -> dict[str, str]:
    changes = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **{name: str(value) for name, value in more.items()}}
    return {**os.environ, **changes}


@pytest.mark.slow
def test_torchrun_trains_one_model(folder: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = ["-m", "charlstm", "train", "text.txt", "-o", "two.safetensors", *map(str, SMALL)]
    done = subprocess.run(
        [*launcher, *arguments],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "two.safetensors\n"
    for once in ("100%  step 12", "2 processes share each batch"):
        assert done.stderr.count(once) == 1, done.stderr
    alone = charlstm("train", "text.txt", "-o", "one.safetensors", *SMALL, cwd=folder)
    assert alone.returncode == 0, alone.stderr
    one, two = (load(folder / f"{name}.safetensors").tensors for name in ("one", "two"))
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-5, err_msg=name)
    assert files(folder) == {"text.txt", "one.safetensors", "two.safetensors"}


def started(folder: Path, script: str, *arguments: object) -> list[subprocess.Popen[bytes]]:
    """Two processes, as a launcher starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=folder,
            env=environment(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]  # fmt: skip


def ended(process: subprocess.Popen[bytes]) -> str:
    """What it said on standard error."""
    return process.communicate(timeout=120)[1].decode()


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_and_the_last_save_is_intact(folder: Path) -> None:
    first, second = started(folder, SAVING, "train", "text.txt", "-o", "m.safetensors", *SMALL, "--steps", 40)
    wait_for(folder / "m.resume.safetensors", first)
    second.send_signal(signal.SIGKILL)
    said = ended(first)
    ended(second)
    assert first.returncode == 1, said
    last = said.splitlines()[-1]
    assert last.startswith("charlstm: error: another process of this run has ended, or cannot be reached; go on from")
    assert "Traceback" not in said
    resumed = charlstm("train", "--resume", "-o", "m.safetensors", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert load(folder / "m.safetensors").result["finished"] is True


@pytest.mark.slow
def test_one_process_tells_what_is_wrong_and_all_end(folder: Path) -> None:
    script = "from charlstm.cli.main import main; main()"
    processes = started(folder, script, "train", "text.txt", "-o", "nowhere/m.safetensors", *SMALL)
    said = [ended(process) for process in processes]
    assert said == ["charlstm: error: nowhere/m.safetensors: there is no folder nowhere\n", ""]
    assert processes[0].returncode == 1
