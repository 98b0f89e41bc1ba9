"""TensorBoard's files on a disk without room."""

import errno

import pytest
from torch.utils.tensorboard import SummaryWriter

from recbole_finest.errors import Unwritten
from recbole_finest.train.curves import CurveWriter, one_voice
from tests.test_files import small_files


def test_a_full_disk_is_told_once(tmp_path, capfd):
    writer = CurveWriter(SummaryWriter(str(tmp_path)))
    assert writer.log_dir == str(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.flush()
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    with one_voice(), small_files(size + 10):
        for attempt in (writer.flush, writer.flush, writer.close):
            with pytest.raises(Unwritten, match=f"'{tmp_path}' cannot be written") as caught:
                for step in range(9):
                    writer.add_scalar("a", 1.0, step)
                attempt()
            assert caught.value.errno == errno.EFBIG
    assert capfd.readouterr().err == ""
