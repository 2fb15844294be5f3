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
from cleo_like.io.metadata.ontology import ccf, table


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


def test_every_structure_of_the_rules_is_in_theccf():
    nwbinspector = pytest.importorskip("nwbinspector")
    del nwbinspector
    from nwbinspector._internal_configs._allen_ccf import get_allen_ccf_location_terms

    terms = get_allen_ccf_location_terms()
    assert {*ccf(), *ccf().values()} <= terms
    named = {*table()["synonyms"].values(), *table()["identifiers"].values()}
    assert named <= set(ccf())
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
    ("text", "acronym"),
    [
        ("DG granule", "DG"), ("amygdala BLA", "BLA"), ("MEC LII", "ENTm"), ("TeA", "TEa"), ("CA3b", "CA3"),
        ("NAc shell", "ACB"), ("S1BF", "SSp-bfd"), ("PrL", "PL"), ("OFC", "ORB"), ("brainstem MNTB", "NTB"),
        ("CeA", "CEA"), ("mPFC PL", "PL"), ("RSC", "RSP"), ("dorsal CA1", "CA1"), ("CA1 stratum oriens", "CA1"),
        ("LP thalamus", "LP"), ("dentate granule cell layer", "DG"), ("POm", "PO"), ("VTA dopamine neurons", "VTA"),
        ("cerebellar Purkinje cell", "CB"), ("dorsolateral striatum", "CP"), ("VISP layer 5", "VISp"),
        ("VISp_L5", "VISp"), ("VISp-L5", "VISp"), ("L5_VISp", "VISp"), ("Hippocampus > CA1", "CA1"),
        ("contralateral M1", "MOp"), ("CA1 (dorsal)", "CA1"), ("CA1, dorsal", "CA1"), ("Ca1", "CA1"),
        ("lateral hypothalamus (LH)", "LHA"), ("lateral habenula (LH)", "LH"), ("thalamic reticular nucleus (TRN)", "RT"),
        ("amygdala (BLA)", "BLA"), ("MOp L5 ET neuron", "MOp"), ("SN pars compacta", "SNc"), ("LSO", "SOCl"),
        ("ventral hippocampus CA1", "CA1"), ("anterior thalamus", "ATN"), ("D1 MSN dorsal striatum", "STRd"),
    ],
)  # fmt: skip
def test_words_of_cells_parts_and_wholes(text, acronym):
    assert region_of(text).acronym == acronym


@pytest.mark.parametrize(
    "text",
    [
        "not cortex", "outside the hippocampus", "near the hippocampus", "adjacent to CA1", "axons from VPM",
        "projecting to VTA", "VTA-projecting NAc neurons", "VISp or VISl", "V1?", "possibly CA1", "CA1 (unsure)",
        "except cortex", "no cortex", "cortex excluded", "between CA1 and CA3", "border of V1 and V2", "subcortical",
        "white matter under V1", "CA3-CA1 synapse", "thalamocortical", "hippocampal culture", "DRG neuron", "retina",
        "cortical organoid", "cultured hippocampal neurons", "L5", "II", "V", "VI", "x", "LH", "TRN", "DCN", "IC", "PT",
        "IT", "FS", "PN", "SGN", "cortical plate", "granule cells", "Purkinje", "IC insular", "CA1 lesion", "V1->LM",
        "layer 5 of the barrel cortex contralateral to the injection in VPM", "CA4", "V5", "bregma -2", "Schaffer",
        "cortex (not V1)", "CA1 (not dorsal)", "reticular nucleus", "dorsal", "dorsal nucleus", "MS/DB", "pre-CA1",
        "human cortex xenograft in mouse cortex", "between", "fiber from CA3 to CA1", "hippocampus amygdala",
    ],
)  # fmt: skip
def test_no_place_is_made_up(text):
    found = region_of(text)
    assert found.acronym is None
    assert found.reason


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("V1 L2/3", "2/3"), ("MEC LII", "2"), ("layer II/III of S1", "2/3"), ("Layer Va S1", "5a"), ("L5B S1", "5b"),
        ("S1 layers 2-3", "2/3"), ("S1 layers 2 to 4", "2-4"), ("L23 V1", "2/3"), ("V1, layers 2 and 3", "2/3"),
        ("VISp2/3", "2/3"), ("S1 lamina IV", "4"), ("CA1 layer 2", None), ("L5 of LP", None), ("VISp", None),
        ("VISp_L6b", "6b"), ("entorhinal cortex layer II", "2"), ("LL 5", None),
    ],
)  # fmt: skip
def test_layers_in_arabic_numbers(text, layer):
    assert region_of(text).layer == layer


