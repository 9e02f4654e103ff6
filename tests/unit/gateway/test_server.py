"""The port is checked before granian shares it in silence."""

import socket

import pytest

from tokenworth.core.errors import InputError
from tokenworth.gateway.server import check_port


def test_a_port_in_use_is_refused_even_where_it_may_be_shared() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as caught:
            check_port("127.0.0.1", port)
        assert str(port) in caught.value.what
        assert caught.value.code == "port"
    check_port("127.0.0.1", port)
