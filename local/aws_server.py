"""moto's server, quiet and with connections that stay open. Prints its port, then serves until it is ended."""

import logging

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class KeepAlive(WSGIRequestHandler):
    """Connections stay open: a call then costs half."""

    protocol_version = "HTTP/1.1"


def main() -> None:
    """Serve on a free port of loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=KeepAlive)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
