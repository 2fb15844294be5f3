"""The compiler and the cache: broken, missing, full of rubbish, shared, unwritable."""

import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms, pA

from cleo_like import get_cell, long_square, record
from cleo_like.engine import toolchain
from cleo_like.engine.codegen import build
from cleo_like.engine.device import FallbackWarning


def forget():
    """Keep nothing of this process, as if it were a new one."""
    for function in (toolchain._find, toolchain._usable_folder, toolchain.load):
        function.cache_clear()
    build._built.clear()


@pytest.fixture(autouse=True)
def _forgetful():
    """Each test looks for compiler and cache anew, as a new process would."""
    forget()
    yield
    forget()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("CLEO_LIKE_CACHE", str(folder))
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """A list that grows with every call of the compiler."""
    calls = []
    really = toolchain._compile

    def counted(compiler, source, target):
        calls.append(source)
        really(compiler, source, target)

    monkeypatch.setattr(toolchain, "_compile", counted)
    return calls


def script(*, n=5, tau=10.0, top=2.0, dt=0.1, ref=1.0, ramp=(0.0, 1.0)):
    group = NeuronGroup(
        n, "dv/dt = (top - v + wave(t))/tau : 1\ntau : second (constant)", dt=dt * ms,
        method="euler", threshold="v > 1", reset="v = 0", refractory=f"{ref}*ms",
    )  # fmt: skip
    group.tau = tau * ms
    monitor = StateMonitor(group, "v", record=True)
    network = Network(group, monitor, SpikeMonitor(group))
    network.run(20 * ms, namespace={"top": top, "wave": TimedArray(np.array(ramp), dt=3 * ms)})
    return np.array(monitor.v)


def expected(device):
    with device("runtime"):
        return script()


def test_values_and_sizes_do_not_compile_again(device, cache, compilations):
    with device("sweeps"):
        script()
        assert len(compilations) == 1
        for changes in (
            {"n": 300},
            {"tau": 7.0},
            {"top": 3.0},
            {"dt": 0.05},
            {"ramp": (1, 2, 3)},
        ):
            script(**changes)
        assert len(compilations) == 1
        script(ref=2.0)  # it is part of the code, as the user wrote it
        assert len(compilations) == 2
    assert len(list(cache.glob("*.so"))) == 2
    assert len(list(cache.glob("*.json"))) == 2


def test_another_process_finds_it_in_the_cache(device, cache, compilations):
    with device("sweeps"):
        first = script()
        forget()
        np.testing.assert_array_equal(script(), first)
    assert len(compilations) == 1


def test_other_flags_and_another_compiler_do(device, cache, compilations, monkeypatch):
    with device("sweeps"):
        script()
        forget()
        monkeypatch.setattr(toolchain, "FLAGS", (*toolchain.FLAGS, "-DOTHER"))
        script()
        assert len(compilations) == 2
        forget()
        monkeypatch.setattr(toolchain, "machine", lambda: "another processor")
        script()
        assert len(compilations) == 3


