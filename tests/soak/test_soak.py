"""What takes longer than a test may: hundreds of kills, thousands of broken files, long texts.

`make soak`. How much is done can be set: SOAK_KILLS, SOAK_MUTATIONS, SOAK_CHARACTERS (sampled), SOAK_SCORED.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from helpers import ALPHABET, ROOT, TEXT, charlstm, random_model

from charlstm.api import Model
from charlstm.config import SampleSettings
from charlstm.errors import ModelFileError
from charlstm.models import file as modelfile
from charlstm.models import tensor_file
from charlstm.training.outputs import resume_path

KILLS = int(os.environ.get("SOAK_KILLS", "300"))
MUTATIONS = int(os.environ.get("SOAK_MUTATIONS", "20000"))
CHARACTERS = int(os.environ.get("SOAK_CHARACTERS", "1000000"))
SCORED = int(os.environ.get("SOAK_SCORED", "20000000"))

SAVER = """
import sys
from charlstm.models import file as modelfile
from charlstm.models import tensor_file
from charlstm.training.outputs import resume_path
from helpers import random_model
models = [random_model(hidden=96, seed=seed) for seed in (0, 1)]
path = sys.argv[1]
print("ready", flush=True)
while True:
    for model in models:
        model.save(path)
        tensor_file.write(resume_path(path), model.tensors, model.description())
"""


def test_killed_at_any_moment_of_a_save_leaves_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    wanted = [random_model(hidden=96, seed=seed).tensors["head.weight"].tobytes() for seed in (0, 1)]
    random_model(hidden=96, seed=0).save(path)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    rng = random.Random(1)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(path)], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert modelfile.load(path).tensors["head.weight"].tobytes() in wanted
        if resume_path(path).exists():
            tensor_file.read(resume_path(path))
    assert len(list(tmp_path.iterdir())) <= 4  # two files, and at most one temporary for each


def test_a_run_killed_again_and_again_ends_with_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    options = ["--steps", 1500, "--hidden", 48, "--batch", 8, "--dropout", 0.1, "-q"]
    begin = time.monotonic()
    whole = charlstm("train", "text.txt", "-o", "whole.safetensors", *options, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    seconds = (
        time.monotonic() - begin
    )  # busy machines take long: a kill at fixed seconds would come too late or too soon
    rng = random.Random(2)
    anew = ["train", "text.txt", "-o", "cut.safetensors", "--force", *options]
    command = anew
    kills = 0
    while True:
        process = subprocess.Popen(
            [sys.executable, "-m", "charlstm", *map(str, command)],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            process.wait(rng.uniform(0.3, 0.8) * seconds)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
            process.wait()
            kills += 1
        resumable = (tmp_path / "cut.resume.safetensors").exists()
        command = ["train", "--resume", "-o", "cut.safetensors", "-q"] if resumable else anew
    assert process.returncode == 0
    assert kills > 0
    first, second = (modelfile.load(tmp_path / name).tensors for name in ("whole.safetensors", "cut.safetensors"))
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_no_broken_model_file_is_more_than_an_error(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    random_model().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for number in range(MUTATIONS):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            position = int(rng.integers(0, len(data) if number % 2 else 900))
            data[position] = int(rng.integers(0, 256))
        if number % 5 == 0:
            del data[int(rng.integers(0, len(data))) :]
        path.write_bytes(bytes(data))
        try:
            modelfile.load(path)
        except ModelFileError:
            continue


@pytest.mark.parametrize("what", ["sampled", "scored"])
def test_memory_is_flat(what: str) -> None:
    model = Model(random_model())
    pieces = (ALPHABET * 1000 for _ in range(SCORED // (1000 * len(ALPHABET))))
    work = model.stream("", SampleSettings(length=CHARACTERS, seed=1)) if what == "sampled" else None
    if work is not None:
        for _ in range(20_000):
            next(work)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if work is not None:
        assert sum(1 for _ in work) == CHARACTERS - 20_000
    else:
        model.score_pieces(pieces)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # KiB
