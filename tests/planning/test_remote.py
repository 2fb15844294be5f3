"""A served cell: the message, lockstep, malformed input, clients that go away; a controller outside."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import threading
import time

import brian2 as b2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

zmq = pytest.importorskip("zmq")

from cleo_like import CLSimulator, record  # noqa: E402
from cleo_like.core import Protocol  # noqa: E402
from cleo_like.core.errors import InputError  # noqa: E402
from cleo_like.patch.live import LiveCell  # noqa: E402
from cleo_like.remote import (  # noqa: E402
    CellServer,
    ExternalProcessor,
    Kind,
    Message,
    MessageError,
    RemoteCell,
)
from cleo_like.remote.client import RemoteError  # noqa: E402
from cleo_like.remote.sockets import LARGEST  # noqa: E402

# --- the message ---

NAMES = st.text("abcdefgh_.0123456789", min_size=1, max_size=10)


@given(
    st.sampled_from([Kind.PLAY, Kind.STATE, Kind.CONTROL, Kind.START]),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.dictionaries(NAMES, st.lists(st.floats(width=64), max_size=20), max_size=5),
)
def test_messages_come_back_as_they_were(kind, number, count, arrays):
    sent = Message(
        kind=kind, number=number, count=count,
        arrays={name: ("V", np.array(values, float)) for name, values in arrays.items()},
    )  # fmt: skip
    got = Message.parse(sent.frames())
    assert (got.kind, got.number, got.count) == (kind, number, count)
    assert list(got.arrays) == list(arrays)
    for name, values in arrays.items():
        assert got.arrays[name][0] == "V"
        assert np.array_equal(got.arrays[name][1], np.array(values, float), equal_nan=True)


def test_the_bytes_are_those_of_the_documentation():
    frames = Message(
        kind=Kind.PLAY, number=3, count=5, arrays={"command": ("A", np.array([1.0, 2.0]))}
    ).frames()
    assert frames[0] == struct.pack("<4sHHQQ", b"CLK1", 1, 3, 3, 5)
    assert frames[1] == b"command A 2"
    assert frames[2] == struct.pack("<2d", 1.0, 2.0)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_are_a_message_or_an_error(frames):
    try:
        Message.parse(frames)
    except MessageError as error:
        said = str(error)
    else:
        said = "expected"
    assert "expected" in said


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 9), st.integers(0, 2))
def test_any_bytes_behind_a_good_header_too(frames, kind, version):
    try:
        Message.parse([struct.pack("<4sHHQQ", b"CLK1", version, kind, 1, 1), *frames])
    except MessageError as error:
        said = str(error)
    else:
        said = "expected"
    assert "expected" in said


# --- the server ---


@pytest.fixture(scope="module")
def server():
    with CellServer(LiveCell("rs", "multiclamp_700b", "20 kHz", seed=3), idle=0.6) as running:
        yield running


def command(n=2000):
    return np.repeat(np.random.default_rng(2).uniform(-1e-10, 6e-10, n // 100), 100)


def test_a_served_cell_gives_the_recording_bit_for_bit(server):
    w = command()
    protocol = Protocol(waveforms=w[np.newaxis], rate=2e4, family="arbitrary")
    (expected,) = record("rs", protocol, electrode=server.cell.pipette, seed=3, progress=False)
    with RemoteCell(server.endpoint) as cell:
        assert cell.info["rate"] == 2e4
        assert (cell.info["command_unit"], cell.info["response_unit"]) == ("A", "V")
        for _ in range(2):
            cell.start(len(w))
            got, spikes = [], []
            for block in np.split(w, 100):
                got.append(cell.play(block))
                spikes.append(cell.truth()[1])
            assert np.array_equal(
                np.concatenate(got), expected.sweeps[0].response.astype(float)
            )
            assert np.array_equal(np.concatenate(spikes), expected.truth.spike_times[0])


def test_a_client_that_asks_for_nonsense_is_told(server):
    with RemoteCell(server.endpoint) as cell:
        with pytest.raises(InputError, match="n_samples must be 0 or more, got -3"):
            cell.start(-3)
        with pytest.raises(InputError, match=r"n_samples must be a whole number, got 2\.5"):
            cell.start(2.5)
        with pytest.raises(InputError, match="sweep must be 0 or more"):
            cell.start(10, sweep=-1)
        cell.start(4)
        for wrong in (["x"], [[1.0], [1.0, 2.0]], "3 pA"):
            with pytest.raises(InputError, match="command must be numbers in A"):
                cell.play(wrong)
        assert cell.play(np.zeros(4)).shape == (4,)  # the link is as it was


def bad_messages(n):
    """Damaged, truncated, oversized, of other versions, and nonsense."""
    rng = np.random.default_rng(0)
    good = Message(kind=Kind.PLAY, number=9, arrays={"command": ("A", np.zeros(20))}).frames()
    makers = [
        lambda: [rng.bytes(int(rng.integers(1, 60))) for _ in range(int(rng.integers(1, 5)))],
        lambda: good[:2],
        lambda: [good[0][:-1], *good[1:]],
        lambda: [good[0], good[1], good[2][:-3]],
        lambda: [good[0], b"command A 21", good[2]],
        lambda: [good[0], b"command A -20", good[2]],
        lambda: [good[0], b"command V 20", good[2]],
        lambda: [good[0], b"command A 4 5", good[2]],
        lambda: [good[0], b"\xff\xfe\x00", good[2]],
        lambda: [good[0], *good[1:], *good[1:]],
        lambda: [struct.pack("<4sHHQQ", b"CLK1", 2, 3, 9, 0), *good[1:]],
        lambda: [struct.pack("<4sHHQQ", b"CLK1", 1, 77, 9, 0), *good[1:]],
        lambda: [struct.pack("<4sHHQQ", b"XXXX", 1, 3, 9, 0), *good[1:]],
        lambda: [good[0], good[1], np.full(20, np.nan).tobytes()],
        lambda: [good[0], good[1], np.full(20, 1.0).tobytes()],
        lambda: [good[0], b"command A 100000", bytes(800_000)],
        lambda: [good[0], b"command A 2000000", bytes(16_000_000)],
        lambda: [good[0]] + [b"x"] * 400,
        lambda: Message(kind=Kind.CONTROL, number=9).frames(),
        lambda: Message(kind=Kind.START, number=9, count=10**12).frames(),
        lambda: Message(kind=Kind.START, number=9, arrays={"at": ("s", np.array([-1.0]))}).frames(),
        lambda: Message(kind=Kind.START, number=9, arrays={"sweep": ("1", np.array([np.inf]))}).frames(),
        lambda: Message(kind=Kind.INFO, number=9, text="hello").frames(),
    ]  # fmt: skip
    return [makers[k % len(makers)]() for k in range(n)]


def test_a_thousand_bad_messages_are_a_thousand_errors_and_nothing_is_lost(server):
    w = command()
    with RemoteCell(server.endpoint) as cell:
        cell.start(len(w))
        whole = cell.play(w)
        cell.start(len(w))
        first = cell.play(w[:1000])
        socket = cell._link._socket
        for frames in bad_messages(1000):
            socket.send_multipart(frames)
            assert socket.poll(5000)
            answer = Message.parse(socket.recv_multipart())
            assert answer.kind is Kind.ERROR
            assert answer.text
        assert np.array_equal(np.concatenate([first, cell.play(w[1000:])]), whole)


def test_a_lost_answer_can_be_asked_for_again(server):
    with RemoteCell(server.endpoint) as cell:
        cell.start(2000)
        frames = Message(
            kind=Kind.PLAY, number=1000, arrays={"command": ("A", np.full(20, 1e-10))}
        ).frames()
        socket = cell._link._socket
        answers = []
        for _ in range(2):
            socket.send_multipart(frames)
            answers.append(socket.recv_multipart())
        assert answers[0] == answers[1]
        assert Message.parse(answers[1]).count == 20


def test_one_client_at_a_time(server):
    with RemoteCell(server.endpoint), pytest.raises(RemoteError, match="another client"):
        RemoteCell(server.endpoint)
    with RemoteCell(server.endpoint) as cell:
        assert cell.play(np.zeros(20)).shape == (20,)


def test_a_silent_client_gives_way(server):
    first = RemoteCell(server.endpoint)
    time.sleep(0.8)
    with RemoteCell(server.endpoint) as cell:
        cell.play(np.zeros(20))
        with pytest.raises(RemoteError, match="another client"):
            first.play(np.zeros(20))
    first._link.close()


KILLED = """
import sys, numpy as np
from cleo_like.remote import RemoteCell
cell = RemoteCell(sys.argv[1])
print("in", flush=True)
while True:
    cell.play(np.full(20000, 1e-10))
