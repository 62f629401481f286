"""Parts of a step are done side by side as one after the other would do them, in threads that do not stay."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from charlstm.training.workers import Workers


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order(count: int) -> None:
    workers = Workers(count)
    for parts in ([], [7], [3, 1, 2], list(range(40))):
        assert workers.map(lambda part: part * 2, parts) == [2 * part for part in parts]
    workers.close()
    assert workers.map(str, [1, 2]) == ["1", "2"]  # they begin anew
    workers.close()


def test_parts_are_done_side_by_side_under_the_caller_s_settings() -> None:
    together = threading.Barrier(2, timeout=20)
    workers, before = Workers(2), torch.get_num_threads()

    def work(_: int) -> tuple[int, bool]:
        together.wait()  # nobody passes alone
        return torch.get_num_threads(), torch.is_grad_enabled()

    torch.set_num_threads(3)
    try:
        with torch.no_grad():
            assert workers.map(work, [0, 1]) == [(3, False)] * 2
        torch.set_num_threads(1)
        assert workers.map(work, [0, 1]) == [(1, True)] * 2
    finally:
        torch.set_num_threads(before)
        workers.close()


def test_closed_workers_leave_no_thread_behind() -> None:
    before = threading.active_count()
    workers = Workers(3)
    workers.map(str, range(9))
    assert threading.active_count() == before + 2
    workers.close()
    assert threading.active_count() == before


def test_what_goes_wrong_in_one_part_is_told() -> None:
    workers = Workers(2)
    for parts in ([0, 1], [1, 0]):
        with pytest.raises(ZeroDivisionError):
            workers.map(lambda part: 1 // part, parts)
    workers.close()


@pytest.mark.parametrize("room", [0, 1])
def test_without_room_for_threads_one_does_all_or_says_that_memory_is_short(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ThreadPoolExecutor.submit
    started: list[ThreadPoolExecutor] = []
    done: list[int] = []

    def full(pool: ThreadPoolExecutor, *args: object) -> object:
        if len(started) >= room:
            raise RuntimeError("can't start new thread")
        started.append(pool)
        return submit(pool, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", full)
    workers = Workers(3)
    if room:
        with pytest.raises(MemoryError):
            workers.map(done.append, [1, 2, 3])
    else:
        assert workers.map(str, [1, 2, 3]) == ["1", "2", "3"]
        assert workers.count == 1
