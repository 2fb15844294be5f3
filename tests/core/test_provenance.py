"""The hash of an input tells what differs; JSON keeps SI."""

import hashlib
import json

import numpy as np
import pytest
import quantities as pq
from brian2 import mV

from cleo_like.core.provenance import hash_of, to_json


def test_the_hash_of_bytes_and_files_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    wanted = "sha256:" + hashlib.sha256(b"data").hexdigest()
    assert hash_of(b"data") == hash_of(tmp_path / "a") == wanted


def test_the_hash_of_an_array_tells_shape_type_and_values():
    array = np.arange(6.0)
    different = [array, array.reshape(2, 3), array.reshape(3, 2), array.astype(np.int64),
                 array.view(np.int64), array + 1, array[:5]]  # fmt: skip
    assert len({hash_of(a) for a in different}) == len(different)
    assert hash_of(array) == hash_of(array.copy())
    wide = np.arange(12.0)
    assert hash_of(wide[::2]) == hash_of(wide[::2].copy())  # not where it lies in memory


def test_json_is_strict_and_in_si():
    text = to_json({"a": np.nan, "b": [np.float32(1.5), 2 * pq.pA], "c": [1, 2] * mV, "d": 3})
    assert json.loads(text) == {
        "a": None, "b": [1.5, pytest.approx(2e-12)], "c": [1e-3, 2e-3], "d": 3,
    }  # fmt: skip
