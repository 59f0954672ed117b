"""Bring the ingestor up: check the log, record the configuration, make the parts."""

from __future__ import annotations

import threading

import structlog

from services.ingestor.known.memory import Memory
from services.ingestor.parts import Parts
from services.ingestor.settings import (
    CommitteesSettings,
    IngestorSettings,
    QuiverSettings,
    SectorsSettings,
)
from services.ingestor.sources.committees import committees_vendor
from services.ingestor.sources.quiver import QuiverSource, quiver_vendor
from services.ingestor.sources.sectors import SectorSource
from tradetrail.clock import open_clock
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.provision import begin
from tradetrail.log.topics import Topics
from tradetrail.settings import (
    SharedSettings,
    configuration,
    load,
)

SERVICE = "ingestor"

log = structlog.get_logger(__name__)


def make_parts(settings: SharedSettings, own: IngestorSettings, stop: threading.Event) -> Parts:
    """Return what runs work with, after the log was found as recorded and the configuration is on record.

    Raises Unreachable while Kafka, the registry or the clock is away, UsageError when the topology differs.
    """
    quiver, committees = load(QuiverSettings), load(CommitteesSettings)
    sectors = load(SectorsSettings)
    codec, topics = Codec(settings.registry_url), Topics.of(settings)
    clock = open_clock(settings.clock_url)
    stamp = Stamp(SERVICE, settings.instance)
    content = {
        "shared": configuration(settings),
        "ingestor": configuration(own),
        "quiver": configuration(quiver),
        "committees": configuration(committees),
        "sectors": configuration(sectors),
    }
    digest = begin(settings, codec, topics, stamp, clock, content)
    return Parts(
        settings=settings,
        own=own,
        codec=codec,
        topics=topics,
        memory=Memory(settings, codec, topics),
        quiver=QuiverSource(quiver_vendor(own, quiver), own),
        committees=committees_vendor(own, committees),
        sectors=SectorSource(own, sectors) if sectors.url else None,
        clock=clock,
        stamp=stamp,
        stop=stop,
        configuration_hash=digest,
    )
