"""A local server that judges claims, and misbehaves on command."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Answers with `script`, one entry a request, then truthfully by "bread" in the prompt.

    Entries: a status, (status, headers), "garbage", "empty", "stall", "hang up", or a reply text.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, script=(), port=0, slow=0.0):
        super().__init__(("127.0.0.1", port), Handler)
        self.script, self.slow = list(script), slow
        self.asked, self.headers, self.paths, self.times = [], [], [], []
        self.under_way = self.most = 0
        self.lock, self.released = threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the tests

    def stop(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server, self.answered = self.server, False
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.asked.append(body)
            server.headers.append(dict(self.headers))
            server.paths.append(self.path)
            server.times.append(time.monotonic())
            step = server.script.pop(0) if server.script else None
            server.under_way += 1
            server.most = max(server.most, server.under_way)
        time.sleep(server.slow)
        self.play(step, body)
        self.done()

    def done(self):
        """Counted before the last byte leaves: who has it may ask again at once."""
        with self.server.lock:
            self.server.under_way -= not self.answered
            self.answered = True

    def play(self, step, body):
        if step == "stall":
            self.server.released.wait(20)
        elif step == "hang up":
            self.done()
            self.connection.close()
        elif step == "garbage":
            self.send(200, b'{"choices": [{"mess')
        elif step == "empty":
            self.send(200, b'{"choices": []}')
        elif isinstance(step, int):
            self.send(step, b'{"error": "no"}')
        elif isinstance(step, tuple):
            self.send(step[0], b"{}", step[1])
        else:
            truth = "True" if "bread" in body["messages"][1]["content"] else "False"
            message = {"role": "assistant", "content": truth if step is None else step}
            answer = {
                "choices": [{"index": 0, "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 2},
            }
            self.send(200, json.dumps(answer).encode())

    def send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.done()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
