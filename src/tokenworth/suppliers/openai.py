"""Any server that speaks OpenAI's HTTP API: one reused session, bytes passed on as they come."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from tokenworth.core.errors import InputError, SupplierError
from tokenworth.flows.ports import SupplierRequest, SupplierResponse
from tokenworth.suppliers.body import encode

CONNECT_SECONDS = 10
KEEP_ALIVE_SECONDS = 4
"""Below the shortest keep-alive in wide use (uvicorn's 5 s), so that a request is not sent on a connection that is being closed."""


@dataclass(slots=True)
class OpenAISupplier:
    """A base URL such as `https://api.openai.com/v1`, and its key (empty for none). `timeout` is in seconds without a byte."""

    base_url: str
    api_key: str
    timeout: int
    _urls: dict[str, URL] = field(default_factory=dict, init=False)
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def send(self, request: SupplierRequest) -> SupplierResponse:
        """Send a request; SupplierError supplier_timeout or supplier_unreachable where no answer comes."""
        try:
            response = await self._open().post(self._url(request.path), data=encode(request.body), headers=request.headers, allow_redirects=False)
        except TimeoutError:
            raise _timed_out(self.timeout) from None
        except (aiohttp.ClientError, OSError) as error:
            raise SupplierError(f"the supplier cannot be reached: {type(error).__name__}", code="supplier_unreachable") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return SupplierResponse(response.status, headers, _body(response, self.timeout))

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()

    def _url(self, path: str) -> URL:
        if path not in self._urls:
            self._urls[path] = URL(self.base_url.rstrip("/") + path)
        return self._urls[path]

    def _credentials(self) -> Mapping[str, str]:
        """Return the headers that say who asks."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def _open(self) -> aiohttp.ClientSession:
        """Make the session at the first request, since it belongs to the running loop."""
        if self._session is None:
            # identity: a compressed stream of events waits for the compressor's buffer
            headers = {"content-type": "application/json", "accept-encoding": "identity", **self._credentials()}
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=self.timeout),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


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


async def _body(response: aiohttp.ClientResponse, patience: int) -> AsyncGenerator[bytes, None]:
    """Yield bytes as they come. Closing early drops the connection, which is what cancels a generation upstream."""
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except TimeoutError:
        raise _timed_out(patience) from None
    except (aiohttp.ClientError, OSError) as error:
        raise SupplierError(f"the supplier broke off its answer: {type(error).__name__}", code="supplier_broke_off") from error
    finally:
        # after the last byte the connection went back to the pool, and this does nothing
        response.close()


def _timed_out(seconds: int) -> SupplierError:
    return SupplierError(f"the supplier sent nothing for {seconds} s", code="supplier_timeout")
