"""What other people's extractors may do: fail, hang, crash, print, answer with texts."""

import os
import sys
import time

import numpy as np
import pytest

from cleo_like.core.errors import FileFormatError, InputError, UnknownNameError
from cleo_like.features.registry import Extracted
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth import Method, command_method, method_named, of_function
from cleo_like.groundtruth.added import add_command, added_methods
from cleo_like.groundtruth.extractors.command import read_table
from cleo_like.groundtruth.extractors.definitions import EFEL, NATIVE, differs
from cleo_like.groundtruth.extractors.guard import Guard
from tests.groundtruth.conftest import STEP


def small():
    t = np.arange(8000) / 10e3
    current = np.array([[-50.0], [20.0]]) * ((t >= 0.2) & (t < 0.7))
    return SweepStack(voltage_mv=-70 + 0.1 * current, current_pa=current, rate=10e3)


def asked(function, **more):
    with Guard(of_function(function)) as guard:
        if more:
            guard.method = Method(name="m", run=guard.method.run, **more)
        return guard.ask(small(), STEP)


def test_an_answer_arrives_from_its_own_process():
    here = os.getpid()

    def mine(stack, step, parameters):
        return {"tau": 0.02, "other_process": float(os.getpid() != here)}

    found = asked(mine)
    assert (found.status, dict(found.values)) == ("ok", {"tau": 0.02, "other_process": 1.0})


def test_what_it_prints_is_kept_and_not_shown(capfd):
    def chatty(stack, step, parameters):
        print("spikes found")  # noqa: T201
        os.write(1, b"from C\n")
        return {"tau": 0.02}

    found = asked(chatty)
    assert found.printed == "spikes found\n"
    assert capfd.readouterr().out == ""


def test_a_hang_is_a_timeout_and_the_next_recording_goes_on():
    calls = []

    def hangs(stack, step, parameters):
        if stack.n_sweeps == 2:
            time.sleep(60)
        return {"tau": 0.02}

    method = Method(name="h", run=of_function(hangs).run, timeout=0.3)
    with Guard(method) as guard:
        assert guard.ask(small(), STEP).status == "timeout"
        one = small().take(np.array([0]))
        assert guard.ask(one, STEP).status == "ok"
    assert not calls


def test_a_crash_is_a_result():
    def dies(stack, step, parameters):
        os._exit(11)

    found = asked(dies)
    assert (found.status, found.why) == ("crashed", "its process ended with 11")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"tau": "20 ms"}, "not numbers: tau"),
        ({"tau": None}, "not numbers: tau"),
        ([1, 2], "it gave a list"),
        (Extracted(values={}, spikes={"sweep": [0], "peak_t": ["0.3"]}), "not numbers: peak_t"),
    ],
)
def test_nonsense_is_a_failure_with_a_name(answer, why):
    found = asked(lambda stack, step, parameters: answer)
    assert found.status == "failed"
    assert why in found.why


def test_what_it_raises_is_said():
    found = asked(lambda stack, step, parameters: 1 / 0)
    assert found.why == "ZeroDivisionError: division by zero"


def test_what_it_raises_may_be_of_a_class_of_its_own():
    class NoSpikesError(Exception):
        pass

    def mine(stack, step, parameters):
        raise NoSpikesError("in sweep 3")

    found = asked(mine)
    assert (found.status, found.why) == ("failed", "NoSpikesError: in sweep 3")


@pytest.mark.parametrize(
    ("row", "status"), [(1, "ok"), (2, "failed"), (-1, "failed"), (np.nan, "failed")]
)
def test_spikes_of_a_sweep_that_is_not_there(row, status):
    """The last of two sweeps is 1; what lies beside it must not reach the scores."""

    def mine(stack, step, parameters):
        return Extracted(values={}, spikes={"sweep": [row], "peak_t": [0.3]})

    found = asked(mine)
    assert found.status == status
    assert status == "ok" or "the stack has 0 to 1" in found.why


def test_values_of_other_sweeps_than_there_are():
    def mine(stack, step, parameters):
        return Extracted(values={}, sweeps={"avg_rate": [0.0, 2.0, 4.0]})

    assert "has 3 values, expected 2" in asked(mine).why


def test_an_unknown_one():
    with pytest.raises(UnknownNameError, match=r"nativ.*native"):
        method_named("nativ")


SCRIPT = """
import sys
source, target, start = sys.argv[1:4]
rows = open(source).read().splitlines()
assert rows[0] == "time_s,v_mV_0,i_pA_0,v_mV_1,i_pA_1", rows[0]
assert len(rows) == 8001
first = float(rows[1].split(",")[1])
open(target, "w").write(f"level,sweep,spike,name,value\\ncell,,,v_baseline,{first}\\n"
    f"spike,1,0,peak_t,{start}\\nsweep,0,,latency,0.01\\n")
"""


