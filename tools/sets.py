"""Which recordings make which indicator, and where they come from."""

from __future__ import annotations

import attrs

CHEN = "Chen et al. 2013, Nature 499:295 (paired recordings, mouse V1)"
ROZSA = "Zhang et al. 2023, Nature 615:884 (paired recordings of Rozsa et al., mouse V1)"
DANA16 = "Dana et al. 2016, eLife 5:e12727 (paired recordings, mouse V1)"
HUANG = "Huang et al. 2021, eLife 10:e51675 (paired recordings, mouse V1)"
THEIS = "Theis et al. 2016, Neuron 90:471 (paired recordings, mouse V1)"
COMPILED = "as compiled by Rupprecht et al. 2021, Nat. Neurosci. 24:1324"
CHEN_TABLE = "Chen et al. 2013, suppl. table 2"
ZHANG_TABLE = "Zhang et al. 2023, table 1"
QUOTED = "quoted, not read again here"
# (Fmax - Fmin)/Fmin of each indicator, from no calcium to saturation: dF/F is not above it
RANGE_6F = (50.8, f"purified GCaMP6f: Fmax/Fmin 51.8 ({CHEN_TABLE})")
RANGE_6S = (62.2, f"purified GCaMP6s: Fmax/Fmin 63.2 ({CHEN_TABLE})")
RANGE_7F = (30.2, "purified jGCaMP7f: dF/F 30.2 (Dana et al. 2019, Nat. Methods 16:649)")
RANGE_8F = (78.8, f"purified jGCaMP8f: dF/F 78.8 ({ZHANG_TABLE}; {QUOTED})")
RANGE_8M = (45.7, f"purified jGCaMP8m: dF/F 45.7 ({ZHANG_TABLE}; {QUOTED})")
RANGE_8S = (49.5, f"purified jGCaMP8s: dF/F 49.5 ({ZHANG_TABLE}; {QUOTED})")
RANGE_RED_G = (10.6, f"purified jRGECO1a: Fmax/Fmin 11.6 (Dana et al. 2016; {QUOTED})")
RANGE_RED_R = (3.2, f"purified jRCaMP1a: dF/F 3.2 (Dana et al. 2016; {QUOTED})")
RANGE_OGB1 = (13.0, "14-fold with calcium (Song et al. 2021, as in Cleo's table)")
RANGE_CAL520 = (99.0, f"about 100-fold with calcium (its maker, AAT Bioquest; {QUOTED})")
RANGE_OTHER = (50.8, "that of purified GCaMP6f (51.8-fold); its own is not known here")


@attrs.frozen(kw_only=True)
class CalibrationSet:
    """Recordings of one indicator.

    `decays` is 3 where frames are fast enough (29 Hz and more) to tell three decays of
    principal cells apart, else 2. `ceiling` bounds dF/F, with its source. `family` holds the
    indicators that share a protein. `cleo` is the indicator of Cleo whose kinetics are
    compared, `s2f` the published set.
    """

    name: str
    display: str
    folders: tuple[str, ...]
    source: str
    ceiling: tuple[float, str]
    decays: int = 3
    cleo: str = "gcamp6f"
    s2f: str | None = None
    family: str = ""

    @property
    def silence(self) -> float:
        """Time after a spike when its response is over (s)."""
        return 6.0 if self.family == "GCaMP6s" else 3.0


SETS = (
    CalibrationSet(name="gcamp6f", ceiling=RANGE_6F, family="GCaMP6f",
                   display="GCaMP6f", folders=("DS09-GCaMP6f-m-V1",),
                   source=CHEN, s2f="gcamp6f"),
    CalibrationSet(name="gcamp6f_emx1", ceiling=RANGE_6F, family="GCaMP6f",
                   display="GCaMP6f, transgenic Emx1 line",
                   folders=("DS10-GCaMP6f-m-V1-neuropil-corrected",), source=HUANG,
                   s2f="gcamp6f_transgenic"),
    CalibrationSet(name="gcamp6s", ceiling=RANGE_6S, family="GCaMP6s",
                   display="GCaMP6s", folders=("DS14-GCaMP6s-m-V1", "DS15-GCaMP6s-m-V1"),
                   source=f"{CHEN} and {THEIS}", cleo="gcamp6s", s2f="gcamp6s"),
    CalibrationSet(name="gcamp6s_teto", ceiling=RANGE_6S, family="GCaMP6s",
                   display="GCaMP6s, transgenic tetO line",
                   folders=("DS12-GCaMP6s-m-V1-neuropil-corrected",), source=HUANG,
                   cleo="gcamp6s", s2f="gcamp6s_transgenic"),
    CalibrationSet(name="gcamp5k", ceiling=RANGE_OTHER,
                   display="GCaMP5k", folders=("DS17-GCaMP5k-m-V1",),
                   source="Akerboom et al. 2012, J. Neurosci. 32:13819 (paired, mouse V1)",
                   decays=2),
    CalibrationSet(name="jgcamp7f", ceiling=RANGE_7F,
                   display="jGCaMP7f", folders=("DS29-GCaMP7f-m-V1",),
                   source=ROZSA, cleo="jgcamp7f", s2f="jgcamp7f"),
    CalibrationSet(name="jgcamp8f", ceiling=RANGE_8F,
                   display="jGCaMP8f", folders=("DS30-GCaMP8f-m-V1",),
                   source=ROZSA, s2f="jgcamp8f"),
    CalibrationSet(name="jgcamp8m", ceiling=RANGE_8M,
                   display="jGCaMP8m", folders=("DS31-GCaMP8m-m-V1",),
                   source=ROZSA, s2f="jgcamp8m"),
    CalibrationSet(name="jgcamp8s", ceiling=RANGE_8S,
                   display="jGCaMP8s", folders=("DS32-GCaMP8s-m-V1",),
                   source=ROZSA, s2f="jgcamp8s"),
    CalibrationSet(name="xcamp_gf", ceiling=RANGE_OTHER,
                   display="XCaMP-Gf", folders=("DS28-XCaMPgf-m-V1",),
                   source=ROZSA, s2f="xcamp_gf"),
    CalibrationSet(name="jrgeco1a", ceiling=RANGE_RED_G,
                   display="jRGECO1a", folders=("DS21-jGECO1a-m-V1",),
                   source=DANA16),
    CalibrationSet(name="jrcamp1a", ceiling=RANGE_RED_R,
                   display="jRCaMP1a", folders=("DS20-jRCaMP1a-m-V1",),
                   source=DANA16, decays=2),
    CalibrationSet(name="ogb1", ceiling=RANGE_OGB1,
                   display="OGB-1", folders=("DS01-OGB1-m-V1",),
                   source=THEIS, decays=2),
    CalibrationSet(name="cal520", ceiling=RANGE_CAL520,
                   display="Cal-520", folders=("DS03-Cal520-m-S1",),
                   source="paired recordings in mouse S1 (set DS03)", decays=2),
    CalibrationSet(name="gcamp6f_pv", ceiling=RANGE_6F, family="GCaMP6f",
                   display="GCaMP6f in PV interneurons",
                   folders=("DS24-GCaMP6f-m-PV-V1",),
                   source="paired recordings of interneurons (set DS24)", decays=2),
    CalibrationSet(name="gcamp6f_sst", ceiling=RANGE_6F, family="GCaMP6f",
                   display="GCaMP6f in SST interneurons",
                   folders=("DS25-GCaMP6f-m-SST-V1",),
                   source="paired recordings of interneurons (set DS25)", decays=2),
)  # fmt: skip
