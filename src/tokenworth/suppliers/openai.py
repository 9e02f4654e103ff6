"""Any server that speaks OpenAI's HTTP API: connections that are reused, bytes passed on as they come."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenworth.core.errors import InputError, SupplierError
from tokenworth.flows.ports import SupplierRequest, SupplierResponse
from tokenworth.suppliers.body import encode
from tokenworth.suppliers.http1.connection import Broken, Connection, Silent
from tokenworth.suppliers.http1.origin import Origin, origin
from tokenworth.suppliers.http1.pool import CONNECT_SECONDS, Pool


@dataclass(slots=True)
class OpenAISupplier:
    """A base URL such as `https://api.openai.com/v1`, and its key (empty for none). `timeout` is in seconds without a byte."""

    base_url: str
    api_key: str
    timeout: int
    _origin: Origin = field(init=False)
    _pool: Pool | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Look at the address; InputError where it is none."""
        # identity: a compressed stream of events waits for the compressor's buffer
        headers = {
            **self._credentials(),
            "content-type": "application/json",
            "accept": "*/*",
            "accept-encoding": "identity",
            "user-agent": "tokenworth",
        }
        self._origin = origin(self.base_url, headers)

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        """Send a request; SupplierError supplier_timeout or supplier_unreachable where no answer comes."""
        if self._pool is None:
            # with the first request, since it belongs to the running loop
            self._pool = Pool(self._origin, self.timeout)
        try:
            connection = await self._pool.ask(request.path, encode(request.body), request.headers)
        except TimeoutError:
            raise SupplierError(f"the supplier takes no connection within {CONNECT_SECONDS} s", code="supplier_timeout") from None
        except Silent:
            raise _timed_out(self.timeout) from None
        except (Broken, OSError) as error:
            raise SupplierError(f"the supplier cannot be reached: {_why(error)}", code="supplier_unreachable") from error
        body = Body(connection, self.timeout)
        if connection.headers.get("content-encoding", "identity") != "identity":
            await body.aclose()
            raise SupplierError("the supplier compresses its answers, which it was asked not to do", code="supplier_nonsense")
        return SupplierResponse(connection.status, connection.headers, body)

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.close()

    def _credentials(self) -> Mapping[str, str]:
        """Return the headers that say who asks."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}


class Body(AsyncGenerator[bytes, None]):
    """An answer's bytes as they come. Closing it early drops the connection, begun or not, as no generator of Python's own would."""

    def __init__(self, connection: Connection, patience: int) -> None:
        """Read from a connection whose headers are there."""
        self._connection = connection
        self._patience = patience
        self._over = False

    async def __anext__(self) -> bytes:
        """Return the next bytes; SupplierError supplier_timeout or supplier_broke_off where they do not come."""
        if self._over:
            raise StopAsyncIteration
        try:
            data = await self._connection.read()
        except Silent:
            self._over = True
            raise _timed_out(self._patience) from None
        except Broken as error:
            self._over = True
            raise SupplierError(f"the supplier broke off its answer: {error}", code="supplier_broke_off") from error
        except BaseException:
            await self.aclose()
            raise
        if not data:
            self._over = True
            raise StopAsyncIteration
        return data

    async def asend(self, value: None) -> bytes:
        """Return the next bytes."""
        del value
        return await self.__anext__()

    async def athrow(self, *error: Any) -> bytes:
        """End, and raise what is thrown."""
        await self.aclose()
        return await super().athrow(*error)

    async def aclose(self) -> None:
        """End."""
        if not self._over:
            self._over = True
            self._connection.close()


def read_key(variable: str, environment: Mapping[str, str]) -> str:
    """Return a supplier's key from an environment variable (an empty name: no key), else InputError; never logged."""
    if not variable:
        return ""
    key = environment.get(variable, "").strip()
    if not key:
        raise InputError(
            f"the environment variable {variable} with a supplier's key is not set",
            mend=f"export {variable}=... before `tokenworth serve`",
            code="missing_key",
        )
    return key


def _why(error: Exception) -> str:
    """Return what happened without the supplier's address, which is the operator's business."""
    return str(error) if isinstance(error, Broken) else type(error).__name__


def _timed_out(seconds: int) -> SupplierError:
    return SupplierError(f"the supplier sent nothing for {seconds} s", code="supplier_timeout")
