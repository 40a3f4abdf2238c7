#!/usr/bin/env python3
"""A name server on 127.0.0.1 that says 127.0.0.1 of one name, and of no other.

    name_server.py NAME     prints a line when it answers
"""

import socket
import struct
import sys

A, NO_SUCH_NAME = 1, 3


def answer(asked, known):
    # The header is 12 bytes; the question is a name, whose labels have their length before them, a type and a class.
    end = asked.index(b"\0", 12)
    labels, at = [], 12
    while at < end:
        labels.append(asked[at + 1 : at + 1 + asked[at]].decode())
        at += 1 + asked[at]
    (kind,) = struct.unpack("!H", asked[end + 1 : end + 3])
    question = asked[12 : end + 5]
    is_known = ".".join(labels).lower() == known
    address = struct.pack("!HHHIH4B", 0xC00C, A, 1, 60, 4, 127, 0, 0, 1) if is_known and kind == A else b""
    flags = 0x8580 | (0 if is_known else NO_SUCH_NAME)
    return asked[:2] + struct.pack("!HHHHH", flags, 1, 1 if address else 0, 0, 0) + question + address


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        asked, whose = server.recvfrom(512)
        server.sendto(answer(asked, sys.argv[1]), whose)


main()
