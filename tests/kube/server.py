"""A server that gives prepared answers, in order, and notes what it was asked."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from podfence.kube.kubeconfig import Access
from podfence.kube.kubeconfig_file import Cluster, User


class Answer(NamedTuple):
    """`cut`: the connection ends before the body does."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict = {}  # noqa: RUF012  never changed
    cut: bool = False


def page(*names, following=""):
    items = [{"metadata": {"name": name, "uid": name}} for name in names]
    return Answer(body=json.dumps({"metadata": {"continue": following}, "items": items}).encode())


def refusal(status, message="no", **headers):
    return Answer(status, json.dumps({"kind": "Status", "message": message}).encode(), headers)


@contextlib.contextmanager
def answering(*answers):
    """Yields an Access to it, and the list of requests so far: path and headers of each."""
    waiting, asked = list(answers), []

    class Prepared(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers))
            answer = waiting.pop(0)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(answer.body) + (10 if answer.cut else 0)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.cut

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Prepared)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield access(f"http://127.0.0.1:{server.server_port}"), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def access(server, user=None, directory=Path()):
    return Access("test", server, Cluster(server), user or User(token="t"), directory)
