"""A judge over HTTP: a model behind an OpenAI-compatible server.

Failures that may pass (a timeout, a broken connection, statuses 408, 425, 429 and 5xx, a reply that is
not a chat completion) are retried after random pauses of growing length, or after the time the server
asks for with Retry-After. The key is sent to the server and appears nowhere else.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import tenacity

from plumbline.config.verification import Endpoint
from plumbline.storage.files import InputError
from plumbline.texts.thoughts import without_thoughts
from plumbline.verification.judging import Case, Judgement

log = logging.getLogger("plumbline")
logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it logs addresses with queries

SYSTEM = (
    "You check statements against texts. Reply with one word: True if the texts support the "
    "statement, False if they contradict it or do not support it, Unknown if they say nothing "
    "about its subject."
)
USER = "{passages}Statement about {topic}: {claim}\nTrue, False or Unknown?"
_PASSAGE = "Title: {title}\n{text}\n\n"
_VERDICTS = {"true": "supported", "false": "refuted", "unknown": "unverifiable"}
_TRANSIENT = {408, 425, 429}
_REFUSED = {400, 413, 422}
_LONGEST_PAUSE = 600.0  # seconds; a server that asks for more counts as down


class EndpointError(InputError):
    """The server cannot be used; the message names it and says what to do."""


class _Transient(Exception):
    """A failure that may pass; `pause`: how many seconds the server asks to wait."""

    def __init__(self, what: str, pause: float = 0.0):
        super().__init__(what)
        self.pause = pause


class _Refused(Exception):
    """The server refused this one request as invalid."""


class EndpointJudge:
    """Asks at temperature 0. Counts the tokens it used: `prompt_tokens`, `completion_tokens`."""

    def __init__(self, settings: Endpoint, key: str | None, first_pause: float = 1.0):
        """key: the value of the environment variable `settings.key_env`. first_pause: seconds."""
        self._settings, self._key = settings, key
        self._backoff = tenacity.wait_random_exponential(multiplier=first_pause, max=60)
        self._stop = threading.Event()
        self._pace = _Pace(settings.requests_per_minute, self._stop)
        self._server = _server(settings.url)
        self._address = httpx.URL(settings.url)
        path = self._address.path.rstrip("/") + "/chat/completions"
        self._address = self._address.copy_with(path=path)
        self.identity = {
            "model": settings.model,
            "prompt": SYSTEM + USER + _PASSAGE,
            "max_tokens": settings.max_tokens,
        }
        self.prompt_tokens = self.completion_tokens = 0

    def judge(self, cases: list[Case]) -> Iterator[tuple[int, Judgement]]:
        """Judgements as they arrive. If the server fails for good, those under way are still
        yielded, and then `EndpointError` is raised.
        """
        self._stop.clear()
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        error, refusals = None, []
        with (
            httpx.Client(headers=headers, timeout=self._settings.timeout) as client,
            ThreadPoolExecutor(self._settings.concurrency) as pool,
        ):
            futures: dict[Future, int] = {
                pool.submit(self._ask, client, case): place for place, case in enumerate(cases)
            }
            try:
                for future in as_completed(futures):
                    try:
                        judgement = future.result()
                    except _Refused as refusal:
                        refusals.append(str(refusal))
                        judgement = Judgement(
                            verdict="unverifiable", state="judge refused", shown=0
                        )
                    except EndpointError as failure:
                        error = error or failure
                        self._give_up(futures)
                        continue
                    except CancelledError:
                        continue
                    self.prompt_tokens += judgement.prompt_tokens or 0
                    self.completion_tokens += judgement.completion_tokens or 0
                    yield futures[future], judgement
            finally:
                self._give_up(futures)
                log.info(self.cost())
        if error is None and len(refusals) == len(cases):
            error = EndpointError(
                f"{self._server} refused every request ({refusals[0]}). Check the model's name "
                f"{self._settings.model!r} and max_tokens."
            )
        if error is not None:
            raise error

    def cost(self) -> str:
        """What has been used so far, for the log."""
        settings = self._settings
        price = self.prompt_tokens * settings.input_price
        price += self.completion_tokens * settings.output_price
        money = f", cost {price / 1e6:.4f}" if price else ""
        return f"{self.prompt_tokens:,} tokens of prompts, {self.completion_tokens:,} of replies{money}"

    def _give_up(self, futures: dict[Future, int]) -> None:
        self._stop.set()
        for future in futures:
            future.cancel()

    def _ask(self, client: httpx.Client, case: Case) -> Judgement:
        """One judgement, with as many tries as allowed."""
        tries = self._settings.retries + 1
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries) | tenacity.stop_when_event_set(self._stop),
            wait=self._pause,
            retry=tenacity.retry_if_exception_type(_Transient),
            sleep=tenacity.sleep_using_event(self._stop),
            reraise=True,
        )
        try:
            return retrying(self._once, client, case)
        except _Transient as failure:
            raise EndpointError(
                f"{self._server}: {failure}, {tries} times in a row. Check that the server runs "
                f"and is not overloaded, then start again: what is finished is kept."
            ) from None

    def _pause(self, state: tenacity.RetryCallState) -> float:
        return max(self._backoff(state), state.outcome.exception().pause)

    def _once(self, client: httpx.Client, case: Case) -> Judgement:
        self._pace.wait()
        body = {
            "model": self._settings.model,
            "messages": messages(case),
            "temperature": 0,
            "max_tokens": self._settings.max_tokens,
        }
        try:
            response = client.post(self._address, json=body)
        except httpx.TimeoutException:
            raise _Transient(f"no answer within {self._settings.timeout:g} s") from None
        except httpx.TransportError as error:
            raise _Transient(f"connection failed ({type(error).__name__})") from None
        self._check(response)
        try:
            answer = response.json()
            text = answer["choices"][0]["message"]["content"] or ""
            usage = answer.get("usage") or {}
            verdict = parse(text)
            return Judgement(
                verdict=verdict or "unverifiable",
                state="ok" if verdict else "judge unparsable",
                shown=len(case.evidence),
                prompt_tokens=usage.get("prompt_tokens"),
                completion_tokens=usage.get("completion_tokens"),
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            raise _Transient("a reply that is no chat completion") from None

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        what = f"status {status}"
        if status in _TRANSIENT or status >= 500:
            pause = _retry_after(response.headers.get("Retry-After"))
            if pause > _LONGEST_PAUSE:
                raise EndpointError(
                    f"{self._server}: {what}, and it asks to wait {pause:,.0f} s. Start again "
                    f"later: what is finished is kept."
                )
            raise _Transient(what, pause)
        if status in _REFUSED:
            raise _Refused(what)
        if status in (401, 403):
            name = self._settings.key_env
            remedy = (
                f"Check the key in the environment variable {name}."
                if name
                else "Name the environment variable that holds the key in key_env."
            )
        else:
            remedy = f"Check url and model ({self._settings.model!r}) in the configuration."
        raise EndpointError(f"{self._server}: {what}. {remedy}")


def messages(case: Case) -> list[dict[str, str]]:
    """The chat in which a case is judged; the best passage comes last."""
    passages = "".join(_PASSAGE.format(**passage) for passage in reversed(case.evidence))
    claim = case.claim
    user = USER.format(passages=passages, topic=claim.topic, claim=claim.text)
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]


def parse(reply: str) -> str | None:
    """The verdict of a reply, or None: it must name exactly one of True, False and Unknown.

    If it names several, its first word decides, if that is one of them. A model's thoughts do not
    count.
    """
    text = without_thoughts(reply)
    named = re.findall(r"\b(?:true|false|unknown)\b", text.lower())
    if len(set(named)) > 1:
        first = re.match(r"\W*(true|false|unknown)\b", text.lower())
        named = [first[1]] if first else []
    return _VERDICTS[named[0]] if named else None


def key_from(environment: dict[str, str], name: str | None) -> str | None:
    """The key in the environment variable `name`. InputError, without the key, if there is none."""
    if name is None:
        return None
    key = environment.get(name, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise InputError(
            f"key_env: the environment variable {name} holds no key; set it to the server's."
        )
    return key


class _Pace:
    """Limits how often requests start."""

    def __init__(self, per_minute: float | None, stop: threading.Event):
        self._gap, self._stop = 60 / per_minute if per_minute else 0.0, stop
        self._lock, self._next = threading.Lock(), 0.0

    def wait(self) -> None:
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + self._gap
        self._stop.wait(max(0.0, start - time.monotonic()))


def _server(url: str) -> str:
    """Scheme, host and port: the parts of an address that errors may show."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _retry_after(value: str | None) -> float:
    """The seconds in a Retry-After header, which has seconds or a date; 0 if it has neither."""
    try:
        return max(0.0, float(value or 0))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
