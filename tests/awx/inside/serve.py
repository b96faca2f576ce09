"""AWX's API on a loopback port, a thread for each request. The port is written to the file that is named: only then is
AWX there.

Usage, in AWX's environment: serve.py FILE
"""

import socketserver
import sys
import wsgiref.simple_server
from pathlib import Path

from awx.wsgi import application


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def address_string(self) -> str:
        return self.client_address[0]  # no name is looked up


server = wsgiref.simple_server.make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Handler)
port = Path(sys.argv[1])
port.with_suffix(".new").write_text(str(server.server_port), encoding="ascii")
port.with_suffix(".new").rename(port)
server.serve_forever()
