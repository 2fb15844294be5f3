"""Species, age, sex and region of files as people wrote them; a model that is a stub."""

from __future__ import annotations

import csv
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from cleo_like.core.errors import InputError
from cleo_like.io.metadata import (
    ModelSettings,
    age_in_days,
    age_of,
    ask_region,
    genus_of,
    region_of,
    sex_of,
    species_of,
)
from cleo_like.io.metadata.regions import _ccf, _table


@pytest.mark.data
def test_no_region_that_was_met_is_wrong(data_dir):
    with (data_dir / "region_strings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    settled = 0
    for row in rows:
        species = row["species_context"]
        found = region_of(row["string"], None if species == "any" else species)
        told = tuple(a.strip() for a in row["ccf_acronym"].split(";") if a.strip())
        if found.acronyms:
            assert found.acronyms == told, row["string"]
        settled += found.acronyms == told or found.reason != ""
        if row["status"].startswith("resolved (no CCF: primate)"):
            assert found.name is not None, row["string"]
    assert settled == len(rows) == 159


def test_every_structure_of_the_rules_is_in_the_ccf():
    nwbinspector = pytest.importorskip("nwbinspector")
    del nwbinspector
    from nwbinspector._internal_configs._allen_ccf import get_allen_ccf_location_terms

    terms = get_allen_ccf_location_terms()
    assert {*_ccf(), *_ccf().values()} <= terms
    named = {*_table()["synonyms"].values(), *_table()["identifiers"].values()}
    assert named <= set(_ccf())
    layered = region_of("SSp-bfd2/3")
    assert layered.acronym in terms
    assert layered.area == "SSp-bfd"


@pytest.mark.parametrize(
    ("text", "acronym"),
    [
        ("Primary visual area", "VISp"), ("V1 L2/3", "VISp"), ("primary visual cortex, layer 4", "VISp"),
        ("L5 pyramidal neurons in barrel cortex", "SSp-bfd"), ("CA3 pyramidal cells", "CA3"),
        ("hippocampus (CA1)", "CA1"), ("Cortex, V1", "VISp"), ("visual cortex (V1)", "VISp"),
        ("left primary motor cortex", "MOp"), ("nucleus accumbens core", "ACB"), ("dLGN", "LGd"),
        ("ventral tegmental area (VTA)", "VTA"), ('{"location": "MOp"}', "MOp"), ("DENTATE GYRUS", "DG"),
        ("  VISp  ", "VISp"), ("entorhinal cortex layer II", "ENT"), ("MNTB", "NTB"),
    ],
)  # fmt: skip
def test_what_is_certain(text, acronym):
    assert region_of(text).acronym == acronym


@pytest.mark.parametrize(
    "text",
    [
        "LGN", "PFC", "substantia nigra", "V1 (projecting to PL)", "near VISp", "not CA1", "non-visual cortex",
        "visual thalamus", "ventral posterolateral nucleus (VPM)", "CA1 and CA3", "SC", "SON", "IT", "soma",
        "VISp5x", "layer 5", "spinal cord", "", "nan", "{}", "<script>alert(1)</script>", "VISp'; drop table",
        "PVN", "DMFC", "C5", "x" * 5000, "visp2/3/4", "L5 neurons in frontal cortex",
    ],
)  # fmt: skip
def test_what_is_not_certain_stays_open(text):
    found = region_of(text)
    assert found.acronym is None
    assert found.reason


@pytest.mark.parametrize(
    "species", ["human", "macaque", "Macaca mulatta ", "rat", "zebrafish", "human/mouse"]
)
def test_the_ccf_is_of_the_mouse(species):
    assert region_of("V1", species).acronym is None
    assert region_of("V1", species).status in ("no CCF term", "unresolved")


def test_species():
    assert species_of("NCBITaxon:10090").binomial == "Mus musculus"
    assert (
        species_of("http://purl.obolibrary.org/obo/NCBITaxon_9606").binomial == "Homo sapiens"
    )
    assert species_of("Mus musculus - House mouse").taxon == "NCBITaxon:10090"
    assert species_of("transgenic mouse").binomial == "Mus musculus"
    assert species_of("Macaca nemestrina - Pigtail macaque").binomial == "Macaca nemestrina"
    assert [species_of(t) for t in (None, "", "macaque", "alien", "NCBITaxon:1")] == [None] * 5
    assert genus_of("macaque") == "Macaca"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("P30", "P30D"), ("P30D", "P30D"), ("P14-P21", "P14D/P21D"), ("5-6 weeks", "P5W/P6W"), ("22 yrs", "P22Y"),
        ("postnatal day 12", "P12D"), ("P60D/P90D", "P60D/P90D"), ("2.5 mo", "P2.5M"), ("NA", None), ("12", None),
        ("adult", None), ("-5 days", None), (None, None), (float("nan"), None), ("P", None),
    ],
)  # fmt: skip
def test_age(text, iso):
    assert age_of(text) == iso
    assert (age_in_days(iso) is None) == (iso is None)


