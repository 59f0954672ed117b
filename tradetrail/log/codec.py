"""Events to bytes and back: Confluent's wire format (a zero byte, four bytes of schema id, the Avro datum).

Encoding registers the schema file of the event under its full name (record-name subjects); decoding reads with the
writer's schema from the registry and resolves to today's. The registry is asked once per schema.
"""

from __future__ import annotations

import io
import json
import struct
import weakref
from dataclasses import dataclass
from typing import Any, cast

import fastavro
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.schema import parse_schema

from tradetrail.errors import Fatal, Poison, Retryable
from tradetrail.events import CATALOGUE, Event, from_datum, to_datum
from tradetrail.events.generated import DeadLetterReason
from tradetrail.events.schemas import envelope_schema, parsed_schema, schema_text
from tradetrail.log.straight import Form, as_texts, today_reader
from tradetrail.redaction import hidden_everywhere, holds_secret

_MAGIC = 0
_HEADER = struct.Struct(">bI")
# The registry answers in milliseconds; ten seconds cover its restart without holding a partition for long.
REGISTRY_TIMEOUT_S = 10
# The registry's own code: a bare 404 may come from a proxy or from a registry that is only starting.
_SCHEMA_NOT_FOUND = 40403
_CONFLICT = 409
# Several processes that start on an empty registry at the same moment; each conflict is over with the answer to it.
_SAME_MOMENT_TRIES = 5


class BadEvent(Poison):
    """A value that is no event of ours; ``code`` says why, ``schema_id`` what it claimed, where readable."""

    def __init__(self, code: DeadLetterReason, message: str, schema_id: int | None = None) -> None:
        """Keep the reason beside the message."""
        super().__init__(message)
        self.code = code
        self.schema_id = schema_id


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded value: its full type name, its schema id, and the plain datum of today's schema."""

    type_name: str
    schema_id: int
    datum: dict[str, Any]

    @property
    def event(self) -> Event:
        """Return the typed event; not of a datum in texts."""
        return from_datum(self.type_name, self.datum)


@dataclass(frozen=True, slots=True)
class _Writer:
    """A writer's schema: its type, parsed form, text, and whether it differs from today's."""

    type_name: str
    parsed: Any
    text: str
    differs: bool


