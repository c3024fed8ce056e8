"""Run a command in a network namespace of its own, where only the loopback device is up.

    unshare --map-root-user --net python no_network.py COMMAND…

Like a machine whose cable is out: nothing outside can be reached, nor what listens on the outer
machine's loopback.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1

if __name__ == "__main__":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    os.execvp(sys.argv[1], sys.argv[1:])
