"""Which recordings make which indicator, and where they come from."""

from __future__ import annotations

import attrs

CHEN = "Chen et al. 2013, Nature 499:295 (paired recordings, mouse V1)"
ROZSA = "Zhang et al. 2023, Nature 615:884 (paired recordings of Rozsa et al., mouse V1)"
DANA16 = "Dana et al. 2016, eLife 5:e12727 (paired recordings, mouse V1)"
HUANG = "Huang et al. 2021, eLife 10:e51675 (paired recordings, mouse V1)"
THEIS = "Theis et al. 2016, Neuron 90:471 (paired recordings, mouse V1)"
CEILING_6F = (50.8, "purified GCaMP6f: Fmax/Fmin 51.8 (Chen et al. 2013, suppl. table 2)")
CEILING_5K = (50.8, f"that of {CEILING_6F[1]}; the one of GCaMP5K is not known here")
COMPILED = "as compiled by Rupprecht et al. 2021, Nat. Neurosci. 24:1324"


@attrs.frozen(kw_only=True)
class CalibrationSet:
    """Recordings of one indicator.

    `decays` is 3 where frames are fast enough (29 Hz and more) to tell three decays of
    principal cells apart, else 2. `ceiling` bounds dF/F, with its source, where recordings
    show no saturation (the fit's maximum is beyond what the protein can do). `cleo` is the
    indicator of Cleo whose kinetics are compared, `s2f` the published set.
    """

    name: str
    display: str
    folder: str
    source: str
    decays: int = 3
    cleo: str = "gcamp6f"
    s2f: str | None = None
    ceiling: tuple[float, str] | None = None


SETS = (
    CalibrationSet(name="gcamp6f", display="GCaMP6f", folder="DS09-GCaMP6f-m-V1",
                   source=CHEN, s2f="gcamp6f", ceiling=CEILING_6F),
    CalibrationSet(name="gcamp6f_emx1", display="GCaMP6f, transgenic Emx1 line",
                   folder="DS10-GCaMP6f-m-V1-neuropil-corrected", source=HUANG,
                   s2f="gcamp6f_transgenic"),
    CalibrationSet(name="gcamp6s", display="GCaMP6s", folder="DS14-GCaMP6s-m-V1",
                   source=CHEN, cleo="gcamp6s", s2f="gcamp6s"),
    CalibrationSet(name="gcamp6s_teto", display="GCaMP6s, transgenic tetO line",
                   folder="DS12-GCaMP6s-m-V1-neuropil-corrected", source=HUANG,
                   cleo="gcamp6s", s2f="gcamp6s_transgenic"),
    CalibrationSet(name="gcamp5k", display="GCaMP5k", folder="DS17-GCaMP5k-m-V1",
                   source="Akerboom et al. 2012, J. Neurosci. 32:13819 (paired, mouse V1)",
                   decays=2, ceiling=CEILING_5K),
    CalibrationSet(name="jgcamp7f", display="jGCaMP7f", folder="DS29-GCaMP7f-m-V1",
                   source=ROZSA, cleo="jgcamp7f", s2f="jgcamp7f"),
    CalibrationSet(name="jgcamp8f", display="jGCaMP8f", folder="DS30-GCaMP8f-m-V1",
                   source=ROZSA, s2f="jgcamp8f"),
    CalibrationSet(name="jgcamp8m", display="jGCaMP8m", folder="DS31-GCaMP8m-m-V1",
                   source=ROZSA, s2f="jgcamp8m"),
    CalibrationSet(name="jgcamp8s", display="jGCaMP8s", folder="DS32-GCaMP8s-m-V1",
                   source=ROZSA, s2f="jgcamp8s"),
    CalibrationSet(name="xcamp_gf", display="XCaMP-Gf", folder="DS28-XCaMPgf-m-V1",
                   source=ROZSA, s2f="xcamp_gf"),
    CalibrationSet(name="jrgeco1a", display="jRGECO1a", folder="DS21-jGECO1a-m-V1",
                   source=DANA16),
    CalibrationSet(name="jrcamp1a", display="jRCaMP1a", folder="DS20-jRCaMP1a-m-V1",
                   source=DANA16, decays=2),
    CalibrationSet(name="ogb1", display="OGB-1", folder="DS01-OGB1-m-V1",
                   source=THEIS, decays=2),
    CalibrationSet(name="cal520", display="Cal-520", folder="DS03-Cal520-m-S1",
                   source="paired recordings in mouse S1 (set DS03)", decays=2),
    CalibrationSet(name="gcamp6f_pv", display="GCaMP6f in PV interneurons",
                   folder="DS24-GCaMP6f-m-PV-V1",
                   source="paired recordings of interneurons (set DS24)", decays=2,
                   ceiling=CEILING_6F),
    CalibrationSet(name="gcamp6f_sst", display="GCaMP6f in SST interneurons",
                   folder="DS25-GCaMP6f-m-SST-V1",
                   source="paired recordings of interneurons (set DS25)", decays=2),
)  # fmt: skip
