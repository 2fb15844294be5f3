"""A served cell: the message, lockstep, malformed input, clients that go away; a controller outside."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import socket
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
from cleo_like.core.errors import InputError, UnitError  # noqa: E402
from cleo_like.patch.live import LiveCell  # noqa: E402
from cleo_like.remote import (  # noqa: E402
    CellServer,
    ExternalProcessor,
    Kind,
    Message,
    MessageError,
    RemoteCell,
    zmtp,
)
from cleo_like.remote.link import RemoteError  # noqa: E402
from cleo_like.remote.zmtp import LARGEST, frame  # noqa: E402

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


@contextlib.contextmanager
def plain(endpoint, kind=zmq.REQ):
    """A client of libzmq: what other programs are."""
    context = zmq.Context()
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, 60_000)
    socket.connect(endpoint)
    front = [] if kind == zmq.REQ else [b""]

    def ask(frames):
        socket.send_multipart([*front, *frames])
        return Message.parse(socket.recv_multipart()[len(front) :])

    try:
        yield ask
    finally:
        socket.close(0)
        context.term()


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
        for wrong in ("x", "-1 ms", -1, np.nan, None, [1, 2], "3 mV"):
            with pytest.raises((InputError, UnitError), match="at"):
                cell.start(10, at=wrong)
        cell.start(4, at="20 ms")
        for wrong in (["x"], [[1.0], [1.0, 2.0]], "3 pA", "3 mV", [-70.0] * b2.mV, {"a": 1}):
            with pytest.raises((InputError, UnitError), match="command"):
                cell.play(wrong)
        assert cell.play([0.0, 10.0] * b2.pA).shape == (2,)  # the link is as it was


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
    with plain(server.endpoint) as ask:

        def play(part):
            sent = Message(kind=Kind.PLAY, number=next(count), arrays={"command": ("A", part)})
            return ask(sent.frames()).arrays["response"][1]

        count = itertools.count(10)
        start = Message(kind=Kind.START, number=1, count=len(w)).frames()
        ask(start)
        whole = play(w)
        ask(Message(kind=Kind.START, number=2, count=len(w)).frames())
        first = play(w[:1000])
        for frames in bad_messages(1000):
            answer = ask(frames)
            assert answer.kind is Kind.ERROR
            assert answer.text
        assert np.array_equal(np.concatenate([first, play(w[1000:])]), whole)


def test_a_lost_answer_can_be_asked_for_again(server):
    with plain(server.endpoint) as ask:
        frames = Message(
            kind=Kind.PLAY, number=1000, arrays={"command": ("A", np.full(20, 1e-10))}
        ).frames()
        answers = [ask(frames) for _ in range(2)]
        assert answers[0].frames() == answers[1].frames()
        assert answers[1].count == 20


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
    with (
        CellServer(LiveCell("passive", "ideal", "20 kHz")) as server,
        plain(server.endpoint) as ask,
    ):
        for size, words in ((LARGEST, "samples"), (LARGEST + 8, "larger than 64 MB")):
            header = Message(kind=Kind.PLAY, number=5).frames()[0]
            label = f"command A {size // 8}".encode()
            answer = ask([header, label, bytes(size)])
            assert answer.kind is Kind.ERROR
            assert words in answer.text
            assert answer.number == 5
        fine = Message(kind=Kind.PLAY, number=6, arrays={"command": ("A", np.zeros(3))})
        assert ask(fine.frames()).kind is Kind.PLAY


@pytest.mark.parametrize("kind", [zmq.REQ, zmq.DEALER])
def test_sockets_of_libzmq_are_understood(server, kind):
    """Blocks shorter and longer than a short frame of the wire (255 bytes) and than a piece."""
    with plain(server.endpoint, kind) as ask:
        for number, n in enumerate((1, 31, 32, 60_000), 1):
            sent = Message(
                kind=Kind.PLAY, number=number, arrays={"command": ("A", np.zeros(n))}
            )
            assert len(ask(sent.frames()).arrays["response"][1]) == n


def test_a_wire_that_is_no_zeromq_is_closed_and_nothing_else(server):
    """Other programs that come to the port: a browser, old ZeroMQ, noise, silence."""
    where = server.endpoint.removeprefix("tcp://").split(":")
    with RemoteCell(server.endpoint) as cell:
        rng = np.random.default_rng(1)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
        for said in (
            b"GET / HTTP/1.1\r\n\r\n" + bytes(100), rng.bytes(500), b"\xff" + bytes(8) + b"\x7f\x01" + bytes(60),
            greeting[:12] + b"PLAIN" + greeting[17:], greeting + b"\x00\x03abc", greeting + b"\xff" * 20,
            greeting + b"\x02" + (2**40).to_bytes(8, "big"),
        ):  # fmt: skip
            with socket.create_connection(where, timeout=20) as stranger:
                stranger.sendall(said)
                stranger.shutdown(socket.SHUT_WR)
                assert b"CLK1" not in b"".join(iter(lambda s=stranger: s.recv(4096), b""))
            assert cell.play(np.zeros(20)).shape == (20,)
        with socket.create_connection(where):  # says nothing, and nobody waits for it
            assert cell.play(np.zeros(20)).shape == (20,)


def test_the_wire_in_pieces_of_any_size(server):
    """One byte at a time, and several messages at once: the same answers."""
    where = server.endpoint.removeprefix("tcp://").split(":")
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
    ready = frame(b"\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ", 4)
    asked = [
        Message(kind=Kind.PLAY, number=n, arrays={"command": ("A", np.zeros(3))}).frames()
        for n in (1, 2)
    ]
    wire = greeting + ready + b"".join(
        frame(part, k < 3) for one in asked for k, part in enumerate([b"", *one])
    )  # fmt: skip
    answers = []
    for size in (1, 7, len(wire)):
        with socket.create_connection(where, timeout=20) as client:
            for k in range(0, len(wire), size):
                client.sendall(wire[k : k + size])
            client.shutdown(socket.SHUT_WR)
            answers.append(b"".join(iter(lambda s=client: s.recv(4096), b"")))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0].count(b"CLK1") == 2


def test_a_client_that_does_not_read_loses_its_connection_not_the_cell(server, monkeypatch):
    monkeypatch.setattr(zmtp, "_UNREAD", 2_000_000)
    where = server.endpoint.removeprefix("tcp://").split(":")
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
    ready = frame(b"\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ", 4)
    with socket.create_connection(where) as deaf:
        deaf.settimeout(20)
        deaf.sendall(greeting + ready)
        with contextlib.suppress(OSError):
            for number in range(1, 100):  # of 0.4 MB each
                one = Message(
                    kind=Kind.PLAY, number=number, arrays={"command": ("A", np.zeros(50_000))}
                )
                parts = [b"", *one.frames()]
                deaf.sendall(b"".join(frame(p, k < 3) for k, p in enumerate(parts)))
        with RemoteCell(server.endpoint) as cell:
            assert cell.play(np.zeros(20)).shape == (20,)