@pytest.mark.parametrize(
    ("text", "species", "name"),
    [("CA1", "human", "hippocampal field CA1"), ("dlPFC", "macaque", "dorsolateral prefrontal cortex"),
     ("temporal cortex L3", "human", "temporal lobe"), ("MTG", "Homo sapiens", "middle temporal gyrus"),
     ("optic tectum", "zebrafish", None), ("dorsal cortex", "turtle", None), ("HVC", "zebra finch", None)],
)  # fmt: skip
def test_places_in_other_species(text, species, name):
    found = region_of(text, species)
    assert found.acronym is None
    if name is not None:
        assert (found.status, found.name) == ("no CCF term", name)


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
    ("text", "binomial"),
    [
        ("M. musculus", "Mus musculus"), ("C57BL6 mouse", "Mus musculus"), ("Mus musculus (C57BL/6J)", "Mus musculus"),
        ("R. norvegicus", "Rattus norvegicus"), ("Long-Evans", "Rattus norvegicus"), ("H. sapiens", "Homo sapiens"),
        ("red-eared slider", "Trachemys scripta elegans"), ("tree shrew", "Tupaia belangeri"), ("chick", "Gallus gallus"),
        ("naked mole rat", "Heterocephalus glaber"), ("mouse/rat", None), ("mouse lemur", None), ("Mus spretus", None),
        ("monkey", None), ("turtle", None), ("frog", None), ("mole", None), ("10090", None),
    ],
)  # fmt: skip
def test_species_of_others(text, binomial):
    found = species_of(text)
    assert (found.binomial if found else None) == binomial


def test_no_short_name_stands_for_two_species():
    from cleo_like.io.metadata.subject import _short, _species

    assert len({_short(name) for name in _species()}) == len(_species())
    taxa = [taxon for taxon, _ in _species().values()]
    assert len(set(taxa)) == len(taxa)
    names = [n for _, synonyms in _species().values() for n in synonyms]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("P30", "P30D"), ("P30D", "P30D"), ("P14-P21", "P14D/P21D"), ("5-6 weeks", "P5W/P6W"), ("22 yrs", "P22Y"),
        ("PND 21", "P21D"), ("PD21", "P21D"), ("day 21", "P21D"), ("age: P30", "P30D"), ("P21\u2013P28", "P21D/P28D"),
        ("45-year-old", "P45Y"), ("P28-P21", None), ("P1000Y", None), ("999 years", None), ("E18", None),
        ("5 dpf", None), ("4 m", None), ("30 \u00b1 2 days", None), ("> 8 weeks", None), ("3 months", "P3M"),
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


@pytest.mark.parametrize("evidence", ["a", "isual", "V", "cor", "mouse ."])
def test_a_piece_of_a_word_is_no_quotation(stub, tmp_path, evidence):
    Stub.answers = [(200, json.dumps({"region": "VISp", "evidence": evidence}), {})]
    assert ask_region(TEXT, ["VISp"], stub, tmp_path).term is None


def test_an_empty_message_and_a_bottomless_one_are_reasons(stub, tmp_path):
    Stub.answers = [(200, None, {})] * 4
    found = ask_region(TEXT, ["VISp"], stub, tmp_path, sleep=lambda _: None)
    assert "the message has no text, 4 times" in found.reason.replace(")", "")
    assert list(tmp_path.glob("*.json")) == []  # nothing was said, nothing is kept
    Stub.answers = [(200, "[" * 100_000, {})]
    assert "not the JSON" in ask_region(TEXT, ["VISp"], stub, tmp_path).reason


def test_a_damaged_kept_answer_is_asked_again(stub, tmp_path):
    Stub.answers = [(200, GOOD, {}), (200, GOOD, {})]
    ask_region(TEXT, ["VISp"], stub, tmp_path)
    (kept,) = tmp_path.glob("*.json")
    for damage in ("", "{}", '{"answer": 3}'):
        kept.write_text(damage)
    found = ask_region(TEXT, ["VISp"], stub, tmp_path)
    assert (found.term, found.cached) == ("VISp", False)


def test_a_server_that_breaks_off_is_a_reason(tmp_path):
    import socket

    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for answer in (b"SPDY?\r\n\r\n", b"", head + b"ff\r\n{", head + b"xx\r\n"):
            one, _ = server.accept()
            one.recv(65536)
            one.sendall(answer)
            one.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    settings = ModelSettings(
        base_url=f"http://127.0.0.1:{server.getsockname()[1]}", model="m", timeout=5
    )
    found = ask_region(TEXT, ["VISp"], settings, tmp_path, sleep=lambda _: None)
    thread.join()
    server.close()
    assert "4 times" in found.reason


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
