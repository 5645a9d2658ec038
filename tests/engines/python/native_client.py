"""Talks to a pman in --rawmode 0 as a native ZeroMQ client: native_client.py REQ|DEALER ADDRESS.

Each line of stdin is one request, sent as one frame; each answer goes to stdout as one JSON line.
"""
import json
import sys

import zmq

kind, address = sys.argv[1:]
socket = zmq.Context().socket(getattr(zmq, kind))
socket.linger = 0
socket.rcvtimeo = 8000
socket.connect(address)
for line in sys.stdin:
    socket.send(line.rstrip("\n").encode())
    print(json.dumps([frame.decode() for frame in socket.recv_multipart()]), flush=True)
