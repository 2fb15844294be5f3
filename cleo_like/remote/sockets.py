"""ZeroMQ, asked for where it is needed."""

from __future__ import annotations

from typing import Any

from cleo_like.core.errors import InputError, UnsupportedError

LOOPBACK = "127.0.0.1"
LARGEST = 64_000_000
"""Bytes of a frame that are looked at; a larger one is answered with an error."""
_MOST = 1_000_000_000
"""Bytes of a frame that are taken in at all: a larger one ends the connection."""


def zmq_module() -> Any:
    """Import pyzmq, or say how to install it.

    Raises
    ------
    UnsupportedError
        It is not installed.
    """
    try:
        import zmq
    except ImportError as error:
        msg = "this needs pyzmq: pip install 'cleo_like[serve]'"
        raise UnsupportedError(msg) from error
    return zmq


def endpoint_of(host: str, port: int) -> str:
    """Give the address of a port; 0 lets the system choose."""
    if not 0 <= port <= 65535:
        msg = f"port must be 0 to 65535, got {port}"
        raise InputError(msg)
    return f"tcp://{host}:{port if port else '*'}"


def bound(context: Any, kind: int, host: str, port: int) -> Any:
    """Open a socket that others connect to.

    Raises
    ------
    InputError
        The port is taken, or the host is not this machine's.
    """
    zmq = zmq_module()
    endpoint = endpoint_of(host, port)
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, _MOST)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        socket.close()
        msg = f"cannot listen on {host}:{port}: {error}; choose another port (0: any)"
        raise InputError(msg) from error
    return socket