@pytest.mark.parametrize("suffix", ["*.json", "*.so"])
@pytest.mark.parametrize("damage", ["empty", "half", "rubbish", "folder_of_bytes"])
def test_a_damaged_cache_mends_itself(device, cache, compilations, suffix, damage):
    """A library in use is mapped: damage goes to a new file under the old name."""
    with device("sweeps"):
        first = script()
        (path,) = cache.glob(suffix)
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes({
            "empty": b"", "half": whole[: len(whole) // 2], "rubbish": b"\xff\xfe not it",
            "folder_of_bytes": whole[:-40] + bytes(40),
        }[damage])  # fmt: skip
        forget()
        np.testing.assert_array_equal(script(), first)
    assert len(compilations) == (2 if suffix == "*.so" else 1)
    assert path.read_bytes()[:100] == whole[:100]


def test_a_cache_that_cannot_be_written(device, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("CLEO_LIKE_CACHE", str(blocked / "cache"))
    right = expected(device)
    with device("sweeps"):
        with pytest.warns(toolchain.CacheWarning, match="cannot be written.*CLEO_LIKE_CACHE"):
            found = script()
        np.testing.assert_allclose(found, right, rtol=1e-12)
        build._built.clear()
        script()  # said once


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache(device, cache):
    cache.mkdir()
    cache.chmod(0o500)
    with device("sweeps"), pytest.warns(toolchain.CacheWarning, match="cannot be written"):
        script()


def fake_compiler(folder, text):
    path = folder / "g++"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


BROKEN = {
    "fails": ("exit 3", "failed with code 3"),
    "prints rubbish": (r"printf '\377\376\200' >&2; exit 1", "failed with code 1"),
    "writes nothing": ("exit 0", "failed with code 0"),
    "writes no library": (
        'for last; do :; done; echo "not a library" > "$last"', "cannot be loaded"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_compiler_leaves_the_run_to_brian2(device, cache, tmp_path, monkeypatch, kind):
    text, reason = BROKEN[kind]
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, text))
    right = expected(device)
    with device("sweeps"), pytest.warns(FallbackWarning, match=reason):
        found = script()
    np.testing.assert_array_equal(found, right)
    if kind != "writes no library":
        assert not list(cache.glob("*.so"))
    assert not [p for p in cache.iterdir() if p.suffix not in {".so", ".json"}]


def test_cxx_false(device, cache, monkeypatch):
    monkeypatch.setenv("CXX", "/bin/false")
    with device("sweeps"), pytest.warns(FallbackWarning, match="/bin/false failed with code 1"):
        script()


def test_no_compiler_at_all(device, cache, monkeypatch):
    monkeypatch.setattr(toolchain, "find_compiler", lambda: None)
    right = expected(device)
    reason = r"no C\+\+ compiler found.*install"
    with device("sweeps"), pytest.warns(FallbackWarning, match=reason):
        found = script()
    np.testing.assert_array_equal(found, right)


PROGRAM = textwrap.dedent(
    """
    import numpy as np
    from brian2 import Network, NeuronGroup, ms, set_device
    import warnings
    from cleo_like.engine.device import FallbackWarning, register
    warnings.simplefilter("error", FallbackWarning)
    set_device(register())
    group = NeuronGroup(4, "dx/dt = (i - x)/(7*ms) : 1", method="euler", dt=0.1 * ms)
    Network(group).run(10 * ms)
    print(repr(group.x[:].sum()))
    """
)


def test_several_processes_on_one_empty_cache(cache):
    environment = dict(os.environ) | {"CLEO_LIKE_CACHE": str(cache)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in running]
    assert [p.returncode for p in running] == [0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert sorted(p.suffix for p in cache.iterdir()) == [".json", ".so"]


def test_a_method_that_is_an_object_is_told_apart(device, cache):
    """Two user-made integrators that look alike must not share a cached kernel."""
    from brian2.stateupdaters.base import StateUpdateMethod

    class Scaled(StateUpdateMethod):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, equations, variables=None, method_options=None):
            return f"x = {self.factor}*x"

    with device("sweeps"):
        for factor in (0.5, 0.25, 0.125):
            group = NeuronGroup(1, "dx/dt = -x/ms : 1", method=Scaled(factor), dt=0.1 * ms)
            group.x = 1
            Network(group).run(0.2 * ms)
            assert group.x[0] == factor**2


def test_a_method_registered_by_the_user_is_told_apart(device, cache):
    from brian2.stateupdaters.base import StateUpdateMethod

    def method(factor):
        class Mine(StateUpdateMethod):
            def __call__(self, equations, variables=None, method_options=None):
                return f"x = {factor}*x"

        return Mine()

    registered = StateUpdateMethod.stateupdaters
    try:
        for factor in (0.5, 0.25):
            registered["mine"] = method(factor)
            with device("sweeps"), warnings.catch_warnings():
                group = NeuronGroup(1, "dx/dt = -x/ms : 1", method="mine", dt=0.1 * ms)
                group.x = 1
                Network(group).run(0.1 * ms)
            assert group.x[0] == factor
    finally:
        registered.pop("mine", None)


@pytest.mark.parametrize("text", ["{wrapper} {compiler}", "{compiler} -m64", "{spaced}"])
def test_cxx_may_be_a_command(device, cache, tmp_path, monkeypatch, text):
    real = toolchain.find_compiler().command[0]
    wrapper, spaced = tmp_path / "ccache", tmp_path / "my compiler"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\nexec "$@"\n')
    spaced.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\nexec {real} "$@"\n')
    for path in (wrapper, spaced):
        path.chmod(0o755)
    monkeypatch.setenv("CXX", text.format(wrapper=wrapper, compiler=real, spaced=spaced))
    right = expected(device)
    with device("sweeps"):
        found = script()
    np.testing.assert_allclose(found, right, rtol=1e-12)
    assert (tmp_path / "log").exists() == ("m64" not in text)
    if "m64" in text:
        assert toolchain.find_compiler().command[1:] == ("-m64",)


@pytest.mark.parametrize("text", ["/nowhere/g++", "nowhere-ccache g++", "'g++"])
def test_cxx_that_is_no_command_is_refused(device, cache, monkeypatch, text):
    monkeypatch.setenv("CXX", text)
    with device("sweeps"), pytest.warns(FallbackWarning, match="CXX="):
        script()


def test_a_full_disk_under_the_cache(device, cache, monkeypatch):
    """The kernel is then kept in a temporary folder, with a warning."""

    def full(path):
        raise OSError(28, "No space left on device", str(path))

    right = expected(device)
    monkeypatch.setattr(toolchain, "atomic_path", full)
    with device("sweeps"), pytest.warns(toolchain.CacheWarning, match="No space left"):
        found = script()
    np.testing.assert_allclose(found, right, rtol=1e-12)
    assert not list(cache.glob("*.so"))


def test_no_room_anywhere_leaves_the_run_to_brian2(device, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    right = expected(device)
    monkeypatch.setattr(toolchain, "atomic_path", full)
    monkeypatch.setattr(toolchain, "_seal", full)
    with (
        device("sweeps"),
        pytest.warns(FallbackWarning, match="no room"),
        pytest.warns(toolchain.CacheWarning),
    ):
        found = script()
    np.testing.assert_array_equal(found, right)


def test_the_compiler_of_the_extra_is_the_last_resort(monkeypatch, tmp_path):
    """Package ``ziglang`` brings a C++ compiler to machines without one."""
    pytest.importorskip("ziglang")
    monkeypatch.delenv("CXX", raising=False)
    assert "zig" not in toolchain.find_compiler().path
    monkeypatch.setenv("PATH", str(tmp_path))
    found = toolchain.find_compiler()
    assert found == toolchain.zig()
    assert found.command[1:] == ("c++",)


@pytest.mark.slow  # builds its C++ library first, which takes minutes on one machine, once
@pytest.mark.parametrize("name", ["rs", "lts", "narrow_fs", "adex_tonic", "passive"])
def test_both_compilers_give_the_same_bits(name, cache, monkeypatch):
    pytest.importorskip("ziglang")
    protocol = long_square(amplitudes=[-50, 0, 100] * pA)
    answers = []
    for compiler in (toolchain.find_compiler(), toolchain.zig()):
        monkeypatch.setattr(toolchain, "find_compiler", lambda compiler=compiler: compiler)
        (recording,) = record(get_cell(name), protocol)
        answers.append(np.stack([sweep.response for sweep in recording.sweeps]))
        build._built.clear()
    assert len(list(cache.glob("*.so"))) == 2
    np.testing.assert_array_equal(*answers)
