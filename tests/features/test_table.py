"""The table: reasons beside values, and files that give it back to the last bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import (
    FileFormatError,
    InputError,
    PlaceError,
    UnknownNameError,
    UnsupportedError,
)
from cleo_like.features.table import META, FeatureTable, Record

number = st.floats(allow_nan=True, allow_infinity=False, width=64)
text = st.one_of(
    st.none(), st.text("abc,\"' \n", min_size=1, max_size=8).map(lambda s: "x" + s)
)


@st.composite
def records(draw):
    names = ["tau", "sag", "input_resistance"]
    out = []
    for k in range(draw(st.integers(1, 4))):
        values = {n: draw(number) for n in names if draw(st.booleans())}
        reasons = {n: "why, exactly" for n, v in values.items() if np.isnan(v)}
        meta = {"cell_id": f"c{k}", "status": "ok", "notes": draw(text), "n_sweeps": k}
        out.append(Record(meta=meta, values=values, errors={"tau": 0.1}, reasons=reasons))
    return out


@settings(max_examples=40)
@given(rows=records())
def test_csv_gives_everything_back(tmp_path_factory, rows):
    table = FeatureTable.from_records(rows)
    path = table.write(tmp_path_factory.mktemp("t") / "table.csv")
    again = FeatureTable.read(path)
    pd.testing.assert_frame_equal(again.frame, table.frame, check_exact=True)
    pd.testing.assert_frame_equal(again.reasons, table.reasons)


def test_reasons_stand_beside_values():
    table = FeatureTable.from_records(
        [
            Record(meta={"cell_id": "a"}, values={"tau": 0.02, "sag": np.nan},
                   reasons={"sag": "no hyperpolarising sweep"}),
            Record(meta={"cell_id": "b"}, values={}, reasons={"": "torn file"}),
        ]
    )  # fmt: skip
    assert table.why(0, "tau") == ""
    assert table.why(0, "sag") == "no hyperpolarising sweep"
    assert table.why(1, "tau") == "torn file"
    assert tuple(table.frame.columns) == (*META, "tau", "sag")


def test_joined_tables_keep_all_columns():
    a = FeatureTable.from_records([Record(meta={"cell_id": "a"}, values={"tau": 0.02})])
    b = FeatureTable.from_records([Record(meta={"cell_id": "b"}, values={"sag": 0.1})])
    both = FeatureTable.join([a, b])
    assert both["cell_id"].tolist() == ["a", "b"]
    assert both.features == ("tau", "sag")
    assert both.why(0, "sag") == "not asked of this extractor"


def test_clear_errors(tmp_path, monkeypatch):
    table = FeatureTable.from_records([])
    with pytest.raises(InputError, match=r"written as .csv or .parquet, got 'table.xls'"):
        table.write(tmp_path / "table.xls")
    with pytest.raises(FileFormatError, match="no feature table at"):
        FeatureTable.read(tmp_path / "none.csv")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r"needs the package pyarrow.*write .csv"):
        table.write(tmp_path / "table.parquet")
    assert not list(tmp_path.iterdir())


def test_parquet_gives_everything_back(tmp_path):
    pytest.importorskip("pyarrow")
    rows = [Record(meta={"cell_id": "a", "status": "ok"}, values={"tau": 0.1 + 0.2})]
    table = FeatureTable.from_records(rows)
    again = FeatureTable.read(table.write(tmp_path / "t.parquet"))
    pd.testing.assert_frame_equal(again.frame, table.frame, check_exact=True)


def test_an_unknown_column_or_feature_is_said_with_the_nearest():
    from cleo_like.core.errors import UnknownNameError

    table = FeatureTable.from_records([Record(meta={"cell_id": "c"}, values={"sag": 0.1})])
    with pytest.raises(UnknownNameError, match="did you mean 'sag'"):
        table["saag"]
    with pytest.raises(UnknownNameError, match="did you mean 'sag'"):
        table.why(0, "saag")


def test_a_table_shows_itself():
    rows = [
        Record(meta={"cell_id": "<c1>", "status": "ok"}, values={"tau": 0.0201, "sag": np.nan}),
        Record(meta={"cell_id": "c2", "status": "failed"}, values={}),
    ]
    table = FeatureTable.from_records(rows)
    assert repr(table) == "FeatureTable: 2 rows, 1 measured, 2 features"
    page = table._repr_html_()
    assert "0.0201" in page
    assert "&lt;c1&gt;" in page
    assert "sag" not in page  # nobody has it


def test_plot_draws_what_is_known_with_errors_and_names():
    import matplotlib.pyplot as plt

    rows = [
        Record(
            meta={"cell_id": f"c{k}", "status": "ok"},
            values={"tau": tau, "sag": 0.1 * k, "of_mine": 2.0},
            errors={"tau": 0.001},
        )
        for k, tau in enumerate((0.01, np.nan, 0.03, 0.04))
    ]
    table = FeatureTable.from_records(rows)
    tau, sag = table.plot()  # what is usual; `of_mine` is not
    assert [a.get_xlabel() for a in (tau, sag)] == ["tau (s)", "sag"]
    assert tau.get_title(loc="left") == "1 missing"
    (line,) = (one for one in tau.lines if one.get_marker() == "o")
    np.testing.assert_array_equal(line.get_xdata(), [0.01, 0.03, 0.04])
    np.testing.assert_array_equal(line.get_ydata(), [0, 2, 3])
    assert [t.get_text() for t in tau.get_yticklabels()] == ["c0", "c1", "c2", "c3"]
    (own,) = table.plot("of_mine")
    assert own.get_xlabel() == "of_mine"
    with pytest.raises(UnknownNameError, match="did you mean 'tau'"):
        table.plot("taw")
    empty = FeatureTable.from_records(
        [Record(meta={"cell_id": "c", "status": "ok"}, values={"tau": np.nan})]
    )
    with pytest.raises(InputError, match="no cell of this table has any feature"):
        empty.plot()
    plt.close("all")


@pytest.fixture
def three():
    """Three cells, one without a sag."""
    return FeatureTable.from_records(
        [
            Record(
                meta={"cell_id": name, "status": "ok"},
                values={"tau": tau, "sag": sag, "of_mine": 1.0},
                errors={"tau": tau / 10},
                reasons={} if sag == sag else {"sag": "no step is deep enough"},  # noqa: PLR0124
            )
            for name, tau, sag in [("a", 0.01, 0.1), ("b", 0.03, np.nan), ("c", 0.02, 0.3)]
        ]
    )


def test_rows_columns_and_parts(three):
    assert [row["cell_id"] for row in three] == ["a", "b", "c"]
    assert three[1]["tau"] == 0.03
    assert three[-3]["cell_id"] == "a"
    some = three[1:]
    assert list(some["cell_id"]) == ["b", "c"]
    assert some.why(0, "sag") == "no step is deep enough"
    assert list(three[three["tau"] > 0.015]["cell_id"]) == ["b", "c"]
    assert list(three[[2, 0]]["cell_id"]) == ["c", "a"]


@pytest.mark.parametrize("place", [3, -4, [0, 3]])
def test_a_place_beyond_the_last_row(three, place):
    with pytest.raises(PlaceError, match="has 3 rows"):
        three[place]


def test_a_mask_of_another_length_is_refused(three):
    with pytest.raises(PlaceError, match="has 3 rows"):
        three[np.array([True, False])]


def test_exits(three):
    frame = three.to_pandas()
    frame["tau"] = 0.0
    assert list(three["tau"]) == [0.01, 0.03, 0.02]  # the frame was a copy
    dataset = three.to_xarray()
    assert dataset.sel(cell="c")["tau"] == 0.02
    assert dataset["tau"].attrs["units"] == dataset["tau_error"].attrs["units"] == "s"
    assert dataset["of_mine"].attrs["units"] == "unknown"
    assert dataset.sel(cell="b")["sag_reason"] == "no step is deep enough"
