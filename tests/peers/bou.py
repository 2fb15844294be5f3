"""Start of a peer script: brain_observatory_utilities without AllenSDK, and an experiment."""

START = """
import importlib.abc, importlib.machinery, json, sys, warnings
from types import SimpleNamespace
from unittest.mock import MagicMock
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
class Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("allensdk", "seaborn", "statsmodels"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Stub())
from brain_observatory_utilities.utilities import general_utilities as general
from brain_observatory_utilities.datasets.optical_physiology import data_formatting as ophys
data = dict(np.load(sys.argv[1], allow_pickle=False))
ids = pd.Index(data["ids"], name="cell_specimen_id")
def table(**columns):
    rows = {k: list(data[v]) if isinstance(v, str) else v for k, v in columns.items()}
    return pd.DataFrame({"cell_roi_id": data["rois"], **rows}, index=ids)
starts = data["starts"]
experiment = SimpleNamespace(
    ophys_timestamps=data["t"], dff_traces=table(dff="dff"),
    events=table(events="events", filtered_events="filtered", lambdas=1.0, noise_stds=0.1),
    cell_specimen_table=table(valid_roi=data["valid"]),
    stimulus_presentations=pd.DataFrame(
        {"start_time": starts, "stop_time": starts + 0.25, "end_time": starts + 0.25,
         "is_change": data["is_change"], "omitted": data["omitted"], "stimulus_block": 0,
         "image_name": "im", "active": True,
         "stimulus_block_name": "change_detection_behavior"},
        index=pd.Index(np.arange(starts.size), name="stimulus_presentations_id")),
    metadata={"ophys_frame_rate": float(data["rate"])},
)
"""


def arrays_of(experiment):
    """What `START` needs to rebuild an experiment."""
    import numpy as np

    table = experiment.stimulus_presentations
    return {
        "t": experiment.ophys_timestamps,
        "dff": np.stack(list(experiment.dff_traces["dff"])),
        "events": np.stack(list(experiment.events["events"])),
        "filtered": np.stack(list(experiment.events["filtered_events"])),
        "ids": experiment.dff_traces.index.to_numpy(),
        "rois": experiment.dff_traces["cell_roi_id"].to_numpy(),
        "valid": experiment.cell_specimen_table["valid_roi"].to_numpy(),
        "starts": table["start_time"].to_numpy(),
        "is_change": table["is_change"].to_numpy(),
        "omitted": table["omitted"].to_numpy(),
        "rate": experiment.metadata["ophys_frame_rate"],
    }
