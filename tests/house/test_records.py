"""Records of the package: which take keywords only, and which compare by value."""

import importlib
import inspect
import pkgutil

import attrs
import pytest

import cleo_like

BY_PLACE = 4
"""More fields than this are named where they are given, but for those of the list below."""
PLACED = {
    # Cleo's own classes, whose arguments have an order
    "imaging.calibrated.sensor.CalibratedSensor", "imaging.scope.Scope",
    "imaging.sensors.parts.LightExcitation", "imaging.sensors.sensor.Sensor",
    "imaging.sensors.sensor.GECI", "patch.clamp.dynamic.DynamicClamp",
    # small parts that are made in one place
    "engine.codegen.source._Writer", "engine.codegen.step.Part", "engine.runtime.program.Lost",
    "engine.runtime.program.Arguments", "features.registry.run._Row",
    "io.nwb.source.contents.Contents", "io.rigs.heka_tree.Node",
    "patch.backends.objects.BenchObjects", "stimuli.build.Timing",
    "stimuli.images.layout.Drive", "stimuli.images.layout.Layout",
    "stimuli.images.readout.RecordedRows",
}  # fmt: skip


def records():
    """Give every attrs class by its name."""
    found = {}
    for module in pkgutil.walk_packages(cleo_like.__path__, "cleo_like."):
        loaded = importlib.import_module(module.name)
        for name, cls in vars(loaded).items():
            if inspect.isclass(cls) and attrs.has(cls) and cls.__module__ == module.name:
                found[f"{module.name.removeprefix('cleo_like.')}.{name}"] = cls
    return found


@pytest.fixture(scope="module")
def every():
    found = records()
    assert len(found) > 300
    return found


def test_many_fields_are_named(every):
    placed = {
        name
        for name, cls in every.items()
        if len(init := [f for f in attrs.fields(cls) if f.init]) > BY_PLACE
        and not all(f.kw_only for f in init)
    }
    assert placed == PLACED


def test_arrays_are_never_compared_for_truth(every):
    """Two records of arrays compare by identity, or array by array: never a bare ValueError."""
    bare = [
        f"{name}.{f.name}"
        for name, cls in every.items()
        if cls.__eq__ is not object.__eq__
        for f in attrs.fields(cls)
        if "ndarray" in str(f.type) and f.eq is True and f.eq_key is None
    ]
    assert not bare