"""


def test_a_client_killed_in_a_block_leaves_the_cell_to_the_next():
    with CellServer(LiveCell("rs", "ideal", "20 kHz"), idle=1000) as running:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, running.endpoint], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"in\n"
        time.sleep(0.3)
        process.kill()
        process.wait()
        process.stdout.close()
        deadline = time.monotonic() + 10
        while True:
            try:
                cell = RemoteCell(running.endpoint)
                break
            except RemoteError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        with cell:
            assert cell.play(np.zeros(20))[0] == pytest.approx(-0.0703, abs=2e-3)


def test_it_listens_on_the_loopback_and_says_when_it_cannot(server):
    assert server.endpoint.startswith("tcp://127.0.0.1:")
    port = int(server.endpoint.rsplit(":", 1)[1])
    with pytest.raises(InputError, match=f"{port}"):
        CellServer(server.cell, port=port)
    with pytest.raises(InputError, match="65535"):
        CellServer(server.cell, port=70000)
    with pytest.raises(RemoteError, match="no answer"):
        RemoteCell("tcp://127.0.0.1:9", timeout=0.1)
    with pytest.raises(RemoteError, match="tcp://"):
        RemoteCell("localhost")


# --- a controller outside ---


class Controller(threading.Thread):
    """A proportional controller with plain ZeroMQ."""

    def __init__(self, answer=None):
        super().__init__(daemon=True)
        self.socket = zmq.Context.instance().socket(zmq.REP)
        self.endpoint = f"tcp://127.0.0.1:{self.socket.bind_to_random_port('tcp://127.0.0.1')}"
        self.seen, self.own, self.running = [], answer, True

    def run(self):
        while self.running:
            if not self.socket.poll(50):
                continue
            message = Message.parse(self.socket.recv_multipart())
            self.seen.append(message)
            arrays = self.own or {"I": ("1", 10 * (-0.06 - message.arrays["V"][1]))}
            self.socket.send_multipart(
                Message(kind=Kind.CONTROL, number=message.number, arrays=arrays).frames()
            )
        self.socket.close(0)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.join()


def loop(endpoint, **options):
    from cleo_like.recorders import VoltageRecorder
    from cleo_like.stimulators import StateVariableSetter

    b2.prefs.codegen.target = "numpy"
    group = b2.NeuronGroup(
        2,
        "dv/dt = (-70*mV - v + I*100*Mohm)/(10*ms) : volt\nI : amp",
        method="exact",
        dt=0.1 * b2.ms,
    )
    group.v = -70 * b2.mV
    sim = CLSimulator(b2.Network(group))
    sim.inject(VoltageRecorder(name="V"), group)
    sim.inject(StateVariableSetter(name="I", variable_to_ctrl="I", unit=b2.nA), group)
    processor = ExternalProcessor(endpoint, 1 * b2.ms, **options)
    sim.set_io_processor(processor)
    return sim, group, processor


def test_a_controller_outside_closes_the_loop():
    with Controller() as controller:
        sim, group, processor = loop(controller.endpoint, latency="2 ms")
        sim.run(200 * b2.ms)
        processor.close()
        # v = -70 + 100 Mohm 10 nA/V (-60 - v): halfway
        assert np.asarray(group.v) == pytest.approx(-0.065, abs=1e-4)
        state = controller.seen[5].arrays
        assert state["V"][0] == "V"
        assert state["V"][1].shape == (2,)
        assert state["time"][1] == pytest.approx([5e-3])
    assert len(processor.latencies) == 200
    assert 0 < np.median(processor.latencies) < 0.1


def test_a_latency_that_is_told_is_kept():
    with Controller(
        {"I": ("1", np.array([0.1])), "latency": ("s", np.array([4e-3]))}
    ) as controller:
        sim, _, processor = loop(controller.endpoint)
        sim.run(10 * b2.ms)
        processor.close()
    times = sim.stimulators["I"].t_ms
    assert times[1] == pytest.approx(4.0)


def test_a_controller_that_is_not_there_is_told():
    sim, _, processor = loop("tcp://127.0.0.1:9", timeout=0.1)
    with pytest.raises(RemoteError, match="no answer"):
        sim.run(1 * b2.ms)
    processor.close()
    with pytest.raises(InputError, match="latency"):
        ExternalProcessor("tcp://127.0.0.1:9", latency="-1 ms")


# --- the command line ---


def test_the_command_line_serves(tmp_path):
    code = "from cleo_like.cli import main; main()"
    arguments = [
        "serve",
        "--cell",
        "passive",
        "--rig",
        "multiclamp_700b",
        "--rs",
        "15Mohm",
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", code, *arguments], stdout=subprocess.PIPE, cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509  # as behind an "&"
    )  # fmt: skip
    try:
        line = process.stdout.readline().decode()
        endpoint = next(word for word in line.split() if word.startswith("tcp://"))
        with RemoteCell(endpoint) as cell:
            assert (
                json.loads(json.dumps(cell.info))["rig"]["electrode"]["access_resistance"]
                == 15e6
            )
            assert cell.play(np.zeros(20)).shape == (20,)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == b"stopped\n"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_frame_that_is_too_large_is_answered():
    """Just inside: an error about samples; just outside: one about bytes; the cell lives."""
    with CellServer(LiveCell("passive", "ideal", "20 kHz")) as server:
        context = zmq.Context()
        socket = context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 60_000)
        socket.connect(server.endpoint)
        for size, words in ((LARGEST, "samples"), (LARGEST + 8, "larger than 64 MB")):
            header = Message(kind=Kind.PLAY, number=5).frames()[0]
            label = f"command A {size // 8}".encode()
            socket.send_multipart([header, label, bytes(size)])
            answer = Message.parse(socket.recv_multipart())
            assert answer.kind is Kind.ERROR
            assert words in answer.text
            assert answer.number == 5
        socket.send_multipart(
            Message(
                kind=Kind.PLAY, number=6, arrays={"command": ("A", np.zeros(3))}
            ).frames()
        )  # fmt: skip
        assert Message.parse(socket.recv_multipart()).kind is Kind.PLAY
        socket.close()
        context.term()
