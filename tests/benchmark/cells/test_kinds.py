"""The parts of making a cell."""

import time

import pytest
import torch

from recbole_finest.benchmark.cells.kinds import clock


@pytest.mark.parametrize(
    ("device", "threads", "waiting"), [("cpu", 1, 0), ("cpu", 2, 1), ("cuda", 1, 1)]
)
def test_one_thread_on_a_processor_is_timed_by_its_work(device, threads, waiting):
    config = {"device": torch.device(device)}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        begin = clock(config)
        time.sleep(0.2)
        spent = clock(config) - begin
    finally:
        torch.set_num_threads(before)
    assert spent >= 0.2 if waiting else 0 <= spent < 0.1


def test_work_counts():
    config = {"device": torch.device("cpu")}
    begin, worked = clock(config), time.process_time()
    while time.process_time() - worked < 0.05:
        pass
    assert 0.05 <= clock(config) - begin < 0.5