def test_sex():
    assert [sex_of(t) for t in ("Male", "f", " unknown", "NA", None)] == [
        "M",
        "F",
        "U",
        None,
        None,
    ]


TEXT = "Patch-seq of interneurons in primary  visual cortex of the mouse."


class Stub(BaseHTTPRequestHandler):
    answers: ClassVar[list] = []
    asked: ClassVar[list] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append(body)
        status, content, headers = type(self).answers.pop(0)
        out = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(out if status == 200 else b"no")

    def log_message(self, *args):
        pass


@pytest.fixture
def stub():
    Stub.answers, Stub.asked = [], []
    server = HTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ModelSettings(
        base_url=f"http://127.0.0.1:{server.server_port}", model="stub", timeout=5
    )
    server.shutdown()
    server.server_close()
    thread.join()


GOOD = json.dumps({"region": "VISp", "evidence": "primary visual cortex"})


@pytest.mark.parametrize(
    ("content", "term", "why"),
    [
        (GOOD, "VISp", ""),
        (f"```json\n{GOOD}\n```", "VISp", ""),
        (GOOD[:-12], None, "not the JSON"),
        (f"Sure! The answer is {GOOD}", None, "not the JSON"),
        ('{"region": "VISp", "evidence": "striate cortex"}', None, "is not in the text"),
        ('{"region": "VISp", "evidence": ""}', None, "is not in the text"),
        ('{"region": "V1", "evidence": "visual"}', None, "none of the allowed"),
        ('{"region": "unknown", "evidence": ""}', None, "does not tell"),
        ('{"region": ["VISp"], "evidence": 3}', None, "not the JSON"),
        ("[]", None, "not the JSON"),
    ],
)  # fmt: skip
def test_only_a_quoted_allowed_answer_is_believed(stub, tmp_path, content, term, why):
    Stub.answers = [(200, content, {})]
    found = ask_region(TEXT, ["VISp", "MOp"], stub, tmp_path)
    assert (found.term, found.cached) == (term, False)
    assert why in found.reason
    again = ask_region(TEXT, ["VISp", "MOp"], stub, tmp_path)
    assert (again.term, again.cached) == (term, True)
    assert len(Stub.asked) == 1
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text())["answer"] == content
    schema = Stub.asked[0]["response_format"]["json_schema"]
    assert schema["strict"]
    assert schema["schema"]["properties"]["region"]["enum"] == ["VISp", "MOp", "unknown"]


def test_a_busy_server_is_asked_again_and_its_time_kept(stub, tmp_path):
    Stub.answers = [(429, "", {"Retry-After": "7"}), (503, "", {}), (200, GOOD, {})]
    waits = []
    assert ask_region(TEXT, ["VISp"], stub, tmp_path, sleep=waits.append).term == "VISp"
    assert waits == [7.0, 2.0]


def test_no_server_is_a_reason(stub, tmp_path):
    Stub.answers = [(401, "", {})]
    assert ask_region(TEXT, ["VISp"], stub, tmp_path).reason == "the server answers 401"
    nowhere = ModelSettings(base_url="http://127.0.0.1:9", model="m", timeout=1)
    found = ask_region(TEXT, ["VISp"], nowhere, tmp_path, sleep=lambda _: None)
    assert "4 times" in found.reason
    assert list(tmp_path.glob("*.json")) == []
    with pytest.raises(InputError, match="http"):
        ModelSettings(base_url="localhost", model="m")


@pytest.mark.parametrize(
    ("age", "days"),
    [("P60D", 60), ("P60D/P90D", 75), ("P1Y2M", 365.25 + 2 * 30.44), ("P60D to P90D", None),
     ("P70D/", None), ("60", None), (60, None), (None, None)],
)  # fmt: skip
def test_days_of_ages_that_are_durations_and_of_no_others(age, days):
    assert age_in_days(age) == (days if days is None else pytest.approx(days, rel=1e-3))
