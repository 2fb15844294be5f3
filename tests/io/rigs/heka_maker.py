"""A small PatchMaster bundle, byte by byte, from HEKA's descriptions of its records."""

from __future__ import annotations

import struct

import numpy as np

PULSED = (640, 144, 1408, 288, 512)  # root, group, series, sweep, trace
STIMULUS = (584, 280, 400, 96)  # root, stimulation, channel, segment


def record(size, order, **fields):
    """Put fields ``at_<offset>=(form, value)`` into a record of zeros."""
    raw = bytearray(size)
    for name, (form, value) in fields.items():
        struct.pack_into(f"{order}{form}", raw, int(name[3:]), value)
    return bytes(raw)


def node(raw, children, order):
    return raw + struct.pack(f"{order}i", len(children)) + b"".join(children)


def tree(sizes, root, order):
    magic = b"eerT" if order == "<" else b"Tree"
    return magic + struct.pack(f"{order}{1 + len(sizes)}i", len(sizes), *sizes) + root


def segment(order, value, duration, *, kind=0, step=0.0, factor=1.0):
    fields = {
        "at_4": ("B", kind), "at_5": ("B", 1), "at_8": ("d", value), "at_20": ("d", factor),
        "at_28": ("d", step), "at_36": ("d", duration), "at_48": ("d", 1.0),
    }  # fmt: skip
    return node(record(96, order, **fields), [], order)


def bundle(
    path, *, order="<", segments=None, unit="A", mode=4, monitor=True, flags=1, sweeps=3,
    rate=20e3, counts=None,
):  # fmt: skip
    """Write a file; potentials are counts of 0.1 mV, monitors counts of 0.1 pA.

    `segments` are (class, value in nA or V, duration in s, step from sweep to sweep).
    """
    segments = segments or [(0, 0.0, 0.1, 0.0), (0, -0.05, 0.2, 0.05), (0, 0.0, 0.1, 0.0)]
    n = round(sum(s[2] for s in segments) * rate)
    rng = np.random.default_rng(1)
    data, places = bytearray(256), []
    if counts is None:
        counts = [rng.integers(-800, -600, (2, n)) for _ in range(sweeps)]
    for pair in counts:
        for row in pair:
            places.append(len(data))
            data += row.astype(f"{order}i2").tobytes()
    traces = iter(places)
    nodes = []
    for k in range(sweeps):
        own = []
        for label, y, scale in (("Vmon-1", b"V", 1e-4), ("Imon-1", b"A", 1e-13)):
            at = next(traces)
            if label.startswith("Imon") and not monitor:
                continue
            own.append(node(record(
                512, order, at_4=("32s", label.encode()), at_40=("i", at), at_44=("i", n),
                at_64=("H", 1 if order == "<" else 0), at_68=("B", mode), at_69=("B", 1),
                at_70=("B", 0), at_72=("d", scale), at_96=("8s", y), at_104=("d", 1 / rate),
                at_120=("8s", b"s"), at_176=("d", 2e-11), at_184=("d", 1e-7),
            ), [], order))  # fmt: skip
        nodes.append(node(record(
            288, order, at_4=("32s", b"sweep"), at_40=("i", 1), at_44=("i", k + 1),
            at_48=("d", 9.5e8 + 2.0 * k),
        ), own, order))  # fmt: skip
    series = node(record(1408, order, at_4=("32s", b"IV"), at_136=("d", 9.5e8)), nodes, order)
    group = node(record(144, order, at_4=("32s", b"cell 7"), at_120=("i", 1)), [series], order)
    root = node(
        record(640, order, at_8=("32s", b"v2x90.2"), at_520=("d", 9.5e8)), [group], order
    )
    pulsed = tree(PULSED, root, order)
    drawn = [segment(order, v, d, kind=k, step=s) for k, v, d, s in segments]
    channel = node(record(
        400, order, at_25=("B", 2 if unit == "A" else 1), at_40=("8s", unit.encode()),
        at_76=("H", flags),
    ), drawn, order)  # fmt: skip
    stimulus = node(record(
        280, order, at_4=("32s", b"IV"), at_112=("d", 1 / rate), at_144=("i", sweeps),
    ), [channel], order)  # fmt: skip
    pgf = tree(
        STIMULUS, node(record(584, order, at_8=("32s", b"v2x90.2")), [stimulus], order), order
    )
    starts = {".dat": (256, len(data) - 256)}
    for name, part in ((".pul", pulsed), (".pgf", pgf)):
        starts[name] = (len(data), len(part))
        data += part
    struct.pack_into(f"{order}8s32sdi", data, 0, b"DAT2", b"v2x90.2", 9.5e8, len(starts))
    data[52] = order == "<"
    for k, (name, (start, length)) in enumerate(starts.items()):
        struct.pack_into(f"{order}ii8s", data, 64 + 16 * k, start, length, name.encode())
    path.write_bytes(bytes(data))
    return counts