class Codec:
    """Encoder and decoder on one registry. Not thread-safe: one per thread."""

    def __init__(self, registry_url: str, form: Form = Form.TYPED) -> None:
        """Use the registry at ``registry_url``; nothing is asked before the first event. Data come in ``form``."""
        self._url = registry_url
        self._form = form
        self._client = SchemaRegistryClient({"url": registry_url, "timeout": REGISTRY_TIMEOUT_S})
        # Codecs live as long as their owners; the connection ends with the codec, without a call to forget.
        weakref.finalize(self, self._client.close)
        self._ids: dict[str, int] = {}
        self._writers: dict[int, _Writer] = {}

    def encode(self, event: Event) -> bytes:
        """Return the event on the wire.

        Raises Retryable while the registry is away, Fatal when it refuses the schema as incompatible.
        """
        schema_id = self._ids.get(event.TYPE)
        if schema_id is None:
            schema_id = self._ids[event.TYPE] = self.register(event.TYPE)
        buffer = io.BytesIO(_HEADER.pack(_MAGIC, schema_id))
        buffer.seek(_HEADER.size)
        fastavro.schemaless_writer(buffer, parsed_schema(event.TYPE), to_datum(event))
        value = buffer.getvalue()
        if holds_secret(value):
            # Edges hide what they got; this is for the texts made on the way from there to here.
            buffer = io.BytesIO(_HEADER.pack(_MAGIC, schema_id))
            buffer.seek(_HEADER.size)
            datum = hidden_everywhere(to_datum(event))
            fastavro.schemaless_writer(buffer, parsed_schema(event.TYPE), datum)
            value = buffer.getvalue()
        return value

    def decode(self, value: bytes | None) -> Decoded:
        """Return the decoded event; BadEvent when it is none of ours, Retryable while the registry is away."""
        schema_id = self._schema_id(value)
        writer = self._writer(schema_id)
        if writer.type_name not in CATALOGUE:
            raise BadEvent(
                DeadLetterReason.UNKNOWN_TYPE,
                f"schema {schema_id} is {writer.type_name}, which is not in the catalogue",
                schema_id,
            )
        try:
            datum, end = self._read(writer, cast(bytes, value))
        except Exception as error:
            raise BadEvent(
                DeadLetterReason.BROKEN_BODY,
                f"body does not read as {writer.type_name} (schema {schema_id}): {error!r}",
                schema_id,
            ) from error
        if rest := len(cast(bytes, value)) - end:
            left = f"{rest} bytes follow" if rest > 0 else f"{-rest} bytes are missing of"
            raise BadEvent(
                DeadLetterReason.BROKEN_BODY,
                f"{left} the {writer.type_name} (schema {schema_id})",
                schema_id,
            )
        return Decoded(writer.type_name, schema_id, datum)

    def _read(self, writer: _Writer, value: bytes) -> tuple[dict[str, Any], int]:
        """Return the datum of today's schema and where it ended."""
        if not writer.differs:
            return today_reader(writer.type_name, self._form)(value, _HEADER.size)
        buffer = io.BytesIO(value)
        buffer.seek(_HEADER.size)
        today = parsed_schema(writer.type_name)
        datum = fastavro.schemaless_reader(buffer, writer.parsed, today)
        plain = as_texts(datum) if self._form is Form.TEXTS else datum
        return cast(dict[str, Any], plain), buffer.tell()

    def type_name(self, value: bytes | None) -> str:
        """Return the type by the schema id alone, the cheapest look at an event.

        Raises as ``decode`` does before it reads the body.
        """
        return self._writer(self._schema_id(value)).type_name

    def envelope(self, value: bytes | None) -> tuple[str, dict[str, Any]]:
        """Return the type name and only the leading fields: about three times cheaper than decoding."""
        writer = self._writer(self._schema_id(value))
        buffer = io.BytesIO(cast(bytes, value))
        buffer.seek(_HEADER.size)
        return writer.type_name, cast(
            dict[str, Any], fastavro.schemaless_reader(buffer, envelope_schema(), None)
        )

    def register(self, type_name: str) -> int:
        """Register the schema file of ``type_name`` and return its id; a repeat returns the same id."""
        try:
            self._demand_compatibility(type_name)
            return int(
                self._client.register_schema(type_name, Schema(schema_text(type_name), "AVRO"))
            )
        except SchemaRegistryError as error:
            if error.http_status_code == _CONFLICT:
                raise Fatal(
                    f"the registry refuses schemas/{type_name.rsplit('.', 1)[-1]}.avsc as incompatible with a "
                    f"registered version ({error}); add fields with defaults, rename and remove nothing"
                ) from error
            raise self._away(error) from error
        except Retryable:
            raise
        except Exception as error:
            raise self._away(error) from error

    def _demand_compatibility(self, type_name: str) -> None:
        """Let the registry hold every version of a schema against all others.

        It answers 409 when another process sets the same for the first time at this very moment: then it stands, and
        setting it again is no conflict any more.
        """
        for left in reversed(range(_SAME_MOMENT_TRIES)):
            try:
                self._client.set_compatibility(type_name, "FULL_TRANSITIVE")
                return
            except SchemaRegistryError as error:
                if error.http_status_code != _CONFLICT:
                    raise
                if not left:
                    raise Retryable(
                        f"the registry at {self._url} says again and again that another process sets the "
                        f"compatibility of {type_name} ({error}); try again when that one is done"
                    ) from error

    def writer_schema(self, schema_id: int) -> str:
        """Return the text of a registered schema, so that it can be kept beside the events."""
        return self._writer(schema_id).text

    def schema_type(self, schema_id: int) -> str:
        """Return the full type name that a registered schema describes."""
        return self._writer(schema_id).type_name

    def keep(self, schema_id: int, text: str) -> None:
        """Read what was written with this schema by ``text``, without asking the registry.

        For readers of a log whose registry is gone. Raises BadEvent for a text that is no Avro record.
        """
        self._writers[schema_id] = _parsed(schema_id, text)

    def _schema_id(self, value: bytes | None) -> int:
        if not value:
            raise BadEvent(DeadLetterReason.NO_BODY, "the message has no body")
        if len(value) <= _HEADER.size or value[0] != _MAGIC:
            raise BadEvent(
                DeadLetterReason.NOT_AVRO,
                f"{len(value)} bytes that do not begin with a zero byte and a schema id",
            )
        return int(_HEADER.unpack_from(value)[1])

    def _writer(self, schema_id: int) -> _Writer:
        if schema_id not in self._writers:
            self._writers[schema_id] = self._fetch(schema_id)
        return self._writers[schema_id]

    def _fetch(self, schema_id: int) -> _Writer:
        try:
            text = self._client.get_schema(schema_id).schema_str
        except SchemaRegistryError as error:
            if error.error_code == _SCHEMA_NOT_FOUND:
                raise BadEvent(
                    DeadLetterReason.UNKNOWN_SCHEMA,
                    f"the registry does not know schema id {schema_id}",
                    schema_id,
                ) from error
            raise self._away(error) from error
        except Exception as error:
            raise self._away(error) from error
        return _parsed(schema_id, text or "")

    def _away(self, error: Exception) -> Retryable:
        return Retryable(
            f"the schema registry at {self._url} does not answer as it should: {error}"
        )


def _parsed(schema_id: int, text: str) -> _Writer:
    try:
        parsed: Any = parse_schema(json.loads(text or "null"))
        name = str(parsed["name"])
    except Exception as error:
        raise BadEvent(
            DeadLetterReason.UNKNOWN_TYPE,
            f"schema {schema_id} is no Avro record: {error!r}",
            schema_id,
        ) from error
    # Compared as parsed: a registry may spell the same schema in another way, and reading one schema as itself
    # needs no resolution, which costs half as much again.
    today = parsed_schema(name) if name in CATALOGUE else None
    return _Writer(name, parsed, text, differs=parsed != today)
