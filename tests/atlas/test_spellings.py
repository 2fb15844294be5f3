"""One set of values in the spellings of many programs and labs: read the same, or said."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import import_table
from cleo_like.atlas.harmonise.comparable import unit_suspicions
from cleo_like.atlas.tables.cells import read_cells
from cleo_like.atlas.tables.spelling import MISSING_WORDS
from cleo_like.io.metadata import temperature_of

COLUMNS = {
    "Cell ID": ("cell_id", None), "Donor": ("donor", None),
    "Input resistance (MΩ)": ("input_resistance", 1), "AP width (ms)": ("ap_width", 1e-3),
    "AP threshold (mV)": ("ap_threshold_v", 1), "Sag ratio": ("sag", 1), "tau": ("tau", 1e-3),
}  # fmt: skip


@pytest.fixture
def truth(rng):
    n = 12
    return pd.DataFrame({
        "Cell ID": 600_000_000 + 7 * np.arange(n), "Donor": 100 + np.arange(n) // 3,
        "Input resistance (MΩ)": rng.lognormal(5, 0.3, n).round(3),
        "AP width (ms)": rng.lognormal(-0.5, 0.2, n).round(4),
        "AP threshold (mV)": rng.normal(-38, 4, n).round(2),
        "Sag ratio": rng.uniform(0.01, 0.3, n).round(4), "tau": rng.uniform(8, 30, n).round(2),
    })  # fmt: skip


def same(cells, truth):
    for published, (name, factor) in COLUMNS.items():
        if factor is None:
            assert cells[name].tolist() == truth[published].astype(str).tolist()
        else:
            np.testing.assert_allclose(cells[name], truth[published] * factor, rtol=1e-12)


def european(table):
    return table.map(lambda v: str(v).replace(".", ",") if isinstance(v, float) else v)


def thousands(table):
    """1.234,567 as Excel shows it in Germany."""
    out = european(table)
    swapped = str.maketrans(",.", ".,")
    out["Input resistance (MΩ)"] = [
        f"{v:,.3f}".translate(swapped) for v in table["Input resistance (MΩ)"]
    ]
    return out


SPELLINGS = {
    "index column": lambda t: t.to_csv().encode(),
    "semicolons and a mark": lambda t: european(t).to_csv(index=False, sep=";").encode("utf-8-sig"),
    "tabs and commas": lambda t: european(t).to_csv(index=False, sep="\t").encode(),
    "quoted commas": lambda t: european(t).to_csv(index=False).encode(),
    "thousands": lambda t: thousands(t).to_csv(index=False, sep=";").encode(),
    "unicode text": lambda t: t.to_csv(index=False, sep="\t").encode("utf-16"),
    "hint": lambda t: b"sep=;\n" + european(t).to_csv(index=False, sep=";").encode(),
    "comments": lambda t: b"# exported\n# 2020\n" + t.to_csv(index=False).encode(),
    "minus signs": lambda t: t.astype(str).map(lambda v: v.replace("-", "\u2212")).to_csv(index=False).encode(),
    "hard blanks": lambda t: t.astype(str).map(lambda v: f"\u00a0{v} ").to_csv(index=False).encode(),
    "capitals": lambda t: t.rename(columns=str.upper).to_csv(index=False).encode(),
    "ids as floats": lambda t: t.astype(float).to_csv(index=False).encode(),
    "commas in a name": lambda t: european(t).assign(**{"a,b,c,d,e,f,g,h,i": 1}).to_csv(index=False, sep=";").encode(),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_values_are_the_same_in_every_spelling(truth, tmp_path, spelling):
    (tmp_path / "t.csv").write_bytes(SPELLINGS[spelling](truth))
    same(import_table(tmp_path / "t.csv", "visp_viewer"), truth)


@pytest.mark.parametrize(
    "made",
    [
        lambda t: t.set_index("Cell ID"),
        lambda t: t.convert_dtypes(),
        lambda t: t.assign(**{"Sag ratio": t["Sag ratio"].astype("category")}),
        lambda t: t.assign(Donor=t["Donor"].astype(float)),
    ],
)
def test_frames_of_many_kinds(truth, made):
    same(import_table(made(truth), "visp_viewer"), truth)


def test_ids_join_whatever_made_them_floats(truth, tmp_path):
    truth.drop(columns="Donor").to_csv(tmp_path / "ephys.csv", index=False)
    meta = truth[["Cell ID", "Donor"]].astype(float).iloc[::-1]
    meta.to_csv(tmp_path / "meta.csv", index=False)
    same(import_table([tmp_path / "ephys.csv", tmp_path / "meta.csv"], "visp_viewer"), truth)


@pytest.mark.parametrize("word", [*sorted(MISSING_WORDS), "N/A", "NaN", "#DIV/0!", " - "])
def test_words_for_nothing_are_neither_values_nor_kinds_nor_cells(truth, tmp_path, word):
    table = truth.astype(str).assign(**{"T type subclass": "Sst interneuron"})
    table.loc[3, ["Donor", "Sag ratio", "T type subclass"]] = word
    table.loc[4, "Cell ID"] = word
    table.to_csv(tmp_path / "t.csv", index=False)
    for source in (table, tmp_path / "t.csv"):
        with pytest.warns(UserWarning, match="1 rows without an id") as found:
            cells = import_table(source, "visp_viewer")
        assert len(found) == 1  # a hole is no doubt
        assert len(cells) == 11
        assert cells.loc[3, ["donor", "sag", "subclass"]].isna().all()
        assert cells.drop(index=3)["subclass"].eq("Sst").all()


@pytest.mark.parametrize("word", ["< 5", "12 ± 3", "178 MOhm", "inf", "TRUE", "0x10", "1,2,3"])
def test_what_is_no_number_is_said(truth, word):
    table = truth.astype(str)
    table.loc[3, "Input resistance (MΩ)"] = word
    with pytest.warns(UserWarning, match="input_resistance: 1 values are no number"):
        cells = import_table(table, "visp_viewer")
    assert np.isnan(cells.loc[3, "input_resistance"])
    same(cells.drop(index=3), truth.drop(index=3))


@pytest.mark.parametrize(
    ("rest", "value"),
    [("0,5", 1.234), ("0.5", 1234.0), ("50", None)],
)
def test_a_comma_that_may_be_either_is_read_as_the_rest_or_not_at_all(tmp_path, rest, value):
    table = pd.DataFrame({
        "Cell ID": ["a", "b"], "tau": ["1,234", "1,234"], "AP width (ms)": [rest, rest],
    })  # fmt: skip
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        cells = import_table(table, "visp_viewer")
    said = any("tau: 2 values are no number, e.g. '1,234'" in str(w.message) for w in found)
    assert said == (value is None)
    if value is not None:
        np.testing.assert_allclose(cells["tau"], value / 1000, rtol=1e-12)


MISTAKES = {
    "a thousandth": lambda x: x / 1e3, "a thousandfold": lambda x: x * 1e3,
    "a logarithm": np.log10,
}  # fmt: skip
USUAL = {  # name: median, spread of the logarithm; of M1 and of the sample of DANDI
    "input_resistance": (190, 0.5), "tau": (0.013, 0.4), "ap_width": (8e-4, 0.4),
    "rheobase_i": (60, 0.6), "latency": (0.08, 0.8), "ap_upstroke": (290, 0.4),
    "ap_1_upstroke_0_long_square": (290, 0.4), "latency_0_long_square": (0.1, 0.8),
    "ap_updown_ratio": (2.3, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", USUAL)
def test_no_wrong_unit_passes(rng, name):
    median, spread = USUAL[name]
    values = median * np.exp(rng.normal(0, spread, 60))
    assert not unit_suspicions(name, values)
    for how, change in MISTAKES.items():
        assert unit_suspicions(name, change(values)), how


@pytest.mark.parametrize(
    ("name", "centre"),
    [("ap_threshold_v", -37), ("ap_1_threshold_v_0_long_square", -37), ("ap_1_peak_v_0_long_square", 34),
     ("ap_1_fast_trough_v_0_long_square", -51), ("v_baseline", -65), ("ap_amplitude", 80), ("ahp_depth", 12)],
)  # fmt: skip
def test_no_volt_and_no_wrong_sign_passes(rng, name, centre):
    values = rng.normal(centre, 3, 60)
    assert not unit_suspicions(name, values)
    assert unit_suspicions(name, values / 1e3)
    assert unit_suspicions(name, -values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x: 1 - x, "steady state over peak"),
        (lambda x: 1 / (1 - x), "a ratio of peak to steady state"),
        (lambda x: 100 * x, "outside -1 to 1"),
        (lambda x: -x, "another sign"),
    ],
)
def test_every_other_sag_is_said(rng, change, says):
    fraction = rng.uniform(0.01, 0.3, 60)
    assert not unit_suspicions("sag", fraction)
    (said,) = unit_suspicions("sag", change(fraction))
    assert says in said


def test_one_cell_in_another_unit_is_said():
    table = pd.DataFrame(
        {"Cell ID": [1], "Input resistance (MΩ)": [0.2], "AP width (ms)": [0.8]}
    )
    with pytest.warns(UserWarning, match="GOhm for MOhm"):
        import_table(table, "visp_viewer")


def test_the_species_of_each_row_decides_about_its_region():
    table = pd.DataFrame({
        "specimen__id": [1, 2, 3], "ef__ri": [200, 150, 90], "ef__tau": [12.5, 20, 30],
        "ef__vrest": -70.0, "structure__acronym": ["VISp", "MTG", "CA1"],
        "donor__species": ["Mus musculus", "Homo Sapiens", "Homo Sapiens"],
        "donor__id": [7.0, 8.0, 8.0], "donor__age": ["P57", "31 yrs", "never"],
    })  # fmt: skip
    with pytest.warns(UserWarning, match="age: 1 values are not understood, e.g. 'never'"):
        cells = import_table(table, "allen_cell_types")
    assert cells["region"].tolist() == [
        "VISp",
        "middle temporal gyrus",
        "hippocampal field CA1",
    ]
    assert cells["region_status"].tolist() == ["resolved", "no CCF term", "no CCF term"]
    assert cells["donor"].tolist() == ["7", "8", "8"]
    assert cells["tau"].tolist() == pytest.approx([0.0125, 0.02, 0.03])
    assert cells["age"].tolist()[:2] == ["P57D", "P31Y"]


def test_temperature_of_each_cell(tmp_path):
    (tmp_path / "m.toml").write_text(
        '[table]\nname="t"\nkey="id"\n[columns]\ntau={from="tau", unit="ms"}\n'
        '[texts]\ntemperature={from="T"}\n'
    )
    table = pd.DataFrame({"id": [1, 2, 3], "tau": 20.0, "T": ["34 °C", "307.15 K", "warm"]})
    with pytest.warns(UserWarning, match="temperature: 1 values are not understood"):
        cells = import_table(table, tmp_path / "m.toml")
    np.testing.assert_allclose(cells["temperature"], [34, 34, np.nan])


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("34", 34), ("34 C", 34), ("34.5°C", 34.5), ("33-35 °C", 34), ("~ 34 C", 34), ("34,5 °C", 34.5),
        ("93.2 F", 34), ("307.15 K", 34), ("32 to 34 degrees Celsius", 33), ("34 ℃", 34), ("RT", None),
        ("room temperature", None), ("", None), ("307", None), ("34 W", None), ("nan", None), ("93", None),
        ("50.1 C", None), ("50 C", 50),
    ],
)  # fmt: skip
def test_temperatures(text, degrees):
    assert temperature_of(text) == (None if degrees is None else pytest.approx(degrees))


def test_a_donor_is_one_donor_in_two_tables(tmp_path):
    for name, donor in (("a", 7), ("b", 7.0)):
        pd.DataFrame({"cell_id": [name], "donor": [donor], "tau": [0.01]}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    assert set(read_cells([tmp_path / "a.csv", tmp_path / "b.csv"])["donor"]) == {"7"}
