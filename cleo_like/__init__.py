"""cleo_like: a virtual patch-clamp and two-photon laboratory on Brian2.

The flow, in one line::

    picture | protocol -> stimulus -> patch pipette | scope on Brian2 cells (+ controller) -> Recording | Traces -> ABF | NWB
                                                                                                     |
    real file (ABF, NWB, DANDI) -------------------------------------> Recording | Traces -----------+-> matching -> features -> QC -> atlas -> report
                                                           ground truth: the same arrow with the answer known
"""  # noqa: E501

import importlib

from cleo_like import _moved

__version__ = "0.1.0"

# public name -> the module that has it; loaded on first use, so that importing the
# package costs numpy and attrs and nothing else
_WHERE = {
    "CLSimulator": "base",
    "IOProcessor": "base",
    "InSilicoCache": "sessions",
    "InSilicoExperiment": "sessions",
    "InSilicoSession": "sessions",
    "ImagingTruth": "core",
    "InterfaceDevice": "base",
    "LatencyIOProcessor": "ioproc",
    "NeoExportable": "base",
    "RecordOnlyProcessor": "ioproc",
    "Recorder": "base",
    "SessionPlan": "sessions",
    "Stepper": "engine.stepper",
    "Stimulator": "base",
    "SynapseDevice": "base",
    "Traces": "core",
    "CellModel": "cells",
    "CurrentClamp": "patch",
    "Digitiser": "patch",
    "DynamicClamp": "patch.clamp",
    "Dynamics": "cells",
    "Electrode": "patch",
    "ExternalProcessor": "remote",
    "FeatureTable": "features.table",
    "IdealElectrode": "patch",
    "Limits": "planning",
    "LiveCell": "patch.live",
    "PatchPipette": "patch",
    "Population": "cells",
    "VoltageClamp": "patch",
    "cell_features": "features.registry",
    "cell_names": "cells",
    "check": "planning",
    "chirp": "stimuli",
    "describe": "io",
    "design": "planning",
    "extract": "features.extract",
    "from_image": "stimuli",
    "experiment": "patch",
    "get_cell": "cells",
    "join_recordings": "core",
    "known_answers": "cells",
    "long_square": "stimuli",
    "match": "matching",
    "noise": "stimuli",
    "parse_protocol": "stimuli",
    "pulse_train": "stimuli",
    "quality": "qc",
    "ramp": "stimuli",
    "read": "io",
    "read_all": "io",
    "read_experiments": "io",
    "read_masks": "io",
    "read_protocol": "io",
    "record": "patch",
    "relief": "stimuli",
    "rheobase": "cells",
    "rig_names": "patch",
    "rig_preset": "patch",
    "sag_ladder": "stimuli",
    "short_square": "stimuli",
    "score_features": "groundtruth",
    "score_spikes": "groundtruth",
    "show_versions": "report.versions",
    "simulate_session": "sessions",
    "sine": "stimuli",
    "with_test_pulse": "stimuli",
    "write": "io",
    "ArrayFrames": "core",
    "Cell": "core",
    "ClampMode": "core",
    "Epoch": "core",
    "GroundTruth": "core",
    "FrameSource": "core",
    "ImagingExperiment": "core",
    "ImagingPlane": "core",
    "Motion": "core",
    "Protocol": "core",
    "Provenance": "core",
    "Recording": "core",
    "RoiMasks": "core",
    "Subject": "core",
    "Sweep": "core",
    "Window": "core",
}

_moved.install()

# modules that users of Cleo reach as attributes (`cleo.coords.assign_coords_...`)
_MODULES = (
    "atlas", "base", "coords", "imaging", "ioproc", "recorders", "responses", "sessions",
    "stimulators", "utilities", "viz",
)  # fmt: skip

# the other folders, reachable without an import of their own (`cl.features.impedance`)
_ROOMS = (
    "cells", "core", "engine", "features", "groundtruth", "io", "matching", "patch", "planning",
    "qc", "remote", "report", "stimuli",
)  # fmt: skip

# what Cleo has besides; a script that imports it is told what is missing
_OF_CLEO = ("ephys", "light", "opto", "registry")

# rooms of the simulated side
_SIMULATED = ("base", "cells", "engine", "ioproc", "patch", "planning", "remote", "sessions")

__all__ = ["__version__", *sorted(_WHERE), *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name in _MODULES or name in _ROOMS:
        return importlib.import_module(f"cleo_like.{name}")
    if name in _OF_CLEO:
        from cleo_like.core.errors import not_here_yet

        raise AttributeError(str(not_here_yet(name)))
    if name not in _WHERE:
        raise AttributeError(_unknown(name))
    if _WHERE[name].split(".")[0] in _SIMULATED:
        _need_brian2(name)
    value = getattr(importlib.import_module(f"cleo_like.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def _need_brian2(name: str) -> None:
    """Say what is missing where the package was installed for analysis only."""
    from importlib.util import find_spec

    try:
        found = find_spec("brian2")
    except ModuleNotFoundError:
        found = None
    if found is None:
        from cleo_like.core.errors import missing_package

        raise missing_package("brian2", f"cleo_like.{name}, which simulates,")


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, __all__, n=3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"module 'cleo_like' has no attribute {name!r}{hint}"


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