def test_a_command_reads_a_file_and_writes_a_table(tmp_path):
    script = tmp_path / "measure.py"
    script.write_text(SCRIPT)
    command = f"{sys.executable} {script} {{input}} {{output}} {{start}}"
    with Guard(command_method("mine", command, file_format="csv")) as guard:
        found = guard.ask(small(), STEP)
    assert found.status == "ok", found.why
    assert dict(found.values) == {"v_baseline": -70.0}
    assert found.spikes["peak_t"].tolist() == [0.2]
    assert found.spikes["sweep"].tolist() == [1]
    np.testing.assert_array_equal(found.sweeps["latency"], [0.01, np.nan])


@pytest.mark.parametrize("kind", ["abf", "nwb"])
def test_a_command_is_given_a_file_that_opens(tmp_path, kind):
    copy = f"import shutil,sys; shutil.copy(sys.argv[1], r'{tmp_path}'); open(sys.argv[2],'w').write('tau\\n0.02\\n')"
    script = tmp_path / "copy.py"
    script.write_text(copy)
    command = f"{sys.executable} {script} {{input}} {{output}}"
    with Guard(command_method("mine", command, file_format=kind)) as guard:
        assert guard.ask(small(), STEP).status == "ok"
    from cleo_like.io import read

    back = read(tmp_path / f"cell.{kind}")
    np.testing.assert_allclose(back.sweeps[1].response * 1e3, small().voltage_mv[1], atol=0.01)
    np.testing.assert_allclose(back.sweeps[1].command * 1e12, small().current_pa[1], atol=0.1)


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("import time; time.sleep(60)", "timeout", "no answer within 1 s"),
        ("raise SystemExit('no licence')", "failed", "ended with 1: no licence"),
        ("import os; os.abort()", "crashed", "was ended by signal 6"),
        ("pass", "failed", "wrote no file"),
        ("import sys; open(sys.argv[2],'w').write('tau\\nlong\\n')", "failed", "tau is 'long'"),
    ],
)
def test_a_command_that_goes_wrong(tmp_path, code, status, why):
    script = tmp_path / "bad.py"
    script.write_text(code)
    command = f"{sys.executable} {script} {{input}} {{output}}"
    with Guard(command_method("bad", command, file_format="csv", timeout=1)) as guard:
        found = guard.ask(small(), STEP)
    assert (found.status, why in found.why) == (status, True), found.why


def test_a_program_that_is_not_there():
    with Guard(command_method("x", "no-such-program {input} {output}")) as guard:
        assert "there is no program 'no-such-program'" in guard.ask(small(), STEP).why


@pytest.mark.parametrize(
    ("command", "kind", "error", "said"),
    [
        ("measure {input}", "abf", InputError, "needs {input} and {output}"),
        ("measure {input} {output}", "xls", UnknownNameError, "xls"),
    ],
)
def test_wrong_commands(command, kind, error, said):
    with pytest.raises(error, match=said):
        command_method("x", command, file_format=kind)


def test_wide_tables():
    spikes = read_table("sweep,peak_t,width\n0,0.3,0.001\n1,0.4,nan\n", 2).spikes
    assert spikes["peak_t"].tolist() == [0.3, 0.4]
    sweeps = read_table("sweep,latency\n1,0.05\n", 3).sweeps
    np.testing.assert_array_equal(sweeps["latency"], [np.nan, 0.05, np.nan])
    assert read_table("", 2).values == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level,sweep,spike,name,value\nneuron,,,tau,1\n", "level is cell, sweep or spike"),
        ("level,sweep,spike,name,value\nsweep,2,,latency,1\n", "sweep 2 is not there.*0 to 1"),
        ("level,sweep,spike,name,value\nsweep,-1,,latency,1\n", "sweep -1 is not there"),
        ("sweep,latency\n2,0.05\n", "sweep 2 is not there.*0 to 1"),
        ("sweep,latency\n0.5,0.05\n", "sweep 0.5 is not there"),
    ],
)
def test_tables_that_cannot_be_read(text, said):
    with pytest.raises(FileFormatError, match=said):
        read_table(text, 2)


def test_added_programs_are_remembered(tmp_path):
    add_command(tmp_path, "mine", "a {input} {output}", definitions={"width": "at base"})
    (found,) = added_methods(tmp_path)
    assert (found.name, dict(found.definitions)) == ("mine", {"width": "at base"})
    with pytest.raises(InputError, match="extractor of this package"):
        add_command(tmp_path, "efel", "a {input} {output}")
    (tmp_path / "extractors.json").write_text("{")
    with pytest.raises(FileFormatError, match="add the extractors again"):
        added_methods(tmp_path)


def test_definitions_are_about_features_that_exist():
    assert set(EFEL) <= set(NATIVE)
    assert differs({"width": "at base"}, "width")
    assert not differs({}, "width")
    assert not differs({"width": NATIVE["width"]}, "width")
