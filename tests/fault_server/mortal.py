"""A server process to be killed: it sends the given bytes as one chunked body, never ends it, and waits.

Run as a script: the bytes come on standard input, the port goes to standard output.
"""

import socket
import sys

if __name__ == "__main__":
    body = sys.stdin.buffer.read()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    connection, _ = listener.accept()
    request = b""
    while not request.endswith(b"}"):
        request += connection.recv(65536)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    connection.sendall(head + chunk)
    connection.recv(1)
