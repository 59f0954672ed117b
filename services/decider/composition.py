"""Puts the decider together: the one place that knows every part."""

from __future__ import annotations

import threading
from typing import Any

from services.decider import breakpoints
from services.decider.answering.answers import Desk
from services.decider.catalogue import strategies_named
from services.decider.contexts.alpaca_edge import AlpacaContext
from services.decider.contexts.context_wait import ContextWait
from services.decider.service import Decider
from services.decider.settings import DeciderSettings, require_lookback
from services.decider.views.memory import Memory
from services.decider.views.reference_feed import ReferenceFeed
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.clock import open_clock
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.loop import TransactionalLoop
from tradetrail.log.provision import begin
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, configuration, load
from tradetrail.telemetry import HealthServer


def run(shared: SharedSettings, stop: threading.Event) -> None:
    """Record the configuration, then decide until asked to stop."""
    settings = load(DeciderSettings)
    topics, codec, clock = (
        Topics.of(shared),
        Codec(shared.registry_url),
        open_clock(shared.clock_url),
    )
    strategies = strategies_named(settings.strategies)
    require_lookback(settings, strategies)
    stamp = Stamp("decider", shared.instance)
    content = configuration(settings) | {
        "strategies": {s.name: {"version": s.version, **s.configuration()} for s in strategies}
    }
    digest = begin(shared, codec, topics, stamp, clock, content)
    source = AlpacaContext(load(AlpacaSettings), settings.rate_limit_reserve, stop)
    contexts = ContextWait(source, stop)
    desk = Desk(stamp, settings, digest, clock, contexts)
    memory, facts = (
        Memory(shared, codec, settings.lookback_days),
        ReferenceFeed(shared, codec, topics),
    )
    decider = Decider(memory, desk, strategies, stop, facts)
    loop = TransactionalLoop(
        shared,
        codec,
        decider,
        group=f"{shared.topic_prefix}decider",
        topics=topics.trade(),
        transactional_id=f"{shared.topic_prefix}decider-{shared.replica}",
        stop=stop,
        passing=breakpoints.arm(settings.die_at),
    )

    def health() -> tuple[bool, dict[str, Any]]:
        trouble = loop.trouble
        return trouble is None, {
            "status": "ready" if trouble is None else "not_ready",
            "trouble": trouble,
            "positions": loop.positions,
            "waiting_for_context": contexts.waiting,
        }

    server = HealthServer(shared.http_host, shared.http_port, health)
    server.start()
    try:
        loop.run()
    finally:
        server.close()
        facts.close()
