"""A client of `cleo-like serve` with pyzmq and numpy only: one step of current, block by block."""

import struct
import sys

import numpy as np
import zmq

HELLO, START, PLAY, BYE, ERROR = 1, 2, 3, 5, 9
socket = zmq.Context().socket(zmq.REQ)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555")
number = 0


def ask(kind, *frames, count=0):
    global number
    number += 1
    socket.send_multipart([struct.pack("<4sHHQQ", b"CLK1", 1, kind, number, count), *frames])
    header, *answer = socket.recv_multipart()
    if struct.unpack("<4sHHQQ", header)[2] == ERROR:
        raise RuntimeError(answer[0].decode())
    return answer


print(ask(HELLO)[0].decode())
ask(START, count=20_000)  # one second at 20 kHz, from rest
command = np.where(np.arange(20_000) >= 4_000, 400e-12, 0.0)  # A
blocks = [ask(PLAY, b"command A 20", block.tobytes())[1] for block in np.split(command, 1000)]
response = np.concatenate([np.frombuffer(block) for block in blocks])  # V
print(f"{response.min() * 1e3:.1f} to {response.max() * 1e3:.1f} mV")
ask(BYE)
