"""Work in threads: in order, on the processors that this process may use."""

from __future__ import annotations

import os

import pytest

from charlstm.threads import in_threads, processors


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_give_results_in_order_and_pass_errors_on(threads: int) -> None:
    assert in_threads(lambda part: part * 2, range(20), threads) == list(range(0, 40, 2))
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda part: 1 // part, [1, 0, 1], threads)


def test_only_processors_that_the_process_may_use_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert processors() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors() == 1
